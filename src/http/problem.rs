//! Error answers: problem documents (RFC 9457) in the caller's language, and the mapping from a kind
//! of failure to a status. `reception` turns every failure into one.
//!
//! Contains no rule. Use cases decide what is wrong and provide the sentence.

use crate::domain::fault::FieldPath;
use crate::pointer::pointer_to;
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptLanguage, Header, HeaderMap, HeaderName, HeaderValue, LanguageTag, Preference,
    Quality, QualityItem,
};
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use itertools::Itertools;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::{Uuid, uuid};

use super::browser::{Page, secure};
use super::json::json_line;
use crate::error::{
    Code, Explain, Explanation, Fault, FaultPlace, Kind, Language, MOST_FAULTS, Message, shortened,
};
use crate::message;
use crate::service::application::throttle::TooManyFailures;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request whose problem is an example.
const EXAMPLE_ID: Uuid = uuid!("0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11");

/// Headers that an error keeps because they say more than its status.
const TELLING_HEADERS: [HeaderName; 3] =
    [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];

/// The longest Retry-After, in seconds.
const LONGEST_WAIT: u16 = 5;

/// Returns a Retry-After of 1 to 5 seconds, different for each caller in turn: callers refused
/// together would otherwise return together.
pub fn retry_after() -> HeaderValue {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from(1 + turn % LONGEST_WAIT)
}

/// Makes the answer to whoever has failed too often.
pub(super) fn too_many_failures(too_many: TooManyFailures) -> Problem {
    let seconds = HeaderValue::from(too_many.seconds());
    Problem::from(too_many).with_header(header::RETRY_AFTER, seconds)
}

/// An error answer.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    message: Message,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Makes a problem with a message and no single faults.
    pub fn new(code: Code, message: Message) -> Problem {
        Problem {
            code,
            message,
            faults: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds the single faults, at most [`MOST_FAULTS`].
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Problem {
        self.faults = faults;
        // The message gives their full number.
        self.faults.truncate(MOST_FAULTS);
        self
    }

    /// Moves the faults of an item of a body to the whole body, in which the item is at `path`.
    pub(super) fn of_item(self, path: &FieldPath) -> Problem {
        let faults = self.faults.into_iter();
        Problem {
            faults: faults.map(|fault| fault.of_item(path)).collect(),
            ..self
        }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    /// Adds a header such as `Allow`.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// The problem of a path that no route matches.
    pub fn route_not_found() -> Problem {
        Problem::of_status(StatusCode::NOT_FOUND)
    }

    /// The problem of a failure inside the server; the log has the cause.
    pub fn internal() -> Problem {
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The problem of a body that does not arrive in time.
    pub fn of_slow_body() -> Problem {
        Problem::of_status(StatusCode::REQUEST_TIMEOUT)
    }

    /// The problem of a request refused because too many are in progress.
    pub fn of_overload() -> Problem {
        let code = Code::Overloaded;
        Problem::new(code, sentence(code))
    }

    /// The problem of a failure known only by its status, as the framework reports it.
    fn of_status(status: StatusCode) -> Problem {
        let code = code_of_status(status);
        Problem::new(code, sentence(code))
    }

    /// The body that a caller of English gets, as the document shows it.
    pub(super) fn example(&self) -> Option<Value> {
        let caller = Recipient {
            request_id: EXAMPLE_ID,
            language: Language::English,
            dialect: Dialect::Plain,
        };
        serde_json::to_value(ProblemBody::new(self, &caller)).ok()
    }

    /// The answer to a request that no middleware has seen.
    pub(super) fn answer_at_once(&self, request: &impl HttpMessage) -> HttpResponse {
        self.answer(&Recipient::of(request))
    }

    pub(super) fn answer(&self, caller: &Recipient) -> HttpResponse {
        let kind = self.code.kind();
        let mut response = HttpResponse::build(status(kind));
        response
            .content_type("application/problem+json")
            .insert_header((header::CONTENT_LANGUAGE, caller.language_tag()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((REQUEST_ID, caller.request_id.to_string()));
        if kind == Kind::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, challenge(self.code)));
        }
        if kind == Kind::Unavailable || self.code == Code::RequestInFlight {
            response.insert_header((header::RETRY_AFTER, retry_after()));
        }
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        let mut answer = match json_line(&ProblemBody::new(self, caller)) {
            Ok(text) => response.body(text),
            Err(error) => {
                tracing::error!(%error, "a problem cannot be written as JSON");
                response.finish()
            }
        };
        // Here too, for answers that pass no middleware.
        secure(Page::Data, answer.headers_mut());
        answer
    }
}

/// Logs failures here and nowhere else. Only those that an operator must look into are above debug
/// level.
impl<E: Explain> From<E> for Problem {
    fn from(error: E) -> Problem {
        let Explanation {
            code,
            message,
            faults,
        } = error.explain();
        match code.kind() {
            Kind::Internal => tracing::error!(code = code.as_str(), error = chain(&error)),
            Kind::Unavailable => tracing::warn!(code = code.as_str(), error = chain(&error)),
            _ => tracing::debug!(code = code.as_str(), error = chain(&error)),
        }
        Problem::new(code, message).with_faults(faults)
    }
}

/// A task that did not finish: it panicked, or the server is stopping.
impl From<actix_web::error::BlockingError> for Problem {
    fn from(error: actix_web::error::BlockingError) -> Problem {
        tracing::error!(error = chain(&error));
        Problem::internal()
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).join(": ")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message.en)
    }
}

