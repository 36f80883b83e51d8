//! Indicators: reads them and puts versions of them.

use crate::domain::fault::FieldPath;
use crate::locale::{Count, Quoted};
use crate::path;
use crate::sentence::Sentence;
use crate::sentence::quantity::wrong_quantity;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::bounds::{Bounds, Interval};
use crate::domain::catalogue::{Catalogue, Dependent, NotGiven, Unresolved};
use crate::domain::form::Form;
use crate::domain::formula::{Formula, Operand, Source};
use crate::domain::id::{
    BreakdownCode, FormCode, FormNumber, IndicatorCode, IndicatorNumber, OptionCode, OptionNumber,
};
use crate::domain::indicator::{
    AcrossTime, AcrossUnits, Breakdown, BreakdownKind, BreakdownOption, Definition, FixedPart,
    Indicator, Measure,
};
use crate::domain::naming::Named;
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Decimals, read_quantity};
use crate::domain::text::read_name;
use crate::domain::unit::BEGINNING;
use crate::error::{Code, Explain, Explanation, Fault, Message};
use crate::message;
use crate::sentence::formula::reason_of;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::text::{EnteredName, NameView};
use crate::store::indicator::indicator_put;
use crate::store::submission::periods_with_submissions;
use crate::store::target::periods_with_targets;
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on indicators.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
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
    #[error("no indicator {0}")]
    NotFound(String),
    #[error("{0:?} cannot change once used")]
    Fixed(FixedPart),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
}

impl Explain for IndicatorError {
    fn explain(&self) -> Explanation {
        match self {
            IndicatorError::Denied(held) => held.explain(),
            IndicatorError::Condition(held) => held.explain(),
            IndicatorError::Idempotency(held) => held.explain(),
            IndicatorError::Store(held) => held.explain(),
            IndicatorError::Cursor(held) => held.explain(),
            IndicatorError::Fixed(part) => {
                Explanation::new(Code::FixedOnceUsed, fixed_message(*part))
            }
            IndicatorError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("indicator-invalid", count = Count(count));
                Explanation::new(Code::InvalidIndicator, message).with_faults(faults.clone())
            }
            IndicatorError::NotFound(code) => Explanation::new(
                Code::IndicatorNotFound,
                message!("indicator-not-found", code = Quoted(&code)),
            ),
        }
    }
}

fn fixed_message(part: FixedPart) -> Message {
    let part = match part {
        FixedPart::Decimals => message!("fixed-part-decimals"),
        FixedPart::UnitOfMeasure => message!("fixed-part-unit-of-measure"),
        FixedPart::Aggregation => message!("fixed-part-aggregation"),
        FixedPart::Breakdowns => message!("fixed-part-breakdowns-named"),
    };
    message!("fixed-part-in-use", part)
}

/// An indicator as it is on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IndicatorView {
    #[schema(example = "docs.issued")]
    pub code: String,
    pub name: NameView,
    #[schema(example = "văn bản")]
    pub unit_of_measure: String,
    /// Digits after the decimal point.
    #[schema(minimum = 0, maximum = 9)]
    pub decimals: u8,
    /// Null for a derived indicator.
    pub across_units: Option<AcrossUnits>,
    /// Null for a derived indicator.
    pub across_time: Option<AcrossTime>,
    pub breakdowns: Vec<BreakdownView>,
    /// The smallest value that a unit may submit; null without a limit.
    #[schema(value_type = Option<f64>, example = 0)]
    pub minimum: Option<Decimal>,
    /// The largest value that a unit may submit; null without a limit.
    #[schema(value_type = Option<f64>)]
    pub maximum: Option<Decimal>,
    /// The usual range of a unit's total, beyond which there is a warning; null without one.
    pub usual: Option<UsualView>,
    /// Null for a collected indicator.
    pub formula: Option<String>,
    /// The first day of this version.
    pub valid_from: NaiveDate,
}

/// A range of usual values, both ends included. An end that is null is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UsualView {
    #[schema(value_type = Option<f64>, example = 1000000)]
    pub from: Option<Decimal>,
    #[schema(value_type = Option<f64>, example = 500000000)]
    pub to: Option<Decimal>,
}

