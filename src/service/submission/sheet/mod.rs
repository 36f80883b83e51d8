//! Sheets (bảng nhập): the spreadsheet with which one unit enters for itself and the units below it.
//! Made here, and read here when it comes back; importing what was read is `import`'s.

mod error;
mod layout;
mod read;
mod write;

pub use self::error::SheetError;
pub use self::read::{
    CellPlace, MadeFrom, ReadSheet, SheetCell, SheetFault, SheetFaultAt, SheetOf, SheetUnit,
    read_sheet,
};
use super::asked::{AskedUnit, figures_of, read_units};
use super::step::check_asked;
use crate::authn::Identity;
use crate::authz::Action;
use crate::error::Language;
use crate::service::application::Application;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::snapshot::Snapshot;

/// A sheet as a file.
#[derive(Debug, Clone)]
pub struct SheetFile {
    /// `mttq.annual-2024-30388.xlsx`
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Makes the sheet of a unit and of all below it that submit.
///
/// # Errors
/// [`SheetError`].
pub fn get_sheet(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    language: Language,
) -> Result<SheetFile, SheetError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        let units = read_units(transaction, snapshot, &located, place.subtree())?;
        sheet_of(snapshot, &located, units, language)
    })
}

/// Makes the sheet of a unit alone.
///
/// # Errors
/// [`SheetError`].
pub fn get_sheet_of_unit(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    language: Language,
) -> Result<SheetFile, SheetError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        check_asked(snapshot, &located)?;
        let units = read_units(transaction, snapshot, &located, std::iter::once(place))?;
        sheet_of(snapshot, &located, units, language)
    })
}

fn sheet_of(
    snapshot: &Snapshot,
    located: &Located<'_>,
    units: Vec<AskedUnit<'_>>,
    language: Language,
) -> Result<SheetFile, SheetError> {
    let (fact, period) = (located.place().fact(), located.in_force.period);
    if units.is_empty() {
        return Err(SheetError::NobodyAsked {
            unit: fact.name_with_code(),
            form: period.named_form(),
        });
    }
    let respondents = snapshot.respondents(&period);
    let mut rows = 0;
    let mut asked = Vec::with_capacity(units.len());
    for unit in units {
        let figures = figures_of(&located.in_force, &respondents.levels_of(unit.place));
        rows += figures.len();
        if rows > layout::MOST_ROWS {
            let unit = fact.name_with_code();
            return Err(SheetError::TooManyRows { unit });
        }
        asked.push((unit, figures));
    }
    let bytes = write::workbook_of(located, &asked, language)?;
    let (form, period, code) = (&period.form.code, period.period, &fact.code);
    Ok(SheetFile {
        name: format!("{form}-{period}-{code}.xlsx"),
        bytes,
    })
}
