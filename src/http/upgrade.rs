//! Requests that ask for another protocol. The server offers none.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;

/// The middleware that says with the answer to such a request that its connection ends. The library
/// ends it in any case; a client that is not told sends its next request in vain. Java's client asks
/// for HTTP/2 with each request on a plain connection.
///
/// # Errors
/// Those of the handler.
pub(super) async fn decline<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let asked = request.head().upgrade();
    let mut response = next.call(request).await?;
    if asked {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
