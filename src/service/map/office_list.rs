//! Lists of units as the General Statistics Office gives them, turned into those of this service: all
//! units with a row for each commune, or the units of one level. Guesses no zero that a code lost.
//!
//! | list | columns |
//! |---|---|
//! | all units | `Tỉnh Thành Phố, Mã TP, Quận Huyện, Mã QH, Phường Xã, Mã PX, Cấp` |
//! | provinces | `Mã, Tên, Cấp` |
//! | districts | `Mã, Tên, Cấp, Mã TP, Tỉnh / Thành Phố` |
//! | communes | `Mã, Tên, Cấp, Mã QH, Quận Huyện, Mã TP, Tỉnh / Thành Phố` |
//!
//! Since July 2025 they lack the district. Other columns, such as the English name, are passed over.

use std::collections::HashMap;

use itertools::Itertools;
use serde::Deserialize;

use super::unit::UnitError;
use super::unit_list::{UnitColumns, UnitRow, UnitRows, Zeros};
use crate::domain::naming::Named;
use crate::domain::text::clipped;
use crate::error::{Code, Fault, MOST_FAULTS, Message};
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::service::application::table::{Listed, Table, in_order_of_list, list_of};

const PROVINCE_CODE: &str = "Mã TP";
const PROVINCE_NAME: &str = "Tỉnh Thành Phố";
const DISTRICT_CODE: &str = "Mã QH";
const DISTRICT_NAME: &str = "Quận Huyện";
const COMMUNE_CODE: &str = "Mã PX";
const COMMUNE_NAME: &str = "Phường Xã";
const OWN_CODE: &str = "Mã";
const OWN_NAME: &str = "Tên";
const KIND: &str = "Cấp";

/// A list of the office, by the columns that it has.
#[derive(Debug, Clone, Copy)]
pub(super) enum OfficeList {
    /// All units; with districts or without.
    All(Districts),
    Provinces,
    /// Units below provinces, of the level that their kind says.
    BelowProvinces,
    /// Communes with their districts.
    BelowDistricts,
}

/// Whether a list names districts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Districts {
    Named,
    Absent,
}

impl OfficeList {
    /// Recognises a list by the columns of its codes.
    pub(super) fn of(table: &Table<'_, '_>) -> Option<OfficeList> {
        let has_districts = table.has(DISTRICT_CODE) || table.has(DISTRICT_NAME);
        let has_provinces = table.has(PROVINCE_CODE) || table.has(PROVINCE_NAME);
        if table.has(OWN_CODE) {
            return Some(match (has_districts, has_provinces) {
                (true, _) => OfficeList::BelowDistricts,
                (false, true) => OfficeList::BelowProvinces,
                (false, false) => OfficeList::Provinces,
            });
        }
        let is_all = table.has(PROVINCE_CODE) || table.has(COMMUNE_CODE);
        is_all.then_some(OfficeList::All(match has_districts {
            true => Districts::Named,
            false => Districts::Absent,
        }))
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            OfficeList::All(Districts::Named) => &[
                PROVINCE_NAME,
                PROVINCE_CODE,
                DISTRICT_NAME,
                DISTRICT_CODE,
                COMMUNE_NAME,
                COMMUNE_CODE,
            ],
            OfficeList::All(Districts::Absent) => {
                &[PROVINCE_NAME, PROVINCE_CODE, COMMUNE_NAME, COMMUNE_CODE]
            }
            OfficeList::Provinces => &[OWN_CODE, OWN_NAME, KIND],
            OfficeList::BelowProvinces => &[OWN_CODE, OWN_NAME, KIND, PROVINCE_CODE],
            OfficeList::BelowDistricts => &[OWN_CODE, OWN_NAME, KIND, DISTRICT_CODE],
        }
    }

    /// Reads the units. If a code is not as the office writes it, or two rows contradict each other,
    /// only that is reported: what else seems wrong may follow from it.
    ///
    /// # Errors
    /// [`UnitError`].
    pub(super) fn read(self, table: Table<'_, '_>) -> Result<UnitRows, UnitError> {
        let mut rows = Vec::new();
        table.read::<OfficeRow>(self.columns(), |row| rows.push(row))?;
        let (listed, unreadable) = list_of(
            rows,
            |line| message!("office-list-wrong-columns", line),
            || message!("office-list-empty"),
        );
        if listed.is_empty() {
            return Err(UnitError::Malformed(unreadable));
        }
        let mut reading = Reading::default();
        for row in listed {
            reading.take(self, row);
        }
        let Reading {
            rows,
            faults,
            lines,
            ..
        } = reading;
        if faults.is_empty() {
            return Ok(UnitRows { rows, unreadable });
        }
        Err(match unreadable.is_empty() {
            true => UnitError::Invalid(in_order_of_list(faults, &lines, unreadable)),
            false => UnitError::Malformed(in_order_of_list(faults, &lines, unreadable)),
        })
    }
}

