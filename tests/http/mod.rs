//! HTTP: conditions, faults, messages, the API document, who may do what, and what one client may cost the others.

mod bad_network;
mod compatibility;
mod conditions;
mod days;
mod examples;
mod fairness;
mod faults;
mod limits;
mod locations;
mod messages;
pub mod openapi;
mod overload;
mod policy;
mod proxies;
mod refusals;
mod representation;
mod rubbish;
mod upgrade;
pub mod walls;
