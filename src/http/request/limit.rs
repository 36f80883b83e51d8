//! Limits of a body: its size and the time that it may take.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};

use crate::authz::Operation;
use crate::error::Code;
use crate::http::problem::Problem;
use crate::http::request::packing::coding;
use crate::http::request::{matched, misconfigured};
use crate::message;

/// The largest body that the server reads, in bytes. Part of the server's data.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

impl BodyLimit {
    /// Returns the limit for one operation. The reform of a country comes as one
    /// document, and so do the submissions of a province; the fields of a sign-in are short, and their
    /// sender is not known yet.
    pub(in crate::http) fn of_operation(self, operation: Operation) -> BodyLimit {
        let BodyLimit(usual) = self;
        BodyLimit(match operation {
            Operation::CreateReorganisation
            | Operation::PreviewReorganisation
            | Operation::BatchSubmissions
            | Operation::ImportSubmissions => usual.max(LARGE_BODY_LIMIT),
            Operation::IssueToken | Operation::AcceptInvitation => usual.min(LARGEST_FORM),
            _ => usual,
        })
    }
}

/// The time in which a whole body must arrive. Part of the server's data. Without it, a client
/// could hold a connection for ever by sending a byte now and then.
#[derive(Debug, Clone, Copy)]
pub struct BodyTime(pub Duration);

/// Enough for the reform of a whole country in one document.
const LARGE_BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The largest form, in bytes. Fields are short, and their sender is not signed in yet.
pub(in crate::http) const LARGEST_FORM: usize = 16 * 1024;

/// Returns the limit for the body of a request.
pub(super) fn body_limit(request: &HttpRequest) -> Result<BodyLimit, Problem> {
    let usual = request.app_data::<BodyLimit>().copied();
    let usual = usual.ok_or_else(misconfigured)?;
    let rules = matched(request);
    Ok(rules.map_or(usual, |rules| usual.of_operation(rules.operation())))
}

/// Refuses a body by its headers, before it arrives.
///
/// # Errors
/// An encoding that is not supported, or an announced length above the limit.
pub(in crate::http) fn check_head(headers: &HeaderMap, limit: BodyLimit) -> Result<(), Problem> {
    coding(headers)?;
    check_length(headers, limit)
}

/// Returns the announced length of a body.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Refuses a body that announces itself as too large, before it arrives.
pub(super) fn check_length(headers: &HeaderMap, limit: BodyLimit) -> Result<(), Problem> {
    let most = u64::try_from(limit.0).unwrap_or(u64::MAX);
    match announced(headers) {
        Some(length) if length > most => Err(body_too_large(limit)),
        _ => Ok(()),
    }
}

/// Makes the answer to a body that is larger than the limit.
pub(in crate::http) fn body_too_large(BodyLimit(limit): BodyLimit) -> Problem {
    Problem::new(Code::BodyTooLarge, message!("limit-body-too-large", limit))
}
