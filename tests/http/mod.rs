//! HTTP: conditions, faults, messages, the API document, and what one client may cost the others.

mod bad_network;
mod conditions;
mod days;
mod fairness;
mod faults;
mod messages;
pub mod openapi;
mod overload;
