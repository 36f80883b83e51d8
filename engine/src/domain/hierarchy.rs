//! The hierarchy: all dated facts of a tenant's units, the tree that they make on a day, and the
//! way from what a unit was on another day to where it belongs on that tree. Never figures: what
//! flows up the tree is `rollup`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::NaiveDate;

use super::id::{LevelCode, UnitCode, UnitId};
use super::landing::Landings;
use super::level::Level;
use super::route::Leaf;
use super::succession::Successions;
use super::unit::{UnitFact, UnitReference, Validity};

/// So many pairs of maps are remembered: those of a year and its months, and some more.
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

    /// Whether a unit stands on every one of these days.
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
}

impl Hierarchy {
    /// Where the units of `day` lie on the tree of `later`. Worked out once and kept; `None` where
    /// nothing has changed between the two.
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

/// A place in a [`Tree`], in preorder: a unit comes before everything below it, and what is
/// below it follows without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(usize);

/// The units of one day and how they hang together.
///
/// Beside the units that stand on the day it has *leaves*: units of before that nobody took over
/// as a whole. What of them cannot be divided counts there, under what their successors have in
/// common, so that the levels above it are still exact. Only who asks for leaves sees them.
pub struct Tree {
    day: NaiveDate,
    facts: Arc<[UnitFact]>,
    successions: Arc<Successions>,
    nodes: Vec<Node>,
    by_id: HashMap<UnitId, Position>,
    by_code: HashMap<UnitCode, Position>,
    leaves: BTreeMap<Leaf, Position>,
    /// All leaves with their heirs, worked out at the first question.
    leaves_with_heirs: OnceLock<Vec<(Position, BTreeSet<UnitId>)>>,
    /// For each level, the positions of its units in order: how many lie below a unit is the
    /// distance of two binary searches.
    by_level: HashMap<LevelCode, Vec<Position>>,
}

struct Node {
    /// Index into the facts.
    fact: usize,
    parent: Option<Position>,
    children: Vec<Position>,
    leaves: Vec<Position>,
    depth: usize,
    /// The first position that is not below this unit.
    end: Position,
}

impl Tree {
    fn on(facts: &Arc<[UnitFact]>, successions: &Arc<Successions>, day: NaiveDate) -> Tree {
        let standing = Tree::planted(facts, successions, day, &BTreeMap::new());
        let leaves = standing.find_leaves();
        if leaves.is_empty() {
            standing
        } else {
            Tree::planted(facts, successions, day, &leaves)
        }
    }

    /// The day's tree with leaves, each with the index of a fact of its unit.
    fn planted(
        facts: &Arc<[UnitFact]>,
        successions: &Arc<Successions>,
        day: NaiveDate,
        leaves: &BTreeMap<Leaf, usize>,
    ) -> Tree {
        let mut seeds = Seeds::default();
        for (index, fact) in facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| fact.validity.contains(day))
        {
            let siblings = seeds.children.entry(fact.parent).or_default();
            siblings.push((index, fact));
        }
        for siblings in seeds.children.values_mut() {
            siblings.sort_by(|(_, a), (_, b)| (&a.code, a.unit).cmp(&(&b.code, b.unit)));
        }
        for (leaf, index) in leaves {
            let under = seeds.leaves.entry(leaf.under).or_default();
            under.push((*leaf, *index));
        }
        let mut tree = Tree {
            day,
            facts: facts.clone(),
            successions: successions.clone(),
            nodes: Vec::new(),
            by_id: HashMap::new(),
            by_code: HashMap::new(),
            leaves: BTreeMap::new(),
            leaves_with_heirs: OnceLock::new(),
            by_level: HashMap::new(),
        };
        for (index, fact) in seeds.children.get(&None).into_iter().flatten() {
            tree.plant(*index, fact, None, 0, &seeds);
        }
        for (leaf, index) in seeds.leaves.get(&None).into_iter().flatten() {
            tree.plant_leaf(*leaf, *index, None, 0);
        }
        tree
    }

    /// What of former units has no one place among those that stand.
    fn find_leaves(&self) -> BTreeMap<Leaf, usize> {
        let mut last: HashMap<UnitId, usize> = HashMap::new();
        for (index, fact) in self.facts.iter().enumerate() {
            if fact.validity.to.is_some_and(|to| to < self.day) {
                let known = last.entry(fact.unit).or_insert(index);
                if self
                    .fact(*known)
                    .is_some_and(|known| known.validity.from < fact.validity.from)
                {
                    *known = index;
                }
            }
        }
        let ended = last
            .iter()
            .filter(|(unit, _)| !self.by_id.contains_key(unit))
            .filter_map(|(unit, _)| Some(self.route(*unit, self.end_of(*unit)?)));
        let passed = self
            .successions
            .until(self.day)
            .map(|passing| self.after(passing));
        ended
            .chain(passed)
            .filter_map(|route| route.leaf())
            .filter_map(|leaf| {
                let standing = self.by_id.get(&leaf.unit);
                let standing = standing.map(|position| self.node(*position).fact);
                Some((leaf, last.get(&leaf.unit).copied().or(standing)?))
            })
            .collect()
    }

