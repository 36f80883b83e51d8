//! A reorganisation as tables: which old code became which new one, and the list of units after.
//! It makes the document that a person would have to write by hand, and nothing else: whether the
//! document is right is `reorganisation`'s to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;

use super::application::Application;
use super::snapshot::Snapshot;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::hierarchy::Tree;
use crate::domain::id::LevelCode;
use crate::domain::reorganisation::{
    Grants, PartDocument, ReorganisationDocument, StepDocument, SuccessorDocument, UnitDocument,
    WorkInProgress,
};
use crate::error::{Code, Fault, Message};
use crate::store::StoreError;
use crate::{explain, message};

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

/// Why tables make no document.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{table}, line {line}: its columns are {columns}")]
    Columns {
        table: &'static str,
        line: u64,
        columns: &'static str,
    },
    #[error("the new code {0} is not in the list of units after")]
    NotInList(String),
}

impl MappingError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        match self {
            MappingError::Columns {
                table,
                line,
                columns,
            } => (
                Code::MalformedCsv,
                message!(
                    "Bảng {table}, dòng {line}: cần các cột {columns}.",
                    "{table}, line {line}: it needs the columns {columns}."
                ),
                Vec::new(),
            ),
            MappingError::NotInList(code) => (
                Code::UnknownUnit,
                message!(
                    "Mã mới {code} không có trong danh sách đơn vị sau sắp xếp. Hãy thêm vào danh sách, hoặc sửa mã.",
                    "The new code {code} is not in the list of units after. Add it there, or correct the code."
                ),
                Vec::new(),
            ),
            _ => (
                Code::Internal,
                message!("Hệ thống gặp lỗi.", "The service failed."),
                Vec::new(),
            ),
        }
    }
}

explain!(MappingError, held: Denied, Store; own);

/// The document that tables make on the map of the day before.
///
/// # Errors
/// [`MappingError`], the first that is found.
pub fn document_of(
    application: &Application,
    identity: &Identity,
    mapping: &Mapping,
) -> Result<ReorganisationDocument, MappingError> {
    application.reading(identity, |_, snapshot: &Snapshot| {
        let _permit = snapshot.access.to_tenant(Action::Reorganise)?;
        let eve = mapping.effective.pred_opt().unwrap_or(mapping.effective);
        mapping.document(&snapshot.hierarchy.tree_on(eve))
    })
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
    fn document(&self, tree: &Tree) -> Result<ReorganisationDocument, MappingError> {
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
        Ok(ReorganisationDocument {
            effective: self.effective,
            legal_basis: self.legal_basis.clone(),
            steps: draft.steps(&after),
            grants: Grants::default(),
            work_in_progress: WorkInProgress::default(),
        })
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
    fn steps(&self, after: &[AfterRow]) -> Vec<StepDocument> {
        let (standing, new): (Vec<&AfterRow>, Vec<&AfterRow>) =
            after.iter().partition(|row| self.stands(&row.code));
        let is_above = |row: &&&AfterRow| row.parent_code.is_empty();
        let made = standing.iter().filter(is_above).chain(&new);
        let mut steps: Vec<StepDocument> = made.flat_map(|row| self.become_after(row)).collect();
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

    fn split(&self, old: &str) -> StepDocument {
        let heirs = self.passings.heirs(old).iter();
        let into = heirs.map(|new| PartDocument {
            unit: SuccessorDocument::Standing(reference(new)),
            share: None,
        });
        StepDocument::Split {
            from: reference(old),
            into: into.collect(),
            basis: None,
            children: BTreeMap::new(),
        }
    }

    /// The steps after which a unit is as the list has it.
    fn become_after(&self, row: &AfterRow) -> Vec<StepDocument> {
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
            let into = SuccessorDocument::Described(self.unit(row));
            return vec![StepDocument::Merge { from, into }];
        }
        if !self.stands(&row.code) {
            let unit = self.unit(row);
            return vec![StepDocument::Create { unit }];
        }
        self.changes(row)
    }

    fn changes(&self, row: &AfterRow) -> Vec<StepDocument> {
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
            let unit = unit.clone();
            steps.push(StepDocument::Move { unit, parent });
        }
        if place.fact().name != row.name {
            let (unit, name) = (unit.clone(), row.name.clone());
            steps.push(StepDocument::Rename { unit, name });
        }
        if !row.kind.is_empty() && place.fact().kind.as_deref() != Some(&row.kind) {
            let kind = Some(row.kind.clone());
            steps.push(StepDocument::Retype { unit, kind });
        }
        steps
    }

    fn parent(&self, row: &AfterRow) -> Option<String> {
        let listed = Some(row.parent_code.clone()).filter(|code| !code.is_empty());
        listed.or_else(|| self.root.clone().filter(|root| *root != row.code))
    }

    fn unit(&self, row: &AfterRow) -> UnitDocument {
        UnitDocument {
            code: row.code.clone(),
            name: row.name.clone(),
            kind: Some(row.kind.clone()).filter(|kind| !kind.is_empty()),
            level: row.level.clone(),
            parent: self.parent(row).as_deref().map(reference),
        }
    }

    /// What nobody took over, and the levels at which nothing else stood.
    fn abolished(&self) -> Vec<StepDocument> {
        let gone: Vec<&String> = self
            .passings
            .old_codes
            .iter()
            .filter(|old| self.passings.heirs(old).is_empty())
            .collect();
        let mut steps: Vec<StepDocument> = gone
            .iter()
            .map(|old| StepDocument::Abolish {
                unit: reference(old),
            })
            .collect();
        let levels = self.empty_levels(&gone);
        steps.extend(levels.into_iter().map(|level| StepDocument::AbolishLevel {
            level: level.to_string(),
        }));
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
