//! What handlers are given of a request, checked, and how they answer: the clock, who is calling,
//! conditions, keys, parameters and bodies. Never a rule of the domain.

use crate::domain::fault;
use crate::domain::fault::FieldPath;
use crate::path;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Decompress, Payload};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, Utc};
use futures_util::{TryStreamExt, stream};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_path_to_error::{Path, Segment, Track};
use sha2::{Digest, Sha256};

use super::contract::{Matched, Operation, wrong_query};
use super::problem::Problem;
use super::state::{Arriving, Occupied, ServerState};
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::quantity::without_separators;
use crate::error::{Code, Fault, Message};
use crate::message;
use crate::service::Application;
use crate::service::application::answers::Encoded;
use crate::service::application::call::Call;
use crate::service::application::condition::{Etag, Precondition};
use crate::service::application::idempotency::{Delivery, Outcome, Repeatable, Reply};
use crate::service::people::account::check_could;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest Idempotency-Key.
const LONGEST_KEY: usize = 255;

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// When the request came. Requests read the clock here and nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub DateTime<Utc>);

impl Now {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge, where requests get their time"
    )]
    fn read() -> Now {
        Now(Utc::now())
    }
}

impl FromRequest for Now {
    type Error = Problem;
    type Future = Ready<Result<Now, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Now::read()))
    }
}

/// Who is calling, from the access token.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Identity);

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Ready<Result<SignedIn, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(signed_in(request))
    }
}

fn signed_in(request: &HttpRequest) -> Result<SignedIn, Problem> {
    let application = request.app_data::<web::Data<Application>>();
    let application = application.ok_or_else(misconfigured)?;
    let token = bearer_token(request.headers()).ok_or_else(not_signed_in)?;
    let identity = application.tokens.verify(token, Now::read().0)?;
    // Whoever reads the body asks whose it is.
    if request.method() != Method::GET {
        request.extensions_mut().insert(SignedIn(identity));
    }
    Ok(SignedIn(identity))
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

fn not_signed_in() -> Problem {
    Problem::new(
        Code::NotSignedIn,
        message!(
            "Bạn chưa đăng nhập. Hãy đăng nhập rồi làm lại. Chương trình gửi Authorization: Bearer kèm mã truy cập.",
            "You are not signed in. Sign in and try again. Programs send Authorization: Bearer with an access token."
        ),
    )
}

/// The server was put together without what its handlers need.
fn misconfigured() -> Problem {
    tracing::error!("the application is not in the server's data");
    Problem::internal()
}

/// A request for a change and its body: the caller, the time, the Idempotency-Key.
#[derive(Debug)]
pub struct Called<B: Body> {
    pub call: Call,
    pub body: B::Value,
}

/// As [`Called`], with the state that the change builds on, from If-Match and If-None-Match.
#[derive(Debug)]
pub struct CalledOn<B: Body> {
    pub call: Call,
    pub body: B::Value,
}

impl<B: Body> FromRequest for Called<B> {
    type Error = Problem;
    type Future = Reading<Called<B>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<B>(request, |_| Ok(Precondition::None), payload);
        Box::pin(async move { heard.await.map(|(call, body)| Called { call, body }) })
    }
}

impl<B: Body> FromRequest for CalledOn<B> {
    type Error = Problem;
    type Future = Reading<CalledOn<B>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<B>(request, precondition, payload);
        Box::pin(async move { heard.await.map(|(call, body)| CalledOn { call, body }) })
    }
}

/// Reads what a change needs of a request: first who calls, then the other headers, then the body.
fn hear<B: Body>(
    request: &HttpRequest,
    precondition: fn(&HeaderMap) -> Result<Precondition, Problem>,
    payload: &mut Payload,
) -> Reading<(Call, B::Value)> {
    let now = Now::read().0;
    let head = signed_in(request).and_then(|SignedIn(identity)| {
        let precondition = precondition(request.headers())?;
        let call = Call::new(identity, now).on(precondition);
        let operation = matched(request).ok_or_else(misconfigured)?;
        Ok((call, repeat_key(request)?, operation))
    });
    // A body is begun only for who has come so far.
    let body = head.is_ok().then(|| B::from_request(request, payload));
    Box::pin(async move {
        let (call, key, operation) = head?;
        let body = body.ok_or_else(misconfigured)?.await?;
        let repeatable = key.repeatable(operation.id(), body.raw());
        let call = Call { repeatable, ..call };
        Ok((call, body.value()))
    })
}

fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let if_match = header_text(headers, &header::IF_MATCH)?;
    let if_none_match = header_text(headers, &header::IF_NONE_MATCH)?;
    match (if_match.as_deref(), if_none_match.as_deref()) {
        (None, None) => Ok(Precondition::None),
        (Some("*"), None) => Ok(Precondition::Present),
        (None, Some("*")) => Ok(Precondition::Absent),
        (Some(list), None) => strong_tags(list).map(Precondition::OneOf),
        (None, Some(_)) => Err(invalid_header(message!(
            "Khi thay đổi, If-None-Match chỉ nhận *. Hãy dùng If-Match kèm ETag đã đọc.",
            "For a change, If-None-Match takes only *. Use If-Match with the ETag that you read."
        ))),
        (Some(_), Some(_)) => Err(invalid_header(message!(
            "Chỉ gửi một trong hai: If-Match hoặc If-None-Match.",
            "Send either If-Match or If-None-Match, not both."
        ))),
    }
}

fn strong_tags(list: &str) -> Result<Vec<Etag>, Problem> {
    let tags = entity_tags(list)?;
    if tags.iter().any(|tag| tag.strength == Strength::Weak) {
        return Err(invalid_header(message!(
            "If-Match chỉ nhận ETag mạnh, không có W/.",
            "If-Match takes strong ETags only, without W/."
        )));
    }
    Ok(tags.into_iter().map(|tag| tag.etag).collect())
}

/// What a reader has already, from If-None-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenEtags {
    /// `*`: whatever there is.
    Any,
    /// One of these; none for a reader that has nothing.
    These(Vec<Etag>),
}

impl SeenEtags {
    /// Whether the reader has what is there now; weak tags count as well (RFC 9110, 13.1.2).
    pub fn matches(&self, current: &Etag) -> bool {
        match self {
            SeenEtags::Any => true,
            SeenEtags::These(seen) => seen.contains(current),
        }
    }
}

impl FromRequest for SeenEtags {
    type Error = Problem;
    type Future = Ready<Result<SeenEtags, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(seen_etags(request.headers()))
    }
}

fn seen_etags(headers: &HeaderMap) -> Result<SeenEtags, Problem> {
    match header_text(headers, &header::IF_NONE_MATCH)?.as_deref() {
        None => Ok(SeenEtags::These(Vec::new())),
        Some("*") => Ok(SeenEtags::Any),
        Some(list) => {
            let tags = entity_tags(list)?.into_iter();
            Ok(SeenEtags::These(tags.map(|tag| tag.etag).collect()))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

struct EntityTag {
    etag: Etag,
    strength: Strength,
}

/// Reads `"a", W/"b"`. A comma may stand inside the quotes.
fn entity_tags(list: &str) -> Result<Vec<EntityTag>, Problem> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        let (tag, after) = entity_tag(rest.trim_start()).ok_or_else(malformed_tags)?;
        tags.push(tag);
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(tags);
        }
        rest = after.strip_prefix(',').ok_or_else(malformed_tags)?;
    }
}

fn entity_tag(text: &str) -> Option<(EntityTag, &str)> {
    let (strength, quoted) = match text.strip_prefix("W/") {
        Some(quoted) => (Strength::Weak, quoted),
        None => (Strength::Strong, text),
    };
    let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
    let etag = Etag::new(tag);
    Some((EntityTag { etag, strength }, after))
}

fn malformed_tags() -> Problem {
    invalid_header(message!(
        "ETag phải ở trong dấu nháy kép, cách nhau bằng dấu phẩy, hoặc là *.",
        "ETags stand in double quotes, with commas between them, or it is *."
    ))
}

/// All lines of a header as one list (RFC 9110, section 5.3).
fn header_text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| {
            invalid_header(message!(
                "Tiêu đề {name} có ký tự không phải ASCII.",
                "The header {name} holds characters other than ASCII."
            ))
        })?;
        lines.push(line.trim());
    }
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

fn invalid_header(message: Message) -> Problem {
    Problem::new(Code::InvalidHeader, message)
}

/// The Idempotency-Key of a request, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RepeatKey {
    key: Option<String>,
    path: String,
    query: String,
}

