//! Respondents: the units that are to submit a form for a base period. Whoever asks who is expected
//! asks here. Never what they have submitted.
//!
//! A form says which units it asks. A unit that reports for its subtree (báo cáo gộp) takes the place
//! of all units below it. Counts by level come from the tree at once; what those units change is a
//! correction, and there are few of them.

mod asked;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::asked::Asked;
use super::deadline::Deadline;
use super::form::{FormDefinition, FormPeriod};
use super::hierarchy::{Place, Position, Tree};
use super::holiday::Holidays;
use super::id::{LevelCode, UnitId};
use super::landing::{Landing, Landings, landings_of};
use super::submission::SpeaksFor;

/// The units that are to submit a form, on the tree of one day: for a base period that of its last.
#[derive(Clone)]
pub struct Respondents<'p> {
    tree: Arc<Tree>,
    asked: Asked<'p>,
    /// Working days by level, as the form has them.
    deadlines: &'p BTreeMap<LevelCode, u16>,
    /// The units that report for their subtrees, in preorder. None is below another.
    covering: Vec<Position>,
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
    /// `covering` are the units that report for their subtrees. One below another says nothing: the
    /// upper one reports for it.
    pub fn new(
        definition: &'p FormDefinition,
        tree: Arc<Tree>,
        covering: impl IntoIterator<Item = UnitId>,
    ) -> Respondents<'p> {
        let standing = covering.into_iter().filter_map(|unit| tree.by_id(unit));
        let mut positions: Vec<Position> = standing.map(Place::position).collect();
        positions.sort_unstable();
        let mut covering: Vec<Position> = Vec::with_capacity(positions.len());
        for position in positions {
            let place = tree.at(position);
            let upper = covering.last().map(|last| tree.at(*last));
            if upper.is_none_or(|upper| !upper.covers(place)) {
                covering.push(position);
            }
        }
        Respondents {
            asked: Asked::new(definition, tree.clone()),
            tree,
            deadlines: &definition.deadlines,
            covering,
        }
    }

    /// The tree on which they are. Places are asked about as it has them.
    pub fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// The levels of which units are asked.
    pub fn levels_asked(&self) -> impl Iterator<Item = &LevelCode> {
        self.asked.levels()
    }

    /// The levels that are asked, and those that only send up by a deadline.
    pub fn levels_with_duty(&self) -> BTreeSet<&LevelCode> {
        self.asked.levels_with_duty()
    }

    /// Tells whether a unit is asked, also where another reports for it, or its level sends up by a
    /// deadline.
    pub fn has_duty(&self, place: Place<'_>) -> bool {
        let is_asked = self.asked.includes(place) || self.includes(place);
        is_asked || self.deadlines.contains_key(&place.fact().level)
    }

    /// Tells whether a unit is to submit.
    pub fn includes(&self, place: Place<'_>) -> bool {
        self.answers_for(place, |_| true)
    }

    /// Tells whether a unit is to submit what one of these levels is asked for.
    pub fn answers_for(&self, place: Place<'_>, is_asked: impl Fn(&LevelCode) -> bool) -> bool {
        // On most forms no unit reports for others, so nothing need be listed.
        if self.covering.is_empty() {
            let is_included = !place.is_leaf() && self.asked.includes(place);
            return is_included && is_asked(&place.fact().level);
        }
        self.levels_of(place).into_iter().any(is_asked)
    }

    /// Lists the levels for which a unit is to submit: its own, and those below it if it reports for
    /// its subtree. None if it is not to submit.
    pub fn levels_of(&self, place: Place<'_>) -> Vec<&LevelCode> {
        if place.is_leaf() || self.above(place).is_some() {
            return Vec::new();
        }
        let own = Some(&place.fact().level).filter(|_| self.asked.includes(place));
        let is_covering = self.is_covering(place);
        let levels = self.asked.levels();
        levels
            .filter(|level| {
                own == Some(*level) || is_covering && self.asked.count(level, place) > 0
            })
            .collect()
    }

    /// Returns the units for which a unit's submission speaks.
    pub fn speaks_for(&self, place: Place<'_>) -> SpeaksFor {
        match self.is_covering(place) {
            true => SpeaksFor::Subtree,
            false => SpeaksFor::Unit,
        }
    }

    /// Returns the unit above that reports for a unit, if one does.
    pub fn above(&self, place: Place<'_>) -> Option<Place<'_>> {
        let before = self.covering.partition_point(|at| *at < place.position());
        let nearest = self.covering.get(before.checked_sub(1)?)?;
        let nearest = self.tree.at(*nearest);
        nearest.covers(place).then_some(nearest)
    }

    /// Tells whether a unit reports for its subtree. It may be asked about as another tree has it.
    fn is_covering(&self, place: Place<'_>) -> bool {
        if self.covering.is_empty() {
            return false;
        }
        let is_found = |at: Position| self.covering.binary_search(&at).is_ok();
        let here = self.tree.by_id(place.unit());
        here.is_some_and(|here| is_found(here.position()))
    }

    /// Lists the units at and below a place that report for their subtrees.
    fn covering_in<'t>(&'t self, place: Place<'_>) -> impl Iterator<Item = Place<'t>> {
        let first = self.covering.partition_point(|at| *at < place.position());
        let rest = self.covering.get(first..).unwrap_or_default();
        let within = rest.partition_point(|at| place.covers(self.tree.at(*at)));
        let within = rest.get(..within).unwrap_or_default().iter();
        within.map(|at| self.tree.at(*at))
    }

    /// Counts the units of a level at and below a place for which no other is asked, and which are
    /// asked for themselves alone.
    fn count_uncovered(&self, place: Place<'_>, level: &LevelCode) -> u64 {
        if self.above(place).is_some() {
            return 0;
        }
        let covered = self.covering_in(place);
        let covered = covered.map(|top| self.asked.count(level, top));
        let all = self.asked.count(level, place);
        all.saturating_sub(covered.sum::<u64>())
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
        let asked = self.asked.levels().filter(|level| is_asked(level));
        let alone: u64 = asked.map(|level| self.count_uncovered(place, level)).sum();
        let covering = self.covering_in(place);
        let covering = covering.map(|top| u64::from(self.answers_for(top, &is_asked)));
        alone + covering.sum::<u64>()
    }

    /// Returns the groups of those at and below a place.
    pub fn groups<'r>(&'r self, place: Place<'_>) -> Vec<Group<'r>> {
        let levels = self.asked.levels();
        let mut groups: Vec<Group<'r>> = levels
            .map(|level| Group {
                level,
                due_with: level,
                count: self.count_uncovered(place, level),
            })
            .collect();
        for top in self.covering_in(place).filter(|top| self.includes(*top)) {
            let (level, due_with) = (&top.fact().level, self.due_with(top));
            let is_same =
                |group: &&mut Group<'r>| (group.level, group.due_with) == (level, due_with);
            match groups.iter_mut().find(is_same) {
                Some(group) => group.count += 1,
                None => groups.push(Group {
                    level,
                    due_with,
                    count: 1,
                }),
            }
        }
        groups.retain(|group| group.count > 0);
        groups
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
        let alone = self.asked.of_level(level, place);
        let alone = alone.filter(|one| !self.is_covering(*one) && self.includes(*one));
        let covering = self.covering_in(place).filter(|top| self.includes(*top));
        let covering = covering.filter(|top| self.due_with(*top) == level);
        alone.chain(covering).collect()
    }

    /// Returns the level whose deadline a unit has: its own. A unit that reports for its subtree and
    /// whose level has none has the latest of the levels for which it reports.
    pub fn due_with<'r>(&'r self, place: Place<'r>) -> &'r LevelCode {
        let own = &place.fact().level;
        if self.deadlines.contains_key(own) || !self.is_covering(place) {
            return own;
        }
        let levels = self.levels_of(place).into_iter();
        let latest = levels.max_by_key(|level| self.deadlines.get(*level));
        latest.unwrap_or(own)
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
    pub fn landed(self, on: Option<(Arc<Landings>, &Tree)>) -> LandedRespondents<'p> {
        let landed = on.map(|(landings, tree)| Landed::new(&self, landings, tree));
        LandedRespondents {
            respondents: self,
            landed,
        }
    }
}

