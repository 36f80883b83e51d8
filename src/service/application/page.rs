//! Pages: long lists are read in pieces, each of which names the next.

use serde::Serialize;

use crate::error::{Code, Explain, Explanation};
use crate::message;

/// The number of items of a page by default.
pub const USUAL: usize = 100;
/// The most items of a page.
pub const MOST: usize = 1000;

/// A piece of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last.
    pub next: Option<String>,
}

/// The start and the length of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The cursor of the last item on the previous page.
    pub after: Option<String>,
    pub limit: usize,
}

/// A cursor that no item of the list has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the list has no {cursor:?}")]
pub struct UnknownCursor {
    pub cursor: String,
}

impl Explain for UnknownCursor {
    fn explain(&self) -> Explanation {
        Explanation::new(Code::InvalidParameter, message!("page-unknown-cursor"))
            .of_parameter("cursor")
    }
}

impl<T> Page<T> {
    /// Cuts a page from a list that is in order. `key` returns an item's cursor.
    ///
    /// # Errors
    /// [`UnknownCursor`] if no item has the request's cursor.
    pub fn of(
        items: impl IntoIterator<Item = T>,
        request: &PageRequest,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, UnknownCursor> {
        let mut items = items.into_iter();
        if let Some(after) = &request.after
            && !items.any(|item| key(&item) == *after)
        {
            return Err(UnknownCursor {
                cursor: after.clone(),
            });
        }
        let mut items: Vec<T> = items.take(request.limit + 1).collect();
        let more = items.len() > request.limit;
        items.truncate(request.limit);
        let next = if more { items.last().map(key) } else { None };
        Ok(Page { items, next })
    }
}