impl RepeatKey {
    /// Tells this request from others, for the use case; none without a key. Another query makes it
    /// another request, as another body does.
    fn repeatable(self, operation: &str, body: &[u8]) -> Option<Repeatable> {
        let key = self.key?;
        let mut hash = Sha256::new();
        if !self.query.is_empty() {
            hash.update(self.query.as_bytes());
            // Neither a query nor JSON can hold it, so that no two pairs are alike.
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

fn repeat_key(request: &HttpRequest) -> Result<RepeatKey, Problem> {
    let given = header_text(request.headers(), &IDEMPOTENCY_KEY)?;
    let key = given.map(|text| unquoted_key(&text)).transpose()?;
    Ok(RepeatKey {
        key,
        path: request.match_info().as_str().to_owned(),
        query: request.query_string().to_owned(),
    })
}

/// Clients of the IETF draft send the key in quotes, most others bare.
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
        "Idempotency-Key phải có từ 1 đến {LONGEST_KEY} ký tự ASCII in được, không có dấu \" và \\.",
        "An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters, without \" and \\."
    )))
}

/// Two digits a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameters of the query. Those that the operation does not know, come twice, are missing
/// or hold a NUL were refused before.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Params<T>, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parameters(request.query_string()).map(Params))
    }
}

fn parameters<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let tracked = web::Query::<Tracked<T>>::from_query(query);
    let tracked = tracked.map_err(|_| wrong_parameter(None))?;
    let Tracked(read) = tracked.into_inner();
    read.map_err(|untaken| {
        let name = untaken.path.iter().find_map(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        });
        wrong_parameter(name)
    })
}

/// The contract says what a parameter takes; this is for what it let through all the same.
fn wrong_parameter(name: Option<&str>) -> Problem {
    let Some(name) = name else {
        let message = message!(
            "Có tham số không đúng dạng; xem các tham số ở /docs.",
            "The parameters cannot be read; see those that are taken at /docs."
        );
        return Problem::new(Code::InvalidParameter, message);
    };
    let message = message!(
        "Tham số {name} không đúng dạng; xem các giá trị được nhận ở /docs.",
        "The parameter {name} cannot be read; see the values that it takes at /docs."
    );
    let fault = Fault::in_parameter(name, Code::InvalidParameter, message);
    wrong_query(Code::InvalidParameter, vec![fault])
}

/// A value, or where it could not be read: the decoder of queries does not say where.
struct Tracked<T>(Result<T, Untaken>);

struct Untaken {
    path: Path,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tracked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tracked<T>, D::Error> {
        let mut track = Track::new();
        let tracking = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        let read = T::deserialize(tracking);
        Ok(Tracked(read.map_err(|_| Untaken { path: track.path() })))
    }
}

/// The largest body that the server reads, in bytes; in the server's data.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

impl BodyLimit {
    /// The limit for one operation, by its id: the reform of a country comes as one document, and
    /// the fields of whoever is not known yet are short.
    pub(super) fn of_operation(self, id: &str) -> BodyLimit {
        let BodyLimit(usual) = self;
        BodyLimit(match id {
            "create_reorganisation" => usual.max(LARGE_BODY_LIMIT),
            "issue_token" => usual.min(LARGEST_FORM),
            _ => usual,
        })
    }
}

/// How long the server waits for the whole of a body; in the server's data. Who keeps a connection
/// by sending a byte now and then would keep it for ever.
#[derive(Debug, Clone, Copy)]
pub struct BodyTime(pub Duration);

/// A body of a request for a change.
pub trait Body: FromRequest<Error = Problem, Future = Reading<Self>> + 'static {
    /// The content of the body.
    type Value: std::fmt::Debug + 'static;

    /// The bytes of the body as they came, which tell a request from another with its key.
    fn raw(&self) -> &[u8];

    fn value(self) -> Self::Value;
}

/// A JSON body, and its bytes as they came.
#[derive(Debug, Clone)]
pub struct JsonBody<T> {
    value: T,
    raw: Bytes,
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

/// The most commas of a body: what is read of a list takes many times the room of its text.
const MOST_COMMAS: usize = 100_000;

/// A body of so many bytes is read where it came in; a larger one on a thread that may take long.
const SMALL_BODY: usize = 16 * 1024;

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
        let operation = matched(request);
        super::blocking(move || {
            check_commas(&raw, most_commas)?;
            match serde_json::from_slice(&raw) {
                Ok(value) => Ok(JsonBody { value, raw }),
                Err(_) => Err(wrong_json::<T>(operation.as_deref(), &raw)),
            }
        })
        .await
    }
}

