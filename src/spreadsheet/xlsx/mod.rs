//! Workbooks in the format of Excel since 2007, which every spreadsheet program can save (XLSX; XLSM
//! without its macros).

mod part;
mod rows;
mod strings;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

use quick_xml::events::BytesStart;
use zip::ZipArchive;
use zip::read::ZipFile;

use self::part::{Part, attribute};
use self::rows::State;
pub use self::rows::{Region, SheetRows};
use self::strings::SharedStrings;
use super::fault::{Limit, SpreadsheetFault};
use super::number_format::NumberFormat;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub name: String,
    pub visibility: SheetVisibility,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetVisibility {
    Shown,
    Hidden,
}

/// A workbook, whose sheets can be read one after the other.
pub struct Workbook<R> {
    archive: ZipArchive<R>,
    sheets: Vec<Sheet>,
    strings: SharedStrings,
    formats: Vec<NumberFormat>,
}

/// The files of another part that a part names, by their ids.
type Related = HashMap<String, Relation>;

struct Relation {
    kind: String,
    path: String,
}

impl<R: Read + Seek> Workbook<R> {
    /// Opens a workbook: reads the names of its sheets, its formats and its shared texts.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn open(mut file: R) -> Result<Workbook<R>, SpreadsheetFault> {
        if begins_as_compound_file(&mut file)? {
            return Err(SpreadsheetFault::OldOrLocked);
        }
        let mut archive = ZipArchive::new(file).map_err(|_| SpreadsheetFault::Unreadable)?;
        if archive.index_for_name("content.xml").is_some() {
            return Err(SpreadsheetFault::OpenDocument);
        }
        let package = related(&mut archive, "", "_rels/.rels")?;
        let main = path_of_kind(&package, "officeDocument").ok_or(SpreadsheetFault::Unreadable)?;
        let (folder, name) = main.rsplit_once('/').unwrap_or(("", main));
        let related = related(&mut archive, folder, &format!("{folder}/_rels/{name}.rels"))?;
        let sheets = read_sheets(&mut part(&mut archive, main, Limit::Texts)?, &related)?;
        let formats = match path_of_kind(&related, "styles") {
            Some(path) => read_formats(&mut part(&mut archive, path, Limit::Texts)?)?,
            None => Vec::new(),
        };
        let strings = match path_of_kind(&related, "sharedStrings") {
            Some(path) => SharedStrings::read(&mut part(&mut archive, path, Limit::Texts)?)?,
            None => SharedStrings::default(),
        };
        Ok(Workbook {
            archive,
            sheets,
            strings,
            formats,
        })
    }

    /// All sheets, in their order, also hidden ones.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// The rows of a sheet.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn rows(
        &mut self,
        sheet: &Sheet,
    ) -> Result<SheetRows<'_, ZipFile<'_, R>>, SpreadsheetFault> {
        Ok(SheetRows {
            part: part(&mut self.archive, &sheet.path, Limit::Unpacked)?,
            strings: &self.strings,
            formats: &self.formats,
            state: State::default(),
        })
    }
}

/// How Excel's files of before 2007 begin, and files with a password.
const COMPOUND_FILE: [u8; 4] = [0xd0, 0xcf, 0x11, 0xe0];

/// Tells whether a file begins as a workbook: one of today, or one that [`Workbook::open`] refuses
/// with what to do.
pub fn begins_as_workbook(file: &[u8]) -> bool {
    [*b"PK\x03\x04", COMPOUND_FILE]
        .iter()
        .any(|mark| file.starts_with(mark))
}

/// Tells whether a file begins as Excel's files of before 2007 do, and files with a password.
fn begins_as_compound_file<R: Read + Seek>(file: &mut R) -> Result<bool, SpreadsheetFault> {
    let mut beginning = Vec::new();
    let read = file.by_ref().take(4).read_to_end(&mut beginning);
    read.map_err(SpreadsheetFault::Io)?;
    file.seek(SeekFrom::Start(0))
        .map_err(SpreadsheetFault::Io)?;
    Ok(beginning == COMPOUND_FILE)
}

