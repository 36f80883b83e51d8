//! Changes: as a document, or as an event stream.

use actix_web::http::header::{Accept, Header, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::shown;
use super::contract::asks_for_head;
use super::event_stream::{Follower, Streams, head_alone};
use super::problem::Problem;
use super::refusal::{NotThere, TooMany};
use super::request::page::page_request;
use super::request::{Now, Params, SeenEtags, SignedIn};
use super::state::ServerState;
use crate::error::Code;
use crate::message;
use crate::service::Application;
use crate::service::application::change::ChangeKind;
use crate::service::feed::changes::{self, ChangesQuery, ChangesView};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The changes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesParams {
    /// The `next` of the previous answer: later commits follow. Omit it to begin with the first commit.
    #[param(nullable = false, minimum = 0, example = 42)]
    after: Option<i64>,
    /// Only changes of this kind.
    #[param(nullable = false, inline)]
    kind: Option<ChangeKind>,
    /// Only changes to do with this form: its code.
    #[param(nullable = false, example = "mttq.annual")]
    form: Option<String>,
    /// Only changes at this unit or below it: its id, or `code:` and the code that it had on the day
    /// that a change is about.
    #[param(nullable = false, example = "code:30388")]
    unit: Option<String>,
    /// The most items to return. Only a single commit that did more is longer.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List what has happened, or follow it as server-sent events.
///
/// With `Accept: text/event-stream` the same items come as events, and the stream goes on with what
/// happens. `event` is the kind, `data` the item, and `id` the rev to go on from: a commit's last
/// event has it, so a commit that was cut off comes again as a whole. A comment comes every 15
/// seconds. The stream ends when the access token expires or the account loses its grants.
#[utoipa::path(
    tag = "changes",
    params(
        ChangesParams,
        SeenEtags,
        ("Last-Event-ID" = Option<i64>, Header, nullable = false, description = "Of an event stream: the `id` of the last event that came. It counts instead of `after`"),
    ),
    responses(
        (status = 200, description = "The changes that the caller may see, and where to go on", content(
            (ChangesView = "application/json"),
            (String = "text/event-stream"),
        )),
        NotThere,
        TooMany,
    ),
)]
#[get("/changes")]
pub async fn list_changes(
    request: HttpRequest,
    application: web::Data<Application>,
    streams: web::Data<Streams>,
    server: web::Data<ServerState>,
    SignedIn(identity): SignedIn,
    now: Now,
    Params(params): Params<ChangesParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let query = ChangesQuery {
        after: params.after,
        kind: params.kind,
        form: params.form,
        unit: params.unit,
        limit: page_request(None, params.limit)?.limit,
    };
    match wanted(&request) {
        Shape::Document => {
            let view = super::blocking(move || {
                changes::list_changes(&application, &identity, &query, now.0)
            });
            Ok(varying(shown(&seen, &view.await?)))
        }
        Shape::Events => {
            let after = last_event_id(request.headers())?.or(query.after);
            let query = ChangesQuery { after, ..query };
            if asks_for_head(&request) {
                // What would be refused to a GET is refused here too, and no stream is opened.
                super::blocking(move || {
                    changes::read_changes(&application, &identity, &query, now.0)
                })
                .await?;
                return Ok(varying(head_alone()));
            }
            let stream = streams.open(identity.tenant(), identity.account())?;
            let follower = Follower::new(request, application, server, stream, query);
            Ok(varying(follower.answer(identity).await?))
        }
    }
}

/// Says that another Accept would have got another answer.
pub(super) fn varying(mut response: HttpResponse) -> HttpResponse {
    let accept = HeaderValue::from_static("Accept");
    response.headers_mut().append(VARY, accept);
    response
}

/// The shape in which a caller wants the changes.
enum Shape {
    Document,
    Events,
}

/// Returns the first of the two shapes among those that the caller accepts, the most wanted first.
fn wanted(request: &HttpRequest) -> Shape {
    let accepted = Accept::parse(request).map(|accept| accept.ranked());
    let shapes = accepted.unwrap_or_default().into_iter();
    let mut shapes = shapes.filter_map(|accepted| match accepted.essence_str() {
        "text/event-stream" => Some(Shape::Events),
        "application/json" | "application/*" | "*/*" => Some(Shape::Document),
        _ => None,
    });
    shapes.next().unwrap_or(Shape::Document)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(given) = headers.get(&LAST_EVENT_ID) else {
        return Ok(None);
    };
    // Browsers send an empty one before the first event.
    if given.is_empty() {
        return Ok(None);
    }
    let rev = given.to_str().ok().and_then(|text| text.parse().ok());
    let rev = rev.filter(|rev: &i64| *rev >= 0);
    rev.map(Some)
        .ok_or_else(|| Problem::new(Code::InvalidHeader, message!("change-last-event-id")))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_caller_gets_the_shape_that_it_wants_most() {
        let is_events = |accept: Option<&str>| {
            let request = TestRequest::default();
            let request = match accept {
                Some(accept) => request.insert_header(("accept", accept)),
                None => request,
            };
            matches!(wanted(&request.to_http_request()), Shape::Events)
        };
        assert!(is_events(Some("text/event-stream")));
        assert!(is_events(Some("application/json;q=0.5, text/event-stream")));
        assert!(!is_events(Some(
            "application/json, text/event-stream;q=0.5"
        )));
        assert!(!is_events(Some("*/*")) && !is_events(Some("text/html")) && !is_events(None));
    }

    #[test]
    fn the_last_event_s_id_is_a_rev() {
        let read = |text: &'static str| {
            let request = TestRequest::default().insert_header(("last-event-id", text));
            last_event_id(request.to_http_request().headers())
                .map_err(|problem| problem.to_string())
        };
        assert_eq!(
            (read(""), read("0"), read("47")),
            (Ok(None), Ok(Some(0)), Ok(Some(47)))
        );
        for wrong in ["-1", "x", "1.5", "99999999999999999999"] {
            assert!(
                read(wrong).unwrap_err().starts_with("INVALID_HEADER"),
                "{wrong}"
            );
        }
    }
}