impl UsualView {
    fn of(usual: Interval, decimals: u8) -> Option<UsualView> {
        let shown = |end: Option<i64>| end.map(|mantissa| Decimal::new(mantissa, decimals));
        (!usual.is_open()).then(|| UsualView {
            from: shown(usual.from),
            to: shown(usual.to),
        })
    }
}

/// A set of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BreakdownView {
    pub code: String,
    /// If true, the options add up to the total (chia ra); otherwise they are among it (trong đó).
    pub closed: bool,
    pub options: Vec<OptionView>,
}

/// One option of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OptionView {
    pub code: String,
    pub name: NameView,
}

impl IndicatorView {
    fn of(indicator: &Indicator, day: NaiveDate) -> Option<IndicatorView> {
        let (valid_from, definition) = indicator.versions.range(..=day).next_back()?;
        let (across_units, across_time) = match definition.measure {
            Measure::Collected {
                across_units,
                across_time,
                ..
            } => (Some(across_units), Some(across_time)),
            Measure::Derived { .. } => (None, None),
        };
        let decimals = definition.decimals.get();
        let Bounds { possible, usual } = definition.bounds();
        let shown = |end: Option<i64>| end.map(|mantissa| Decimal::new(mantissa, decimals));
        Some(IndicatorView {
            code: indicator.code.to_string(),
            name: NameView::of(&definition.name),
            unit_of_measure: definition.unit_of_measure.clone(),
            decimals,
            across_units,
            across_time,
            breakdowns: definition
                .breakdowns()
                .iter()
                .map(BreakdownView::of)
                .collect(),
            minimum: shown(possible.from),
            maximum: shown(possible.to),
            usual: UsualView::of(usual, decimals),
            formula: definition.formula().map(ToString::to_string),
            valid_from: *valid_from,
        })
    }
}

impl BreakdownView {
    fn of(breakdown: &Breakdown) -> BreakdownView {
        let options = breakdown.options.iter().map(|option| OptionView {
            code: option.code.to_string(),
            name: NameView::of(&option.name),
        });
        BreakdownView {
            code: breakdown.code.to_string(),
            closed: breakdown.kind == BreakdownKind::Closed,
            options: options.collect(),
        }
    }
}

/// Lists the indicators of a day, by code.
///
/// # Errors
/// [`IndicatorError`].
pub fn list_indicators(
    application: &Application,
    identity: &Identity,
    page: &PageRequest,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Page<IndicatorView>, IndicatorError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let day = as_of.unwrap_or_else(|| snapshot.today(now));
        let all = snapshot.catalogue.indicators();
        let views = all.filter_map(|indicator| IndicatorView::of(indicator, day));
        Ok(Page::of(views, page, |view| view.code.clone())?)
    })
}

/// Returns an indicator's state: all its versions.
fn state_of(indicator: &Indicator) -> Result<State, StoreError> {
    State::of_content(&indicator.versions)
}

/// Reads an indicator as it is on a day.
///
/// # Errors
/// [`IndicatorError`].
pub fn get_indicator(
    application: &Application,
    identity: &Identity,
    code: &str,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(State, IndicatorView), IndicatorError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let day = as_of.unwrap_or_else(|| snapshot.today(now));
        let parsed = code.parse::<IndicatorCode>().ok();
        let found = parsed.and_then(|code| snapshot.catalogue.indicator(&code));
        let missing = || IndicatorError::NotFound(code.to_owned());
        let indicator = found.ok_or_else(missing)?;
        let view = IndicatorView::of(indicator, day).ok_or_else(missing)?;
        Ok((state_of(indicator)?, view))
    })
}

/// A version of an indicator to put.
#[derive(Debug, Clone)]
pub struct EnteredIndicator {
    pub code: String,
    pub name: EnteredName,
    pub unit_of_measure: String,
    pub decimals: u8,
    pub across_units: Option<AcrossUnits>,
    pub across_time: Option<AcrossTime>,
    pub breakdowns: Vec<EnteredBreakdown>,
    pub bounds: EnteredBounds,
    pub formula: Option<String>,
    /// The first day of the version; by default it holds from the beginning.
    pub valid_from: Option<NaiveDate>,
}

/// Limits of values, as decimal texts. A missing end is open.
#[derive(Debug, Clone, Default)]
pub struct EnteredBounds {
    pub minimum: Option<String>,
    pub maximum: Option<String>,
    pub usual: Option<EnteredUsual>,
}

