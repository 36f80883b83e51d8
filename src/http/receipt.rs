//! Receipts.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::shown;
use super::problem::Problem;
use super::request::{SeenEtags, SignedIn};
use crate::service::Application;
use crate::service::feed::receipt::{self, ReceiptView};

/// A receipt in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReceiptParams {
    /// The number of the receipt, as the answer to the step told it.
    #[param(example = "57", pattern = "^[1-9][0-9]*(-[1-9][0-9]*)?$")]
    receipt: String,
}

/// Read the receipt of a step by its number (biên nhận).
///
/// Every step of a submission and of a release has one; the answer to the step tells its number
/// (`receipt`), and so do `get_submission`, `list_revisions` and `get_release`. Whoever took the step may
/// read it, and whoever may read the submission or the release. `canonical` and `hash` never change.
#[utoipa::path(
    tag = "submissions",
    params(ReceiptParams, SeenEtags),
    responses((status = 200, description = "The receipt", body = ReceiptView)),
)]
#[get("/receipts/{receipt}")]
pub async fn get_receipt(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReceiptParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let number = path.into_inner().receipt;
    let view = super::blocking(move || receipt::get_receipt(&application, &identity, &number));
    Ok(shown(&seen, &view.await?))
}
