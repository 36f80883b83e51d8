//! Carrying: what every unit's submissions become on another day's map. For each base period a
//! unit's values pass to its successors, whole or in shares, and what cannot be divided stays in a
//! leaf of the tree. Never where the submissions come from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use num_rational::Ratio;

use super::tally::{Contribution, Counted, Extent, Origin, Piece, Tally};
use crate::domain::catalogue::Aggregations;
use crate::domain::form::Span;
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::indicator::AcrossUnits;
use crate::domain::period::Period;
use crate::domain::route::{Leaf, Route};
use crate::domain::submission::Fact;
use crate::domain::succession::{Moment, Share};

/// What counts, by base period and by the unit that submitted it.
pub type Contributions = BTreeMap<(Period, UnitId), Contribution>;

/// The maps that figures go between: that of each base period's last day, and the one that they
/// are to be seen on, which is of the same day or of a later one.
pub struct Carrier<'s> {
    pub tree: Arc<Tree>,
    pub bases: BTreeMap<Period, Arc<Tree>>,
    pub aggregations: &'s Aggregations,
    pub span: Span,
}

impl Carrier<'_> {
    /// What counts as each unit's own, and as each leaf's.
    pub fn own(&self, contributions: &Contributions) -> BTreeMap<Position, Tally> {
        let pieces = self.pieces(contributions).into_iter();
        let tallies = pieces.map(|(position, pieces)| {
            let tally = Tally::of(&pieces, self.aggregations, self.span);
            (position, tally)
        });
        tallies.collect()
    }

    /// What that is put together of, in the order of base periods.
    pub fn pieces<'c>(
        &self,
        contributions: &'c Contributions,
    ) -> BTreeMap<Position, Vec<Piece<'c>>> {
        let mut pieces: BTreeMap<Position, Vec<Piece<'_>>> = BTreeMap::new();
        for ((base, unit), contribution) in contributions {
            let Some(tree) = self.bases.get(base) else {
                continue;
            };
            let mut journey = Journey {
                carrier: self,
                base: tree,
                contributions,
                pieces: &mut pieces,
            };
            let piece = Piece::own(*base, *unit, contribution);
            journey.carry(*unit, contribution.given, piece);
        }
        pieces
    }

    /// Everything on the tree that a unit's submission of a base period may count at, whenever
    /// it was given.
    pub fn ends(&self, base: Period, unit: UnitId) -> Vec<Position> {
        let Some(tree) = self.bases.get(&base) else {
            return Vec::new();
        };
        let passings = tree.passings_of(unit);
        let starts = passings.map(|passing| passing.moment.right_before());
        let starts = starts.chain([Moment::end_of(last_day_of(tree, unit))]);
        let ends: BTreeSet<Position> = starts
            .flat_map(|since| self.tree.route(unit, since).ends(&self.tree))
            .map(Place::position)
            .collect();
        ends.into_iter().collect()
    }
}

/// The last day on which a unit stood, up to that of the tree.
fn last_day_of(tree: &Tree, unit: UnitId) -> chrono::NaiveDate {
    if tree.by_id(unit).is_some() {
        return tree.day();
    }
    let last = tree.last_fact(unit).and_then(|fact| fact.validity.to);
    last.unwrap_or(tree.day())
}

/// The way of one submission.
struct Journey<'j, 'c, 's> {
    carrier: &'j Carrier<'s>,
    /// The map of the last day of the submission's period.
    base: &'j Tree,
    contributions: &'j Contributions,
    pieces: &'j mut BTreeMap<Position, Vec<Piece<'c>>>,
}

impl<'c> Journey<'_, 'c, '_> {
    fn carry(&mut self, unit: UnitId, given: i64, piece: Piece<'c>) {
        let day = Moment::end_of(self.base.day());
        let mut passings = self.base.passings_of(unit);
        let since = match passings.find(|passing| passing.moment.rev > given) {
            // The map was changed after the submission, as of a day before the period's end.
            Some(passing) => passing.moment.right_before(),
            None if self.base.by_id(unit).is_some() => return self.go_on(unit, day, piece),
            None => Moment::end_of(last_day_of(self.base, unit)),
        };
        let piece = Piece {
            origin: Origin::StandIn,
            counts_for: None,
            ..piece
        };
        let route = self.base.route(unit, since);
        let mut arrived = Vec::new();
        self.spread(&route, unit, piece, &mut arrived);
        for arrival in arrived {
            if self.is_replaced(&arrival, unit, since) {
                continue;
            }
            match arrival.end {
                End::Unit(heir) => self.go_on(heir, day, arrival.piece),
                End::Leaf { leaf, since } => self.go_on(leaf.unit, since, arrival.piece),
            }
        }
    }

