//! The caller of a request and the time at which it came. A person's token is checked at once; a
//! program's key is looked up, and what the request does must be among the key's operations.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use futures_util::future::Either;

use crate::authn::api_key::MARK;
use crate::authn::{Credential, Identity};
use crate::error::Code;
use crate::http::allowance::count_request;
use crate::http::blocking;
use crate::http::problem::{Problem, too_many_failures};
use crate::http::request::address::client_address;
use crate::http::request::{Reading, matched, misconfigured};
use crate::message;
use crate::service::Application;
use crate::service::people::program::{self, ProgramError, ShownKey};
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

/// The caller, from the access token or a program's key.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Identity);

/// The answer to who is calling: at hand for a person, awaited for a program.
pub(super) type SigningIn = Either<Ready<Result<SignedIn, Problem>>, Reading<SignedIn>>;

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = SigningIn;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        signing_in(request)
    }
}

pub(super) fn signing_in(request: &HttpRequest) -> SigningIn {
    let now = Now::read();
    match shown(request, now) {
        Ok(ShownCaller::Person(identity)) => Either::Left(ready(known(request, identity))),
        Ok(ShownCaller::Program(key)) => {
            Either::Right(Box::pin(admitted(request.clone(), key, now)))
        }
        Err(problem) => Either::Left(ready(Err(problem))),
    }
}

/// What a request shows of its caller.
enum ShownCaller {
    Person(Identity),
    Program(ShownKey),
}

fn shown(request: &HttpRequest, now: Now) -> Result<ShownCaller, Problem> {
    let application = request.app_data::<web::Data<Application>>();
    let application = application.ok_or_else(misconfigured)?;
    let token = bearer_token(request.headers()).ok_or_else(not_signed_in)?;
    if token.starts_with(MARK) {
        let key = program::read_key(application, token, client_address(request));
        return Ok(ShownCaller::Program(ShownKey::Key(key.map_err(refused)?)));
    }
    let identity = application.tokens.verify(token, now.0)?;
    Ok(match identity.credential() {
        Credential::Session(_) => ShownCaller::Person(identity),
        Credential::Key => ShownCaller::Program(ShownKey::Token(identity)),
    })
}

async fn admitted(request: HttpRequest, key: ShownKey, now: Now) -> Result<SignedIn, Problem> {
    let application = request.app_data::<web::Data<Application>>().cloned();
    let application = application.ok_or_else(misconfigured)?;
    let rules = matched(&request).ok_or_else(misconfigured)?;
    let operation = rules.operation();
    if let Some(identity) = program::admit_cached(&application, &key, operation, now.0).await {
        note_use(&application, identity, now);
        return known(&request, identity);
    }
    let (asked, address) = (application.clone(), client_address(&request));
    let admitting = blocking(move || {
        let admitted = program::admit(&asked, &key, operation, address, now.0);
        Ok::<_, ProgramError>(admitted)
    });
    let identity = admitting.await?.map_err(refused)?;
    note_use(&application, identity, now);
    known(&request, identity)
}

/// Makes the answer to a program that is turned away.
fn refused(error: ProgramError) -> Problem {
    match error {
        ProgramError::TooMany(too_many) => too_many_failures(too_many),
        ProgramError::Store(_)
        | ProgramError::Unreadable(_)
        | ProgramError::NotServing
        | ProgramError::Outside { .. }
        | ProgramError::NotForPrograms(_) => error.into(),
    }
}

/// Lets the use of a program's key be noted now and then. Nobody waits for it.
pub fn note_use(application: &web::Data<Application>, program: Identity, now: Now) {
    if program::is_use_due(application, &program, now.0) {
        let application = application.clone();
        tokio::task::spawn_blocking(move || program::note_use(&application, &program, now.0));
    }
}

/// Counts the request against the caller's allowance, and remembers the caller.
fn known(request: &HttpRequest, identity: Identity) -> Result<SignedIn, Problem> {
    count_request(request, &identity)?;
    // Reading the body asks for the caller again.
    if request.method() != Method::GET {
        request.extensions_mut().insert(SignedIn(identity));
    }
    Ok(SignedIn(identity))
}

/// A client's id and secret in the Authorization header (RFC 6749, section 2.3.1), if it has them.
#[derive(Clone)]
pub struct BasicCredentials(pub Option<(String, String)>);

impl FromRequest for BasicCredentials {
    type Error = Problem;
    type Future = Ready<Result<BasicCredentials, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(BasicCredentials(basic_credentials(request.headers()))))
    }
}

/// Ids and keys have no letter that a form would write otherwise, so they are taken as they stand.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = credentials(headers, "basic")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

/// Returns the credentials of a scheme.
fn credentials<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = credentials.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case(wanted)
        .then(|| credentials.trim_start())
}

/// Makes the answer to a request that says of nobody that it is theirs.
pub(in crate::http) fn not_signed_in() -> Problem {
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

    #[test]
    fn a_client_may_stand_in_the_header() {
        let client = |value| basic_credentials(request(&[("authorization", value)]).headers());
        let pair = ("id".to_owned(), "se:cret".to_owned());
        assert_eq!(client("Basic aWQ6c2U6Y3JldA=="), Some(pair));
        assert_eq!(client("Basic aWQ="), None);
        assert_eq!(client("Basic ?"), None);
        assert_eq!(client("Bearer aWQ6c2U6Y3JldA=="), None);
    }
}
