//! The parts of a request that handlers receive, checked, one file each. Contains no rule of the
//! domain.

mod address;
mod body;
mod call;
mod caller;
mod condition;
mod file;
mod form;
mod header;
mod idempotency;
mod json;
mod limit;
mod list;
mod packing;
pub mod page;
mod query;
mod text;

use std::pin::Pin;
use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

use crate::http::contract::{Matched, OperationRules};
use crate::http::problem::Problem;

pub use self::address::TrustedProxies;
pub use self::body::{Body, NoBody};
pub use self::call::{Called, CalledOn, CalledToDelete, CalledToPut};
pub(super) use self::caller::not_signed_in;
pub use self::caller::{BasicCredentials, ClientOf, Now, SignedIn, note_use};
pub use self::condition::SeenEtags;
pub(super) use self::condition::seen_state;
pub use self::file::FileBody;
pub use self::form::Fields;
pub(super) use self::header::header_parameter;
pub(super) use self::idempotency::IDEMPOTENCY_KEY;
pub use self::json::{JsonBody, LargeJsonBody, OptionalJsonBody};
pub(super) use self::json::{MOST_ITEMS, wrong_body};
pub use self::limit::{BodyLimit, BodyTime};
pub(super) use self::limit::{LARGEST_FORM, body_too_large, check_head};
pub use self::list::ListBody;
pub use self::query::{Params, listed};
pub use self::text::TextBody;

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// Reports that the server was assembled without data that its handlers need.
fn misconfigured() -> Problem {
    tracing::error!("the application is not in the server's data");
    Problem::internal()
}

fn matched(request: &HttpRequest) -> Option<Arc<OperationRules>> {
    let extensions = request.extensions();
    let matched = extensions.get::<Matched>();
    matched.map(|Matched(rules)| Arc::clone(rules))
}
