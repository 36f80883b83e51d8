//! Respondents: the units that are to submit a form for a base period. Whoever asks who is expected
//! asks here. Never what they have submitted.

use std::sync::Arc;

use super::deadline::Deadline;
use super::form::{FormDefinition, FormPeriod};
use super::hierarchy::{Place, Tree};
use super::holiday::Holidays;
use super::id::LevelCode;
use super::landing::{Landing, Landings};

/// The units that are to submit a form, on the tree of one day: for a base period that of its last.
#[derive(Clone)]
pub struct Respondents<'p> {
    tree: Arc<Tree>,
    asked: Asked<'p>,
}

/// The units that a form asks.
#[derive(Clone, Copy)]
enum Asked<'p> {
    /// Every unit of these levels.
    Levels(&'p [LevelCode]),
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
        Respondents {
            tree,
            asked: Asked::Levels(&definition.submitted_by),
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
        match self.asked {
            Asked::Levels(levels) => levels.contains(&place.fact().level),
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
        match self.asked {
            Asked::Levels(levels) => {
                let levels = levels.iter().filter(|level| is_asked(level));
                levels.map(|level| place.count_at(level)).sum()
            }
        }
    }

    /// Returns the groups of those at and below a place.
    pub fn groups<'r>(&'r self, place: Place<'_>) -> Vec<Group<'r>> {
        let groups = match self.asked {
            Asked::Levels(levels) => levels.iter().map(|level| Group {
                level,
                due_with: level,
                count: place.count_at(level),
            }),
        };
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
    pub fn due_with_level<'t>(&self, level: &LevelCode, place: Place<'t>) -> Vec<Place<'t>> {
        match self.asked {
            Asked::Levels(levels) if levels.contains(level) => place.at_level(level).collect(),
            Asked::Levels(_) => Vec::new(),
        }
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
        period.deadline(self.due_with(place), holidays)
    }

    /// The same where they lie on the map of a later day.
    pub fn landed(self, landings: Option<Arc<Landings>>) -> LandedRespondents<'p> {
        LandedRespondents {
            respondents: self,
            landings,
        }
    }
}

/// Respondents where they lie on the map of a later day.
pub struct LandedRespondents<'p> {
    respondents: Respondents<'p>,
    /// `None` if the map is the same.
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
        match self.respondents.asked {
            Asked::Levels(levels) => levels
                .iter()
                .filter(|level| is_asked(level))
                .map(count)
                .sum(),
        }
    }
}
