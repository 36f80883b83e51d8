//! Respondents: the units that are to submit a form for a base period. Whoever asks who is expected
//! asks here. Never what they have submitted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deadline::Deadline;
use super::form::{FormDefinition, FormPeriod, SubmittedBy};
use super::hierarchy::{Place, Position, Tree};
use super::holiday::Holidays;
use super::id::{LevelCode, UnitId};
use super::landing::{Landing, Landings};

/// The units that are to submit a form, on the tree of one day: for a base period that of its last.
#[derive(Clone)]
pub struct Respondents<'p> {
    definition: &'p FormDefinition,
    tree: Arc<Tree>,
    asked: Asked<'p>,
}

/// The units that a form asks, at and below its owner.
#[derive(Clone)]
enum Asked<'p> {
    /// Every unit of these levels.
    Levels(&'p [LevelCode]),
    /// The units that it names, by their level and in preorder.
    Units(BTreeMap<LevelCode, Vec<Position>>),
}

/// Respondents of one level with one deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'r> {
    pub level: &'r LevelCode,
    /// The level whose deadline is theirs.
    pub due_with: &'r LevelCode,
    /// More than 0.
    pub count: u64,
}

impl<'p> Respondents<'p> {
    pub fn new(definition: &'p FormDefinition, tree: Arc<Tree>) -> Respondents<'p> {
        let asked = match &definition.submitted_by {
            SubmittedBy::Levels(levels) => Asked::Levels(levels),
            SubmittedBy::Recipients(units) => Asked::Units(by_level(units, &tree)),
        };
        Respondents {
            definition,
            tree,
            asked,
        }
    }

    /// The tree on which they are. Places are asked about as it has them.
    pub fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// Tells whether a unit is to submit.
    pub fn includes(&self, place: Place<'_>) -> bool {
        !place.is_leaf() && self.asks(place)
    }

    fn asks(&self, place: Place<'_>) -> bool {
        self.definition.submitted_by.includes(place.fact()) && self.is_of_owner(place)
    }

    /// Tells whether a unit lies at the form's owner or below it.
    fn is_of_owner(&self, place: Place<'_>) -> bool {
        self.definition.owner.is_none_or(|owner| {
            let mut line = std::iter::once(place).chain(place.ancestors());
            line.any(|place| place.unit() == owner)
        })
    }

    /// The levels that are asked.
    pub fn levels(&self) -> Vec<&LevelCode> {
        match &self.asked {
            Asked::Levels(levels) => levels.iter().collect(),
            Asked::Units(units) => units.keys().collect(),
        }
    }

    /// The levels that submit, and those that only send up by a deadline. Those of units that have
    /// ended are among them.
    pub fn levels_with_duty(&self) -> BTreeSet<&LevelCode> {
        let submitting: Vec<&LevelCode> = match &self.definition.submitted_by {
            SubmittedBy::Levels(levels) => levels.iter().collect(),
            SubmittedBy::Recipients(units) => {
                let facts = units.iter().filter_map(|unit| {
                    let standing = self.tree.by_id(*unit).map(Place::fact);
                    standing.or_else(|| self.tree.last_fact(*unit))
                });
                facts.map(|fact| &fact.level).collect()
            }
        };
        let sending_up = self.definition.deadlines.keys();
        sending_up.chain(submitting).collect()
    }

    /// Tells whether a unit submits, or its level sends up by a deadline.
    pub fn has_duty(&self, place: Place<'_>) -> bool {
        let deadlines = &self.definition.deadlines;
        self.includes(place) || deadlines.contains_key(&place.fact().level)
    }

    /// The respondents of a level at and below a place.
    fn of_level<'r>(&'r self, level: &LevelCode, place: Place<'r>) -> &'r [Position] {
        let positions = match &self.asked {
            Asked::Levels(levels) if levels.contains(level) => self.tree.at_level(level),
            Asked::Levels(_) => &[],
            Asked::Units(units) => units.get(level).map(Vec::as_slice).unwrap_or_default(),
        };
        let top = self.below_owner(place);
        top.map(|top| top.within(positions)).unwrap_or_default()
    }

    /// The part of a place's subtree that lies at the form's owner or below it.
    fn below_owner<'r>(&'r self, place: Place<'r>) -> Option<Place<'r>> {
        let Some(owner) = self.definition.owner else {
            return Some(place);
        };
        let owner = self.tree.by_id(owner)?;
        match (owner.covers(place), place.covers(owner)) {
            (true, _) => Some(place),
            (false, true) => Some(owner),
            (false, false) => None,
        }
    }

    /// Tells whether a unit is to submit what one of these levels is asked for.
    pub fn answers_for(&self, place: Place<'_>, is_asked: impl Fn(&LevelCode) -> bool) -> bool {
        self.includes(place) && is_asked(&place.fact().level)
    }

    /// Counts those at and below a place.
    pub fn count(&self, place: Place<'_>) -> u64 {
        self.count_answering(place, |_| true)
    }

    /// Counts those below a place.
    pub fn count_below(&self, place: Place<'_>) -> u64 {
        let own = u64::from(self.includes(place));
        self.count(place).saturating_sub(own)
    }

    /// Counts those at and below a place that submit what one of these levels is asked for.
    pub fn count_answering(&self, place: Place<'_>, is_asked: impl Fn(&LevelCode) -> bool) -> u64 {
        let levels = self.levels().into_iter();
        let levels = levels.filter(|level| is_asked(level));
        levels.map(|level| self.count_of_level(level, place)).sum()
    }

    fn count_of_level(&self, level: &LevelCode, place: Place<'_>) -> u64 {
        u64::try_from(self.of_level(level, place).len()).unwrap_or(u64::MAX)
    }

    /// Returns the groups of those at and below a place.
    pub fn groups<'r>(&'r self, place: Place<'_>) -> Vec<Group<'r>> {
        let groups = self.levels().into_iter().map(|level| Group {
            level,
            due_with: level,
            count: self.count_of_level(level, place),
        });
        groups.filter(|group| group.count > 0).collect()
    }

    /// Returns the groups of those below a place.
    pub fn groups_below<'r>(&'r self, place: Place<'_>) -> Vec<Group<'r>> {
        let mut groups = self.groups(place);
        if self.includes(place) {
            let (level, due_with) = (&place.fact().level, self.due_with(place));
            for group in &mut groups {
                let is_own = group.level == level && group.due_with == due_with;
                group.count -= u64::from(is_own);
            }
        }
        groups.retain(|group| group.count > 0);
        groups
    }

    /// Lists those at and below a place that have the deadline of a level.
    pub fn due_with_level<'r>(&'r self, level: &LevelCode, place: Place<'r>) -> Vec<Place<'r>> {
        let positions = self.of_level(level, place).iter();
        positions.map(|position| self.tree.at(*position)).collect()
    }

    /// Returns the level whose deadline a unit has.
    pub fn due_with<'t>(&self, place: Place<'t>) -> &'t LevelCode {
        &place.fact().level
    }

    /// Returns the deadline of a unit, which it has without an extension.
    pub fn deadline(
        &self,
        period: &FormPeriod<'_>,
        place: Place<'_>,
        holidays: &Holidays,
    ) -> Option<Deadline> {
        let level = Some(self.due_with(place)).filter(|_| self.has_duty(place));
        period.deadline(level?, holidays)
    }

    /// The same where they lie on the map of a later day.
    pub fn landed(self, landings: Option<Arc<Landings>>) -> LandedRespondents<'p> {
        let landings = match (&self.asked, self.definition.owner) {
            (Asked::Levels(_), None) => landings,
            (Asked::Levels(_) | Asked::Units(_), _) => {
                let of_form = |all: Arc<Landings>| {
                    let of_form = all.of_units(&self.tree, |place| self.includes(place));
                    Arc::new(of_form)
                };
                landings.map(of_form)
            }
        };
        LandedRespondents {
            respondents: self,
            landings,
        }
    }
}

