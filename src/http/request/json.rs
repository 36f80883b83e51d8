//! JSON bodies, and the faults of those that cannot be read.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use crate::domain::fault::{self, FieldPath};
use crate::domain::quantity::without_separators;
use crate::error::{Code, Fault};
use crate::http::blocking;
use crate::http::contract::OperationRules;
use crate::http::problem::Problem;
use crate::http::request::body::{Body, SMALL_BODY, read_text_body};
use crate::http::request::limit::body_limit;
use crate::http::request::{Reading, matched};
use crate::message;
use crate::path;

/// A JSON body, and its bytes as they came.
#[derive(Debug, Clone)]
pub struct JsonBody<T> {
    value: T,
    raw: Bytes,
}

impl<T> JsonBody<T> {
    /// Returns what was read, for a body that is no part of a call.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: DeserializeOwned + std::fmt::Debug + Send + 'static> Body for JsonBody<T> {
    type Value = T;

    fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn value(self) -> T {
        self.value
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Reading<JsonBody<T>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            JsonBody::read(&request, raw, MOST_COMMAS).await
        })
    }
}

/// The most commas in a body: a parsed list takes many times the memory of its text.
const MOST_COMMAS: usize = 100_000;

impl<T: DeserializeOwned + Send + 'static> JsonBody<T> {
    async fn read(
        request: &HttpRequest,
        raw: Bytes,
        most_commas: usize,
    ) -> Result<JsonBody<T>, Problem> {
        if raw.len() <= SMALL_BODY
            && let Ok(value) = serde_json::from_slice(&raw)
        {
            return Ok(JsonBody { value, raw });
        }
        let rules = matched(request);
        blocking(move || {
            check_commas(&raw, most_commas)?;
            match serde_json::from_slice(&raw) {
                Ok(value) => Ok(JsonBody { value, raw }),
                Err(_) => Err(wrong_json::<T>(rules.as_deref(), &raw)),
            }
        })
        .await
    }
}

fn check_commas(raw: &[u8], most: usize) -> Result<(), Problem> {
    let commas = raw.iter().filter(|byte| **byte == b',');
    if commas.count() <= most {
        return Ok(());
    }
    Err(Problem::new(
        Code::BodyTooLarge,
        message!("json-too-many-elements", most),
    ))
}

/// The most commas in a document that may be larger than others.
const MOST_COMMAS_OF_LARGE: usize = 500_000;

/// The most items of a list in any body: there is a comma between two.
pub(in crate::http) const MOST_ITEMS: usize = MOST_COMMAS_OF_LARGE + 1;

/// A JSON body that may be larger than others, and have more elements.
#[derive(Debug, Clone)]
pub struct LargeJsonBody<T>(JsonBody<T>);

impl<T: DeserializeOwned + std::fmt::Debug + Send + 'static> Body for LargeJsonBody<T> {
    type Value = T;

    fn raw(&self) -> &[u8] {
        self.0.raw()
    }

    fn value(self) -> T {
        self.0.value()
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for LargeJsonBody<T> {
    type Error = Problem;
    type Future = Reading<LargeJsonBody<T>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            let body = JsonBody::read(&request, raw, MOST_COMMAS_OF_LARGE).await?;
            Ok(LargeJsonBody(body))
        })
    }
}

/// A JSON object that may be left out: then it has its usual values, as the empty object has.
#[derive(Debug, Clone)]
pub struct OptionalJsonBody<T>(JsonBody<T>);

impl<T: DeserializeOwned + Default + std::fmt::Debug + Send + 'static> Body
    for OptionalJsonBody<T>
{
    type Value = T;

    fn raw(&self) -> &[u8] {
        self.0.raw()
    }

    fn value(self) -> T {
        self.0.value()
    }
}

impl<T: DeserializeOwned + Default + Send + 'static> FromRequest for OptionalJsonBody<T> {
    type Error = Problem;
    type Future = Reading<OptionalJsonBody<T>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            let body = match raw.trim_ascii() {
                b"" | b"{}" => JsonBody {
                    value: T::default(),
                    // One request, in whatever way it says nothing.
                    raw: Bytes::new(),
                },
                _ => JsonBody::read(&request, raw, MOST_COMMAS).await?,
            };
            Ok(OptionalJsonBody(body))
        })
    }
}

