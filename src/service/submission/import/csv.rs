//! Reads a list of values: CSV with the columns `unit,indicator,value` and, optionally, `option` and
//! `qualifier`, in any order. Never what is there already.

use std::collections::HashMap;
use std::io::Read;

use super::cells::{Cells, FileCell, Mark};
use super::{FileFaults, ReadNumbers};
use crate::authz::Action;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Tree;
use crate::domain::id::{OptionCode, OptionNumber, UnitCode, UnitId};
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{unknown_indicator, unknown_option};
use crate::domain::text::clipped;
use crate::domain::unit::UnitReference;
use crate::domain::written::{Marks, Scale, asks_to_empty, read_written};
use crate::error::{Code, Explain, Message};
use crate::locale::Quoted;
use crate::message;
use crate::sentence::Sentence;
use crate::sentence::written::{marks, wrong_written};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Phase, Watcher};
use crate::spreadsheet::{Column, Content, DelimitedRows, Row, SpreadsheetFault};

/// The columns of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ListColumn {
    Unit,
    Indicator,
    Option,
    Value,
    Qualifier,
}

impl ListColumn {
    const ALL: [ListColumn; 5] = [
        ListColumn::Unit,
        ListColumn::Indicator,
        ListColumn::Option,
        ListColumn::Value,
        ListColumn::Qualifier,
    ];

    fn name(self) -> &'static str {
        match self {
            ListColumn::Unit => "unit",
            ListColumn::Indicator => "indicator",
            ListColumn::Option => "option",
            ListColumn::Value => "value",
            ListColumn::Qualifier => "qualifier",
        }
    }

    fn is_required(self) -> bool {
        matches!(
            self,
            ListColumn::Unit | ListColumn::Indicator | ListColumn::Value
        )
    }
}

/// What was read of a list.
pub(super) struct ReadList {
    pub cells: Cells,
    pub faults: FileFaults,
    pub numbers: ReadNumbers,
}

/// Reads all rows of a list.
///
/// # Errors
/// [`SpreadsheetFault`] if the file cannot be read at all.
pub(super) fn read_list(
    file: impl Read,
    snapshot: &Snapshot,
    period: FormPeriod<'_>,
    watcher: &dyn Watcher,
) -> Result<ReadList, SpreadsheetFault> {
    let tree = &snapshot.hierarchy.tree_on(period.closing_day());
    let in_force = &snapshot.catalogue.in_force(period);
    let mut rows = DelimitedRows::open(file)?;
    watcher.begin(Phase::Values, 0);
    let mut reading = Reading {
        snapshot,
        in_force,
        tree,
        known: HashMap::new(),
        without_zeros: HashMap::new(),
        list: ReadList {
            cells: Cells::default(),
            faults: FileFaults::default(),
            numbers: ReadNumbers::default(),
        },
    };
    let Some(columns) = rows.next_row()?.map(|row| reading.heading(&row)) else {
        reading.list.faults.at_file(message!("value-list-empty"));
        return Ok(reading.list);
    };
    let Some(columns) = columns else {
        return Ok(reading.list);
    };
    while let Some(row) = rows.next_row()? {
        reading.read(&row, &columns);
        watcher.advance(1);
    }
    reading.list.cells.leave_out_untouched();
    if reading.list.cells.units.is_empty() && reading.list.faults.is_empty() {
        reading.list.faults.at_file(message!("value-list-empty"));
    }
    Ok(reading.list)
}

/// Where each column is.
type Columns = HashMap<ListColumn, Column>;

struct Reading<'r, 'c> {
    snapshot: &'r Snapshot,
    in_force: &'r InForce<'c>,
    tree: &'r Tree,
    /// The units by the texts that named them; none for one that is refused.
    known: HashMap<String, Option<UnitId>>,
    /// The codes by what a spreadsheet leaves of them, once one is looked for.
    without_zeros: HashMap<&'r str, &'r str>,
    list: ReadList,
}

