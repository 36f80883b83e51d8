//! The reception: numbers each request, gives it a place, turns every failure into a problem, and
//! counts. Decides nothing about what is asked.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use tracing::Instrument;

use super::allowance;
use super::contract::Matched;
use super::problem::{Dialect, Problem, Recipient};
use super::state::{Occupied, ServerState};
use crate::error::Code;
use crate::telemetry::Metrics;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the time for which the answer to one request too many is held back: half a second to one
/// and a half, different for each caller in turn. A client that repeats it without waiting is
/// refused about once a second on each of its connections, and so leaves the server's threads to
/// others. The request takes no place meanwhile.
fn refusal_pause() -> Duration {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    // A step that shares no factor with the length spreads neighbours over the whole of it.
    Duration::from_millis(500 + u64::from(turn) * 617 % 1000)
}

/// The path at which callers speak OAuth, also when no operation is found there.
const ISSUE_TOKEN: &str = "/v1/auth/token";

/// The middleware that receives every request: numbers it, gives it a place, turns failures into
/// problems in the caller's language, and counts.
///
/// # Errors
/// A failure without a request left to answer. It still renders as a problem.
pub async fn receive<B: MessageBody>(
    metrics: web::Data<Metrics>,
    state: web::Data<ServerState>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let caller = match request.path() {
        ISSUE_TOKEN => Recipient::of(&request).speaking(Dialect::Oauth),
        _ => Recipient::of(&request),
    };
    let span = tracing::info_span!(
        "request",
        id = %caller.request_id,
        method = %request.method(),
        path = request.path(),
        trace = trace_of(&request),
    );
    let timer = metrics.begin_request(request.method().as_str());
    let place = state.admit(request.path());
    if place.is_none() && !is_of_operators(&request) {
        let response = request.into_response(Problem::of_overload().answer(&caller));
        timer.finish(NO_OPERATION, response.status().as_u16());
        return Ok(response.map_into_right_body());
    }
    // Problems of single items are told as that of the whole request would be.
    request.extensions_mut().insert(caller);
    // Stored with the request, so that reading a body can give the place back meanwhile.
    place.map(|place| request.extensions_mut().insert(place));
    let answer = unless_it_panics(next.call(request)).instrument(span).await;
    match answer {
        Ok(response) => {
            drop(response.request().extensions_mut().remove::<Occupied>());
            if is_full_disk(response.response()) {
                state.note_full_disk();
            }
            let mut response = caller.finish(response);
            allowance::announce(&mut response);
            if state.is_stopping() {
                let head = response.response_mut().head_mut();
                head.set_connection_type(ConnectionType::Close);
            }
            timer.finish(operation_of(&response), response.status().as_u16());
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                tokio::time::sleep(refusal_pause()).await;
            }
            Ok(response)
        }
        Err(error) => {
            let error = Unanswered { error, caller };
            timer.finish(NO_OPERATION, error.status_code().as_u16());
            Err(error.into())
        }
    }
}

/// Returns the id of the trace to which a caller says that its request belongs (W3C Trace Context,
/// `traceparent`).
fn trace_of(request: &ServiceRequest) -> Option<&str> {
    let parent = request.headers().get(TRACEPARENT)?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (_version, trace) = (parts.next()?, parts.next()?);
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (trace.len() == 32 && trace.bytes().all(is_hexadecimal)).then_some(trace)
}

/// Returns true for the addresses of operators, which are answered at any time.
fn is_of_operators(request: &ServiceRequest) -> bool {
    matches!(request.path(), "/livez" | "/readyz" | "/metrics")
}

fn is_full_disk<B>(response: &HttpResponse<B>) -> bool {
    let error = response.error();
    let problem = error.and_then(|error| error.as_error::<Problem>());
    problem.is_some_and(|problem| problem.code() == Code::StorageFull)
}

/// The metrics' label for requests without an operation.
const NO_OPERATION: &str = "none";

fn operation_of<B>(response: &ServiceResponse<B>) -> &'static str {
    let extensions = response.request().extensions();
    let matched = extensions.get::<Matched>();
    matched.map_or(NO_OPERATION, |Matched(rules)| rules.operation().id())
}

/// Turns a handler's panic into an answer.
async fn unless_it_panics<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let caught = AssertUnwindSafe(answer).catch_unwind().await;
    caught.unwrap_or_else(|_| {
        tracing::error!("a handler panicked; standard error has the message");
        Err(Problem::internal().into())
    })
}

/// A failure without a response to attach it to, which actix answers by itself.
#[derive(Debug)]
struct Unanswered {
    error: Error,
    caller: Recipient,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Unanswered {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.caller.answer_error(&self.error, &HeaderMap::new())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, body::to_bytes};

    use super::*;
    use crate::http::problem::REQUEST_ID;

    async fn panicking() -> HttpResponse {
        panic!("a bug")
    }

    async fn unauthorized() -> HttpResponse {
        let secret = actix_web::error::ErrorUnauthorized("a secret");
        HttpResponse::from_error(secret)
    }

    async fn answer_to(path: &str) -> (HttpResponse, serde_json::Value) {
        let app = App::new()
            .app_data(web::Data::new(Metrics::new(chrono::DateTime::UNIX_EPOCH)))
            .app_data(web::Data::new(ServerState::new(1, 0)))
            .route("/panic", web::get().to(panicking))
            .route("/unauthorized", web::get().to(unauthorized))
            .wrap(from_fn(receive));
        let app = init_service(app).await;
        let request = TestRequest::with_uri(path).insert_header((header::ACCEPT_LANGUAGE, "en"));
        let answer = match try_call_service(&app, request.to_request()).await {
            Ok(response) => response.map_into_boxed_body().into_parts().1,
            Err(error) => error.error_response(),
        };
        let (answer, body) = answer.into_parts();
        let body = to_bytes(body).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        (answer.set_body(actix_web::body::BoxBody::new(())), body)
    }

    #[actix_web::test]
    async fn every_failure_is_a_problem() {
        for (path, status, code) in [
            ("/nowhere", 404, "ROUTE_NOT_FOUND"),
            ("/unauthorized", 401, "NOT_SIGNED_IN"),
            ("/panic", 500, "INTERNAL"),
        ] {
            let (answer, body) = answer_to(path).await;
            assert_eq!(answer.status().as_u16(), status);
            let content_type = answer.headers().get(header::CONTENT_TYPE).unwrap();
            assert_eq!(content_type, "application/problem+json");
            assert_eq!(body["code"], code);
            assert_eq!(body["errors"], serde_json::json!([]));
            let request_id = answer.headers().get(REQUEST_ID).unwrap();
            assert_eq!(body["request_id"], request_id.to_str().unwrap());
            assert!(!body.to_string().contains("secret"));
        }
    }
}
