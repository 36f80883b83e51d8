//! Watchers: receive the progress of a long use case.

/// A phase of a use case, whose length is known when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Checking the rows of a list.
    Rows,
    /// Writing units.
    Units,
    /// Computing a form's figures on a map.
    Figures,
    /// Writing the facts of the map, one kind after another.
    Map,
    /// Rebuilding a period's totals.
    Totals,
    /// Reading the rows of a list of values, whose number is not known.
    Values,
    /// Entering submissions.
    Submissions,
}

/// Receives the length of each phase when it begins, then each part that is done.
pub trait Watcher {
    fn begin(&self, phase: Phase, length: usize);
    fn advance(&self, by: usize);
}

/// A watcher that ignores progress.
pub struct Nobody;

impl Watcher for Nobody {
    fn begin(&self, _: Phase, _: usize) {}
    fn advance(&self, _: usize) {}
}
