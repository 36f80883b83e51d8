//! Bodies that are lists: a table as text, or a workbook. Never what a column means.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;
use crate::http::request::Reading;
use crate::http::request::body::{Body, read_body};
use crate::http::request::limit::body_limit;
use crate::http::request::text::check_lines;
use crate::spreadsheet::begins_as_workbook;

/// A body that is a list. Its reader finds out its encoding.
#[derive(Debug, Clone)]
pub struct ListBody(Bytes);

impl Body for ListBody {
    type Value = Bytes;

    fn raw(&self) -> &[u8] {
        &self.0
    }

    fn value(self) -> Bytes {
        self.0
    }
}

impl FromRequest for ListBody {
    type Error = Problem;
    type Future = Reading<ListBody>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let raw = read_body(&request, payload, body_limit(&request)?).await?;
            // The reader of workbooks counts their rows.
            if !begins_as_workbook(&raw) {
                check_lines(&raw)?;
            }
            Ok(ListBody(raw))
        })
    }
}
