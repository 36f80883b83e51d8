//! Trees: the units of one day and how they hang together, with the leaves that are left of former
//! ones. Never how a leaf is found: that is `route`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;

use super::succession::Successions;
use crate::domain::id::{LevelCode, UnitCode, UnitId};
use crate::domain::unit::{UnitFact, UnitReference};

/// The rest of a former unit: a leaf under the unit that its successors have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf {
    pub unit: UnitId,
    /// None where its successors have no unit in common: it is then a root of its own.
    pub under: Option<UnitId>,
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
    pub(super) facts: Arc<[UnitFact]>,
    successions: Arc<Successions>,
    nodes: Vec<Node>,
    pub(super) by_id: HashMap<UnitId, Position>,
    by_code: HashMap<UnitCode, Position>,
    leaves: BTreeMap<Leaf, Position>,
    /// All leaves with their heirs, worked out at the first question.
    pub(super) leaves_with_heirs: OnceLock<Vec<(Position, BTreeSet<UnitId>)>>,
    /// For each level, the positions of its units in order: how many lie below a unit is the
    /// distance of two binary searches.
    by_level: HashMap<LevelCode, Vec<Position>>,
}

pub(super) struct Node {
    /// Index into the facts.
    pub fact: usize,
    parent: Option<Position>,
    children: Vec<Position>,
    leaves: Vec<Position>,
    depth: usize,
    /// The first position that is not below this unit.
    end: Position,
}

impl Tree {
    /// The day's tree with leaves, each with the index of a fact of its unit.
    pub(super) fn planted(
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

    pub(super) fn fact(&self, index: usize) -> Option<&UnitFact> {
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
    pub(super) fn node(&self, position: Position) -> &Node {
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

    /// The positions of the units of a level, in preorder.
    pub fn at_level(&self, level: &LevelCode) -> &[Position] {
        let positions = self.by_level.get(level);
        positions.map(Vec::as_slice).unwrap_or_default()
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

    pub(super) fn successions(&self) -> &Successions {
        &self.successions
    }

    /// Tells whether anything passed from a unit or to it after `day`, up to the tree's.
    pub fn is_touched_since(&self, unit: UnitId, day: NaiveDate) -> bool {
        self.successions.is_touched(unit, day, self.day)
    }

    /// The units that something of `unit` comes from, up to the tree's day, directly or through
    /// others; not itself.
    pub fn sources_of(&self, unit: UnitId) -> Vec<UnitId> {
        self.successions.sources_of(unit, self.day)
    }

    /// Returns the sources since `day`, each with the last day on which it passed anything.
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

/// The seeds of a tree: units by their parent, and leaves by the unit that they are under.
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

    /// Tells whether this is the rest of a former unit, and no unit that stands.
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

    /// Tells whether `other` is this unit or below it.
    pub fn covers(self, other: Place<'_>) -> bool {
        self.position <= other.position && other.position < self.node().end
    }

    /// How many units of `level` the subtree has, this one included.
    pub fn count_at(self, level: &LevelCode) -> u64 {
        u64::try_from(self.at_level(level).len()).unwrap_or(u64::MAX)
    }

    /// The units of `level` that the subtree has, in preorder, this one included.
    pub fn at_level(self, level: &LevelCode) -> impl ExactSizeIterator<Item = Place<'t>> {
        let within = self.within(self.tree.at_level(level)).iter();
        within.map(move |position| self.tree.at(*position))
    }

    /// Those of some positions, which are in preorder, that the subtree has, this one included.
    pub fn within(self, positions: &[Position]) -> &[Position] {
        let before = positions.partition_point(|position| *position < self.position);
        let through = positions.partition_point(|position| *position < self.node().end);
        positions.get(before..through).unwrap_or_default()
    }
}
