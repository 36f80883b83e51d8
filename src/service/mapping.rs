//! A reorganisation as tables: which old code became which new one, and the list of units after.
//! It makes the document that a person would have to write by hand, and nothing else: whether the
//! document is right is `reorganisation`'s to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::application::Application;
use super::snapshot::Snapshot;
use super::table::{Listed, WrongColumns, read_table};
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
    #[error("{} faults", .0.len())]
    Invalid(Vec<TableFault>),
}

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Mapping,
    After,
}

/// A line of a table; the heading is line 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLine {
    pub table: Table,
    pub line: u64,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    pub at: TableLine,
    pub message: Message,
}

impl MappingError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        match self {
            MappingError::Invalid(faults) => {
                let count = faults.len();
                (
                    Code::InvalidReorganisation,
                    message!(
                        "Các bảng có {count} dòng chưa đúng; chưa có gì được ghi.",
                        "The tables have {count} faults and nothing was written."
                    ),
                    Vec::new(),
                )
            }
            _ => (
                Code::Internal,
                message!("Hệ thống gặp lỗi.", "The service failed."),
                Vec::new(),
            ),
        }
    }
}

explain!(MappingError, held: Denied, Store; own);

/// A document that tables make, and from which of their lines each part of it is.
#[derive(Debug, Clone)]
pub struct TableDocument {
    pub document: ReorganisationDocument,
    /// Of each step.
    lines: Vec<StepLines>,
}

#[derive(Debug, Clone, Default)]
struct StepLines {
    step: Option<TableLine>,
    from: Vec<Option<TableLine>>,
    into: Vec<Option<TableLine>>,
}

impl TableDocument {
    /// The line of which a JSON pointer into the document tells.
    pub fn line_of(&self, pointer: &str) -> Option<TableLine> {
        let mut path = pointer.split('/').skip(2);
        let lines = self.lines.get(path.next()?.parse::<usize>().ok()?)?;
        let parts = match path.next() {
            Some("from") => lines.from.as_slice(),
            Some("into") => lines.into.as_slice(),
            _ => &[],
        };
        let index = path.next().and_then(|index| index.parse::<usize>().ok());
        let part = index.and_then(|index| *parts.get(index)?);
        part.or(lines.step)
    }
}

/// The document that tables make on the map of the day before.
///
/// # Errors
/// [`MappingError`], with every fault of the tables.
pub fn document_of(
    application: &Application,
    identity: &Identity,
    mapping: &Mapping,
) -> Result<ReorganisationDocument, MappingError> {
    let made = table_document_of(application, identity, mapping)?;
    Ok(made.document)
}