/// A row of either list; a column that a list does not have is empty. The names are those of headings
/// in small letters.
#[derive(Deserialize)]
struct OfficeRow {
    #[serde(rename = "mã tp", default)]
    province_code: String,
    #[serde(rename = "tỉnh thành phố", default)]
    province_name: String,
    #[serde(rename = "mã qh", default)]
    district_code: String,
    #[serde(rename = "quận huyện", default)]
    district_name: String,
    #[serde(rename = "mã px", default)]
    commune_code: String,
    #[serde(rename = "phường xã", default)]
    commune_name: String,
    #[serde(rename = "mã", default)]
    code: String,
    #[serde(rename = "tên", default)]
    name: String,
    #[serde(rename = "cấp", default)]
    kind: String,
}

/// A level of the office's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum OfficeLevel {
    Province,
    District,
    Commune,
}

impl OfficeLevel {
    /// The code of the tenant's level.
    fn code(self) -> &'static str {
        match self {
            OfficeLevel::Province => "province",
            OfficeLevel::District => "town",
            OfficeLevel::Commune => "commune",
        }
    }

    /// How many digits a code has.
    fn digits(self) -> usize {
        match self {
            OfficeLevel::Province => 2,
            OfficeLevel::District => 3,
            OfficeLevel::Commune => 5,
        }
    }

    fn kinds(self) -> &'static [&'static str] {
        match self {
            OfficeLevel::Province => &["tỉnh", "thành phố"],
            OfficeLevel::District => &["quận", "huyện", "thị xã", "thành phố"],
            OfficeLevel::Commune => &["phường", "xã", "thị trấn", "đặc khu"],
        }
    }

    fn named(self) -> Named {
        match self {
            OfficeLevel::Province => Named::new("tỉnh, thành phố", "province"),
            OfficeLevel::District => Named::new("quận, huyện", "district"),
            OfficeLevel::Commune => Named::new("phường, xã", "commune"),
        }
    }

    /// Finds the kind with which a text begins, and the rest: `phường` and `Phúc Xá`.
    fn kind_of(self, text: &str) -> Option<(&'static str, String)> {
        self.kinds().iter().find_map(|kind| {
            let mut words = text.split_whitespace();
            let begins_so = kind.split(' ').all(|word| {
                words
                    .next()
                    .is_some_and(|first| first.to_lowercase() == word)
            });
            begins_so.then(|| (*kind, words.join(" ")))
        })
    }

    fn has_as_code(self, code: &str) -> bool {
        code.len() == self.digits() && code.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// What a row says of one unit.
struct Told<'r> {
    level: OfficeLevel,
    code: &'r str,
    name: &'r str,
    /// What `Cấp` says, if that is about this unit.
    kind: &'r str,
    parent: &'r str,
    columns: UnitColumns,
}

/// The place of a row.
#[derive(Clone, Copy)]
struct RowAt {
    index: usize,
    line: u64,
}

#[derive(Default)]
struct Reading {
    rows: Vec<UnitRow>,
    faults: Vec<Fault>,
    lines: HashMap<usize, u64>,
    /// The provinces and districts of a list of all units: where each stands first.
    above: HashMap<(OfficeLevel, String), First>,
}

/// The first row that names a unit.
struct First {
    line: u64,
    name: String,
    parent: String,
}

impl Reading {
    fn take(&mut self, list: OfficeList, Listed { index, line, row }: Listed<OfficeRow>) {
        let at = RowAt { index, line };
        self.lines.insert(index, line);
        if self.faults.len() >= MOST_FAULTS {
            return;
        }
        match list {
            OfficeList::All(_) => self.take_all(at, &row),
            OfficeList::Provinces => self.take_one(at, &row, OfficeLevel::Province, None),
            OfficeList::BelowProvinces => match level_below_province(&row) {
                Some(level) => self.take_one(at, &row, level, Some(OfficeLevel::Province)),
                None => self.fault(at, KIND, Code::InvalidValue, kind_unknown()),
            },
            OfficeList::BelowDistricts => {
                let above = match row.district_code.is_empty() {
                    true => OfficeLevel::Province,
                    false => OfficeLevel::District,
                };
                self.take_one(at, &row, OfficeLevel::Commune, Some(above));
            }
        }
    }

    /// Takes the units of a row of all units: a commune, or a district without communes, and those
    /// above that no row before had.
    fn take_all(&mut self, at: RowAt, row: &OfficeRow) {
        let has_district = !(row.district_code.is_empty() && row.district_name.is_empty());
        let has_commune = !(row.commune_code.is_empty() && row.commune_name.is_empty());
        let kind_if = |is_lowest| if is_lowest { row.kind.as_str() } else { "" };
        let province = Told {
            level: OfficeLevel::Province,
            code: &row.province_code,
            name: &row.province_name,
            kind: kind_if(!has_district && !has_commune),
            parent: "",
            columns: columns(PROVINCE_CODE, PROVINCE_NAME, PROVINCE_CODE),
        };
        self.take_above(at, &province);
        let district = Told {
            level: OfficeLevel::District,
            code: &row.district_code,
            name: &row.district_name,
            kind: kind_if(!has_commune),
            parent: &row.province_code,
            columns: columns(DISTRICT_CODE, DISTRICT_NAME, PROVINCE_CODE),
        };
        if has_district {
            self.take_above(at, &district);
        }
        let (parent, parent_column) = match has_district {
            true => (&row.district_code, DISTRICT_CODE),
            false => (&row.province_code, PROVINCE_CODE),
        };
        let commune = Told {
            level: OfficeLevel::Commune,
            code: &row.commune_code,
            name: &row.commune_name,
            kind: &row.kind,
            parent,
            columns: columns(COMMUNE_CODE, COMMUNE_NAME, parent_column),
        };
        if has_commune {
            self.add(at, &commune);
        }
    }