impl<'r> Reading<'r, '_> {
    /// Finds the columns; nothing if one is missing, or is none.
    fn heading(&mut self, row: &Row) -> Option<Columns> {
        let mut columns = Columns::new();
        let mut unknown = Vec::new();
        for cell in &row.cells {
            let text = cell.content.shown().trim().to_lowercase();
            let mut all = ListColumn::ALL.into_iter();
            match all.find(|column| column.name() == text) {
                Some(column) => {
                    columns.insert(column, cell.column);
                }
                None => unknown.push(clipped(&text)),
            }
        }
        let missing = ListColumn::ALL.into_iter();
        let missing =
            missing.filter(|column| column.is_required() && !columns.contains_key(column));
        let missing: Vec<&str> = missing.map(ListColumn::name).collect();
        let (number, faults) = (row_number(row), &mut self.list.faults);
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let message = message!("value-list-missing-columns", columns = missing);
            faults.at_row(number, Code::MalformedCsv, message);
            return None;
        }
        if !unknown.is_empty() {
            let message = message!("value-list-unknown-columns", columns = unknown.join(", "));
            faults.at_row(number, Code::MalformedCsv, message);
            return None;
        }
        Some(columns)
    }

    fn read(&mut self, row: &Row, columns: &Columns) {
        let text = |column: ListColumn| {
            let at = columns.get(&column)?;
            match row.content(*at)? {
                Content::Text(text) => Some(text.as_str()),
                _ => None,
            }
        };
        let number = row_number(row);
        if let Some(surplus) = beyond(row, columns) {
            let message = message!("value-list-row-too-wide", text = surplus);
            let faults = &mut self.list.faults;
            return faults.at_row(number, Code::MalformedCsv, message);
        }
        let unit = self.unit(row, text(ListColumn::Unit));
        let mark = self.cell(row, &text);
        let Some(unit) = unit else {
            return;
        };
        let Some(unit) = self.list.cells.unit(unit, number) else {
            return;
        };
        match mark {
            Some((figure, mark)) => unit.cells.push(FileCell {
                figure,
                row: number,
                mark,
            }),
            None => unit.is_faulty = true,
        }
    }

    /// Finds the unit of a row, which the account must be able to enter for.
    fn unit(&mut self, row: &Row, text: Option<&str>) -> Option<UnitId> {
        let Some(text) = text else {
            self.fault(
                row,
                ListColumn::Unit,
                Code::MissingField,
                message!("value-list-no-unit"),
            );
            return None;
        };
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let found = self.find(text);
        let unit = match found {
            Ok(unit) => Some(unit),
            Err((code, message)) => {
                self.fault(row, ListColumn::Unit, code, message);
                None
            }
        };
        self.known.insert(text.to_owned(), unit);
        unit
    }

    fn find(&mut self, text: &str) -> Result<UnitId, (Code, Message)> {
        let bare = text.parse::<UnitCode>().ok();
        let by_code = bare.as_ref().and_then(|code| self.tree.by_code(code));
        let by_name = || self.tree.find(&text.parse::<UnitReference>().ok()?);
        let Some(place) = by_code.or_else(by_name) else {
            return Err((Code::UnknownUnit, self.why_unknown(text)));
        };
        let permit = self
            .snapshot
            .access
            .to_unit(Action::ChangeSubmissions, self.tree, place);
        match permit {
            Ok(_) => Ok(place.unit()),
            Err(denied) => {
                let explained = denied.explain();
                Err((explained.code, explained.message))
            }
        }
    }

    /// Says that there is no such unit. A code that has lost its zeros is named and never taken, and
    /// only to whoever may enter for its unit.
    fn why_unknown(&mut self, text: &str) -> Message {
        if self.without_zeros.is_empty() {
            let places = self.tree.places();
            let entered = places.filter(|place| {
                let access = &self.snapshot.access;
                let permit = access.to_unit(Action::ChangeSubmissions, self.tree, *place);
                permit.is_ok()
            });
            let codes = entered.map(|place| place.fact().code.as_str());
            self.without_zeros = codes.map(|code| (without_zeros(code), code)).collect();
        }
        let code = text.strip_prefix("code:").unwrap_or(text);
        let day = self.in_force.period.closing_day();
        match self.without_zeros.get(without_zeros(code)) {
            Some(twin) => message!("value-list-unit-twin", name = clipped(code), twin),
            None => message!(
                "value-list-unit-unknown",
                name = Quoted(&clipped(code)),
                day
            ),
        }
    }

    /// Reads the figure of a row and what the row does to it.
    fn cell<'t>(
        &mut self,
        row: &Row,
        text: &impl Fn(ListColumn) -> Option<&'t str>,
    ) -> Option<(u32, Mark)> {
        let in_force = self.in_force;
        let Some(indicator) = text(ListColumn::Indicator) else {
            let message = message!("value-list-no-indicator");
            self.fault(row, ListColumn::Indicator, Code::MissingField, message);
            return None;
        };
        let Some(entry) = in_force.entry_written(indicator) else {
            let (code, message) = unknown_indicator(indicator, in_force).sentence();
            self.fault(row, ListColumn::Indicator, code, message);
            return None;
        };
        let option = match text(ListColumn::Option) {
            None => OptionNumber::TOTAL,
            Some(option) => match option_of(entry, option) {
                Some(number) => number,
                None => {
                    let (code, message) = unknown_option(entry, option).sentence();
                    self.fault(row, ListColumn::Option, code, message);
                    return None;
                }
            },
        };
        let mark = self.mark(row, entry, text)?;
        Some((self.list.cells.figure(entry, option), mark))
    }

    fn mark<'t>(
        &mut self,
        row: &Row,
        entry: &Entry<'_>,
        text: &impl Fn(ListColumn) -> Option<&'t str>,
    ) -> Option<Mark> {
        let Some(value) = text(ListColumn::Value) else {
            return Some(Mark::Leave);
        };
        if asks_to_empty(value) {
            return Some(Mark::Clear);
        }
        let scale = Scale {
            decimals: entry.definition.decimals,
            unit_of_measure: &entry.definition.unit_of_measure,
        };
        let written = match read_written(value, scale) {
            Ok(written) => written,
            Err(wrong) => {
                let (code, message) = wrong_written(&entry.named(), &wrong);
                self.fault(row, ListColumn::Value, code, message);
                return None;
            }
        };
        let qualifier = match text(ListColumn::Qualifier).map(qualifier_of) {
            None => written.qualifier,
            Some(Some(told)) if written.qualifier == Qualifier::Exact => told,
            Some(Some(told)) if written.qualifier == told => told,
            Some(Some(_)) => {
                let message = message!("value-list-two-qualifiers");
                self.fault(row, ListColumn::Qualifier, Code::InvalidValue, message);
                return None;
            }
            Some(None) => {
                let message = message!("value-list-qualifier");
                self.fault(row, ListColumn::Qualifier, Code::InvalidValue, message);
                return None;
            }
        };
        if written.marks != Marks::default() || written.qualifier != Qualifier::Exact {
            let read = (written.mantissa, scale.decimals, qualifier);
            let how = marks(written.marks);
            let ReadList {
                faults, numbers, ..
            } = &mut self.list;
            numbers.add(faults, row_number(row), value, read, how);
        }
        Some(Mark::Set(written.mantissa, qualifier))
    }

    fn fault(&mut self, row: &Row, column: ListColumn, code: Code, message: Message) {
        let faults = &mut self.list.faults;
        faults.at_cell(row_number(row), column.name(), code, message);
    }
}

