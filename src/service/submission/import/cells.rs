//! What a file says, by unit and figure, as compactly as a country's file needs it. Never how a file
//! is laid out, and never what is there already.

use std::collections::HashMap;

use super::super::sheet::MadeFrom;
use crate::domain::catalogue::Entry;
use crate::domain::id::{IndicatorNumber, OptionNumber, UnitId};
use crate::domain::quantity::{Decimals, Qualifier};

/// What a cell does to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Sets it, at the decimals of the figure.
    Set(i64, Qualifier),
    /// Takes it out.
    Clear,
    /// Leaves it as it is.
    Leave,
}

/// A cell of the file: the figure by its number in [`Cells::figures`], and the row. In a sheet the row
/// is the number of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileCell {
    pub figure: u32,
    pub row: u32,
    pub mark: Mark,
}

/// A unit that the file names.
#[derive(Debug)]
pub(super) struct FileUnit {
    pub unit: UnitId,
    /// The first row that names it.
    pub row: u32,
    pub cells: Vec<FileCell>,
    /// The state of its submission when its sheet was made.
    pub made_from: MadeFrom,
    /// True if a row of it is refused already, so that the rest says nothing of the whole.
    pub is_faulty: bool,
}

/// A figure that the file names, as a request names it.
#[derive(Debug)]
pub(super) struct FileFigure {
    pub indicator: String,
    pub option: Option<String>,
    pub decimals: Decimals,
}

/// All that a file says.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub figures: Vec<FileFigure>,
    /// In the order in which the file names them.
    pub units: Vec<FileUnit>,
    numbers: HashMap<(IndicatorNumber, OptionNumber), u32>,
    places: HashMap<UnitId, usize>,
}

impl Cells {
    /// Finds a unit, or adds it with the row that names it.
    pub fn unit(&mut self, unit: UnitId, row: u32) -> Option<&mut FileUnit> {
        let units = &mut self.units;
        let place = *self.places.entry(unit).or_insert_with(|| {
            units.push(FileUnit {
                unit,
                row,
                cells: Vec::new(),
                made_from: MadeFrom::Unknown,
                is_faulty: false,
            });
            units.len() - 1
        });
        self.units.get_mut(place)
    }

    /// Leaves out the units for which the file has nothing but empty cells: nothing is entered for
    /// them, not even that they have nothing. For the end of reading: no unit is found afterwards.
    pub fn leave_out_untouched(&mut self) {
        self.places.clear();
        self.units.retain(|unit| {
            let mut cells = unit.cells.iter();
            unit.is_faulty || cells.any(|cell| cell.mark != Mark::Leave)
        });
    }

    /// Returns the number of a figure.
    pub fn figure(&mut self, entry: &Entry<'_>, option: OptionNumber) -> u32 {
        let key = (entry.indicator.number, option);
        let figures = &mut self.figures;
        *self.numbers.entry(key).or_insert_with(|| {
            let code = entry.indicator.option_code(option);
            figures.push(FileFigure {
                indicator: entry.indicator.code.to_string(),
                option: code.map(ToString::to_string),
                decimals: entry.definition.decimals,
            });
            u32::try_from(figures.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Returns a figure by its number.
    pub fn figure_at(&self, number: u32) -> Option<&FileFigure> {
        self.figures.get(usize::try_from(number).ok()?)
    }
}