/// A range of usual values to set, as decimal texts.
#[derive(Debug, Clone)]
pub struct EnteredUsual {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// A breakdown to put.
#[derive(Debug, Clone)]
pub struct EnteredBreakdown {
    pub code: String,
    pub kind: BreakdownKind,
    pub options: Vec<EnteredOption>,
}

/// An option to put.
#[derive(Debug, Clone)]
pub struct EnteredOption {
    pub code: String,
    pub name: EnteredName,
}

/// Adds an indicator, or a version of it from a day on.
///
/// # Errors
/// [`IndicatorError`].
pub fn put_indicator(
    application: &Application,
    call: &Call,
    entered: &EnteredIndicator,
) -> Result<Reply, IndicatorError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::ChangeCatalogue)?;
        change.once(permit, |transaction, _| {
            let code = entered.code.parse::<IndicatorCode>().ok();
            let known = code
                .as_ref()
                .and_then(|code| snapshot.catalogue.indicator(code));
            let state = known.map(state_of).transpose()?;
            call.precondition.check_unless_new(state.as_ref())?;
            let valid_from = entered.valid_from.unwrap_or(BEGINNING);
            let indicator = planned(entered, known, snapshot, valid_from)?;
            check_fixed(transaction, snapshot, known, &indicator, valid_from)?;
            let catalogue = snapshot.catalogue.with_indicator(indicator.clone());
            check_uses(&catalogue, &indicator, valid_from).map_err(IndicatorError::Invalid)?;
            check_given(&snapshot.catalogue, &catalogue, &indicator)
                .map_err(IndicatorError::Invalid)?;
            let rev = snapshot.counters.rev;
            indicator_put(transaction, &indicator, valid_from, rev)?;
            mark_changed(transaction, Part::Catalogue, rev)?;
            let outcome = match known {
                Some(_) => Outcome::Done,
                None => Outcome::Created(format!("/v1/indicators/{}", indicator.code)),
            };
            let view = IndicatorView::of(&indicator, valid_from);
            let reply = Reply::of_state(outcome, &state_of(&indicator)?, &view)?;
            let item = ChangeItem {
                day: Some(valid_from),
                indicator: Some(indicator.code.to_string()),
                ..ChangeItem::new(ChangeKind::IndicatorPut)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}

/// Returns the indicator with its new version.
fn planned(
    entered: &EnteredIndicator,
    known: Option<&Indicator>,
    snapshot: &Snapshot,
    valid_from: NaiveDate,
) -> Result<Indicator, IndicatorError> {
    let mut faults = Vec::new();
    let code = entered.code.parse::<IndicatorCode>();
    if code.is_err() {
        faults.push(Fault::in_parameter(
            "indicator",
            Code::InvalidCode,
            message!("indicator-code-form"),
        ));
    }
    let definition = read_definition(entered, &mut faults);
    match (code, definition) {
        (Ok(code), Some(definition)) if faults.is_empty() => {
            let mut indicator = known.cloned().unwrap_or_else(|| Indicator {
                number: next_number(&snapshot.catalogue),
                code,
                options: BTreeMap::new(),
                versions: BTreeMap::new(),
            });
            number_options(&mut indicator, &definition);
            indicator.versions.insert(valid_from, definition);
            Ok(indicator)
        }
        _ => Err(IndicatorError::Invalid(faults)),
    }
}

fn next_number(catalogue: &Catalogue) -> IndicatorNumber {
    let last = catalogue
        .indicators()
        .map(|indicator| indicator.number.get())
        .max();
    IndicatorNumber::new(last.unwrap_or(0).saturating_add(1))
}

fn number_options(indicator: &mut Indicator, definition: &Definition) {
    let mut last = indicator
        .options
        .values()
        .map(|number| number.get())
        .max()
        .unwrap_or(0);
    for option in definition.options() {
        if !indicator.options.contains_key(&option.code) {
            last = last.saturating_add(1);
            indicator
                .options
                .insert(option.code.clone(), OptionNumber::new(last));
        }
    }
}

fn read_definition(entered: &EnteredIndicator, faults: &mut Vec<Fault>) -> Option<Definition> {
    let name = entered.name.read(&path!["name"], faults);
    let unit_of_measure = read_name(&entered.unit_of_measure).map_err(|fault| {
        let message = fault.message();
        faults.push(Fault::in_body(
            path!["unit_of_measure"],
            Code::InvalidText,
            message,
        ));
    });
    let decimals = Decimals::new(entered.decimals);
    if decimals.is_none() {
        faults.push(Fault::in_body(
            path!["decimals"],
            Code::InvalidValue,
            message!("indicator-decimals"),
        ));
    }
    let measure = read_measure(entered, decimals, faults);
    Some(Definition {
        name,
        unit_of_measure: unit_of_measure.ok()?,
        decimals: decimals?,
        measure: measure?,
    })
}

fn read_measure(
    entered: &EnteredIndicator,
    decimals: Option<Decimals>,
    faults: &mut Vec<Fault>,
) -> Option<Measure> {
    match (&entered.formula, entered.across_units, entered.across_time) {
        (Some(formula), None, None) if entered.breakdowns.is_empty() => {
            refuse_bounds(&entered.bounds, faults);
            read_formula(formula, faults).map(|formula| Measure::Derived { formula })
        }
        (Some(_), ..) => {
            faults.push(Fault::in_body(
                path!["formula"],
                Code::InvalidValue,
                message!("indicator-formula-with-aggregation"),
            ));
            None
        }
        (None, Some(across_units), Some(across_time)) => {
            let breakdowns = read_breakdowns(&entered.breakdowns, faults);
            let bounds = decimals.map(|decimals| read_bounds(&entered.bounds, decimals, faults));
            Some(Measure::Collected {
                across_units,
                across_time,
                breakdowns,
                bounds: bounds?,
            })
        }
        (None, across_units, across_time) => {
            let mut missing = |field: &'static str, words: Message| {
                let message = message!("indicator-collected-incomplete", field, words);
                faults.push(Fault::in_body(path![field], Code::MissingField, message));
            };
            if across_units.is_none() {
                missing("across_units", message!("indicator-across-units"));
            }
            if across_time.is_none() {
                missing("across_time", message!("indicator-across-time"));
            }
            None
        }
    }
}

/// Refuses bounds of a derived indicator, whose values follow from its operands.
fn refuse_bounds(bounds: &EnteredBounds, faults: &mut Vec<Fault>) {
    let given = [
        ("minimum", bounds.minimum.is_some()),
        ("maximum", bounds.maximum.is_some()),
        ("usual", bounds.usual.is_some()),
    ];
    for (field, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        faults.push(Fault::in_body(
            path![field],
            Code::InvalidValue,
            message!("indicator-formula-with-bounds", field),
        ));
    }
}

fn read_bounds(entered: &EnteredBounds, decimals: Decimals, faults: &mut Vec<Fault>) -> Bounds {
    let possible = [
        (path!["minimum"], entered.minimum.as_deref()),
        (path!["maximum"], entered.maximum.as_deref()),
    ];
    let usual = entered.usual.as_ref();
    if usual.is_some_and(|usual| usual.from.is_none() && usual.to.is_none()) {
        faults.push(Fault::in_body(
            path!["usual"],
            Code::InvalidValue,
            message!("indicator-usual-range-empty"),
        ));
    }
    let usual = [
        (
            path!["usual", "from"],
            usual.and_then(|usual| usual.from.as_deref()),
        ),
        (
            path!["usual", "to"],
            usual.and_then(|usual| usual.to.as_deref()),
        ),
    ];
    Bounds {
        possible: read_interval(possible, decimals, faults),
        usual: read_interval(usual, decimals, faults),
    }
}

/// Reads the two ends of a range, each with its place.
fn read_interval(
    ends: [(FieldPath, Option<&str>); 2],
    decimals: Decimals,
    faults: &mut Vec<Fault>,
) -> Interval {
    let [_, (last, _)] = &ends;
    let last = last.clone();
    let [from, to] = ends.map(|(at, text)| read_end(at, text?, decimals, faults));
    let interval = Interval { from, to };
    if interval.is_empty() {
        faults.push(Fault::in_body(
            last,
            Code::InvalidValue,
            message!("indicator-bounds-reversed"),
        ));
    }
    interval
}

fn read_end(at: FieldPath, text: &str, decimals: Decimals, faults: &mut Vec<Fault>) -> Option<i64> {
    let read = read_quantity(text, decimals).map_err(|wrong| {
        let name = Named::from(message!("indicator-bound"));
        let (code, message) = wrong_quantity(&name, &wrong);
        faults.push(Fault::in_body(at, code, message));
    });
    read.ok()
}

fn read_formula(text: &str, faults: &mut Vec<Fault>) -> Option<Formula> {
    match text.parse::<Formula>() {
        Ok(formula) => Some(formula),
        Err(error) => {
            let reason = reason_of(&error);
            faults.push(Fault::in_body(
                path!["formula"],
                Code::InvalidFormula,
                message!("indicator-formula-unreadable", reason),
            ));
            None
        }
    }
}

fn read_breakdowns(entered: &[EnteredBreakdown], faults: &mut Vec<Fault>) -> Vec<Breakdown> {
    let mut read = Vec::new();
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    let mut options: BTreeSet<&str> = BTreeSet::new();
    for (index, breakdown) in entered.iter().enumerate() {
        let at = path!["breakdowns", index];
        let code = breakdown.code.parse::<BreakdownCode>().ok();
        if code.is_none() || !codes.insert(&breakdown.code) {
            faults.push(code_fault(at.below("code")));
        }
        if breakdown.options.is_empty() {
            faults.push(Fault::in_body(
                at.below("options"),
                Code::InvalidValue,
                message!("indicator-no-options"),
            ));
        }
        let mut read_options = Vec::new();
        for (index, option) in breakdown.options.iter().enumerate() {
            let at = at.below("options").below(index);
            let name = option.name.read(&at.below("name"), faults);
            match option.code.parse::<OptionCode>() {
                // Values name an option without its breakdown, so option codes are unique within an
                // indicator.
                Ok(code) if options.insert(&option.code) => {
                    read_options.push(BreakdownOption { code, name });
                }
                _ => faults.push(code_fault(at.below("code"))),
            }
        }
        if let Some(code) = code {
            read.push(Breakdown {
                code,
                kind: breakdown.kind,
                options: read_options,
            });
        }
    }
    read
}

fn code_fault(at: FieldPath) -> Fault {
    Fault::in_body(at, Code::InvalidCode, message!("indicator-invalid-code"))
}

/// Checks that a new version keeps what must not change. All versions are aggregated together, so
/// they share their fixed parts; the replaced version is exempt while nobody has used it. Periods
/// with submissions or targets keep their version's fixed parts.
fn check_fixed(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    known: Option<&Indicator>,
    planned: &Indicator,
    valid_from: NaiveDate,
) -> Result<(), IndicatorError> {
    let (Some(known), Some(next)) = (known, planned.versions.get(&valid_from)) else {
        return Ok(());
    };
    let others = known
        .versions
        .iter()
        .filter(|(from, _)| **from != valid_from);
    let differing = others.into_iter().find_map(|(from, other)| {
        let (earlier, later) = if *from < valid_from {
            (other, next)
        } else {
            (next, other)
        };
        earlier.fixed_part_changed_by(later)
    });
    if let Some(part) = differing {
        return Err(IndicatorError::Fixed(part));
    }
    for day in days_with_values(transaction, snapshot, known)? {
        check_kept(known, planned, day, |before, after| {
            after.breaks_values_of(before)
        })?;
    }
    for (day, option) in targets_by_day(transaction, snapshot, known)? {
        let option = known.option_code(option);
        check_kept(known, planned, day, |_, after| {
            let is_gone = |code: &OptionCode| after.options().all(|option| option.code != *code);
            option.is_some_and(is_gone)
        })?;
    }
    Ok(())
}

/// Compares the planned version with the present one on a day that is in use.
fn check_kept(
    known: &Indicator,
    planned: &Indicator,
    day: NaiveDate,
    breaks: impl Fn(&Definition, &Definition) -> bool,
) -> Result<(), IndicatorError> {
    let (Some(before), Some(after)) = (known.on(day), planned.on(day)) else {
        return Ok(());
    };
    if let Some(part) = before.fixed_part_changed_by(after) {
        return Err(IndicatorError::Fixed(part));
    }
    if breaks(before, after) {
        return Err(IndicatorError::Fixed(FixedPart::Breakdowns));
    }
    Ok(())
}

/// Returns the last days of the periods with submissions of a form that asks for the indicator.
fn days_with_values(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    indicator: &Indicator,
) -> Result<BTreeSet<NaiveDate>, StoreError> {
    let catalogue = &snapshot.catalogue;
    let forms = forms_with(catalogue, &indicator.code);
    let used = periods_with_submissions(transaction, None)?.into_iter();
    let used = used.filter(|(form, _)| forms.contains(form));
    Ok(used
        .filter_map(|(form, period)| closing_day(catalogue, form, period))
        .collect())
}

/// Lists the targets set for the indicator: the last day of each period, and the option or the
/// total.
fn targets_by_day(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    indicator: &Indicator,
) -> Result<BTreeSet<(NaiveDate, OptionNumber)>, StoreError> {
    let targets = periods_with_targets(transaction, None)?.into_iter();
    let targets = targets.filter(|(_, _, cell)| cell.indicator == indicator.number);
    Ok(targets
        .filter_map(|(form, period, cell)| {
            let day = closing_day(&snapshot.catalogue, form, period)?;
            Some((day, cell.option))
        })
        .collect())
}

fn closing_day(catalogue: &Catalogue, form: FormNumber, period: Period) -> Option<NaiveDate> {
    let form = catalogue.forms().find(|known| known.number == form)?;
    Some(form.period(period)?.closing_day())
}

/// Returns the forms that ask for an indicator in any version.
fn forms_with(catalogue: &Catalogue, code: &IndicatorCode) -> Vec<FormNumber> {
    catalogue
        .forms()
        .filter(|form| {
            let mut versions = form.versions.values();
            versions.any(|version| version.items().any(|item| &item.indicator == code))
        })
        .map(|form| form.number)
        .collect()
}

/// The most values that a formula may use, with its inner formulas written out. More cannot be read
/// by people, and the numbers grow with each.
const LARGEST: usize = 1000;

/// The deepest nesting of formulas.
const DEEPEST: usize = 10;

/// Tells whether a form binds the indicators that it uses. The form of a unit does not: a unit could
/// otherwise hold up the catalogue of all. Its rules and formulas say nothing without what they use.
fn is_of_whole_tenant(catalogue: &Catalogue, form: &FormCode) -> bool {
    let owner = catalogue.form(form).and_then(Form::owner);
    owner.is_none()
}

/// Checks a new version against the indicators that it uses and those that use it, on every day
/// within its validity on which something begins.
fn check_uses(
    catalogue: &Catalogue,
    indicator: &Indicator,
    valid_from: NaiveDate,
) -> Result<(), Vec<Fault>> {
    let concerns = |unresolved: &Unresolved| match &unresolved.by {
        Dependent::Formula(by) if *by == indicator.code => true,
        Dependent::FormulaOnForm(form, by) => {
            *by == indicator.code && is_of_whole_tenant(catalogue, form)
        }
        Dependent::Formula(_) => unresolved.operand.indicator == indicator.code,
        Dependent::Rule(form, _) => {
            unresolved.operand.indicator == indicator.code && is_of_whole_tenant(catalogue, form)
        }
    };
    let mut first_days: BTreeMap<Unresolved, NaiveDate> = BTreeMap::new();
    for day in catalogue.days_of_version(&indicator.versions, valid_from) {
        for unresolved in catalogue.unresolved(day).into_iter().filter(concerns) {
            first_days.entry(unresolved).or_insert(day);
        }
    }
    let faults: Vec<Fault> = first_days
        .iter()
        .map(|(unresolved, day)| use_fault(catalogue, unresolved, indicator, *day))
        .collect();
    if faults.is_empty() {
        check_size(catalogue, indicator, valid_from)
    } else {
        Err(faults)
    }
}

/// Checks that no form loses a figure that it takes from another one, where the indicator is entered.
fn check_given(
    known: &Catalogue,
    planned: &Catalogue,
    indicator: &Indicator,
) -> Result<(), Vec<Fault>> {
    let days = planned.forms().flat_map(|form| form.versions.keys());
    let days: BTreeSet<NaiveDate> = days.copied().collect();
    let lost = days.into_iter().flat_map(|day| {
        let before = known.not_given(day);
        let after = planned.not_given(day).into_iter();
        after
            .filter(move |one| one.indicator == indicator.code && !before.contains(one))
            .filter(|one| is_of_whole_tenant(planned, &one.form))
    });
    let lost: BTreeSet<NotGiven> = lost.collect();
    let faults = lost.iter().map(|one| {
        let form = planned.form_named(&one.form);
        let from = planned.form_named(&one.from);
        let message = message!("indicator-taken-from-form", form, from);
        Fault::in_body(path!["formula"], Code::InvalidValue, message)
    });
    let faults: Vec<Fault> = faults.collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults),
    }
}

