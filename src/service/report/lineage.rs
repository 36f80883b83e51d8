//! Lineage (nguồn số liệu): the revisions that make a figure, and the values that are missing.

use crate::sentence::Sentence;
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use crate::service::totals::cell::{CellView, Figuring};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use itertools::Itertools;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Denied;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::FormPeriod;
use crate::domain::formula::Formula;
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::{IndicatorCode, LevelCode, OptionNumber, UnitId};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::landing::{Landing, Landings, landings_of};
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::respondents::Respondents;
use crate::domain::submission::{
    Fact, Revision, Stage, SubmissionFault, unknown_indicator, unknown_option,
};
use crate::domain::unit::UnitFact;
use crate::error::{Code, Explain, Explanation};
use crate::rollup::carry::Contributions;
use crate::rollup::piece::{Contribution, Edition, Origin, Piece};
use crate::service::application::Application;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::{Board, handed_over_of, joined_rollups};
use crate::store::key::Units;
use crate::store::submission::counting::counting_of;
use crate::store::{StoreError, Transaction};

/// The errors of reading a figure's sources.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    /// The form has no such indicator, or the indicator no such option.
    #[error("not in the form: {0:?}")]
    NotInForm(SubmissionFault),
}

impl Explain for LineageError {
    fn explain(&self) -> Explanation {
        match self {
            LineageError::NotFound(held) => held.explain(),
            LineageError::Denied(held) => held.explain(),
            LineageError::Store(held) => held.explain(),
            LineageError::Cursor(held) => held.explain(),
            LineageError::NotInForm(fault) => {
                Explanation::new(Code::UnknownIndicator, fault.message()).of_parameter("indicator")
            }
        }
    }
}

/// The name of a figure.
#[derive(Debug, Clone)]
pub struct FigureName {
    pub indicator: String,
    pub option: Option<String>,
    pub stage: Stage,
}

impl FigureName {
    /// Finds the figure in a form.
    pub(in crate::service) fn find<'f, 's>(
        &self,
        located: &'f Located<'s>,
    ) -> Result<(&'f Entry<'s>, OptionNumber), LineageError> {
        self.find_in(&located.in_force)
            .map_err(LineageError::NotInForm)
    }

    /// Finds the figure in a form's period.
    pub(in crate::service) fn find_in<'f, 's>(
        &self,
        in_force: &'f InForce<'s>,
    ) -> Result<(&'f Entry<'s>, OptionNumber), SubmissionFault> {
        let figure = in_force.figure(&self.indicator, self.option.as_deref());
        figure.ok_or_else(|| self.not_in(in_force))
    }

    /// Tells which part of the name the form does not have.
    fn not_in(&self, in_force: &InForce<'_>) -> SubmissionFault {
        let code = self.indicator.parse().ok();
        let entry = code.and_then(|code| in_force.entry(&code));
        match (entry, &self.option) {
            (Some(entry), Some(option)) => unknown_option(entry, option),
            _ => unknown_indicator(&self.indicator, in_force),
        }
    }
}

/// The sources of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineageView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    pub stage: Stage,
    /// The figure itself.
    pub figure: CellView,
    /// The formula of a derived figure; null for a collected one.
    pub formula: Option<String>,
    /// The figures that the formula uses, each of which has a lineage of its own.
    pub operands: Vec<CellView>,
    /// Every unit and base period that has a value or is expected to have one, in the order of the
    /// tree. Empty for a derived figure. If the figure has a `from_form`, they are of that form: its base
    /// periods, and the submissions on it.
    pub items: Vec<SourceView>,
    /// The `cursor` of the next page of `items`; null on the last.
    pub next: Option<String>,
}

/// One unit's part of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceView {
    pub unit: UnitName,
    /// The base period.
    pub period: PeriodName,
    /// The value that the unit sent; null if it is missing.
    pub value: Option<SourceValue>,
    /// Values that the unit sent before it was divided and has replaced since. They still stand in
    /// for successors that took over a part and have sent nothing themselves.
    pub handed_over: Vec<SourceValue>,
}

