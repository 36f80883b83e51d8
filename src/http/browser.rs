//! What browsers are told with every answer: to run nothing that is not meant as a program, to show it
//! in no other page, and which other sites may call the API.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

/// What a server tells browsers. Part of the server's data.
#[derive(Debug, Clone)]
pub struct Browsers {
    /// The sites whose pages may call the API, such as `https://baocao.example.vn`.
    allowed_origins: Vec<String>,
    transport: Transport,
}

/// How people reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Plain,
    /// By https: browsers are told to use nothing else from now on.
    Encrypted,
}

impl Browsers {
    /// Prepares for the sites that may call the API, at a server that is reached at `public_url`.
    pub fn new(allowed_origins: Vec<String>, public_url: &str) -> Browsers {
        let transport = match public_url.starts_with("https://") {
            true => Transport::Encrypted,
            false => Transport::Plain,
        };
        Browsers {
            allowed_origins,
            transport,
        }
    }

    /// Returns the origin of a request, if its pages may call the API.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let mut allowed = self.allowed_origins.iter();
        allowed
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    fn tell(&self, page: Page, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        secure(page, headers);
        if self.transport == Transport::Encrypted {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR_OF_HTTPS);
        }
        if !self.allowed_origins.is_empty() {
            // A cache must not give one site's answer to another.
            headers.append(header::VARY, VARY_BY_ORIGIN);
        }
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// What an answer is to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Data, which runs nothing.
    Data,
    /// The page that shows the API, with its scripts and styles from this server.
    Docs,
}

impl Page {
    fn at(path: &str) -> Page {
        match path.starts_with("/docs") {
            true => Page::Docs,
            false => Page::Data,
        }
    }

    fn policy(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Page::Data => {
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            }
            // The page sets styles in its elements and has its pictures in its style sheet.
            Page::Docs => {
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                 img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'"
            }
        })
    }
}

const A_YEAR_OF_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const VARY_BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// The headers of answers that another site's page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Link, Location, Content-Language, Idempotency-Replayed, Preference-Applied, RateLimit, \
     RateLimit-Policy, Retry-After, X-Request-Id",
);

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");

/// The headers that another site's page may send.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Accept-Language, Content-Type, If-Match, If-None-Match, Idempotency-Key, \
     Last-Event-ID, Prefer, traceparent",
);

/// The seconds for which a browser need not ask again.
const ASKED_FOR: HeaderValue = HeaderValue::from_static("600");

/// Sets the headers that every answer has.
pub(super) fn secure(page: Page, headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, page.policy());
    }
}

/// The middleware around all others: answers a browser's question whether another site may call the
/// API, and adds to every answer what browsers are told.
///
/// # Errors
/// Those of the services inside.
pub async fn guard<B: MessageBody>(
    browsers: web::Data<Browsers>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let page = Page::at(request.path());
    let origin = browsers.allowed(request.headers());
    let is_question = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_question && origin.is_some() {
        let answer = HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, ASKED_FOR))
            .finish();
        request.into_response(answer).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    browsers.tell(page, origin, response.headers_mut());
    Ok(response)
}
