//! Describes the map that figures are on: the reorganisations between a period's days and the map's
//! day, and the parts of former units that were divided or could not be. Contains no figures.

use crate::service::application::name::UnitName;
use crate::service::totals::cell::CellView;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::succession::{Moment, Passing};
use crate::rollup::node::KeptRollup;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::{StoreError, Transaction};

/// The map of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MapView {
    /// The day whose map the figures are on: the period's last day, or a later one that was asked
    /// for (theo đơn vị hành chính mới).
    pub as_of: NaiveDate,
    /// Reorganisations between the last day of the first base period and `as_of` that touched the
    /// unit or anything below it.
    pub reorganisations: Vec<AppliedReorganisation>,
    /// The shares by which figures that sum across units were divided (phân bổ). A part of a part
    /// is given as a share of the whole.
    pub apportioned: Vec<Apportionment>,
    /// Former units with a part that could not be divided. The part counts in a leaf of its own: in
    /// this report, further up, or under no unit.
    pub not_divided: Vec<Undivided>,
}

/// A reorganisation between the figures and their map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AppliedReorganisation {
    pub id: String,
    pub effective: NaiveDate,
    #[schema(example = "Nghị quyết 1654/NQ-UBTVQH15")]
    pub legal_basis: String,
}

/// A share that passed on from a former unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Apportionment {
    pub from: UnitName,
    pub to: UnitName,
    #[schema(example = "7/10")]
    pub share: String,
}

/// A former unit with a part that could not be divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Undivided {
    pub unit: UnitName,
    /// The unit under which the part counts. Null if the successors have no unit above in common:
    /// then it is in no other report, and can be read under the unit's own name.
    pub under: Option<UnitName>,
    /// The figures of the undivided part, if this report's figures do not contain it: it counts
    /// further up, or nowhere else. Null if they do, and in answers without figures.
    pub cells: Option<Vec<CellView>>,
}

/// The units that figures come from, each with the last day on which a change of the map concerns
/// it.
struct Concerned(HashMap<UnitId, NaiveDate>);

impl Concerned {
    /// Collects the unit and everything below it, on the map of the figures and on that of `first`,
    /// and the units from which any of these received something, until they did.
    fn of(snapshot: &Snapshot, located: &Located<'_>, first: NaiveDate) -> Concerned {
        let (tree, top) = (&located.tree, located.place());
        let mut concerned = HashMap::new();
        for place in top.subtree_with_leaves() {
            concerned.extend(tree.sources_since(place.unit(), first));
        }
        let former = snapshot.hierarchy.tree_on(first);
        let former = former.by_id(top.unit()).into_iter();
        let below = former.flat_map(Place::subtree_with_leaves);
        let below = below.chain(top.subtree_with_leaves());
        concerned.extend(below.map(|place| (place.unit(), located.map_day())));
        Concerned(concerned)
    }

    /// Returns true if a change on `day` touched any of these units.
    fn has_any_of(&self, touched: &HashSet<UnitId>, day: NaiveDate) -> bool {
        let concerns = |unit| self.0.get(unit).is_some_and(|last| day <= *last);
        match touched.len() < self.0.len() {
            true => touched.iter().any(concerns),
            false => self
                .0
                .keys()
                .any(|unit| touched.contains(unit) && concerns(unit)),
        }
    }
}

impl MapView {
    pub(in crate::service) fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &Located<'_>,
        not_divided: Vec<Undivided>,
    ) -> Result<MapView, StoreError> {
        let closings = located.closing_days().into_iter().collect();
        let map = MapView::between(transaction, snapshot, &closings, located)?;
        Ok(MapView { not_divided, ..map })
    }

    /// Describes the last period's map, for several periods. Names every unit with a part that may
    /// be undivided, since the figures asked for are not known here.
    pub(in crate::service) fn over(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        periods: &[Located<'_>],
        last: &Located<'_>,
    ) -> Result<MapView, StoreError> {
        let all = || periods.iter().chain([last]);
        let closings: BTreeSet<NaiveDate> = all().flat_map(Located::closing_days).collect();
        let opening = all().map(Located::opening_day).min();
        let opening = opening.unwrap_or_else(|| last.opening_day());
        let map = MapView::between(transaction, snapshot, &closings, last)?;
        let late = late_changes(transaction, snapshot, last, opening)?;
        let left = Left::since(snapshot, &closings, &late, last);
        let not_divided = left.all().map(|leaf| Undivided::of(leaf, None)).collect();
        Ok(MapView { not_divided, ..map })
    }

    /// `closings` are the last days of all base periods.
    fn between(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        closings: &BTreeSet<NaiveDate>,
        located: &Located<'_>,
    ) -> Result<MapView, StoreError> {
        let as_of = located.map_day();
        let first = closings.first().copied().unwrap_or(as_of);
        let mut map = MapView {
            as_of,
            reorganisations: Vec::new(),
            apportioned: Vec::new(),
            not_divided: Vec::new(),
        };
        // Most reports need one map only.
        if snapshot.hierarchy.landings(first, as_of).is_none() {
            return Ok(map);
        }
        let concerned = Concerned::of(snapshot, located, first);
        let changes = snapshot.map_changes(transaction)?.iter();
        let changes = changes.filter(|(change, touched)| {
            first < change.effective
                && change.effective <= as_of
                && concerned.has_any_of(touched, change.effective)
        });
        map.reorganisations = changes
            .map(|(change, _)| AppliedReorganisation {
                id: change.id.to_string(),
                effective: change.effective,
                legal_basis: change.legal_basis.clone(),
            })
            .collect();
        map.apportioned = apportioned(snapshot, closings, located);
        Ok(map)
    }
}

