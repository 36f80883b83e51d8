//! Subtree reporting (báo cáo gộp): the periods of a form for which a unit reports for all units below
//! it. Nothing that counts changes its meaning by it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::fault::FieldPath;
use crate::domain::form::{Form, FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::naming::Named;
use crate::domain::period::{DateRange, Period};
use crate::domain::submission::{Submission, SubmissionKey};
use crate::domain::subtree_reporting::SubtreeReporting;
use crate::domain::text::clipped;
use crate::domain::unit::Validity;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::locale::{Count, Leading, Quoted};
use crate::message;
use crate::path;
use crate::sentence::period::period_named;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::{NotFound, list_of_periods};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::{AccountName, NameReader};
use crate::service::totals::Board;
use crate::store::key::Units;
use crate::store::submission::{periods_with_submissions, submission_get, submissions_of};
use crate::store::subtree_reporting::{
    subtree_reporting_delete, subtree_reporting_insert, subtree_reportings_changed,
    subtree_reportings_of,
};
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The most units that a refusal names.
const MOST_NAMED: usize = 3;

/// The errors of use cases on subtree reporting.
#[derive(Debug, thiserror::Error)]
pub enum SubtreeReportingError {
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
    #[error("the unit reports for itself only")]
    NotArranged,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    /// A unit above reports for the unit in some of the days.
    #[error("{above} reports for all units below it")]
    Covered { above: String },
    /// A unit below reports for its subtree in some of the days.
    #[error("{below} reports for all units below it")]
    Covers { below: String },
    /// Reports for themselves count, in a period for which the unit is to report for all.
    #[error("reports count for {}", .period.en())]
    AlreadyReported {
        period: Named,
        /// The first of them by name.
        units: Vec<String>,
        count: usize,
    },
    /// The unit's report for all counts, in a period for which it is to report for itself only.
    #[error("the report for all counts for {}", .period.en())]
    AlreadyReportedForAll { period: Named, unit: String },
}

impl Explain for SubtreeReportingError {
    fn explain(&self) -> Explanation {
        match self {
            SubtreeReportingError::NotFound(held) => held.explain(),
            SubtreeReportingError::Denied(held) => held.explain(),
            SubtreeReportingError::Condition(held) => held.explain(),
            SubtreeReportingError::Idempotency(held) => held.explain(),
            SubtreeReportingError::Store(held) => held.explain(),
            SubtreeReportingError::NotArranged => Explanation::new(
                Code::SubtreeReportingNotFound,
                message!("subtree-reporting-not-arranged"),
            ),
            SubtreeReportingError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("subtree-reporting-invalid", count = Count(count));
                Explanation::new(Code::InvalidSubtreeReporting, message).with_faults(faults.clone())
            }
            SubtreeReportingError::Covered { above } => Explanation::new(
                Code::CoveredByUnit,
                message!("subtree-reporting-covered", above = Leading(above)),
            ),
            SubtreeReportingError::Covers { below } => Explanation::new(
                Code::UnitBelowCovers,
                message!("subtree-reporting-covers", below = Leading(below)),
            ),
            SubtreeReportingError::AlreadyReported {
                period,
                units,
                count,
            } => {
                let (units, count) = (units.join(", "), *count);
                let message = message!(
                    "subtree-reporting-already-reported",
                    period,
                    units,
                    count = Count(count)
                );
                Explanation::new(Code::AlreadyReported, message)
            }
            SubtreeReportingError::AlreadyReportedForAll { period, unit } => Explanation::new(
                Code::AlreadyReported,
                message!("subtree-reporting-already-for-all", period, unit),
            ),
        }
    }
}

/// The periods for which a unit reports for all units below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubtreeReportingView {
    pub form: String,
    pub unit: UnitName,
    /// In order. None overlaps another.
    pub ranges: Vec<SubtreeReportingRange>,
    /// The rev of the latest change of them.
    pub rev: i64,
}

/// Periods for which a unit reports for all units below it: the base periods that lie whole in the days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubtreeReportingRange {
    /// The key of the first period.
    #[schema(example = "2023")]
    pub from: String,
    /// The key of the last period; null until further notice.
    #[schema(example = "2024")]
    pub to: Option<String>,
    /// The first day of the first period.
    pub first_day: NaiveDate,
    /// The last day of the last period; null until further notice.
    pub last_day: Option<NaiveDate>,
    /// The account that arranged it.
    pub by: AccountName,
    pub at: DateTime<Utc>,
}