    fn fact(&self, index: usize) -> Option<&UnitFact> {
        self.facts.get(index)
    }

    /// Adds a unit and all below it. As deep as the levels are, and those are few.
    fn plant(
        &mut self,
        index: usize,
        fact: &UnitFact,
        parent: Option<Position>,
        depth: usize,
        seeds: &Seeds<'_>,
    ) -> Position {
        let position = self.add(index, parent, depth);
        self.by_id.insert(fact.unit, position);
        self.by_code.insert(fact.code.clone(), position);
        self.by_level
            .entry(fact.level.clone())
            .or_default()
            .push(position);
        let below = seeds.children.get(&Some(fact.unit)).into_iter().flatten();
        let planted: Vec<Position> = below
            .map(|(index, fact)| self.plant(*index, fact, Some(position), depth + 1, seeds))
            .collect();
        let below = seeds.leaves.get(&Some(fact.unit)).into_iter().flatten();
        let leaves: Vec<Position> = below
            .map(|(leaf, index)| self.plant_leaf(*leaf, *index, Some(position), depth + 1))
            .collect();
        let end = Position(self.nodes.len());
        let node = self.node_mut(position);
        node.children = planted;
        node.leaves = leaves;
        node.end = end;
        position
    }

    fn plant_leaf(
        &mut self,
        leaf: Leaf,
        index: usize,
        parent: Option<Position>,
        depth: usize,
    ) -> Position {
        let position = self.add(index, parent, depth);
        self.leaves.insert(leaf, position);
        position
    }

    fn add(&mut self, fact: usize, parent: Option<Position>, depth: usize) -> Position {
        let position = Position(self.nodes.len());
        self.nodes.push(Node {
            fact,
            parent,
            children: Vec::new(),
            leaves: Vec::new(),
            depth,
            end: Position(self.nodes.len() + 1),
        });
        position
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "only this tree makes its positions"
    )]
    fn node(&self, position: Position) -> &Node {
        &self.nodes[position.0]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "only this tree makes its positions"
    )]
    fn node_mut(&mut self, position: Position) -> &mut Node {
        &mut self.nodes[position.0]
    }

    pub fn at(&self, position: Position) -> Place<'_> {
        Place {
            tree: self,
            position,
        }
    }

    pub fn by_id(&self, unit: UnitId) -> Option<Place<'_>> {
        self.by_id.get(&unit).map(|position| self.at(*position))
    }

    pub fn by_code(&self, code: &UnitCode) -> Option<Place<'_>> {
        self.by_code.get(code).map(|position| self.at(*position))
    }

    pub fn find(&self, reference: &UnitReference) -> Option<Place<'_>> {
        match reference {
            UnitReference::Id(id) => self.by_id(*id),
            UnitReference::Code(code) => self.by_code(code),
        }
    }

    /// All units in preorder.
    pub fn places(&self) -> impl DoubleEndedIterator<Item = Place<'_>> {
        self.places_with_leaves().filter(|place| !place.is_leaf())
    }

    /// All units and leaves, in preorder.
    pub fn places_with_leaves(&self) -> impl DoubleEndedIterator<Item = Place<'_>> {
        (0..self.nodes.len()).map(|index| self.at(Position(index)))
    }

    /// How many units stand.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The day that this is the tree of; it is that of the days around it too, as long as nothing
    /// changes.
    pub fn day(&self) -> NaiveDate {
        self.day
    }

    pub fn leaf(&self, leaf: &Leaf) -> Option<Place<'_>> {
        self.leaves.get(leaf).map(|position| self.at(*position))
    }

    /// All leaves, in preorder; those under no unit come last.
    pub fn leaves(&self) -> impl Iterator<Item = Place<'_>> {
        let mut positions: Vec<Position> = self.leaves.values().copied().collect();
        positions.sort_unstable();
        positions.into_iter().map(|position| self.at(position))
    }

    /// The same, each with the units that stand and have something of its unit. Worked out once:
    /// every report of a former map asks.
    pub fn leaves_with_heirs(&self) -> impl Iterator<Item = (Place<'_>, &BTreeSet<UnitId>)> {
        let known = self.leaves_with_heirs.get_or_init(|| {
            let leaves = self.leaves();
            leaves
                .map(|leaf| (leaf.position(), self.heirs_of(leaf.unit())))
                .collect()
        });
        known
            .iter()
            .map(|(position, heirs)| (self.at(*position), heirs))
    }

    /// The leaf with what is left of a unit that stands no more, where no other has it as a whole.
    pub fn left_of(&self, unit: UnitId) -> Option<Place<'_>> {
        let leaf = self.route(unit, self.end_of(unit)?).leaf()?;
        self.leaf(&leaf)
    }

    pub(super) fn successions(&self) -> &Successions {
        &self.successions
    }

    /// Whether anything passed from a unit or to it after `day`, up to the tree's.
    pub fn is_touched_since(&self, unit: UnitId, day: NaiveDate) -> bool {
        self.successions.is_touched(unit, day, self.day)
    }

    /// The units that something of `unit` comes from, up to the tree's day, directly or through
    /// others; not itself.
    pub fn sources_of(&self, unit: UnitId) -> Vec<UnitId> {
        self.successions.sources_of(unit, self.day)
    }

    /// Those from which it came after `day`, each with the last day on which it passed anything.
    pub fn sources_since(&self, unit: UnitId, day: NaiveDate) -> Vec<(UnitId, NaiveDate)> {
        self.successions.sources_between(unit, day, self.day)
    }

    /// The unit's last fact that ends before the day of the tree.
    pub fn last_fact(&self, unit: UnitId) -> Option<&UnitFact> {
        let first = self.facts.partition_point(|fact| fact.unit < unit);
        let own = self.facts.get(first..).unwrap_or_default().iter();
        own.take_while(|fact| fact.unit == unit)
            .filter(|fact| fact.validity.to.is_some_and(|to| to < self.day))
            .last()
    }
}