/// Respondents where they lie on the map of a later day.
pub struct LandedRespondents<'p> {
    respondents: Respondents<'p>,
    /// `None` if the map is the same.
    landed: Option<Landed>,
}

/// Where respondents lie on another map: by level, and what units that report for their subtrees change
/// of that.
struct Landed {
    /// Of those that the form asks.
    landings: Arc<Landings>,
    /// The places of units of levels that submit, which do not, or not for themselves alone. In order.
    covered: HashMap<Landing, Vec<(Position, LevelCode)>>,
    /// The places of the units that report for them, with the levels for which they do. In order.
    covering: HashMap<Landing, Vec<(Position, Vec<LevelCode>)>>,
}

impl Landed {
    fn new(respondents: &Respondents<'_>, landings: Arc<Landings>, to: &Tree) -> Landed {
        let (asked, from) = (&respondents.asked, &respondents.tree);
        let landings = match asked.is_by_level_alone() {
            true => landings,
            false => Arc::new(landings.of_units(from, |place| asked.includes(place))),
        };
        let mut landed = Landed {
            landings,
            covered: HashMap::new(),
            covering: HashMap::new(),
        };
        let all = [Landing::Shares, Landing::Whole, Landing::Itself];
        for (top, landing) in respondents
            .covering
            .iter()
            .flat_map(|top| all.map(|landing| (from.at(*top), landing)))
        {
            let lie = |place: Place<'_>| landings_of(place.unit(), from.day(), landing, to);
            let covered = landed.covered.entry(landing).or_default();
            for level in asked.levels() {
                let places = asked.of_level(level, top).flat_map(lie);
                covered.extend(places.map(|at| (at, level.clone())));
            }
            let levels = respondents.levels_of(top).into_iter();
            let levels: Vec<LevelCode> = levels.cloned().collect();
            let covering = landed.covering.entry(landing).or_default();
            covering.extend(lie(top).into_iter().map(|at| (at, levels.clone())));
        }
        landed.covered.values_mut().for_each(|all| all.sort());
        landed.covering.values_mut().for_each(|all| all.sort());
        landed
    }