/// A value that a unit sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceValue {
    #[schema(value_type = f64)]
    pub value: Decimal,
    /// The part of the value in this figure, if the value was divided; null if all of it is.
    #[schema(value_type = Option<f64>)]
    pub part: Option<Decimal>,
    pub qualifier: Qualifier,
    /// The revision of the unit's submission that brought it.
    pub revision: i32,
    /// The furthest stage in which it counts in this figure.
    pub stage: Stage,
}

/// Reads the units and revisions that make a figure, the missing ones, and the formula.
///
/// # Errors
/// [`LineageError`].
pub fn get_lineage(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    name: &FigureName,
    page: &PageRequest,
) -> Result<LineageView, LineageError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_report(path, None)?;
        let place = located.place();
        let _permit = snapshot.may_read(&located)?;
        let (entry, option) = name.find(&located)?;
        let found = joined_rollups(transaction, snapshot, &located, [place.position()])?;
        let rollup = found
            .get(&place.position())
            .map(|stored| stored.rollup.clone());
        let rollup = rollup.unwrap_or_default();
        let figuring = Figuring::of(snapshot, &located, name.stage);
        let operands = operands_of(entry, &located);
        let cells = operands
            .iter()
            .map(|(entry, option)| figuring.cell(&rollup, place, entry, *option));
        let giving = entry.given_by;
        let giving = giving.map(|giving| located.on_form(snapshot, giving));
        let origin = giving.as_ref().unwrap_or(&located);
        let (entry_there, _) = name.find(origin)?;
        let board = Board::of(snapshot, origin.in_force.period);
        let sources = Sources::of(snapshot, origin, &board, entry_there, option, name.stage);
        let page = sources.page(transaction, page)?;
        Ok(LineageView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(place),
            stage: name.stage,
            figure: figuring.cell(&rollup, place, entry, option),
            formula: entry.definition.formula().map(ToString::to_string),
            operands: cells.collect(),
            items: page.items,
            next: page.next,
        })
    })
}

/// Finds the figures of a formula's operands, leaving out those that no longer exist.
fn operands_of<'f, 's>(
    entry: &Entry<'_>,
    located: &'f Located<'s>,
) -> Vec<(&'f Entry<'s>, OptionNumber)> {
    let formula = entry.definition.formula();
    let operands = formula.into_iter().flat_map(Formula::operands);
    operands
        .filter_map(|operand| located.in_force.operand(&operand))
        .collect()
}

/// A base period, and the units that are expected to have a value of the figure in it.
struct ExpectedBase<'s> {
    period: Period,
    name: PeriodName,
    in_force: InForce<'s>,
    respondents: Respondents<'s>,
    /// The places of its units on the figure's map; `None` if the map is the same.
    landings: Option<Arc<Landings>>,
    indicator: &'s IndicatorCode,
    landing: Landing,
}