    /// What a successor has submitted itself since the map was changed replaces what would pass to
    /// it; of what stays undivided, that of all successors together.
    fn is_replaced(&self, arrival: &Arrival<'_>, from: UnitId, since: Moment) -> bool {
        let changed = self.base.passing_after(from, since);
        let has_own = |unit: UnitId| {
            let own = self.contributions.get(&(arrival.piece.base, unit));
            own.is_some_and(|own| changed.is_none_or(|changed| own.given > changed.moment.rev))
        };
        match arrival.end {
            End::Unit(heir) => has_own(heir),
            End::Leaf { .. } => {
                let mut heirs = self.base.heirs_of(from);
                heirs.retain(|heir| *heir != from);
                !heirs.is_empty() && heirs.into_iter().all(has_own)
            }
        }
    }

    /// Takes a piece from the map of its period to the one that is looked at.
    fn go_on(&mut self, unit: UnitId, since: Moment, piece: Piece<'c>) {
        let tree = &self.carrier.tree;
        let mut arrived = Vec::new();
        self.spread(&tree.route(unit, since), unit, piece, &mut arrived);
        for Arrival { end, piece } in arrived {
            let place = match end {
                End::Unit(unit) => tree.by_id(unit),
                End::Leaf { leaf, .. } => tree.leaf(&leaf),
            };
            let is_empty = piece.facts.is_empty() && piece.submission == Counted::Elsewhere;
            if let Some(place) = place.filter(|_| !is_empty) {
                let pieces = self.pieces.entry(place.position()).or_default();
                pieces.push(piece);
            }
        }
    }

    /// Divides a piece along a route. Each division is exact for itself, so that what was divided
    /// once does not move when something else is divided later.
    fn spread(
        &self,
        route: &Route,
        unit: UnitId,
        piece: Piece<'c>,
        arrived: &mut Vec<Arrival<'c>>,
    ) {
        match route {
            Route::To(heir) => {
                let end = End::Unit(*heir);
                let piece = piece.at(*heir, unit);
                arrived.push(Arrival { end, piece });
            }
            Route::Stays { leaf, since } => {
                let (leaf, since) = (*leaf, *since);
                let end = End::Leaf { leaf, since };
                let piece = piece.at(leaf.unit, unit);
                arrived.push(Arrival { end, piece });
            }
            Route::Divided { parts, leaf, since } => {
                let is_own = |fact: &Fact| {
                    let across = self.carrier.aggregations.of(fact.indicator);
                    across.units == AcrossUnits::None && route.goes_on_as(unit)
                };
                // What is only its own stays with a unit that goes on.
                let (own, others): (Vec<Fact>, Vec<Fact>) =
                    piece.facts.iter().copied().partition(is_own);
                if !own.is_empty() {
                    let piece = Piece {
                        facts: Cow::Owned(own),
                        origin: Origin::Own,
                        submission: Counted::Elsewhere,
                        counts_for: piece.counts_for.or(Some(unit)),
                        ..piece.clone()
                    };
                    let end = End::Unit(unit);
                    arrived.push(Arrival { end, piece });
                }
                let (divisible, rest): (Vec<Fact>, Vec<Fact>) =
                    others.into_iter().partition(|fact| {
                        let across = self.carrier.aggregations.of(fact.indicator);
                        across.units == AcrossUnits::Sum
                    });
                let shares: Vec<Share> = parts.iter().map(|(share, _)| *share).collect();
                // Each part stands in for one submission; what is a unit's already is counted once.
                let (of_parts, of_rest) = match piece.counts_for {
                    None => (piece.submission, Counted::Elsewhere),
                    Some(_) => (Counted::Elsewhere, piece.submission),
                };
                for ((_, part), facts) in parts.iter().zip(divided(&divisible, &shares)) {
                    let origin = match piece.origin {
                        Origin::Own => Origin::Passed,
                        other => other,
                    };
                    let piece = Piece {
                        facts: Cow::Owned(facts),
                        extent: Extent::Share,
                        origin,
                        submission: of_parts,
                        ..piece.clone()
                    };
                    self.spread(part, unit, piece, arrived);
                }
                let (leaf, since) = (*leaf, *since);
                let end = End::Leaf { leaf, since };
                let piece = Piece {
                    facts: Cow::Owned(rest),
                    submission: of_rest,
                    ..piece.at(leaf.unit, unit)
                };
                arrived.push(Arrival { end, piece });
            }
        }
    }
}

