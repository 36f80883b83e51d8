//! Does several things at once, each on a thread. Never what is done.

use std::panic::resume_unwind;
use std::thread::{ScopedJoinHandle, scope};

/// Does `work` with each of `parts`, side by side, and returns the results in their order. This
/// thread does the first, so that a single part needs no other thread.
pub(in crate::service) fn side_by_side<P: Send, R: Send>(
    parts: Vec<P>,
    work: impl Fn(P) -> R + Sync,
) -> Vec<R> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else {
        return Vec::new();
    };
    let work = &work;
    scope(|threads| {
        let others: Vec<_> = parts
            .map(|part| threads.spawn(move || work(part)))
            .collect();
        let first = work(first);
        let others = others.into_iter().map(result);
        [first].into_iter().chain(others).collect()
    })
}

/// Does `aside` on another thread while this one does `work`.
pub(in crate::service) fn beside<A: Send, W>(
    aside: impl FnOnce() -> A + Send,
    work: impl FnOnce() -> W,
) -> (A, W) {
    scope(|threads| {
        let aside = threads.spawn(aside);
        let work = work();
        (result(aside), work)
    })
}

/// Waits for a thread. Its panic goes on in this one.
fn result<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
