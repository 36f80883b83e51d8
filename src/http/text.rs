//! Names and numbers in request bodies.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::quantity::{LONGEST_TEXT, thousands};
use crate::service::application::text::EnteredName;

/// The format of exact numbers, as the OpenAPI initiative's registry of formats has it.
pub const EXACT: &str = "decimal";

/// A name in Vietnamese and, if wanted, in English.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameBody {
    #[schema(example = "Văn bản ban hành")]
    pub vi: String,
    #[schema(example = "Documents issued")]
    #[serde(default)]
    pub en: Option<String>,
}

impl From<NameBody> for EnteredName {
    fn from(body: NameBody) -> EnteredName {
        EnteredName {
            vi: body.vi,
            en: body.en,
        }
    }
}

/// An exact decimal number: a JSON number, or a string with its digits, for programs that would
/// make the number a float. Keeps the text as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecimalText(pub String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DecimalText, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(DecimalText(without_needless_zeros(&number.to_string()))),
            Value::String(text) => Ok(DecimalText(text)),
            _ => Err(serde::de::Error::custom(
                "expected a number or a string of digits",
            )),
        }
    }
}

/// Removes trailing zeros that programs add, as in `5.0`. Keeps `1.000`, which may mean a thousand.
fn without_needless_zeros(number: &str) -> String {
    let at = number.find(['e', 'E']).unwrap_or(number.len());
    let (digits, exponent) = number.split_at(at);
    let is_thousand = digits.ends_with(".000") && thousands(digits).is_some();
    if !digits.contains('.') || is_thousand {
        return number.to_owned();
    }
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{exponent}")
}

impl utoipa::PartialSchema for DecimalText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Number, Type::String]))
            .max_length(Some(LONGEST_TEXT))
            .format(Some(SchemaFormat::Custom(EXACT.to_owned())))
            .description(Some(
                "An exact decimal number: a JSON number, or a string with its digits.",
            ))
            .examples([serde_json::json!(1_562_410_000_i64)])
            .into()
    }
}

impl ToSchema for DecimalText {
    fn name() -> std::borrow::Cow<'static, str> {
        "DecimalText".into()
    }
}
