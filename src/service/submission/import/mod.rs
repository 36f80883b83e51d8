//! Imports: the values of many units from one file, entered together by `together`. What a file says
//! is read before the tenant's row is taken; what is there is read in the commit, chunk by chunk.

mod cells;
mod csv;
mod sheet;
mod totals;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Seek};

use serde::Serialize;

use self::cells::{Cells, FileUnit, Mark};
use self::csv::{ReadList, read_list};
use self::sheet::read_workbook;
use self::totals::Above;
pub use self::totals::{MovedFigure, MovedTotals};
use super::batch::standing;
use super::change::{Arrival, Asked, Entered, Intent, SubmissionChange};
use super::error::SubmissionError;
use super::sheet::{CellPlace, MadeFrom, SheetFaultAt};
use super::step::Standing;
use super::together::{CHUNK, MadeStep, TogetherError, Whole, change_together, refuse_together};
use super::view::{Warning, value_views};
use crate::domain::fault::{FieldPath, Segment};
use crate::domain::form::FormPeriod;
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::quantity::{Decimal, Decimals, Qualifier};
use crate::domain::submission::{
    Content, EnteredPassage, EnteredValue, Fact, Nil, Status, SubmissionKey,
};
use crate::domain::text::clipped;
use crate::error::{Code, Explain, Explanation, Fault, FaultList, FaultPlace, Message};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::{Etag, Precondition};
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::import_mode::ImportMode;
use crate::service::application::locate::{NotFound, ReportPath};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::{RulesEdition, Snapshot};
use crate::service::application::watcher::{Phase, Watcher};
use crate::spreadsheet::{SpreadsheetFault, begins_as_workbook};
use crate::store::{StoreError, Transaction};

/// The most units of which it is told one by one what becomes of them.
const MOST_UNITS: usize = 1000;

/// The most numbers of which it is told how they were read.
const MOST_READ: usize = 200;

/// What becomes of values that a file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// They stay.
    Kept,
    /// Those of the units that the file names are removed.
    Removed,
}

/// A file with values to import.
pub struct SubmissionFile<F> {
    pub form: String,
    pub period: String,
    pub unnamed: Unnamed,
    pub intent: Intent,
    pub mode: ImportMode,
    /// CSV with the columns `unit,indicator,value` and, optionally, `option` and `qualifier`, or a
    /// sheet as `get_sheet` makes it.
    pub file: F,
}

/// The effect of an import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubmissionImport {
    pub dry_run: bool,
    /// The tenant's rev of the import; null if nothing was written.
    pub rev: Option<i64>,
    /// The number of submissions that are new.
    pub created: usize,
    /// The number of submissions that are changed.
    pub changed: usize,
    /// The number of submissions that have these values already, and are left as they are.
    pub left: usize,
    /// The units that the file names, the first 1,000.
    pub units: Vec<ImportedUnit>,
    /// The totals of the units above, before and after: of the first 20 from the top that the caller
    /// may read.
    pub totals: Vec<MovedTotals>,
    /// If true, there are more units above.
    pub totals_cut: bool,
    /// The first 200 numbers that were written with more than digits, and how they were read.
    pub numbers: Vec<ReadNumber>,
    /// How many numbers were written so.
    pub number_count: usize,
}

/// What becomes of one unit's submission.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportedUnit {
    pub unit: UnitName,
    /// The first row that names the unit, as a spreadsheet counts.
    pub row: u64,
    /// The sheet of the row; null for a list.
    pub sheet: Option<String>,
    pub effect: ImportEffect,
    /// The status afterwards.
    pub status: Status,
    /// The number of the step's receipt (biên nhận); null if it is left, or for a dry run.
    pub receipt: Option<String>,
    /// Remarks that do not refuse the submission, as `put_submission` has them.
    pub warnings: Vec<Warning>,
}

/// An effect on one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportEffect {
    Created,
    Changed,
    /// It has these values already.
    Left,
}

