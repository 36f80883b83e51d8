//! Serves the OpenAPI document, and a page that shows it without internet access. The content of
//! the document comes from the handlers.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Bytes, ServiceConfig};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use super::answer::conditional;
use super::openapi::with_numbers_as_text;
use super::request::SeenEtags;
use crate::service::application::condition::Etag;

const DOCUMENT_PATH: &str = "/openapi.json";

/// The path of the document for clients that take exact numbers as text.
const TEXT_DOCUMENT_PATH: &str = "/openapi-text.json";

/// The path under which the page loads its start script.
const SCRIPT_PATH: &str = "/docs/swagger-initializer.js";

/// The page's start script: signs in to a tenant and fills in the headers of changes.
const SCRIPT: &str = include_str!("docs.js");

/// The OpenAPI documents, serialised once.
#[derive(Clone)]
pub struct Documents {
    usual: Document,
    /// For clients that take exact numbers as text.
    with_text: Document,
}

#[derive(Clone)]
struct Document {
    text: Bytes,
    etag: Etag,
}

impl Document {
    /// Serialises a document exactly as the checked-in file.
    fn new(document: &OpenApi) -> Result<Document, serde_json::Error> {
        let mut text = document.to_pretty_json()?;
        text.push('\n');
        Ok(Document {
            etag: Etag::of_bytes(text.as_bytes()),
            text: text.into(),
        })
    }

    fn answer(&self, seen: &SeenEtags) -> HttpResponse {
        conditional(&self.etag, seen, |mut response| {
            response
                .content_type("application/json")
                .body(self.text.clone())
        })
    }
}

impl Documents {
    /// Serialises the document, and the one that is made from it.
    ///
    /// # Errors
    /// The encoder's.
    pub fn new(document: &OpenApi) -> Result<Documents, serde_json::Error> {
        Ok(Documents {
            usual: Document::new(document)?,
            with_text: Document::new(&with_numbers_as_text(document)?)?,
        })
    }

    /// Adds the documents and their page, `/docs/`, to a server.
    pub fn serve(self, server: &mut ServiceConfig) {
        server
            .app_data(web::Data::new(self))
            .service(web::resource(DOCUMENT_PATH).route(web::get().to(get_document)))
            .service(web::resource(TEXT_DOCUMENT_PATH).route(web::get().to(get_text_document)))
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

async fn get_document(documents: web::Data<Documents>, seen: SeenEtags) -> HttpResponse {
    documents.usual.answer(&seen)
}

async fn get_text_document(documents: web::Data<Documents>, seen: SeenEtags) -> HttpResponse {
    documents.with_text.answer(&seen)
}
