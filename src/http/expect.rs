//! Answers `Expect: 100-continue`: refuses a body before it is sent if the head of the request is
//! enough to decide. Does not look into bodies.

use actix_http::Request;
use actix_web::error::InternalError;
use actix_web::{Error, HttpMessage, web};

use super::contract::Contract;
use super::request::{BodyLimit, check_head};
use crate::telemetry::Metrics;

/// Decides on requests that wait for `100 Continue`. They have not reached the middlewares yet.
#[derive(Clone)]
pub(super) struct Expectations {
    pub(super) contract: web::Data<Contract>,
    pub(super) metrics: web::Data<Metrics>,
    /// The usual limit for bodies.
    pub(super) limit: BodyLimit,
}

impl Expectations {
    /// Returns a request whose body may be sent. An unknown path is refused later, as without the
    /// header.
    ///
    /// # Errors
    /// The answer to send: the body is too large, or its encoding is not supported.
    pub(super) fn admit(&self, request: Request) -> Result<Request, Error> {
        let Some(rules) = self.contract.find(request.method(), request.path()) else {
            return Ok(request);
        };
        let operation = rules.operation();
        let limit = self.limit.of_operation(operation);
        let Err(problem) = check_head(request.headers(), limit) else {
            return Ok(request);
        };
        let timer = self.metrics.begin_request(request.method().as_str());
        let answer = problem.answer_at_once(&request);
        tracing::debug!(operation = operation.id(), status = %answer.status(), "refused before its body");
        timer.finish(operation.id(), answer.status().as_u16());
        Err(InternalError::from_response(problem, answer).into())
    }
}
