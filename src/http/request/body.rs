//! Bodies: checks who may send one, and reads it.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::TryStreamExt;

use crate::authz::{Action, OperationKind};
use crate::error::Code;
use crate::http::allowance::count_bytes;
use crate::http::blocking;
use crate::http::problem::Problem;
use crate::http::request::caller::SignedIn;
use crate::http::request::limit::{
    BodyLimit, BodyTime, announced, body_limit, body_too_large, check_length,
};
use crate::http::request::packing::{coding, unpacked};
use crate::http::request::{Reading, matched, misconfigured};
use crate::http::state::{Arriving, Occupied, ServerState};
use crate::message;
use crate::service::Application;
use crate::service::people::account::check_could;

/// A body of a request for a change.
pub trait Body: FromRequest<Error = Problem, Future = Reading<Self>> + 'static {
    /// The content of the body.
    type Value: std::fmt::Debug + 'static;

    /// Returns the bytes of the body as they came, by which a reused key is recognised.
    fn raw(&self) -> &[u8];

    fn value(self) -> Self::Value;
}

/// The largest body that is parsed on the connection's thread, in bytes; larger ones go to a thread
/// that may block.
pub(super) const SMALL_BODY: usize = 16 * 1024;

/// No body, or the empty object that some clients send instead.
#[derive(Debug, Clone, Copy)]
pub struct NoBody;

impl Body for NoBody {
    type Value = NoBody;

    /// Always empty, however the client sent it.
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
    Problem::new(Code::InvalidBody, message!("body-unexpected-body"))
}

pub(super) async fn read_text_body(
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
        message!("body-wrong-charset"),
    ))
}

/// Reads a body up to the limit, after checking that its sender may use it at all. While it
/// arrives, the request is not in progress and leaves its place to others.
pub(super) async fn read_body(
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
    if let Some(SignedIn(identity)) = sender.filter(|_| brings_submissions(request)) {
        count_bytes(request, &identity, body.len())?;
    }
    let place = state
        .admit(request.path())
        .ok_or_else(Problem::of_overload)?;
    request.extensions_mut().insert(place);
    Ok(body)
}

fn brings_submissions(request: &HttpRequest) -> bool {
    matched(request).is_some_and(|rules| rules.operation().kind() == OperationKind::Submit)
}

/// Refuses a body whose sender may use it nowhere, before reading it. If that check would cost more
/// than the body, as with most submissions, the use case refuses instead. Where the body names the
/// units, no use case refuses the whole.
async fn check_grant(request: &HttpRequest) -> Result<(), Problem> {
    let rules = matched(request).filter(|rules| rules.takes_body());
    let Some(operation) = rules.map(|rules| rules.operation()) else {
        return Ok(());
    };
    let is_usual = matches!(
        operation.audience().action(),
        Some(Action::ChangeSubmissions | Action::DecideSubmissions)
    );
    let is_of_one = !request.match_info().is_empty();
    if is_usual && is_of_one && is_small(request.headers()) {
        return Ok(());
    }
    let application = request.app_data::<web::Data<Application>>().cloned();
    let sender = request.extensions().get::<SignedIn>().cloned();
    let (Some(application), Some(SignedIn(identity))) = (application, sender) else {
        return Ok(());
    };
    blocking(move || check_could(&application, &identity, operation)).await
}

fn is_small(headers: &HeaderMap) -> bool {
    // A request without a body says no length.
    if announced(headers).is_none() && !headers.contains_key(header::TRANSFER_ENCODING) {
        return true;
    }
    let most = u64::try_from(SMALL_BODY).unwrap_or(u64::MAX);
    let is_plain = !headers.contains_key(header::CONTENT_ENCODING);
    is_plain && announced(headers).is_some_and(|length| length <= most)
}

/// Reads a body. The limit applies to the unpacked bytes.
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

/// Takes room for bytes that have arrived, not for announced ones.
pub(super) async fn collect(
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
    Problem::new(Code::MalformedRequest, message!("body-broken-off"))
}
