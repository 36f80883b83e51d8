//! Forms: reads them and their periods, and puts versions of them.

pub(in crate::service) mod asked;

use crate::domain::fault::FieldPath;
use crate::locale::{Count, Quoted};
use crate::path;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::Serialize;

use self::asked::{Owner, ReadRespondents, check_owner_kept, check_owner_named, unit_named};
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::catalogue::{Catalogue, NotGiven, ReasonNotGiven};
use crate::domain::deadline::Deadline;
use crate::domain::form::{
    FixedFormPart, Form, FormDefinition, FormPeriod, FourEyes, Item, Late, Narrative, Need,
    Periods, Rule, Section, Severity, Show, Window,
};
use crate::domain::formula::{Comparison, Operand};
use crate::domain::id::{
    FormCode, FormNumber, IndicatorCode, LevelCode, RuleCode, SectionNumber, UnitId,
};
use crate::domain::jump::JumpFactor;
use crate::domain::level::Level;
use crate::domain::naming::Named;
use crate::domain::period::{Calendar, DateRange, Frequency, WindowKey};
use crate::domain::submission::OwnWarning;
use crate::domain::text::clipped;
use crate::domain::unit::BEGINNING;
use crate::error::{Code, Explain, Explanation, Fault, Message};
use crate::message;
use crate::sentence::formula::reason_of;
use crate::sentence::period::period_named;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::NotFound;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::text::{EnteredName, NameView};
use crate::store::form::form_put;
use crate::store::key::Units;
use crate::store::release::periods_with_releases;
use crate::store::submission::{periods_with_submissions, submissions_of};
use crate::store::subtree_reporting::subtree_reporting_periods;
use crate::store::target::periods_with_targets;
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on forms.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    /// A manager of units leaves out the owner, without which a form is of the whole tenant.
    #[error("the form has no owner")]
    OwnerMissing {
        /// One of the caller's units, as a form names it.
        example: String,
    },
    #[error("{}", .0.en)]
    Fixed(Message),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
}

impl Explain for FormError {
    fn explain(&self) -> Explanation {
        match self {
            FormError::NotFound(held) => held.explain(),
            FormError::Denied(held) => held.explain(),
            FormError::Condition(held) => held.explain(),
            FormError::Idempotency(held) => held.explain(),
            FormError::Store(held) => held.explain(),
            FormError::Cursor(held) => held.explain(),
            FormError::OwnerMissing { example } => {
                Explanation::new(Code::NotAllowed, message!("form-owner-missing", example))
            }
            FormError::Fixed(message) => Explanation::new(Code::FixedOnceUsed, message.clone()),
            FormError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("form-invalid", count = Count(count));
                Explanation::new(Code::InvalidForm, message).with_faults(faults.clone())
            }
        }
    }
}

fn fixed(part: &FixedFormPart, period: &FormPeriod<'_>, snapshot: &Snapshot) -> FormError {
    let (closing_day, period) = (period.closing_day(), period_named(period));
    let gone = match part {
        FixedFormPart::Periods => message!("fixed-form-part-periods"),
        FixedFormPart::Window => {
            return FormError::Fixed(message!("fixed-form-part-window", period));
        }
        FixedFormPart::SubmittedBy(level) => {
            let level = Named::level(level, &snapshot.hierarchy);
            message!("fixed-form-part-level", level)
        }
        FixedFormPart::Recipient(unit) => {
            let unit = unit_named(snapshot, *unit, closing_day);
            message!("fixed-form-part-recipient", unit)
        }
        FixedFormPart::Item(indicator) => {
            let indicator = snapshot.catalogue.indicator_named(indicator);
            message!("fixed-form-part-indicator", indicator)
        }
    };
    FormError::Fixed(message!("fixed-form-part", period, gone))
}

/// A form as it is on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FormView {
    #[schema(example = "mttq.annual")]
    pub code: String,
    pub name: NameView,
    /// Null for a form with windows of its own.
    pub calendar: Option<Calendar>,
    /// Null for a form with windows of its own.
    pub frequency: Option<Frequency>,
    /// The form's own windows, in the order of their days; null for a form whose periods are those
    /// of a calendar.
    pub windows: Option<Vec<WindowView>>,
    /// The id of the unit that the form belongs to: only units at and below it are asked. Null for a
    /// form of the whole tenant.
    #[schema(example = json!(null))]
    pub owner: Option<String>,
    /// The levels whose units submit; none if the form names its `recipients`.
    pub submitted_by: Vec<String>,
    /// The ids of the units that submit; null if the form asks by level.
    #[schema(example = json!(null))]
    pub recipients: Option<Vec<String>>,
    /// Days before the closing day on which entry begins; null if it begins on the period's first
    /// day. It never begins before that day.
    pub opens: Option<u16>,
    /// Working days after the closing day, by level. A level that is not named has no deadline. A
    /// level that only sends up may have one. A window's `due_at` overrides this.
    pub deadlines: BTreeMap<String, u16>,
    pub late: Late,
    /// If true, an account may not approve values that it entered.
    pub four_eyes: bool,
    /// Warns of a total that is more than so many times the mean of the unit's totals in the last four
    /// periods, or less than one part in so many of it; null if nobody is warned.
    pub jump_factor: Option<u16>,
    pub outline: Vec<SectionView>,
    pub rules: Vec<RuleView>,
    /// The first day of this version.
    pub valid_from: NaiveDate,
}

