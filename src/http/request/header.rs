//! Headers of a request as text.

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::error::{Code, Message};
use crate::http::problem::Problem;
use crate::message;

/// Joins all lines of a header into one list (RFC 9110, section 5.3).
pub(super) fn header_text(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Option<String>, Problem> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        let line = line
            .to_str()
            .map_err(|_| invalid_header(message!("header-no-text", name)))?;
        lines.push(line.trim());
    }
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

pub(super) fn invalid_header(message: Message) -> Problem {
    Problem::new(Code::InvalidHeader, message)
}
