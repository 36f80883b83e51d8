//! Pages: long lists are read in pieces, each of which names the next. Never what is listed.

use serde::Serialize;

/// How many items a page has where the caller does not say.
pub const USUAL: usize = 100;
/// The most items of a page.
pub const MOST: usize = 1000;

/// A piece of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last.
    pub next: Option<String>,
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Everything up to and including this one was on earlier pages.
    pub after: Option<String>,
    pub limit: usize,
}

impl<T> Page<T> {
    /// The page of a list that is already in order; `key` gives each item's cursor.
    pub fn of(
        items: impl Iterator<Item = T>,
        request: &PageRequest,
        key: impl Fn(&T) -> String,
    ) -> Page<T> {
        let mut items: Vec<T> = match &request.after {
            None => items.take(request.limit + 1).collect(),
            Some(after) => {
                let rest = items.skip_while(|item| key(item) != *after).skip(1);
                rest.take(request.limit + 1).collect()
            }
        };
        let more = items.len() > request.limit;
        items.truncate(request.limit);
        let next = if more { items.last().map(key) } else { None };
        Page { items, next }
    }
}
