//! Query parameters as the OpenAPI document describes them, and the check of a text against them.
//! Adds no rule that the document does not state.

use itertools::Itertools;
use serde_json::Value;

use crate::domain::day::Day;
use crate::error::{Code, Fault, Message};
use crate::message;

/// A query parameter of an operation.
pub(super) struct Parameter {
    pub necessity: Necessity,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Necessity {
    Required,
    Optional,
}

/// The texts that a parameter accepts.
enum Shape {
    Text(TextLength),
    Day,
    YesOrNo,
    OneOf(Vec<String>),
    Whole(WholeRange),
}

/// The number of characters of a text.
#[derive(Clone, Copy)]
struct TextLength {
    least: usize,
    most: usize,
}

impl TextLength {
    fn of(schema: &Value) -> TextLength {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let bound = |key: &str| bound(key).and_then(|bound| usize::try_from(bound).ok());
        TextLength {
            least: bound("minLength").unwrap_or(0),
            most: bound("maxLength").unwrap_or(usize::MAX),
        }
    }
}

#[derive(Clone, Copy)]
struct WholeRange {
    minimum: i64,
    maximum: i64,
}

impl Parameter {
    /// Reads a parameter of the document.
    pub fn new(parameter: &Value) -> Parameter {
        let necessity = match parameter.get("required") {
            Some(Value::Bool(true)) => Necessity::Required,
            _ => Necessity::Optional,
        };
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        Parameter {
            necessity,
            shape: Shape::of(schema),
        }
    }

    /// Returns the fault of a text, or `None` if the parameter accepts it.
    pub fn fault(&self, name: &str, text: &str) -> Option<Fault> {
        if self.shape.takes(text) {
            return None;
        }
        let message = self.shape.message(name);
        Some(Fault::in_parameter(name, Code::InvalidParameter, message))
    }
}

impl Shape {
    fn of(schema: &Value) -> Shape {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let options = schema.get("enum").and_then(Value::as_array);
        match (text("type"), text("format"), options) {
            (_, _, Some(options)) => {
                let options = options.iter().filter_map(Value::as_str);
                Shape::OneOf(options.map(str::to_owned).collect())
            }
            (Some("string"), Some("date"), _) => Shape::Day,
            (Some("boolean"), ..) => Shape::YesOrNo,
            (Some("integer"), ..) => {
                let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
                Shape::Whole(WholeRange {
                    minimum: bound("minimum").unwrap_or(i64::MIN),
                    maximum: bound("maximum").unwrap_or(i64::MAX),
                })
            }
            _ => Shape::Text(TextLength::of(schema)),
        }
    }

    fn takes(&self, text: &str) -> bool {
        match self {
            Shape::Text(length) => (length.least..=length.most).contains(&text.chars().count()),
            Shape::Day => text.parse::<Day>().is_ok(),
            Shape::YesOrNo => matches!(text, "true" | "false"),
            Shape::OneOf(options) => options.iter().any(|option| option == text),
            Shape::Whole(bounds) => text
                .parse()
                .is_ok_and(|number| (bounds.minimum..=bounds.maximum).contains(&number)),
        }
    }

    fn message(&self, name: &str) -> Message {
        match self {
            Shape::Text(TextLength { least, most }) => {
                message!("shape-text", name, least, most)
            }
            Shape::Day => message!("shape-day", name),
            Shape::YesOrNo => message!("shape-yes-or-no", name),
            Shape::OneOf(options) => {
                let options = options.iter().join(", ");
                message!("shape-one-of", name, options)
            }
            Shape::Whole(WholeRange { minimum, maximum }) => {
                message!("shape-whole", name, minimum, maximum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(schema: Value, texts: &[&str]) -> Vec<bool> {
        let parameter = Parameter::new(&json!({"schema": schema}));
        let texts = texts.iter();
        texts
            .map(|text| parameter.fault("p", text).is_none())
            .collect()
    }

    #[test]
    fn a_parameter_takes_what_its_schema_says() {
        let year = json!({"type": "integer", "minimum": 1900, "maximum": 2199});
        assert_eq!(
            taken(
                year,
                &[
                    "1900",
                    "2199",
                    "1899",
                    "-1",
                    "2200",
                    "x",
                    "",
                    "2000.0",
                    "99999999999999999999"
                ]
            ),
            [true, true, false, false, false, false, false, false, false]
        );
        let day = json!({"type": "string", "format": "date"});
        assert_eq!(
            taken(day, &["2026-01-02", "26-1-2", " 2026-01-02", ""]),
            [true, false, false, false]
        );
        let stage = json!({"type": "string", "enum": ["submitted"]});
        assert_eq!(taken(stage, &["submitted", "Submitted"]), [true, false]);
        assert_eq!(
            taken(json!({"type": "boolean"}), &["true", "yes"]),
            [true, false]
        );
        assert_eq!(taken(json!({"type": "string"}), &["", "any"]), [true, true]);
        let name = json!({"type": "string", "minLength": 1, "maxLength": 2});
        assert_eq!(taken(name, &["", "ấp", "xóm"]), [false, true, false]);
    }
}
