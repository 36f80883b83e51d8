//! The caller of a request and the time at which it came.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chrono::{DateTime, Utc};

use crate::authn::Identity;
use crate::error::Code;
use crate::http::allowance::count_request;
use crate::http::problem::Problem;
use crate::http::request::address::client_address;
use crate::http::request::misconfigured;
use crate::message;
use crate::service::Application;
use crate::service::people::token::Client;

/// The time at which the request came. Requests read the clock here and nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub DateTime<Utc>);

impl Now {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge, where requests get their time"
    )]
    pub(super) fn read() -> Now {
        Now(Utc::now())
    }
}

impl FromRequest for Now {
    type Error = Problem;
    type Future = Ready<Result<Now, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Now::read()))
    }
}

/// The program that sends the request.
#[derive(Debug)]
pub struct ClientOf(pub Client);

/// The longest name of a client that is stored, in characters.
const LONGEST_AGENT: usize = 200;

impl FromRequest for ClientOf {
    type Error = Problem;
    type Future = Ready<Result<ClientOf, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let agent = request.headers().get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        ready(Ok(ClientOf(Client {
            agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            address: client_address(request),
        })))
    }
}

/// The caller, from the access token.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Identity);

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Ready<Result<SignedIn, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(signed_in(request))
    }
}

pub(super) fn signed_in(request: &HttpRequest) -> Result<SignedIn, Problem> {
    let application = request.app_data::<web::Data<Application>>();
    let application = application.ok_or_else(misconfigured)?;
    let token = bearer_token(request.headers()).ok_or_else(not_signed_in)?;
    let identity = application.tokens.verify(token, Now::read().0)?;
    count_request(request, &identity)?;
    // Reading the body asks for the caller again.
    if request.method() != Method::GET {
        request.extensions_mut().insert(SignedIn(identity));
    }
    Ok(SignedIn(identity))
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

fn not_signed_in() -> Problem {
    Problem::new(Code::NotSignedIn, message!("problem-not-signed-in"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        let request = TestRequest::with_uri("/v1/things/a?dry_run=true");
        let request = headers
            .iter()
            .fold(request, |request, header| request.append_header(*header));
        request.to_http_request()
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        let token = |value| {
            let request = request(&[("authorization", value)]);
            bearer_token(request.headers()).map(str::to_owned)
        };
        assert_eq!(token("Bearer a.b.c"), Some("a.b.c".to_owned()));
        assert_eq!(token("bearer a.b.c"), Some("a.b.c".to_owned()));
        assert_eq!(token("Basic a"), None);
        assert_eq!(token("Bearer"), None);
    }
}