/// Finds units on a tree, by their level and in preorder.
fn by_level(units: &BTreeSet<UnitId>, tree: &Tree) -> BTreeMap<LevelCode, Vec<Position>> {
    let places = units.iter().filter_map(|unit| tree.by_id(*unit));
    let mut found: BTreeMap<LevelCode, Vec<Position>> = BTreeMap::new();
    for place in places {
        let level = place.fact().level.clone();
        found.entry(level).or_default().push(place.position());
    }
    for positions in found.values_mut() {
        positions.sort_unstable();
    }
    found
}

/// Respondents where they lie on the map of a later day.
pub struct LandedRespondents<'p> {
    respondents: Respondents<'p>,
    /// `None` if the map is the same. Those of other units are in it only where all units of a level
    /// are asked.
    landings: Option<Arc<Landings>>,
}

impl LandedRespondents<'_> {
    /// Counts those that lie at a place or below it and submit what one of these levels is asked for.
    pub fn count_below(
        &self,
        place: Place<'_>,
        landing: Landing,
        is_asked: impl Fn(&LevelCode) -> bool,
    ) -> u64 {
        match &self.landings {
            None => self.respondents.count_answering(place, is_asked),
            Some(landings) => self.sum(is_asked, |level| {
                landings.count_below(level, landing, place)
            }),
        }
    }

    /// Counts those that lie at a place itself and submit what one of these levels is asked for.
    pub fn count_at(
        &self,
        place: Place<'_>,
        landing: Landing,
        is_asked: impl Fn(&LevelCode) -> bool,
    ) -> u64 {
        match &self.landings {
            None => u64::from(self.respondents.answers_for(place, is_asked)),
            Some(landings) => self.sum(is_asked, |level| landings.count_at(level, landing, place)),
        }
    }

    fn sum(&self, is_asked: impl Fn(&LevelCode) -> bool, count: impl Fn(&LevelCode) -> u64) -> u64 {
        let levels = self.respondents.levels().into_iter();
        levels.filter(|level| is_asked(level)).map(count).sum()
    }
}

#[cfg(test)]
mod tests;