/// What a tree grows from: units by their parent, and leaves by the unit that they are under.
#[derive(Default)]
struct Seeds<'f> {
    children: HashMap<Option<UnitId>, Vec<(usize, &'f UnitFact)>>,
    leaves: HashMap<Option<UnitId>, Vec<(Leaf, usize)>>,
}

/// A unit where it stands in a tree.
#[derive(Clone, Copy)]
pub struct Place<'t> {
    tree: &'t Tree,
    position: Position,
}

impl<'t> Place<'t> {
    fn node(self) -> &'t Node {
        self.tree.node(self.position)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "only the tree sets a node's fact, from these facts"
    )]
    pub fn fact(self) -> &'t UnitFact {
        &self.tree.facts[self.node().fact]
    }

    pub fn unit(self) -> UnitId {
        self.fact().unit
    }

    pub fn position(self) -> Position {
        self.position
    }

    /// 0 for a root.
    pub fn depth(self) -> usize {
        self.node().depth
    }

    pub fn parent(self) -> Option<Place<'t>> {
        self.node().parent.map(|position| self.tree.at(position))
    }

    /// The parent, its parent and so on up to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Place<'t>> {
        std::iter::successors(self.parent(), |place| place.parent())
    }

    /// By code.
    pub fn children(self) -> impl ExactSizeIterator<Item = Place<'t>> {
        self.node()
            .children
            .iter()
            .map(move |position| self.tree.at(*position))
    }

    /// Former units that count under this one, since no unit below it has them as a whole.
    pub fn leaves(self) -> impl ExactSizeIterator<Item = Place<'t>> {
        let leaves = self.node().leaves.iter();
        leaves.map(move |position| self.tree.at(*position))
    }

    /// Whether this is what is left of a former unit, and no unit that stands.
    pub fn is_leaf(self) -> bool {
        self.tree.by_id.get(&self.unit()) != Some(&self.position)
    }

    /// Children and leaves: what a rollup is put together of.
    pub fn parts(self) -> impl Iterator<Item = Place<'t>> {
        self.children().chain(self.leaves())
    }

    pub fn has_parts(self) -> bool {
        self.parts().next().is_some()
    }

    /// The unit itself and everything below it that stands.
    pub fn subtree(self) -> impl Iterator<Item = Place<'t>> {
        self.subtree_with_leaves().filter(|place| !place.is_leaf())
    }

    /// The unit itself and everything below it, leaves too.
    pub fn subtree_with_leaves(self) -> impl DoubleEndedIterator<Item = Place<'t>> {
        (self.position.0..self.node().end.0).map(move |index| self.tree.at(Position(index)))
    }

    /// Whether `other` is this unit or below it.
    pub fn covers(self, other: Place<'_>) -> bool {
        self.position <= other.position && other.position < self.node().end
    }

    /// How many units of `level` the subtree has, this one included.
    pub fn count_at(self, level: &LevelCode) -> u64 {
        let Some(positions) = self.tree.by_level.get(level) else {
            return 0;
        };
        let before = positions.partition_point(|position| *position < self.position);
        let through = positions.partition_point(|position| *position < self.node().end);
        u64::try_from(through - before).unwrap_or(u64::MAX)
    }
}
