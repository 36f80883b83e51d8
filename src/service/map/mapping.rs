//! A reorganisation as tables: a mapping from old codes to new ones, and the list of units
//! afterwards. Builds the document that a person would otherwise write by hand. `reorganisation`
//! decides whether the document is valid.

use crate::domain::fault::{FieldPath, Segment};
use crate::locale::Count;
use crate::service::application::name::UnitName;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::day::Day;
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::LevelCode;
use crate::domain::reorganisation::{
    Grants, PartDocument, ReorganisationDocument, StepDocument, SuccessorDocument, UnitDocument,
    WorkInProgress,
};
use crate::error::{Code, Explain, Explanation, Message};
use crate::message;
use crate::service::application::Application;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::table::{Listed, WrongColumns, read_table};
use crate::store::StoreError;

/// The two tables, and what they do not contain.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// CSV with `old_code` and `new_code`; other columns are ignored. An old code that was divided
    /// is on several lines; one without a new code was abolished.
    pub mapping: String,
    /// CSV with `code,name,level,parent_code[,kind]`: all units afterwards, parents before their
    /// children.
    pub after: String,
    pub effective: Day,
    pub legal_basis: String,
    pub unlisted: Unlisted,
}

/// The treatment of units that exist the day before and that neither table names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// Report each as a fault: somebody may have forgotten it.
    Refuse,
    /// Keep and list them, below the unit that takes over their parent.
    Keep,
}

/// The errors of building a document from tables.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("faults: {}", .0.len())]
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

/// A fault of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    pub table: Table,
    /// `None` if no line is wrong but one is missing.
    pub line: Option<u64>,
    pub message: Message,
}

impl Explain for MappingError {
    fn explain(&self) -> Explanation {
        match self {
            MappingError::Denied(held) => held.explain(),
            MappingError::Store(held) => held.explain(),
            // Each is told with its line, and not as a fault of a body.
            MappingError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("mapping-invalid", count = Count(count));
                Explanation::new(Code::InvalidReorganisation, message)
            }
        }
    }
}

/// A document built from tables, with the table lines behind each part.
#[derive(Debug, Clone)]
pub struct TableDocument {
    pub document: ReorganisationDocument,
    /// Units that neither table names, and that are kept.
    pub kept: Vec<UnitName>,
    /// The lines of each step.
    lines: Vec<StepLines>,
}

#[derive(Debug, Clone, Default)]
struct StepLines {
    step: Option<TableLine>,
    from: Vec<Option<TableLine>>,
    into: Vec<Option<TableLine>>,
}

impl TableDocument {
    /// Returns the table line behind a part of the document.
    pub fn line_of(&self, path: &FieldPath) -> Option<TableLine> {
        let [Segment::Field("steps"), Segment::Index(step), rest @ ..] = path.segments() else {
            return None;
        };
        let lines = self.lines.get(*step)?;
        let part = match rest {
            [Segment::Field("from"), Segment::Index(index), ..] => lines.from.get(*index),
            [Segment::Field("into"), Segment::Index(index), ..] => lines.into.get(*index),
            _ => None,
        };
        part.copied().flatten().or(lines.step)
    }
}

/// Builds the document from tables, on the map of the day before.
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

/// Like [`document_of`], with the table lines behind each part.
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
        let effective = mapping.effective.get();
        let eve = effective.pred_opt().unwrap_or(effective);
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
            table,
            line: Some(line),
            message: message!("mapping-missing-columns", columns),
        });
        None
    });
    rows.collect()
}

impl Mapping {
    /// Builds the document, with `tree` as the map of the day before.
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
        // If a table could not be read completely, nothing can be called missing.
        if !faults.is_empty() {
            return Err(MappingError::Invalid(faults));
        }
        let draft = DocumentDraft {
            tree,
            root: root_of(tree),
            passings,
        };
        let listed: BTreeSet<&str> = after.iter().map(|row| row.row.code.as_str()).collect();
        let unnamed = draft.unnamed(&listed);
        let mut faults = draft.contradictions(&after, &listed);
        if self.unlisted == Unlisted::Refuse {
            faults.extend(unnamed.iter().map(|place| named_nowhere(*place)));
        }
        if !faults.is_empty() {
            return Err(MappingError::Invalid(faults));
        }
        let (steps, lines) = draft.steps(&after).into_iter().unzip();
        let document = ReorganisationDocument {
            effective: self.effective,
            legal_basis: self.legal_basis.clone(),
            steps,
            grants: Grants::default(),
            work_in_progress: WorkInProgress::default(),
        };
        let kept = unnamed.into_iter().map(UnitName::of).collect();
        Ok(TableDocument {
            document,
            kept,
            lines,
        })
    }
}

fn not_in_list((line, code): (u64, &str)) -> TableFault {
    TableFault {
        table: Table::Mapping,
        line: Some(line),
        message: message!("mapping-not-in-list", code),
    }
}

fn named_nowhere(place: Place<'_>) -> TableFault {
    let fact = place.fact();
    let (code, name, level) = (&fact.code, &fact.name, &fact.level);
    TableFault {
        table: Table::After,
        line: None,
        message: message!("mapping-named-nowhere", name, code, level),
    }
}

fn in_list(line: u64, message: Message) -> TableFault {
    TableFault {
        table: Table::After,
        line: Some(line),
        message,
    }
}