/// One of a form's own windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WindowView {
    #[schema(example = "2025-tet")]
    pub key: String,
    pub name: Option<NameView>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day (chốt số liệu).
    pub to: NaiveDate,
    /// The deadline for every level: a day, or an instant with its offset. If null, the form's
    /// deadlines hold.
    #[schema(value_type = Option<String>, example = "2025-02-10T17:00:00+07:00")]
    pub due_at: Option<Deadline>,
}

/// A heading of the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SectionView {
    #[schema(example = "II.2.2")]
    pub number: String,
    pub title: NameView,
    /// If true, prose can be written under the heading.
    pub narrative: bool,
    pub items: Vec<ItemView>,
    #[schema(no_recursion)]
    pub sections: Vec<SectionView>,
}

/// An indicator in the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ItemView {
    pub indicator: String,
    /// The levels that submit the indicator; null means every level that submits the form.
    pub collected_at: Option<Vec<String>>,
    pub required: bool,
    pub show: Show,
    /// The form on which the figure is entered, if it is not this one: its figures of the same days are
    /// shown here. Null for what is entered on this form, or computed.
    #[schema(example = "mttq.monthly")]
    pub from_form: Option<String>,
}

/// A check of a unit's totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RuleView {
    pub code: String,
    pub severity: Severity,
    pub expression: String,
    pub message: NameView,
}

impl FormView {
    fn of(form: &Form, day: NaiveDate) -> Option<FormView> {
        let (valid_from, definition) = form.versions.range(..=day).next_back()?;
        let deadlines = definition.deadlines.iter();
        let submitted_by = &definition.submitted_by;
        let (calendar, frequency) = match &definition.periods {
            Periods::Recurring {
                calendar,
                frequency,
            } => (Some(*calendar), Some(*frequency)),
            Periods::Windows { .. } => (None, None),
        };
        Some(FormView {
            code: form.code.to_string(),
            name: NameView::of(&definition.name),
            calendar,
            frequency,
            windows: definition.periods.windows().map(WindowView::in_order),
            owner: definition.owner.map(|owner| owner.to_string()),
            submitted_by: words(submitted_by.levels()),
            recipients: submitted_by.recipients().map(words),
            opens: definition.opens,
            deadlines: deadlines
                .map(|(level, days)| (level.to_string(), *days))
                .collect(),
            late: definition.late,
            four_eyes: definition.four_eyes == FourEyes::Required,
            jump_factor: definition.jump_factor.map(JumpFactor::get),
            outline: definition.outline.iter().map(SectionView::of).collect(),
            rules: definition.rules.iter().map(RuleView::of).collect(),
            valid_from: *valid_from,
        })
    }
}

fn words<'i, T: ToString + 'i>(items: impl IntoIterator<Item = &'i T>) -> Vec<String> {
    items.into_iter().map(ToString::to_string).collect()
}

impl WindowView {
    fn in_order(windows: &BTreeMap<WindowKey, Window>) -> Vec<WindowView> {
        let mut views: Vec<WindowView> = windows
            .iter()
            .map(|(key, window)| WindowView {
                key: key.to_string(),
                name: window.name.as_ref().map(NameView::of),
                from: window.days.from,
                to: window.days.to,
                due_at: window.due_at,
            })
            .collect();
        views.sort_by_key(|view| (view.from, view.to));
        views
    }
}

impl SectionView {
    fn of(section: &Section) -> SectionView {
        SectionView {
            number: section.number.to_string(),
            title: NameView::of(&section.title),
            narrative: section.narrative == Narrative::Taken,
            items: section.items.iter().map(ItemView::of).collect(),
            sections: section.sections.iter().map(SectionView::of).collect(),
        }
    }
}

impl ItemView {
    fn of(item: &Item) -> ItemView {
        let levels = item.collected_at.as_ref();
        ItemView {
            indicator: item.indicator.to_string(),
            collected_at: levels.map(|levels| levels.iter().map(ToString::to_string).collect()),
            required: item.need == Need::Required,
            show: item.show,
            from_form: item.from_form.as_ref().map(ToString::to_string),
        }
    }
}

impl RuleView {
    fn of(rule: &Rule) -> RuleView {
        RuleView {
            code: rule.code.to_string(),
            severity: rule.severity,
            expression: rule.expression.to_string(),
            message: NameView::of(&rule.message),
        }
    }
}

/// Lists the forms of a day, by code.
///
/// # Errors
/// [`FormError`].
pub fn list_forms(
    application: &Application,
    identity: &Identity,
    page: &PageRequest,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Page<FormView>, FormError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let day = as_of.unwrap_or_else(|| snapshot.today(now));
        let views = snapshot
            .catalogue
            .forms()
            .filter_map(|form| FormView::of(form, day));
        Ok(Page::of(views, page, |view| view.code.clone())?)
    })
}

/// Returns a form's state: all its versions.
fn state_of(form: &Form) -> Result<State, StoreError> {
    State::of_content(&form.versions)
}

