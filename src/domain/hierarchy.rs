//! The hierarchy: all dated facts of a tenant's units, and the tree that they make on a day.
//! Never figures: what flows up the tree is `rollup`'s.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;

use super::id::{LevelCode, UnitCode, UnitId};
use super::level::Level;
use super::unit::{UnitFact, UnitReference};

/// Everything that is known of a tenant's levels and units, at all times.
pub struct Hierarchy {
    levels: Vec<Level>,
    facts: Arc<[UnitFact]>,
    /// Indices into the facts.
    by_code: HashMap<UnitCode, Vec<usize>>,
    /// The tree is the same on every day from one of these to the day before the next.
    spans: BTreeMap<NaiveDate, OnceLock<Arc<Tree>>>,
}

impl Hierarchy {
    pub fn new(mut levels: Vec<Level>, facts: Vec<UnitFact>) -> Hierarchy {
        levels.sort_by_key(|level| level.rank);
        let starts = facts.iter().map(|fact| fact.validity.from);
        let ends = facts.iter().filter_map(|fact| fact.validity.to?.succ_opt());
        let spans = std::iter::once(NaiveDate::MIN)
            .chain(starts)
            .chain(ends)
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
            spans,
        }
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

    /// Everything that ever had this code.
    pub fn facts_with(&self, code: &UnitCode) -> impl Iterator<Item = &UnitFact> {
        let indices = self.by_code.get(code).into_iter().flatten();
        indices.filter_map(|index| self.facts.get(*index))
    }

    /// The tree of `day`. Made at the first question about its range of days, and kept.
    pub fn tree_on(&self, day: NaiveDate) -> Arc<Tree> {
        match self.spans.range(..=day).next_back() {
            Some((_, span)) => span
                .get_or_init(|| Arc::new(Tree::on(&self.facts, day)))
                .clone(),
            None => Arc::new(Tree::on(&self.facts, day)),
        }
    }
}

/// A place in a [`Tree`], in preorder: a unit comes before everything below it, and what is
/// below it follows without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(usize);

/// The units of one day and how they hang together.
pub struct Tree {
    facts: Arc<[UnitFact]>,
    nodes: Vec<Node>,
    by_id: HashMap<UnitId, Position>,
    by_code: HashMap<UnitCode, Position>,
    /// For each level, the positions of its units in order: how many lie below a unit is the
    /// distance of two binary searches.
    by_level: HashMap<LevelCode, Vec<Position>>,
}

struct Node {
    /// Index into the facts.
    fact: usize,
    parent: Option<Position>,
    children: Vec<Position>,
    depth: usize,
    /// The first position that is not below this unit.
    end: Position,
}

impl Tree {
    fn on(facts: &Arc<[UnitFact]>, day: NaiveDate) -> Tree {
        let mut children: HashMap<Option<UnitId>, Vec<(usize, &UnitFact)>> = HashMap::new();
        for (index, fact) in facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| fact.validity.contains(day))
        {
            children.entry(fact.parent).or_default().push((index, fact));
        }
        for siblings in children.values_mut() {
            siblings.sort_by(|(_, a), (_, b)| (&a.code, a.unit).cmp(&(&b.code, b.unit)));
        }
        let mut tree = Tree {
            facts: facts.clone(),
            nodes: Vec::new(),
            by_id: HashMap::new(),
            by_code: HashMap::new(),
            by_level: HashMap::new(),
        };
        for (index, fact) in children.get(&None).into_iter().flatten() {
            tree.plant(*index, fact, None, 0, &children);
        }
        tree
    }

    /// Adds a unit and all below it. As deep as the levels are, and those are few.
    fn plant(
        &mut self,
        index: usize,
        fact: &UnitFact,
        parent: Option<Position>,
        depth: usize,
        children: &HashMap<Option<UnitId>, Vec<(usize, &UnitFact)>>,
    ) -> Position {
        let position = Position(self.nodes.len());
        self.nodes.push(Node {
            fact: index,
            parent,
            children: Vec::new(),
            depth,
            end: position,
        });
        self.by_id.insert(fact.unit, position);
        self.by_code.insert(fact.code.clone(), position);
        self.by_level
            .entry(fact.level.clone())
            .or_default()
            .push(position);
        let below = children.get(&Some(fact.unit)).into_iter().flatten();
        let planted: Vec<Position> = below
            .map(|(index, fact)| self.plant(*index, fact, Some(position), depth + 1, children))
            .collect();
        let end = Position(self.nodes.len());
        let node = self.node_mut(position);
        node.children = planted;
        node.end = end;
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
        (0..self.nodes.len()).map(|index| self.at(Position(index)))
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
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

    pub fn has_children(self) -> bool {
        !self.node().children.is_empty()
    }

    /// The unit itself and everything below it, in preorder.
    pub fn subtree(self) -> impl DoubleEndedIterator<Item = Place<'t>> {
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
