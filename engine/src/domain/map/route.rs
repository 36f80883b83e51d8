//! Routes: where what a unit had on one day belongs on the tree of another, through all that
//! happened between. Never how figures are divided on the way: that is `rollup`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use num_rational::BigRational;
use num_traits::One;

use super::succession::{Heirs, Moment, Passing, Share, Successions};
pub use super::tree::Leaf;
use super::tree::{Place, Tree};
use crate::domain::id::UnitId;
use crate::domain::unit::UnitFact;

/// The way of a unit's values to the places on a tree where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// As a whole to a unit that stands.
    To(UnitId),
    /// In parts, whose shares add up to one; what cannot be divided stays in the leaf.
    Divided {
        parts: Vec<(Share, Route)>,
        leaf: Leaf,
        /// Right before it was divided.
        since: Moment,
    },
    /// To nobody: it stays in the leaf.
    Stays {
        leaf: Leaf,
        /// Right before it came to an end.
        since: Moment,
    },
}

impl Route {
    /// The leaf of this step of the route; those further on are found by their own steps.
    pub fn leaf(&self) -> Option<Leaf> {
        match self {
            Route::To(_) => None,
            Route::Divided { leaf, .. } | Route::Stays { leaf, .. } => Some(*leaf),
        }
    }

    /// The unit that everything on the route comes to lie under.
    fn under(&self) -> Option<UnitId> {
        match self {
            Route::To(unit) => Some(*unit),
            Route::Divided { leaf, .. } | Route::Stays { leaf, .. } => leaf.under,
        }
    }

    /// All places on the tree that a part may come to: units that stand, and leaves.
    pub fn ends<'t>(&self, tree: &'t Tree) -> Vec<Place<'t>> {
        match self {
            Route::To(unit) => tree.by_id(*unit).into_iter().collect(),
            Route::Stays { leaf, .. } => tree.leaf(leaf).into_iter().collect(),
            Route::Divided { parts, leaf, .. } => {
                let parts = parts.iter().flat_map(|(_, part)| part.ends(tree));
                parts.chain(tree.leaf(leaf)).collect()
            }
        }
    }
}

impl Route {
    /// The share that each place on the tree has of what was divided, in the order of the
    /// documents: of A's half of a third a sixth. Of what was not divided there is none.
    pub fn shares<'t>(&self, tree: &'t Tree) -> Vec<(Place<'t>, BigRational)> {
        let mut shares = Vec::new();
        if matches!(self, Route::Divided { .. }) {
            self.add_shares(tree, &BigRational::one(), &mut shares);
        }
        shares
    }

    fn add_shares<'t>(
        &self,
        tree: &'t Tree,
        whole: &BigRational,
        shares: &mut Vec<(Place<'t>, BigRational)>,
    ) {
        let end = match self {
            Route::To(unit) => tree.by_id(*unit),
            Route::Stays { leaf, .. } => tree.leaf(leaf),
            Route::Divided { parts, .. } => {
                for (share, part) in parts {
                    part.add_shares(tree, &(whole * share.ratio()), shares);
                }
                return;
            }
        };
        let Some(end) = end else { return };
        let mut known = shares.iter_mut();
        match known.find(|(known, _)| known.position() == end.position()) {
            Some((_, share)) => *share += whole,
            None => shares.push((end, whole.clone())),
        }
    }
}

impl Tree {
    /// The tree of a day with its leaves.
    pub(super) fn on(
        facts: &Arc<[UnitFact]>,
        successions: &Arc<Successions>,
        day: NaiveDate,
    ) -> Tree {
        let standing = Tree::planted(facts, successions, day, &BTreeMap::new());
        let leaves = standing.find_leaves();
        if leaves.is_empty() {
            standing
        } else {
            Tree::planted(facts, successions, day, &leaves)
        }
    }

    /// Finds the former units that no single standing unit took over as a whole.
    fn find_leaves(&self) -> BTreeMap<Leaf, usize> {
        let mut last: HashMap<UnitId, usize> = HashMap::new();
        for (index, fact) in self.facts.iter().enumerate() {
            if fact.validity.to.is_some_and(|to| to < self.day()) {
                let known = last.entry(fact.unit).or_insert(index);
                if self
                    .fact(*known)
                    .is_some_and(|known| known.validity.from < fact.validity.from)
                {
                    *known = index;
                }
            }
        }
        let ended = last
            .iter()
            .filter(|(unit, _)| !self.by_id.contains_key(unit))
            .filter_map(|(unit, _)| Some(self.route(*unit, self.end_of(*unit)?)));
        let passed = self
            .successions()
            .until(self.day())
            .map(|passing| self.after(passing));
        ended
            .chain(passed)
            .filter_map(|route| route.leaf())
            .filter_map(|leaf| {
                let standing = self.by_id.get(&leaf.unit);
                let standing = standing.map(|position| self.node(*position).fact);
                Some((leaf, last.get(&leaf.unit).copied().or(standing)?))
            })
            .collect()
    }

    /// The same, each with the units that stand and have something of its unit. Worked out once:
    /// every report of a former map asks.
    pub fn leaves_with_heirs(&self) -> impl Iterator<Item = (Place<'_>, &BTreeSet<UnitId>)> {
        let known = self.leaves_with_heirs.get_or_init(|| {
            let leaves = self.leaves();
            leaves
                .map(|leaf| (leaf.position(), self.heirs_of(leaf.unit())))
                .collect()
        });
        known
            .iter()
            .map(|(position, heirs)| (self.at(*position), heirs))
    }

