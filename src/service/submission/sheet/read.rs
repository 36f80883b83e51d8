//! Reads a sheet that came back: for each unit its cells, each with its indicator and its place, and
//! everything that is wrong, by place. Guesses nothing, and reads no number: that is `written`'s.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::layout::{FORM, ORIGIN, PERIOD, SheetColumn, UNIT};
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::hierarchy::Tree;
use crate::domain::id::{OptionNumber, UnitCode, UnitId};
use crate::domain::naming::Named;
use crate::domain::submission::Revision;
use crate::domain::text::{clipped, folded};
use crate::error::{Code, MOST_FAULTS, Message};
use crate::message;
use crate::sentence::period::period_named;
use crate::spreadsheet::{
    Column, Content, Region, Row, Sheet, SheetVisibility, SpreadsheetFault, Workbook,
};

/// The form and the period that a sheet is read for.
#[derive(Clone, Copy)]
pub struct SheetOf<'s> {
    pub in_force: &'s InForce<'s>,
    /// Of the period's last day.
    pub tree: &'s Tree,
}

/// A sheet as it was read.
#[derive(Debug, Default)]
pub struct ReadSheet {
    /// In the order in which the sheet first names them.
    pub units: Vec<SheetUnit>,
    /// In order; as many as an answer tells.
    pub faults: Vec<SheetFaultAt>,
    /// How many faults there are.
    pub fault_count: usize,
}

/// A unit with its part of a sheet.
#[derive(Debug)]
pub struct SheetUnit {
    pub unit: UnitId,
    pub made_from: MadeFrom,
    pub cells: Vec<SheetCell>,
}

/// The state of a unit's submission when its sheet was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeFrom {
    /// It had entered nothing.
    Nothing,
    Revision(Revision),
    /// The sheet does not say.
    Unknown,
}

/// A cell in which something was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetCell {
    pub indicator: String,
    pub option: Option<String>,
    pub content: Content,
    pub place: CellPlace,
}

/// The place of a cell, as a spreadsheet shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellPlace {
    pub sheet: Arc<str>,
    pub column: Column,
    pub row: u64,
}

impl CellPlace {
    /// Says what is wrong at the place.
    pub fn told(&self, sentence: &Message) -> Message {
        let (cell, sheet) = (self, &self.sheet);
        message!("sheet-fault-at-cell", cell, sheet, sentence)
    }
}

impl fmt::Display for CellPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.column, self.row)
    }
}

/// A fault of a sheet, at a cell or of the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFaultAt {
    pub place: Option<CellPlace>,
    pub fault: SheetFault,
}

/// A reason for which a sheet, or a row of it, cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetFault {
    /// The sheet was made for another form.
    OtherForm {
        made_for: String,
        form: Named,
    },
    /// The sheet was made for another period.
    OtherPeriod {
        made_for: String,
        period: Named,
    },
    /// No sheet of the file has the headings.
    NoHeadings {
        columns: Named,
    },
    /// The headings lack a column.
    ColumnMissing {
        column: Named,
    },
    UnitMissing,
    UnknownUnit {
        text: String,
    },
    /// No unit has the code, and one has it with zeros before it.
    ZerosLost {
        text: String,
        code: String,
    },
    FigureMissing,
    UnknownFigure {
        text: String,
        form: Named,
    },
    /// Several figures have the name.
    AmbiguousFigure {
        text: String,
    },
    /// A figure of a unit has two cells with something in them.
    Twice {
        figure: Named,
        first: CellPlace,
    },
    /// The cell is merged with others.
    Merged,
}

impl SheetFaultAt {
    /// Tells the fault, with its place.
    pub fn told(&self) -> (Code, Message) {
        let (code, sentence) = self.fault.told();
        let Some(place) = &self.place else {
            return (code, sentence);
        };
        (code, place.told(&sentence))
    }
}