/// The middleware writes the body, because only it knows the caller's language and the request's
/// id.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.code.kind())
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// Maps a kind of failure to its status.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::SignInFailed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::ConditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Says how to sign in (RFC 6750, section 3): an error only if a token was sent.
fn challenge(code: Code) -> &'static str {
    match code {
        Code::InvalidToken => "Bearer error=\"invalid_token\"",
        Code::InvalidClient => "Basic realm=\"tonghop\"",
        _ => "Bearer",
    }
}

fn code_of_status(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::NotSignedIn,
        StatusCode::FORBIDDEN => Code::NotAllowed,
        StatusCode::NOT_FOUND => Code::RouteNotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::REQUEST_TIMEOUT => Code::BodyTooSlow,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        status if status.is_server_error() => Code::Internal,
        _ => Code::MalformedRequest,
    }
}

/// Returns the sentence of a failure known only by its status.
fn sentence(code: Code) -> Message {
    match code {
        Code::NotSignedIn => message!("problem-not-signed-in"),
        Code::NotAllowed => message!("problem-not-allowed"),
        Code::RouteNotFound => message!("problem-route-not-found"),
        Code::MethodNotAllowed => message!("problem-method-not-allowed"),
        Code::BodyTooLarge => message!("problem-body-too-large"),
        Code::BodyTooSlow => message!("problem-too-slow"),
        Code::Overloaded => message!("problem-overloaded"),
        Code::UnsupportedMediaType => message!("problem-unsupported-media-type"),
        Code::Unavailable => message!("problem-unavailable"),
        Code::Internal => message!("problem-internal"),
        _ => message!("problem-malformed"),
    }
}

fn title(kind: Kind) -> Message {
    match kind {
        Kind::Malformed => message!("kind-malformed"),
        Kind::SignInFailed => message!("kind-sign-in-failed"),
        Kind::Unauthenticated => message!("kind-unauthenticated"),
        Kind::Forbidden => message!("kind-forbidden"),
        Kind::NotFound => message!("kind-not-found"),
        Kind::MethodNotAllowed => message!("kind-method-not-allowed"),
        Kind::Conflict => message!("kind-conflict"),
        Kind::TooLarge => message!("kind-too-large"),
        Kind::UnsupportedMediaType => {
            message!("kind-unsupported-media-type")
        }
        Kind::Invalid => message!("kind-invalid"),
        Kind::Stale => message!("kind-stale"),
        Kind::ConditionRequired => message!("kind-condition-required"),
        Kind::TooSlow => message!("kind-too-slow"),
        Kind::TooManyRequests => message!("kind-too-many-requests"),
        Kind::Internal => message!("kind-internal"),
        Kind::Unavailable => message!("kind-unavailable"),
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let codes = Code::ALL.iter().map(|code| code.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(codes))
            .description(Some(
                "A stable code, on which programs may rely: it keeps its meaning for ever.",
            ))
            .into()
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "ProblemCode".into()
    }
}