fn matched(request: &HttpRequest) -> Option<Arc<Operation>> {
    let extensions = request.extensions();
    let matched = extensions.get::<Matched>();
    matched.map(|Matched(operation)| Arc::clone(operation))
}

fn check_commas(raw: &[u8], most: usize) -> Result<(), Problem> {
    let commas = raw.iter().filter(|byte| **byte == b',');
    if commas.count() <= most {
        return Ok(());
    }
    Err(Problem::new(
        Code::BodyTooLarge,
        message!(
            "Nội dung có quá nhiều phần tử: nhiều nhất {most}. Hãy chia thành nhiều lần gửi.",
            "The body has too many elements: at most {most}. Send it in parts."
        ),
    ))
}

/// Enough for the reform of a whole country in one document.
const LARGE_BODY_LIMIT: usize = 16 * 1024 * 1024;
const MOST_COMMAS_OF_LARGE: usize = 500_000;

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

/// Finds out what is wrong with a body; here time does not matter, memory does.
fn wrong_json<T: DeserializeOwned>(operation: Option<&Operation>, raw: &[u8]) -> Problem {
    if raw.iter().all(u8::is_ascii_whitespace) {
        return empty_body();
    }
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(raw) {
        return malformed_json(raw, &error);
    }
    let faults = operation.map(|operation| operation.faults(raw));
    let faults = faults.unwrap_or_default();
    if faults.is_empty() {
        return wrong_body(vec![first_refusal::<T>(raw)]);
    }
    wrong_body(faults)
}

fn wrong_body(faults: Vec<Fault>) -> Problem {
    let problem = Problem::new(
        Code::InvalidBody,
        message!(
            "Nội dung không đúng như mô tả của API. Xem từng lỗi trong errors.",
            "The body is not as the API describes it. See each fault in errors."
        ),
    );
    problem.with_faults(faults)
}

fn empty_body() -> Problem {
    Problem::new(
        Code::MalformedJson,
        message!(
            "Yêu cầu phải có nội dung JSON.",
            "The request needs a JSON body."
        ),
    )
}

fn malformed_json(raw: &[u8], error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = match grouped_number(raw, line, column) {
        Some((number, digits)) => message!(
            "Số {number} ở dòng {line} có dấu ngăn cách hàng nghìn. Hãy viết liền: {digits}.",
            "The number {number} in line {line} has thousands separators. Write it without: {digits}."
        ),
        None => {
            let reason = reason_alone(error);
            message!(
                "Nội dung không phải JSON đúng ở dòng {line}, cột {column}.",
                "The body is not valid JSON: line {line}, column {column}: {reason}."
            )
        }
    };
    let fault = Fault::in_body(path![], Code::MalformedJson, message.clone());
    Problem::new(Code::MalformedJson, message).with_faults(vec![fault])
}

/// A number like `1.562.410.000` where JSON broke off, and its digits. The column counts bytes.
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

/// What a type refuses although the document allows it, such as a text that is no date.
fn first_refusal<T: DeserializeOwned>(raw: &[u8]) -> Fault {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let read: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let (path, reason) = match read {
        Ok(_) => (path![], "?".to_owned()),
        Err(error) => (place_of(error.path()), reason_alone(error.inner())),
    };
    // What was expected is the name of a type of this program.
    let reason = match reason.split_once(", expected ") {
        Some((found, _)) if found.starts_with("invalid ") => found,
        _ => &reason,
    };
    let message = message!(
        "Giá trị không đúng dạng; xem mô tả ở /docs.",
        "The value cannot be read: {reason}."
    );
    Fault::in_body(path, Code::InvalidBody, message)
}

/// A pointer says where already.
fn reason_alone(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map(|(reason, _)| reason);
    reason.unwrap_or(&text).to_owned()
}

fn place_of(path: &Path) -> FieldPath {
    FieldPath::of(path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(fault::Segment::Index(*index)),
        Segment::Map { key } => Some(fault::Segment::Key(key.clone())),
        Segment::Enum { variant } => Some(fault::Segment::Key(variant.clone())),
        Segment::Unknown => None,
    }))
}