impl SheetFault {
    fn told(&self) -> (Code, Message) {
        match self {
            SheetFault::OtherForm { made_for, form } => (
                Code::InvalidValue,
                message!("sheet-other-form", made_for, form),
            ),
            SheetFault::OtherPeriod { made_for, period } => (
                Code::InvalidValue,
                message!("sheet-other-period", made_for, period),
            ),
            SheetFault::NoHeadings { columns } => (
                Code::MalformedSpreadsheet,
                message!("sheet-no-headings", columns),
            ),
            SheetFault::ColumnMissing { column } => (
                Code::MalformedSpreadsheet,
                message!("sheet-column-missing", column),
            ),
            SheetFault::UnitMissing => (Code::UnknownUnit, message!("sheet-unit-missing")),
            SheetFault::UnknownUnit { text } => {
                (Code::UnknownUnit, message!("sheet-unknown-unit", text))
            }
            SheetFault::ZerosLost { text, code } => {
                (Code::UnknownUnit, message!("sheet-zeros-lost", text, code))
            }
            SheetFault::FigureMissing => (Code::UnknownIndicator, message!("sheet-figure-missing")),
            SheetFault::UnknownFigure { text, form } => (
                Code::UnknownIndicator,
                message!("sheet-unknown-figure", text, form),
            ),
            SheetFault::AmbiguousFigure { text } => (
                Code::UnknownIndicator,
                message!("sheet-ambiguous-figure", text),
            ),
            SheetFault::Twice { figure, first } => {
                let sheet = &first.sheet;
                (
                    Code::Duplicate,
                    message!("sheet-twice", figure, first, sheet),
                )
            }
            SheetFault::Merged => (Code::InvalidValue, message!("sheet-merged")),
        }
    }
}

/// Reads a sheet.
///
/// # Errors
/// [`SpreadsheetFault`], if the file cannot be read at all.
pub fn read_sheet<R: Read + Seek>(
    file: R,
    asked: SheetOf<'_>,
) -> Result<ReadSheet, SpreadsheetFault> {
    let mut workbook = Workbook::open(file)?;
    let sheets = workbook.sheets().to_vec();
    let origin = match sheets.iter().find(|sheet| sheet.name == ORIGIN) {
        Some(sheet) => Origin::read(&mut workbook, sheet)?,
        None => Origin::default(),
    };
    let mut reading = Reading::new(asked, origin);
    if let Some(fault) = reading.made_for_another() {
        reading.fault(None, fault);
        return Ok(reading.read);
    }
    let shown = sheets.iter();
    let shown = shown.filter(|sheet| sheet.visibility == SheetVisibility::Shown);
    let mut has_headings = false;
    for sheet in shown {
        has_headings |= reading.take_sheet(&mut workbook, sheet)?;
    }
    if !has_headings {
        let columns = [
            SheetColumn::UnitCode,
            SheetColumn::FigureCode,
            SheetColumn::Value,
        ];
        let columns = Named::list(columns.map(|column| column.heading().into()));
        reading.fault(None, SheetFault::NoHeadings { columns });
    }
    Ok(reading.read)
}

/// The hidden sheet: what the sheet was made of.
#[derive(Default)]
struct Origin {
    form: Option<String>,
    period: Option<String>,
    revisions: HashMap<String, MadeFrom>,
}

impl Origin {
    fn read<R: Read + Seek>(
        workbook: &mut Workbook<R>,
        sheet: &Sheet,
    ) -> Result<Origin, SpreadsheetFault> {
        let mut origin = Origin::default();
        let mut rows = workbook.rows(sheet)?;
        while let Some(row) = rows.next_row()? {
            let text = |column: u16| row.content(Column(column)).and_then(Content::name);
            let Some(name) = text(1).map(str::to_owned) else {
                continue;
            };
            match text(0) {
                Some(FORM) => origin.form = Some(name),
                Some(PERIOD) => origin.period = Some(name),
                Some(UNIT) => {
                    let made_from = text(2).and_then(made_from);
                    origin
                        .revisions
                        .insert(name, made_from.unwrap_or(MadeFrom::Unknown));
                }
                Some(_) | None => {}
            }
        }
        Ok(origin)
    }
}

