//! Representations: the ways in which one answer can be written. Exact numbers as JSON numbers, or as
//! text for clients whose JSON has floats only; plain, or compressed. Each way has an ETag of its own
//! (RFC 9110, section 8.8.3.3). Knows nothing of what an answer is about, beyond the names of its
//! exact numbers.

use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZero;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::json::json_line;
use super::problem::Problem;
use super::text::EXACT;

/// Preferences of a client (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The preference of clients whose JSON has floats only.
pub(super) const NUMBERS_AS_TEXT: &str = "numbers=text";

/// The smallest body that is worth compressing, in bytes: one that fits a packet is not.
const LEAST_COMPRESSED: usize = 1024;

/// The largest body that is rewritten on the connection's thread, in bytes.
const SMALL: usize = 64 * 1024;

/// A way to write an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Representation {
    numbers: Numbers,
    coding: Coding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    AsNumbers,
    AsText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
}

impl Representation {
    /// Returns the representation that a request asks for.
    pub(super) fn wanted(request: &impl HttpMessage) -> Representation {
        Representation {
            numbers: Numbers::wanted(request.headers()),
            coding: Coding::wanted(request),
        }
    }

    /// Returns the representation that an answer of its media type can have; `None` if it is written in one
    /// way only. CSV has no numbers but as text.
    fn of_type(self, headers: &HeaderMap) -> Option<Representation> {
        if is_of_type(headers, b"application/json") {
            return Some(self);
        }
        let numbers = Numbers::AsNumbers;
        is_of_type(headers, b"text/csv").then_some(Representation { numbers, ..self })
    }

    /// Returns the tag of the answer itself, from the tag of this representation of it; `None` for
    /// the tag of another representation. Small answers are not compressed, so their tags are those
    /// of plain ones.
    pub(super) fn base(self, tag: &str) -> Option<&str> {
        let tag = match self.coding {
            Coding::Plain => tag,
            Coding::Gzip => tag.strip_suffix(GZIP_SUFFIX).unwrap_or(tag),
        };
        let (tag, is_text) = match tag.strip_suffix(TEXT_SUFFIX) {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let is_this = is_text == (self.numbers == Numbers::AsText);
        (is_this && !tag.ends_with(GZIP_SUFFIX)).then_some(tag)
    }

    /// Returns the ends that tags of this representation may have: of a compressed answer, and of one
    /// that is too small for it.
    fn suffixes(self) -> [&'static str; 2] {
        match (self.numbers, self.coding) {
            (Numbers::AsNumbers, Coding::Plain) => ["", ""],
            (Numbers::AsNumbers, Coding::Gzip) => [GZIP_SUFFIX, ""],
            (Numbers::AsText, Coding::Plain) => [TEXT_SUFFIX, TEXT_SUFFIX],
            (Numbers::AsText, Coding::Gzip) => [TEXT_AND_GZIP_SUFFIX, TEXT_SUFFIX],
        }
    }
}

/// The ends of the tags of representations.
const TEXT_SUFFIX: &str = ".text";
const GZIP_SUFFIX: &str = ".gzip";
const TEXT_AND_GZIP_SUFFIX: &str = ".text.gzip";

impl Numbers {
    fn wanted(headers: &HeaderMap) -> Numbers {
        let preferences = headers.get_all(&PREFER);
        let mut preferences = preferences
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','));
        let is_text = preferences.any(|preference| {
            let written = preference.replace([' ', '\t', '"'], "");
            written.eq_ignore_ascii_case(NUMBERS_AS_TEXT)
        });
        match is_text {
            true => Numbers::AsText,
            false => Numbers::AsNumbers,
        }
    }
}

impl Coding {
    fn wanted(request: &impl HttpMessage) -> Coding {
        let accepted = AcceptEncoding::parse(request).ok();
        let known = [Encoding::identity(), Encoding::gzip()];
        let chosen = accepted.and_then(|accepted| accepted.negotiate(known.iter()));
        match chosen {
            Some(Encoding::Known(ContentEncoding::Gzip)) => Coding::Gzip,
            _ => Coding::Plain,
        }
    }
}

/// The fields of answers that hold exact numbers, from the document.
pub struct ExactFields {
    names: BTreeSet<String>,
    /// The fields that are lists of exact numbers.
    lists: BTreeSet<String>,
    /// The fields whose own members have names that users chose, such as codes.
    maps: BTreeSet<String>,
}

