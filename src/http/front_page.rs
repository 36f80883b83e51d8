//! The page at the server's own address, to which links of invitations lead: says what to do with
//! the code. The code is behind a `#`, so no browser sends it.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};

use crate::message;

/// Adds the page to a server.
pub fn serve(server: &mut ServiceConfig) {
    server.service(web::resource("/").route(web::get().to(get_page)));
}

async fn get_page() -> HttpResponse {
    let (title, text) = (message!("front-page-title"), message!("front-page-text"));
    let part = |language, title, text| {
        format!("<section lang=\"{language}\"><h1>{title}</h1><p>{text}</p></section>")
    };
    let (vi, en) = (part("vi", title.vi, text.vi), part("en", title.en, text.en));
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(format!(
            "<!DOCTYPE html><html lang=\"vi\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Tonghop</title>{vi}{en}"
        ))
}
