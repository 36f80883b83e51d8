//! Reads a sheet that came back: what its cells do to the values of its units. Its layout is `sheet`'s.

use std::io::{Read, Seek};

use super::super::sheet::{SheetCell, SheetOf, SheetUnit, read_sheet};
use super::cells::{Cells, FileCell, Mark};
use super::csv::{ReadList, option_of};
use super::{FileFaults, ReadNumbers};
use crate::authz::Action;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Tree;
use crate::domain::id::OptionNumber;
use crate::domain::naming::Named;
use crate::domain::quantity::{Qualifier, read_quantity};
use crate::domain::submission::SubmissionFault;
use crate::domain::written::{Marks, Scale, asks_to_empty, read_percent, read_written};
use crate::error::{Code, Explain, Message};
use crate::message;
use crate::sentence::Sentence;
use crate::sentence::written::wrong_written;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Phase, Watcher};
use crate::spreadsheet::{Content, SpreadsheetFault};

/// Reads all cells of a sheet in which something was entered.
///
/// # Errors
/// [`SpreadsheetFault`] if the file cannot be read at all.
pub(super) fn read_workbook(
    file: impl Read + Seek,
    snapshot: &Snapshot,
    period: FormPeriod<'_>,
    watcher: &dyn Watcher,
) -> Result<ReadList, SpreadsheetFault> {
    watcher.begin(Phase::Values, 0);
    let tree = &snapshot.hierarchy.tree_on(period.closing_day());
    let in_force = &snapshot.catalogue.in_force(period);
    let sheet = read_sheet(file, SheetOf { in_force, tree })?;
    let mut faults = FileFaults::in_cells();
    faults.take(sheet.faults, sheet.fault_count);
    let mut reading = Reading {
        snapshot,
        in_force,
        tree,
        list: ReadList {
            cells: Cells::default(),
            faults,
            numbers: ReadNumbers::default(),
        },
    };
    for unit in sheet.units {
        let length = unit.cells.len();
        reading.take(unit);
        watcher.advance(length);
    }
    reading.list.cells.leave_out_untouched();
    if reading.list.cells.units.is_empty() && reading.list.faults.is_empty() {
        reading.list.faults.at_file(message!("value-list-empty"));
    }
    Ok(reading.list)
}

struct Reading<'r, 'c> {
    snapshot: &'r Snapshot,
    in_force: &'r InForce<'c>,
    tree: &'r Tree,
    list: ReadList,
}

/// What a cell says: a number, or that there is none.
struct CellNumber {
    mark: Mark,
    marks: Marks,
    /// True if a formula made it.
    is_computed: bool,
}

impl Reading<'_, '_> {
    fn take(&mut self, unit: SheetUnit) {
        let Some(first) = unit.cells.first() else {
            return;
        };
        let row = self.list.faults.place(&first.place);
        let access = &self.snapshot.access;
        let place = self.tree.by_id(unit.unit);
        let permit = place.map(|place| access.to_unit(Action::ChangeSubmissions, self.tree, place));
        if let Some(Err(denied)) = permit {
            let explained = denied.explain();
            let faults = &mut self.list.faults;
            faults.at_cell(row, "unit", explained.code, explained.message);
            return;
        }
        for cell in unit.cells {
            let row = self.list.faults.place(&cell.place);
            let read = self.cell(row, &cell);
            let Some(known) = self.list.cells.unit(unit.unit, row) else {
                continue;
            };
            known.made_from = unit.made_from;
            match read {
                Some((figure, mark)) => known.cells.push(FileCell { figure, row, mark }),
                None => known.is_faulty = true,
            }
        }
    }

    fn cell(&mut self, row: u32, cell: &SheetCell) -> Option<(u32, Mark)> {
        // The reader of the sheet has found both.
        let entry = self.in_force.entry_written(&cell.indicator)?;
        let option = match &cell.option {
            None => OptionNumber::TOTAL,
            Some(option) => option_of(entry, option)?,
        };
        let number = match number_of(&cell.content, entry) {
            Ok(number) => number,
            Err((code, message)) => {
                self.list.faults.at_cell(row, "value", code, message);
                return None;
            }
        };
        if let Mark::Set(mantissa, qualifier) = number.mark {
            let is_plain = number.marks == Marks::default() && qualifier == Qualifier::Exact;
            if !is_plain || number.is_computed {
                let text = cell.content.shown();
                let decimals = entry.definition.decimals;
                let how = match number.is_computed {
                    true => message!("value-list-computed"),
                    false => crate::sentence::written::marks(number.marks),
                };
                let faults = &self.list.faults;
                self.list
                    .numbers
                    .add(faults, row, &text, (mantissa, decimals, qualifier), how);
            }
        }
        Some((self.list.cells.figure(entry, option), number.mark))
    }
}

/// Reads what a cell says of a figure.
fn number_of(content: &Content, entry: &Entry<'_>) -> Result<CellNumber, (Code, Message)> {
    let name = entry.named();
    let scale = Scale {
        decimals: entry.definition.decimals,
        unit_of_measure: &entry.definition.unit_of_measure,
    };
    let plain = |mantissa| CellNumber {
        mark: Mark::Set(mantissa, Qualifier::Exact),
        marks: Marks::default(),
        is_computed: false,
    };
    match content {
        Content::Text(text) if text.trim().is_empty() => Ok(CellNumber {
            mark: Mark::Leave,
            ..plain(0)
        }),
        Content::Text(text) if asks_to_empty(text) => Ok(CellNumber {
            mark: Mark::Clear,
            ..plain(0)
        }),
        Content::Text(text) => {
            let written =
                read_written(text, scale).map_err(|wrong| wrong_written(&name, &wrong))?;
            Ok(CellNumber {
                mark: Mark::Set(written.mantissa, written.qualifier),
                marks: written.marks,
                is_computed: false,
            })
        }
        Content::Number(number) => {
            let read = read_quantity(number, scale.decimals);
            let read = read.map_err(|wrong| {
                let indicator = entry.named();
                SubmissionFault::Quantity { indicator, wrong }.sentence()
            });
            read.map(plain)
        }
        Content::Percent(number) => {
            let read = read_percent(number, scale);
            read.map(plain)
                .map_err(|wrong| wrong_written(&name, &wrong))
        }
        Content::Formula(Some(value)) => Ok(CellNumber {
            is_computed: true,
            ..number_of(value, entry)?
        }),
        Content::LongNumber(_)
        | Content::Date(_)
        | Content::Boolean(_)
        | Content::Error(_)
        | Content::Formula(None) => Err((Code::InvalidNumber, no_number(content, &name))),
    }
}

/// Says what a cell has instead of a number.
fn no_number(content: &Content, name: &Named) -> Message {
    let text = content.shown();
    match content {
        Content::LongNumber(_) => message!("value-list-long-number", name),
        Content::Date(_) => message!("value-list-date", name, text),
        Content::Formula(_) => message!("value-list-not-computed", name),
        Content::Text(_)
        | Content::Number(_)
        | Content::Percent(_)
        | Content::Boolean(_)
        | Content::Error(_) => message!("value-list-no-number", name, text),
    }
}