/// A number as it was written, and as it was read.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReadNumber {
    /// The sheet; null for a list.
    pub sheet: Option<String>,
    /// The row, as a spreadsheet counts.
    pub row: u64,
    #[schema(example = "trên 1.562.410.000")]
    pub text: String,
    #[schema(value_type = f64, example = 1562410000)]
    pub value: Decimal,
    pub qualifier: Qualifier,
    /// How its marks were read.
    pub message: String,
    pub message_en: String,
}

/// The reasons for which nothing is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    File(#[from] SpreadsheetFault),
    #[error(transparent)]
    Together(#[from] TogetherError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for ImportError {
    fn explain(&self) -> Explanation {
        match self {
            ImportError::NotFound(held) => held.explain(),
            ImportError::File(held) => held.explain(),
            ImportError::Together(held) => held.explain(),
            ImportError::Store(held) => held.explain(),
        }
    }
}

/// Imports the values of all units that a file names, or none.
///
/// # Errors
/// [`ImportError`], with every fault of every row.
pub fn import_submissions<F: Read + Seek>(
    application: &Application,
    call: &Call,
    file: SubmissionFile<F>,
    watcher: &dyn Watcher,
) -> Result<Reply, ImportError> {
    let SubmissionFile {
        form,
        period,
        unnamed,
        intent,
        mode,
        file,
    } = file;
    let (edition, list) = application.reading(&call.identity, |_, snapshot| {
        let period = snapshot.base_period(&form, &period)?;
        let list = read_file(file, snapshot, period, watcher)?;
        Ok::<_, ImportError>((RulesEdition::from(snapshot.counters), list))
    })?;
    let ReadList {
        cells,
        faults,
        numbers,
    } = list;
    watcher.begin(Phase::Submissions, cells.units.len());
    let mut import = Import {
        application,
        call,
        path: ReportPath {
            form,
            period,
            unit: String::new(),
        },
        edition,
        unnamed,
        intent,
        cells,
        next: 0,
        rows: HashMap::new(),
        faults,
        above: None,
        done: SubmissionImport {
            dry_run: mode == ImportMode::DryRun,
            rev: None,
            created: 0,
            changed: 0,
            left: 0,
            units: Vec::new(),
            totals: Vec::new(),
            totals_cut: false,
            number_count: numbers.count,
            numbers: numbers.told,
        },
        watcher,
    };
    import.find_repeated();
    let imported = match import.faults.is_empty() {
        true => change_together(application, call, &mut import, mode),
        false => refuse_together(application, call, &mut import),
    };
    Ok(imported?)
}

/// Where the cells of a file are, by the numbers of their rows in [`cells`].
#[derive(Debug, Default)]
enum Places {
    /// A list: the number is the row.
    #[default]
    Rows,
    /// A sheet: the number is that of a place.
    Cells(Vec<CellPlace>),
}

/// The faults of a file, at their places.
#[derive(Debug, Default)]
pub(super) struct FileFaults {
    list: FaultList,
    places: Places,
}

impl FileFaults {
    /// Begins the faults of a sheet.
    fn in_cells() -> FileFaults {
        FileFaults {
            list: FaultList::default(),
            places: Places::Cells(Vec::new()),
        }
    }

    /// Takes up what the reader of a sheet has found.
    fn take(&mut self, found: Vec<SheetFaultAt>, count: usize) {
        let faults = found.into_iter().map(|found| {
            let (code, message) = found.told();
            let at = found.place.as_ref().map_or_else(|| path![], path_of);
            Fault::in_body(at, code, message)
        });
        self.list.append(FaultList {
            faults: faults.collect(),
            count,
        });
    }