/// Finds an option by its code.
pub(super) fn option_of(entry: &Entry<'_>, text: &str) -> Option<OptionNumber> {
    let code = text.parse::<OptionCode>().ok()?;
    let mut options = entry.definition.options();
    options.find(|known| known.code == code)?;
    entry.indicator.option_number(&code)
}

/// Returns what stands in a row where the list has no column. A number with a decimal comma and without
/// quotation marks is cut there, so that what is left of it must not be read.
fn beyond(row: &Row, columns: &Columns) -> Option<String> {
    let mut cells = row.cells.iter();
    let surplus = cells.find(|cell| columns.values().all(|column| *column != cell.column))?;
    Some(clipped(&surplus.content.shown()))
}

/// The row that a spreadsheet shows.
fn row_number(row: &Row) -> u32 {
    u32::try_from(row.number).unwrap_or(u32::MAX)
}

fn qualifier_of(text: &str) -> Option<Qualifier> {
    match text {
        "exact" => Some(Qualifier::Exact),
        "at_least" => Some(Qualifier::AtLeast),
        "at_most" => Some(Qualifier::AtMost),
        "estimate" => Some(Qualifier::Estimate),
        _ => None,
    }
}

/// What a spreadsheet leaves of a code that it takes for a number.
fn without_zeros(code: &str) -> &str {
    code.trim_start_matches('0')
}