/// The same with the lines that it is made of.
///
/// # Errors
/// [`MappingError`], with every fault of the tables.
pub fn table_document_of(
    application: &Application,
    identity: &Identity,
    mapping: &Mapping,
) -> Result<TableDocument, MappingError> {
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

fn read<R: DeserializeOwned>(
    csv: &str,
    table: Table,
    columns: &[&str],
    faults: &mut Vec<TableFault>,
) -> Vec<Listed<R>> {
    let rows = read_table(csv, columns).into_iter();
    let rows = rows.filter_map(|row| {
        let wrong: WrongColumns = match row {
            Ok(row) => return Some(row),
            Err(wrong) => wrong,
        };
        let (line, columns) = (wrong.line, columns.join(","));
        faults.push(TableFault {
            at: TableLine { table, line },
            message: message!("Cần các cột {columns}.", "It needs the columns {columns}."),
        });
        None
    });
    rows.collect()
}

impl Mapping {
    /// The document, for the map of the day before as `tree`.
    fn document(&self, tree: &Tree) -> Result<TableDocument, MappingError> {
        let mut faults = Vec::new();
        let mapping = read(
            &self.mapping,
            Table::Mapping,
            &["old_code", "new_code"],
            &mut faults,
        );
        let columns = &["code", "name", "level", "parent_code"];
        let after: Vec<Listed<AfterRow>> = read(&self.after, Table::After, columns, &mut faults);
        let passings = Passings::of(mapping);
        let listed: BTreeSet<&str> = after.iter().map(|row| row.row.code.as_str()).collect();
        let lines = passings.lines.iter();
        let unlisted =
            lines.filter(|((_, new), _)| !new.is_empty() && !listed.contains(new.as_str()));
        let mut unlisted: Vec<(u64, &str)> = unlisted
            .map(|((_, new), line)| (*line, new.as_str()))
            .collect();
        unlisted.sort_unstable();
        // Of a table that was not read as a whole nothing is known to be missing.
        if faults.is_empty() {
            faults.extend(unlisted.into_iter().map(not_in_list));
        }
        if !faults.is_empty() {
            return Err(MappingError::Invalid(faults));
        }
        let draft = Draft {
            tree,
            root: root_of(tree),
            passings,
        };
        let (steps, lines) = draft.steps(&after).into_iter().unzip();
        let document = ReorganisationDocument {
            effective: self.effective,
            legal_basis: self.legal_basis.clone(),
            steps,
            grants: Grants::default(),
            work_in_progress: WorkInProgress::default(),
        };
        Ok(TableDocument { document, lines })
    }
}

fn not_in_list((line, code): (u64, &str)) -> TableFault {
    TableFault {
        at: TableLine {
            table: Table::Mapping,
            line,
        },
        message: message!(
            "Mã mới {code} không có trong danh sách đơn vị sau sắp xếp. Hãy thêm vào danh sách, hoặc sửa mã.",
            "The new code {code} is not in the list of units after. Add it there, or correct the code."
        ),
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
    /// On which line each old code stands with each new one.
    lines: HashMap<(String, String), u64>,
}

impl Passings {
    fn of(rows: Vec<Listed<MappingRow>>) -> Passings {
        let mut passings = Passings::default();
        for Listed { line, row } in rows {
            let MappingRow { old_code, new_code } = row;
            let key = (old_code.clone(), new_code.clone());
            passings.lines.entry(key).or_insert(line);
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

    fn line(&self, old: &str, new: &str) -> Option<TableLine> {
        let line = *self.lines.get(&(old.to_owned(), new.to_owned()))?;
        Some(TableLine {
            table: Table::Mapping,
            line,
        })
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

type Drafted = (StepDocument, StepLines);

struct Draft<'t> {
    tree: &'t Tree,
    root: Option<String>,
    passings: Passings,
}

impl Draft<'_> {
    /// New units first, so that parts of others can pass to them; then what is divided; then each
    /// unit as it is afterwards; at last what is abolished.
    fn steps(&self, after: &[Listed<AfterRow>]) -> Vec<Drafted> {
        let (standing, new): (Vec<&Listed<AfterRow>>, Vec<&Listed<AfterRow>>) = after
            .iter()
            .partition(|listed| self.stands(&listed.row.code));
        let is_above = |listed: &&&Listed<AfterRow>| listed.row.parent_code.is_empty();
        let made = standing.iter().filter(is_above).chain(&new);
        let mut steps: Vec<Drafted> = made.flat_map(|listed| self.become_after(listed)).collect();
        let divided = self.passings.old_codes.iter();
        let divided = divided.filter(|old| self.passings.is_divided(old));
        steps.extend(divided.map(|old| self.split(old)));
        let others = standing.iter().filter(|listed| !is_above(listed));
        steps.extend(others.flat_map(|listed| self.become_after(listed)));
        steps.extend(self.abolished());
        steps
    }

    fn stands(&self, code: &str) -> bool {
        code.parse()
            .is_ok_and(|code| self.tree.by_code(&code).is_some())
    }

    fn split(&self, old: &str) -> Drafted {
        let heirs = self.passings.heirs(old).iter();
        let into: Vec<Option<TableLine>> = heirs.map(|new| self.passings.line(old, new)).collect();
        let lines = StepLines {
            step: into.first().copied().flatten(),
            into,
            from: Vec::new(),
        };
        let heirs = self.passings.heirs(old).iter();
        let into = heirs.map(|new| PartDocument {
            unit: SuccessorDocument::Standing(reference(new)),
            share: None,
        });
        let step = StepDocument::Split {
            from: reference(old),
            into: into.collect(),
            basis: None,
            children: BTreeMap::new(),
        };
        (step, lines)
    }

    /// The steps after which a unit is as the list has it.
    fn become_after(&self, Listed { line, row }: &Listed<AfterRow>) -> Vec<Drafted> {
        let lines = StepLines {
            step: Some(TableLine {
                table: Table::After,
                line: *line,
            }),
            ..StepLines::default()
        };
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
            let passed = from.iter().map(|old| self.passings.line(old, &row.code));
            let lines = StepLines {
                from: passed.collect(),
                ..lines
            };
            let from: Vec<String> = from.into_iter().map(reference).collect();
            let into = SuccessorDocument::Described(self.unit(row));
            return vec![(StepDocument::Merge { from, into }, lines)];
        }
        if !self.stands(&row.code) {
            let unit = self.unit(row);
            return vec![(StepDocument::Create { unit }, lines)];
        }
        let changes = self.changes(row).into_iter();
        changes.map(|step| (step, lines.clone())).collect()
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
    fn abolished(&self) -> Vec<Drafted> {
        let gone: Vec<&String> = self
            .passings
            .old_codes
            .iter()
            .filter(|old| self.passings.heirs(old).is_empty())
            .collect();
        let abolish = |old: &&String| {
            let unit = reference(old);
            let lines = StepLines {
                step: self.passings.line(old, ""),
                ..StepLines::default()
            };
            (StepDocument::Abolish { unit }, lines)
        };
        let mut steps: Vec<Drafted> = gone.iter().map(abolish).collect();
        let levels = self.empty_levels(&gone).into_iter();
        steps.extend(levels.map(|level| {
            let level = level.to_string();
            (StepDocument::AbolishLevel { level }, StepLines::default())
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