/// Opens a part by its path, in which upper and lower case make no difference.
fn part<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    path: &str,
    limit: Limit,
) -> Result<Part<ZipFile<'a, R>>, SpreadsheetFault> {
    let names = archive.file_names().filter_map(Result::ok);
    let name = names
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(path));
    let index = name.and_then(|name| archive.index_for_name(&name));
    let index = index.ok_or(SpreadsheetFault::Unreadable)?;
    let file = archive.by_index(index);
    let file = file.map_err(|_| SpreadsheetFault::Unreadable)?;
    Ok(Part::new(file, limit))
}

/// Reads the parts that a part in `folder` names in its `.rels`.
fn related<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    folder: &str,
    path: &str,
) -> Result<Related, SpreadsheetFault> {
    let mut found = Related::new();
    let mut part = part(archive, path.trim_start_matches('/'), Limit::Cell)?;
    part.for_each_start(|element| {
        if element.local_name().as_ref() != "Relationship" {
            return Ok(());
        }
        let id = attribute(element, "Id")?;
        let kind = attribute(element, "Type")?;
        let target = attribute(element, "Target")?;
        if let (Some(id), Some(kind), Some(target)) = (id, kind, target) {
            let path = match target.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None => format!("{folder}/{target}")
                    .trim_start_matches('/')
                    .to_owned(),
            };
            found.insert(id, Relation { kind, path });
        }
        Ok(())
    })?;
    Ok(found)
}

fn path_of_kind<'r>(related: &'r Related, kind: &str) -> Option<&'r str> {
    let mut relations = related.values();
    let found = relations.find(|relation| relation.kind.rsplit('/').next() == Some(kind));
    found.map(|relation| relation.path.as_str())
}

fn read_sheets<R: Read>(
    part: &mut Part<R>,
    related: &Related,
) -> Result<Vec<Sheet>, SpreadsheetFault> {
    let mut sheets = Vec::new();
    part.for_each_start(|element| {
        if element.local_name().as_ref() != "sheet" {
            return Ok(());
        }
        let name = attribute(element, "name")?;
        let id = attribute(element, "id")?;
        let relation = id.and_then(|id| related.get(&id));
        // A sheet that holds a chart has no cells.
        let relation =
            relation.filter(|relation| relation.kind.rsplit('/').next() == Some("worksheet"));
        if let (Some(name), Some(relation)) = (name, relation) {
            sheets.push(Sheet {
                name,
                visibility: match attribute(element, "state")?.as_deref() {
                    Some("hidden" | "veryHidden") => SheetVisibility::Hidden,
                    Some(_) | None => SheetVisibility::Shown,
                },
                path: relation.path.clone(),
            });
        }
        Ok(())
    })?;
    Ok(sheets)
}

/// Reads the number formats of the styles that cells name.
fn read_formats<R: Read>(part: &mut Part<R>) -> Result<Vec<NumberFormat>, SpreadsheetFault> {
    let mut own = HashMap::new();
    let mut formats = Vec::new();
    let mut is_of_cells = false;
    part.for_each_start(|element| {
        match element.local_name().as_ref() {
            "numFmt" => {
                let id = number_format_id(element)?;
                let code = attribute(element, "formatCode")?.unwrap_or_default();
                own.insert(id, NumberFormat::of_code(&code));
            }
            "cellXfs" => is_of_cells = true,
            "cellStyleXfs" | "cellStyles" | "dxfs" => is_of_cells = false,
            "xf" if is_of_cells => {
                let id = number_format_id(element)?;
                let format = own.get(&id).copied();
                formats.push(format.unwrap_or_else(|| NumberFormat::built_in(id)));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(formats)
}

fn number_format_id(element: &BytesStart<'_>) -> Result<u32, SpreadsheetFault> {
    let id = attribute(element, "numFmtId")?;
    Ok(id.and_then(|id| id.parse().ok()).unwrap_or_default())
}