fn made_from(text: &str) -> Option<MadeFrom> {
    Some(match text.parse().ok()? {
        0 => MadeFrom::Nothing,
        revision => MadeFrom::Revision(Revision::new(revision)),
    })
}

/// The figure of a row: its indicator, and the number of its option or of the total.
type Figure<'s> = (Entry<'s>, OptionNumber);

/// What is known while a workbook is read.
struct Reading<'s> {
    asked: SheetOf<'s>,
    origin: Origin,
    read: ReadSheet,
    /// The place of each unit in what was read, by its code as it is written.
    units: HashMap<String, Result<usize, SheetFault>>,
    /// The place in what was read of each unit.
    places: HashMap<UnitId, usize>,
    /// The first cell of each figure of a unit.
    seen: HashMap<(usize, String), CellPlace>,
    zeros: Zeros,
}

/// The units whose codes begin with zeros, by their codes without them; `None` for several.
type Zeros = HashMap<String, Option<UnitCode>>;

impl<'s> Reading<'s> {
    fn new(asked: SheetOf<'s>, origin: Origin) -> Reading<'s> {
        let mut zeros = Zeros::new();
        for place in asked.tree.places() {
            let code = &place.fact().code;
            let short = code.to_string();
            let short = short.trim_start_matches('0');
            if short.len() < code.to_string().len() {
                zeros
                    .entry(short.to_owned())
                    .and_modify(|known| *known = None)
                    .or_insert_with(|| Some(code.clone()));
            }
        }
        Reading {
            asked,
            origin,
            read: ReadSheet::default(),
            units: HashMap::new(),
            places: HashMap::new(),
            seen: HashMap::new(),
            zeros,
        }
    }

    fn fault(&mut self, place: Option<CellPlace>, fault: SheetFault) {
        self.read.fault_count += 1;
        if self.read.faults.len() < MOST_FAULTS {
            self.read.faults.push(SheetFaultAt { place, fault });
        }
    }

    fn made_for_another(&self) -> Option<SheetFault> {
        let period = &self.asked.in_force.period;
        if let Some(made_for) = &self.origin.form
            && *made_for != period.form.code.to_string()
        {
            return Some(SheetFault::OtherForm {
                made_for: clipped(made_for),
                form: period.named_form(),
            });
        }
        if let Some(made_for) = &self.origin.period
            && *made_for != period.period.to_string()
        {
            return Some(SheetFault::OtherPeriod {
                made_for: clipped(made_for),
                period: period_named(period),
            });
        }
        None
    }

    /// Reads a sheet of the workbook. Tells whether it has the headings.
    fn take_sheet<R: Read + Seek>(
        &mut self,
        workbook: &mut Workbook<R>,
        sheet: &Sheet,
    ) -> Result<bool, SpreadsheetFault> {
        let name: Arc<str> = sheet.name.as_str().into();
        let mut rows = workbook.rows(sheet)?;
        let mut headings = None;
        while let Some(row) = rows.next_row()? {
            match &headings {
                None => headings = self.headings(&name, &row),
                Some(headings) => self.take_row(headings, &name, &row),
            }
        }
        let Some(headings) = headings else {
            return Ok(false);
        };
        for region in rows.merged().to_vec() {
            self.check_merged(&headings, &name, &region);
        }
        Ok(true)
    }

    /// Finds the headings in a row, if they are there. Those that are missing are faults.
    fn headings(&mut self, sheet: &Arc<str>, row: &Row) -> Option<Headings> {
        let headings = Headings::of(row)?;
        for column in headings.missing() {
            let place = CellPlace {
                sheet: sheet.clone(),
                column: Column(0),
                row: row.number,
            };
            let column = column.heading().into();
            self.fault(Some(place), SheetFault::ColumnMissing { column });
        }
        Some(headings)
    }

    fn take_row(&mut self, headings: &Headings, sheet: &Arc<str>, row: &Row) {
        let place = |column: Option<Column>| CellPlace {
            sheet: sheet.clone(),
            column: column.unwrap_or(Column(0)),
            row: row.number,
        };
        let code = headings.text(row, SheetColumn::UnitCode);
        let value = headings.content(row, SheetColumn::Value);
        let figure_code = headings.text(row, SheetColumn::FigureCode);
        if code.is_none() && value.is_none() && figure_code.is_none() {
            return;
        }
        let unit = match self.unit(code) {
            Ok(unit) => unit,
            Err(fault) => {
                let place = place(headings.place(SheetColumn::UnitCode));
                return self.fault(Some(place), fault);
            }
        };
        let Some(content) = value else { return };
        let (entry, option) = match self.figure(headings, row) {
            Ok(figure) => figure,
            Err(fault) => {
                let column = headings.place(SheetColumn::FigureCode);
                let column = column.or(headings.place(SheetColumn::Indicator));
                return self.fault(Some(place(column)), fault);
            }
        };
        let place = place(headings.place(SheetColumn::Value));
        let code = entry.indicator.option_code(option);
        let cell = SheetCell {
            indicator: entry.indicator.code.to_string(),
            option: code.map(ToString::to_string),
            content: content.clone(),
            place: place.clone(),
        };
        let key = (unit, format!("{}[{option:?}]", cell.indicator));
        match self.seen.get(&key).cloned() {
            Some(first) => {
                let figure = entry.figure_named(option);
                self.fault(Some(place), SheetFault::Twice { figure, first });
            }
            None => {
                self.seen.insert(key, place);
                if let Some(unit) = self.read.units.get_mut(unit) {
                    unit.cells.push(cell);
                }
            }
        }
    }

    /// The place of a unit in what was read, by its code.
    fn unit(&mut self, code: Option<&str>) -> Result<usize, SheetFault> {
        let Some(text) = code else {
            return Err(SheetFault::UnitMissing);
        };
        if let Some(known) = self.units.get(text) {
            return known.clone();
        }
        let found = self.find_unit(text);
        self.units.insert(text.to_owned(), found.clone());
        found
    }

    fn find_unit(&mut self, text: &str) -> Result<usize, SheetFault> {
        let code = text.strip_prefix("code:").unwrap_or(text);
        let code = code.parse::<UnitCode>().ok();
        let place = code.and_then(|code| self.asked.tree.by_code(&code));
        let Some(place) = place else {
            let text = clipped(text);
            let with_zeros = self.zeros.get(&text).cloned().flatten();
            return Err(match with_zeros {
                Some(code) => SheetFault::ZerosLost {
                    text,
                    code: code.to_string(),
                },
                None => SheetFault::UnknownUnit { text },
            });
        };
        let unit = place.unit();
        if let Some(known) = self.places.get(&unit) {
            return Ok(*known);
        }
        let made_from = self.origin.revisions.get(&unit.to_string()).copied();
        self.read.units.push(SheetUnit {
            unit,
            made_from: made_from.unwrap_or(MadeFrom::Unknown),
            cells: Vec::new(),
        });
        let at = self.read.units.len() - 1;
        self.places.insert(unit, at);
        Ok(at)
    }

    /// The figure of a row: by its code, or by its names where the sheet has no codes.
    fn figure(&self, headings: &Headings, row: &Row) -> Result<Figure<'s>, SheetFault> {
        if let Some(code) = headings.text(row, SheetColumn::FigureCode) {
            return self.figure_of_code(code);
        }
        let Some(indicator) = headings.text(row, SheetColumn::Indicator) else {
            return Err(SheetFault::FigureMissing);
        };
        let option = headings.text(row, SheetColumn::Option);
        self.figure_of_names(indicator, option)
    }