impl<'s> ExpectedBase<'s> {
    fn of(
        snapshot: &'s Snapshot,
        located: &Located<'_>,
        period: FormPeriod<'s>,
        entry: &Entry<'s>,
    ) -> ExpectedBase<'s> {
        let day = period.closing_day();
        ExpectedBase {
            period: period.period,
            name: PeriodName::of(&period),
            in_force: snapshot.catalogue.in_force(period),
            respondents: snapshot.respondents(&period),
            landings: snapshot.hierarchy.landings(day, located.map_day()),
            indicator: &entry.indicator.code,
            landing: landing_of(entry),
        }
    }

    fn tree(&self) -> &Tree {
        self.respondents.tree()
    }

    /// Returns true if a unit is to send a value of the figure.
    fn expects_of(&self, place: Place<'_>) -> bool {
        let entry = self.in_force.entry(self.indicator);
        entry.is_some_and(|entry| {
            let collects = |level: &LevelCode| entry.is_collected_at(level);
            self.respondents.answers_for(place, collects)
        })
    }

    /// Returns the units of this period whose values lie at a place of the figure's map.
    fn standing_at(&self, place: Place<'_>) -> Vec<Pair<'_>> {
        let standing: Vec<Place<'_>> = match &self.landings {
            None if place.is_leaf() => Vec::new(),
            None => self.tree().by_id(place.unit()).into_iter().collect(),
            Some(landings) => {
                let units = landings.units_at(place.position(), self.landing).iter();
                units.filter_map(|unit| self.tree().by_id(*unit)).collect()
            }
        };
        let pairs = standing.into_iter();
        pairs
            .map(|unit| self.pair(unit.fact(), self.expects_of(unit)))
            .collect()
    }

    /// Returns a unit's fact on the period's last day, or its last fact before.
    fn fact_of(&self, unit: UnitId) -> Option<&UnitFact> {
        let standing = self.tree().by_id(unit).map(Place::fact);
        standing.or_else(|| self.tree().last_fact(unit))
    }

    fn pair<'b>(&'b self, unit: &'b UnitFact, is_expected: bool) -> Pair<'b> {
        let base = self;
        Pair {
            unit,
            base,
            is_expected,
        }
    }
}

/// Returns the way in which a divided unit's values reach the figure.
fn landing_of(entry: &Entry<'_>) -> Landing {
    match entry.definition.measure {
        Measure::Collected {
            across_units: AcrossUnits::Sum,
            ..
        } => Landing::Shares,
        Measure::Collected {
            across_units: AcrossUnits::None,
            ..
        } => Landing::Itself,
        Measure::Collected { .. } | Measure::Derived { .. } => Landing::Whole,
    }
}

/// A unit in a base period: a possible source of a value.
#[derive(Clone, Copy)]
struct Pair<'p> {
    /// The unit as it was in that period.
    unit: &'p UnitFact,
    base: &'p ExpectedBase<'p>,
    is_expected: bool,
}

impl Pair<'_> {
    fn key(&self) -> (UnitId, Period) {
        (self.unit.unit, self.base.period)
    }
}

fn cursor_of(item: &SourceView) -> String {
    format!("{}.{}", item.unit.id, item.period.key)
}

fn read_cursor(cursor: &str) -> Option<(UnitId, Period)> {
    let (unit, period) = cursor.split_once('.')?;
    Some((unit.parse().ok()?, period.parse().ok()?))
}

/// The sources of a collected figure.
struct Sources<'s> {
    located: &'s Located<'s>,
    board: &'s Board<'s>,
    entry: &'s Entry<'s>,
    option: OptionNumber,
    stage: Stage,
    bases: Vec<ExpectedBase<'s>>,
}

