//! Previews the effect of a reorganisation without carrying it out.

use crate::domain::fault::FieldPath;
use crate::path;
use crate::pointer::pointer_to;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::map::unit::LevelCount;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use super::forecast::{DayMap, FormForecast, forecast};
use super::work::{FollowingGrant, HeldWork, following_grants};
use crate::authz::Role;
use crate::domain::hierarchy::Tree;
use crate::domain::id::UnitId;
use crate::domain::plan::{Plan, plan};
use crate::domain::reorganisation::{
    Grants, Reorganisation, ReorganisationDocument, WorkInProgress,
};
use crate::domain::submission::{SpeaksFor, Status};
use crate::domain::succession::{Moment, Share};
use crate::domain::unit::{BEGINNING, UnitFact};
use crate::error::{Code, Fault, FaultList, FaultPlace, shortened};
use crate::message;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::Watcher;
use crate::service::people::account_name::{AccountName, NameReader};
use crate::store::{StoreError, Transaction};

/// The number of items that each list names; all are counted.
const NAMED: usize = 100;

/// The number of grants that the list of people names; all are counted.
const NAMED_GRANTS: usize = 200;

/// The number of units that a warning names; the list beside it has more.
const NAMED_IN_SENTENCE: usize = 10;

/// The effect of a reorganisation, and everything that prevents it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReorganisationPreview {
    pub effective: NaiveDate,
    pub legal_basis: String,
    /// If true, there are no faults and it can be carried out as it is.
    pub possible: bool,
    /// The number of faults of the document.
    pub fault_count: usize,
    /// The faults, at most 200 in an answer of the API.
    pub faults: Vec<FaultView>,
    /// Consequences that are allowed but should be known beforehand.
    pub warnings: Vec<WarningView>,
    /// Units that would be created.
    pub created: UnitsView,
    /// Units that would exist before and after, but change.
    pub changed: UnitsView,
    /// Units that would end, as they are.
    pub ended: UnitsView,
    /// Units that would pass on in parts, or to nobody.
    pub divided: DividedView,
    /// Submissions and drafts of units that would end, for periods that close on the effective day
    /// or later.
    pub submissions: SubmissionsView,
    /// The number of forms and periods for which units that would end have targets.
    pub targets: usize,
    /// The people and programs with grants on units that would end.
    pub people: PeopleView,
    /// Periods that close on the effective day or later for which both a predecessor and a
    /// successor have submitted. The two count together until the successor submits anew.
    pub doubled: DoubledView,
    /// The latest reported period of each form, on both maps.
    pub figures: Vec<FormForecast>,
}

/// A fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FaultView {
    /// A JSON pointer into the document.
    #[serde(rename = "pointer", serialize_with = "as_pointer")]
    #[schema(value_type = String, example = "/steps/3/from/1")]
    pub path: FieldPath,
    #[schema(value_type = String, example = "UNKNOWN_UNIT")]
    pub code: Code,
    /// In Vietnamese.
    pub message: String,
    pub message_en: String,
}

/// A consequence to know before carrying a reorganisation out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WarningView {
    /// In Vietnamese.
    pub message: String,
    pub message_en: String,
}

/// Several units: their number, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct UnitsView {
    pub count: usize,
    /// The number of units by level; levels without any are absent.
    pub by_level: Vec<LevelCount>,
    pub first: Vec<UnitName>,
}

/// Units that no single unit would take over as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct DividedView {
    /// Units divided by known shares. Figures that sum across units are apportioned; others are not
    /// divided.
    pub by_shares: usize,
    /// Units divided without known shares. None of their figures are divided.
    pub without_shares: usize,
    /// Units that end without a successor. None of their figures are divided.
    pub without_successor: usize,
    /// Units among all these whose successors have no unit above in common. Their undivided figures
    /// would be in no total; they stay in the units' own reports, and the successors' reports name
    /// them.
    pub without_unit_above: UnitsView,
}

/// Several submissions: their number, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct SubmissionsView {
    pub count: usize,
    /// The number of them that count in the totals; the others are drafts, returned or withdrawn.
    pub counting: usize,
    pub first: Vec<AffectedSubmission>,
}

/// A submission of a unit that would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AffectedSubmission {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    pub status: Status,
    /// The units for which it speaks. A report for all units below (báo cáo gộp) stays where it is.
    pub speaks_for: SpeaksFor,
    /// The unit that would receive it; null if it stays.
    pub passes_to: Option<UnitName>,
}

/// Several grants of people and programs: their number, and the first 200 by unit and role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct PeopleView {
    pub count: usize,
    pub first: Vec<AffectedGrant>,
}

/// A grant on a unit that would end. Grants that have ended are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AffectedGrant {
    /// Of a program, the name is its key's and the login the key's prefix.
    pub account: AccountName,
    pub role: Role,
    pub unit: UnitName,
    /// The first day; null if it held from the beginning.
    pub from: Option<NaiveDate>,
    /// The last day; null until further notice.
    pub to: Option<NaiveDate>,
    pub becomes: GrantFate,
    /// The unit on which the same role would be granted, if it follows.
    pub follows_to: Option<UnitName>,
}