    fn figure_of_code(&self, code: &str) -> Result<Figure<'s>, SheetFault> {
        let (indicator, option) = match code.strip_suffix(']').and_then(|rest| rest.split_once('['))
        {
            Some((indicator, option)) => (indicator, Some(option)),
            None => (code, None),
        };
        let found = self.asked.in_force.figure(indicator, option);
        found
            .map(|(entry, option)| (*entry, option))
            .ok_or_else(|| self.unknown_figure(code))
    }

    fn figure_of_names(
        &self,
        indicator: &str,
        option: Option<&str>,
    ) -> Result<Figure<'s>, SheetFault> {
        let entries = self.asked.in_force.entries().iter();
        let mut found = entries
            .filter(|entry| is_named(&entry.definition.name, indicator))
            .flat_map(|entry| {
                let options = entry.options().into_iter();
                options.map(|(number, known)| (*entry, number, known))
            })
            .filter(|(_, _, known)| match (known, option) {
                (None, None) => true,
                (Some(known), Some(option)) => is_named(&known.name, option),
                (Some(_), None) | (None, Some(_)) => false,
            });
        let text = match option {
            None => indicator.to_owned(),
            Some(option) => format!("{indicator}: {option}"),
        };
        match (found.next(), found.next()) {
            (Some((entry, number, _)), None) => Ok((entry, number)),
            (None, _) => Err(self.unknown_figure(&text)),
            (Some(_), Some(_)) => Err(SheetFault::AmbiguousFigure {
                text: clipped(&text),
            }),
        }
    }

    fn unknown_figure(&self, text: &str) -> SheetFault {
        SheetFault::UnknownFigure {
            text: clipped(text),
            form: self.asked.in_force.period.named_form(),
        }
    }

    /// Refuses merged cells where values or codes are: only the first of them has a content.
    fn check_merged(&mut self, headings: &Headings, sheet: &Arc<str>, region: &Region) {
        let columns = [
            SheetColumn::UnitCode,
            SheetColumn::FigureCode,
            SheetColumn::Value,
        ];
        let columns = columns.into_iter().filter_map(|one| headings.place(one));
        let is_below = region.last_row > headings.row;
        for column in columns {
            if is_below && region.holds(region.first_row, column) {
                let place = CellPlace {
                    sheet: sheet.clone(),
                    column,
                    row: region.first_row,
                };
                return self.fault(Some(place), SheetFault::Merged);
            }
        }
    }
}

