//! Headers of a request: as text, and as the OpenAPI document describes them.

use actix_web::http::header::{HeaderMap, HeaderName};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

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

/// Describes a header without an example, since the API's page would send the example.
pub(in crate::http) fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Describes a header of which the values fit a pattern.
pub(super) fn patterned_parameter(name: &str, description: &str, pattern: &str) -> Parameter {
    let mut parameter = header_parameter(name, description);
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern));
    parameter.schema = Some(schema.into());
    parameter
}