impl ExactFields {
    /// Finds the fields in a document.
    pub(super) fn of(document: &Value) -> ExactFields {
        let mut exact = ExactFields {
            names: BTreeSet::new(),
            lists: BTreeSet::new(),
            maps: BTreeSet::new(),
        };
        let mut open = vec![document];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(fields) => {
                    let properties = fields.get("properties").and_then(Value::as_object);
                    for (name, schema) in properties.into_iter().flatten() {
                        exact.add(name, schema);
                    }
                    open.extend(fields.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        exact
    }

    fn add(&mut self, name: &str, schema: &Value) {
        let is_exact = |schema: &Value| schema.get("format").and_then(Value::as_str) == Some(EXACT);
        if is_exact(schema) {
            self.names.insert(name.to_owned());
        }
        if schema.get("items").is_some_and(is_exact) {
            self.lists.insert(name.to_owned());
        }
        if schema
            .get("additionalProperties")
            .is_some_and(Value::is_object)
        {
            self.maps.insert(name.to_owned());
        }
    }

    /// Writes the exact numbers of a JSON document as text.
    fn as_text(&self, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let mut document: Value = serde_json::from_slice(body)?;
        self.rewrite(&mut document);
        json_line(&document)
    }

    /// Writes the exact numbers of a JSON document, or of a part of one, as text.
    pub(super) fn rewrite(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::Number(number) if self.names.contains(name) => {
                            *field = Value::String(number.to_string());
                        }
                        Value::Array(items) if self.lists.contains(name) => {
                            items.iter_mut().for_each(|item| self.rewrite_item(item));
                        }
                        Value::Object(members) if self.maps.contains(name) => {
                            members.values_mut().for_each(|member| self.rewrite(member));
                        }
                        _ => self.rewrite(field),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item)),
            _ => {}
        }
    }

    /// Rewrites an item of a list of exact numbers. A list of that name may also have others.
    fn rewrite_item(&self, item: &mut Value) {
        match item {
            Value::Number(number) => *item = Value::String(number.to_string()),
            other => self.rewrite(other),
        }
    }
}

/// The middleware that writes an answer in the representation that its request asks for. Answers
/// that come in pieces, such as event streams, are left as they are.
///
/// # Errors
/// Those of the handler.
pub(super) async fn choose<B: MessageBody>(
    exact: web::Data<ExactFields>,
    writers: web::Data<Writers>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, Bytes>>, Error> {
    let wanted = Representation::wanted(&request);
    let (request, response) = next.call(request).await?.into_parts();
    let (mut head, body) = response.into_parts();
    if head.status() == StatusCode::NOT_MODIFIED {
        vary(head.headers_mut());
        tag_as_seen(head.headers_mut(), request.headers(), wanted);
    }
    let Some(wanted) = wanted.of_type(head.headers()) else {
        let response = head.set_body(EitherBody::left(body));
        return Ok(ServiceResponse::new(request, response));
    };
    let body = match body.try_into_bytes() {
        Ok(body) => written(body, wanted, (&exact, &writers), head.headers_mut()).await?,
        Err(body) => {
            let response = head.set_body(EitherBody::left(body));
            return Ok(ServiceResponse::new(request, response));
        }
    };
    let response = head.set_body(EitherBody::right(body));
    Ok(ServiceResponse::new(request, response))
}

fn is_of_type(headers: &HeaderMap, media_type: &[u8]) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(media_type))
}

fn vary(headers: &mut HeaderMap) {
    let varying = HeaderValue::from_static("Accept-Encoding, Prefer");
    headers.append(header::VARY, varying);
}

/// Writes a body as wanted, and says in the headers how it is written.
async fn written(
    mut body: Bytes,
    wanted: Representation,
    (exact, writers): (&web::Data<ExactFields>, &Writers),
    headers: &mut HeaderMap,
) -> Result<Bytes, Problem> {
    vary(headers);
    if wanted.numbers == Numbers::AsText {
        let exact = exact.clone();
        body = rewritten(body, writers, move |body| exact.as_text(body)).await?;
        let applied = HeaderValue::from_static(NUMBERS_AS_TEXT);
        headers.insert(PREFERENCE_APPLIED, applied);
        extend_tag(headers, TEXT_SUFFIX);
    }
    if wanted.coding == Coding::Gzip && body.len() >= LEAST_COMPRESSED {
        body = rewritten(body, writers, compressed).await?;
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        extend_tag(headers, GZIP_SUFFIX);
    }
    Ok(body)
}

/// Rewrites a body, a large one on a thread that may be busy for a while.
async fn rewritten<E: std::error::Error + Send + 'static>(
    body: Bytes,
    writers: &Writers,
    rewrite: impl FnOnce(&[u8]) -> Result<Vec<u8>, E> + Send + 'static,
) -> Result<Bytes, Problem> {
    let rewritten = match body.len() <= SMALL {
        true => rewrite(&body),
        false => {
            let writer = writers.take().await?;
            let work = move || {
                // Held until the work is done, even if the reader has gone.
                let _writer = writer;
                rewrite(&body)
            };
            web::block(work).await?
        }
    };
    rewritten.map(Bytes::from).map_err(|error| {
        tracing::error!(%error, "an answer cannot be rewritten");
        Problem::internal()
    })
}

/// Limits the large answers that are rewritten at once, to the number of processors: each takes
/// several times its size.
#[derive(Clone)]
pub struct Writers(Arc<Semaphore>);

impl Default for Writers {
    fn default() -> Writers {
        let processors = std::thread::available_parallelism();
        Writers(Arc::new(Semaphore::new(processors.map_or(2, NonZero::get))))
    }
}

