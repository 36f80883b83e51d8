//! The hierarchy: all dated facts of a tenant's units, the tree that they make on a day, and the
//! way from what a unit was on another day to where it belongs on that tree. Never figures: what
//! flows up the tree is `rollup`'s.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::NaiveDate;

use super::landing::Landings;
use super::succession::Successions;
pub use super::tree::{Place, Position, Tree};
use crate::domain::id::{LevelCode, UnitCode, UnitId};
use crate::domain::level::Level;
use crate::domain::unit::{UnitFact, UnitReference, Validity};

/// The most pairs of maps to remember: those of a year and its months, and some more.
const MOST_LANDINGS: usize = 32;

/// Everything that is known of a tenant's levels and units, at all times.
pub struct Hierarchy {
    levels: Vec<Level>,
    facts: Arc<[UnitFact]>,
    /// Indices into the facts.
    by_code: HashMap<UnitCode, Vec<usize>>,
    successions: Arc<Successions>,
    /// The tree is the same on every day from one of these to the day before the next.
    spans: BTreeMap<NaiveDate, OnceLock<Arc<Tree>>>,
    /// By the first days of two such ranges.
    landings: Mutex<HashMap<(NaiveDate, NaiveDate), Arc<Landings>>>,
}

impl Hierarchy {
    pub fn new(
        mut levels: Vec<Level>,
        mut facts: Vec<UnitFact>,
        successions: Successions,
    ) -> Hierarchy {
        levels.sort_by_key(|level| level.rank);
        facts.sort_by_key(|fact| (fact.unit, fact.validity.from));
        let starts = facts.iter().map(|fact| fact.validity.from);
        let ends = facts.iter().filter_map(|fact| fact.validity.to?.succ_opt());
        let spans = std::iter::once(NaiveDate::MIN)
            .chain(starts)
            .chain(ends)
            .chain(successions.days())
            .map(|day| (day, OnceLock::new()))
            .collect();
        let mut by_code: HashMap<UnitCode, Vec<usize>> = HashMap::new();
        for (index, fact) in facts.iter().enumerate() {
            by_code.entry(fact.code.clone()).or_default().push(index);
        }
        Hierarchy {
            levels,
            facts: facts.into(),
            by_code,
            successions: Arc::new(successions),
            spans,
            landings: Mutex::default(),
        }
    }

    /// The same units with other levels.
    #[must_use]
    pub fn with_levels(&self, levels: Vec<Level>) -> Hierarchy {
        let successions = Successions::clone(&self.successions);
        Hierarchy::new(levels, self.facts.to_vec(), successions)
    }