    /// Numbers a place of a sheet.
    fn place(&mut self, place: &CellPlace) -> u32 {
        match &mut self.places {
            Places::Rows => u32::try_from(place.row).unwrap_or(u32::MAX),
            Places::Cells(places) => {
                places.push(place.clone());
                u32::try_from(places.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    fn cell(&self, number: u32) -> Option<&CellPlace> {
        match &self.places {
            Places::Rows => None,
            Places::Cells(places) => places.get(usize::try_from(number).ok()?),
        }
    }

    /// Returns the row that a spreadsheet shows, and the name of the sheet.
    fn shown(&self, number: u32) -> (u64, Option<String>) {
        match self.cell(number) {
            Some(place) => (place.row, Some(place.sheet.to_string())),
            None => (number.into(), None),
        }
    }

    fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn push(&mut self, fault: Fault) {
        self.list.append(vec![fault].into());
    }

    fn at_file(&mut self, message: Message) {
        self.push(Fault::in_body(path![], Code::MalformedCsv, message));
    }

    fn at_row(&mut self, row: u32, code: Code, sentence: Message) {
        if let Some(place) = self.cell(row) {
            let (at, message) = (path_of(place), place.told(&sentence));
            return self.push(Fault::in_body(at, code, message));
        }
        let message = message!("fault-at-line", line = row, sentence);
        self.push(Fault::in_body(
            path!["rows", row.to_string()],
            code,
            message,
        ));
    }

    fn at_cell(&mut self, row: u32, column: &'static str, code: Code, sentence: Message) {
        if self.cell(row).is_some() {
            return self.at_row(row, code, sentence);
        }
        let message = message!("fault-in-cell", line = row, column, sentence);
        let at = path!["rows", row.to_string(), column];
        self.push(Fault::in_body(at, code, message));
    }
}

/// The pointer to a cell of a sheet.
fn path_of(place: &CellPlace) -> FieldPath {
    path!["sheets", place.sheet.to_string(), place.to_string()]
}

/// The numbers that were written with more than digits.
#[derive(Debug, Default)]
pub(super) struct ReadNumbers {
    /// The first of them.
    told: Vec<ReadNumber>,
    count: usize,
}

impl ReadNumbers {
    fn add(
        &mut self,
        faults: &FileFaults,
        row: u32,
        text: &str,
        (mantissa, decimals, qualifier): (i64, Decimals, Qualifier),
        how: Message,
    ) {
        self.count += 1;
        if self.told.len() < MOST_READ {
            let (row, sheet) = faults.shown(row);
            self.told.push(ReadNumber {
                sheet,
                row,
                text: clipped(text),
                value: Decimal::new(mantissa, decimals.get()),
                qualifier,
                message: how.vi,
                message_en: how.en,
            });
        }
    }
}

/// An import in the making.
struct Import<'i> {
    application: &'i Application,
    call: &'i Call,
    /// The form and the period; each unit's path has its own unit.
    path: ReportPath,
    /// The rules by which the file was read.
    edition: RulesEdition,
    unnamed: Unnamed,
    intent: Intent,
    cells: Cells,
    /// The place of the next unit.
    next: usize,
    /// The row of each value that the last chunk sends, by the places of its units.
    rows: HashMap<usize, Vec<Option<u32>>>,
    faults: FileFaults,
    above: Option<Above>,
    done: SubmissionImport,
    watcher: &'i dyn Watcher,
}

/// A unit's values by indicator and option: the text, the qualifier, and the row that has it.
type Merged = BTreeMap<(String, Option<String>), (String, Qualifier, Option<u32>)>;

/// A unit's values as they are sent, and the row of each that the file has.
struct Sent {
    entered: Entered,
    rows: Vec<Option<u32>>,
}

impl Import<'_> {
    /// Refuses rows that are about a value of which an earlier row is.
    fn find_repeated(&mut self) {
        for unit in &mut self.cells.units {
            // Of equal figures the first row stays first.
            unit.cells.sort_by_key(|cell| (cell.figure, cell.row));
            let pairs = unit.cells.iter().zip(unit.cells.iter().skip(1));
            let repeated = pairs.filter(|(one, other)| one.figure == other.figure);
            let rows: Vec<(u32, u32)> = repeated.map(|(one, other)| (one.row, other.row)).collect();
            for (first, row) in rows {
                let message = message!("value-list-twice", first = first.to_string());
                self.faults.at_row(row, Code::Duplicate, message);
                unit.is_faulty = true;
            }
        }
    }

    /// Reads what is there of some units, and puts the file's values over it.
    fn changes(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        places: std::ops::Range<usize>,
    ) -> Result<Vec<(usize, Asked)>, StoreError> {
        let units = self.cells.units.get(places.clone()).unwrap_or_default();
        let period = self.period(snapshot)?;
        let in_force = snapshot.catalogue.in_force(period);
        let key = |unit: &FileUnit| SubmissionKey {
            form: in_force.period.form.number,
            period: in_force.period.period,
            unit: unit.unit,
        };
        let keys: Vec<SubmissionKey> = units.iter().map(key).collect();
        let standing = standing(transaction, &keys)?;
        let mut sent = Vec::with_capacity(units.len());
        let mut rows = HashMap::new();
        let mut kept: Vec<Option<(&Standing, &Content)>> = Vec::new();
        for (place, unit) in places.zip(units) {
            if unit.is_faulty {
                continue;
            }
            let there = standing.get(&key(unit));
            let there = match there {
                Some(standing) => {
                    let content = standing.content(standing.submission.values_revision)?;
                    Some((standing, content))
                }
                None => None,
            };
            let values = there.map(|(_, content)| value_views(&content.facts, &in_force));
            let one = self.sent(
                unit,
                values.unwrap_or_default(),
                there.map(|(_, content)| content),
            );
            let path = ReportPath {
                unit: unit.unit.to_string(),
                ..self.path.clone()
            };
            let condition = condition_of(unit.made_from, standing.get(&key(unit)));
            let call = Call::new(self.call.identity, self.call.now).on(condition);
            rows.insert(place, one.rows);
            kept.push(there);
            sent.push((place, (call, path, SubmissionChange::Put(one.entered))));
        }
        let (places, changes): (Vec<usize>, Vec<_>) = sent.into_iter().unzip();
        let asked = Asked::each(self.application, changes);
        let entered = in_force.entered_figures();
        let entered = entered.map(|(entry, number, _)| (entry.indicator.number, number));
        let comparing = Comparing {
            edition: snapshot.counters.into(),
            intent: self.intent,
            entered: entered.collect(),
        };
        let mut left = Vec::new();
        let mut chunk = Vec::new();
        let mut refused = Vec::new();
        for ((place, asked), there) in places.into_iter().zip(asked).zip(kept) {
            match (asked, there) {
                (Ok(asked), Some((standing, content)))
                    if comparing.is_there(&asked, standing, content) =>
                {
                    left.push((place, standing.submission.status));
                }
                (Ok(asked), _) => chunk.push((place, asked)),
                (Err(error), _) => refused.push((place, error)),
            }
        }
        self.rows = rows;
        for (place, error) in &refused {
            self.refuse(*place, error);
        }
        for (place, status) in left {
            self.leave(snapshot, place, status)?;
        }
        Ok(chunk)
    }

    /// Puts a unit's cells over its values.
    fn sent(
        &self,
        unit: &FileUnit,
        values: Vec<super::ValueView>,
        content: Option<&Content>,
    ) -> Sent {
        let mut merged = Merged::new();
        if self.unnamed == Unnamed::Kept {
            let values = values.into_iter();
            merged.extend(values.map(|value| {
                let figure = (value.indicator, value.option);
                (figure, (value.value.to_string(), value.qualifier, None))
            }));
        }
        for cell in &unit.cells {
            let Some(figure) = self.cells.figure_at(cell.figure) else {
                continue;
            };
            let name = (figure.indicator.clone(), figure.option.clone());
            match cell.mark {
                Mark::Set(mantissa, qualifier) => {
                    let value = Decimal::new(mantissa, figure.decimals.get()).to_string();
                    merged.insert(name, (value, qualifier, Some(cell.row)));
                }
                Mark::Clear => {
                    merged.remove(&name);
                }
                Mark::Leave => {}
            }
        }
        let rows = merged.values().map(|(_, _, row)| *row).collect();
        let values = merged.into_iter().map(|(figure, value)| {
            let ((indicator, option), (value, qualifier, _)) = (figure, value);
            EnteredValue {
                indicator,
                option,
                value,
                qualifier,
            }
        });
        let narrative = content.map(|content| content.narrative.as_slice());
        let narrative = narrative.unwrap_or_default().iter();
        let narrative = narrative.map(|passage| EnteredPassage {
            section: passage.section.to_string(),
            text: passage.text.clone(),
        });
        Sent {
            entered: Entered {
                values: values.collect(),
                narrative: narrative.collect(),
                nil: content.map_or(Nil::NotDeclared, |content| content.nil),
                intent: self.intent,
                arrival: Arrival::Now,
            },
            rows,
        }
    }

    fn leave(
        &mut self,
        snapshot: &Snapshot,
        place: usize,
        status: Status,
    ) -> Result<(), StoreError> {
        self.done.left += 1;
        self.watcher.advance(1);
        let Some(unit) = self.cells.units.get(place) else {
            return Ok(());
        };
        let tree = snapshot
            .hierarchy
            .tree_on(self.period(snapshot)?.closing_day());
        let place = tree.by_id(unit.unit);
        if let Some(place) = place.filter(|_| self.done.units.len() < MOST_UNITS) {
            let (row, sheet) = self.faults.shown(unit.row);
            self.done.units.push(ImportedUnit {
                unit: UnitName::of(place),
                row,
                sheet,
                effect: ImportEffect::Left,
                status,
                receipt: None,
                warnings: Vec::new(),
            });
        }
        Ok(())
    }

    /// Finds the period, which was there when the file was read.
    fn period<'s>(&self, snapshot: &'s Snapshot) -> Result<FormPeriod<'s>, StoreError> {
        let found = snapshot.base_period(&self.path.form, &self.path.period);
        found.map_err(|_| changed_meanwhile())
    }

