//! The map that figures are on: which reorganisations lie between the days of a period and that
//! of the map, and what of former units is a share or is not divided. Never figures.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use chrono::NaiveDate;
use serde::Serialize;

use super::locate::Located;
use super::snapshot::Snapshot;
use super::unit::UnitName;
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::UnitId;
use crate::domain::route::Route;
use crate::store::reorganisation::{MapChange, map_changes};
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
    /// Figures that sum across units were divided between these (phân bổ).
    pub apportioned: Vec<Apportionment>,
    /// What could not be divided, and counts in a leaf of its own.
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
    /// The unit that it counts under; null where its successors have none in common.
    pub under: Option<UnitName>,
}

/// What changed the map, each with the units that it touched: read at the first question, and kept
/// as long as the map is the same.
#[derive(Default)]
pub(super) struct MapChanges(OnceLock<Vec<(MapChange, HashSet<UnitId>)>>);

impl MapChanges {
    fn read(
        &self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<&[(MapChange, HashSet<UnitId>)], StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let successions = snapshot.hierarchy.successions();
        let changes = map_changes(transaction)?.into_iter().map(|change| {
            let facts = change.units.iter().copied();
            let touched = facts.chain(successions.units_of(change.rev)).collect();
            (change, touched)
        });
        let changes = changes.collect();
        Ok(self.0.get_or_init(|| changes))
    }
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
    pub(super) fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &Located<'_>,
    ) -> Result<MapView, StoreError> {
        MapView::between(transaction, snapshot, located, located)
    }

    /// Of several periods, the map of the last.
    pub(super) fn between(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        first: &Located<'_>,
        located: &Located<'_>,
    ) -> Result<MapView, StoreError> {
        let as_of = located.map_day();
        let bases = first.in_force.period.base_periods();
        let first = bases.first().map_or(as_of, |base| base.closing_day());
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
        let changes = snapshot.map_changes.read(transaction, snapshot)?.iter();
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
        map.add_shares(&located.tree, located.place(), first);
        map.add_leaves(located, first);
        Ok(map)
    }

    fn add_shares(&mut self, tree: &Tree, top: Place<'_>, first: NaiveDate) {
        for passing in tree.passings_since(first) {
            let route = tree.after(passing);
            let (Route::Divided { parts, .. }, Some(leaf)) = (&route, route.leaf()) else {
                continue;
            };
            let Some(leaf) = tree.leaf(&leaf) else {
                continue;
            };
            for (share, part) in parts {
                let ends = part.ends(tree).into_iter();
                let covered = ends.filter(|end| top.covers(*end));
                self.apportioned.extend(covered.map(|end| Apportionment {
                    from: UnitName::of(leaf),
                    to: UnitName::of(end),
                    share: share.to_string(),
                }));
            }
        }
    }

    /// The former units below `top` that were to submit the form, and that nobody has as a whole.
    fn add_leaves(&mut self, located: &Located<'_>, first: NaiveDate) {
        let tree = &located.tree;
        let definition = located.in_force.period.definition;
        let leaves = located
            .place()
            .subtree_with_leaves()
            .filter(|place| place.is_leaf());
        for leaf in leaves {
            let unit = leaf.unit();
            let ended = tree.last_fact(unit).and_then(|fact| fact.validity.to);
            let is_new = ended.is_some_and(|to| to >= first) || tree.is_touched_since(unit, first);
            if is_new && definition.is_submitted_by(&leaf.fact().level) {
                self.not_divided.push(Undivided {
                    unit: UnitName::of(leaf),
                    under: leaf.parent().map(UnitName::of),
                });
            }
        }
    }
}