/// The names of a form and a unit in a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FormUnitPath {
    /// The form's code.
    #[param(example = "mttq.annual")]
    pub form: String,
    /// The unit's id, or `code:` and the code that it has today, or had last.
    #[param(example = "code:30388")]
    pub unit: String,
}

/// A form, and a unit on today's map, or at its last place if it has ended.
struct Arranged<'s> {
    form: &'s Form,
    tree: Arc<Tree>,
    position: Position,
}

impl<'s> Arranged<'s> {
    fn find(
        snapshot: &'s Snapshot,
        path: &FormUnitPath,
        now: DateTime<Utc>,
    ) -> Result<Arranged<'s>, NotFound> {
        let form = snapshot.form(&path.form)?;
        let today = snapshot.today(now);
        let tree = snapshot.hierarchy.tree_on(today);
        let position = snapshot.unit(&tree, &path.unit, today)?.position();
        Ok(Arranged {
            form,
            tree,
            position,
        })
    }

    /// Finds also a unit that has ended: what was arranged for it still says who was to report.
    fn find_or_former(
        snapshot: &'s Snapshot,
        path: &FormUnitPath,
        now: DateTime<Utc>,
    ) -> Result<Arranged<'s>, NotFound> {
        let form = snapshot.form(&path.form)?;
        let (tree, position) = snapshot.unit_or_former(&path.unit, snapshot.today(now))?;
        Ok(Arranged {
            form,
            tree,
            position,
        })
    }

    fn place(&self) -> Place<'_> {
        self.tree.at(self.position)
    }

    fn unit(&self) -> UnitId {
        self.place().unit()
    }

    fn read(&self, transaction: &mut Transaction<'_>) -> Result<Vec<SubtreeReporting>, StoreError> {
        subtree_reportings_of(transaction, self.form.number, self.unit())
    }

    fn write(
        &self,
        transaction: &mut Transaction<'_>,
        put: &SubtreeReporting,
    ) -> Result<(), StoreError> {
        subtree_reporting_insert(transaction, (self.form.number, self.unit()), put)
    }

    fn delete(
        &self,
        transaction: &mut Transaction<'_>,
        gone: &SubtreeReporting,
    ) -> Result<(), StoreError> {
        subtree_reporting_delete(transaction, (self.form.number, self.unit()), gone)
    }

    /// Permits ending what was arranged. The unit may have been somewhere else on a part of the days.
    fn may_end(
        &self,
        snapshot: &Snapshot,
        gone: &SubtreeReporting,
    ) -> Result<(), SubtreeReportingError> {
        let (action, hierarchy) = (Action::ArrangeSubtreeReporting, &snapshot.hierarchy);
        let access = &snapshot.access;
        let _permit = access.to_unit_throughout(action, hierarchy, self.unit(), gone.days)?;
        Ok(())
    }

    fn item(&self, kind: ChangeKind, reporting: &SubtreeReporting) -> ChangeItem {
        ChangeItem {
            form: Some(self.form.code.to_string()),
            period: Some(reporting.first.to_string()),
            last_period: reporting.last.map(|last| last.to_string()),
            unit: Some(self.unit()),
            ..ChangeItem::new(kind)
        }
    }

    fn view(
        &self,
        names: (&Application, &Identity, &Snapshot),
        transaction: &mut Transaction<'_>,
        reportings: &[SubtreeReporting],
    ) -> Result<SubtreeReportingView, StoreError> {
        let (application, identity, snapshot) = names;
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let accounts: Vec<_> = reportings.iter().map(|one| one.account).collect();
        let names = names.read(transaction, &accounts)?;
        let ranges = reportings.iter().map(|one| {
            Ok(SubtreeReportingRange {
                from: one.first.to_string(),
                to: one.last.map(|last| last.to_string()),
                first_day: one.days.from,
                last_day: one.days.to,
                by: names.name(one.account)?,
                at: one.arranged_at.and_utc(),
            })
        });
        Ok(SubtreeReportingView {
            form: self.form.code.to_string(),
            unit: UnitName::of(self.place()),
            ranges: ranges.collect::<Result<_, StoreError>>()?,
            rev: latest_rev(reportings).unwrap_or_default(),
        })
    }
}