/// A problem document (RFC 9457): the body of every 4xx and 5xx.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// `urn:tonghop:problem:` and the code in lower case.
    #[serde(rename = "type")]
    #[schema(example = "urn:tonghop:problem:unit-not-found")]
    problem_type: String,
    /// The kind of failure, in a few words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The fault and what to do next, in the language of Accept-Language.
    detail: String,
    /// A stable code, on which programs may rely.
    #[schema(example = "UNIT_NOT_FOUND")]
    code: Code,
    /// Every single fault; empty if there is no more to say.
    errors: Vec<FaultBody>,
    /// The request's id, also in X-Request-Id and in the server's log.
    request_id: String,
    /// Of a failed sign-in only: the failure in the words of OAuth (RFC 6749, section 5.2), such as
    /// `invalid_grant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'static str>,
    /// Beside `error`: the same in English, in the letters that the RFC allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_description: Option<String>,
}

/// A failed sign-in in the words of OAuth (RFC 6749, section 5.2).
struct OauthError {
    error: &'static str,
    description: String,
}

impl OauthError {
    fn new(problem: &Problem) -> Option<OauthError> {
        let error = match (problem.code, problem.status_code()) {
            (Code::InvalidCredentials, _) => "invalid_grant",
            (Code::InvalidClient, _) => "invalid_client",
            (Code::UnsupportedGrantType, _) => "unsupported_grant_type",
            (_, StatusCode::BAD_REQUEST) => "invalid_request",
            _ => return None,
        };
        let is_allowed =
            |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
        let description = problem.message.en.chars().filter(is_allowed);
        Some(OauthError {
            error,
            description: description.collect(),
        })
    }
}

/// One thing that is wrong with a request, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultBody {
    /// A JSON pointer (RFC 6901) into the body; empty for the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pointer: Option<String>,
    /// The name of a parameter of the path or the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// A stable code, on which programs may rely.
    #[schema(example = "MISSING_FIELD")]
    code: Code,
    /// The fault, in the language of Accept-Language.
    detail: String,
}

impl ProblemBody {
    /// Returns the HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn new(problem: &Problem, caller: &Recipient) -> ProblemBody {
        let kind = problem.code.kind();
        let language = caller.language;
        let oauth = match caller.dialect {
            Dialect::Oauth => OauthError::new(problem),
            Dialect::Plain => None,
        };
        ProblemBody {
            problem_type: problem_type(problem.code),
            title: title(kind).in_language(language).to_owned(),
            status: status(kind).as_u16(),
            detail: shortened(problem.message.in_language(language)),
            code: problem.code,
            errors: problem
                .faults
                .iter()
                .map(|fault| FaultBody::new(fault, language))
                .collect(),
            request_id: caller.request_id.to_string(),
            error: oauth.as_ref().map(|oauth| oauth.error),
            error_description: oauth.map(|oauth| oauth.description),
        }
    }
}

impl FaultBody {
    fn new(fault: &Fault, language: Language) -> FaultBody {
        let (pointer, parameter) = match &fault.place {
            FaultPlace::Body(path) => (Some(shortened(&pointer_to(path))), None),
            FaultPlace::Parameter(name) => (None, Some(shortened(name))),
        };
        FaultBody {
            pointer,
            parameter,
            code: fault.code,
            detail: shortened(fault.message.in_language(language)),
        }
    }
}

fn problem_type(code: Code) -> String {
    let name = code.as_str().to_ascii_lowercase().replace('_', "-");
    format!("urn:tonghop:problem:{name}")
}

/// The parts of a request that shape the problem it gets: its id, its language and its dialect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipient {
    pub request_id: Uuid,
    language: Language,
    dialect: Dialect,
}

/// The form of problems that a caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Plain,
    /// With the members of OAuth beside the others.
    Oauth,
}

impl Recipient {
    pub fn of(request: &impl HttpMessage) -> Recipient {
        Recipient {
            request_id: Uuid::now_v7(),
            language: preferred_language(request),
            dialect: Dialect::Plain,
        }
    }

    pub fn speaking(self, dialect: Dialect) -> Recipient {
        Recipient { dialect, ..self }
    }

    /// Returns the recipient that the reception made of a request.
    pub fn received(request: &impl HttpMessage) -> Recipient {
        let received = request.extensions().get::<Recipient>().copied();
        received.unwrap_or_else(|| Recipient::of(request))
    }

    pub fn language(&self) -> Language {
        self.language
    }

