//! Totals: carries a unit's submission to every ancestor in the transaction of the submission, for
//! its base period and every longer period made of it, and reads rollups. Does not decide what is
//! shown.

mod apply;
mod board;
pub mod cell;
mod joined;
mod rebuild;
pub mod renewal;

pub(in crate::service) use apply::{Added, Adding};
pub(in crate::service) use board::{
    Board, Given, OwnChange, Shared, divisions_in, given_by, handed_over_of, histories_of, maps_of,
};
pub(in crate::service) use joined::{join, joined_rollups};
pub(in crate::service) use rebuild::{rebuild_period, rebuild_since, reported_periods};