    /// Counts those at some positions that submit what one of these levels is asked for; `by_level`
    /// counts the units of a level there.
    fn count(
        &self,
        asked: &Asked<'_>,
        landing: Landing,
        (first, last): (Position, Position),
        is_asked: impl Fn(&LevelCode) -> bool,
        by_level: impl Fn(&LevelCode) -> u64,
    ) -> u64 {
        let levels = asked.levels().filter(|level| is_asked(level));
        let all: u64 = levels.map(by_level).sum();
        let covered = within(self.covered.get(&landing), first, last);
        let covered = covered.iter().filter(|(_, level)| is_asked(level)).count();
        let covering = within(self.covering.get(&landing), first, last);
        let covering = covering
            .iter()
            .filter(|(_, levels)| levels.iter().any(&is_asked))
            .count();
        let [covered, covering] =
            [covered, covering].map(|count| u64::try_from(count).unwrap_or(0));
        all.saturating_sub(covered) + covering
    }
}

/// Takes those of an ordered list that lie from one position to another.
fn within<T>(
    list: Option<&Vec<(Position, T)>>,
    first: Position,
    last: Position,
) -> &[(Position, T)] {
    let list = list.map(Vec::as_slice).unwrap_or_default();
    let before = list.partition_point(|(at, _)| *at < first);
    let through = list.partition_point(|(at, _)| *at <= last);
    list.get(before..through).unwrap_or_default()
}

impl LandedRespondents<'_> {
    /// Counts those that lie at a place or below it and submit what one of these levels is asked for.
    pub fn count_below(
        &self,
        place: Place<'_>,
        landing: Landing,
        is_asked: impl Fn(&LevelCode) -> bool,
    ) -> u64 {
        let Some(landed) = &self.landed else {
            return self.respondents.count_answering(place, is_asked);
        };
        let last = place.subtree_with_leaves().next_back();
        let last = last.map_or(place.position(), Place::position);
        let range = (place.position(), last);
        let by_level = |level: &LevelCode| landed.landings.count_below(level, landing, place);
        landed.count(&self.respondents.asked, landing, range, is_asked, by_level)
    }

    /// Counts those that lie at a place itself and submit what one of these levels is asked for.
    pub fn count_at(
        &self,
        place: Place<'_>,
        landing: Landing,
        is_asked: impl Fn(&LevelCode) -> bool,
    ) -> u64 {
        let Some(landed) = &self.landed else {
            return u64::from(self.respondents.answers_for(place, is_asked));
        };
        let range = (place.position(), place.position());
        let by_level = |level: &LevelCode| landed.landings.count_at(level, landing, place);
        landed.count(&self.respondents.asked, landing, range, is_asked, by_level)
    }
}

#[cfg(test)]
mod recount;
#[cfg(test)]
mod tests;
