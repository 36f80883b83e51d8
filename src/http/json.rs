//! JSON documents as they are sent. Never what is in one.

use serde::Serialize;

/// Writes a JSON document that ends with a newline, so that answers which a shell prints one after
/// another do not run together.
///
/// # Errors
/// None in practice; the encoder's type allows one.
pub(super) fn json_line<T: Serialize>(body: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = serde_json::to_vec(body)?;
    text.push(b'\n');
    Ok(text)
}