    /// Returns the row of a unit's value, and its column, by the place of a fault.
    fn row_of(&self, place: usize, fault: &Fault) -> (u32, Option<&'static str>) {
        let unit_row = self.cells.units.get(place).map_or(0, |unit| unit.row);
        let FaultPlace::Body(at) = &fault.place else {
            return (unit_row, None);
        };
        match at.segments() {
            [Segment::Field("values"), Segment::Index(index), rest @ ..] => {
                let rows = self.rows.get(&place);
                let row = rows.and_then(|rows| *rows.get(*index)?);
                let column = match rest {
                    [Segment::Field(column)] => Some(*column),
                    _ => None,
                };
                match row {
                    Some(row) => (row, column),
                    None => (unit_row, None),
                }
            }
            _ => (unit_row, None),
        }
    }
}

/// Compares what is sent with what is there.
struct Comparing {
    edition: RulesEdition,
    intent: Intent,
    /// The figures that units enter. Totals of closed breakdowns are computed when a submission counts,
    /// and a draft has none.
    entered: HashSet<(IndicatorNumber, OptionNumber)>,
}

impl Comparing {
    /// Returns true if a submission has the values already that are sent, in the state in which they are
    /// sent.
    fn is_there(&self, asked: &Asked, standing: &Standing, content: &Content) -> bool {
        let read = asked.content_by(self.edition);
        let has_values = matches!(read, Some(Ok(read)) if self.is_same(read, content));
        let is_sent = match (self.intent, standing.submission.status) {
            (Intent::Submit, Status::Submitted | Status::Approved) => true,
            (
                Intent::Submit,
                Status::Draft | Status::Returned | Status::Reopened | Status::Withdrawn,
            ) => false,
            (Intent::KeepDraft, _) => true,
        };
        has_values && is_sent
    }

