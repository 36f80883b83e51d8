//! What holds for many operations: how they can fail, which headers they take, and which headers
//! their answers have. It follows from what each operation shows of itself and from the table of
//! operations; no operation is named here.

use std::collections::BTreeSet;

use actix_web::http::header::{self, HeaderName};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{HttpMethod, RefOr, Response};

use super::header::{self as answer_header, AnswerHeader};
use crate::authz::{self, Audience};
use crate::http::refusal::Refusal;
use crate::http::request::{IDEMPOTENCY_KEY, header_parameter};

/// The answer to a reader who has the current state.
const NOT_MODIFIED: &str = "304";
/// The status of an answer that has one for each item of the request; some of them may be 503.
const ONE_ANSWER_AN_ITEM: &str = "207";

/// What an operation shows of itself. All that the common part adds follows from it.
pub(super) struct Shown {
    is_public: bool,
    /// A program's key may allow it.
    is_for_programs: bool,
    /// Its path has names in it.
    names_something: bool,
    has_body: bool,
    /// It reads a body, if only to see that there is none.
    reads_body: bool,
    /// It takes an Idempotency-Key.
    changes: bool,
    /// It takes If-Match.
    builds_on_state: bool,
    /// It reads, and takes If-None-Match.
    may_be_seen: bool,
    /// Its body or its answer has exact numbers.
    has_exact_numbers: bool,
}

impl Shown {
    pub fn by(method: HttpMethod, operation: &Operation, exact: &BTreeSet<String>) -> Shown {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let known = id.parse::<authz::Operation>();
        let changes = takes_header(operation, &IDEMPOTENCY_KEY);
        let mut parameters = operation.parameters.iter().flatten();
        Shown {
            // What is not in the table is refused when the server starts.
            is_public: known
                .as_ref()
                .is_ok_and(|known| known.audience() == Audience::Public),
            is_for_programs: known.is_ok_and(authz::Operation::is_for_programs),
            names_something: parameters.any(|parameter| is_in(parameter, &ParameterIn::Path)),
            has_body: operation.request_body.is_some(),
            reads_body: !matches!(method, HttpMethod::Get),
            changes,
            builds_on_state: takes_header(operation, &header::IF_MATCH),
            may_be_seen: !changes && takes_header(operation, &header::IF_NONE_MATCH),
            has_exact_numbers: exact.contains(id),
        }
    }

    fn refusals(&self) -> impl Iterator<Item = Refusal> {
        let all = [
            (Refusal::Unreadable, true),
            (Refusal::NotSignedIn, !self.is_public || self.has_body),
            (Refusal::NotAllowed, !self.is_public),
            (Refusal::NotThere, self.names_something),
            (Refusal::TooSlow, self.reads_body),
            (Refusal::Conflict, self.changes),
            (Refusal::Stale, self.builds_on_state),
            (Refusal::TooLarge, self.reads_body),
            (Refusal::WrongType, self.reads_body),
            (Refusal::AgainstRules, self.changes),
            (Refusal::ConditionRequired, self.builds_on_state),
            (Refusal::TooMany, !self.is_public || self.has_body),
            (Refusal::LongHead, true),
            (Refusal::Failure, true),
            (Refusal::NotNow, true),
        ];
        all.into_iter()
            .filter_map(|(refusal, is_possible)| is_possible.then_some(refusal))
    }

