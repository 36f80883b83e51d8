//! Query parameters of paged lists, and the answer with its Link header.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LINK};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::error::{Code, Fault};
use crate::http::answer::shown;
use crate::http::problem::Problem;
use crate::http::request::SeenEtags;
use crate::message;
use crate::service::application::page::{MOST, Page, PageRequest, USUAL};

/// The page to return.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<usize>,
}

/// Reads the cursor and the limit of a page.
///
/// # Errors
/// A limit out of range.
pub fn page_request(cursor: Option<String>, limit: Option<usize>) -> Result<PageRequest, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let message = message!("page-limit", most = MOST);
        let fault = Fault::in_parameter("limit", Code::InvalidParameter, message.clone());
        return Err(Problem::new(Code::InvalidParameter, message).with_faults(vec![fault]));
    }
    Ok(PageRequest {
        after: cursor,
        limit,
    })
}

/// Answers with a page, or 304 if the reader has it, and links to the next page in a header too
/// (RFC 8288).
pub fn page_response<T: Serialize>(
    request: &HttpRequest,
    seen: &SeenEtags,
    page: &Page<T>,
) -> HttpResponse {
    linked_response(request, seen, page, page.next.as_deref())
}

/// Answers like [`page_response`] with a document that contains a page.
pub fn linked_response<T: Serialize>(
    request: &HttpRequest,
    seen: &SeenEtags,
    document: &T,
    next: Option<&str>,
) -> HttpResponse {
    let mut response = shown(seen, document);
    let link = next.map(|next| format!("<{}>; rel=\"next\"", next_address(request, next)));
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

fn next_address(request: &HttpRequest, next: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    // A cursor is made of codes, ids and numbers, none of which needs escaping.
    let query: Vec<String> = kept
        .map(str::to_owned)
        .chain(std::iter::once(format!("cursor={next}")))
        .collect();
    format!("{}?{}", request.path(), query.join("&"))
}
