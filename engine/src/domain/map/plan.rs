//! Plans: what a reorganisation comes to on the map that it finds. Steps are taken in order on
//! the map of the effective day; what must hold of a map is asked of the one that they lead to.
//! Never figures, and never how a plan is written down.
//!
//! Everything in one document passes at once, from the units as they stood to the units as they
//! are to be: where A and B each give the other a piece, no piece is divided again. Only a unit
//! that ends in a later step passes on what it took over in an earlier one, and that comes after.
//! Every succession therefore has a number, 0 for what passes first, which is the `step` of its moment.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;

use super::hierarchy::Hierarchy;
use super::reorganisation::{DescribedUnit, DividedPart, MapStep, Reorganisation, Successor};
use super::succession::{Heirs, Moment, Share, Succession, Successions};
use super::tree::{Place, Tree};
use crate::domain::fault::{Faults, FieldPath};
use crate::domain::id::{LevelCode, UnitCode, UnitId};
use crate::domain::level::{Level, Rank};
use crate::domain::named::Named;
use crate::domain::naming::unit_with_code;
use crate::domain::unit::{UnitFact, UnitReference, Validity};
use crate::path;

/// A reason for which a plan must not be carried out. Units are called by name and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanFault {
    /// At this step no unit goes by the reference.
    NoUnit { unit: UnitReference },
    /// At this step two units have the code.
    TwoUnits { unit: UnitReference },
    /// A unit would become part of itself.
    IntoItself { unit: String },
    /// One step names a unit twice.
    NamedTwice { unit: String },
    /// An earlier step divided the unit, which lives on.
    DividedBefore { unit: String },
    /// A unit is assigned to a part of one that it does not lie below.
    NotBelow { child: String, source: String },
    /// A unit is assigned to one that is no part of the divided unit.
    NotAPart { unit: String },
    /// A unit below the divided one goes to no part.
    ChildUnassigned { child: String },
    /// The document ends a unit that it made.
    EndsUnborn,
    /// The unit has a later history, which begins on `day`.
    ChangesLater { unit: String, day: NaiveDate },
    /// The unit would end before its first day, which is `day`.
    StandsSince { unit: String, day: NaiveDate },
    /// A unit below is of the same level or a higher one.
    LevelTooLow { child: String, level: Named },
    /// The level does not hold from `day` on; `levels` do.
    NoSuchLevel {
        level: Named,
        day: NaiveDate,
        levels: Named,
    },
    /// The unit above has ended.
    ParentEnded { parent: String },
    /// The unit above, of the level `above`, is not above `level`.
    ParentNotAbove {
        parent: String,
        level: Named,
        above: Named,
    },
    /// A later reorganisation ends the unit above.
    ParentEndsLater { parent: String },
    /// Another unit has the code, or will have it.
    CodeTaken { code: UnitCode, holder: String },
    /// Units are left below one that ends; `names` has the first of them.
    UnitsBelow {
        unit: String,
        count: usize,
        names: String,
    },
    /// A later reorganisation puts `child` below the unit that ends.
    ChildMovedLater { child: String, parent: String },
    /// The level that ends does not hold up to `day`; `levels` do.
    LevelNotStanding {
        level: Named,
        day: NaiveDate,
        levels: Named,
    },
    /// Units are left at a level that ends; `names` has the first of them.
    UnitsAtLevel {
        level: Named,
        count: usize,
        names: String,
    },
}

/// The changes of the effective day.
pub struct Plan {
    pub effective: NaiveDate,
    /// The day before, the last of the former map.
    pub eve: NaiveDate,
    /// The facts that begin on the effective day.
    pub opened: Vec<UnitFact>,
    /// Facts, as they were, that end on the day before.
    pub closed: Vec<UnitFact>,
    /// Facts, as they were, that begin on the effective day too: an earlier reorganisation of the
    /// same day made them. Others take their place, or the unit ends with its fact before.
    pub replaced: Vec<UnitFact>,
    /// Levels, as they were, that end on the day before.
    pub ended_levels: Vec<Level>,
    pub successions: Vec<Succession>,
    created: HashSet<UnitId>,
    ended: HashSet<UnitId>,
    /// The facts of units that are new or changed.
    after: HashMap<UnitId, UnitFact>,
    before: Arc<Tree>,
    passings: Successions,
}

/// A plan, and all that speaks against it. With a fault it must not be carried out; what it would
/// change can be looked at.
pub struct Planning {
    pub plan: Plan,
    pub faults: Faults<PlanFault>,
}

