//! Packed texts: documents that are kept in great numbers, or for ever, and are seldom read again.

use std::fmt::Display;

use crate::store::StoreError;

/// The version of the stored format. A new format gets a new number, and old ones stay readable.
const LAYOUT: u8 = 1;

/// Compresses bytes.
pub(in crate::service) fn packed(plain: &[u8]) -> Vec<u8> {
    let mut packed = vec![LAYOUT];
    packed.extend(lz4_flex::compress_prepend_size(plain));
    packed
}

/// Returns the bytes that were packed. `what` names them in an error.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(in crate::service) fn unpacked(packed: &[u8], what: &str) -> Result<Vec<u8>, StoreError> {
    let corrupt = |fault: &dyn Display| StoreError::Corrupt(format!("{what}: {fault}"));
    let Some((&LAYOUT, packed)) = packed.split_first() else {
        return Err(corrupt(&"a layout that this program does not know"));
    };
    let (size, block) =
        lz4_flex::block::uncompressed_size(packed).map_err(|error| corrupt(&error))?;
    // No compression does better, so a larger size is damage.
    if size > packed.len().saturating_mul(255) {
        return Err(corrupt(&"a size that cannot be"));
    }
    lz4_flex::decompress(block, size).map_err(|error| corrupt(&error))
}
