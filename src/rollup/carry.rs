//! Carrying: what every unit's submissions become on another day's map. For each base period a
//! unit's values pass to its successors, whole or in shares, and what cannot be divided stays in a
//! leaf of the tree. Never where the submissions come from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apportion::divided;
use super::tally::{Contribution, Counted, Extent, Origin, Piece, Report, Tally};
use crate::domain::catalogue::Aggregations;
use crate::domain::form::Span;
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::indicator::AcrossUnits;
use crate::domain::period::Period;
use crate::domain::route::{Leaf, Route};
use crate::domain::submission::Fact;
use crate::domain::succession::{Heirs, Moment, Share};

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
                period: *base,
                submitter: *unit,
                base: tree,
                contributions,
                pieces: &mut pieces,
            };
            journey.carry(contribution.given, Piece::own(*base, *unit, contribution));
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
        let starts = starts.chain([end_of(tree, unit)]);
        let ends: BTreeSet<Position> = starts
            .flat_map(|since| self.tree.route(unit, since).ends(&self.tree))
            // What is only its own stays with it, wherever the rest goes.
            .chain(self.tree.by_id(unit))
            .map(Place::position)
            .collect();
        ends.into_iter().collect()
    }
}

/// When a unit had its last, up to the day of the tree.
fn end_of(tree: &Tree, unit: UnitId) -> Moment {
    let ended = tree.end_of(unit).filter(|_| tree.by_id(unit).is_none());
    ended.unwrap_or(Moment::end_of(tree.day()))
}

/// The way of one submission.
struct Journey<'j, 'c, 's> {
    carrier: &'j Carrier<'s>,
    period: Period,
    submitter: UnitId,
    /// The map of the last day of the submission's period.
    base: &'j Tree,
    contributions: &'j Contributions,
    pieces: &'j mut BTreeMap<Position, Vec<Piece<'c>>>,
}

impl<'c> Journey<'_, 'c, '_> {
    fn carry(&mut self, given: i64, piece: Piece<'c>) {
        let unit = self.submitter;
        let day = Moment::end_of(self.base.day());
        let mut passings = self.base.passings_of(unit);
        let since = match passings.find(|passing| passing.moment.rev > given) {
            // The map was changed after the submission, as of a day before the period's end.
            Some(passing) => passing.moment.right_before(),
            None if self.base.by_id(unit).is_some() => {
                let stays = self.carrier.tree.route(unit, day) == Route::To(unit);
                let piece = match stays {
                    true => piece,
                    false => self.keep_own(piece),
                };
                return self.go_on(unit, day, piece);
            }
            None => end_of(self.base, unit),
        };
        let piece = self.keep_own(piece);
        let mut arrived = Vec::new();
        self.hand_over(unit, since, piece, &mut arrived);
        for Arrival { end, piece } in arrived {
            let (leaf, since) = match end {
                End::Unit(_) => (None, day),
                End::Leaf { leaf, since } => (Some(leaf), since),
            };
            let unit = end.unit();
            let part = 0;
            let piece = Piece {
                report: Report { unit, leaf, part },
                origin: Origin::Passed,
                ..piece
            };
            self.go_on(unit, since, piece);
        }
    }

