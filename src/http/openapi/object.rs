//! The objects of a schema. Does not know what is done with them.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema};

/// Calls `see` with every object of a schema that is written out in it: itself, its fields, its
/// items, its forms and its parts.
pub(super) fn each_object(schema: &mut RefOr<Schema>, see: &mut impl FnMut(&mut Object)) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            see(object);
            for field in object.properties.values_mut() {
                each_object(field, see);
            }
            if let Some(AdditionalProperties::RefOr(values)) =
                object.additional_properties.as_deref_mut()
            {
                each_object(values, see);
            }
        }
        Schema::OneOf(forms) => forms
            .items
            .iter_mut()
            .for_each(|form| each_object(form, see)),
        Schema::AllOf(parts) => parts
            .items
            .iter_mut()
            .for_each(|part| each_object(part, see)),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                each_object(items, see);
            }
        }
        _ => {}
    }
}