fn use_fault(
    catalogue: &Catalogue,
    unresolved: &Unresolved,
    indicator: &Indicator,
    first_day: NaiveDate,
) -> Fault {
    let operand = catalogue.operand_named(&unresolved.operand);
    let day = Named::day(first_day);
    let unknown = |message| Fault::in_body(path!["formula"], Code::UnknownIndicator, message);
    match &unresolved.by {
        Dependent::Formula(by) if *by == indicator.code => {
            unknown(message!("indicator-unknown-operand", operand, day))
        }
        Dependent::FormulaOnForm(form, _) => {
            let form = catalogue.form_named(form);
            unknown(message!("dependent-formula-on-form", form, day, operand))
        }
        Dependent::Formula(by) => {
            let by = catalogue.indicator_named(by);
            let message = message!("dependent-formula", by, operand, day);
            lost(unresolved, indicator, first_day, message)
        }
        Dependent::Rule(form, rule) => {
            let form = catalogue.form_named(form);
            let message = message!("dependent-rule", rule, form, operand, day);
            lost(unresolved, indicator, first_day, message)
        }
    }
}

/// Builds the fault of an operand that has lost its option or its transferred amount.
fn lost(unresolved: &Unresolved, indicator: &Indicator, day: NaiveDate, message: Message) -> Fault {
    let total = Operand {
        source: Source::Total,
        ..unresolved.operand.clone()
    };
    if indicator
        .on(day)
        .is_some_and(|version| version.offers(&total))
    {
        Fault::in_body(path!["across_units"], Code::InvalidValue, message)
    } else {
        Fault::in_body(path!["breakdowns"], Code::UnknownOption, message)
    }
}

