//! Random reorganisations: a document as it is sent, and what it comes to by the rules. Never
//! whether the service takes it.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde_json::{Value, json};

use super::naive::{Day, LEVELS, Passing, Share, State, Tree, Unit};

/// A document while it is written, and the map as it is after the steps so far.
pub struct Writing<'w> {
    random: &'w mut StdRng,
    ids: &'w [String],
    /// Where the numbers of new codes and names begin.
    names: &'w mut usize,
    before: Tree,
    pub after: Tree,
    pub passings: Vec<Passing>,
    /// What is divided already and goes on.
    divided: BTreeSet<Unit>,
    steps: Vec<Value>,
    next: Unit,
}

impl<'w> Writing<'w> {
    pub fn on(
        before: Tree,
        ids: &'w [String],
        names: &'w mut usize,
        random: &'w mut StdRng,
    ) -> Writing<'w> {
        Writing {
            next: ids.len(),
            random,
            ids,
            names,
            after: before.clone(),
            before,
            passings: Vec::new(),
            divided: BTreeSet::new(),
            steps: Vec::new(),
        }
    }

    /// One step, and now and then several in one document.
    pub fn write(&mut self) {
        let count = *[1, 1, 1, 2, 3].choose(self.random).unwrap();
        while self.steps.len() < count {
            // Where there is nothing to do it on, another is tried.
            let _ = self.step();
        }
    }

    pub fn document(&self, effective: Day) -> Value {
        json!({"effective": effective, "legal_basis": "Nghị quyết", "steps": self.steps})
    }

    fn step(&mut self) -> Option<()> {
        match self.random.random_range(0..20) {
            0..=1 => self.create(),
            2 => self.rename(),
            3 => self.recode(),
            4 => self.retype(),
            5..=6 => self.move_one(),
            7..=11 => self.merge(),
            12..=17 => self.split(),
            _ => self.abolish(),
        }
    }

    // ---- What the steps are about -------------------------------------------------------------

    /// A unit that stood before and stands now; never the province, which all is part of.
    fn standing(&mut self) -> Option<Unit> {
        let all = self.before.0.keys().copied();
        let standing = all.filter(|unit| self.after.0.get(unit).is_some_and(|now| now.level > 0));
        standing.collect::<Vec<_>>().choose(self.random).copied()
    }

    /// Others of the same level that stand, in any order.
    fn others(&mut self, unit: Unit) -> Vec<Unit> {
        let level = self.after.0[&unit].level;
        let others = self.after.0.iter();
        let others = others.filter(|(other, state)| **other != unit && state.level == level);
        let mut others: Vec<Unit> = others.map(|(other, _)| *other).collect();
        others.shuffle(self.random);
        others
    }

    fn parent_for(&mut self, level: usize) -> Unit {
        let above = self.after.0.iter().filter(|(_, state)| state.level < level);
        let above: Vec<Unit> = above.map(|(unit, _)| *unit).collect();
        *above.choose(self.random).unwrap()
    }

    fn name(&mut self) -> String {
        *self.names += 1;
        format!("u{}", self.names)
    }

    fn reference(&mut self, unit: Unit) -> String {
        match self.ids.get(unit) {
            Some(id) if self.random.random_bool(0.5) => id.clone(),
            _ => format!("code:{}", self.after.0[&unit].code),
        }
    }

    /// A unit as a document describes it, with the code of one that lives on or a new one.
    fn described(&mut self, level: usize, code: Option<String>) -> (State, Value) {
        let name = self.name();
        let parent = self.parent_for(level);
        let state = State {
            code: code.unwrap_or_else(|| name.clone()),
            name,
            kind: self.random.random_bool(0.5).then(|| "xã".to_owned()),
            level,
            parent: Some(parent),
        };
        let document = json!({
            "code": state.code, "name": state.name, "kind": state.kind, "level": LEVELS[level],
            "parent": self.reference(parent),
        });
        (state, document)
    }

    fn begin(&mut self, state: State) -> Unit {
        let unit = self.next;
        self.next += 1;
        self.after.0.insert(unit, state);
        unit
    }

    /// What a unit took over in an earlier step passes on with it; what it only divides is what it
    /// had before.
    fn turn_of(&self, unit: Unit, goes_on: bool) -> usize {
        let named = self.passings.iter().filter(|passing| {
            passing.from == unit || passing.heirs.iter().any(|(heir, _)| *heir == unit)
        });
        match goes_on {
            true => 0,
            false => named.map(|passing| passing.turn + 1).max().unwrap_or(0),
        }
    }

    // ---- The steps ----------------------------------------------------------------------------

    fn create(&mut self) -> Option<()> {
        let level = self.random.random_range(1..LEVELS.len());
        let (state, document) = self.described(level, None);
        self.begin(state);
        self.steps.push(json!({"op": "create", "unit": document}));
        Some(())
    }

    fn rename(&mut self) -> Option<()> {
        let unit = self.standing()?;
        let (reference, name) = (self.reference(unit), self.name());
        self.steps
            .push(json!({"op": "rename", "unit": reference, "name": name}));
        self.after.0.get_mut(&unit)?.name = name;
        Some(())
    }

    fn recode(&mut self) -> Option<()> {
        let unit = self.standing()?;
        let (reference, code) = (self.reference(unit), self.name());
        self.steps
            .push(json!({"op": "recode", "unit": reference, "code": code}));
        self.after.0.get_mut(&unit)?.code = code;
        Some(())
    }

    fn retype(&mut self) -> Option<()> {
        let unit = self.standing()?;
        let (reference, kind) = (self.reference(unit), self.name());
        self.steps
            .push(json!({"op": "retype", "unit": reference, "kind": kind}));
        self.after.0.get_mut(&unit)?.kind = Some(kind);
        Some(())
    }

    fn move_one(&mut self) -> Option<()> {
        let unit = self.standing()?;
        let parent = self.parent_for(self.after.0[&unit].level);
        self.move_to(unit, parent)
    }

    fn move_to(&mut self, unit: Unit, parent: Unit) -> Option<()> {
        let (reference, above) = (self.reference(unit), self.reference(parent));
        self.steps
            .push(json!({"op": "move", "unit": reference, "parent": above}));
        self.after.0.get_mut(&unit)?.parent = Some(parent);
        Some(())
    }

    fn merge(&mut self) -> Option<()> {
        let first = self.standing()?;
        let mut others = self.others(first);
        let mut sources = vec![first];
        let mut former = others.clone();
        former.retain(|other| self.before.stands(*other));
        former.truncate(self.random.random_range(0..=2));
        sources.extend(&former);
        others.retain(|other| !sources.contains(other));
        let from: Vec<String> = sources
            .iter()
            .map(|source| self.reference(*source))
            .collect();
        let level = self.after.0[&first].level;
        let parent = self.after.0[&first].parent;
        let (heir, into) = match self.random.random_range(0..4) {
            0 => {
                let (state, document) = self.described(level, None);
                (self.begin(state), document)
            }
            1 => {
                let code = self.after.0[&first].code.clone();
                let (state, document) = self.described(level, Some(code));
                self.after.0.insert(first, state);
                (first, document)
            }
            // A hamlet becomes part of its commune's own.
            2 if level == 3 && parent.is_some_and(|parent| parent > 0) => {
                (parent?, json!(self.reference(parent?)))
            }
            _ => {
                let heir = others.first().or(sources.get(1)).copied()?;
                (heir, json!(self.reference(heir)))
            }
        };
        for source in sources.iter().filter(|source| **source != heir) {
            let turn = self.turn_of(*source, false);
            for child in self.after.children(*source) {
                self.after.0.get_mut(&child)?.parent = Some(heir);
            }
            self.after.0.remove(source);
            let heirs = vec![(heir, None)];
            self.passings.push(Passing {
                from: *source,
                heirs,
                turn,
            });
        }
        self.steps
            .push(json!({"op": "merge", "from": from, "into": into}));
        Some(())
    }

    fn split(&mut self) -> Option<()> {
        let source = self.standing()?;
        let from = self.reference(source);
        let State { level, code, .. } = self.after.0[&source].clone();
        let below = self.after.children(source);
        let below: Vec<(Unit, String)> = below
            .into_iter()
            .map(|child| (child, self.reference(child)))
            .collect();
        let mut others = self.others(source);
        let goes_on = !self.divided.contains(&source) && self.random.random_bool(0.5);
        let turn = self.turn_of(source, goes_on);
        let mut parts: Vec<(Unit, Value)> = Vec::new();
        if goes_on {
            self.divided.insert(source);
            let document = match self.random.random_bool(0.5) {
                true => json!(self.reference(source)),
                false => {
                    let (state, document) = self.described(level, Some(code));
                    self.after.0.insert(source, state);
                    document
                }
            };
            parts.push((source, document));
        }
        for _ in 0..self.random.random_range(1..=2) + usize::from(!goes_on) {
            match others.pop().filter(|_| self.random.random_bool(0.5)) {
                Some(other) => parts.push((other, json!(self.reference(other)))),
                None => {
                    let (state, document) = self.described(level, None);
                    parts.push((self.begin(state), document));
                }
            }
        }
        if self.random.random_bool(0.3) {
            parts.reverse();
        }
        let shares = self.shares(parts.len());
        let mut children = BTreeMap::new();
        for (child, reference) in below {
            let (part, _) = parts.choose(self.random)?.clone();
            children.insert(reference, self.reference(part));
            self.after.0.get_mut(&child)?.parent = Some(part);
        }
        if !goes_on {
            self.after.0.remove(&source);
        }
        let into = parts
            .iter()
            .zip(&shares)
            .map(|((_, unit), share)| match share {
                Some((of, all)) => json!({"unit": unit, "share": format!("{of}/{all}")}),
                None => json!({"unit": unit}),
            });
        let into: Vec<Value> = into.collect();
        let basis = shares[0].map(|_| "dân số");
        self.steps.push(json!({
            "op": "split", "from": from, "into": into, "basis": basis, "children": children,
        }));
        let heirs = parts.iter().map(|(part, _)| *part).zip(shares).collect();
        self.passings.push(Passing {
            from: source,
            heirs,
            turn,
        });
        Some(())
    }

    /// Known shares that add up to one, or none.
    fn shares(&mut self, count: usize) -> Vec<Option<Share>> {
        if self.random.random_bool(0.3) {
            return vec![None; count];
        }
        let weights: Vec<i128> = match self.random.random_bool(0.3) {
            true => vec![1; count],
            false => (0..count)
                .map(|_| self.random.random_range(1..10))
                .collect(),
        };
        let all = weights.iter().sum();
        weights
            .into_iter()
            .map(|weight| Some((weight, all)))
            .collect()
    }

    /// What is below it goes elsewhere first.
    fn abolish(&mut self) -> Option<()> {
        let unit = self.standing()?;
        let elsewhere = self.after.0[&unit].parent?;
        for child in self.after.children(unit) {
            self.move_to(child, elsewhere)?;
        }
        let reference = self.reference(unit);
        self.steps.push(json!({"op": "abolish", "unit": reference}));
        self.after.0.remove(&unit);
        Some(())
    }
}
