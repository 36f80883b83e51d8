//! Serves the OpenAPI document, and a page that shows it without internet access. The content of
//! the document comes from the handlers.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Bytes, ServiceConfig};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use super::answer::conditional;
use super::request::SeenEtags;
use crate::service::application::condition::Etag;

const DOCUMENT_PATH: &str = "/openapi.json";

/// The path under which the page loads its start script.
const SCRIPT_PATH: &str = "/docs/swagger-initializer.js";

/// The page's start script: signs in to a tenant and fills in the headers of changes.
const SCRIPT: &str = include_str!("docs.js");

/// The OpenAPI document, serialised once.
#[derive(Clone)]
pub struct Document {
    text: Bytes,
    etag: Etag,
}

impl Document {
    /// Serialises the document exactly as the checked-in file.
    ///
    /// # Errors
    /// The encoder's.
    pub fn new(document: &OpenApi) -> Result<Document, serde_json::Error> {
        let mut text = document.to_pretty_json()?;
        text.push('\n');
        Ok(Document {
            etag: Etag::of_bytes(text.as_bytes()),
            text: text.into(),
        })
    }

    /// Adds the document and its page, `/docs/`, to a server.
    pub fn serve(self, server: &mut ServiceConfig) {
        server
            .app_data(web::Data::new(self))
            .service(web::resource(DOCUMENT_PATH).route(web::get().to(get_document)))
            .service(web::redirect("/docs", "/docs/"))
            .service(web::resource(SCRIPT_PATH).route(web::get().to(get_script)))
            .service(SwaggerUi::new("/docs/{_:.*}"));
    }
}

async fn get_script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(SCRIPT)
}

async fn get_document(document: web::Data<Document>, seen: SeenEtags) -> HttpResponse {
    conditional(&document.etag, &seen, |mut response| {
        response
            .content_type("application/json")
            .body(document.text.clone())
    })
}
