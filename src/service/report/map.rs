//! The map that figures are on: which reorganisations lie between the days of a period and that
//! of the map, and what of former units is a share or is not divided. Never figures.

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
    /// What changed the map of the unit and of what is below it between the last day of the first
    /// base period and that day.
    pub reorganisations: Vec<AppliedReorganisation>,
    /// Figures that sum across units were divided between these (phân bổ). A part of a part is told
    /// as a share of the whole.
    pub apportioned: Vec<Apportionment>,
    /// Former units with something that could not be divided, and counts in a leaf of its own: in
    /// this report, further up, or under no unit.
    pub not_divided: Vec<Undivided>,
}

/// A reorganisation that lies between the figures and their map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AppliedReorganisation {
    pub id: String,
    pub effective: NaiveDate,
    #[schema(example = "Nghị quyết 1654/NQ-UBTVQH15")]
    pub legal_basis: String,
}

/// A share that passed from a former unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Apportionment {
    pub from: UnitName,
    pub to: UnitName,
    #[schema(example = "7/10")]
    pub share: String,
}

/// A former unit of which something could not be divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Undivided {
    pub unit: UnitName,
    /// The unit that it counts under; null where its successors have none in common: then it is in
    /// no other report, and its own is read under its own name.
    pub under: Option<UnitName>,
    /// The figures of what could not be divided, where it is in none of this report's: it counts
    /// further up, or nowhere else. Null where it is in them, and in answers without figures.
    pub cells: Option<Vec<CellView>>,
}

/// The units that figures are of, each with the last day of which a change concerns them.
struct Concerned(HashMap<UnitId, NaiveDate>);

impl Concerned {
    /// The unit and everything below it, on the map of the figures and on that of `first`; and what
    /// any of it came from since, until it came.
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

    /// Whether any of these units, changed on a day, is one of them.
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

    /// Of several periods, the map of the last. It names every unit of which something may not be
    /// divided: which figures of which period are asked for is not known.
    pub(in crate::service) fn over(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        closings: &BTreeSet<NaiveDate>,
        last: &Located<'_>,
    ) -> Result<MapView, StoreError> {
        let map = MapView::between(transaction, snapshot, closings, last)?;
        let left = Left::since(snapshot, closings, last);
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
        // Most reports are of one map.
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

/// The shares of units' figures in a report: of which unit, and where each is. A part of a part is
/// told as a share of the whole: of A to D 1/2 and of D to E 1/2 make E 1/4 of A.
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
        let is_submitted = |leaf: &Place<'_>| {
            let definition = located.in_force.period.definition;
            definition.is_submitted_by(&leaf.fact().level)
        };
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

/// Tells whether the figures of any of the base periods take their way through a passing: their
/// unit stood on the last day of the period, and nothing passed from it between.
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

/// The leaves with what is left of former units that were to submit the form, as far as a report is
/// to name them.
pub(in crate::service) struct Left<'l> {
    /// Leaves that count in the report's figures.
    inside: Vec<Place<'l>>,
    /// Leaves that do not count there, though the unit has something of them, or had it before:
    /// they count further up, or nowhere else.
    outside: Vec<Place<'l>>,
}

impl<'l> Left<'l> {
    pub fn of(snapshot: &Snapshot, located: &'l Located<'_>) -> Left<'l> {
        let closings = located.closing_days().into_iter().collect();
        Left::since(snapshot, &closings, located)
    }

    fn since(
        snapshot: &Snapshot,
        closings: &BTreeSet<NaiveDate>,
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
        let definition = located.in_force.period.definition;
        for (leaf, heirs) in tree.leaves_with_heirs() {
            let unit = leaf.unit();
            if !definition.is_submitted_by(&leaf.fact().level) {
                continue;
            }
            let ended = tree.last_fact(unit).and_then(|fact| fact.validity.to);
            let is_new =
                ended.is_some_and(|to| to >= *first) || tree.is_touched_since(unit, *first);
            if !is_new {
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

    /// The leaves outside the report that hold something.
    pub fn held_outside(&self, found: &BTreeMap<Position, KeptRollup>) -> Vec<Place<'l>> {
        let mut held = self.outside.clone();
        held.retain(|leaf| holds(found, *leaf));
        held
    }

    /// The leaves that hold something, without their figures.
    pub fn held(&self, found: &BTreeMap<Position, KeptRollup>) -> Vec<Undivided> {
        let held = self.all().filter(|leaf| holds(found, *leaf));
        held.map(|leaf| Undivided::of(leaf, None)).collect()
    }

    /// The leaves that hold something, with the figures of those that are not in the report's.
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

/// Tells whether what is left lies above a unit or under none, and one of its successors at the
/// unit or below it.
fn has_of(tree: &Tree, top: Place<'_>, leaf: Place<'_>, heirs: &BTreeSet<UnitId>) -> bool {
    let is_below = leaf.parent().is_none_or(|under| under.covers(top));
    let mut heirs = heirs.iter().filter_map(|heir| tree.by_id(*heir));
    is_below && heirs.any(|heir| top.covers(heir))
}

/// Tells whether a unit had another at it or below it, of which what is left lies under no unit.
fn had(former: &Tree, top: UnitId, leaf: Place<'_>) -> bool {
    let both = former.by_id(top).zip(former.by_id(leaf.unit()));
    leaf.parent().is_none() && both.is_some_and(|(top, unit)| top.covers(unit))
}