impl Writers {
    async fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let writer = Arc::clone(&self.0).acquire_owned().await;
        writer.map_err(|_| Problem::internal())
    }
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Adds to the tag of an answer which representation of it this is.
fn extend_tag(headers: &mut HeaderMap, suffix: &str) {
    let extended = begun_tag(headers).map(|tag| HeaderValue::try_from(format!("{tag}{suffix}\"")));
    if let Some(Ok(extended)) = extended {
        headers.insert(header::ETAG, extended);
    }
}

/// Gives an answer that was not modified the tag of the representation that its reader has.
fn tag_as_seen(headers: &mut HeaderMap, sent: &HeaderMap, wanted: Representation) {
    let Some(tag) = begun_tag(headers) else {
        return;
    };
    let mut seen = wanted.suffixes().into_iter();
    let seen = seen.find_map(|suffix| {
        let tag = format!("{tag}{suffix}\"");
        names(sent, &tag).then_some(tag)
    });
    if let Some(Ok(seen)) = seen.map(HeaderValue::try_from) {
        headers.insert(header::ETAG, seen);
    }
}

/// Returns an answer's tag without its closing quotation mark.
fn begun_tag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(header::ETAG)?.to_str().ok()?;
    tag.strip_suffix('"').map(str::to_owned)
}

fn names(sent: &HeaderMap, tag: &str) -> bool {
    let mut lists = sent.get_all(header::IF_NONE_MATCH);
    lists.any(|list| list.to_str().is_ok_and(|list| list.contains(tag)))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    fn wanted(headers: &[(&'static str, &'static str)]) -> Representation {
        let request = TestRequest::default();
        let request = headers
            .iter()
            .fold(request, |request, header| request.append_header(*header));
        Representation::wanted(&request.to_http_request())
    }

    #[test]
    fn a_client_says_how_it_wants_an_answer() {
        let of = |numbers, coding| Representation { numbers, coding };
        let plain = of(Numbers::AsNumbers, Coding::Plain);
        assert_eq!(wanted(&[]), plain);
        for (name, value) in [
            ("accept-encoding", "br"),
            ("accept-encoding", "gzip;q=0"),
            ("accept-encoding", "identity"),
            ("prefer", "respond-async"),
            ("prefer", "numbers=float"),
        ] {
            assert_eq!(wanted(&[(name, value)]), plain, "{value}");
        }
        for value in ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5"] {
            let gzip = of(Numbers::AsNumbers, Coding::Gzip);
            assert_eq!(wanted(&[("accept-encoding", value)]), gzip, "{value}");
        }
        for value in ["numbers=text", "respond-async, Numbers = \"text\""] {
            let text = of(Numbers::AsText, Coding::Plain);
            assert_eq!(wanted(&[("prefer", value)]), text, "{value}");
        }
    }

    #[test]
    fn a_tag_is_that_of_one_representation() {
        let plain = wanted(&[]);
        let gzip = wanted(&[("accept-encoding", "gzip")]);
        let text = wanted(&[("prefer", "numbers=text")]);
        let both = wanted(&[("accept-encoding", "gzip"), ("prefer", "numbers=text")]);
        assert_eq!(plain.base("7.a"), Some("7.a"));
        assert_eq!(plain.base("7.a.gzip"), None);
        assert_eq!(plain.base("7.a.text"), None);
        // A small answer is not compressed.
        assert_eq!(
            (gzip.base("7.a"), gzip.base("7.a.gzip")),
            (Some("7.a"), Some("7.a"))
        );
        assert_eq!(gzip.base("7.a.text.gzip"), None);
        assert_eq!(
            (text.base("7.a"), text.base("7.a.text")),
            (None, Some("7.a"))
        );
        assert_eq!(both.base("7.a.text.gzip"), Some("7.a"));
        assert_eq!(both.base("7.a.gzip"), None);
        for representation in [plain, gzip, text, both] {
            for suffix in representation.suffixes() {
                assert_eq!(representation.base(&format!("7.a{suffix}")), Some("7.a"));
            }
        }
    }

    #[test]
    fn exact_numbers_alone_become_text() {
        let number = json!({"type": ["number", "null"], "format": "decimal"});
        let map = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        let count = json!({"type": "integer"});
        let document =
            json!({"properties": {"value": number, "deadlines": map, "reported": count}});
        let exact = ExactFields::of(&document);
        let body = r#"{"a":[{"value":93.640,"reported":7},{"value":null}],"value":{"value":170141183460469231731687303715884105727},"deadlines":{"value":3}}"#;
        let text = String::from_utf8(exact.as_text(body.as_bytes()).unwrap()).unwrap();
        let expected = r#"{"a":[{"reported":7,"value":"93.640"},{"value":null}],"deadlines":{"value":3},"value":{"value":"170141183460469231731687303715884105727"}}"#;
        assert_eq!(text.trim_end(), expected);
    }
}
