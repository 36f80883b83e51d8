//! Watchers: who waits for a long use case, and is told how far it is. Never what it does.

/// A part of a use case, of which it is known beforehand how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Rows of a list are checked.
    Rows,
    /// Units are written.
    Units,
    /// A form's figures are put together on a map.
    Figures,
    /// Facts of the map are written, a kind after the other.
    Map,
    /// A period's totals are made anew.
    Totals,
}

/// Is told of each phase how long it is when it begins, and then of each part that is done.
pub trait Watcher {
    fn begin(&self, phase: Phase, length: usize);
    fn advance(&self, by: usize);
}

/// Nobody waits.
pub struct Nobody;

impl Watcher for Nobody {
    fn begin(&self, _: Phase, _: usize) {}
    fn advance(&self, _: usize) {}
}