impl<'s> Sources<'s> {
    fn of(
        snapshot: &'s Snapshot,
        located: &'s Located<'s>,
        board: &'s Board<'s>,
        entry: &'s Entry<'s>,
        option: OptionNumber,
        stage: Stage,
    ) -> Sources<'s> {
        let bases = located.in_force.period.base_periods().into_iter();
        let bases = bases.map(|base| ExpectedBase::of(snapshot, located, base, entry));
        Sources {
            located,
            board,
            entry,
            option,
            stage,
            bases: bases.collect(),
        }
    }

    /// Returns the places whose own values are in the figure.
    fn places(&self) -> Box<dyn Iterator<Item = Place<'_>> + '_> {
        let top = self.located.place();
        match self.entry.definition.measure {
            Measure::Derived { .. } => Box::new(std::iter::empty()),
            Measure::Collected { across_units, .. } if is_of_one(across_units) => {
                Box::new(std::iter::once(top))
            }
            Measure::Collected { .. } => Box::new(top.subtree_with_leaves()),
        }
    }

    fn is_in_figure(&self, position: Position) -> bool {
        let (tree, top) = (&self.located.tree, self.located.place());
        match self.entry.definition.measure {
            Measure::Derived { .. } => false,
            Measure::Collected { across_units, .. } if is_of_one(across_units) => {
                position == top.position()
            }
            Measure::Collected { .. } => top.covers(tree.at(position)),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        let pairs = self.places().flat_map(move |place| {
            let bases = self.bases.iter();
            bases.flat_map(move |base| {
                let standing = base.standing_at(place);
                standing.into_iter().chain(self.standing_in_at(place, base))
            })
        });
        // A divided unit lies at several places; report its pair once.
        pairs.unique_by(Pair::key)
    }

    /// Returns the units whose values may have passed to a place at which they do not lie.
    fn standing_in_at<'p>(&'p self, place: Place<'p>, base: &'p ExpectedBase<'p>) -> Vec<Pair<'p>> {
        let mut sources = self.located.tree.sources_of(place.unit());
        if place.is_leaf() {
            sources.push(place.unit());
        }
        // Units that lie elsewhere in the figure are reported there.
        sources.retain(|source| base.tree().by_id(*source).is_none() || !self.has(*source, base));
        let facts = sources.into_iter().filter_map(|unit| base.fact_of(unit));
        facts.map(|fact| base.pair(fact, false)).collect()
    }

    /// Returns true if a unit of a base period's last day lies in the figure.
    fn has(&self, unit: UnitId, base: &ExpectedBase<'_>) -> bool {
        let landings = landings_of(unit, base.tree().day(), base.landing, &self.located.tree);
        landings.into_iter().any(|at| self.is_in_figure(at))
    }

    /// Reads a page of the pairs that have a value or are expected to have one.
    fn page(
        &self,
        transaction: &mut Transaction<'_>,
        request: &PageRequest,
    ) -> Result<Page<SourceView>, LineageError> {
        let pairs = self.page_pairs(request)?;
        let given = self.given(transaction, &pairs)?;
        let parts = self.parts(&given);
        let items = pairs.iter().filter_map(|pair| {
            let (unit, period) = pair.key();
            let value_of = |one: &GivenValue| {
                let part = parts.get(&(unit, period, one.contribution.given))?;
                self.value(one, *part)
            };
            let counting = given.get(&(period, unit, Edition::Counting));
            let first = (period, unit, Edition::LEAST);
            let handed = given.range(first..(period, unit, Edition::Counting));
            let value = counting.and_then(value_of);
            let handed_over: Vec<SourceValue> =
                handed.filter_map(|(_, one)| value_of(one)).collect();
            let is_told = value.is_some() || !handed_over.is_empty() || pair.is_expected;
            is_told.then(|| SourceView {
                unit: UnitName::of_fact(pair.unit),
                period: pair.base.name.clone(),
                value,
                handed_over,
            })
        });
        let first = PageRequest {
            after: None,
            limit: request.limit,
        };
        Ok(Page::of(items, &first, cursor_of)?)
    }

    /// Returns the pairs from which a page is made. Only a unit's submission tells whether an
    /// unexpected pair has a value. If the expected pairs alone fill the page, no others are
    /// needed.
    fn page_pairs(&self, request: &PageRequest) -> Result<Vec<Pair<'_>>, UnknownCursor> {
        let mut pairs = self.pairs();
        if let Some(cursor) = &request.after {
            let last = read_cursor(cursor);
            if !pairs.any(|pair| Some(pair.key()) == last) {
                return Err(UnknownCursor {
                    cursor: cursor.clone(),
                });
            }
        }
        let mut expected = 0;
        let needed = pairs.take_while(|pair| {
            let is_needed = expected <= request.limit;
            expected += usize::from(pair.is_expected);
            is_needed
        });
        Ok(needed.collect())
    }

    fn given(
        &self,
        transaction: &mut Transaction<'_>,
        pairs: &[Pair<'_>],
    ) -> Result<BTreeMap<GivenKey, GivenValue>, StoreError> {
        let bases: Vec<Period> = self.bases.iter().map(|base| base.period).collect();
        let units = pairs.iter().map(|pair| pair.unit.unit);
        let units = self.board.deciding_on(units);
        let form = self.located.form().number;
        let mut given = BTreeMap::new();
        for found in counting_of(transaction, form, &bases, Units::These(&units))? {
            let found = found?;
            if let Some((contribution, revision)) = found.contribution.zip(found.revision) {
                let key = (found.period, found.unit, Edition::Counting);
                given.insert(
                    key,
                    GivenValue {
                        contribution,
                        revision,
                    },
                );
            }
        }
        let maps = self.board.maps();
        for (period, unit, one) in handed_over_of(transaction, form, maps, Units::These(&units))? {
            let value = GivenValue {
                contribution: one.contribution,
                revision: one.revision,
            };
            given.insert((period, unit, one.edition), value);
        }
        Ok(given)
    }

    /// Returns the parts of given values that are in the figure, by unit, base period and the rev
    /// at which each was given. Leaves out values without a part in it.
    fn parts(
        &self,
        given: &BTreeMap<GivenKey, GivenValue>,
    ) -> HashMap<(UnitId, Period, i64), InFigure> {
        let given = given.iter();
        let contributions: Contributions = given
            .map(|(key, one)| (*key, one.contribution.clone()))
            .collect();
        let mut parts = HashMap::new();
        for (position, pieces) in self.board.pieces(&contributions) {
            if !self.is_in_figure(position) {
                continue;
            }
            let in_stage = |piece: &Piece<'_>| match self.stage {
                Stage::Submitted => true,
                Stage::Approved => piece.reached == Stage::Approved,
            };
            for piece in pieces.into_iter().filter(in_stage) {
                if let Some(fact) = self.fact_in(&piece.facts).filter(|_| self.counts(&piece)) {
                    let key = (piece.source, piece.base, piece.given);
                    let part = parts.entry(key).or_insert(InFigure {
                        mantissa: 0,
                        reached: piece.reached,
                    });
                    part.mantissa += i128::from(fact.mantissa);
                    if piece.reached == Stage::Submitted {
                        part.reached = Stage::Submitted;
                    }
                }
            }
        }
        parts
    }

    fn fact_in<'f>(&self, facts: &'f [Fact]) -> Option<&'f Fact> {
        let wanted = (self.entry.indicator.number, self.option);
        facts
            .iter()
            .find(|fact| (fact.indicator, fact.option) == wanted)
    }

    /// Returns true if a piece counts in the figure. A figure of one unit's own values takes no
    /// others.
    fn counts(&self, piece: &Piece<'_>) -> bool {
        self.landing() != Landing::Itself || piece.origin == Origin::Own
    }

    fn landing(&self) -> Landing {
        landing_of(self.entry)
    }

    fn value(&self, given: &GivenValue, part: InFigure) -> Option<SourceValue> {
        let fact = self.fact_in(&given.contribution.facts)?;
        let decimals = self.entry.definition.decimals.get();
        let mantissa = i64::try_from(part.mantissa).ok();
        let is_part =
            |mantissa: &i64| self.landing() == Landing::Shares && *mantissa != fact.mantissa;
        let mantissa = mantissa.filter(is_part);
        Some(SourceValue {
            value: Decimal::new(fact.mantissa, decimals),
            part: mantissa.map(|mantissa| Decimal::new(mantissa, decimals)),
            qualifier: fact.qualifier,
            revision: given.revision.get(),
            stage: part.reached,
        })
    }
}

/// The key of a contribution: a base period, a unit and an edition.
type GivenKey = (Period, UnitId, Edition);

/// A contribution and the revision that brought it.
struct GivenValue {
    contribution: Contribution,
    revision: Revision,
}

/// The part of a value that is in a figure, and the stage that it reached.
#[derive(Clone, Copy)]
struct InFigure {
    mantissa: i128,
    reached: Stage,
}

/// Returns true if the figure consists of one unit's own values.
fn is_of_one(across_units: AcrossUnits) -> bool {
    matches!(across_units, AcrossUnits::None | AcrossUnits::Transfer)
}