/// Finds what is wrong with a body. May be slow, but must not use much memory.
fn wrong_json<T: DeserializeOwned>(rules: Option<&OperationRules>, raw: &[u8]) -> Problem {
    if raw.iter().all(u8::is_ascii_whitespace) {
        return empty_body();
    }
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(raw) {
        return malformed_json(raw, &error);
    }
    let faults = rules.map(|rules| rules.faults(raw));
    let faults = faults.unwrap_or_default();
    if faults.is_empty() {
        return wrong_body(vec![first_refusal::<T>(raw)]);
    }
    wrong_body(faults)
}

/// Makes the answer to a body that has not the shape of the document.
pub(in crate::http) fn wrong_body(faults: Vec<Fault>) -> Problem {
    let problem = Problem::new(Code::InvalidBody, message!("json-wrong-body"));
    problem.with_faults(faults)
}

fn empty_body() -> Problem {
    Problem::new(Code::MalformedJson, message!("json-empty-body"))
}

fn malformed_json(raw: &[u8], error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = match grouped_number(raw, line, column) {
        Some((number, digits)) => message!("json-grouped-number", number, line, digits),
        None if error.is_eof() => message!("json-broken-off", line, column),
        None => message!("json-malformed", line, column),
    };
    let fault = Fault::in_body(path![], Code::MalformedJson, message.clone());
    Problem::new(Code::MalformedJson, message).with_faults(vec![fault])
}

/// Returns a number like `1.562.410.000` at which JSON parsing stopped, and its digits. The column
/// counts bytes.
fn grouped_number(raw: &[u8], line: usize, column: usize) -> Option<(String, String)> {
    let line = raw.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    let at = column.checked_sub(1)?;
    let is_part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let before = line.get(..at)?.iter().rev().take_while(is_part).count();
    let after = line.get(at..)?.iter().take_while(is_part).count();
    let number = line.get(at - before..at + after)?;
    let number = std::str::from_utf8(number).ok()?.to_owned();
    let digits = without_separators(&number)?;
    Some((number, digits))
}

/// Returns the fault of a value that its type refuses although the document allows it, such as a
/// text that is no date.
fn first_refusal<T: DeserializeOwned>(raw: &[u8]) -> Fault {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let read: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let (path, reason) = match read {
        Ok(_) => (path![], String::new()),
        Err(error) => (place_of(error.path()), error.inner().to_string()),
    };
    // The parser's own words are for programmers, and in one language only.
    let message = match repeated_field(&reason) {
        Some(field) => message!("json-field-twice", field),
        None => message!("json-value-unreadable"),
    };
    Fault::in_body(path, Code::InvalidBody, message)
}

/// The field that an object has twice, which only the parser tells.
fn repeated_field(reason: &str) -> Option<&str> {
    let (field, _) = reason.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(field)
}

fn place_of(path: &Path) -> FieldPath {
    FieldPath::of(path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(fault::Segment::Index(*index)),
        Segment::Map { key } => Some(fault::Segment::Key(key.clone())),
        Segment::Enum { variant } => Some(fault::Segment::Key(variant.clone())),
        Segment::Unknown => None,
    }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;
    use crate::http::request::limit::BodyLimit;
    use crate::http::request::limit::BodyTime;
    use crate::http::state::ServerState;
    use std::time::Duration;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Page {
        limit: Option<u32>,
    }

    fn with_limit(bytes: usize) -> TestRequest {
        let request = TestRequest::default().app_data(BodyLimit(bytes));
        let request = request.app_data(BodyTime(Duration::from_secs(1)));
        request.app_data(actix_web::web::Data::new(ServerState::new(1, 1)))
    }

    #[actix_web::test]
    async fn a_wrong_body_says_where() {
        let sent = async |body: &'static str| {
            let request = with_limit(99);
            let (request, mut payload) = request.set_payload(body).to_http_parts();
            let read = JsonBody::<Vec<Page>>::from_request(&request, &mut payload).await;
            format!("{:?}", read.map(|body| body.value))
        };
        assert_eq!(
            sent(r#"[{"limit":1}]"#).await,
            "Ok([Page { limit: Some(1) }])"
        );
        assert!(sent(" ").await.contains("MalformedJson"));
        assert!(sent("[\n1,]").await.contains("line 2, column 3"));
        let grouped = sent("[{\"limit\":\n 1.562.410.000}]").await;
        assert!(
            grouped.contains("1.562.410.000 in line 2") && grouped.contains("1562410000."),
            "{grouped}"
        );
        let wrong = sent(r#"[{"limit":1},{"limit":-1}]"#).await;
        let place = r#"place: Body(FieldPath([Index(1), Key("limit")]))"#;
        assert!(wrong.contains(place), "{wrong}");
    }
}
