//! Pieces: what of a submission counts at a unit, and which of them make one report.

use std::borrow::Cow;

use itertools::Itertools;

use crate::domain::id::UnitId;
use crate::domain::period::Period;
use crate::domain::route::Leaf;
use crate::domain::submission::{Fact, Stage};

/// The counting values of one submission, and the stage that they reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    pub facts: Vec<Fact>,
    pub reached: Stage,
    /// The rev at which the values were given, which says on what map.
    pub given: i64,
}

/// The edition of a unit's contribution for one base period. Mostly there is one, and it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// The one that counted when the unit was divided and went on. It still stands in for those who
    /// took a part over; the unit's own part of it gave way to what the unit did since.
    HandedOver {
        /// The rev of the last division at which it counted.
        until: i64,
    },
    /// The one that counts as the unit's.
    Counting,
}

impl Edition {
    /// Before all others of a unit.
    pub const LEAST: Edition = Edition::HandedOver { until: i64::MIN };
}

/// The part of one contribution that counts at one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'c> {
    pub base: Period,
    /// The unit that submitted it.
    pub source: UnitId,
    /// The rev at which the unit gave it.
    pub given: i64,
    pub report: Report,
    pub facts: Cow<'c, [Fact]>,
    /// How far the report came that it is a part of.
    pub reached: Stage,
    pub origin: Origin,
    pub extent: Portion,
    /// Says if the submission itself is counted here; it is in one place only.
    pub submission: Counted,
}

/// One report of a base period: everything that counts at one place on the map of its last day.
/// Several submissions make one report if they were given before the map changed and together stand
/// in for the one that their successor owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    pub unit: UnitId,
    /// Set if the report is what is left of a unit on that map.
    pub leaf: Option<Leaf>,
    /// Which of the parts that it was divided into since.
    pub part: usize,
}

/// How a piece came to the unit where it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The unit submitted it.
    Own,
    /// A predecessor submitted it.
    Passed,
}

/// The extent of a piece: values as they were submitted, or shares of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    Whole,
    Share,
}

/// The place where a submission is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Here,
    Elsewhere,
}

impl<'c> Piece<'c> {
    /// A unit's own submission.
    pub fn own(base: Period, unit: UnitId, contribution: &'c Contribution) -> Piece<'c> {
        let report = Report {
            unit,
            leaf: None,
            part: 0,
        };
        Piece {
            base,
            source: unit,
            given: contribution.given,
            report,
            facts: Cow::Borrowed(&contribution.facts),
            reached: contribution.reached,
            origin: Origin::Own,
            extent: Portion::Whole,
            submission: Counted::Here,
        }
    }

    /// The piece where it counts at `unit`; `from` is whose it was.
    #[must_use]
    pub fn at(self, unit: UnitId, from: UnitId) -> Piece<'c> {
        let origin = match self.origin {
            Origin::Own if unit != from => Origin::Passed,
            other => other,
        };
        Piece { origin, ..self }
    }
}

/// How many reports there are that pieces of one base period are parts of.
pub(super) fn count_reports<'p>(mut pieces: impl Iterator<Item = &'p Piece<'p>>) -> u64 {
    // Nearly always there is one.
    let Some(first) = pieces.next() else {
        return 0;
    };
    let Some(second) = pieces.next() else {
        return 1;
    };
    let all = [first, second].into_iter().chain(pieces);
    let reports = all.map(|piece| piece.report).sorted_unstable().dedup();
    reports.fold(0, |count, _| count + 1)
}

/// One report as far as it is counted where its pieces are.
pub struct CountedReport<'p, 'c> {
    pub base: Period,
    pub report: Report,
    pieces: Vec<&'p Piece<'c>>,
}

impl CountedReport<'_, '_> {
    /// A report is approved once all of it is.
    pub fn is_approved(&self) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.all(|piece| piece.reached == Stage::Approved)
    }

    /// The units that submitted it.
    pub fn sources(&self) -> impl Iterator<Item = UnitId> {
        self.pieces.iter().map(|piece| piece.source)
    }
}

/// The reports that are counted where these pieces are, in the order of base periods.
pub fn reports_in<'p, 'c>(pieces: &'p [Piece<'c>]) -> Vec<CountedReport<'p, 'c>> {
    let mut reports: Vec<CountedReport<'p, 'c>> = Vec::new();
    for of_base in pieces.chunk_by(|a, b| a.base == b.base) {
        let first = reports.len();
        let here = of_base.iter();
        for piece in here.filter(|piece| piece.submission == Counted::Here) {
            let mut known = reports.iter_mut().skip(first);
            match known.find(|known| known.report == piece.report) {
                Some(known) => known.pieces.push(piece),
                None => reports.push(CountedReport {
                    base: piece.base,
                    report: piece.report,
                    pieces: vec![piece],
                }),
            }
        }
    }
    reports
}
