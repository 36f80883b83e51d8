//! Forms and their periods.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, shown, tagged};
use super::indicator::CatalogueParams;
use super::problem::Problem;
use super::request::page::{page_request, page_response};
use super::request::{CalledToPut, JsonBody, Now, Params, SeenEtags, SignedIn};
use super::text::NameBody;
use super::unit::DayParams;
use crate::domain::day::Day;
use crate::domain::form::{FourEyes, Late, Narrative, Need, Severity, Show};
use crate::domain::period::{Calendar, Frequency};
use crate::service::Application;
use crate::service::application::page::Page;
use crate::service::application::text::EnteredName;
use crate::service::catalogue::form::{
    self, EnteredForm, EnteredItem, EnteredRule, EnteredSection, EnteredWindow, FormView,
    PeriodList,
};

/// List the forms of the catalogue, by code.
///
/// Each is shown in the version of the day.
#[utoipa::path(
    tag = "catalogue",
    params(CatalogueParams, SeenEtags),
    responses((status = 200, description = "A page of forms", body = Page<FormView>)),
)]
#[get("/forms")]
pub async fn list_forms(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<CatalogueParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed = super::blocking(move || {
        form::list_forms(
            &application,
            &identity,
            &page,
            params.as_of.map(Day::get),
            now.0,
        )
    });
    Ok(page_response(&request, &seen, &listed.await?))
}

/// Read a form as it is on a day.
///
/// With its outline, rules, deadlines and, if it has its own, windows. Its ETag is what a new version
/// builds on.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("form" = String, Path, description = "The form's code", example = "mttq.annual"),
        DayParams,
        SeenEtags,
    ),
    responses((status = 200, description = "The form", body = FormView)),
)]
#[get("/forms/{form}")]
pub async fn get_form(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    code: web::Path<String>,
    Params(params): Params<DayParams>,
    seen: SeenEtags,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let (state, view) = super::blocking(move || {
        form::get_form(
            &application,
            &identity,
            &code,
            params.as_of.map(Day::get),
            now.0,
        )
    })
    .await?;
    Ok(tagged(&state, &seen, &view))
}

/// The year to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeriodParams {
    /// The year under which the periods are counted.
    #[param(minimum = 1900, maximum = 2199, example = 2024)]
    year: i32,
}

/// List the periods of a form in a year.
///
/// With the day on which each opens, and its deadlines by level.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("form" = String, Path, description = "The form's code", example = "mttq.annual"),
        PeriodParams,
        SeenEtags,
    ),
    responses((status = 200, description = "The periods, in order", body = PeriodList)),
)]
#[get("/forms/{form}/periods")]
pub async fn list_periods(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    code: web::Path<String>,
    Params(params): Params<PeriodParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let list =
        super::blocking(move || form::list_periods(&application, &identity, &code, params.year));
    Ok(shown(&seen, &list.await?))
}

/// A version of a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormBody {
    pub name: NameBody,
    /// With `frequency`: the form's periods are those of a calendar.
    pub calendar: Option<Calendar>,
    pub frequency: Option<Frequency>,
    /// Instead of `calendar` and `frequency`: the form's periods are these windows (a campaign, a
    /// budget year, a request that comes once). A window belongs to the version of its last day, so
    /// that version lists it. More windows can be added later. A window with submissions keeps its
    /// days.
    pub windows: Option<Vec<WindowBody>>,
    /// The unit that the form belongs to, by its id or `code:…`: only units at and below it are asked.
    /// Those who manage it or a unit above it change the form. The owner stays. Without it the form is
    /// of the whole tenant, and only an administrator changes it.
    #[schema(example = json!(null))]
    pub owner: Option<String>,
    /// The levels whose units submit.
    #[serde(default)]
    pub submitted_by: Vec<String>,
    /// Instead of `submitted_by`: the units that submit, by id or `code:…`. A code is that of the
    /// version's first day, or of today if that is past. They lie at or below the owner.
    #[schema(max_items = 1000, example = json!(null))]
    pub recipients: Option<Vec<String>>,
    /// Days before the closing day on which entry begins; by default, and at the earliest, the
    /// period's first day.
    #[schema(maximum = 65535, example = 5)]
    pub opens: Option<u16>,
    /// Working days after the closing day, by level: Monday to Friday and the working Saturdays,
    /// without the holidays (`get_holidays`). A level that is not named has no deadline. A level that
    /// submits nothing, above one that does, may have one for its own report. A window's `due_at`
    /// overrides this.
    #[serde(default)]
    pub deadlines: BTreeMap<String, u16>,
    #[serde(default)]
    #[schema(default = "accept")]
    pub late: Late,
    /// If true, an account may not approve values that it entered.
    #[serde(default)]
    #[schema(default = false)]
    pub four_eyes: bool,
    /// Warns (`VALUE_JUMPED`) of a total that is more than so many times the mean of the unit's totals
    /// in the last four periods, or less than one part in so many of it. Without it nobody is warned.
    #[schema(minimum = 2, maximum = 1000, example = json!(null))]
    pub jump_factor: Option<u16>,
    pub outline: Vec<SectionBody>,
    #[serde(default)]
    pub rules: Vec<RuleBody>,
    /// The first day of this version; by default it holds from the beginning.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<Day>,
}