    /// What is only a unit's own passes to nobody: it stays where the unit is, as long as it
    /// stands. The rest of the piece comes back.
    fn keep_own(&mut self, piece: Piece<'c>) -> Piece<'c> {
        let Some(place) = self.carrier.tree.by_id(self.submitter) else {
            return piece;
        };
        let (own, others) = self.parted(&piece, AcrossUnits::None);
        if own.is_empty() {
            return piece;
        }
        let kept = Piece {
            facts: Cow::Owned(own),
            submission: Counted::Elsewhere,
            ..piece.clone()
        };
        self.pieces.entry(place.position()).or_default().push(kept);
        Piece {
            facts: Cow::Owned(others),
            ..piece
        }
    }

    /// The facts of a piece that go across units in one way, and all others.
    fn parted(&self, piece: &Piece<'_>, units: AcrossUnits) -> (Vec<Fact>, Vec<Fact>) {
        let aggregations = self.carrier.aggregations;
        let facts = piece.facts.iter().copied();
        facts.partition(|fact| aggregations.of(fact.indicator).units == units)
    }

    /// Takes what a unit has since a moment to the map of the period's last day. What a unit
    /// submitted itself while it had it takes its place; of what stays undivided, what all
    /// successors together submitted.
    fn hand_over(
        &self,
        unit: UnitId,
        since: Moment,
        piece: Piece<'c>,
        arrived: &mut Vec<Arrival<'c>>,
    ) {
        let replaced = self.replaced(unit, since);
        if replaced == Replaced::All {
            return;
        }
        let route = self.base.route(unit, since);
        let passing = self.base.passing_after(unit, since);
        let piece = match passing.map(|passing| (&passing.heirs, passing.moment)) {
            Some((Heirs::One(heir), moment)) => {
                return self.hand_over(*heir, moment, piece, arrived);
            }
            Some((Heirs::Shares(parts), moment))
                if replaced == Replaced::InPart || matches!(route, Route::Divided { .. }) =>
            {
                let shares: Vec<Share> = parts.iter().map(|(_, share)| *share).collect();
                let submission = piece.submission;
                let (pieces, rest) = self.divide(piece, &shares);
                // Each part stands in for the one submission that is expected of its heir.
                for ((heir, _), piece) in parts.iter().zip(pieces) {
                    let piece = Piece {
                        submission,
                        ..piece
                    };
                    self.hand_over(*heir, moment, piece, arrived);
                }
                Piece {
                    submission: Counted::Elsewhere,
                    ..rest
                }
            }
            _ => piece,
        };
        let end = End::of_whole(&route);
        arrived.push(Arrival { end, piece });
    }

    /// How much of what a unit has since a moment gave way to what was submitted since.
    fn replaced(&self, unit: UnitId, since: Moment) -> Replaced {
        let passing = self.base.passing_after(unit, since);
        let own = self.contributions.get(&(self.period, unit));
        // It does not take its own place.
        let own = own.filter(|_| unit != self.submitter);
        let is_meanwhile = |own: &Contribution| {
            let had_it = passing.is_none_or(|passing| own.given < passing.moment.rev);
            own.given > since.rev && had_it
        };
        if own.is_some_and(is_meanwhile) {
            return Replaced::All;
        }
        let parts = passing.into_iter().flat_map(|passing| {
            let heirs = passing.heirs.units().into_iter();
            heirs.map(|heir| self.replaced(heir, passing.moment))
        });
        let same = |a, b| if a == b { a } else { Replaced::InPart };
        parts.reduce(same).unwrap_or(Replaced::Nothing)
    }

    /// Takes a piece from the map of its period to the one that is looked at.
    fn go_on(&mut self, unit: UnitId, since: Moment, piece: Piece<'c>) {
        let tree = &self.carrier.tree;
        let mut arrived = Vec::new();
        self.spread(&tree.route(unit, since), unit, piece, &mut arrived);
        for (part, Arrival { end, piece }) in arrived.into_iter().enumerate() {
            let place = match end {
                End::Unit(unit) => tree.by_id(unit),
                End::Leaf { leaf, .. } => tree.leaf(&leaf),
            };
            let report = Report {
                part,
                ..piece.report
            };
            let piece = Piece { report, ..piece };
            let is_empty = piece.facts.is_empty() && piece.submission == Counted::Elsewhere;
            if let Some(place) = place.filter(|_| !is_empty) {
                let pieces = self.pieces.entry(place.position()).or_default();
                pieces.push(piece);
            }
        }
    }

    /// Divides a piece along a route.
    fn spread(
        &self,
        route: &Route,
        unit: UnitId,
        piece: Piece<'c>,
        arrived: &mut Vec<Arrival<'c>>,
    ) {
        let end = End::of_whole(route);
        let piece = match route {
            Route::To(_) | Route::Stays { .. } => piece,
            Route::Divided { parts, .. } => {
                let shares: Vec<Share> = parts.iter().map(|(share, _)| *share).collect();
                let (pieces, rest) = self.divide(piece, &shares);
                for ((_, part), piece) in parts.iter().zip(pieces) {
                    self.spread(part, unit, piece, arrived);
                }
                rest
            }
        };
        let piece = piece.at(end.unit(), unit);
        arrived.push(Arrival { end, piece });
    }

    /// What each share has of a piece, and what cannot be divided. Each division is exact for
    /// itself, so that what was divided once does not move when something else is divided later.
    fn divide(&self, piece: Piece<'c>, shares: &[Share]) -> (Vec<Piece<'c>>, Piece<'c>) {
        let (divisible, rest) = self.parted(&piece, AcrossUnits::Sum);
        let pieces = divided(&divisible, shares, self.carrier.aggregations);
        let pieces = pieces.into_iter().map(|facts| Piece {
            facts: Cow::Owned(facts),
            extent: Extent::Share,
            origin: Origin::Passed,
            submission: Counted::Elsewhere,
            ..piece.clone()
        });
        let pieces = pieces.collect();
        let rest = Piece {
            facts: Cow::Owned(rest),
            ..piece
        };
        (pieces, rest)
    }
}

/// How much of something gave way to something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    Nothing,
    InPart,
    All,
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

impl End {
    /// Where what is not divided comes to.
    fn of_whole(route: &Route) -> End {
        match route {
            Route::To(unit) => End::Unit(*unit),
            Route::Divided { leaf, since, .. } | Route::Stays { leaf, since } => End::Leaf {
                leaf: *leaf,
                since: *since,
            },
        }
    }

    fn unit(self) -> UnitId {
        match self {
            End::Unit(unit) => unit,
            End::Leaf { leaf, .. } => leaf.unit,
        }
    }
}
