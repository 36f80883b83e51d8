//! The HTTP interface: the route list, which is the OpenAPI document as well; extractors;
//! problem+json; one file a noun, whose handlers extract, call one use case, and wrap what comes
//! back. Never SQL, never a rule.

pub mod contract;
pub mod docs;
pub mod extract;
pub mod health;
pub mod openapi;
pub mod problem;
pub mod routes;
pub mod server;
pub mod state;

mod account;
mod completeness;
mod expect;
pub(crate) mod form;
pub(crate) mod indicator;
mod level;
mod lineage;
mod page;
mod parameter;
mod reorganisation;
mod rollup;
mod schema;
mod series;
mod submission;
mod target;
mod text;
mod token;
mod unit;

use actix_web::web;

use problem::Problem;

use crate::service::application::patience::Caller;

/// Runs a use case, which waits for the database, on a thread that may wait.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let caller = Caller::default();
    // Dropped with the request, when its client has gone.
    let _presence = caller.present();
    match web::block(move || caller.attend(work)).await {
        Ok(result) => result.map_err(Into::into),
        // The thread is gone: the use case panicked, and the log has it.
        Err(_) => Err(Problem::internal()),
    }
}