    /// All levels that ever were, the highest first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    pub fn level(&self, code: &LevelCode) -> Option<&Level> {
        self.levels.iter().find(|level| &level.code == code)
    }

    pub fn facts(&self) -> &[UnitFact] {
        &self.facts
    }

    pub fn successions(&self) -> &Successions {
        &self.successions
    }

    /// Everything that a unit ever was, in order.
    pub fn facts_of(&self, unit: UnitId) -> &[UnitFact] {
        let first = self.facts.partition_point(|fact| fact.unit < unit);
        let after = self.facts.partition_point(|fact| fact.unit <= unit);
        self.facts.get(first..after).unwrap_or_default()
    }

    /// The days around those of a fact on which its unit stands without a gap.
    pub fn days_of(&self, fact: &UnitFact) -> Validity {
        let facts = self.facts_of(fact.unit);
        let mut days = fact.validity;
        for earlier in facts.iter().rev() {
            if earlier.validity.to.and_then(|to| to.succ_opt()) == Some(days.from) {
                days.from = earlier.validity.from;
            }
        }
        for later in facts {
            if days.to.and_then(|to| to.succ_opt()) == Some(later.validity.from) {
                days.to = later.validity.to;
            }
        }
        days
    }

    /// Tells whether a unit stands on every one of these days.
    pub fn stands_throughout(&self, unit: UnitId, days: Validity) -> bool {
        let mut facts = self.facts_of(unit).iter();
        let first = facts.find(|fact| fact.validity.contains(days.from));
        first.is_some_and(|first| self.days_of(first).covers(days))
    }

    /// Everything that a reference ever named: a unit's facts, or those with a code, one after
    /// the other.
    pub fn facts_named(&self, reference: &UnitReference) -> Vec<&UnitFact> {
        match reference {
            UnitReference::Id(unit) => self.facts_of(*unit).iter().collect(),
            UnitReference::Code(code) => {
                let mut facts: Vec<&UnitFact> = self.facts_with(code).collect();
                facts.sort_by_key(|fact| fact.validity.from);
                facts
            }
        }
    }

    /// The lines of a unit on those of `days` on which it stands, in order.
    pub fn lines_of(&self, unit: UnitId, days: Validity) -> Vec<Line> {
        let stretches = self.stretches(days).into_iter();
        let lines = stretches.map(|days| Line {
            days,
            units: self.line_on(unit, days.from),
        });
        lines.filter(|line| !line.units.is_empty()).collect()
    }

    /// The parts of `days` within which the map stays as it is.
    fn stretches(&self, days: Validity) -> Vec<Validity> {
        let changes = self
            .spans
            .range((Bound::Excluded(days.from), Bound::Unbounded));
        let starts: Vec<NaiveDate> = std::iter::once(days.from)
            .chain(changes.map(|(day, _)| *day))
            .take_while(|day| days.contains(*day))
            .collect();
        let ends = starts.iter().skip(1).map(|next| next.pred_opt());
        let ends = ends.chain(std::iter::once(days.to));
        let stretches = starts.iter().zip(ends);
        stretches
            .map(|(from, to)| Validity { from: *from, to })
            .collect()
    }

    fn line_on(&self, unit: UnitId, day: NaiveDate) -> Vec<UnitId> {
        let fact_on = |unit| {
            let mut facts = self.facts_of(unit).iter();
            facts.find(|fact| fact.validity.contains(day))
        };
        let line = std::iter::successors(fact_on(unit), |fact| fact.parent.and_then(fact_on));
        line.map(|fact| fact.unit).collect()
    }

    /// Everything that ever had this code.
    pub fn facts_with(&self, code: &UnitCode) -> impl Iterator<Item = &UnitFact> {
        let indices = self.by_code.get(code).into_iter().flatten();
        indices.filter_map(|index| self.facts.get(*index))
    }

    /// The tree of `day`. Made at the first question about its range of days, and kept.
    pub fn tree_on(&self, day: NaiveDate) -> Arc<Tree> {
        let plant = || Arc::new(Tree::on(&self.facts, &self.successions, day));
        match self.spans.range(..=day).next_back() {
            Some((_, span)) => span.get_or_init(plant).clone(),
            None => plant(),
        }
    }

    /// Returns the tree of a day if it was asked for before. Never takes the time to plant it.
    pub fn planted_on(&self, day: NaiveDate) -> Option<Arc<Tree>> {
        let (_, span) = self.spans.range(..=day).next_back()?;
        span.get().cloned()
    }
}

impl Hierarchy {
    /// Finds where the units of `day` lie on the tree of `later`, once for each pair of maps; `None` if
    /// nothing changed between the two.
    pub fn landings(&self, day: NaiveDate, later: NaiveDate) -> Option<Arc<Landings>> {
        let key = (self.span_of(day), self.span_of(later));
        if key.0 == key.1 {
            return None;
        }
        let kept = || self.landings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(&key) {
            return Some(known.clone());
        }
        // Not under the lock: others may go on with what is known.
        let landings = Landings::new(&self.tree_on(day), &self.tree_on(later));
        let landings = Arc::new(landings);
        let mut all = kept();
        if all.len() >= MOST_LANDINGS {
            all.clear();
        }
        all.insert(key, landings.clone());
        Some(landings)
    }

    fn span_of(&self, day: NaiveDate) -> NaiveDate {
        let first = self.spans.range(..=day).next_back();
        first.map_or(NaiveDate::MIN, |(first, _)| *first)
    }
}

/// A unit and all above it, the root last, on days on which the map stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub days: Validity,
    pub units: Vec<UnitId>,
}