/// Checks the size of all formulas of a catalogue, on every day on which something begins.
fn check_size(
    catalogue: &Catalogue,
    indicator: &Indicator,
    day: NaiveDate,
) -> Result<(), Vec<Fault>> {
    if indicator.on(day).and_then(Definition::formula).is_none() {
        return Ok(());
    }
    let days: BTreeSet<NaiveDate> = catalogue
        .indicators()
        .flat_map(|known| known.versions.keys().copied())
        .collect();
    let too_large = days.into_iter().any(|day| {
        let mut codes = catalogue.indicators().map(|known| &known.code);
        codes.any(|code| written_out(catalogue, code, day, DEEPEST, &mut BTreeMap::new()) > LARGEST)
    });
    if too_large {
        return Err(vec![Fault::in_body(
            path!["formula"],
            Code::CircularFormula,
            message!(
                "indicator-formula-too-large",
                deepest = DEEPEST,
                largest = LARGEST
            ),
        )]);
    }
    Ok(())
}

/// Returns the largest number of values that an indicator is made of: the size of its formula times
/// that of its largest operand. A formula that refers to itself exceeds any limit.
fn written_out(
    catalogue: &Catalogue,
    code: &IndicatorCode,
    day: NaiveDate,
    depth: usize,
    sizes: &mut BTreeMap<IndicatorCode, usize>,
) -> usize {
    if let Some(size) = sizes.get(code) {
        return *size;
    }
    // This entry answers a formula that refers back to itself, and stops one that is nested too
    // deep.
    sizes.insert(code.clone(), usize::MAX);
    let definition = catalogue
        .indicator(code)
        .and_then(|indicator| indicator.on(day));
    let size = match definition.and_then(Definition::formula) {
        None => 1,
        Some(_) if depth == 0 => usize::MAX,
        Some(formula) => {
            let operands = formula.operands();
            let within = operands.iter().map(|operand| &operand.indicator);
            let largest = within
                .map(|code| written_out(catalogue, code, day, depth - 1, sizes))
                .max();
            formula.size().saturating_mul(largest.unwrap_or(1))
        }
    };
    sizes.insert(code.clone(), size);
    size
}