/// Reads a form as it is on a day.
///
/// # Errors
/// [`FormError`].
pub fn get_form(
    application: &Application,
    identity: &Identity,
    code: &str,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(State, FormView), FormError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let day = as_of.unwrap_or_else(|| snapshot.today(now));
        let form = snapshot.form(code)?;
        let view = FormView::of(form, day).ok_or_else(|| NotFound::Form(code.to_owned()))?;
        Ok((state_of(form)?, view))
    })
}

/// A period of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodView {
    #[schema(example = "2024")]
    pub key: String,
    /// The name of a window; null if it has none.
    pub name: Option<NameView>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day (chốt số liệu).
    pub to: NaiveDate,
    /// The first day on which it can be entered.
    pub opens: NaiveDate,
    /// The last day in time, by level, also of levels that only send up. Levels without a deadline
    /// are absent.
    pub deadlines: BTreeMap<String, NaiveDate>,
    /// The deadline of a window for every level, if it has one: a day, or an instant with its
    /// offset. A form that refuses late submissions accepts nothing after that instant; other forms
    /// count a submission as late from the next day on.
    #[schema(value_type = Option<String>, example = "2025-02-10T17:00:00+07:00")]
    pub due_at: Option<Deadline>,
}

/// A form's periods of a year, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodList {
    pub items: Vec<PeriodView>,
}

impl PeriodView {
    fn of(period: &FormPeriod<'_>, snapshot: &Snapshot) -> PeriodView {
        let (holidays, time_zone) = (snapshot.catalogue.holidays(), snapshot.counters.time_zone);
        let respondents = snapshot.respondents(period);
        let levels = respondents.levels_with_duty().into_iter();
        let deadlines = levels.filter_map(|level| {
            let deadline = period.deadline(level, holidays)?;
            Some((level.to_string(), deadline.day(time_zone)))
        });
        let window = period.window();
        PeriodView {
            key: period.period.to_string(),
            name: window.and_then(|window| window.name.as_ref().map(NameView::of)),
            from: period.range.from,
            to: period.range.to,
            opens: period.opens(),
            deadlines: deadlines.collect(),
            due_at: window.and_then(|window| window.due_at),
        }
    }
}

/// Lists the periods of a form that are counted under a year.
///
/// # Errors
/// [`FormError`].
pub fn list_periods(
    application: &Application,
    identity: &Identity,
    code: &str,
    year: i32,
) -> Result<PeriodList, FormError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let periods = snapshot.form(code)?.periods_of(year);
        let items = periods.iter();
        let items = items.map(|period| PeriodView::of(period, snapshot));
        Ok(PeriodList {
            items: items.collect(),
        })
    })
}

/// A version of a form to put.
#[derive(Debug, Clone)]
pub struct EnteredForm {
    pub code: String,
    pub name: EnteredName,
    pub calendar: Option<Calendar>,
    pub frequency: Option<Frequency>,
    pub windows: Option<Vec<EnteredWindow>>,
    /// The unit that the form belongs to, by its id or its code.
    pub owner: Option<String>,
    pub submitted_by: Vec<String>,
    /// Instead of levels: units by their ids or codes.
    pub recipients: Option<Vec<String>>,
    pub opens: Option<u16>,
    pub deadlines: BTreeMap<String, u16>,
    pub late: Late,
    pub four_eyes: FourEyes,
    pub jump_factor: Option<u16>,
    pub outline: Vec<EnteredSection>,
    pub rules: Vec<EnteredRule>,
    /// The first day of the version; by default it holds from the beginning.
    pub valid_from: Option<NaiveDate>,
}

/// A window to put.
#[derive(Debug, Clone)]
pub struct EnteredWindow {
    pub key: String,
    pub name: Option<EnteredName>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// A day, or an instant with its offset.
    pub due_at: Option<String>,
}

/// A heading to put.
#[derive(Debug, Clone)]
pub struct EnteredSection {
    pub number: String,
    pub title: EnteredName,
    pub narrative: Narrative,
    pub items: Vec<EnteredItem>,
    pub sections: Vec<EnteredSection>,
}

/// An indicator of the outline to put.
#[derive(Debug, Clone)]
pub struct EnteredItem {
    pub indicator: String,
    pub collected_at: Option<Vec<String>>,
    pub need: Need,
    pub show: Show,
    /// The form on which it is entered, if not on this one.
    pub from_form: Option<String>,
}

/// A rule to put.
#[derive(Debug, Clone)]
pub struct EnteredRule {
    pub code: String,
    pub severity: Severity,
    pub expression: String,
    pub message: EnteredName,
}

