//! The OpenAPI document as it is served, and the page that shows it without the internet. Never
//! what stands in the document: that comes from the handlers.

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, ServiceConfig};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::extract::{SeenEtags, hexadecimal, unless_seen};
use crate::service::condition::Etag;

const DOCUMENT_PATH: &str = "/openapi.json";

/// The OpenAPI document, written out once.
#[derive(Clone)]
pub struct Document {
    text: Bytes,
    etag: Etag,
}

impl Document {
    /// Writes the document out, as it is checked in.
    ///
    /// # Errors
    /// The encoder's.
    pub fn new(document: &OpenApi) -> Result<Document, serde_json::Error> {
        let text = document.to_pretty_json()?;
        let hash = Sha256::digest(text.as_bytes());
        Ok(Document {
            etag: Etag::new(hexadecimal(&hash)),
            text: text.into(),
        })
    }

    /// Adds the document and its page, `/docs/`, to a server.
    pub fn serve(self, server: &mut ServiceConfig) {
        let config = Config::new([DOCUMENT_PATH])
            .validator_url("none")
            .try_it_out_enabled(true);
        server
            .app_data(web::Data::new(self))
            .service(web::resource(DOCUMENT_PATH).route(web::get().to(get_document)))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").config(config));
    }
}

async fn get_document(document: web::Data<Document>, seen: SeenEtags) -> HttpResponse {
    unless_seen(&document.etag, &seen, |mut response| {
        response
            .content_type("application/json")
            .body(document.text.clone())
    })
}