/// Plans a reorganisation; `rev` is that of the commit that will carry it out.
pub fn plan(hierarchy: &Hierarchy, reorganisation: &Reorganisation, rev: i64) -> Planning {
    let mut drawing = Drawing::new(hierarchy, reorganisation.effective, rev);
    for (index, step) in reorganisation.steps.iter().enumerate() {
        drawing.take(step, &path!["steps", index]);
    }
    drawing.finish()
}

impl Plan {
    pub fn is_new(&self, unit: UnitId) -> bool {
        self.created.contains(&unit)
    }

    /// The units that came to be.
    pub fn created(&self) -> impl Iterator<Item = &UnitFact> {
        let opened = self.opened.iter();
        opened.filter(|fact| self.is_new(fact.unit))
    }

    /// The units that stand before and after, and are something else.
    pub fn changed(&self) -> impl Iterator<Item = &UnitFact> {
        let opened = self.opened.iter();
        opened.filter(|fact| !self.is_new(fact.unit))
    }

    /// The units that stand no more, as they were.
    pub fn ended(&self) -> impl Iterator<Item = &UnitFact> {
        let former = self.closed.iter().chain(&self.replaced);
        former.filter(|fact| self.ended.contains(&fact.unit))
    }

    /// Tells whether anything of a unit passes to others.
    pub fn divides(&self, unit: UnitId) -> bool {
        self.passings.of(unit, self.effective).next().is_some()
    }

    /// The hierarchy as it will be.
    #[must_use]
    pub fn applied_to(&self, hierarchy: &Hierarchy) -> Hierarchy {
        let key = |fact: &UnitFact| (fact.unit, fact.validity.from);
        let closed: HashSet<_> = self.closed.iter().map(key).collect();
        let replaced: HashSet<_> = self.replaced.iter().map(key).collect();
        let kept = hierarchy.facts().iter();
        let kept = kept.filter(|fact| !replaced.contains(&key(fact)));
        let facts = kept.cloned().map(|mut fact| {
            if closed.contains(&key(&fact)) {
                fact.validity.to = Some(self.eve);
            }
            fact
        });
        let levels = hierarchy.levels().iter().cloned().map(|mut level| {
            if self
                .ended_levels
                .iter()
                .any(|ended| ended.code == level.code)
            {
                level.validity.to = Some(self.eve);
            }
            level
        });
        let successions = hierarchy.successions().with(&self.successions);
        let facts = facts.chain(self.opened.iter().cloned());
        Hierarchy::new(levels.collect(), facts.collect(), successions)
    }

    /// A unit as it is from the effective day on, if it stands.
    pub fn after(&self, unit: UnitId) -> Option<&UnitFact> {
        let unchanged = || {
            let place = self.before.by_id(unit)?;
            (!self.ended.contains(&unit)).then(|| place.fact())
        };
        self.after.get(&unit).or_else(unchanged)
    }

    /// A unit as it is on the map that the plan changes, if it stands there.
    pub fn before(&self, unit: UnitId) -> Option<&UnitFact> {
        self.before.by_id(unit).map(Place::fact)
    }

    /// The units that have something of a unit after the reorganisation, each once.
    pub fn heirs_of(&self, unit: UnitId) -> Vec<UnitId> {
        let mut heirs: Vec<UnitId> = Vec::new();
        let mut waiting = vec![(unit, Moment::end_of(self.eve))];
        while let Some((unit, since)) = waiting.pop() {
            match self.passings.next(unit, since, self.effective) {
                Some(passing) => {
                    let further = passing.heirs.units().into_iter().rev();
                    waiting.extend(further.map(|heir| (heir, passing.moment)));
                }
                None if !heirs.contains(&unit) => heirs.push(unit),
                None => {}
            }
        }
        heirs.retain(|heir| *heir != unit);
        heirs
    }

    /// The one unit that took over all of a unit that ended, if one did.
    pub fn whole_heir_of(&self, unit: UnitId) -> Option<UnitId> {
        let mut current = (unit, Moment::end_of(self.eve));
        while let Some(passing) = self.passings.next(current.0, current.1, self.effective) {
            let Heirs::One(heir) = passing.heirs else {
                return None;
            };
            current = (heir, passing.moment);
        }
        (current.0 != unit).then_some(current.0)
    }

    /// The units that something of `unit` comes from; not itself.
    pub fn predecessors_of(&self, unit: UnitId) -> Vec<UnitId> {
        self.passings.sources_of(unit, self.effective)
    }
}