/// Adds a form, or a version of it from a day on.
///
/// # Errors
/// [`FormError`].
pub fn put_form(
    application: &Application,
    call: &Call,
    entered: &EnteredForm,
) -> Result<Reply, FormError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let code = entered.code.parse::<FormCode>().ok();
        let known = code.as_ref().and_then(|code| snapshot.catalogue.form(code));
        let today = snapshot.today(call.now);
        let units_on = entered.valid_from.unwrap_or(today).max(today);
        let owner = Owner::of(snapshot, known, entered, units_on);
        check_owner_named(snapshot, known, entered, units_on)?;
        let permit = owner.permit(snapshot, today)?;
        change.once(permit, |transaction, _| {
            let state = known.map(state_of).transpose()?;
            call.precondition.check_unless_new(state.as_ref())?;
            if let Some(known) = known {
                check_owner_kept(snapshot, known, entered, units_on)?;
            }
            let valid_from = entered.valid_from.unwrap_or(BEGINNING);
            let mut faults = Vec::new();
            if code.is_none() {
                faults.push(Fault::in_parameter(
                    "form",
                    Code::InvalidCode,
                    message!("form-invalid-code"),
                ));
            }
            let no_versions = BTreeMap::new();
            let versions = known.map_or(&no_versions, |known| &known.versions);
            let days = snapshot.catalogue.days_of_version(versions, valid_from);
            let mut reader = FormReader {
                snapshot,
                valid_from,
                days,
                owner,
                units_on,
                named_already: known
                    .and_then(|known| known.on(valid_from)?.submitted_by.recipients()),
                places_taken: BTreeMap::new(),
                faults,
            };
            let definition = reader.definition(entered);
            let (Some(code), Some(definition)) =
                (code, definition.filter(|_| reader.faults.is_empty()))
            else {
                return Err(FormError::Invalid(reader.faults));
            };
            let mut form = known.cloned().unwrap_or_else(|| Form {
                number: next_number(snapshot),
                code,
                versions: BTreeMap::new(),
            });
            form.versions.insert(valid_from, definition);
            check_given(snapshot, &form, &reader.days, &reader.places_taken)?;
            if let Some(known) = known {
                check_fixed(transaction, snapshot, known, &form)?;
                check_targets(transaction, snapshot, known, &form)?;
                check_releases(transaction, snapshot, known, &form)?;
                check_subtree_reporting(transaction, known, &form)?;
            }
            let rev = snapshot.counters.rev;
            form_put(transaction, &form, valid_from, rev)?;
            mark_changed(transaction, Part::Catalogue, rev)?;
            let outcome = match known {
                Some(_) => Outcome::Done,
                None => Outcome::Created(format!("/v1/forms/{}", form.code)),
            };
            let view = FormView::of(&form, valid_from);
            let reply = Reply::of_state(outcome, &state_of(&form)?, &view)?;
            let item = ChangeItem {
                day: Some(valid_from),
                form: Some(form.code.to_string()),
                ..ChangeItem::new(ChangeKind::FormPut)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}

/// Checks that other forms can give the figures that this one takes from them, and that it goes on
/// giving what others take from it, on `days`. A unit's form binds no form but those of the same
/// owner: what others no longer give it is empty. `places_taken` says where the body has each figure
/// that is taken.
fn check_given(
    snapshot: &Snapshot,
    planned: &Form,
    days: &BTreeSet<NaiveDate>,
    places_taken: &BTreeMap<IndicatorCode, FieldPath>,
) -> Result<(), FormError> {
    let catalogue = snapshot.catalogue.with_form(planned.clone());
    let on_days = |catalogue: &Catalogue| -> BTreeSet<NotGiven> {
        let days = days.iter();
        days.flat_map(|day| catalogue.not_given(*day)).collect()
    };
    let not_given = on_days(&catalogue);
    let is_bound_by = |taking: &FormCode| {
        let owner = catalogue.form(taking).and_then(Form::owner);
        owner.is_none() || owner == planned.owner()
    };
    let mut taken = not_given
        .iter()
        .filter(|one| one.from == planned.code && one.form != planned.code)
        .filter(|one| is_bound_by(&one.form))
        .peekable();
    // What was not given before is no loss of this change.
    let before = match taken.peek() {
        Some(_) => on_days(&snapshot.catalogue),
        None => BTreeSet::new(),
    };
    if let Some(needed) = taken.find(|one| !before.contains(one)) {
        let form = catalogue.form_named(&needed.form);
        let indicator = catalogue.indicator_named(&needed.indicator);
        return Err(FormError::Fixed(message!(
            "form-figure-needed",
            form,
            indicator
        )));
    }
    let own = not_given.iter().filter(|one| one.form == planned.code);
    let faults = own.filter_map(|one| {
        let at = places_taken.get(&one.indicator)?.below("from_form");
        let (code, message) = told_not_given(&catalogue, one);
        Some(Fault::in_body(at, code, message))
    });
    let faults: Vec<Fault> = faults.collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(FormError::Invalid(faults)),
    }
}

fn told_not_given(catalogue: &Catalogue, not_given: &NotGiven) -> (Code, Message) {
    let from = catalogue.form_named(&not_given.from);
    let indicator = catalogue.indicator_named(&not_given.indicator);
    match not_given.reason {
        ReasonNotGiven::UnknownForm => unknown_giving_form(&not_given.from),
        ReasonNotGiven::SameForm => (
            Code::InvalidValue,
            message!("form-takes-from-itself", indicator),
        ),
        ReasonNotGiven::OtherPeriods => (
            Code::InvalidValue,
            message!("form-takes-from-other-periods", from, indicator),
        ),
        ReasonNotGiven::NotEntered => (
            Code::UnknownIndicator,
            message!("form-takes-what-is-not-entered", from, indicator),
        ),
    }
}

fn unknown_giving_form(name: &impl Display) -> (Code, Message) {
    let name = clipped(&name.to_string());
    let message = message!("form-takes-from-unknown-form", name = Quoted(&name));
    (Code::UnknownForm, message)
}

/// Checks that periods with submissions keep their days and definition. The longer periods made of
/// them must stay too, because their totals depend on it.
fn check_fixed(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    known: &Form,
    planned: &Form,
) -> Result<(), FormError> {
    for (_, period) in periods_with_submissions(transaction, Some(known.number))? {
        let Some(before) = known.period(period) else {
            continue;
        };
        let part = match planned.period(period) {
            Some(after) if keeps_longer_periods(known, planned, &before) => {
                match before.fixed_part_changed_by(&after) {
                    None => lost_recipient(transaction, snapshot, &before, &after)?,
                    part => part,
                }
            }
            _ => Some(before.fixed_days()),
        };
        if let Some(part) = part {
            return Err(fixed(&part, &before, snapshot));
        }
    }
    Ok(())
}

/// Finds a unit that has a submission for a period and would not be asked for it any more. Looks only
/// where the period's version changes: where both ask by level, the levels have been compared.
fn lost_recipient(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    before: &FormPeriod<'_>,
    after: &FormPeriod<'_>,
) -> Result<Option<FixedFormPart>, StoreError> {
    let asks_by_level =
        |period: &FormPeriod<'_>| period.definition.submitted_by.recipients().is_none();
    let asks_the_same = before.definition.submitted_by == after.definition.submitted_by;
    if asks_the_same || asks_by_level(before) && asks_by_level(after) {
        return Ok(None);
    }
    let (form, period) = (before.form.number, before.period);
    let submissions = submissions_of(transaction, form, &[period], Units::All)?;
    let [before, after] = [before, after].map(|period| snapshot.respondents(period));
    let mut units = submissions.iter().map(|(_, unit, _)| *unit);
    let lost = units.find(|unit| {
        let place = before.tree().by_id(*unit);
        place.is_some_and(|place| before.includes(place) && !after.includes(place))
    });
    Ok(lost.map(FixedFormPart::Recipient))
}

/// Checks that a base period in use keeps its longer periods: a year whose months are in use cannot
/// become a year of quarters.
fn keeps_longer_periods(known: &Form, planned: &Form, base: &FormPeriod<'_>) -> bool {
    known.longer_periods_with(base).iter().all(|longer| {
        let after = planned.period(longer.period);
        after.is_some_and(|after| longer.definition.periods == after.definition.periods)
    })
}

/// Checks that every period with targets stays a period of the form and keeps the targets'
/// indicators, since targets are shown beside its figures.
fn check_targets(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    known: &Form,
    planned: &Form,
) -> Result<(), FormError> {
    for (_, period, cell) in periods_with_targets(transaction, Some(known.number))? {
        let Some(before) = known.period(period) else {
            continue;
        };
        let mut indicators = snapshot.catalogue.indicators();
        let indicator = indicators.find(|known| known.number == cell.indicator);
        let part = match (planned.period(period), indicator) {
            (Some(after), Some(indicator)) => lost_by_target(&before, &after, &indicator.code),
            _ => Some(before.fixed_days()),
        };
        if let Some(part) = part {
            return Err(fixed(&part, &before, snapshot));
        }
    }
    Ok(())
}

/// Checks that every period for which a report was sent up stays a period with the same days, since the
/// report and its receipts are read by it.
fn check_releases(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    known: &Form,
    planned: &Form,
) -> Result<(), FormError> {
    for period in periods_with_releases(transaction, known.number)? {
        let Some(before) = known.period(period) else {
            continue;
        };
        let after = planned.period(period);
        if !after.is_some_and(|after| before.has_days_of(&after)) {
            return Err(fixed(&before.fixed_days(), &before, snapshot));
        }
    }
    Ok(())
}

/// Checks that the periods from which and until which a unit reports for all units below it keep their
/// days, since the days were taken from them.
fn check_subtree_reporting(
    transaction: &mut Transaction<'_>,
    known: &Form,
    planned: &Form,
) -> Result<(), FormError> {
    for period in subtree_reporting_periods(transaction, known.number)? {
        let Some(before) = known.period(period) else {
            continue;
        };
        let after = planned.period(period);
        if !after.is_some_and(|after| before.range == after.range) {
            let period = period_named(&before);
            return Err(FormError::Fixed(message!(
                "fixed-form-subtree-reporting",
                period
            )));
        }
    }
    Ok(())
}

fn lost_by_target(
    before: &FormPeriod<'_>,
    after: &FormPeriod<'_>,
    indicator: &IndicatorCode,
) -> Option<FixedFormPart> {
    if !before.has_days_of(after) {
        return Some(before.fixed_days());
    }
    let mut items = after.definition.items();
    let is_kept = items.any(|item| item.indicator == *indicator);
    (!is_kept).then(|| FixedFormPart::Item(indicator.clone()))
}

fn next_number(snapshot: &Snapshot) -> FormNumber {
    let last = snapshot
        .catalogue
        .forms()
        .map(|form| form.number.get())
        .max();
    FormNumber::new(last.unwrap_or(0).saturating_add(1))
}

/// The most working days after the closing day that a deadline may lie.
const MOST_WORKING_DAYS: u16 = 366;

/// Reads a form, checks it against the tenant's levels and indicators, and notes every fault.
struct FormReader<'s> {
    snapshot: &'s Snapshot,
    valid_from: NaiveDate,
    /// Days within the version's validity on which a level or an indicator that it uses can change.
    days: BTreeSet<NaiveDate>,
    owner: Owner,
    /// The day on which units are looked up: the version's first, or today if that is past.
    units_on: NaiveDate,
    /// The units that the form names before the change.
    named_already: Option<&'s BTreeSet<UnitId>>,
    /// The places of the figures that are taken from other forms.
    places_taken: BTreeMap<IndicatorCode, FieldPath>,
    faults: Vec<Fault>,
}