/// The fields of a form as browsers and OAuth clients send them (`a=b&c=d`).
#[derive(Debug, Clone)]
pub struct FormBody<T> {
    /// What it says.
    pub value: T,
}

/// Fields are short, and come from whoever is not known yet.
const LARGEST_FORM: usize = 16 * 1024;

impl<T: DeserializeOwned + 'static> FromRequest for FormBody<T> {
    type Error = Problem;
    type Future = Reading<FormBody<T>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            let text = std::str::from_utf8(&raw).unwrap_or_default();
            let read = web::Query::<T>::from_query(text);
            let value = read
                .map_err(|error| wrong_form(&error.to_string()))?
                .into_inner();
            Ok(FormBody { value })
        })
    }
}

fn wrong_form(reason: &str) -> Problem {
    let message = message!(
        "Các trường gửi lên không đúng dạng.",
        "The fields cannot be read: {reason}."
    );
    wrong_body(vec![Fault::in_body(path![], Code::InvalidBody, message)])
}

/// No body, or the empty object that some clients send for it.
#[derive(Debug, Clone, Copy)]
pub struct NoBody;

impl Body for NoBody {
    type Value = NoBody;

    /// Empty, however the client has sent it.
    fn raw(&self) -> &[u8] {
        b""
    }

    fn value(self) -> NoBody {
        self
    }
}

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Reading<NoBody>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_body(&request, payload, body_limit(&request)?).await?;
            match raw.trim_ascii() {
                b"" | b"{}" => Ok(NoBody),
                _ => Err(unexpected_body()),
            }
        })
    }
}

fn unexpected_body() -> Problem {
    Problem::new(
        Code::InvalidBody,
        message!(
            "Yêu cầu này không có nội dung. Hãy bỏ phần nội dung đi.",
            "This request takes no body. Leave it out."
        ),
    )
}

/// A body of text, such as CSV, and its bytes as they came.
#[derive(Debug, Clone)]
pub struct TextBody {
    /// The text, without a byte order mark: spreadsheets write one.
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

/// The most lines of a table: more than there are units in a country.
const MOST_LINES: usize = 100_000;

fn check_lines(raw: &[u8]) -> Result<(), Problem> {
    let breaks = raw.iter().filter(|byte| **byte == b'\n');
    if breaks.count() <= MOST_LINES {
        return Ok(());
    }
    Err(Problem::new(
        Code::BodyTooLarge,
        message!(
            "Tệp có quá nhiều dòng: nhiều nhất {MOST_LINES}. Hãy chia tệp thành nhiều phần.",
            "The file has too many lines: at most {MOST_LINES}. Send it in parts."
        ),
    ))
}

fn not_utf8(raw: &[u8], error: std::str::Utf8Error) -> Problem {
    let before = raw.get(..error.valid_up_to()).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Problem::new(
        Code::MalformedCsv,
        message!(
            "Tệp không phải UTF-8 (dòng {line}). Hãy lưu lại dạng CSV UTF-8.",
            "The file is not UTF-8 (line {line}). Save it again as CSV UTF-8."
        ),
    )
}

/// The limit for the body of a request.
fn body_limit(request: &HttpRequest) -> Result<BodyLimit, Problem> {
    let usual = request.app_data::<BodyLimit>().copied();
    let usual = usual.ok_or_else(misconfigured)?;
    let operation = matched(request);
    Ok(operation.map_or(usual, |operation| usual.of_operation(operation.id())))
}

/// Refuses a body by what its request's headers say of it.
///
/// # Errors
/// A packing that is not taken, and an announced length above the limit.
pub(super) fn check_head(headers: &HeaderMap, limit: BodyLimit) -> Result<(), Problem> {
    coding(headers)?;
    check_length(headers, limit)
}

async fn read_text_body(
    request: &HttpRequest,
    payload: Payload,
    limit: BodyLimit,
) -> Result<Bytes, Problem> {
    check_charset(request)?;
    read_body(request, payload, limit).await
}

fn check_charset(request: &HttpRequest) -> Result<(), Problem> {
    let media_type = request.mime_type().ok().flatten();
    let charset = media_type
        .as_ref()
        .and_then(|media| media.get_param("charset"));
    if charset.is_none_or(|charset| charset == "utf-8") {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnsupportedMediaType,
        message!(
            "Nội dung phải ở bảng mã utf-8.",
            "The body's charset must be utf-8."
        ),
    ))
}