    fn language_tag(&self) -> &'static str {
        match self.language {
            Language::Vietnamese => "vi",
            Language::English => "en",
        }
    }

    pub fn finish<B: MessageBody>(
        &self,
        mut response: ServiceResponse<B>,
    ) -> ServiceResponse<EitherBody<B>> {
        if let Some(answer) = self.replacement(response.response()) {
            return response.into_response(answer).map_into_right_body();
        }
        let request_id = HeaderValue::from_str(&self.request_id.to_string());
        if let Ok(request_id) = request_id {
            response.headers_mut().insert(REQUEST_ID, request_id);
        }
        response.map_into_left_body()
    }

    /// Returns the problem to send instead of a failure that has no body of its own. A JSON body is
    /// kept, as that of the readiness probe.
    fn replacement<B>(&self, response: &HttpResponse<B>) -> Option<HttpResponse> {
        if let Some(error) = response.error() {
            return Some(self.answer_error(error, response.headers()));
        }
        let status = response.status();
        let is_failure = status.is_client_error() || status.is_server_error();
        if !is_failure || speaks_json(response.headers()) {
            return None;
        }
        Some(foreign_problem(status, response.headers()).answer(self))
    }

    pub fn answer_error(&self, error: &Error, headers: &HeaderMap) -> HttpResponse {
        if let Some(problem) = error.as_error::<Problem>() {
            return problem.answer(self);
        }
        let status = error.as_response_error().status_code();
        tracing::debug!(%error, "the framework refused a request");
        foreign_problem(status, headers).answer(self)
    }
}

fn foreign_problem(status: StatusCode, headers: &HeaderMap) -> Problem {
    let mut problem = Problem::of_status(status);
    for name in TELLING_HEADERS {
        if let Some(value) = headers.get(&name) {
            problem = problem.with_header(name, value.clone());
        }
    }
    problem
}

fn speaks_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/") && value.contains("json"))
}

/// Returns English if the caller prefers it (RFC 9110, section 12.5.4), otherwise Vietnamese.
pub(super) fn preferred_language(request: &impl HttpMessage) -> Language {
    let ranges = AcceptLanguage::parse(request).map(|AcceptLanguage(ranges)| ranges);
    let ranges = ranges.unwrap_or_default();
    if quality(&ranges, "en") > quality(&ranges, "vi") {
        Language::English
    } else {
        Language::Vietnamese
    }
}

/// The quality of a language, whatever its region; `*` stands for those that are not named.
fn quality(ranges: &[QualityItem<Preference<LanguageTag>>], language: &str) -> Quality {
    let of = |is_meant: &dyn Fn(&Preference<LanguageTag>) -> bool| {
        let meant = ranges.iter().filter(|range| is_meant(&range.item));
        meant.map(|range| range.quality).max()
    };
    let named = of(&|range| match range {
        Preference::Specific(tag) => tag.primary_language().eq_ignore_ascii_case(language),
        Preference::Any => false,
    });
    let any = || of(&|range| matches!(range, Preference::Any));
    named.or_else(any).unwrap_or(Quality::ZERO)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn each_kind_of_code_has_its_status() {
        let lines = Code::ALL.iter().map(|code| {
            let kind = code.kind();
            format!("{} {kind:?}", status(kind).as_u16())
        });
        let table = lines.sorted().dedup().join("\n");
        let expected = "\
400 Malformed
400 SignInFailed
401 Unauthenticated
403 Forbidden
404 NotFound
405 MethodNotAllowed
408 TooSlow
409 Conflict
412 Stale
413 TooLarge
415 UnsupportedMediaType
422 Invalid
428 ConditionRequired
429 TooManyRequests
500 Internal
503 Unavailable";
        assert_eq!(table, expected);
    }

    #[test]
    fn english_is_for_those_who_prefer_it() {
        for (accepted, language) in [
            ("", Language::Vietnamese),
            ("en", Language::English),
            ("en-GB,en;q=0.9,vi;q=0.8", Language::English),
            ("en;q=0.8, vi;q=0.9", Language::Vietnamese),
            ("vi-VN,en", Language::Vietnamese),
            ("fr, *", Language::Vietnamese),
            ("vi;q=0, *;q=0.1", Language::English),
            ("en;q=0", Language::Vietnamese),
            ("en;q=high", Language::Vietnamese),
            ("EN;q=1.000,vi;q=0.999", Language::English),
        ] {
            let request = TestRequest::default()
                .insert_header((header::ACCEPT_LANGUAGE, accepted))
                .to_srv_request();
            let preferred = preferred_language(&request);
            assert_eq!(preferred, language, "{accepted}");
        }
    }
}
