//! The HTTP interface. The route list is also the OpenAPI document. One file a noun: its handlers
//! extract, call one use case, and wrap the result. Contains no SQL and no rule.

pub mod allowance;
pub mod browser;
pub mod contract;
pub mod docs;
pub mod health;
mod holiday;
mod import;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod routes;
pub mod server;
pub mod state;
pub mod tls;

mod account;
mod answer;
mod api_key;
mod approval;
mod batch;
mod bodiless;
mod change;
mod completeness;
mod event_stream;
mod expect;
mod extension;
pub(crate) mod form;
mod front_page;
pub(crate) mod indicator;
mod invitation;
mod json;
mod level;
mod lineage;
mod me;
mod parameter;
mod receipt;
mod reception;
mod refusal;
mod release;
mod reorganisation;
mod representation;
mod rollup;
mod schema;
mod series;
mod sheet;
mod sign_in_attempt;
mod submission;
mod subtree_reporting;
mod table;
mod target;
mod task;
mod text;
mod token;
mod unit;
mod upgrade;
mod violation;

use actix_web::web;

use problem::Problem;

use crate::service::application::patience::Caller;

/// Runs a use case on a thread that may block on the database.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let caller = Caller::default();
    // Dropped with the request if the client disconnects.
    let _presence = caller.present();
    match web::block(move || caller.attend(work)).await {
        Ok(result) => result.map_err(Into::into),
        // The use case panicked and its thread is gone; the log has the message.
        Err(_) => Err(Problem::internal()),
    }
}
