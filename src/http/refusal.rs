//! The problems of an operation as the OpenAPI document lists them: by their statuses, each with a
//! description that is the same everywhere.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};

/// A problem that the document lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unreadable,
    NotSignedIn,
    NotAllowed,
    NotThere,
    TooSlow,
    Conflict,
    Stale,
    TooLarge,
    WrongType,
    AgainstRules,
    ConditionRequired,
    TooMany,
    LongHead,
    Failure,
    NotNow,
}

impl Refusal {
    pub fn status(self) -> &'static str {
        self.row().0
    }

    pub fn response(self) -> RefOr<Response> {
        if self == Refusal::LongHead {
            return Response::new(self.row().1).into();
        }
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("ProblemBody")))
            .build();
        ResponseBuilder::new()
            .description(self.row().1)
            .content("application/problem+json", content)
            .build()
            .into()
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Refusal::Unreadable => (
                "400",
                "The request cannot be read; `errors` names every fault",
            ),
            Refusal::NotSignedIn => ("401", "Nobody is signed in, or the token does not serve"),
            Refusal::NotAllowed => ("403", "The caller's grants do not allow it"),
            Refusal::NotThere => ("404", "What the path names is not there"),
            Refusal::TooSlow => ("408", "The body did not arrive in time; send it again"),
            Refusal::Conflict => ("409", "What is there does not allow it now"),
            Refusal::Stale => ("412", "It has changed since it was read"),
            Refusal::TooLarge => ("413", "The body is too large"),
            Refusal::WrongType => ("415", "The body is of another type"),
            Refusal::AgainstRules => (
                "422",
                "Against the rules of the domain; `errors` names every fault",
            ),
            Refusal::ConditionRequired => ("428", "The request must say on which state it builds"),
            Refusal::TooMany => (
                "429",
                "Too many or too much; try again after `Retry-After` seconds",
            ),
            Refusal::LongHead => (
                "431",
                "The address and the headers together are too long to be read. There is no body",
            ),
            Refusal::Failure => ("500", "The service failed"),
            Refusal::NotNow => ("503", "Not now; try again after `Retry-After` seconds"),
        }
    }
}

/// The refusal of a read whose query names something that is not there.
pub(super) struct NotThere;

impl IntoResponses for NotThere {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        only(Refusal::NotThere)
    }
}

/// The refusal of what the rules of the domain do not allow, where no Idempotency-Key shows that
/// there are such rules: a figure that is not in the form, or a password that is too short.
pub(super) struct AgainstRules;

impl IntoResponses for AgainstRules {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        only(Refusal::AgainstRules)
    }
}

/// The refusal of an operation of which only a few may run at once.
pub(super) struct TooMany;

impl IntoResponses for TooMany {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        only(Refusal::TooMany)
    }
}

fn only(refusal: Refusal) -> BTreeMap<String, RefOr<Response>> {
    BTreeMap::from([(refusal.status().to_owned(), refusal.response())])
}
