//! Bodies of text, such as CSV.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use crate::error::Code;
use crate::http::problem::Problem;
use crate::http::request::Reading;
use crate::http::request::body::{Body, read_text_body};
use crate::http::request::limit::body_limit;
use crate::message;

/// A body of text, such as CSV, and its bytes as they came.
#[derive(Debug, Clone)]
pub struct TextBody {
    /// The text, without the byte order mark that spreadsheets write.
    text: String,
    raw: Bytes,
}

impl Body for TextBody {
    type Value = String;

    fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn value(self) -> String {
        self.text
    }
}

impl FromRequest for TextBody {
    type Error = Problem;
    type Future = Reading<TextBody>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            check_lines(&raw)?;
            let text = std::str::from_utf8(&raw).map_err(|error| not_utf8(&raw, error))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
            Ok(TextBody { text, raw })
        })
    }
}

/// The most lines of a table: more than a country has units.
const MOST_LINES: usize = 100_000;

pub(super) fn check_lines(raw: &[u8]) -> Result<(), Problem> {
    let breaks = raw.iter().filter(|byte| **byte == b'\n');
    if breaks.count() <= MOST_LINES {
        return Ok(());
    }
    Err(Problem::new(
        Code::BodyTooLarge,
        message!("text-too-many-lines", most_lines = MOST_LINES),
    ))
}

fn not_utf8(raw: &[u8], error: std::str::Utf8Error) -> Problem {
    let before = raw.get(..error.valid_up_to()).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Problem::new(Code::MalformedCsv, message!("text-not-utf8", line))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::http::request::limit::BodyLimit;
    use crate::http::request::limit::BodyTime;
    use crate::http::state::ServerState;
    use std::time::Duration;

    fn with_limit(bytes: usize) -> TestRequest {
        let request = TestRequest::default().app_data(BodyLimit(bytes));
        let request = request.app_data(BodyTime(Duration::from_secs(1)));
        request.app_data(actix_web::web::Data::new(ServerState::new(1, 1)))
    }

    #[actix_web::test]
    async fn a_body_is_read_up_to_the_limit_and_without_its_mark() {
        let sent = async |body: &'static [u8]| {
            let request = with_limit(5);
            let (request, mut payload) = request.set_payload(body).to_http_parts();
            let read = TextBody::from_request(&request, &mut payload).await;
            read.map(|body| body.text)
                .map_err(|problem| problem.to_string())
        };
        assert_eq!(sent(b"\xef\xbb\xbfab").await, Ok("ab".to_owned()));
        assert!(
            sent(b"abcdef")
                .await
                .unwrap_err()
                .starts_with("BODY_TOO_LARGE")
        );
        assert!(sent(b"a\n\xff").await.unwrap_err().contains("(line 2)"));
    }
}
