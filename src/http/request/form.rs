//! The fields of a form.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::error::{Code, Fault};
use crate::http::problem::Problem;
use crate::http::request::Reading;
use crate::http::request::body::read_text_body;
use crate::http::request::json::wrong_body;
use crate::http::request::limit::body_limit;
use crate::message;
use crate::path;

/// The fields of a form as browsers and OAuth clients send them (`a=b&c=d`).
#[derive(Debug, Clone)]
pub struct Fields<T> {
    /// The parsed fields.
    pub value: T,
}

impl<T: DeserializeOwned + 'static> FromRequest for Fields<T> {
    type Error = Problem;
    type Future = Reading<Fields<T>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_text_body(&request, payload, body_limit(&request)?).await?;
            let text = std::str::from_utf8(&raw).unwrap_or_default();
            let read = web::Query::<T>::from_query(text);
            let value = read.map_err(|_| wrong_form())?.into_inner();
            Ok(Fields { value })
        })
    }
}

fn wrong_form() -> Problem {
    let message = message!("fields-unreadable");
    wrong_body(vec![Fault::in_body(path![], Code::InvalidBody, message)])
}