/// What becomes of a grant on a unit that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantFate {
    /// It ends before the effective day, and loses nothing.
    Stays,
    /// The same is granted on the unit that takes over the whole.
    Follows,
    /// From the effective day on it reaches no unit.
    ReachesNothing,
}

/// Several pairs of submissions: their number, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct DoubledView {
    pub count: usize,
    pub first: Vec<DoubledSubmission>,
}

/// Two submissions for one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DoubledSubmission {
    pub form: String,
    pub period: PeriodName,
    pub predecessor: UnitName,
    pub successor: UnitName,
}

fn as_pointer<S: Serializer>(path: &FieldPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shortened(&pointer_to(path)))
}

impl FaultView {
    fn of(fault: Fault) -> FaultView {
        FaultView {
            path: match fault.place {
                FaultPlace::Body(path) => path,
                FaultPlace::Parameter(name) => path![name],
            },
            code: fault.code,
            message: shortened(&fault.message.vi),
            message_en: shortened(&fault.message.en),
        }
    }
}

impl WarningView {
    /// Warns of units with an undivided part that would be under no unit.
    fn of(rootless: &UnitsView) -> Option<WarningView> {
        if rootless.count == 0 {
            return None;
        }
        let named = rootless.first.iter().take(NAMED_IN_SENTENCE);
        let named = named.map(|unit| format!("{} ({})", unit.name, unit.code));
        let named = named.collect::<Vec<_>>().join(", ");
        let count = rootless.count;
        let message = message!("reorganisation-without-unit-above", count, named);
        Some(WarningView {
            message: message.vi,
            message_en: message.en,
        })
    }
}

impl UnitsView {
    fn of<'f>(facts: impl Iterator<Item = &'f UnitFact>) -> UnitsView {
        let facts: Vec<&UnitFact> = facts.collect();
        let first = facts.iter().take(NAMED);
        UnitsView {
            count: facts.len(),
            by_level: LevelCount::of(facts.iter().copied()),
            first: first.map(|fact| UnitName::of_fact(fact)).collect(),
        }
    }
}

impl DividedView {
    fn of(plan: &Plan, without_unit_above: UnitsView) -> DividedView {
        let mut passed: BTreeMap<(Moment, UnitId), Vec<Option<Share>>> = BTreeMap::new();
        for one in &plan.successions {
            let parts = passed.entry((one.moment, one.from)).or_default();
            parts.push(one.share);
        }
        let sources: BTreeSet<UnitId> = plan.successions.iter().map(|one| one.from).collect();
        passed.retain(|_, parts| parts.len() > 1);
        let is_known = |parts: &&Vec<Option<Share>>| parts.iter().all(Option::is_some);
        let by_shares = passed.values().filter(is_known).count();
        let left = plan.ended().filter(|fact| !sources.contains(&fact.unit));
        DividedView {
            by_shares,
            without_shares: passed.len() - by_shares,
            without_successor: left.count(),
            without_unit_above,
        }
    }
}

impl ReorganisationPreview {
    pub(super) fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        document: &ReorganisationDocument,
        (names, today): (&NameReader<'_>, NaiveDate),
        watcher: &dyn Watcher,
    ) -> Result<ReorganisationPreview, StoreError> {
        let (reorganisation, mut faults) = match document.read() {
            Ok(reorganisation) => (reorganisation, FaultList::default()),
            // A document that cannot be read changes nothing.
            Err(faults) => (nothing_of(document), faults.into()),
        };
        // The commit that carries it out would be the next.
        let rev = snapshot.counters.rev + 1;
        let planning = plan(&snapshot.hierarchy, &reorganisation, rev);
        faults.append(planning.faults.into());
        let plan = &planning.plan;
        let work = HeldWork::of(transaction, snapshot, plan)?;
        // An impossible map has no figures.
        let (rootless, figures) = match faults.is_empty() {
            true => {
                let planned = snapshot.with_hierarchy(plan.applied_to(&snapshot.hierarchy));
                let rootless = without_unit_above(snapshot, &planned, plan);
                let figures = figures(transaction, snapshot, &planned, plan, watcher)?;
                (rootless, figures)
            }
            false => Default::default(),
        };
        Ok(ReorganisationPreview {
            effective: document.effective.get(),
            legal_basis: document.legal_basis.clone(),
            possible: faults.is_empty(),
            fault_count: faults.count,
            faults: faults.faults.into_iter().map(FaultView::of).collect(),
            warnings: WarningView::of(&rootless).into_iter().collect(),
            created: UnitsView::of(plan.created()),
            changed: UnitsView::of(plan.changed()),
            ended: UnitsView::of(plan.ended()),
            divided: DividedView::of(plan, rootless),
            submissions: submissions_view(&work, plan, reorganisation.work_in_progress),
            targets: work.ended().filter(|(_, _, held)| held.has_targets).count(),
            people: people_view(transaction, plan, reorganisation.grants, (names, today))?,
            doubled: doubled_view(&work, plan),
            figures,
        })
    }
}