    /// The leaf with what is left of a unit that stands no more, where no other has it as a whole.
    pub fn left_of(&self, unit: UnitId) -> Option<Place<'_>> {
        let leaf = self.route(unit, self.end_of(unit)?).leaf()?;
        self.leaf(&leaf)
    }

    /// Finds where the values that `unit` had after `since` belong on this tree.
    pub fn route(&self, unit: UnitId, since: Moment) -> Route {
        if let Some(passing) = self.successions().next(unit, since, self.day()) {
            return self.through(passing, since);
        }
        if self.by_id(unit).is_some() {
            return Route::To(unit);
        }
        let leaf = Leaf {
            unit,
            under: self.place_of_parent(unit),
        };
        Route::Stays { leaf, since }
    }

    /// Everything that passed after `day`, up to the day of the tree.
    pub fn passings_since(&self, day: NaiveDate) -> impl Iterator<Item = &Passing> {
        let all = self.successions().until(self.day());
        all.filter(move |passing| passing.moment.effective > day)
    }

    /// Finds where the values that a unit had right before a passing belong on this tree.
    pub fn after(&self, passing: &Passing) -> Route {
        self.through(passing, passing.moment.right_before())
    }

    fn through(&self, passing: &Passing, since: Moment) -> Route {
        let onward = |heir: &UnitId| self.route(*heir, passing.moment);
        let leaf = |routes: &[Route]| Leaf {
            unit: passing.from,
            under: self.common(routes.iter().map(Route::under)),
        };
        match &passing.heirs {
            Heirs::One(heir) => onward(heir),
            Heirs::Shares(parts) => {
                let routes: Vec<Route> = parts.iter().map(|(heir, _)| onward(heir)).collect();
                if let Some(whole) = meeting_again(&routes) {
                    return whole;
                }
                let leaf = leaf(&routes);
                let shares = parts.iter().map(|(_, share)| *share);
                let parts = shares.zip(routes).collect();
                Route::Divided { parts, leaf, since }
            }
            Heirs::Unknown(heirs) => {
                let routes: Vec<Route> = heirs.iter().map(onward).collect();
                let leaf = leaf(&routes);
                meeting_again(&routes).unwrap_or(Route::Stays { leaf, since })
            }
        }
    }

    /// Everything that passed from a unit, in order, up to the day of the tree.
    pub fn passings_of(&self, unit: UnitId) -> impl Iterator<Item = &Passing> {
        self.successions().of(unit, self.day())
    }

    /// The revs of the reorganisations in which a unit was divided and went on, in order.
    pub fn divisions_of(&self, unit: UnitId) -> Vec<i64> {
        let passings = self.passings_of(unit);
        let divisions = passings.filter(|passing| passing.is_survived());
        let revs: BTreeSet<i64> = divisions.map(|passing| passing.moment.rev).collect();
        revs.into_iter().collect()
    }

    /// Tells whether a unit was ever divided and went on.
    pub fn is_divided(&self, unit: UnitId) -> bool {
        self.passings_of(unit).any(Passing::is_survived)
    }

    /// The units that were ever divided and went on.
    pub fn divided(&self) -> BTreeSet<UnitId> {
        let passings = self.successions().until(self.day());
        let divisions = passings.filter(|passing| passing.is_survived());
        divisions.map(|passing| passing.from).collect()
    }

    /// Finds the next passing from a unit after a moment, up to the day of the tree.
    pub fn passing_after(&self, unit: UnitId, since: Moment) -> Option<&Passing> {
        self.successions().next(unit, since, self.day())
    }

    /// The units that stand and may have something of another, itself among them where it does.
    pub fn heirs_of(&self, unit: UnitId) -> BTreeSet<UnitId> {
        let mut heirs = self.ever_heirs_of(unit);
        heirs.retain(|unit| self.by_id(*unit).is_some());
        heirs
    }

    /// The units that had something of another at any time, itself among them.
    pub fn ever_heirs_of(&self, unit: UnitId) -> BTreeSet<UnitId> {
        let mut known = BTreeSet::from([unit]);
        let mut waiting = vec![unit];
        while let Some(unit) = waiting.pop() {
            for passing in self.passings_of(unit) {
                let heirs = passing.heirs.units().into_iter();
                waiting.extend(heirs.filter(|heir| known.insert(*heir)));
            }
        }
        known
    }

    /// When a unit that stands no more had its last: at the end of its last day or, where on the
    /// day that it was gone it had first passed on a part of it, after that.
    pub fn end_of(&self, unit: UnitId) -> Option<Moment> {
        let ended = Moment::end_of(self.last_fact(unit)?.validity.to?);
        let goes_on = |passing: &&Passing| passing.heirs.units().contains(&unit);
        let parted = self.passings_of(unit).filter(goes_on).last();
        Some(parted.map_or(ended, |parted| parted.moment.max(ended)))
    }

    /// Finds the present unit of a former unit's parent.
    fn place_of_parent(&self, unit: UnitId) -> Option<UnitId> {
        let last = self.last_fact(unit)?;
        self.route(last.parent?, Moment::end_of(last.validity.to?))
            .under()
    }

    /// The lowest unit that has all of `units` at or below it.
    fn common(&self, units: impl Iterator<Item = Option<UnitId>>) -> Option<UnitId> {
        let mut common: Option<Place<'_>> = None;
        for unit in units {
            let place = self.by_id(unit?)?;
            common = Some(match common {
                None => place,
                Some(known) => std::iter::once(known)
                    .chain(known.ancestors())
                    .find(|above| above.covers(place))?,
            });
        }
        common.map(Place::unit)
    }
}

/// Joins the routes of a division whose parts all came together again.
fn meeting_again(routes: &[Route]) -> Option<Route> {
    let (first, rest) = routes.split_first()?;
    let whole = matches!(first, Route::To(_)) && rest.iter().all(|route| route == first);
    whole.then(|| first.clone())
}
