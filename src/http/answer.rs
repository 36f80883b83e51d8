//! Answers of handlers: of a change, and of what there is to read.

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use serde::Serialize;

use crate::http::blocking;
use crate::http::json::json_line;
use crate::http::problem::Problem;
use crate::http::request::SeenEtags;
use crate::service::Application;
use crate::service::application::answers::Encoded;
use crate::service::application::call::Call;
use crate::service::application::condition::{Etag, State};
use crate::service::application::idempotency::{Delivery, Outcome, Reply};
use crate::store::StoreError;

pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Runs a use case that changes something, and builds its answer.
///
/// # Errors
/// The errors of the use case.
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
    let done = blocking(move || use_case(&application, &call, &entered));
    Ok(reply(done.await?))
}

/// Like [`change`], for a use case on one thing that the path names.
///
/// # Errors
/// The errors of the use case.
pub async fn change_named<E>(
    application: web::Data<Application>,
    call: Call,
    id: String,
    use_case: fn(&Application, &Call, &str) -> Result<Reply, E>,
) -> Result<HttpResponse, Problem>
where
    E: Into<Problem> + Send + 'static,
{
    let on_named =
        move |application: &Application, call: &Call, id: &String| use_case(application, call, id);
    change(application, call, id, on_named).await
}

/// Builds the answer of a use case that changes something.
pub fn reply(reply: Reply) -> HttpResponse {
    let mut response = match &reply.outcome {
        Outcome::Created(path) => {
            let mut response = HttpResponse::Created();
            response.insert_header((header::LOCATION, path.as_str()));
            response
        }
        Outcome::Done => HttpResponse::Ok(),
        Outcome::NoContent => HttpResponse::NoContent(),
    };
    if let Some(etag) = &reply.etag {
        response.insert_header((header::ETAG, quoted(etag)));
    }
    if reply.delivery == Delivery::Replayed {
        response.insert_header((IDEMPOTENCY_REPLAYED, "true"));
    }
    if reply.outcome == Outcome::NoContent {
        return response.finish();
    }
    // Stored without the newline, also by earlier versions.
    let mut body = reply.body;
    body.push('\n');
    response
        .content_type(header::ContentType::json())
        .body(body)
}

/// Answers with a JSON document.
pub(super) fn with_json<T: Serialize>(
    response: &mut HttpResponseBuilder,
    body: &T,
) -> HttpResponse {
    match json_line(body) {
        Ok(text) => response
            .content_type(header::ContentType::json())
            .body(text),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            HttpResponse::from_error(Problem::internal())
        }
    }
}

/// Answers with a thing in a state, or 304 if the reader has it as it is shown.
pub fn tagged<T: Serialize>(state: &State, seen: &SeenEtags, body: &T) -> HttpResponse {
    unless_seen(Encoded::of_state(state, body), seen)
}

/// Answers with what no change builds on, or 304 if the reader has it.
pub fn shown<T: Serialize>(seen: &SeenEtags, body: &T) -> HttpResponse {
    unless_seen(Encoded::new(body), seen)
}

fn unless_seen(made: Result<Encoded, StoreError>, seen: &SeenEtags) -> HttpResponse {
    match made {
        Ok(made) => encoded(&made, seen),
        Err(error) => HttpResponse::from_error(Problem::from(error)),
    }
}

/// Like [`shown`], for an encoded answer.
pub(super) fn encoded(encoded: &Encoded, seen: &SeenEtags) -> HttpResponse {
    conditional(&encoded.etag, seen, |mut response| {
        response
            .content_type(header::ContentType::json())
            .body(encoded.body.clone())
    })
}

/// Like [`shown`], with a body that `write` makes only if it is needed.
pub(super) fn conditional(
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

pub(super) fn quoted(etag: &Etag) -> String {
    format!("\"{}\"", etag.as_str())
}