/// A unit at some point of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnitState {
    code: UnitCode,
    name: String,
    kind: Option<String>,
    level: LevelCode,
    parent: Option<UnitId>,
}

impl UnitState {
    fn name_with_code(&self) -> String {
        unit_with_code(self.kind.as_deref(), &self.name, &self.code)
    }

    fn of(fact: &UnitFact) -> UnitState {
        UnitState {
            code: fact.code.clone(),
            name: fact.name.clone(),
            kind: fact.kind.clone(),
            level: fact.level.clone(),
            parent: fact.parent,
        }
    }
}

/// A unit that a step has changed.
struct Touched {
    /// None once it has ended.
    now: Option<UnitState>,
    /// The place in the document that changed it last.
    at: FieldPath,
}

/// When in the document a unit took over and passed on.
#[derive(Default, Clone, Copy)]
struct Turns {
    took_over: Option<u32>,
    passed_on: Option<u32>,
}

/// The map while the steps are taken: the tree of the effective day, and what has changed on it.
struct Drawing<'h> {
    hierarchy: &'h Hierarchy,
    tree: Arc<Tree>,
    effective: NaiveDate,
    eve: NaiveDate,
    rev: i64,
    touched: HashMap<UnitId, Touched>,
    /// The touched units, the first touched first.
    order: Vec<UnitId>,
    /// The holders of each code that a unit got or lost.
    holders: HashMap<UnitCode, Vec<UnitId>>,
    /// The units that became part of another at some point.
    moved_in: HashMap<UnitId, Vec<UnitId>>,
    turns: HashMap<UnitId, Turns>,
    ended_levels: Vec<(LevelCode, FieldPath)>,
    successions: Vec<Succession>,
    faults: Faults<PlanFault>,
}