/// A piece where one map has taken it.
struct Arrival<'c> {
    end: End,
    piece: Piece<'c>,
}

#[derive(Clone, Copy)]
enum End {
    Unit(UnitId),
    /// What is left of a unit, from a moment on.
    Leaf {
        leaf: Leaf,
        since: Moment,
    },
}

/// The facts of each share, by largest remainder: what is handed out adds up to what there was. Of
/// equal remainders the first share is served first; a negative value is divided as its opposite.
fn divided(facts: &[Fact], shares: &[Share]) -> Vec<Vec<Fact>> {
    let mut of_shares: Vec<Vec<Fact>> = vec![Vec::with_capacity(facts.len()); shares.len()];
    for fact in facts {
        let parts = apportioned(fact.mantissa, shares);
        for (of_share, mantissa) in of_shares.iter_mut().zip(parts) {
            of_share.push(Fact { mantissa, ..*fact });
        }
    }
    of_shares
}

fn apportioned(mantissa: i64, shares: &[Share]) -> Vec<i64> {
    let whole = i128::from(mantissa).abs();
    let exact: Vec<Ratio<i128>> = shares
        .iter()
        .map(|share| {
            Ratio::new(
                whole * i128::from(share.numerator()),
                share.denominator().into(),
            )
        })
        .collect();
    let mut parts: Vec<i128> = exact.iter().map(Ratio::to_integer).collect();
    let mut left = whole - parts.iter().sum::<i128>();
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    by_remainder.sort_by_key(|at| exact.get(*at).map(|exact| std::cmp::Reverse(exact.fract())));
    for at in by_remainder {
        if let Some(part) = parts.get_mut(at).filter(|_| left > 0) {
            *part += 1;
            left -= 1;
        }
    }
    let sign = i128::from(mantissa.signum());
    let parts = parts.into_iter().map(|part| sign * part);
    // No part is larger than the whole.
    parts
        .map(|part| i64::try_from(part).unwrap_or(mantissa))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(texts: &[&str]) -> Vec<Share> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn thirds_of_anything_add_up_to_it() {
        let thirds = shares(&["1/3", "1/3", "1/3"]);
        assert_eq!(apportioned(100, &thirds), [34, 33, 33]);
        assert_eq!(apportioned(1, &thirds), [1, 0, 0]);
        assert_eq!(apportioned(0, &thirds), [0, 0, 0]);
        assert_eq!(apportioned(-7, &thirds), [-3, -2, -2]);
        assert_eq!(apportioned(9, &shares(&["7/10", "3/10"])), [6, 3]);
        assert_eq!(apportioned(i64::MIN, &shares(&["1"])), [i64::MIN]);
    }

    proptest! {
        #[test]
        fn what_is_divided_adds_up_and_no_part_is_off_by_one(
            mantissa in any::<i64>(),
            weights in prop::collection::vec(1_i64..1000, 1..8),
        ) {
            let total: i64 = weights.iter().sum();
            let shares: Vec<Share> = weights.iter().map(|w| Share::new(*w, total).unwrap()).collect();
            let parts = apportioned(mantissa, &shares);
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(mantissa));
            for (part, weight) in parts.iter().zip(&weights) {
                let off = i128::from(*part) * i128::from(total) - i128::from(mantissa) * i128::from(*weight);
                prop_assert!(off.abs() < i128::from(total));
            }
        }
    }
}
