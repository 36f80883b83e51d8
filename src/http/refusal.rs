//! The problems of an operation as the OpenAPI document lists them: by their statuses, each with a
//! description that is the same everywhere.

use std::collections::BTreeMap;

use std::time::Duration;

use utoipa::IntoResponses;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};

use super::allowance::too_many_requests;
use super::contract::wrong_content_type;
use super::problem::Problem;
use super::request::{BodyLimit, body_too_large, not_signed_in, wrong_body};
use super::violation::missing_field;
use crate::authz::{Action, Denied};
use crate::path;
use crate::service::application::condition::ConditionError;
use crate::service::application::idempotency::IdempotencyError;
use crate::service::catalogue::level::{LevelError, last_day_before_first};

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
    const ALL: [Refusal; 15] = [
        Refusal::Unreadable,
        Refusal::NotSignedIn,
        Refusal::NotAllowed,
        Refusal::NotThere,
        Refusal::TooSlow,
        Refusal::Conflict,
        Refusal::Stale,
        Refusal::TooLarge,
        Refusal::WrongType,
        Refusal::AgainstRules,
        Refusal::ConditionRequired,
        Refusal::TooMany,
        Refusal::LongHead,
        Refusal::Failure,
        Refusal::NotNow,
    ];

    pub fn status(self) -> &'static str {
        self.row().0
    }

    pub fn response(self) -> RefOr<Response> {
        if self == Refusal::LongHead {
            return Response::new(self.row().1).into();
        }
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("ProblemBody")))
            .examples_from_iter([("problem", self.reference())])
            .build();
        ResponseBuilder::new()
            .description(self.row().1)
            .content("application/problem+json", content)
            .build()
            .into()
    }

    /// Returns the reference to its example.
    fn reference(self) -> RefOr<Example> {
        RefOr::Ref(Ref::new(format!("#/components/examples/{}", self.name())))
    }

    /// Returns the name of its example.
    fn name(self) -> String {
        format!("{self:?}")
    }

    /// Makes a problem of the kind, as the server makes it. `None` if there is no body.
    fn problem(self) -> Option<Problem> {
        let problem = match self {
            Refusal::LongHead => return None,
            Refusal::Unreadable => wrong_body(vec![missing_field(&path![], "name")]),
            Refusal::NotSignedIn => not_signed_in(),
            Refusal::NotAllowed => Denied::on_system(Action::ChangeLevels).into(),
            Refusal::NotThere => LevelError::NotFound("ward".to_owned()).into(),
            Refusal::TooSlow => Problem::of_slow_body(),
            Refusal::Conflict => IdempotencyError::InFlight.into(),
            Refusal::Stale => ConditionError::Failed.into(),
            Refusal::TooLarge => body_too_large(BodyLimit(2 * 1024 * 1024)),
            Refusal::WrongType => wrong_content_type("application/json"),
            Refusal::AgainstRules => LevelError::Invalid(vec![last_day_before_first()]).into(),
            Refusal::ConditionRequired => ConditionError::Required.into(),
            Refusal::TooMany => too_many_requests(Duration::from_secs(2)),
            Refusal::Failure => Problem::internal(),
            Refusal::NotNow => Problem::of_overload(),
        };
        Some(problem)
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

/// Makes the examples of problems, by name: one of each kind, to which the answers refer.
pub(super) fn examples() -> BTreeMap<String, RefOr<Example>> {
    let shown = Refusal::ALL.into_iter().filter_map(|refusal| {
        let example = refusal.problem()?.example()?;
        let example = ExampleBuilder::new()
            .summary(refusal.row().1)
            .value(Some(example))
            .build();
        Some((refusal.name(), example.into()))
    });
    shown.collect()
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