impl Undivided {
    fn of(leaf: Place<'_>, cells: Option<Vec<CellView>>) -> Undivided {
        Undivided {
            unit: UnitName::of(leaf),
            under: leaf.parent().map(UnitName::of),
            cells,
        }
    }
}

/// Lists the shares of units' figures in a report: the unit, and the place of each share. A part of
/// a part is given as a share of the whole: if A gives 1/2 to D, and D gives 1/2 to E, then E has
/// 1/4 of A.
fn apportioned(
    snapshot: &Snapshot,
    closings: &BTreeSet<NaiveDate>,
    located: &Located<'_>,
) -> Vec<Apportionment> {
    let (tree, top) = (&located.tree, located.place());
    let Some(first) = closings.first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for passing in tree.passings_since(*first) {
        let route = tree.after(passing);
        let leaf = route.leaf().and_then(|leaf| tree.leaf(&leaf));
        let is_submitted = |leaf: &Place<'_>| may_have_submitted(snapshot, located, *leaf);
        let Some(leaf) = leaf.filter(is_submitted) else {
            continue;
        };
        if !takes_figures(snapshot, closings, tree, passing) {
            continue;
        }
        let ends = route.shares(tree).into_iter();
        let covered = ends.filter(|(end, _)| top.covers(*end));
        found.extend(covered.map(|(end, share)| Apportionment {
            from: UnitName::of(leaf),
            to: UnitName::of(end),
            share: format!("{}/{}", share.numer(), share.denom()),
        }));
    }
    found
}

/// Returns true if a former unit may have submitted the form: the form asked it, or it reported for its
/// subtree.
fn may_have_submitted(snapshot: &Snapshot, located: &Located<'_>, leaf: Place<'_>) -> bool {
    let reportings = snapshot.catalogue.subtree_reportings();
    let mut periods = located.in_force.periods_behind().into_iter();
    periods.any(|period| {
        let mut covering = reportings.of_form(period.form.number).iter();
        period.definition.submitted_by.includes(leaf.fact())
            || covering.any(|(unit, _)| *unit == leaf.unit())
    })
}

/// Returns true if figures of any base period passed along `passing`: their unit existed on the
/// period's last day, and gave nothing away between.
fn takes_figures(
    snapshot: &Snapshot,
    closings: &BTreeSet<NaiveDate>,
    tree: &Tree,
    passing: &Passing,
) -> bool {
    let before = closings.range(..passing.moment.effective);
    before.rev().any(|closing| {
        let then = snapshot.hierarchy.tree_on(*closing);
        let next = tree.passing_after(passing.from, Moment::end_of(*closing));
        then.by_id(passing.from).is_some() && next == Some(passing)
    })
}

/// The leaves with undivided parts of former units that were to submit the form, as far as a report
/// must name them.
pub(in crate::service) struct Left<'l> {
    /// Leaves that count in the report's figures.
    inside: Vec<Place<'l>>,
    /// Leaves that do not count in the report though the unit has or had a part of them: they count
    /// further up, or nowhere else.
    outside: Vec<Place<'l>>,
}

/// Returns the units that each late reorganisation touched: one that was entered after the first
/// period had begun. Its former units may have submitted for that period, though they end before it.
fn late_changes<'s>(
    transaction: &mut Transaction<'_>,
    snapshot: &'s Snapshot,
    located: &Located<'_>,
    opening: NaiveDate,
) -> Result<Vec<&'s HashSet<UnitId>>, StoreError> {
    // Most maps have no leaf.
    if located.tree.leaves_with_heirs().next().is_none() {
        return Ok(Vec::new());
    }
    let changes = snapshot.map_changes(transaction)?.iter();
    let late = changes.filter(|(change, _)| {
        let entered_on = snapshot.counters.day_of(change.entered_at.and_utc());
        change.effective <= located.map_day() && entered_on >= opening
    });
    Ok(late.map(|(_, touched)| touched).collect())
}

