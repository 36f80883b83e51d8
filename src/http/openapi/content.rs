//! The contents of an operation's body and of its answers, where they are written out.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Content, RefOr, Schema};

/// Lists the contents of an operation's body, one for each media type.
pub(super) fn of_body(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let body = operation.request_body.as_mut().and_then(written_out);
    let contents = body.into_iter().flat_map(|body| body.content.values_mut());
    contents.filter_map(written_out)
}

/// Says that a body that may be left out is not null where it is there.
pub(super) fn refuse_null(operation: &mut Operation) {
    for content in of_body(operation) {
        let Some(RefOr::T(Schema::OneOf(forms))) = &mut content.schema else {
            continue;
        };
        forms.items.retain(|form| !is_null(form));
        if let [only] = forms.items.as_slice() {
            content.schema = Some(only.clone());
        }
    }
}

fn is_null(form: &RefOr<Schema>) -> bool {
    matches!(form, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// Lists the contents of an operation's answers, of all statuses.
pub(super) fn of_answers(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let responses = operation.responses.responses.values_mut();
    let responses = responses.filter_map(written_out);
    let contents = responses.flat_map(|response| response.content.values_mut());
    contents.filter_map(written_out)
}

/// Returns the part of the document itself, unless it stands elsewhere.
pub(super) fn written_out<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}
