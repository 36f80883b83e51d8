//! Lineage (nguồn số liệu): which units' revisions make a figure, and which are missing.

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
use crate::domain::id::{LevelCode, OptionNumber, UnitId};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::landing::{Landing, Landings, landings_of};
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::{Fact, Revision, Stage, unknown_indicator, unknown_option};
use crate::domain::unit::UnitFact;
use crate::error::{Code, Fault, Message};
use crate::rollup::carry::Contributions;
use crate::rollup::tally::{Contribution, Edition, Origin, Piece};
use crate::service::application::Application;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::{Board, handed_over_of};
use crate::store::submission::{Units, counting_of};
use crate::store::{StoreError, Transaction};
use crate::{explain, message};

/// Why a figure's sources cannot be told.
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
    #[error("{}", .0.en)]
    NotInForm(Message),
}

impl LineageError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let text = match self {
            LineageError::NotInForm(message) => message.clone(),
            _ => message!("Hệ thống gặp lỗi.", "The service failed."),
        };
        let fault = Fault::in_parameter("indicator", Code::UnknownIndicator, text.clone());
        (Code::UnknownIndicator, text, vec![fault])
    }
}

explain!(LineageError, held: NotFound, Denied, Store, Cursor; own);

/// Which figure.
#[derive(Debug, Clone)]
pub struct FigureName {
    pub indicator: String,
    pub option: Option<String>,
    pub stage: Stage,
}

impl FigureName {
    /// The figure's place in a form.
    pub(in crate::service) fn find<'f, 's>(
        &self,
        located: &'f Located<'s>,
    ) -> Result<(&'f Entry<'s>, OptionNumber), LineageError> {
        let figure = located
            .in_force
            .figure(&self.indicator, self.option.as_deref());
        figure.ok_or_else(|| LineageError::NotInForm(self.not_in(&located.in_force)))
    }

    /// The message where a form has no such figure.
    fn not_in(&self, in_force: &InForce<'_>) -> Message {
        let code = self.indicator.parse().ok();
        let entry = code.and_then(|code| in_force.entry(&code));
        match (entry, &self.option) {
            (Some(entry), Some(option)) => unknown_option(entry, option),
            _ => unknown_indicator(&self.indicator, in_force),
        }
    }
}

/// Where a figure comes from.
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
    /// The figures that the formula is made of, each of which has a lineage of its own.
    pub operands: Vec<CellView>,
    /// Every unit and base period that is expected to have a value or has one, in the order of
    /// the tree; of a derived figure none.
    pub items: Vec<SourceView>,
    /// What to send as `cursor` for the next page of `items`; null on the last.
    pub next: Option<String>,
}

/// One unit's part of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceView {
    pub unit: UnitName,
    /// The base period.
    pub period: String,
    /// What the unit has sent; null where it is missing.
    pub value: Option<SourceValue>,
    /// Values that it had sent before it was divided and has replaced since, where they still stand
    /// in for those who took a part over and have sent nothing themselves.
    pub handed_over: Vec<SourceValue>,
}

/// What a unit has sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceValue {
    #[schema(value_type = f64)]
    pub value: Decimal,
    /// What of it is in this figure, where it was divided and not all of it is; null where it is.
    #[schema(value_type = Option<f64>)]
    pub part: Option<Decimal>,
    pub qualifier: Qualifier,
    /// The revision of the unit's submission that brought it.
    pub revision: i32,
    /// The furthest stage in which it counts in this figure.
    pub stage: Stage,
}

/// The units and revisions that make a figure, those that are missing, and the formula.
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
        let board = Board::of(snapshot, located.in_force.period);
        let found = board.rollups(transaction, [place.position()])?;
        let rollup = found
            .get(&place.position())
            .map(|stored| stored.rollup.clone());
        let rollup = rollup.unwrap_or_default();
        let figuring = Figuring::of(snapshot, &located, name.stage);
        let operands = operands_of(entry, &located);
        let cells = operands
            .iter()
            .map(|(entry, option)| figuring.cell(&rollup, place, entry, *option));
        let sources = Sources::of(snapshot, &located, &board, entry, option, name.stage);
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

/// Those of a formula's operands that are there.
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

/// A base period, and who is expected to have a value of the figure in it.
struct Base {
    period: Period,
    tree: Arc<Tree>,
    /// Where its units lie on the map of the figure; `None` where it is the same map.
    landings: Option<Arc<Landings>>,
    landing: Landing,
    levels: Vec<LevelCode>,
}

impl Base {
    fn of(
        snapshot: &Snapshot,
        located: &Located<'_>,
        period: FormPeriod<'_>,
        entry: &Entry<'_>,
    ) -> Base {
        let in_force = snapshot.catalogue.in_force(period);
        let levels = in_force
            .entry(&entry.indicator.code)
            .map(|entry| in_force.levels_collecting(entry));
        let day = period.closing_day();
        Base {
            period: period.period,
            tree: snapshot.hierarchy.tree_on(day),
            landings: snapshot.hierarchy.landings(day, located.map_day()),
            landing: landing_of(entry),
            levels: levels.unwrap_or_default().into_iter().cloned().collect(),
        }
    }

