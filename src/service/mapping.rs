//! A reorganisation as tables: which old code became which new one, and the list of units after.
//! It makes the document that a person would have to write by hand, and nothing else: whether the
//! document is right is `reorganisation`'s to say.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::hierarchy::Tree;
use crate::domain::id::LevelCode;

/// The tables and what they do not say.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// CSV with `old_code` and `new_code`; other columns are not read. An old code that was divided
    /// stands on several lines; one without a new code was abolished.
    pub mapping: String,
    /// CSV with `code,name,level,parent_code[,kind]`: all units after, those above before those
    /// below.
    pub after: String,
    pub effective: NaiveDate,
    pub legal_basis: String,
}

/// Why tables are no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("{table}, line {line}: its columns are {columns}")]
    Columns {
        table: &'static str,
        line: u64,
        columns: &'static str,
    },
    #[error("the new code {0} is not in the list of units after")]
    NotInList(String),
}

#[derive(Debug, Deserialize)]
struct MappingRow {
    old_code: String,
    new_code: String,
}

#[derive(Debug, Deserialize)]
struct AfterRow {
    code: String,
    name: String,
    level: String,
    parent_code: String,
    #[serde(default)]
    kind: String,
}

fn read<R: for<'d> Deserialize<'d>>(
    csv: &str,
    table: &'static str,
    columns: &'static str,
) -> Result<Vec<R>, MappingError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv.as_bytes());
    let rows = reader.deserialize::<R>().map(|row| {
        row.map_err(|error| MappingError::Columns {
            table,
            line: error.position().map_or(1, csv::Position::line),
            columns,
        })
    });
    rows.collect()
}

impl Mapping {
    /// The document, for the map of the day before as `tree`.
    ///
    /// # Errors
    /// [`MappingError`], the first that is found.
    pub fn document(&self, tree: &Tree) -> Result<Value, MappingError> {
        let mapping = read(&self.mapping, "mapping", "old_code and new_code")?;
        let after: Vec<AfterRow> = read(
            &self.after,
            "list after",
            "code, name, level, parent_code and, if wanted, kind",
        )?;
        let passings = Passings::of(mapping);
        let listed: BTreeSet<&str> = after.iter().map(|row| row.code.as_str()).collect();
        let unlisted = passings
            .by_new
            .keys()
            .find(|new| !listed.contains(new.as_str()));
        if let Some(new) = unlisted {
            return Err(MappingError::NotInList(new.clone()));
        }
        let draft = Draft {
            tree,
            root: root_of(tree),
            passings,
        };
        Ok(json!({
            "effective": self.effective,
            "legal_basis": self.legal_basis,
            "steps": draft.steps(&after),
        }))
    }
}

/// The one unit above all others, if there is one: what has no parent in a list is under it.
fn root_of(tree: &Tree) -> Option<String> {
    let mut roots = tree.places().filter(|place| place.depth() == 0);
    let root = roots.next()?;
    roots.next().is_none().then(|| root.fact().code.to_string())
}

#[derive(Default)]
struct Passings {
    /// In the order of the table.
    old_codes: Vec<String>,
    by_old: HashMap<String, Vec<String>>,
    by_new: HashMap<String, Vec<String>>,
}

impl Passings {
    fn of(rows: Vec<MappingRow>) -> Passings {
        let mut passings = Passings::default();
        for MappingRow { old_code, new_code } in rows {
            if !passings.by_old.contains_key(&old_code) {
                passings.old_codes.push(old_code.clone());
            }
            let heirs = passings.by_old.entry(old_code.clone()).or_default();
            if new_code.is_empty() || heirs.contains(&new_code) {
                continue;
            }
            heirs.push(new_code.clone());
            passings.by_new.entry(new_code).or_default().push(old_code);
        }
        passings
    }

    fn heirs(&self, old: &str) -> &[String] {
        self.by_old.get(old).map(Vec::as_slice).unwrap_or_default()
    }

    fn is_divided(&self, old: &str) -> bool {
        self.heirs(old).len() > 1
    }

    /// The old units that pass to a new one as a whole.
    fn wholes(&self, new: &str) -> impl Iterator<Item = &String> {
        let sources = self.by_new.get(new).into_iter().flatten();
        sources.filter(|old| !self.is_divided(old))
    }
}

struct Draft<'t> {
    tree: &'t Tree,
    root: Option<String>,
    passings: Passings,
}

