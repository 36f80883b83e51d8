//! Requests for a change: the extractors that make a [`Call`].

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::http::problem::Problem;
use crate::http::request::body::{Body, NoBody};
use crate::http::request::caller::{Now, SignedIn, signing_in};
use crate::http::request::condition::{
    if_match_parameter, if_none_match_parameter, optional_if_match_parameter, precondition,
    required_if_match_parameter,
};
use crate::http::request::idempotency::{key_parameter, repeat_key};
use crate::http::request::{Reading, matched, misconfigured};
use crate::service::application::call::Call;
use crate::service::application::condition::Precondition;

/// A request for a change and its body: the caller, the time, the Idempotency-Key.
#[derive(Debug)]
pub struct Called<B: Body> {
    pub call: Call,
    pub body: B::Value,
}

/// Like [`Called`], with the state that the change builds on, from If-Match. If-None-Match is heeded
/// too, but not described, since what is to be changed exists.
#[derive(Debug)]
pub struct CalledOn<B: Body> {
    pub call: Call,
    pub body: B::Value,
}

/// Like [`CalledOn`], for a change that creates something where there is nothing yet: If-None-Match
/// may say so instead.
#[derive(Debug)]
pub struct CalledToPut<B: Body> {
    pub call: Call,
    pub body: B::Value,
}

/// Like [`Called`], for a withdrawal that may say on which state it builds: with If-Match, what was
/// changed since is left alone.
#[derive(Debug)]
pub struct CalledToDelete {
    pub call: Call,
}

impl<B: Body> IntoParams for Called<B> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![key_parameter()]
    }
}

impl<B: Body> IntoParams for CalledOn<B> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![key_parameter(), required_if_match_parameter()]
    }
}

impl<B: Body> IntoParams for CalledToPut<B> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            key_parameter(),
            if_match_parameter(),
            if_none_match_parameter(),
        ]
    }
}

impl IntoParams for CalledToDelete {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![key_parameter(), optional_if_match_parameter()]
    }
}

impl<B: Body> FromRequest for Called<B> {
    type Error = Problem;
    type Future = Reading<Called<B>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<B>(request, |_| Ok(Precondition::None), payload);
        Box::pin(async move { heard.await.map(|(call, body)| Called { call, body }) })
    }
}

impl<B: Body> FromRequest for CalledOn<B> {
    type Error = Problem;
    type Future = Reading<CalledOn<B>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<B>(request, precondition, payload);
        Box::pin(async move { heard.await.map(|(call, body)| CalledOn { call, body }) })
    }
}

impl<B: Body> FromRequest for CalledToPut<B> {
    type Error = Problem;
    type Future = Reading<CalledToPut<B>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<B>(request, precondition, payload);
        Box::pin(async move { heard.await.map(|(call, body)| CalledToPut { call, body }) })
    }
}

impl FromRequest for CalledToDelete {
    type Error = Problem;
    type Future = Reading<CalledToDelete>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let heard = hear::<NoBody>(request, precondition, payload);
        Box::pin(async move { heard.await.map(|(call, _)| CalledToDelete { call }) })
    }
}

/// Reads the parts of a request that a change needs: the caller, then the other headers, then the
/// body.
fn hear<B: Body>(
    request: &HttpRequest,
    precondition: fn(&HeaderMap) -> Result<Precondition, Problem>,
    payload: &mut Payload,
) -> Reading<(Call, B::Value)> {
    let now = Now::read().0;
    let signing_in = signing_in(request);
    let request = request.clone();
    let mut payload = payload.take();
    Box::pin(async move {
        let SignedIn(identity) = signing_in.await?;
        let precondition = precondition(request.headers())?;
        let call = Call::new(identity, now).on(precondition);
        let rules = matched(&request).ok_or_else(misconfigured)?;
        let key = repeat_key(&request)?;
        // Start reading the body only if everything before it is in order.
        let body = B::from_request(&request, &mut payload).await?;
        let repeatable = key.repeatable(rules.operation().id(), body.raw());
        let call = Call { repeatable, ..call };
        Ok((call, body.value()))
    })
}