impl FormReader<'_> {
    fn definition(&mut self, entered: &EnteredForm) -> Option<FormDefinition> {
        let name = entered.name.read(&path!["name"], &mut self.faults);
        let periods = self.periods(entered);
        let ReadRespondents {
            submitted_by,
            levels,
        } = self.asked(entered);
        let mut deadlines = BTreeMap::new();
        for (level, days) in &entered.deadlines {
            let at = path!["deadlines", level.clone()];
            let Some(level) = self.level(level, at.clone()) else {
                continue;
            };
            if *days > MOST_WORKING_DAYS {
                let message = message!("form-deadline-too-late", most = MOST_WORKING_DAYS);
                self.fault(at.clone(), Code::InvalidValue, message);
            }
            self.check_duty(&level, at, &levels);
            deadlines.insert(level, *days);
        }
        let mut seen = Seen {
            levels,
            ..Seen::default()
        };
        let outline = self.sections(&entered.outline, &path!["outline"], &mut seen);
        let rules = self.rules(&entered.rules, &seen);
        let jump_factor = entered
            .jump_factor
            .and_then(|factor| self.jump_factor(factor));
        self.check_operands(&seen);
        Some(FormDefinition {
            name,
            periods: periods?,
            owner: self.owner.unit(),
            submitted_by,
            opens: entered.opens,
            deadlines,
            late: entered.late,
            four_eyes: entered.four_eyes,
            jump_factor,
            outline,
            rules,
        })
    }

    fn jump_factor(&mut self, factor: u16) -> Option<JumpFactor> {
        let read = JumpFactor::new(factor);
        if read.is_none() {
            let message = message!(
                "form-jump-factor",
                least = JumpFactor::LEAST,
                most = JumpFactor::MOST
            );
            self.fault(path!["jump_factor"], Code::InvalidValue, message);
        }
        read
    }

    /// Reads the periods: either those of a calendar or the form's own windows, not both.
    fn periods(&mut self, entered: &EnteredForm) -> Option<Periods> {
        let windows = entered.windows.as_deref();
        let windows = windows.map(|windows| self.windows(windows));
        match (entered.calendar, entered.frequency, windows) {
            (Some(calendar), Some(frequency), None) => Some(Periods::Recurring {
                calendar,
                frequency,
            }),
            (None, None, Some(windows)) => Some(Periods::Windows { windows }),
            (_, _, Some(_)) => {
                self.fault(
                    path!["windows"],
                    Code::InvalidValue,
                    message!("form-calendar-and-windows"),
                );
                None
            }
            (calendar, frequency, None) => {
                let mut missing = |field: &'static str, words: Message| {
                    let message = message!("form-periods-incomplete", field = words);
                    self.fault(path![field], Code::MissingField, message);
                };
                if calendar.is_none() {
                    missing("calendar", message!("form-field-calendar"));
                }
                if frequency.is_none() {
                    missing("frequency", message!("form-field-frequency"));
                }
                None
            }
        }
    }

    fn windows(&mut self, entered: &[EnteredWindow]) -> BTreeMap<WindowKey, Window> {
        let mut windows = BTreeMap::new();
        for (index, entered) in entered.iter().enumerate() {
            let at = path!["windows", index];
            let name = entered.name.as_ref();
            let name = name.map(|name| name.read(&at.below("name"), &mut self.faults));
            self.check_days(entered, at.below("to"));
            let due_at = self.due_at(entered, at.below("due_at"));
            let Some(key) = self.window_key(entered, at.below("key")) else {
                continue;
            };
            let window = Window {
                name,
                days: DateRange {
                    from: entered.from,
                    to: entered.to,
                },
                due_at,
            };
            if windows.insert(key, window).is_some() {
                self.fault(
                    at.below("key"),
                    Code::Duplicate,
                    message!("form-window-twice", key),
                );
            }
        }
        windows
    }

    fn window_key(&mut self, entered: &EnteredWindow, at: FieldPath) -> Option<WindowKey> {
        let Ok(key) = entered.key.parse::<WindowKey>() else {
            self.fault(at, Code::InvalidCode, message!("form-window-invalid-key"));
            return None;
        };
        let year = key.year();
        let touches = (entered.from.year()..=entered.to.year()).contains(&year);
        // Days in the wrong order lie in no year, and are reported as a fault of their own.
        if !touches && entered.from <= entered.to {
            self.fault(
                at,
                Code::InvalidValue,
                message!("form-window-outside-year", year),
            );
        }
        Some(key)
    }

    fn check_days(&mut self, entered: &EnteredWindow, at: FieldPath) {
        let (from, to, day) = (entered.from, entered.to, self.valid_from);
        if from > to {
            let (from, to) = (Named::day(from), Named::day(to));
            self.fault(
                at,
                Code::InvalidValue,
                message!("form-window-days-reversed", to, from),
            );
        } else if to < day {
            // A period takes the version of its last day, so this window would never be a period.
            let (to, day) = (Named::day(to), Named::day(day));
            self.fault(
                at,
                Code::InvalidValue,
                message!("form-window-before-version", to, day),
            );
        }
    }

    fn due_at(&mut self, entered: &EnteredWindow, at: FieldPath) -> Option<Deadline> {
        let Ok(due_at) = entered.due_at.as_ref()?.parse::<Deadline>() else {
            self.fault(at, Code::InvalidValue, message!("form-invalid-due-at"));
            return None;
        };
        let from = entered.from;
        if due_at.day(self.snapshot.counters.time_zone) < from {
            let from = Named::day(from);
            self.fault(
                at,
                Code::InvalidValue,
                message!("form-due-before-first-day", from),
            );
        }
        Some(due_at)
    }

    fn fault(&mut self, at: FieldPath, code: Code, message: Message) {
        self.faults.push(Fault::in_body(at, code, message));
    }

    fn levels(&mut self, entered: &[String], at: &FieldPath) -> Vec<LevelCode> {
        let mut levels = Vec::new();
        for (index, entered) in entered.iter().enumerate() {
            let at = at.below(index);
            let Some(level) = self.level(entered, at.clone()) else {
                continue;
            };
            if levels.contains(&level) {
                let level = self.level_named(&level);
                self.fault(at, Code::Duplicate, message!("form-level-twice", level));
            } else {
                levels.push(level);
            }
        }
        levels
    }

    fn check_submits(&mut self, level: &LevelCode, at: FieldPath, submitted_by: &[LevelCode]) {
        if submitted_by.contains(level) {
            return;
        }
        let level = self.level_named(level);
        self.fault(
            at,
            Code::UnknownLevel,
            message!("form-level-does-not-submit", level),
        );
    }

    /// Checks that a level with a deadline submits, or has below it a level that does, whose reports it
    /// sends up.
    fn check_duty(&mut self, level: &LevelCode, at: FieldPath, submitted_by: &[LevelCode]) {
        let hierarchy = &self.snapshot.hierarchy;
        let rank = |code: &LevelCode| hierarchy.level(code).map(|level| level.rank);
        let is_above = |below: &LevelCode| rank(level) < rank(below);
        if submitted_by.contains(level) || submitted_by.iter().any(is_above) {
            return;
        }
        let level = self.level_named(level);
        self.fault(
            at,
            Code::UnknownLevel,
            message!("form-level-without-duty", level),
        );
    }

    /// Reads levels and checks that each submits the form; from others nothing could be collected.
    fn levels_among(
        &mut self,
        entered: &[String],
        at: &FieldPath,
        submitted_by: &[LevelCode],
    ) -> Vec<LevelCode> {
        let levels = self.levels(entered, at);
        for level in &levels {
            self.check_submits(level, at.clone(), submitted_by);
        }
        if entered.is_empty() {
            self.fault(at.clone(), Code::InvalidValue, message!("form-no-levels"));
        }
        levels
    }

    fn level_named(&self, level: &LevelCode) -> Named {
        Named::level(level, &self.snapshot.hierarchy)
    }

    fn level(&mut self, level: &str, at: FieldPath) -> Option<LevelCode> {
        let code = level.parse::<LevelCode>().ok();
        let hierarchy = &self.snapshot.hierarchy;
        let known = code.filter(|code| hierarchy.level(code).is_some());
        if known.is_none() {
            let levels = hierarchy.levels().iter().map(Level::named_with_code);
            let (level, levels) = (clipped(level), Named::list(levels));
            self.fault(
                at,
                Code::UnknownLevel,
                message!("form-unknown-level", level = Quoted(&level), levels),
            );
        }
        known
    }

    fn sections(
        &mut self,
        entered: &[EnteredSection],
        at: &FieldPath,
        seen: &mut Seen,
    ) -> Vec<Section> {
        let places = entered.iter().enumerate();
        places
            .filter_map(|(index, section)| self.section(section, &at.below(index), seen))
            .collect()
    }

    fn section(
        &mut self,
        entered: &EnteredSection,
        at: &FieldPath,
        seen: &mut Seen,
    ) -> Option<Section> {
        let title = entered.title.read(&at.below("title"), &mut self.faults);
        let number = entered.number.parse::<SectionNumber>().ok();
        let number = number.filter(|number| seen.sections.insert(number.clone()));
        if number.is_none() {
            self.fault(
                at.below("number"),
                Code::InvalidCode,
                message!("form-section-number"),
            );
        }
        let items = entered.items.iter().enumerate();
        let items = items
            .filter_map(|(index, item)| self.item(item, &at.below("items").below(index), seen))
            .collect();
        let sections = self.sections(&entered.sections, &at.below("sections"), seen);
        Some(Section {
            number: number?,
            title,
            narrative: entered.narrative,
            items,
            sections,
        })
    }

    fn item(&mut self, entered: &EnteredItem, at: &FieldPath, seen: &mut Seen) -> Option<Item> {
        let name = clipped(&entered.indicator);
        let code = entered.indicator.parse::<IndicatorCode>().ok();
        let known = code.filter(|code| self.snapshot.catalogue.indicator(code).is_some());
        let Some(code) = known else {
            self.fault(
                at.below("indicator"),
                Code::UnknownIndicator,
                message!("form-unknown-indicator", name = Quoted(&name)),
            );
            return None;
        };
        if !seen.indicators.insert(code.clone()) {
            let indicator = self.snapshot.catalogue.indicator_named(&code);
            self.fault(
                at.below("indicator"),
                Code::Duplicate,
                message!("form-indicator-twice", indicator),
            );
        }
        let collected_at = entered
            .collected_at
            .as_ref()
            .map(|levels| self.levels_among(levels, &at.below("collected_at"), &seen.levels));
        let from_form = self.giving_form(entered, at);
        if from_form.is_some() {
            self.places_taken.insert(code.clone(), at.clone());
        }
        Some(Item {
            indicator: code,
            collected_at,
            need: entered.need,
            show: entered.show,
            from_form,
        })
    }

    /// Reads the form on which an item is entered, if not on this one. Nobody submits the item here then,
    /// so nothing can be said of who must.
    fn giving_form(&mut self, entered: &EnteredItem, at: &FieldPath) -> Option<FormCode> {
        let text = entered.from_form.as_ref()?;
        let mut out_of_place = |field: &'static str| {
            let message = message!("form-taken-is-not-entered");
            self.fault(at.below(field), Code::InvalidValue, message);
        };
        if entered.collected_at.is_some() {
            out_of_place("collected_at");
        }
        if entered.need == Need::Required {
            out_of_place("required");
        }
        let code = text.parse::<FormCode>().ok();
        if code.is_none() {
            let (code, message) = unknown_giving_form(text);
            self.fault(at.below("from_form"), code, message);
        }
        code
    }

    fn rules(&mut self, entered: &[EnteredRule], seen: &Seen) -> Vec<Rule> {
        let mut codes = BTreeSet::new();
        let mut rules = Vec::new();
        for (index, rule) in entered.iter().enumerate() {
            let at = path!["rules", index];
            let message = rule.message.read(&at.below("message"), &mut self.faults);
            let code = rule.code.parse::<RuleCode>().ok();
            let code = code.filter(|code| codes.insert(code.clone()));
            let mut own = OwnWarning::ALL.iter();
            let code = code.filter(|code| own.all(|warning| warning.as_str() != code.as_str()));
            if code.is_none() {
                self.fault(
                    at.below("code"),
                    Code::InvalidCode,
                    message!("form-rule-code"),
                );
            }
            let expression = self.expression(&rule.expression, at.below("expression"), seen);
            if let (Some(code), Some(expression)) = (code, expression) {
                rules.push(Rule {
                    code,
                    severity: rule.severity,
                    expression,
                    message,
                });
            }
        }
        rules
    }

    fn expression(&mut self, text: &str, at: FieldPath, seen: &Seen) -> Option<Comparison> {
        match text.parse::<Comparison>() {
            Ok(comparison) => {
                for operand in comparison.operands() {
                    self.check_seen(&operand, at.clone(), seen);
                }
                Some(comparison)
            }
            Err(error) => {
                let reason = reason_of(&error);
                self.fault(
                    at,
                    Code::InvalidFormula,
                    message!("form-rule-unreadable", reason),
                );
                None
            }
        }
    }

    /// Checks that a rule uses only values that the form collects.
    fn check_seen(&mut self, operand: &Operand, at: FieldPath, seen: &Seen) {
        let catalogue = &self.snapshot.catalogue;
        let mut days = self.days.iter();
        if !days.all(|day| catalogue.sees(&seen.indicators, operand, *day)) {
            let operand = catalogue.operand_named(operand);
            self.fault(
                at,
                Code::UnknownIndicator,
                message!("form-operand-not-held", operand),
            );
        }
    }

    /// Checks that formulas use only values that the form collects.
    fn check_operands(&mut self, seen: &Seen) {
        let catalogue = &self.snapshot.catalogue;
        let days = self.days.iter();
        let unheld: BTreeSet<(IndicatorCode, Operand)> = days
            .flat_map(|day| catalogue.unheld(&seen.indicators, *day))
            .collect();
        for (indicator, operand) in unheld {
            let indicator = catalogue.indicator_named(&indicator);
            let operand = catalogue.operand_named(&operand);
            self.fault(
                path!["outline"],
                Code::UnknownIndicator,
                message!("form-formula-operand-not-held", indicator, operand),
            );
        }
    }
}

/// The levels that submit, and the headings and indicators that an outline has named so far.
#[derive(Default)]
struct Seen {
    levels: Vec<LevelCode>,
    sections: BTreeSet<SectionNumber>,
    indicators: BTreeSet<IndicatorCode>,
}