impl Draft<'_> {
    /// New units first, so that parts of others can pass to them; then what is divided; then each
    /// unit as it is afterwards; at last what is abolished.
    fn steps(&self, after: &[AfterRow]) -> Vec<Value> {
        let (standing, new): (Vec<&AfterRow>, Vec<&AfterRow>) =
            after.iter().partition(|row| self.stands(&row.code));
        let is_above = |row: &&&AfterRow| row.parent_code.is_empty();
        let made = standing.iter().filter(is_above).chain(&new);
        let mut steps: Vec<Value> = made.flat_map(|row| self.become_after(row)).collect();
        let divided = self.passings.old_codes.iter();
        let divided = divided.filter(|old| self.passings.is_divided(old));
        steps.extend(divided.map(|old| self.split(old)));
        let others = standing.iter().filter(|row| !is_above(row));
        steps.extend(others.flat_map(|row| self.become_after(row)));
        steps.extend(self.abolished());
        steps
    }

    fn stands(&self, code: &str) -> bool {
        code.parse()
            .is_ok_and(|code| self.tree.by_code(&code).is_some())
    }

    fn split(&self, old: &str) -> Value {
        let heirs = self.passings.heirs(old).iter();
        let into: Vec<Value> = heirs.map(|new| json!({"unit": reference(new)})).collect();
        json!({"op": "split", "from": reference(old), "into": into})
    }

    /// The steps after which a unit is as the list has it.
    fn become_after(&self, row: &AfterRow) -> Vec<Value> {
        let mut from: Vec<&str> = self
            .passings
            .wholes(&row.code)
            .map(String::as_str)
            .collect();
        if self.passings.is_divided(&row.code) && !from.is_empty() {
            from.push(&row.code);
        }
        let takes_over = from.iter().any(|old| *old != row.code);
        if takes_over {
            let from: Vec<String> = from.into_iter().map(reference).collect();
            return vec![json!({"op": "merge", "from": from, "into": self.unit(row)})];
        }
        if !self.stands(&row.code) {
            return vec![json!({"op": "create", "unit": self.unit(row)})];
        }
        self.changes(row)
    }

    fn changes(&self, row: &AfterRow) -> Vec<Value> {
        let place = row
            .code
            .parse()
            .ok()
            .and_then(|code| self.tree.by_code(&code));
        let Some(place) = place else {
            return Vec::new();
        };
        let unit = reference(&row.code);
        let mut steps = Vec::new();
        let parent = place.parent().map(|parent| parent.fact().code.to_string());
        let wanted = self.parent(row);
        if parent != wanted {
            let parent = wanted.as_deref().map(reference);
            steps.push(json!({"op": "move", "unit": unit, "parent": parent}));
        }
        if place.fact().name != row.name {
            steps.push(json!({"op": "rename", "unit": unit, "name": row.name}));
        }
        if !row.kind.is_empty() && place.fact().kind.as_deref() != Some(&row.kind) {
            steps.push(json!({"op": "retype", "unit": unit, "kind": row.kind}));
        }
        steps
    }

    fn parent(&self, row: &AfterRow) -> Option<String> {
        let listed = Some(row.parent_code.clone()).filter(|code| !code.is_empty());
        listed.or_else(|| self.root.clone().filter(|root| *root != row.code))
    }

    fn unit(&self, row: &AfterRow) -> Value {
        let kind = Some(&row.kind).filter(|kind| !kind.is_empty());
        json!({
            "code": row.code, "name": row.name, "kind": kind, "level": row.level,
            "parent": self.parent(row).as_deref().map(reference),
        })
    }

    /// What nobody took over, and the levels at which nothing else stood.
    fn abolished(&self) -> Vec<Value> {
        let gone: Vec<&String> = self
            .passings
            .old_codes
            .iter()
            .filter(|old| self.passings.heirs(old).is_empty())
            .collect();
        let mut steps: Vec<Value> = gone
            .iter()
            .map(|old| json!({"op": "abolish", "unit": reference(old)}))
            .collect();
        let levels = self.empty_levels(&gone);
        steps.extend(
            levels
                .into_iter()
                .map(|level| json!({"op": "abolish_level", "level": level.as_str()})),
        );
        steps
    }

    fn empty_levels(&self, gone: &[&String]) -> BTreeSet<LevelCode> {
        let gone: BTreeSet<&str> = gone.iter().map(|code| code.as_str()).collect();
        let ends = |code: &str| {
            gone.contains(code) || self.passings.heirs(code).iter().any(|heir| heir != code)
        };
        let mut levels: BTreeSet<LevelCode> = BTreeSet::new();
        let mut standing: BTreeSet<LevelCode> = BTreeSet::new();
        for place in self.tree.places() {
            let fact = place.fact();
            if gone.contains(fact.code.as_str()) {
                levels.insert(fact.level.clone());
            } else if !ends(fact.code.as_str()) {
                standing.insert(fact.level.clone());
            }
        }
        levels
            .into_iter()
            .filter(|level| !standing.contains(level))
            .collect()
    }
}

fn reference(code: impl AsRef<str>) -> String {
    format!("code:{}", code.as_ref())
}
