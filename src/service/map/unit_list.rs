//! Lists of units as files have them: reads their rows, whatever columns say it. Never what is there
//! already.

use serde::Deserialize;

use super::office_list::OfficeList;
use super::unit::UnitError;
use crate::domain::level::Level;
use crate::domain::text::composed;
use crate::error::Fault;
use crate::message;
use crate::service::application::table::{Listed, Table, list_of};
use crate::spreadsheet::TableFile;

/// A unit of a list, as it was entered.
pub(super) struct UnitRow {
    pub code: String,
    pub name: String,
    pub level: String,
    /// The code of the unit above; empty for a root.
    pub parent_code: String,
    /// Empty if the list says none.
    pub kind: String,
    /// The number of the row among all, from 0. A row can list several units.
    pub index: usize,
    /// The line in the file, where the heading is line 1; `None` for an added row.
    pub line: Option<u64>,
    /// The columns that say this of the unit.
    pub columns: UnitColumns,
}

impl UnitRow {
    fn is_root(&self) -> bool {
        self.parent_code.is_empty()
    }
}

/// The headings of the columns that say what a unit is.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitColumns {
    pub code: &'static str,
    pub name: &'static str,
    pub level: &'static str,
    pub parent: &'static str,
    pub kind: &'static str,
    pub zeros: Zeros,
}

/// Whether a code in a list may have lost the zeros before it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zeros {
    MayLack,
    /// The length of each code is known and was checked.
    Checked,
}

impl UnitColumns {
    const PLAIN: UnitColumns = UnitColumns {
        code: "code",
        name: "name",
        level: "level",
        parent: "parent_code",
        kind: "kind",
        zeros: Zeros::MayLack,
    };

    /// Returns the column of a field of a unit.
    pub(super) fn column(self, field: &'static str) -> &'static str {
        match field {
            "code" => self.code,
            "name" => self.name,
            "level" => self.level,
            "parent" => self.parent,
            "kind" => self.kind,
            other => other,
        }
    }
}

/// The rows of a list, and the faults of those that cannot be read.
pub(super) struct UnitRows {
    pub rows: Vec<UnitRow>,
    pub unreadable: Vec<Fault>,
}

/// The code of the unit above all others, that of the country (ISO 3166).
const COUNTRY: &str = "VN";

impl UnitRows {
    /// Puts the rows below one more unit, if several of them are roots.
    pub(super) fn with_country(self, country: Option<&str>) -> UnitRows {
        let UnitRows {
            mut rows,
            unreadable,
        } = self;
        let next = rows.iter().map(|row| row.index + 1).max();
        let mut roots: Vec<&mut UnitRow> = rows.iter_mut().filter(|row| row.is_root()).collect();
        if let (Some(name), Some(level), true) = (country, Level::country(), roots.len() > 1) {
            for root in &mut roots {
                root.parent_code = COUNTRY.to_owned();
            }
            rows.push(UnitRow {
                code: COUNTRY.to_owned(),
                name: composed(name).into_owned(),
                level: level.code.to_string(),
                parent_code: String::new(),
                kind: String::new(),
                index: next.unwrap_or_default() + unreadable.len(),
                line: None,
                columns: UnitColumns::PLAIN,
            });
        }
        UnitRows { rows, unreadable }
    }
}

/// Reads a list by its heading. A list without a readable row is refused at once.
///
/// # Errors
/// [`UnitError`].
pub(super) fn read_unit_list(file: &[u8]) -> Result<UnitRows, UnitError> {
    let mut file = TableFile::open(file)?;
    let table = Table::begin(file.rows()?)?;
    let office = table.as_ref().and_then(OfficeList::of);
    match (table, office) {
        (Some(table), Some(list)) => list.read(table),
        (table, _) => read_plain(table),
    }
}

/// A row of a list with the columns of this service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainRow {
    code: String,
    name: String,
    level: String,
    parent_code: String,
    #[serde(default)]
    kind: String,
}

impl From<Listed<PlainRow>> for UnitRow {
    fn from(Listed { index, line, row }: Listed<PlainRow>) -> UnitRow {
        UnitRow {
            code: row.code,
            name: row.name,
            level: row.level,
            parent_code: row.parent_code,
            kind: row.kind,
            index,
            line: Some(line),
            columns: UnitColumns::PLAIN,
        }
    }
}

fn read_plain(table: Option<Table<'_, '_>>) -> Result<UnitRows, UnitError> {
    let mut rows = Vec::new();
    if let Some(table) = table {
        let columns = ["code", "name", "level", "parent_code"];
        table.read::<PlainRow>(&columns, |row| rows.push(row))?;
    }
    let (listed, unreadable) = list_of(
        rows,
        |line| message!("unit-list-wrong-columns", line),
        || message!("unit-list-empty"),
    );
    if listed.is_empty() {
        return Err(UnitError::Malformed(unreadable));
    }
    let rows = listed.into_iter().map(UnitRow::from).collect();
    Ok(UnitRows { rows, unreadable })
}