/// One of a form's own windows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowBody {
    /// The year that the window is counted under, a hyphen, and a name. The name has at most 24
    /// lower-case letters, digits and hyphens, begins with a letter, and is not `w`, `q` or `h`
    /// followed by a number. Windows with one name in two years are compared (cùng kỳ).
    #[schema(example = "2025-tet")]
    pub key: String,
    pub name: Option<NameBody>,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub from: Day,
    /// The last day (chốt số liệu).
    #[schema(value_type = String, format = Date)]
    pub to: Day,
    /// The deadline for every level: a day, which counts to its end in the tenant's time zone, or
    /// an instant (RFC 3339, with its offset). Without it, `deadlines` hold.
    #[schema(example = "2025-02-10T17:00:00+07:00")]
    pub due_at: Option<String>,
}

/// A heading of the outline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionBody {
    #[schema(example = "II.2.2")]
    pub number: String,
    pub title: NameBody,
    /// If true, prose can be written under the heading.
    #[serde(default)]
    #[schema(default = false)]
    pub narrative: bool,
    #[serde(default)]
    pub items: Vec<ItemBody>,
    #[serde(default)]
    #[schema(no_recursion)]
    pub sections: Vec<SectionBody>,
}

/// An indicator in the outline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemBody {
    #[schema(example = "docs.issued")]
    pub indicator: String,
    /// The levels whose units submit the indicator; by default every unit that submits the form.
    pub collected_at: Option<Vec<String>>,
    #[serde(default)]
    #[schema(default = false)]
    pub required: bool,
    #[serde(default)]
    #[schema(default = "total")]
    pub show: Show,
    /// The form on which the indicator is entered, if it is not this one (a figure is typed once): that
    /// form's figures of the same days are shown and rolled up here. Its outline must have the indicator
    /// as one that is entered there, and it must have the same calendar and come at least as often.
    /// Leave out `collected_at` and `required` then.
    #[schema(example = "mttq.monthly")]
    pub from_form: Option<String>,
}

/// A check of a unit's totals, made at every submission.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    #[schema(
        example = "SPENT_WITHIN_RAISED",
        max_length = 60,
        pattern = "^[A-Z][A-Z0-9_]*$"
    )]
    pub code: String,
    pub severity: Severity,
    #[schema(example = "fund.spent <= fund.raised")]
    pub expression: String,
    pub message: NameBody,
}

impl FormBody {
    /// Returns the entered form under this code.
    pub(crate) fn entered(self, code: String) -> EnteredForm {
        let windows = self.windows.map(Vec::into_iter);
        EnteredForm {
            code,
            name: self.name.into(),
            calendar: self.calendar,
            frequency: self.frequency,
            windows: windows.map(|windows| windows.map(EnteredWindow::from).collect()),
            owner: self.owner,
            submitted_by: self.submitted_by,
            recipients: self.recipients,
            opens: self.opens,
            deadlines: self.deadlines,
            late: self.late,
            four_eyes: if self.four_eyes {
                FourEyes::Required
            } else {
                FourEyes::NotRequired
            },
            jump_factor: self.jump_factor,
            outline: self.outline.into_iter().map(EnteredSection::from).collect(),
            rules: self.rules.into_iter().map(EnteredRule::from).collect(),
            valid_from: self.valid_from.map(Day::get),
        }
    }
}

impl From<WindowBody> for EnteredWindow {
    fn from(body: WindowBody) -> EnteredWindow {
        EnteredWindow {
            key: body.key,
            name: body.name.map(EnteredName::from),
            from: body.from.get(),
            to: body.to.get(),
            due_at: body.due_at,
        }
    }
}

impl From<SectionBody> for EnteredSection {
    fn from(body: SectionBody) -> EnteredSection {
        EnteredSection {
            number: body.number,
            title: body.title.into(),
            narrative: if body.narrative {
                Narrative::Taken
            } else {
                Narrative::NotTaken
            },
            items: body.items.into_iter().map(EnteredItem::from).collect(),
            sections: body
                .sections
                .into_iter()
                .map(EnteredSection::from)
                .collect(),
        }
    }
}

impl From<ItemBody> for EnteredItem {
    fn from(body: ItemBody) -> EnteredItem {
        EnteredItem {
            indicator: body.indicator,
            collected_at: body.collected_at,
            need: if body.required {
                Need::Required
            } else {
                Need::Optional
            },
            show: body.show,
            from_form: body.from_form,
        }
    }
}

impl From<RuleBody> for EnteredRule {
    fn from(body: RuleBody) -> EnteredRule {
        EnteredRule {
            code: body.code,
            severity: body.severity,
            expression: body.expression,
            message: body.message.into(),
        }
    }
}

/// Add a form, or a version of it from a day on.
///
/// A version holds from its first day until the next one. Earlier periods keep the version of their
/// last day. Send `If-Match` to change one; `If-None-Match: *`, or neither, creates one.
///
/// A `unit_admin` makes forms that belong to a unit of the subtree (`owner`), of the indicators that
/// there are. Making new indicators stays with the administrators.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("form" = String, Path, description = "The form's code", example = "fund.monthly"),
        CalledToPut<JsonBody<FormBody>>,
    ),
    request_body = FormBody,
    responses(
        (status = 200, description = "The form with its new version", body = FormView),
        (status = 201, description = "The new form", body = FormView),
    ),
)]
#[put("/forms/{form}")]
pub async fn put_form(
    application: web::Data<Application>,
    code: web::Path<String>,
    CalledToPut { call, body }: CalledToPut<JsonBody<FormBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = body.entered(code.into_inner());
    change(application, call, entered, form::put_form).await
}