    fn headers(&self, status: &str, response: &Response) -> impl Iterator<Item = AnswerHeader> {
        let is_success = status.starts_with('2');
        let is_json = response.content.contains_key("application/json");
        let is_problem = response.content.contains_key("application/problem+json");
        let is_not_modified = status == NOT_MODIFIED;
        let is_unread = status == Refusal::LongHead.status();
        let is_unknown = status == Refusal::NotSignedIn.status();
        let waits = [Refusal::TooMany, Refusal::NotNow]
            .iter()
            .any(|refusal| refusal.status() == status);
        // A request with the same key may be at work.
        let is_in_flight = self.changes && status == Refusal::Conflict.status();
        let all = [
            (AnswerHeader::RequestId, !is_unread),
            (AnswerHeader::AllowOrigin, !is_unread),
            (AnswerHeader::ContentLanguage, is_problem),
            (
                AnswerHeader::CacheControl,
                is_problem || self.may_be_seen && (is_success || is_not_modified),
            ),
            (AnswerHeader::Etag, self.has_validator(status)),
            (AnswerHeader::Vary, is_success && is_json || is_not_modified),
            (AnswerHeader::ContentEncoding, is_success && is_json),
            (
                AnswerHeader::PreferenceApplied,
                is_success && is_json && self.has_exact_numbers,
            ),
            (AnswerHeader::Location, status == "201"),
            (AnswerHeader::Link, answer_header::is_page(response)),
            (
                AnswerHeader::IdempotencyReplayed,
                self.changes && is_success,
            ),
            (AnswerHeader::Authenticate, is_unknown),
            (
                AnswerHeader::RetryAfter,
                is_problem && (waits || is_in_flight) || status == ONE_ANSWER_AN_ITEM,
            ),
            (
                AnswerHeader::RateLimit,
                !self.is_public && !is_unread && !is_unknown,
            ),
            (
                AnswerHeader::RateLimitPolicy,
                !self.is_public && !is_unread && !is_unknown,
            ),
        ];
        all.into_iter()
            .filter_map(|(header, is_there)| is_there.then_some(header))
    }

    /// Returns true if an answer carries the validator of what it shows: what was read on a
    /// condition, what a change built on, or what it created.
    fn has_validator(&self, status: &str) -> bool {
        let is_tagged = self.may_be_seen || self.builds_on_state;
        // Nothing to validate without a body.
        status != "204" && status.starts_with('2') && is_tagged
            || matches!(status, "201" | NOT_MODIFIED)
    }
}

fn is_in(parameter: &RefOr<Parameter>, place: &ParameterIn) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place)
}

fn is_header(parameter: &RefOr<Parameter>, header: &HeaderName) -> bool {
    is_in(parameter, &ParameterIn::Header)
        && matches!(parameter, RefOr::T(parameter) if parameter.name.eq_ignore_ascii_case(header.as_str()))
}

fn takes_header(operation: &Operation, header: &HeaderName) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| is_header(parameter, header))
}

/// Completes an operation by what holds for those that show the same.
pub(super) fn complete(operation: &mut Operation, shown: &Shown) {
    let schemes = [
        ("token", !shown.is_public),
        ("password", !shown.is_public),
        ("key", shown.is_for_programs),
    ];
    let accepted = schemes.iter().filter(|(_, is_accepted)| *is_accepted);
    let required = accepted.map(|(name, _)| SecurityRequirement::new(*name, Vec::<String>::new()));
    operation.security = Some(required.collect());
    complete_parameters(operation, shown);
    let responses = &mut operation.responses.responses;
    if shown.may_be_seen {
        let not_modified =
            Response::new("The reader has what If-None-Match names: there is no body");
        responses.insert(NOT_MODIFIED.to_owned(), not_modified.into());
    }
    for refusal in shown.refusals() {
        let known = responses.entry(refusal.status().to_owned());
        known.or_insert_with(|| refusal.response());
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let headers: Vec<AnswerHeader> = shown.headers(status, response).collect();
        for header in headers {
            let (name, reference) = (header.name().to_owned(), header.reference());
            response.headers.insert(name, RefOr::Ref(reference));
        }
    }
}

/// Puts the headers that many operations take before those that their extractors read.
fn complete_parameters(operation: &mut Operation, shown: &Shown) {
    let parameters = operation.parameters.get_or_insert_default();
    let headers = |parameter: &RefOr<Parameter>| is_in(parameter, &ParameterIn::Header);
    let first = parameters.iter().position(headers);
    let first = first.unwrap_or(parameters.len());
    let language = header_parameter(
        "Accept-Language",
        "The language of error messages: vi or en",
    );
    let preference = shown.has_exact_numbers.then(|| {
        header_parameter(
            "Prefer",
            "`numbers=text`: exact numbers come as strings, for programs whose JSON has floats only",
        )
    });
    let common = preference.into_iter().chain([language]);
    for parameter in common {
        parameters.insert(first, parameter.into());
    }
}
