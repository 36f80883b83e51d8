//! Files with the submissions of many units.

use std::io::Cursor;

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::reply;
use super::blocking;
use super::problem::Problem;
use super::refusal::NotThere;
use super::request::{Called, FileBody, Params};
use crate::service::Application;
use crate::service::application::import_mode::ImportMode;
use crate::service::application::watcher::Nobody;
use crate::service::submission::{self, Intent, SubmissionFile, SubmissionImport, Unnamed};

/// A file of submissions, and what to do with it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SubmissionImportParams {
    /// The form's code.
    #[param(example = "mttq.annual")]
    form: String,
    /// The key of a base period.
    #[param(example = "2024")]
    period: String,
    /// `merge`, the default: values that the file does not name stay. `replace`: all values of the units
    /// that it names are replaced.
    #[param(nullable = false, inline)]
    mode: Option<SubmissionImportMode>,
    /// Submit at once; otherwise keep drafts, which count nowhere.
    #[param(nullable = false, default = false)]
    submit: Option<bool>,
    /// Only show the effect.
    #[param(nullable = false, default = false)]
    dry_run: Option<bool>,
}

/// What becomes of values that a file does not name.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionImportMode {
    Merge,
    Replace,
}

/// Enter the submissions of many units from one file, all or none.
///
/// Takes CSV with the columns `unit,indicator,value` and, optionally, `option` and `qualifier`, or a
/// sheet as `get_sheet` makes it. A unit is named by its code, or as elsewhere. Numbers are read as people write them (`1.562.410.000`,
/// `93,64`, `trên 800`); one that has two readings is refused with both. An empty cell leaves a value
/// as it is, `xóa` or `clear` takes it out. Each unit's submission is entered as `put_submission` enters
/// it, in one commit with all others. If anything is wrong, nothing is written, and the answer has every
/// fault with its row and column.
#[utoipa::path(
    tag = "submissions",
    params(SubmissionImportParams, Called<FileBody>),
    request_body(content(
        (String = "text/csv", example = json!("unit,indicator,option,value,qualifier\n30388-03,fund.raised,,24.500.000,\n30388-04,fund.raised,,18.200.000,at_least\n")),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = json!("(the bytes of a sheet)")),
    )),
    responses(
        (status = 200, description = "What was done", body = SubmissionImport),
        // The form and the period are in the query.
        NotThere,
    ),
)]
#[post("/submissions/import")]
pub async fn import_submissions(
    application: web::Data<Application>,
    Params(params): Params<SubmissionImportParams>,
    Called { call, body }: Called<FileBody>,
) -> Result<HttpResponse, Problem> {
    let imported = blocking(move || {
        let file = SubmissionFile {
            form: params.form,
            period: params.period,
            unnamed: match params.mode {
                Some(SubmissionImportMode::Replace) => Unnamed::Removed,
                Some(SubmissionImportMode::Merge) | None => Unnamed::Kept,
            },
            intent: match params.submit {
                Some(true) => Intent::Submit,
                Some(false) | None => Intent::KeepDraft,
            },
            mode: ImportMode::of_parameter(params.dry_run),
            file: Cursor::new(body),
        };
        submission::import_submissions(&application, &call, file, &Nobody)
    });
    Ok(reply(imported.await?))
}
