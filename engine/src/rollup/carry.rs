//! Carrying: what every unit's submissions become on another day's map. For each base period a
//! unit's values pass to its successors, whole or in shares, and what cannot be divided stays in a
//! leaf of the tree. Never where the submissions come from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use itertools::Itertools;

use super::apportion::divided;
use super::piece::{Contribution, Counted, Edition, Origin, Piece, Portion, Report};
use super::tally::Tally;
use crate::domain::catalogue::Aggregations;
use crate::domain::form::Span;
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::indicator::AcrossUnits;
use crate::domain::period::Period;
use crate::domain::route::{Leaf, Route};
use crate::domain::submission::{Fact, Stage};
use crate::domain::succession::{Heirs, Moment, Share};

/// The contributions of units, by base period and by the unit that submitted them.
pub type Contributions = BTreeMap<(Period, UnitId, Edition), Contribution>;

/// The maps that figures go between: that of each base period's last day, and the one that they
/// are to be seen on, which is of the same day or of a later one.
pub struct Carrier<'s> {
    pub tree: Arc<Tree>,
    pub bases: BTreeMap<Period, Arc<Tree>>,
    pub aggregations: &'s Aggregations,
    pub span: Span,
}

impl Carrier<'_> {
    /// The tally that counts as each unit's own, and as each leaf's.
    pub fn own(&self, contributions: &Contributions) -> BTreeMap<Position, Tally> {
        let pieces = self.pieces(contributions).into_iter();
        let tallies = pieces.map(|(position, pieces)| (position, self.tally(&pieces)));
        tallies.collect()
    }

    /// The tally of one place's pieces.
    pub fn tally(&self, pieces: &[Piece<'_>]) -> Tally {
        Tally::of(pieces, self.aggregations, self.span)
    }

    /// The pieces it is made of, in the order of base periods.
    pub fn pieces<'c>(
        &self,
        contributions: &'c Contributions,
    ) -> BTreeMap<Position, Vec<Piece<'c>>> {
        let mut pieces: BTreeMap<Position, Vec<Piece<'_>>> = BTreeMap::new();
        for (base, of_base) in &contributions.iter().chunk_by(|((base, ..), _)| *base) {
            let Some(tree) = self.bases.get(&base) else {
                continue;
            };
            let mut arrived = Vec::new();
            for ((_, unit, edition), contribution) in of_base {
                let journey = Journey {
                    carrier: self,
                    period: base,
                    submitter: *unit,
                    edition: *edition,
                    given: contribution.given,
                    base: tree,
                    contributions,
                };
                arrived.extend(journey.carry(Piece::own(base, *unit, contribution)));
            }
            bring_to_one_stage(&mut arrived);
            for Arrived { onward, piece } in arrived {
                match onward {
                    Onward::Stays(position) => pieces.entry(position).or_default().push(piece),
                    Onward::From { unit, since } => self.go_on(unit, since, piece, &mut pieces),
                }
            }
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

    /// The facts of a piece that go across units in one way, and all others.
    fn parted(&self, piece: &Piece<'_>, units: AcrossUnits) -> (Vec<Fact>, Vec<Fact>) {
        let aggregations = self.aggregations;
        let facts = piece.facts.iter().copied();
        facts.partition(|fact| aggregations.of(fact.indicator).units == units)
    }

    /// Takes a piece from the map of its period to the one that is looked at.
    fn go_on<'c>(
        &self,
        unit: UnitId,
        since: Moment,
        piece: Piece<'c>,
        pieces: &mut BTreeMap<Position, Vec<Piece<'c>>>,
    ) {
        let tree = &self.tree;
        let mut arrived = Vec::new();
        self.spread(&tree.route(unit, since), unit, piece, &mut arrived);
        for (part, Arrival { end, piece }) in arrived.into_iter().enumerate() {
            let place = match end {
                Destination::Unit(unit) => tree.by_id(unit),
                Destination::Leaf { leaf, .. } => tree.leaf(&leaf),
            };
            let report = Report {
                part,
                ..piece.report
            };
            let piece = Piece { report, ..piece };
            let is_empty = piece.facts.is_empty() && piece.submission == Counted::Elsewhere;
            if let Some(place) = place.filter(|_| !is_empty) {
                pieces.entry(place.position()).or_default().push(piece);
            }
        }
    }

    /// Divides a piece along a route.
    fn spread<'c>(
        &self,
        route: &Route,
        unit: UnitId,
        piece: Piece<'c>,
        arrived: &mut Vec<Arrival<'c>>,
    ) {
        let end = Destination::of_whole(route);
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

    /// Divides a piece into what each share has of it, and what cannot be divided. Each division is
    /// exact for itself, so that what was divided once does not move when something else is divided
    /// later.
    fn divide<'c>(&self, piece: Piece<'c>, shares: &[Share]) -> (Vec<Piece<'c>>, Piece<'c>) {
        let (divisible, rest) = self.parted(&piece, AcrossUnits::Sum);
        let pieces = divided(&divisible, shares, self.aggregations);
        let pieces = pieces.into_iter().map(|facts| Piece {
            facts: Cow::Owned(facts),
            extent: Portion::Share,
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

/// When a unit had its last, up to the day of the tree.
fn end_of(tree: &Tree, unit: UnitId) -> Moment {
    let ended = tree.end_of(unit).filter(|_| tree.by_id(unit).is_none());
    ended.unwrap_or(Moment::end_of(tree.day()))
}

/// A piece on the map of the last day of its period.
struct Arrived<'c> {
    onward: Onward,
    piece: Piece<'c>,
}

/// The way that a piece goes from there.
enum Onward {
    /// Nowhere: it is only a unit's own.
    Stays(Position),
    /// With what a unit has since a moment.
    From { unit: UnitId, since: Moment },
}

/// A report is approved once all of it is: a piece of one that is not does not count as approved.
fn bring_to_one_stage(arrived: &mut [Arrived<'_>]) {
    let is_open = |piece: &Piece<'_>| piece.reached != Stage::Approved;
    let open = arrived.iter().filter(|arrived| is_open(&arrived.piece));
    let open: BTreeSet<Report> = open.map(|arrived| arrived.piece.report).collect();
    for Arrived { piece, .. } in arrived {
        if open.contains(&piece.report) {
            piece.reached = Stage::Submitted;
        }
    }
}

/// The way of one submission.
struct Journey<'j, 's> {
    carrier: &'j Carrier<'s>,
    period: Period,
    submitter: UnitId,
    edition: Edition,
    given: i64,
    /// The map of the last day of the submission's period.
    base: &'j Tree,
    contributions: &'j Contributions,
}

/// Whose a part of a submission is on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The submitter's, which never gave it away.
    Own,
    Others,
}

impl Journey<'_, '_> {
    fn carry<'c>(&self, piece: Piece<'c>) -> Vec<Arrived<'c>> {
        let unit = self.submitter;
        let day = Moment::end_of(self.base.day());
        let mut arrived = Vec::new();
        let mut passings = self.base.passings_of(unit);
        let since = match passings.find(|passing| passing.moment.rev > self.given) {
            // The map was changed after the submission, as of a day before the period's end.
            Some(passing) => passing.moment.right_before(),
            None if self.base.by_id(unit).is_some() => {
                let stays = self.carrier.tree.route(unit, day) == Route::To(unit);
                let piece = match stays {
                    true => piece,
                    false => self.keep_own(piece, &mut arrived),
                };
                let onward = Onward::From { unit, since: day };
                arrived.push(Arrived { onward, piece });
                return arrived;
            }
            None => end_of(self.base, unit),
        };
        let piece = self.keep_own(piece, &mut arrived);
        let mut handed = Vec::new();
        self.hand_over(unit, since, piece, Whose::Own, &mut handed);
        arrived.extend(handed.into_iter().map(|Arrival { end, piece }| {
            let (leaf, since) = match end {
                Destination::Unit(_) => (None, day),
                Destination::Leaf { leaf, since } => (Some(leaf), since),
            };
            let unit = end.unit();
            let part = 0;
            let piece = Piece {
                report: Report { unit, leaf, part },
                origin: Origin::Passed,
                ..piece
            };
            let onward = Onward::From { unit, since };
            Arrived { onward, piece }
        }));
        arrived
    }

    /// Keeps the values that are only a unit's own (`AcrossUnits::None`) at the unit, as long as it
    /// stands and has not replaced them. Returns the rest of the piece.
    fn keep_own<'c>(&self, piece: Piece<'c>, arrived: &mut Vec<Arrived<'c>>) -> Piece<'c> {
        let Some(place) = self.carrier.tree.by_id(self.submitter) else {
            return piece;
        };
        let (own, others) = self.carrier.parted(&piece, AcrossUnits::None);
        if own.is_empty() {
            return piece;
        }
        if self.edition == Edition::Counting {
            let kept = Piece {
                facts: Cow::Owned(own),
                submission: Counted::Elsewhere,
                ..piece.clone()
            };
            let onward = Onward::Stays(place.position());
            arrived.push(Arrived {
                onward,
                piece: kept,
            });
        }
        Piece {
            facts: Cow::Owned(others),
            ..piece
        }
    }

    /// Takes what a unit has since a moment to the map of the period's last day. What a unit
    /// submitted itself while it had it takes its place; of what stays undivided, what all
    /// successors together submitted.
    fn hand_over<'c>(
        &self,
        unit: UnitId,
        since: Moment,
        piece: Piece<'c>,
        line: Whose,
        arrived: &mut Vec<Arrival<'c>>,
    ) {
        let replaced = self.replaced(unit, since, line);
        if replaced == Replaced::All {
            return;
        }
        let route = self.base.route(unit, since);
        let passing = self.base.passing_after(unit, since);
        let piece = match passing.map(|passing| (&passing.heirs, passing.moment)) {
            Some((Heirs::One(heir), moment)) => {
                let line = self.line_to(*heir, line);
                return self.hand_over(*heir, moment, piece, line, arrived);
            }
            Some((Heirs::Shares(parts), moment))
                if replaced == Replaced::InPart || matches!(route, Route::Divided { .. }) =>
            {
                let shares: Vec<Share> = parts.iter().map(|(_, share)| *share).collect();
                let submission = piece.submission;
                let (pieces, rest) = self.carrier.divide(piece, &shares);
                // Each part stands in for the one submission that is expected of its heir.
                for ((heir, _), piece) in parts.iter().zip(pieces) {
                    let piece = Piece {
                        submission,
                        ..piece
                    };
                    let line = self.line_to(*heir, line);
                    self.hand_over(*heir, moment, piece, line, arrived);
                }
                Piece {
                    submission: Counted::Elsewhere,
                    ..rest
                }
            }
            _ => piece,
        };
        let end = Destination::of_whole(&route);
        arrived.push(Arrival { end, piece });
    }

    /// How much of what a unit has since a moment gave way to what was done since. A unit that is
    /// divided and goes on is a successor as any other is: its own part gives way to what it did
    /// after that, and not those of the others.
    fn replaced(&self, unit: UnitId, since: Moment, line: Whose) -> Replaced {
        let passing = self.base.passing_after(unit, since);
        if let (Whose::Own, Edition::HandedOver { until }) = (line, self.edition)
            && passing.is_none_or(|passing| passing.moment.rev > until)
        {
            return Replaced::All;
        }
        let first = (self.period, unit, Edition::LEAST);
        let last = (self.period, unit, Edition::Counting);
        let mut all = self.contributions.range(first..=last);
        let is_meanwhile = |own: &Contribution| {
            // It does not take its own place.
            let is_another = unit != self.submitter || own.given != self.given;
            let had_it = passing.is_none_or(|passing| own.given < passing.moment.rev);
            is_another && own.given > since.rev && had_it
        };
        if all.any(|(_, own)| is_meanwhile(own)) {
            return Replaced::All;
        }
        let parts = passing.into_iter().flat_map(|passing| {
            let heirs = passing.heirs.units().into_iter();
            heirs.map(|heir| self.replaced(heir, passing.moment, self.line_to(heir, line)))
        });
        let same = |a, b| if a == b { a } else { Replaced::InPart };
        parts.reduce(same).unwrap_or(Replaced::Nothing)
    }

    fn line_to(&self, heir: UnitId, line: Whose) -> Whose {
        match line {
            Whose::Own if heir == self.submitter => Whose::Own,
            _ => Whose::Others,
        }
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
    end: Destination,
    piece: Piece<'c>,
}

#[derive(Clone, Copy)]
enum Destination {
    Unit(UnitId),
    /// Takes a piece to the leaf of a unit, from a moment on.
    Leaf {
        leaf: Leaf,
        since: Moment,
    },
}

impl Destination {
    /// The place of the values that are not divided.
    fn of_whole(route: &Route) -> Destination {
        match route {
            Route::To(unit) => Destination::Unit(*unit),
            Route::Divided { leaf, since, .. } | Route::Stays { leaf, since } => {
                Destination::Leaf {
                    leaf: *leaf,
                    since: *since,
                }
            }
        }
    }

    fn unit(self) -> UnitId {
        match self {
            Destination::Unit(unit) => unit,
            Destination::Leaf { leaf, .. } => leaf.unit,
        }
    }
}