    fn is_same(&self, one: &Content, other: &Content) -> bool {
        let is_entered = |fact: &&Fact| self.entered.contains(&(fact.indicator, fact.option));
        let (facts, others) = (one.facts.iter(), other.facts.iter());
        facts.filter(is_entered).eq(others.filter(is_entered))
            && one.narrative == other.narrative
            && one.nil == other.nil
    }
}

/// Returns the state on which a unit's values build: that of which its sheet was made, otherwise the one
/// that there is.
fn condition_of(made_from: MadeFrom, there: Option<&Standing>) -> Precondition {
    match (made_from, there) {
        (MadeFrom::Revision(revision), _) => {
            Precondition::OneOf(vec![Etag::sent(&revision.get().to_string())])
        }
        (MadeFrom::Nothing, _) | (MadeFrom::Unknown, None) => Precondition::Absent,
        (MadeFrom::Unknown, Some(_)) => Precondition::Present,
    }
}

/// Reads a file by what it begins with.
fn read_file(
    mut file: impl Read + Seek,
    snapshot: &Snapshot,
    period: FormPeriod<'_>,
    watcher: &dyn Watcher,
) -> Result<ReadList, SpreadsheetFault> {
    let mut beginning = Vec::new();
    let read = file.by_ref().take(4).read_to_end(&mut beginning);
    read.and_then(|_| file.rewind())
        .map_err(SpreadsheetFault::Io)?;
    match begins_as_workbook(&beginning) {
        true => read_workbook(file, snapshot, period, watcher),
        false => read_list(file, snapshot, period, watcher),
    }
}