/// Reads a body up to the limit, of somebody who may do what it is for. As long as it is on its way
/// the request is not worked on, and its place is another's.
async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    limit: BodyLimit,
) -> Result<Bytes, Problem> {
    let state = request.app_data::<web::Data<ServerState>>();
    let state = state.ok_or_else(misconfigured)?;
    let coding = coding(request.headers())?;
    check_length(request.headers(), limit)?;
    check_grant(request).await?;
    drop(request.extensions_mut().remove::<Occupied>());
    let sender = request.extensions().get::<SignedIn>().cloned();
    let room = state.expect_body(sender.as_ref().map(|SignedIn(identity)| identity));
    let body = await_body(request, unpacked(payload, coding, request), limit, room).await?;
    let place = state
        .admit(request.path())
        .ok_or_else(Problem::of_overload)?;
    request.extensions_mut().insert(place);
    Ok(body)
}

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
}

fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let named = header_text(headers, &header::CONTENT_ENCODING)?;
    match named.map(|name| name.to_ascii_lowercase()).as_deref() {
        None | Some("identity" | "") => Ok(Coding::Plain),
        Some("gzip" | "x-gzip") => Ok(Coding::Gzip),
        Some(_) => Err(Problem::new(
            Code::UnsupportedMediaType,
            message!(
                "Content-Encoding chỉ nhận gzip, hoặc không nén.",
                "The only Content-Encoding is gzip, or send the body as it is."
            ),
        )
        .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))),
    }
}

/// The length that a body is announced with.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// A body that says itself that it is too large need not come.
fn check_length(headers: &HeaderMap, limit: BodyLimit) -> Result<(), Problem> {
    let most = u64::try_from(limit.0).unwrap_or(u64::MAX);
    match announced(headers) {
        Some(length) if length > most => Err(body_too_large(limit)),
        _ => Ok(()),
    }
}

/// Refuses whoever could do nowhere what the body is for, before it is read. Where that would cost
/// more than the body, as with most submissions, the use case refuses.
async fn check_grant(request: &HttpRequest) -> Result<(), Problem> {
    let Some(action) = matched(request).and_then(|operation| changing(operation.id())) else {
        return Ok(());
    };
    let is_usual = matches!(
        action,
        Action::ChangeSubmissions | Action::DecideSubmissions
    );
    if is_usual && is_small(request.headers()) {
        return Ok(());
    }
    let application = request.app_data::<web::Data<Application>>().cloned();
    let sender = request.extensions().get::<SignedIn>().cloned();
    let (Some(application), Some(SignedIn(identity))) = (application, sender) else {
        return Ok(());
    };
    super::blocking(move || check_could(&application, &identity, action)).await
}

fn is_small(headers: &HeaderMap) -> bool {
    let most = u64::try_from(SMALL_BODY).unwrap_or(u64::MAX);
    let is_plain = !headers.contains_key(header::CONTENT_ENCODING);
    is_plain && announced(headers).is_some_and(|length| length <= most)
}

/// The action of an operation with a body, by the operation's id.
fn changing(operation: &str) -> Option<Action> {
    match operation {
        "put_level" => Some(Action::ChangeLevels),
        "create_unit" | "import_units" => Some(Action::CreateUnits),
        "create_reorganisation" => Some(Action::Reorganise),
        "put_indicator" | "put_form" => Some(Action::ChangeCatalogue),
        "put_submission" => Some(Action::ChangeSubmissions),
        "return_submission" => Some(Action::DecideSubmissions),
        "put_target" => Some(Action::SetTargets),
        _ => None,
    }
}

/// A packed byte may come to a thousand. What arrived is unpacked in pieces of so many bytes, so that
/// the limit is met before much more than it is in memory.
const PIECE: usize = 1024;

fn in_pieces(payload: Payload) -> Payload {
    let pieces = payload.map_ok(|mut rest| {
        let next = move || {
            let piece = rest.split_to(rest.len().min(PIECE));
            (!piece.is_empty()).then_some(Ok(piece))
        };
        stream::iter(std::iter::from_fn(next))
    });
    Payload::Stream {
        payload: Box::pin(pieces.try_flatten()),
    }
}

