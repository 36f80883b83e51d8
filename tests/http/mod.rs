//! HTTP: conditions, faults, messages, the document of the API, and what one client may cost others.

mod bad_network;
mod conditions;
mod days;
mod fairness;
mod faults;
mod messages;
pub mod openapi;
mod overload;