/// Makes the error of rules that are others than those by which the file was read. The same request
/// succeeds by the new ones.
fn changed_meanwhile() -> StoreError {
    StoreError::Unavailable("the form or the map was changed during the import".to_owned())
}

impl Whole for Import<'_> {
    fn next_chunk(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<Vec<(usize, Asked)>, StoreError> {
        if RulesEdition::from(snapshot.counters) != self.edition {
            return Err(changed_meanwhile());
        }
        if self.above.is_none() && self.faults.is_empty() {
            let units = self.cells.units.iter().map(|unit| unit.unit);
            self.above = Some(Above::read(transaction, snapshot, &self.path, units)?);
        }
        loop {
            let places = self.next..(self.next + CHUNK).min(self.cells.units.len());
            if places.is_empty() {
                return Ok(Vec::new());
            }
            self.next = places.end;
            let chunk = self.changes(transaction, snapshot, places)?;
            if !chunk.is_empty() {
                return Ok(chunk);
            }
        }
    }

    fn take_up(&mut self, made: MadeStep) -> Result<(), StoreError> {
        self.watcher.advance(1);
        let effect = match made.outcome {
            Outcome::Created(_) => {
                self.done.created += 1;
                ImportEffect::Created
            }
            Outcome::Done | Outcome::NoContent => {
                self.done.changed += 1;
                ImportEffect::Changed
            }
        };
        let is_written = !self.done.dry_run;
        if is_written {
            self.done.rev = Some(made.view.rev);
        }
        if self.done.units.len() < MOST_UNITS {
            let row = self.cells.units.get(made.place).map_or(0, |unit| unit.row);
            let (row, sheet) = self.faults.shown(row);
            self.done.units.push(ImportedUnit {
                unit: made.view.unit,
                row,
                sheet,
                effect,
                status: made.view.status,
                receipt: made.view.receipt.filter(|_| is_written),
                warnings: made.view.warnings,
            });
        }
        Ok(())
    }

    fn refuse(&mut self, place: usize, refused: &SubmissionError) {
        let explained = refused.explain();
        if explained.faults.is_empty() {
            let unit = self.cells.units.get(place);
            let (row, made_from) =
                unit.map_or((0, MadeFrom::Unknown), |unit| (unit.row, unit.made_from));
            let is_failed = explained.code == Code::PreconditionFailed;
            let message = match is_failed && made_from != MadeFrom::Unknown {
                true => message!("value-list-stale"),
                false => explained.message,
            };
            self.faults.at_cell(row, "unit", explained.code, message);
        }
        for fault in explained.faults {
            let (row, column) = self.row_of(place, &fault);
            match column {
                Some(column) => self.faults.at_cell(row, column, fault.code, fault.message),
                None => self.faults.at_row(row, fault.code, fault.message),
            }
        }
    }

    fn faults(&self) -> &FaultList {
        &self.faults.list
    }

    fn answer(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<Reply, StoreError> {
        if let Some(above) = &self.above {
            self.done.totals = above.moved(transaction, snapshot)?;
            self.done.totals_cut = above.is_cut;
        }
        self.done.units.sort_by_key(|unit| unit.row);
        Reply::new(Outcome::Done, None, &self.done)
    }
}