    /// The units of this period whose values lie at a place of the figure's map.
    fn standing_at(&self, place: Place<'_>) -> Vec<Pair<'_>> {
        let standing: Vec<Place<'_>> = match &self.landings {
            None if place.is_leaf() => Vec::new(),
            None => self.tree.by_id(place.unit()).into_iter().collect(),
            Some(landings) => {
                let units = landings.units_at(place.position(), self.landing).iter();
                units.filter_map(|unit| self.tree.by_id(*unit)).collect()
            }
        };
        let pairs = standing.into_iter().map(|unit| {
            let is_expected = self.levels.contains(&unit.fact().level);
            self.pair(unit.fact(), is_expected)
        });
        pairs.collect()
    }

    /// What a unit was on the period's last day, or at last before it.
    fn fact_of(&self, unit: UnitId) -> Option<&UnitFact> {
        let standing = self.tree.by_id(unit).map(Place::fact);
        standing.or_else(|| self.tree.last_fact(unit))
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

/// As what of a divided unit a figure has its value.
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

/// A unit in a base period: one that a value can be from.
#[derive(Clone, Copy)]
struct Pair<'p> {
    /// As the unit was then.
    unit: &'p UnitFact,
    base: &'p Base,
    is_expected: bool,
}

impl Pair<'_> {
    fn key(&self) -> (UnitId, Period) {
        (self.unit.unit, self.base.period)
    }
}

fn cursor_of(item: &SourceView) -> String {
    format!("{}.{}", item.unit.id, item.period)
}

fn read_cursor(cursor: &str) -> Option<(UnitId, Period)> {
    let (unit, period) = cursor.split_once('.')?;
    Some((unit.parse().ok()?, period.parse().ok()?))
}

/// The pairs behind a collected figure.
struct Sources<'s> {
    located: &'s Located<'s>,
    board: &'s Board<'s>,
    entry: &'s Entry<'s>,
    option: OptionNumber,
    stage: Stage,
    bases: Vec<Base>,
}

impl<'s> Sources<'s> {
    fn of(
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        board: &'s Board<'s>,
        entry: &'s Entry<'s>,
        option: OptionNumber,
        stage: Stage,
    ) -> Sources<'s> {
        let bases = located.in_force.period.base_periods().into_iter();
        let bases = bases.map(|base| Base::of(snapshot, located, base, entry));
        Sources {
            located,
            board,
            entry,
            option,
            stage,
            bases: bases.collect(),
        }
    }

    /// The places whose own values are in the figure.
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
        // Of a divided unit a pair lies at several places; it is told once.
        pairs.unique_by(Pair::key)
    }

    /// The units whose values may have passed to a place though they do not lie there.
    fn standing_in_at<'p>(&'p self, place: Place<'p>, base: &'p Base) -> Vec<Pair<'p>> {
        let mut sources = self.located.tree.sources_of(place.unit());
        if place.is_leaf() {
            sources.push(place.unit());
        }
        // Those that lie elsewhere in the figure are told there.
        sources.retain(|source| base.tree.by_id(*source).is_none() || !self.has(*source, base));
        let facts = sources.into_iter().filter_map(|unit| base.fact_of(unit));
        facts.map(|fact| base.pair(fact, false)).collect()
    }

    /// Whether a unit that stands on a base period's last day lies in the figure.
    fn has(&self, unit: UnitId, base: &Base) -> bool {
        let landings = landings_of(unit, base.tree.day(), base.landing, &self.located.tree);
        landings.into_iter().any(|at| self.is_in_figure(at))
    }

    /// A page of those pairs that are expected to have a value or have one.
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
                period: pair.base.period.to_string(),
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

    /// The pairs that a page can be made of. Whether one that is not expected has a value only its
    /// submission tells; where the expected ones alone are more than the page, no more are needed.
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

    /// The parts of given values that are in the figure, by unit, base period and the rev at which
    /// each value was given. A value of which nothing is in the figure is left out.
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

    /// What is only a unit's own counts at nobody else.
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

/// Something that a unit has given for a base period.
type GivenKey = (Period, UnitId, Edition);

/// A contribution, and the revision that brought it.
struct GivenValue {
    contribution: Contribution,
    revision: Revision,
}

/// The part of a value that is in a figure, and how far it came there.
#[derive(Clone, Copy)]
struct InFigure {
    mantissa: i128,
    reached: Stage,
}

/// Whether a figure is made of one unit's own values.
fn is_of_one(across_units: AcrossUnits) -> bool {
    matches!(across_units, AcrossUnits::None | AcrossUnits::Transfer)
}
