//! The pure engine: what submissions add up to, how that goes up the tree, how a change goes up
//! as a change, and how everything is folded anew from the submissions (the oracle). Never a
//! clock, a database or HTTP, and no formula of it stands anywhere else.
//!
//! A unit's [`Rollup`](node::Rollup) has two parts: what it submitted itself (`own`) and what
//! its children pass up (`below`). Both are [`Tally`](tally::Tally)s, a commutative monoid: the
//! empty tally changes nothing, and the order of merging does not matter. What a unit passes up
//! depends on each indicator's aggregation:
//!
//! | across units | passes up | so a parent's `below` holds |
//! |---|---|---|
//! | sum, average, min, max, count | own and below, merged | everything under it |
//! | transfer | own | what its direct children handed up |
//! | none | nothing | nothing |
//!
//! A change is a pair of tallies, before and after. At each ancestor the before is taken out and
//! the after put in; sums can do that, an extreme sometimes cannot, and then that one node is
//! merged anew from its children.

pub mod amount;
pub mod apportion;
pub mod carry;
pub mod cell;
pub mod change;
pub mod climb;
pub mod encode;
pub mod figure;
pub mod fold;
pub mod frontier;
pub mod handover;
pub mod node;
pub mod piece;
pub mod tally;
pub mod total;
mod unit_total;