fn latest_rev(reportings: &[SubtreeReporting]) -> Option<i64> {
    reportings.iter().map(|one| one.rev).max()
}

fn state_of(reportings: &[SubtreeReporting]) -> Option<State> {
    latest_rev(reportings).map(State::numbered)
}

/// Reads for which periods a unit reports for all units below it.
///
/// # Errors
/// [`SubtreeReportingError`].
pub fn get_subtree_reporting(
    application: &Application,
    identity: &Identity,
    path: &FormUnitPath,
    now: DateTime<Utc>,
) -> Result<(State, SubtreeReportingView), SubtreeReportingError> {
    application.reading(identity, |transaction, snapshot| {
        let arranged = Arranged::find_or_former(snapshot, path, now)?;
        let _permit =
            snapshot
                .access
                .to_unit(Action::ReadSubmissions, &arranged.tree, arranged.place())?;
        let known = arranged.read(transaction)?;
        let state = state_of(&known).ok_or(SubtreeReportingError::NotArranged)?;
        let names = (application, identity, snapshot);
        Ok((state, arranged.view(names, transaction, &known)?))
    })
}

/// Periods for which a unit is to report for all units below it, as entered.
#[derive(Debug, Clone)]
pub struct EnteredSubtreeReporting {
    pub path: FormUnitPath,
    /// The key of the first period.
    pub from: String,
    /// The key of the last period; none until further notice.
    pub to: Option<String>,
}

/// Lets a unit report for all units below it from one period to another. Replaces what was arranged for
/// any day of these; the rest stays.
///
/// # Errors
/// [`SubtreeReportingError`].
pub fn put_subtree_reporting(
    application: &Application,
    call: &Call,
    entered: &EnteredSubtreeReporting,
) -> Result<Reply, SubtreeReportingError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let arranged = Arranged::find(snapshot, &entered.path, call.now)?;
        let action = Action::ArrangeSubtreeReporting;
        let permit = snapshot
            .access
            .to_unit(action, &arranged.tree, arranged.place())?;
        change.once(permit, |transaction, permit| {
            let known = arranged.read(transaction)?;
            let state = state_of(&known);
            call.precondition.check_unless_new(state.as_ref())?;
            let Periods { first, last, days } =
                Periods::read(arranged.form, entered).map_err(SubtreeReportingError::Invalid)?;
            // The unit may have been somewhere else on a part of the days.
            let (hierarchy, unit) = (&snapshot.hierarchy, arranged.unit());
            let _throughout = snapshot
                .access
                .to_unit_throughout(action, hierarchy, unit, days)?;
            let put = SubtreeReporting {
                first,
                last,
                days,
                account: permit.account(),
                // As exactly as both databases store it.
                arranged_at: call.now.naive_utc().trunc_subsecs(6),
                rev: snapshot.counters.rev,
            };
            check_alone(snapshot, &arranged, days)?;
            let (replaced, mut next): (Vec<_>, Vec<_>) = known
                .iter()
                .cloned()
                .partition(|one| one.days.overlaps(days));
            for gone in &replaced {
                arranged.may_end(snapshot, gone)?;
            }
            next.push(put.clone());
            next.sort_by_key(|one| one.days.from);
            check_nothing_builds_on(transaction, snapshot, &arranged, (&known, &next))?;
            let mut items = Vec::new();
            for gone in &replaced {
                arranged.delete(transaction, gone)?;
                items.push(arranged.item(ChangeKind::SubtreeReportingWithdrawn, gone));
            }
            arranged.write(transaction, &put)?;
            mark_changed(transaction, Part::Catalogue, snapshot.counters.rev)?;
            let names = (application, &call.identity, snapshot);
            let view = arranged.view(names, transaction, &next)?;
            let outcome = match known.is_empty() {
                true => Outcome::Created(path_of(&view)),
                false => Outcome::Done,
            };
            let reply = Reply::of_state(outcome, &State::numbered(put.rev), &view)?;
            items.push(arranged.item(ChangeKind::SubtreeReportingArranged, &put));
            Ok(Written::new(reply, items))
        })
    })
}

