//! The Idempotency-Key of a request.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use sha2::{Digest, Sha256};
use utoipa::openapi::path::Parameter;

use crate::http::problem::Problem;
use crate::http::request::header::{header_text, invalid_header, patterned_parameter};
use crate::message;
use crate::service::application::idempotency::Repeatable;

/// The header that makes a request for a change repeatable.
pub(in crate::http) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest Idempotency-Key, in bytes.
const LONGEST_KEY: usize = 255;

/// The Idempotency-Key of a request, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepeatKey {
    key: Option<String>,
    path: String,
    query: String,
}

impl RepeatKey {
    /// Returns what identifies a repetition of this request; `None` without a key. A different query
    /// or body makes a different request.
    pub(super) fn repeatable(self, operation: &str, body: &[u8]) -> Option<Repeatable> {
        let key = self.key?;
        let mut hash = Sha256::new();
        if !self.query.is_empty() {
            hash.update(self.query.as_bytes());
            // A separator that neither a query nor JSON can contain, so that different pairs never
            // hash alike.
            hash.update([0]);
        }
        hash.update(body);
        let body_hash = hash.finalize().into();
        Some(Repeatable {
            operation: operation.to_owned(),
            path: self.path,
            key,
            body_hash,
        })
    }
}

pub(super) fn repeat_key(request: &HttpRequest) -> Result<RepeatKey, Problem> {
    let given = header_text(request.headers(), &IDEMPOTENCY_KEY)?;
    let key = given.map(|text| unquoted_key(&text)).transpose()?;
    Ok(RepeatKey {
        key,
        path: request.match_info().as_str().to_owned(),
        query: request.query_string().to_owned(),
    })
}

pub(super) fn key_parameter() -> Parameter {
    patterned_parameter(
        "Idempotency-Key",
        "Such as a new UUID. Sent again with the same key and body within seven days, the request has the effect of one",
        r#"^("[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]([ !#-\[\]-~]{0,253}[!#-\[\]-~])?)$"#,
    )
}

/// Accepts a key in quotes, as the IETF draft has it, or bare, as most clients send it.
fn unquoted_key(text: &str) -> Result<String, Problem> {
    let quoted = text.strip_prefix('"');
    let quoted = quoted.and_then(|text| text.strip_suffix('"'));
    let key = quoted.unwrap_or(text);
    let is_printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let is_plain = !key.contains(['"', '\\']);
    if is_printable && is_plain && (1..=LONGEST_KEY).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    Err(invalid_header(message!(
        "idempotency-unquoted-key",
        longest_key = LONGEST_KEY
    )))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        let request = TestRequest::with_uri("/v1/things/a?dry_run=true");
        let request = headers
            .iter()
            .fold(request, |request, header| request.append_header(*header));
        request.to_http_request()
    }

    #[test]
    fn a_key_may_be_quoted_and_covers_the_query() {
        let key = |text| repeat_key(&request(&[("idempotency-key", text)]));
        let repeatable = |text| key(text).unwrap().repeatable("put_thing", b"{}").unwrap();
        assert_eq!(repeatable("a b"), repeatable("\"a b\""));
        assert_eq!(repeatable("k").path, "/v1/things/a");
        for refused in ["", "\"\"", "a\"b", "a\\b"] {
            assert!(key(refused).is_err(), "{refused}");
        }

        let bare = TestRequest::with_uri("/v1/things/a").insert_header(("idempotency-key", "k"));
        let bare = repeat_key(&bare.to_http_request()).unwrap();
        let bare = bare.repeatable("put_thing", b"{}").unwrap();
        assert_ne!(bare.body_hash, repeatable("k").body_hash);
        let none = repeat_key(&request(&[])).unwrap();
        assert_eq!(none.repeatable("put_thing", b"{}"), None);
    }
}