fn is_named(name: &crate::domain::text::LocalizedText, text: &str) -> bool {
    let text = folded(text);
    let english = name.en.as_ref();
    folded(&name.vi) == text || english.is_some_and(|name| folded(name) == text)
}

/// The row of headings, and the columns that were found by them.
struct Headings {
    row: u64,
    columns: HashMap<SheetColumn, Column>,
}

impl Headings {
    /// Finds the headings in a row; `None` where it is another row. Two of those that are needed are
    /// enough to know it.
    fn of(row: &Row) -> Option<Headings> {
        let mut columns = HashMap::new();
        for cell in &row.cells {
            let Content::Text(text) = &cell.content else {
                continue;
            };
            let text = folded(text);
            let column = SheetColumn::ALL.into_iter().find(|column| {
                let heading = column.heading();
                let names = [folded(&heading.vi), folded(&heading.en)];
                names.contains(&text)
            });
            if let Some(column) = column {
                columns.entry(column).or_insert(cell.column);
            }
        }
        let headings = Headings {
            row: row.number,
            columns,
        };
        (headings.columns.len() >= 2 && headings.missing().len() < 2).then_some(headings)
    }

    /// The columns without which no row can be read. Codes of figures can be left out where names are.
    fn missing(&self) -> Vec<SheetColumn> {
        let has = |column: &SheetColumn| self.columns.contains_key(column);
        let figure = match has(&SheetColumn::Indicator) {
            true => SheetColumn::Indicator,
            false => SheetColumn::FigureCode,
        };
        let needed = [SheetColumn::UnitCode, figure, SheetColumn::Value];
        needed.into_iter().filter(|column| !has(column)).collect()
    }

    fn place(&self, column: SheetColumn) -> Option<Column> {
        self.columns.get(&column).copied()
    }

    fn content<'r>(&self, row: &'r Row, column: SheetColumn) -> Option<&'r Content> {
        row.content(self.place(column)?)
    }

    /// The text of a cell that is not blank.
    fn text<'r>(&self, row: &'r Row, column: SheetColumn) -> Option<&'r str> {
        let text = self.content(row, column)?.name()?;
        (!text.is_empty()).then_some(text)
    }
}
