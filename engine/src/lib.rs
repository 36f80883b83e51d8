//! The pure engine of Tonghop: what there is to report ([`domain`]), and what it adds up to
//! ([`rollup`]). It is given the time, the map and the submissions, and reads nothing else: no clock,
//! no database, no HTTP. Only a new identity is made here ([`UnitId::new`](domain::id::UnitId::new)):
//! a UUIDv7, of the time and chance.

pub mod domain;
pub mod rollup;
