//! Bodies that are files, taken as they come.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;
use crate::http::request::Reading;
use crate::http::request::body::{Body, read_body};
use crate::http::request::limit::body_limit;

/// A body that is a file. Its reader finds out its encoding.
#[derive(Debug, Clone)]
pub struct FileBody(Bytes);

impl Body for FileBody {
    type Value = Bytes;

    fn raw(&self) -> &[u8] {
        &self.0
    }

    fn value(self) -> Bytes {
        self.0
    }
}

impl FromRequest for FileBody {
    type Error = Problem;
    type Future = Reading<FileBody>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_body(&request, payload, body_limit(&request)?).await?;
            Ok(FileBody(raw))
        })
    }
}