    /// Takes a unit of a list of one level, which names the unit above by its code.
    fn take_one(
        &mut self,
        at: RowAt,
        row: &OfficeRow,
        level: OfficeLevel,
        above: Option<OfficeLevel>,
    ) {
        let (parent, column) = match above {
            Some(OfficeLevel::District) => (row.district_code.as_str(), DISTRICT_CODE),
            Some(OfficeLevel::Province | OfficeLevel::Commune) => {
                (row.province_code.as_str(), PROVINCE_CODE)
            }
            None => ("", PROVINCE_CODE),
        };
        if let Some(above) = above.filter(|above| !above.has_as_code(parent)) {
            self.fault(at, column, Code::InvalidCode, wrong_digits(above, parent));
        }
        self.add(
            at,
            &Told {
                level,
                code: &row.code,
                name: &row.name,
                kind: &row.kind,
                parent,
                columns: columns(OWN_CODE, OWN_NAME, column),
            },
        );
    }

    /// Takes a unit that several rows name; all must say the same.
    fn take_above(&mut self, at: RowAt, told: &Told<'_>) {
        let key = (told.level, told.code.to_owned());
        let Some(first) = self.above.get(&key) else {
            let first = First {
                line: at.line,
                name: told.name.to_owned(),
                parent: told.parent.to_owned(),
            };
            self.above.insert(key, first);
            return self.add(at, told);
        };
        // A wrong code was told where it stands first.
        if !told.level.has_as_code(told.code) {
            return;
        }
        let (code, line) = (Quoted(&told.code), first.line);
        if first.name != told.name {
            let (other, name) = (clipped(&first.name), clipped(told.name));
            let (other, name) = (Quoted(&other), Quoted(&name));
            let message = message!("office-name-differs", code, other, line, name);
            self.fault(at, told.columns.name, Code::Duplicate, message);
        } else if first.parent != told.parent {
            let (other, parent) = (clipped(&first.parent), clipped(told.parent));
            let (other, parent) = (Quoted(&other), Quoted(&parent));
            let message = message!("office-parent-differs", code, other, line, parent);
            self.fault(at, told.columns.parent, Code::Duplicate, message);
        }
    }

    fn add(&mut self, at: RowAt, told: &Told<'_>) {
        let Told { level, columns, .. } = *told;
        if !level.has_as_code(told.code) {
            let message = wrong_digits(level, told.code);
            return self.fault(at, columns.code, Code::InvalidCode, message);
        }
        let parted = level.kind_of(told.name);
        let parted = parted.filter(|(_, rest)| !rest.is_empty());
        let (kind, name) = match parted {
            Some((kind, rest)) => (kind, rest),
            None => {
                let kind = level.kind_of(told.kind).map(|(kind, _)| kind);
                (kind.unwrap_or_default(), told.name.to_owned())
            }
        };
        self.rows.push(UnitRow {
            code: told.code.to_owned(),
            name,
            level: level.code().to_owned(),
            parent_code: told.parent.to_owned(),
            kind: kind.to_owned(),
            index: at.index,
            line: Some(at.line),
            columns,
        });
    }

    fn fault(&mut self, at: RowAt, column: &'static str, code: Code, message: Message) {
        let fault = Fault::in_body(path![at.index, column], code, message);
        self.faults.push(fault);
    }
}

/// The columns that say what a unit is; its level follows from its kind.
fn columns(code: &'static str, name: &'static str, parent: &'static str) -> UnitColumns {
    UnitColumns {
        code,
        name,
        level: KIND,
        parent,
        kind: KIND,
        zeros: Zeros::Checked,
    }
}

/// Tells districts from communes by the first words of the name, otherwise by `Cấp`.
fn level_below_province(row: &OfficeRow) -> Option<OfficeLevel> {
    let levels = [OfficeLevel::District, OfficeLevel::Commune];
    let level_of = |text: &str| {
        let mut levels = levels.into_iter();
        levels.find(|level| level.kind_of(text).is_some())
    };
    level_of(&row.name).or_else(|| level_of(&row.kind))
}

fn wrong_digits(level: OfficeLevel, code: &str) -> Message {
    let (digits, code) = (level.digits(), clipped(code));
    let level = level.named();
    message!("office-code-digits", level, digits, code = Quoted(&code))
}

fn kind_unknown() -> Message {
    let levels = [OfficeLevel::District, OfficeLevel::Commune];
    let kinds = levels.into_iter().flat_map(OfficeLevel::kinds).join(", ");
    message!("office-kind-unknown", kinds)
}
