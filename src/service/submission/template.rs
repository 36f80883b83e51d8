//! The template of a unit's submission: the fields that it is asked for, with what it sent for the
//! period before and what it has entered already.

use chrono::NaiveDate;
use serde::Serialize;

use super::Reader;
use super::asked::{Amount, AskedFigure, figures_of, period_before, read_units};
use super::difference::QuantityView;
use super::error::SubmissionError;
use super::extension::deadline_of;
use super::step::check_asked;
use super::view::ReturnView;
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::form::Need;
use crate::domain::submission::{Revision, Status};
use crate::service::application::Application;
use crate::service::application::locate::ReportPath;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::text::NameView;
use crate::store::extension::extension_get;

/// The fields of a unit's submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TemplateView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// The first day on which it can be entered.
    pub opens: NaiveDate,
    /// The last day on which the unit is in time; null without a deadline.
    pub deadline: Option<NaiveDate>,
    /// The last day of the unit's extension, which `deadline` counts; null if it was given none.
    pub extended_until: Option<NaiveDate>,
    /// Null if the unit has entered nothing.
    pub status: Option<Status>,
    /// The revision that something entered now builds on; null if the unit has entered nothing.
    pub revision: Option<i32>,
    /// The return, or the reopening with a reason, that the unit has still to answer; null if there is
    /// none.
    pub last_return: Option<ReturnView>,
    /// The period whose values are in `previous`; null if the form had none before.
    pub previous_period: Option<PeriodName>,
    /// In the order of the outline. Totals of closed breakdowns are computed and not listed.
    pub fields: Vec<FieldView>,
}

/// A figure that a unit is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldView {
    /// The number of the heading in the form's outline.
    #[schema(example = "I")]
    pub section: String,
    #[schema(example = "docs.issued")]
    pub indicator: String,
    /// The option of a breakdown; null for the indicator itself.
    #[schema(example = "plan")]
    pub option: Option<String>,
    pub name: NameView,
    /// Null for the indicator itself.
    pub option_name: Option<NameView>,
    #[schema(example = "văn bản")]
    pub unit_of_measure: String,
    pub decimals: u8,
    /// If true, the submission is refused without it.
    pub required: bool,
    /// The unit's latest value for this period; null if there is none.
    pub entered: Option<QuantityView>,
    /// The unit's value that counts for the period before; null if there is none.
    pub previous: Option<QuantityView>,
}

/// Reads the template of a unit's submission.
///
/// # Errors
/// [`SubmissionError`].
pub fn get_template(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<TemplateView, SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base(path)?;
        let (place, period) = (located.place(), located.in_force.period);
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        check_asked(snapshot, &located)?;
        let units = read_units(transaction, snapshot, &located, std::iter::once(place))?;
        let unit = units.into_iter().next().ok_or(SubmissionError::Missing)?;
        let extension = extension_get(transaction, located.key())?;
        let deadline = deadline_of(snapshot, &located, extension.as_ref());
        let reader = Reader {
            application,
            identity,
            snapshot,
        };
        let last_return = match &unit.submission {
            Some(submission) => reader.last_return(transaction, located.key(), submission)?,
            None => None,
        };
        let respondents = snapshot.respondents(&period);
        let figures = figures_of(&located.in_force, &respondents.levels_of(place));
        let entered = unit
            .entered
            .as_ref()
            .map(|content| content.facts.as_slice());
        let fields = figures.iter().map(|figure| {
            let entered = entered.and_then(|facts| figure.amount(facts));
            field_of(figure, entered, figure.amount(&unit.previous))
        });
        let submission = unit.submission.as_ref();
        Ok(TemplateView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&period),
            unit: UnitName::of(place),
            opens: period.opens(),
            deadline: deadline.map(|deadline| deadline.day(snapshot.counters.time_zone)),
            extended_until: extension.map(|given| given.until),
            status: submission.map(|submission| submission.status),
            revision: unit.revision().map(Revision::get),
            last_return,
            previous_period: period_before(&period).as_ref().map(PeriodName::of),
            fields: fields.collect(),
        })
    })
}

fn field_of(
    figure: &AskedFigure<'_>,
    entered: Option<Amount>,
    previous: Option<Amount>,
) -> FieldView {
    let definition = figure.entry.definition;
    let view = |amount: Amount| QuantityView {
        value: amount.value,
        qualifier: amount.qualifier,
    };
    FieldView {
        section: figure.section.number.to_string(),
        indicator: figure.entry.indicator.code.to_string(),
        option: figure.option.map(|option| option.code.to_string()),
        name: NameView::of(&definition.name),
        option_name: figure.option.map(|option| NameView::of(&option.name)),
        unit_of_measure: definition.unit_of_measure.clone(),
        decimals: definition.decimals.get(),
        required: figure.entry.item.need == Need::Required,
        entered: entered.map(view),
        previous: previous.map(view),
    }
}
