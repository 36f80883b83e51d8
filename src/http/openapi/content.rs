//! The contents of an operation's body and of its answers, where they are written out.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, RefOr};

/// Lists the contents of an operation's body, one for each media type.
pub(super) fn of_body(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let body = operation.request_body.as_mut().and_then(written_out);
    let contents = body.into_iter().flat_map(|body| body.content.values_mut());
    contents.filter_map(written_out)
}

/// Lists the contents of an operation's answers, of all statuses.
pub(super) fn of_answers(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let responses = operation.responses.responses.values_mut();
    let responses = responses.filter_map(written_out);
    let contents = responses.flat_map(|response| response.content.values_mut());
    contents.filter_map(written_out)
}

/// Returns the part of the document itself, unless it stands elsewhere.
pub(super) fn written_out<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}