impl<'h> Drawing<'h> {
    fn new(hierarchy: &'h Hierarchy, effective: NaiveDate, rev: i64) -> Drawing<'h> {
        Drawing {
            hierarchy,
            tree: hierarchy.tree_on(effective),
            effective,
            eve: effective.pred_opt().unwrap_or(effective),
            rev,
            touched: HashMap::new(),
            order: Vec::new(),
            holders: HashMap::new(),
            moved_in: HashMap::new(),
            turns: HashMap::new(),
            ended_levels: Vec::new(),
            successions: Vec::new(),
            faults: Faults::default(),
        }
    }

    fn fault(&mut self, path: impl Borrow<FieldPath>, fault: PlanFault) {
        self.faults.push(path.borrow().clone(), fault);
    }

    // ---- The map at this point ----------------------------------------------------------------

    fn state(&self, unit: UnitId) -> Option<UnitState> {
        match self.touched.get(&unit) {
            Some(touched) => touched.now.clone(),
            None => self
                .tree
                .by_id(unit)
                .map(|place| UnitState::of(place.fact())),
        }
    }

    fn stands(&self, unit: UnitId) -> bool {
        match self.touched.get(&unit) {
            Some(touched) => touched.now.is_some(),
            None => self.tree.by_id(unit).is_some(),
        }
    }

    fn parent(&self, unit: UnitId) -> Option<UnitId> {
        match self.touched.get(&unit) {
            Some(touched) => touched.now.as_ref()?.parent,
            None => self.tree.by_id(unit)?.fact().parent,
        }
    }

    fn level(&self, unit: UnitId) -> Option<&LevelCode> {
        match self.touched.get(&unit) {
            Some(touched) => touched.now.as_ref().map(|state| &state.level),
            None => self.tree.by_id(unit).map(|place| &place.fact().level),
        }
    }

    /// A unit's name with its code: as the steps leave it, or as it was.
    fn name(&self, unit: UnitId) -> String {
        let standing = self.state(unit).map(|state| state.name_with_code());
        let former = || Some(self.tree.by_id(unit)?.fact().name_with_code());
        standing.or_else(former).unwrap_or_default()
    }

    fn children(&self, unit: UnitId) -> Vec<UnitId> {
        let known = self.tree.by_id(unit);
        let known = known.into_iter().flat_map(Place::children).map(Place::unit);
        let moved_in = self.moved_in.get(&unit).into_iter().flatten().copied();
        let mut seen = HashSet::new();
        known
            .chain(moved_in)
            .filter(|child| self.parent(*child) == Some(unit) && seen.insert(*child))
            .collect()
    }

    fn holders(&self, code: &UnitCode) -> Vec<UnitId> {
        match self.holders.get(code) {
            Some(holders) => holders.clone(),
            None => self
                .tree
                .by_code(code)
                .map(Place::unit)
                .into_iter()
                .collect(),
        }
    }

    fn set(&mut self, unit: UnitId, state: UnitState, at: &FieldPath) {
        let former = self.state(unit);
        if former.as_ref() == Some(&state) {
            return;
        }
        let former_code = former.as_ref().map(|former| &former.code);
        if former_code != Some(&state.code) {
            self.free_code(unit, former_code.cloned());
            let mut holders = self.holders(&state.code);
            holders.push(unit);
            self.holders.insert(state.code.clone(), holders);
        }
        if let Some(parent) = state.parent
            && former.is_none_or(|former| former.parent != Some(parent))
        {
            self.moved_in.entry(parent).or_default().push(unit);
        }
        self.touch(unit, Some(state), at);
    }

    fn end(&mut self, unit: UnitId, at: &FieldPath) {
        let code = self.state(unit).map(|state| state.code);
        self.free_code(unit, code);
        self.touch(unit, None, at);
    }

    fn free_code(&mut self, unit: UnitId, code: Option<UnitCode>) {
        if let Some(code) = code {
            let mut holders = self.holders(&code);
            holders.retain(|holder| *holder != unit);
            self.holders.insert(code, holders);
        }
    }

    fn touch(&mut self, unit: UnitId, now: Option<UnitState>, at: &FieldPath) {
        let at = at.clone();
        if self.touched.insert(unit, Touched { now, at }).is_none() {
            self.order.push(unit);
        }
    }

    // ---- The steps ----------------------------------------------------------------------------

    fn take(&mut self, step: &MapStep, at: &FieldPath) {
        match step {
            MapStep::Create { unit } => {
                self.create(unit, &at.below("unit"));
            }
            MapStep::Rename { unit, name } => self.change(unit, at, |state| {
                state.name.clone_from(name);
            }),
            MapStep::Recode { unit, code } => self.change(unit, at, |state| {
                state.code.clone_from(code);
            }),
            MapStep::Retype { unit, kind } => self.change(unit, at, |state| {
                state.kind.clone_from(kind);
            }),
            MapStep::Move { unit, parent } => {
                let parent = match parent {
                    None => Some(None),
                    Some(parent) => self.find(parent, &at.below("parent")).map(Some),
                };
                let unchanged = parent.is_none();
                self.change(unit, at, |state| {
                    if !unchanged {
                        state.parent = parent.flatten();
                    }
                });
            }
            MapStep::Merge { from, into } => self.merge(from, into, at),
            MapStep::Split {
                from,
                into,
                children,
            } => self.split(from, into, children, at),
            MapStep::Abolish { unit } => {
                let pointer = at.below("unit");
                if let Some(unit) = self.find(unit, &pointer) {
                    self.end(unit, &pointer);
                }
            }
            MapStep::AbolishLevel { level } => {
                self.ended_levels.push((level.clone(), at.below("level")));
            }
        }
    }

    fn find(&mut self, reference: &UnitReference, at: &FieldPath) -> Option<UnitId> {
        let found = match reference {
            UnitReference::Id(unit) => vec![*unit],
            UnitReference::Code(code) => self.holders(code),
        };
        match found.as_slice() {
            [unit] if self.stands(*unit) => Some(*unit),
            [] | [_] => {
                self.fault(
                    at,
                    PlanFault::NoUnit {
                        unit: reference.clone(),
                    },
                );
                None
            }
            _ => {
                self.fault(
                    at,
                    PlanFault::TwoUnits {
                        unit: reference.clone(),
                    },
                );
                None
            }
        }
    }

    fn change(
        &mut self,
        unit: &UnitReference,
        at: &FieldPath,
        change: impl FnOnce(&mut UnitState),
    ) {
        let pointer = at.below("unit");
        let Some(unit) = self.find(unit, &pointer) else {
            return;
        };
        if let Some(mut state) = self.state(unit) {
            change(&mut state);
            self.set(unit, state, &pointer);
        }
    }

    fn create(&mut self, described: &DescribedUnit, at: &FieldPath) -> UnitId {
        let unit = UnitId::new();
        let state = self.described(described, at);
        self.set(unit, state, at);
        unit
    }

    fn described(&mut self, unit: &DescribedUnit, at: &FieldPath) -> UnitState {
        let parent = unit.parent.as_ref();
        UnitState {
            code: unit.code.clone(),
            name: unit.name.clone(),
            kind: unit.kind.clone(),
            level: unit.level.clone(),
            parent: parent.and_then(|parent| self.find(parent, &at.below("parent"))),
        }
    }

    /// The unit that takes over: one that stands, one of those that pass to it, or a new one.
    fn successor(
        &mut self,
        successor: &Successor,
        sources: &[UnitId],
        at: &FieldPath,
    ) -> Option<UnitId> {
        let described = match successor {
            Successor::Standing(reference) => return self.find(reference, at),
            Successor::Described(described) => described,
        };
        let living_on = sources.iter().copied().find(|source| {
            let state = self.state(*source);
            state.is_some_and(|state| state.code == described.code)
        });
        match living_on {
            Some(unit) => {
                let state = self.described(described, at);
                self.set(unit, state, at);
                Some(unit)
            }
            None => Some(self.create(described, at)),
        }
    }

    fn merge(&mut self, from: &[UnitReference], into: &Successor, at: &FieldPath) {
        let mut sources: Vec<UnitId> = Vec::new();
        let mut pointers: Vec<FieldPath> = Vec::new();
        for (index, source) in from.iter().enumerate() {
            let pointer = at.below("from").below(index);
            match self.find(source, &pointer) {
                Some(unit) if sources.contains(&unit) => self.named_twice(unit, &pointer),
                Some(unit) => {
                    sources.push(unit);
                    pointers.push(pointer);
                }
                None => {}
            }
        }
        let Some(heir) = self.successor(into, &sources, &at.below("into")) else {
            return;
        };
        if let (Successor::Standing(_), [only]) = (into, sources.as_slice())
            && *only == heir
        {
            let name = self.name(heir);
            self.fault(at.below("into"), PlanFault::IntoItself { unit: name });
        }
        let ending = sources.into_iter().zip(pointers);
        for (source, pointer) in ending.filter(|(source, _)| *source != heir) {
            self.end_into(source, heir, &pointer);
        }
    }

    fn end_into(&mut self, source: UnitId, heir: UnitId, at: &FieldPath) {
        for child in self.children(source) {
            if child != heir {
                self.place_below(child, heir, at);
            }
        }
        self.end(source, at);
        let turn = self.turn_of(source, Goes::ToItsEnd);
        self.pass(source, &[(heir, Some(Share::WHOLE))], turn);
    }

    fn place_below(&mut self, child: UnitId, parent: UnitId, at: &FieldPath) {
        if let Some(mut state) = self.state(child) {
            state.parent = Some(parent);
            self.set(child, state, at);
        }
    }

    fn named_twice(&mut self, unit: UnitId, at: &FieldPath) {
        let name = self.name(unit);
        self.fault(at, PlanFault::NamedTwice { unit: name });
    }

    fn split(
        &mut self,
        from: &UnitReference,
        into: &[DividedPart],
        children: &[(UnitReference, UnitReference)],
        at: &FieldPath,
    ) {
        let pointer = at.below("from");
        let Some(source) = self.find(from, &pointer) else {
            return;
        };
        let below = self.children(source);
        let mut parts: Vec<(UnitId, Option<Share>)> = Vec::new();
        for (index, part) in into.iter().enumerate() {
            let pointer = at.below("into").below(index).below("unit");
            match self.successor(&part.unit, &[source], &pointer) {
                Some(unit) if parts.iter().any(|(known, _)| *known == unit) => {
                    self.named_twice(unit, &pointer);
                }
                Some(unit) => parts.push((unit, part.share)),
                None => {}
            }
        }
        self.assign(source, &below, children, &parts, at);
        let lives_on = parts.iter().any(|(part, _)| *part == source);
        let goes = if lives_on { Goes::On } else { Goes::ToItsEnd };
        if lives_on
            && self
                .turns
                .get(&source)
                .is_some_and(|turns| turns.passed_on.is_some())
        {
            let name = self.name(source);
            self.fault(pointer.clone(), PlanFault::DividedBefore { unit: name });
        }
        if !lives_on {
            self.end(source, &pointer);
        }
        let turn = self.turn_of(source, goes);
        self.pass(source, &parts, turn);
    }

    /// Each unit below a divided one goes to one of the parts.
    fn assign(
        &mut self,
        source: UnitId,
        below: &[UnitId],
        children: &[(UnitReference, UnitReference)],
        parts: &[(UnitId, Option<Share>)],
        at: &FieldPath,
    ) {
        let mut named = HashSet::new();
        for (child, part) in children {
            let pointer = at.below("children").below(child.to_string());
            let (child, part) = (self.find(child, &pointer), self.find(part, &pointer));
            let Some(child) = child else { continue };
            if !below.contains(&child) {
                let (child, source) = (self.name(child), self.name(source));
                self.fault(pointer, PlanFault::NotBelow { child, source });
                continue;
            }
            if !named.insert(child) {
                self.named_twice(child, &pointer);
            }
            let Some(part) = part else { continue };
            if parts.iter().any(|(known, _)| *known == part) {
                self.place_below(child, part, &pointer);
            } else {
                let part = self.name(part);
                self.fault(pointer, PlanFault::NotAPart { unit: part });
            }
        }
        for child in below.iter().filter(|child| !named.contains(child)) {
            let name = self.name(*child);
            self.fault(
                at.below("children"),
                PlanFault::ChildUnassigned { child: name },
            );
        }
    }

    /// When something passes from a unit, among all that passes in the document.
    fn turn_of(&self, source: UnitId, goes: Goes) -> u32 {
        let turns = self.turns.get(&source).copied().unwrap_or_default();
        // A unit that stood before and lives on is divided as it stood: what it takes over stays.
        if goes == Goes::On && self.tree.by_id(source).is_some() {
            return 0;
        }
        let latest = turns.took_over.max(turns.passed_on);
        latest.map_or(0, |latest| latest + 1)
    }

    fn pass(&mut self, source: UnitId, parts: &[(UnitId, Option<Share>)], turn: u32) {
        let moment = Moment {
            effective: self.effective,
            rev: self.rev,
            step: turn,
        };
        for (heir, share) in parts {
            self.successions.push(Succession {
                moment,
                from: source,
                to: *heir,
                share: *share,
            });
            if *heir != source {
                let turns = self.turns.entry(*heir).or_default();
                turns.took_over = turns.took_over.max(Some(turn));
            }
        }
        let turns = self.turns.entry(source).or_default();
        turns.passed_on = turns.passed_on.max(Some(turn));
    }

    // ---- The map that they lead to ------------------------------------------------------------

    fn finish(mut self) -> Planning {
        let mut opened = Vec::new();
        let mut closed = Vec::new();
        let mut replaced = Vec::new();
        let mut created = HashSet::new();
        let mut ended = HashSet::new();
        let tree = self.tree.clone();
        for unit in std::mem::take(&mut self.order) {
            let Some(touched) = self.touched.get(&unit) else {
                continue;
            };
            let (now, at) = (touched.now.clone(), touched.at.clone());
            let former = tree.by_id(unit).map(Place::fact);
            match (former, now) {
                (None, None) => self.ends_unborn(&at),
                (Some(former), Some(now)) if UnitState::of(former) == now => {}
                (former, now) => {
                    if let Some(former) = former {
                        self.check_former(former, now.as_ref(), &at);
                        let begins_today = former.validity.from == self.effective;
                        let former_facts = if begins_today {
                            &mut replaced
                        } else {
                            &mut closed
                        };
                        former_facts.push(former.clone());
                    } else {
                        created.insert(unit);
                    }
                    match now {
                        Some(now) => {
                            self.check_standing(unit, &now, former, &at);
                            opened.push(self.fact(unit, now));
                        }
                        None => {
                            self.check_ended(unit, &at);
                            ended.insert(unit);
                        }
                    }
                }
            }
        }
        self.check_later_children(&ended);
        self.check_later_successions();
        let ended_levels = self.end_levels();
        Planning {
            plan: Plan {
                effective: self.effective,
                eve: self.eve,
                after: opened
                    .iter()
                    .map(|fact: &UnitFact| (fact.unit, fact.clone()))
                    .collect(),
                opened,
                closed,
                replaced,
                ended_levels,
                passings: Successions::new(self.successions.iter().cloned()),
                successions: self.successions,
                created,
                ended,
                before: tree,
            },
            faults: self.faults,
        }
    }

    /// Tells whether a unit has changed.
    fn is_changed(&self, unit: UnitId) -> bool {
        let former = self
            .tree
            .by_id(unit)
            .map(|place| UnitState::of(place.fact()));
        self.touched
            .get(&unit)
            .is_some_and(|touched| touched.now != former)
    }

    fn fact(&self, unit: UnitId, state: UnitState) -> UnitFact {
        UnitFact {
            unit,
            validity: Validity::since(self.effective),
            code: state.code,
            name: state.name,
            kind: state.kind,
            level: state.level,
            parent: state.parent,
        }
    }

    /// Figures pass from days on which a unit stood to others: one of no day has none.
    fn ends_unborn(&mut self, at: &FieldPath) {
        self.fault(at, PlanFault::EndsUnborn);
    }

    /// Refuses a succession dated before an existing one of the same unit. Facts do not tell of it if
    /// the unit lives on unchanged.
    fn check_later_successions(&mut self) {
        let passing = self.successions.iter();
        let units: BTreeSet<UnitId> = passing.flat_map(|one| [one.from, one.to]).collect();
        for unit in units {
            let unchanged = self.hierarchy.tree_on(self.effective);
            let unchanged = unchanged.by_id(unit).map(|place| place.fact().clone());
            let Some(fact) = unchanged else { continue };
            let stands_on = self
                .state(unit)
                .is_some_and(|now| UnitState::of(&fact) == now);
            if stands_on {
                self.check_former(&fact, Some(&UnitState::of(&fact)), &path!["steps"]);
            }
        }
    }

    /// Refuses a change of a unit that has a later history.
    fn check_former(&mut self, former: &UnitFact, now: Option<&UnitState>, at: &FieldPath) {
        let name = former.name_with_code();
        let facts = self.hierarchy.facts_of(former.unit);
        let later = facts
            .iter()
            .find(|fact| fact.validity.from > self.effective);
        let passes = self.hierarchy.successions();
        let later = later
            .map(|fact| fact.validity.from)
            .or(former.validity.to)
            .or_else(|| passes.first_after(former.unit, self.effective));
        if let Some(day) = later {
            self.fault(
                at,
                PlanFault::ChangesLater {
                    unit: name.clone(),
                    day,
                },
            );
        }
        let has_past = facts.iter().any(|fact| fact.validity.from < self.effective);
        if now.is_none() && !has_past {
            let day = self.effective;
            self.fault(at, PlanFault::StandsSince { unit: name, day });
        }
    }

    fn check_standing(
        &mut self,
        unit: UnitId,
        now: &UnitState,
        former: Option<&UnitFact>,
        at: &FieldPath,
    ) {
        self.check_level(now, former, at);
        self.check_parent(now, at);
        self.check_code(unit, now, at);
        if former.is_some_and(|former| former.level != now.level) {
            let rank = self.rank(&now.level);
            let above = self.children(unit).into_iter().find(|child| {
                let below = self.level(*child).and_then(|level| self.rank(level));
                below.zip(rank).is_some_and(|(below, rank)| below <= rank)
            });
            if let Some(child) = above {
                let child = self.name(child);
                let level = Named::level(&now.level, self.hierarchy);
                self.fault(at, PlanFault::LevelTooLow { child, level });
            }
        }
    }

    /// The levels that hold on a day, with the codes by which a document names them.
    fn levels_on(&self, day: NaiveDate) -> Named {
        Named::levels_on(self.hierarchy, day)
    }

    fn rank(&self, level: &LevelCode) -> Option<Rank> {
        self.hierarchy.level(level).map(|level| level.rank)
    }

    fn check_level(&mut self, now: &UnitState, former: Option<&UnitFact>, at: &FieldPath) {
        let is_same = former.is_some_and(|former| former.level == now.level);
        let since = Validity::since(self.effective);
        let known = self.hierarchy.level(&now.level);
        if !is_same && !known.is_some_and(|level| level.validity.covers(since)) {
            let level = Named::level(&now.level, self.hierarchy);
            let day = self.effective;
            let levels = self.levels_on(self.effective);
            self.fault(at, PlanFault::NoSuchLevel { level, day, levels });
        }
    }

    fn check_parent(&mut self, now: &UnitState, at: &FieldPath) {
        let Some(parent) = now.parent else { return };
        let name = self.name(parent);
        let Some(above) = self.level(parent).cloned() else {
            self.fault(at, PlanFault::ParentEnded { parent: name });
            return;
        };
        let ranks = (self.rank(&above), self.rank(&now.level));
        if let (Some(rank_above), Some(rank)) = ranks
            && rank_above >= rank
        {
            let level = Named::level(&now.level, self.hierarchy);
            let above = Named::level(&above, self.hierarchy);
            self.fault(
                at,
                PlanFault::ParentNotAbove {
                    parent: name.clone(),
                    level,
                    above,
                },
            );
        }
        let since = Validity::since(self.effective);
        if !self.is_changed(parent) && !self.hierarchy.stands_throughout(parent, since) {
            self.fault(at, PlanFault::ParentEndsLater { parent: name });
        }
    }

    fn check_code(&mut self, unit: UnitId, now: &UnitState, at: &FieldPath) {
        let code = &now.code;
        let other = self
            .holders(code)
            .into_iter()
            .find(|holder| *holder != unit);
        let later = self
            .hierarchy
            .facts_with(code)
            .find(|fact| fact.unit != unit && fact.validity.from > self.effective);
        let taken = other.map(|other| self.name(other));
        let taken = taken.or_else(|| later.map(UnitFact::name_with_code));
        if let Some(name) = taken {
            self.fault(
                at,
                PlanFault::CodeTaken {
                    code: code.clone(),
                    holder: name,
                },
            );
        }
    }

    /// Nothing may be left below a unit that ends. What a step moved there is at fault itself.
    fn check_ended(&mut self, unit: UnitId, at: &FieldPath) {
        let left = self.children(unit);
        let left: Vec<UnitId> = left
            .into_iter()
            .filter(|child| !self.is_changed(*child))
            .collect();
        if left.is_empty() {
            return;
        }
        let name = self.name(unit);
        let (count, names) = (left.len(), self.first_names(&left));
        self.fault(
            at,
            PlanFault::UnitsBelow {
                unit: name,
                count,
                names,
            },
        );
    }

    fn first_names(&self, units: &[UnitId]) -> String {
        const NAMED: usize = 3;
        let names = units.iter().take(NAMED).map(|unit| self.name(*unit));
        let names: Vec<String> = names.collect();
        let more = if units.len() > NAMED { ", …" } else { "" };
        format!("{}{more}", names.join(", "))
    }

    /// A unit that a later reorganisation put below one that ends now would lie below nothing.
    fn check_later_children(&mut self, ended: &HashSet<UnitId>) {
        let later = self.hierarchy.facts().iter();
        let later = later.filter(|fact| fact.validity.from > self.effective);
        let mut told = HashSet::new();
        let below: Vec<(UnitId, String)> = later
            .filter_map(|fact| Some((fact.parent?, fact.name_with_code())))
            .filter(|(parent, _)| ended.contains(parent) && told.insert(*parent))
            .collect();
        for (parent, child) in below {
            let at = self.touched.get(&parent).map(|touched| touched.at.clone());
            let name = self.name(parent);
            self.fault(
                at.unwrap_or_default(),
                PlanFault::ChildMovedLater {
                    child,
                    parent: name,
                },
            );
        }
    }

    /// The levels, as they were, that end; no unit may be left at them.
    fn end_levels(&mut self) -> Vec<Level> {
        let mut ended: Vec<Level> = Vec::new();
        for (code, at) in std::mem::take(&mut self.ended_levels) {
            let known = self.hierarchy.level(&code).cloned();
            let known = known.filter(|level| level.validity.contains(self.effective));
            let Some(level) = known.filter(|level| level.validity.from < self.effective) else {
                let level = Named::level(&code, self.hierarchy);
                let (day, levels) = (self.eve, self.levels_on(self.eve));
                self.fault(at, PlanFault::LevelNotStanding { level, day, levels });
                continue;
            };
            self.check_level_is_empty(&code, &at);
            if !ended.iter().any(|known| known.code == level.code) {
                ended.push(level);
            }
        }
        ended
    }

    fn check_level_is_empty(&mut self, code: &LevelCode, at: &FieldPath) {
        let tree = self.tree.clone();
        let untouched = tree.places().map(Place::unit);
        let untouched = untouched.filter(|unit| !self.touched.contains_key(unit));
        let touched = self.touched.keys().copied();
        let mut left: Vec<UnitId> = untouched
            .chain(touched)
            .filter(|unit| self.level(*unit) == Some(code))
            .collect();
        left.sort_unstable();
        let later = self.hierarchy.facts().iter();
        let later = later
            .filter(|fact| &fact.level == code && fact.validity.from > self.effective)
            .count();
        let count = left.len() + later;
        if count > 0 {
            let names = self.first_names(&left);
            let level = Named::level(code, self.hierarchy);
            self.fault(
                at,
                PlanFault::UnitsAtLevel {
                    level,
                    count,
                    names,
                },
            );
        }
    }
}

/// The fate of a unit that passes something on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    ToItsEnd,
}