fn unpacked(payload: Payload, coding: Coding, request: &HttpRequest) -> Payload {
    match coding {
        Coding::Plain => payload,
        Coding::Gzip => Payload::Stream {
            payload: Box::pin(Decompress::from_headers(
                in_pieces(payload),
                request.headers(),
            )),
        },
    }
}

/// The limit holds for what comes out of a compressed body.
async fn await_body(
    request: &HttpRequest,
    payload: Payload,
    limit: BodyLimit,
    room: Arriving,
) -> Result<Bytes, Problem> {
    let BodyTime(time) = *request.app_data().ok_or_else(misconfigured)?;
    match tokio::time::timeout(time, collect(payload, limit, room)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::of_slow_body()),
    }
}

/// Takes room for what has arrived, and for nothing that is only announced.
async fn collect(
    mut payload: Payload,
    limit: BodyLimit,
    mut room: Arriving,
) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.try_next().await.map_err(|_| unreadable_body())? {
        if body.len().saturating_add(piece.len()) > limit.0 {
            return Err(body_too_large(limit));
        }
        if !room.take(piece.len()) {
            return Err(Problem::of_overload());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn unreadable_body() -> Problem {
    Problem::new(
        Code::MalformedRequest,
        message!(
            "Nội dung gửi lên bị ngắt giữa chừng hoặc nén sai.",
            "The body broke off, or is not compressed as its header says."
        ),
    )
}

fn body_too_large(BodyLimit(limit): BodyLimit) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        message!(
            "Nội dung gửi lên quá lớn: nhiều nhất {limit} byte. Hãy rút gọn phần thuyết minh, hoặc chia tệp thành nhiều phần.",
            "The body is too large: at most {limit} bytes. Shorten its prose, or send a file in parts."
        ),
    )
}

/// Runs a use case that changes something, and answers.
///
/// # Errors
/// Those of the use case.
pub async fn change<T, E>(
    application: web::Data<Application>,
    call: Call,
    entered: T,
    use_case: impl FnOnce(&Application, &Call, &T) -> Result<Reply, E> + Send + 'static,
) -> Result<HttpResponse, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let done = super::blocking(move || use_case(&application, &call, &entered));
    Ok(reply(done.await?))
}

/// The answer of a use case that changes something.
pub fn reply(reply: Reply) -> HttpResponse {
    let mut response = match reply.outcome {
        Outcome::Created(path) => {
            let mut response = HttpResponse::Created();
            response.insert_header((header::LOCATION, path));
            response
        }
        Outcome::Done => HttpResponse::Ok(),
    };
    if let Some(etag) = &reply.etag {
        response.insert_header((header::ETAG, quoted(etag)));
    }
    if reply.delivery == Delivery::Replayed {
        response.insert_header((IDEMPOTENCY_REPLAYED, "true"));
    }
    // Kept without the newline, under keys of earlier versions too.
    let mut body = reply.body;
    body.push('\n');
    response
        .content_type(header::ContentType::json())
        .body(body)
}

/// A JSON document as it is sent. It ends with a newline, so that answers which a shell prints one
/// after another do not run together.
pub(super) fn json_line<T: Serialize>(body: &T) -> Result<Vec<u8>, Problem> {
    let mut text = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::internal()
    })?;
    text.push(b'\n');
    Ok(text)
}

/// An answer with a JSON document.
pub(super) fn with_json<T: Serialize>(
    response: &mut HttpResponseBuilder,
    body: &T,
) -> HttpResponse {
    match json_line(body) {
        Ok(text) => response
            .content_type(header::ContentType::json())
            .body(text),
        Err(problem) => HttpResponse::from_error(problem),
    }
}

/// What there is to read, or 304 for a reader that has it.
pub fn tagged<T: Serialize>(etag: &Etag, seen: &SeenEtags, body: &T) -> HttpResponse {
    unless_seen(etag, seen, |mut response| with_json(&mut response, body))
}

/// As [`tagged`], of what is encoded already.
pub(super) fn encoded(encoded: &Encoded, seen: &SeenEtags) -> HttpResponse {
    unless_seen(&encoded.etag, seen, |mut response| {
        response
            .content_type(header::ContentType::json())
            .body(encoded.body.clone())
    })
}