fn figures(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    planned: &Snapshot,
    plan: &Plan,
    watcher: &dyn Watcher,
) -> Result<Vec<FormForecast>, StoreError> {
    let before = DayMap {
        snapshot,
        day: plan.eve,
    };
    let after = DayMap {
        snapshot: planned,
        day: plan.effective,
    };
    forecast(transaction, &before, &after, watcher)
}

/// Returns the units that would leave something under no unit, and did not before.
fn without_unit_above(snapshot: &Snapshot, planned: &Snapshot, plan: &Plan) -> UnitsView {
    let day = plan.effective;
    let (before, after) = (
        snapshot.hierarchy.tree_on(day),
        planned.hierarchy.tree_on(day),
    );
    let rootless = |tree: &Tree| -> BTreeSet<UnitId> {
        let leaves = tree.leaves().filter(|leaf| leaf.parent().is_none());
        leaves.map(|leaf| leaf.unit()).collect()
    };
    let known = rootless(&before);
    let new = rootless(&after).into_iter();
    let new = new.filter(|unit| !known.contains(unit));
    UnitsView::of(new.filter_map(|unit| plan.before(unit)))
}

/// Returns the document without its steps.
fn nothing_of(document: &ReorganisationDocument) -> Reorganisation {
    Reorganisation {
        effective: document.effective.get(),
        legal_basis: document.legal_basis.clone(),
        steps: Vec::new(),
        grants: document.grants,
        work_in_progress: document.work_in_progress,
    }
}

fn name_after(plan: &Plan, unit: UnitId) -> Option<UnitName> {
    plan.after(unit).map(UnitName::of_fact)
}

fn name_before(plan: &Plan, unit: UnitId) -> Option<UnitName> {
    plan.before(unit).map(UnitName::of_fact)
}

fn submissions_view(
    work: &HeldWork<'_>,
    plan: &Plan,
    work_in_progress: WorkInProgress,
) -> SubmissionsView {
    let mut view = SubmissionsView::default();
    for (period, unit, held) in work.ended() {
        let (Some(submission), Some(name)) = (&held.submission, name_before(plan, unit)) else {
            continue;
        };
        view.count += 1;
        view.counting += usize::from(submission.counting_revision.is_some());
        if view.first.len() < NAMED {
            let heir = match work_in_progress {
                WorkInProgress::Stay => None,
                WorkInProgress::PassOn => work.heir_of(period, unit),
            };
            view.first.push(AffectedSubmission {
                form: period.form.code.to_string(),
                period: PeriodName::of(period),
                unit: name,
                status: submission.status,
                speaks_for: submission.speaks_for,
                passes_to: heir.and_then(|heir| name_after(plan, heir)),
            });
        }
    }
    view
}

fn people_view(
    transaction: &mut Transaction<'_>,
    plan: &Plan,
    grants: Grants,
    (names, today): (&NameReader<'_>, NaiveDate),
) -> Result<PeopleView, StoreError> {
    let mut following = following_grants(transaction, plan)?;
    following.retain(|one| one.kept.grant.days.to.is_none_or(|to| today <= to));
    following.sort_by_cached_key(|one| {
        let unit = plan.before(one.unit).map(|fact| fact.code.clone());
        (unit, one.kept.grant.role, one.kept.id)
    });
    let count = following.len();
    following.truncate(NAMED_GRANTS);
    let ids: Vec<_> = following.iter().map(|one| one.kept.account).collect();
    let accounts = names.read(transaction, &ids)?;
    let first = following.into_iter().filter_map(|one| {
        let FollowingGrant { kept, unit, heir } = one;
        let days = kept.grant.days;
        let heir = heir.filter(|_| grants == Grants::Follow);
        let becomes = match heir {
            Some(_) => GrantFate::Follows,
            None if days.to.is_some_and(|to| to < plan.effective) => GrantFate::Stays,
            None => GrantFate::ReachesNothing,
        };
        Some(AffectedGrant {
            account: accounts.name(kept.account).ok()?,
            role: kept.grant.role,
            unit: name_before(plan, unit)?,
            from: Some(days.from).filter(|from| *from > BEGINNING),
            to: days.to,
            becomes,
            follows_to: heir.and_then(|heir| name_after(plan, heir)),
        })
    });
    Ok(PeopleView {
        count,
        first: first.collect(),
    })
}

fn doubled_view(work: &HeldWork<'_>, plan: &Plan) -> DoubledView {
    let mut view = DoubledView::default();
    for (period, predecessor, successor) in work.doubled() {
        view.count += 1;
        let names = (name_before(plan, predecessor), name_after(plan, successor));
        if let (true, (Some(predecessor), Some(successor))) = (view.first.len() < NAMED, names) {
            view.first.push(DoubledSubmission {
                form: period.form.code.to_string(),
                period: PeriodName::of(period),
                predecessor,
                successor,
            });
        }
    }
    view
}
