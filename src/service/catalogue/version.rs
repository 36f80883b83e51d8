//! A version of an indicator or a form: what tells it from others. Never what it holds.

use chrono::NaiveDate;

use crate::service::application::condition::Etag;

/// Builds an ETag from the catalogue's rev, which a change is checked against, and the day's
/// version.
pub(super) fn etag_of(catalogue_rev: i64, valid_from: NaiveDate) -> Etag {
    Etag::new(format_args!("{catalogue_rev}.{valid_from}"))
}