/// Takes back for which periods a unit reports for all units below it, as far as it has not, and as far
/// as the caller may arrange that wherever the unit was on the days.
///
/// # Errors
/// [`SubtreeReportingError`].
pub fn delete_subtree_reporting(
    application: &Application,
    call: &Call,
    path: &FormUnitPath,
) -> Result<Reply, SubtreeReportingError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let arranged = Arranged::find_or_former(snapshot, path, call.now)?;
        let permit = snapshot.access.to_unit(
            Action::ArrangeSubtreeReporting,
            &arranged.tree,
            arranged.place(),
        )?;
        change.once(permit, |transaction, _| {
            let known = arranged.read(transaction)?;
            if known.is_empty() {
                return Err(SubtreeReportingError::NotArranged);
            }
            call.precondition
                .check_if_given(state_of(&known).as_ref())?;
            let mut items = Vec::new();
            let mut refused = None;
            for gone in &known {
                let change = (std::slice::from_ref(gone), &[][..]);
                let checked = arranged.may_end(snapshot, gone).and_then(|()| {
                    check_nothing_builds_on(transaction, snapshot, &arranged, change)
                });
                match checked {
                    Ok(()) => {
                        arranged.delete(transaction, gone)?;
                        items.push(arranged.item(ChangeKind::SubtreeReportingWithdrawn, gone));
                    }
                    Err(SubtreeReportingError::Store(error)) => return Err(error.into()),
                    Err(stays) => refused = Some(stays),
                }
            }
            if let Some(refused) = refused.filter(|_| items.is_empty()) {
                return Err(refused);
            }
            let rev = snapshot.counters.rev;
            // What stays must not have the state that it had before what is gone was arranged.
            let key = (arranged.form.number, arranged.unit());
            subtree_reportings_changed(transaction, key, rev)?;
            mark_changed(transaction, Part::Catalogue, rev)?;
            Ok(Written::new(Reply::without_body(), items))
        })
    })
}

fn path_of(view: &SubtreeReportingView) -> String {
    format!(
        "/v1/forms/{}/units/{}/subtree-reporting",
        view.form, view.unit.id
    )
}

/// Periods from one to another, as they were read.
struct Periods {
    first: Period,
    last: Option<Period>,
    days: Validity,
}

impl Periods {
    fn read(form: &Form, entered: &EnteredSubtreeReporting) -> Result<Periods, Vec<Fault>> {
        let mut faults = Vec::new();
        let first = period_in(form, &entered.from, path!["from"], &mut faults);
        let last = entered.to.as_ref();
        let last = last.map(|last| period_in(form, last, path!["to"], &mut faults));
        if let (Some((_, first)), Some(Some((_, last)))) = (&first, &last)
            && last.to < first.from
        {
            let (first, last) = (Named::day(first.from), Named::day(last.to));
            let message = message!("subtree-reporting-backwards", first, last);
            faults.push(Fault::in_body(path!["to"], Code::InvalidValue, message));
        }
        match (first, last.flatten()) {
            (Some((first, range)), last) if faults.is_empty() => Ok(Periods {
                first,
                last: last.map(|(last, _)| last),
                days: Validity {
                    from: range.from,
                    to: last.map(|(_, range)| range.to),
                },
            }),
            _ => Err(faults),
        }
    }
}

/// Reads the key of a period of a form.
fn period_in(
    form: &Form,
    key: &str,
    at: FieldPath,
    faults: &mut Vec<Fault>,
) -> Option<(Period, DateRange)> {
    let period = key.parse().ok().and_then(|period| form.period(period));
    if period.is_none() {
        let list = list_of_periods(form, key);
        let (form, period) = (form.named(), clipped(key));
        let period = Quoted(&period);
        let message = message!("not-found-period-of-form", form, period, list);
        faults.push(Fault::in_body(at, Code::InvalidValue, message));
    }
    period.map(|period| (period.period, period.range))
}