impl<'l> Left<'l> {
    pub fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'l Located<'_>,
    ) -> Result<Left<'l>, StoreError> {
        let closings = located.closing_days().into_iter().collect();
        let late = late_changes(transaction, snapshot, located, located.opening_day())?;
        Ok(Left::since(snapshot, &closings, &late, located))
    }

    fn since(
        snapshot: &Snapshot,
        closings: &BTreeSet<NaiveDate>,
        late: &[&HashSet<UnitId>],
        located: &'l Located<'_>,
    ) -> Left<'l> {
        let mut left = Left {
            inside: Vec::new(),
            outside: Vec::new(),
        };
        let Some(first) = closings.first() else {
            return left;
        };
        let former = snapshot.hierarchy.tree_on(*first);
        let (tree, top) = (&located.tree, located.place());
        for (leaf, heirs) in tree.leaves_with_heirs() {
            let unit = leaf.unit();
            if !may_have_submitted(snapshot, located, leaf) {
                continue;
            }
            let ended = tree.last_fact(unit).and_then(|fact| fact.validity.to);
            let may_hold = ended.is_some_and(|to| to >= *first)
                || tree.is_touched_since(unit, *first)
                || ended.is_some() && late.iter().any(|touched| touched.contains(&unit));
            if !may_hold {
                continue;
            }
            if top.covers(leaf) {
                left.inside.push(leaf);
            } else if has_of(tree, top, leaf, heirs) || had(&former, top.unit(), leaf) {
                left.outside.push(leaf);
            }
        }
        left
    }

    pub fn all(&self) -> impl Iterator<Item = Place<'l>> {
        self.inside.iter().chain(&self.outside).copied()
    }

    pub fn positions(&self) -> Vec<Position> {
        self.all().map(Place::position).collect()
    }

    pub fn outside(&self) -> Vec<Place<'l>> {
        self.outside.clone()
    }

    /// Returns the leaves outside the report that hold something.
    pub fn held_outside(&self, found: &BTreeMap<Position, KeptRollup>) -> Vec<Place<'l>> {
        let mut held = self.outside.clone();
        held.retain(|leaf| holds(found, *leaf));
        held
    }

    /// Returns the leaves that hold something, without their figures.
    pub fn held(&self, found: &BTreeMap<Position, KeptRollup>) -> Vec<Undivided> {
        let held = self.all().filter(|leaf| holds(found, *leaf));
        held.map(|leaf| Undivided::of(leaf, None)).collect()
    }

    /// Returns the leaves that hold something, with the figures of those that are not in the
    /// report's.
    pub fn held_with(
        &self,
        found: &BTreeMap<Position, KeptRollup>,
        cells: impl Fn(Place<'_>) -> Result<Vec<CellView>, StoreError>,
    ) -> Result<Vec<Undivided>, StoreError> {
        let inside = self.inside.iter().filter(|leaf| holds(found, **leaf));
        let inside = inside.map(|leaf| Ok(Undivided::of(*leaf, None)));
        let outside = self.held_outside(found).into_iter();
        let outside = outside.map(|leaf| Ok(Undivided::of(leaf, Some(cells(leaf)?))));
        inside.chain(outside).collect()
    }
}

fn holds(found: &BTreeMap<Position, KeptRollup>, leaf: Place<'_>) -> bool {
    let stored = found.get(&leaf.position());
    stored.is_some_and(|stored| !stored.rollup.own.cells.is_empty())
}

/// Returns true if the leaf is above the unit or under none, and one of its successors is at the
/// unit or below it.
fn has_of(tree: &Tree, top: Place<'_>, leaf: Place<'_>, heirs: &BTreeSet<UnitId>) -> bool {
    let is_below = leaf.parent().is_none_or(|under| under.covers(top));
    let mut heirs = heirs.iter().filter_map(|heir| tree.by_id(*heir));
    is_below && heirs.any(|heir| top.covers(heir))
}

/// Returns true if the leaf is under no unit, and its former unit was at `top` or below it.
fn had(former: &Tree, top: UnitId, leaf: Place<'_>) -> bool {
    let both = former.by_id(top).zip(former.by_id(leaf.unit()));
    leaf.parent().is_none() && both.is_some_and(|(top, unit)| top.covers(unit))
}