/// As [`tagged`], with a body that `write` makes only where it is needed.
pub(super) fn unless_seen(
    etag: &Etag,
    seen: &SeenEtags,
    write: impl FnOnce(HttpResponseBuilder) -> HttpResponse,
) -> HttpResponse {
    let is_seen = seen.matches(etag);
    let mut response = if is_seen {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, quoted(etag)))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if is_seen {
        response.finish()
    } else {
        write(response)
    }
}

/// What there is to read, without a tag.
pub fn json<T: Serialize>(body: &T) -> HttpResponse {
    with_json(&mut HttpResponse::Ok(), body)
}

fn quoted(etag: &Etag) -> String {
    format!("\"{}\"", etag.as_str())
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
    fn a_change_says_on_what_it_builds() {
        let read = |headers| {
            let precondition = precondition(request(headers).headers());
            precondition.map_err(|problem| problem.to_string())
        };
        let one_of = |tags: &[&str]| Ok(Precondition::OneOf(tags.iter().map(Etag::new).collect()));
        assert_eq!(read(&[]), Ok(Precondition::None));
        assert_eq!(read(&[("if-match", "*")]), Ok(Precondition::Present));
        assert_eq!(read(&[("if-none-match", "*")]), Ok(Precondition::Absent));
        assert_eq!(
            read(&[("if-match", "\"a,b\" ,\"c\"")]),
            one_of(&["a,b", "c"])
        );
        let two_lines: &[_] = &[("if-match", "\"a\""), ("if-match", "\"b\"")];
        assert_eq!(read(two_lines), one_of(&["a", "b"]));

        let both: &[_] = &[("if-match", "*"), ("if-none-match", "*")];
        for refused in [
            both,
            &[("if-match", "W/\"a\"")],
            &[("if-match", "a")],
            &[("if-match", "\"a\",")],
            &[("if-match", "\"a")],
            &[("if-match", "")],
            &[("if-none-match", "\"a\"")],
        ] {
            let complaint = read(refused).unwrap_err();
            assert!(complaint.starts_with("INVALID_HEADER"), "{refused:?}");
        }
    }

    #[test]
    fn a_reader_with_the_current_tag_has_seen_it() {
        let seen = |list| seen_etags(request(&[("if-none-match", list)]).headers()).unwrap();
        let current = Etag::new("7");
        assert!(seen("*").matches(&current));
        assert!(seen("\"6\", W/\"7\"").matches(&current));
        assert!(!seen("\"6\"").matches(&current));
        assert!(
            !seen_etags(request(&[]).headers())
                .unwrap()
                .matches(&current)
        );
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

    #[test]
    fn only_a_bearer_token_is_one() {
        let token = |value| {
            let request = request(&[("authorization", value)]);
            bearer_token(request.headers()).map(str::to_owned)
        };
        assert_eq!(token("Bearer a.b.c"), Some("a.b.c".to_owned()));
        assert_eq!(token("bearer a.b.c"), Some("a.b.c".to_owned()));
        assert_eq!(token("Basic a"), None);
        assert_eq!(token("Bearer"), None);
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Page {
        limit: Option<u32>,
    }

    #[test]
    fn a_parameter_that_cannot_be_read_is_named() {
        let read = |query| parameters::<Page>(query).map_err(|problem| problem.to_string());
        assert_eq!(read("limit=3"), Ok(Page { limit: Some(3) }));
        let complaint = "INVALID_PARAMETER: The parameter limit cannot be read; \
                         see the values that it takes at /docs.";
        assert_eq!(read("limit=x"), Err(complaint.to_owned()));
    }

    fn with_limit(bytes: usize) -> TestRequest {
        let request = TestRequest::default().app_data(BodyLimit(bytes));
        let request = request.app_data(BodyTime(Duration::from_secs(1)));
        request.app_data(web::Data::new(ServerState::new(1, 1)))
    }

    #[test]
    fn every_operation_with_a_body_says_what_it_does() {
        let document = serde_json::to_value(super::super::openapi::document()).unwrap();
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|item| item.as_object().unwrap().values());
        let with_body = operations.filter(|operation| operation.get("requestBody").is_some());
        for operation in with_body {
            let id = operation["operationId"].as_str().unwrap();
            assert!(changing(id).is_some() || id == "issue_token", "{id}");
        }
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