/// Checks that no unit above and no unit below reports for its subtree on any of the days.
fn check_alone(
    snapshot: &Snapshot,
    arranged: &Arranged<'_>,
    days: Validity,
) -> Result<(), SubtreeReportingError> {
    let hierarchy = &snapshot.hierarchy;
    let unit = arranged.unit();
    let reportings = snapshot.catalogue.subtree_reportings();
    for (other, others_days) in reportings.of_form(arranged.form.number) {
        if *other == unit || !others_days.overlaps(days) {
            continue;
        }
        let both = Validity {
            from: days.from.max(others_days.from),
            to: [days.to, others_days.to].into_iter().flatten().min(),
        };
        let is_below = |lower: UnitId, upper: UnitId| {
            let lines = hierarchy.lines_of(lower, both).into_iter();
            let mut lines = lines.filter(|line| line.units.contains(&upper));
            lines.next().map(|line| line.days.from)
        };
        let name = |day: NaiveDate| {
            let mut facts = hierarchy.facts_of(*other).iter();
            let fact = facts.find(|fact| fact.validity.contains(day));
            fact.map(|fact| fact.name_with_code()).unwrap_or_default()
        };
        if let Some(day) = is_below(unit, *other) {
            let above = name(day);
            return Err(SubtreeReportingError::Covered { above });
        }
        if let Some(day) = is_below(*other, unit) {
            let below = name(day);
            return Err(SubtreeReportingError::Covers { below });
        }
    }
    Ok(())
}

/// Checks that nothing that counts gets another meaning when what was arranged for a unit changes.
fn check_nothing_builds_on(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    arranged: &Arranged<'_>,
    (before, after): (&[SubtreeReporting], &[SubtreeReporting]),
) -> Result<(), SubtreeReportingError> {
    let form = arranged.form;
    let used = periods_with_submissions(transaction, Some(form.number))?;
    let used = used
        .into_iter()
        .filter_map(|(_, period)| form.period(period));
    let mut used: Vec<FormPeriod<'_>> = used.collect();
    used.retain(|period| period.span == Span::BasePeriod);
    used.sort_by_key(|period| (period.range.from, period.range.to));
    for period in used {
        let is_arranged = |by: &[SubtreeReporting]| by.iter().any(|one| one.is_for(&period));
        match (is_arranged(before), is_arranged(after)) {
            (false, true) => check_nobody_reported(transaction, snapshot, arranged, period)?,
            (true, false) => check_not_reported_for_all(transaction, arranged, &period)?,
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

/// Checks that nothing counts at the unit or below it in a period.
fn check_nobody_reported(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    arranged: &Arranged<'_>,
    period: FormPeriod<'_>,
) -> Result<(), SubtreeReportingError> {
    let tree = snapshot.hierarchy.tree_on(period.closing_day());
    let Some(place) = tree.by_id(arranged.unit()) else {
        return Ok(());
    };
    let sources = Board::of(snapshot, period).sources_below(place);
    let form = arranged.form.number;
    let found = submissions_of(transaction, form, &[period.period], Units::These(&sources))?;
    let counting = found.into_iter().filter(|(_, _, one)| counts(one));
    let mut names: Vec<String> = counting
        .filter_map(|(_, unit, _)| {
            let standing = tree.by_id(unit).map(Place::fact);
            standing.or_else(|| tree.last_fact(unit))
        })
        .map(|fact| fact.name_with_code())
        .collect();
    names.sort();
    let count = names.len();
    // A single one that is left would have to be guessed.
    if count > MOST_NAMED + 1 {
        names.truncate(MOST_NAMED);
    }
    match count {
        0 => Ok(()),
        count => Err(SubtreeReportingError::AlreadyReported {
            period: period_named(&period),
            units: names,
            count,
        }),
    }
}

/// Checks that the unit's own report does not count in a period for which it reports for all.
fn check_not_reported_for_all(
    transaction: &mut Transaction<'_>,
    arranged: &Arranged<'_>,
    period: &FormPeriod<'_>,
) -> Result<(), SubtreeReportingError> {
    let key = SubmissionKey {
        form: arranged.form.number,
        period: period.period,
        unit: arranged.unit(),
    };
    match submission_get(transaction, key)?.is_some_and(|own| counts(&own)) {
        false => Ok(()),
        true => Err(SubtreeReportingError::AlreadyReportedForAll {
            period: period_named(period),
            unit: arranged.place().fact().name_with_code(),
        }),
    }
}

fn counts(submission: &Submission) -> bool {
    submission.reached().is_some()
}