fn twice_in_list(line: u64, first: u64, code: &str) -> TableFault {
    in_list(line, message!("mapping-twice-in-list", code, first))
}

fn ended_in_list(line: u64, row: &AfterRow) -> TableFault {
    let (name, code) = (&row.name, &row.code);
    in_list(line, message!("mapping-ended-in-list", name, code))
}

fn other_level_in_list(line: u64, row: &AfterRow, level: &LevelCode) -> TableFault {
    let (name, code, wanted) = (&row.name, &row.code, &row.level);
    in_list(
        line,
        message!("mapping-other-level-in-list", name, code, level, wanted),
    )
}

/// Returns the one unit above all others, if there is one. Units without a parent in a list belong
/// under it.
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
    /// The line of each pair of old and new code.
    lines: HashMap<(String, String), u64>,
}

impl Passings {
    fn of(rows: Vec<Listed<MappingRow>>) -> Passings {
        let mut passings = Passings::default();
        for Listed { line, row, .. } in rows {
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

    /// Returns true if an old unit does not continue under its code.
    fn ends(&self, old: &str) -> bool {
        let heirs = self.by_old.get(old);
        heirs.is_some_and(|heirs| heirs.iter().all(|heir| heir != old))
    }

    fn is_divided(&self, old: &str) -> bool {
        self.heirs(old).len() > 1
    }

    /// Returns the old units that pass to a new one as a whole.
    fn wholes(&self, new: &str) -> impl Iterator<Item = &String> {
        let sources = self.by_new.get(new).into_iter().flatten();
        sources.filter(|old| !self.is_divided(old))
    }
}

type Drafted = (StepDocument, StepLines);

struct DocumentDraft<'t> {
    tree: &'t Tree,
    root: Option<String>,
    passings: Passings,
}

impl DocumentDraft<'_> {
    /// Orders the steps: new units first, so that parts can pass to them; then divisions; then each
    /// unit in its new state; abolitions last.
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
        self.standing(code).is_some()
    }

    fn standing(&self, code: &str) -> Option<Place<'_>> {
        self.tree.by_code(&code.parse().ok()?)
    }

    /// Returns the existing units that neither table names. The one above all others needs no line.
    fn unnamed(&self, listed: &BTreeSet<&str>) -> Vec<Place<'_>> {
        let is_named = |code: &str| {
            listed.contains(code)
                || self.passings.by_old.contains_key(code)
                || self.root.as_deref() == Some(code)
        };
        let places = self.tree.places();
        places
            .filter(|place| !is_named(place.fact().code.as_str()))
            .collect()
    }

    /// Reports tables that contradict each other, or that no step can express.
    fn contradictions(
        &self,
        after: &[Listed<AfterRow>],
        listed: &BTreeSet<&str>,
    ) -> Vec<TableFault> {
        let passings = self.passings.lines.iter();
        let passings = passings.map(|((_, new), line)| (*line, new.as_str()));
        let mut unlisted: Vec<(u64, &str)> = passings
            .filter(|(_, new)| !new.is_empty() && !listed.contains(new))
            .collect();
        unlisted.sort_unstable();
        let mut faults: Vec<TableFault> = unlisted.into_iter().map(not_in_list).collect();
        let mut lines: HashMap<&str, u64> = HashMap::new();
        for Listed { line, row, .. } in after {
            match lines.entry(&row.code) {
                Entry::Occupied(first) => {
                    faults.push(twice_in_list(*line, *first.get(), &row.code));
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(*line);
                    faults.extend(self.contradiction(*line, row, listed));
                }
            }
        }
        faults
    }

    /// Reports a listed unit that exists but does not continue under its code, unless another takes
    /// over the code.
    fn contradiction(
        &self,
        line: u64,
        row: &AfterRow,
        listed: &BTreeSet<&str>,
    ) -> Option<TableFault> {
        let place = self.standing(&row.code)?;
        if self.takes_over(&row.code) {
            return None;
        }
        if self.passings.ends(&row.code) {
            // A successor that does not exist is reported already.
            let mut heirs = self.passings.heirs(&row.code).iter();
            let are_listed = heirs.all(|heir| listed.contains(heir.as_str()));
            return are_listed.then(|| ended_in_list(line, row));
        }
        let level = &place.fact().level;
        (level.as_str() != row.level).then(|| other_level_in_list(line, row, level))
    }

    /// Returns the units that a listed unit is made of, itself included.
    fn predecessors(&self, code: &str) -> Vec<&str> {
        let wholes = self.passings.wholes(code);
        let mut from: Vec<&str> = wholes.map(String::as_str).collect();
        if let Some((own, _)) = self.passings.by_old.get_key_value(code)
            && self.passings.is_divided(code)
            && !from.is_empty()
        {
            from.push(own);
        }
        from
    }

    fn takes_over(&self, code: &str) -> bool {
        self.predecessors(code).into_iter().any(|old| old != code)
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

    /// Returns the steps after which a unit is as listed.
    fn become_after(&self, Listed { line, row, .. }: &Listed<AfterRow>) -> Vec<Drafted> {
        let lines = StepLines {
            step: Some(TableLine {
                table: Table::After,
                line: *line,
            }),
            ..StepLines::default()
        };
        if self.takes_over(&row.code) {
            let from = self.predecessors(&row.code);
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

    /// Returns the steps that end abolished units, and the levels that are empty afterwards.
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
