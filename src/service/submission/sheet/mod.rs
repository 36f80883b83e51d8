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
use super::asked::{figures_of, read_units};
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::id::LevelCode;
use crate::error::Language;
use crate::service::application::Application;
use crate::service::application::locate::ReportPath;

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
        let (place, period) = (located.place(), located.in_force.period);
        let _permit = snapshot
            .access
            .to_unit(Action::ChangeSubmissions, &located.tree, place)?;
        let units = read_units(transaction, snapshot, &located, place.subtree())?;
        if units.is_empty() {
            return Err(SheetError::NobodyAsked {
                unit: place.fact().name_with_code(),
                form: period.named_form(),
            });
        }
        let respondents = snapshot.respondents(&period);
        let mut rows = 0;
        let mut asked = Vec::with_capacity(units.len());
        for unit in units {
            let levels: Vec<&LevelCode> = respondents.levels_of(unit.place);
            let figures = figures_of(&located.in_force, &levels);
            rows += figures.len();
            if rows > layout::MOST_ROWS {
                return Err(SheetError::TooManyRows {
                    unit: place.fact().name_with_code(),
                });
            }
            asked.push((unit, figures));
        }
        let bytes = write::workbook_of(&located, &asked, language)?;
        let code = &place.fact().code;
        Ok(SheetFile {
            name: format!("{}-{}-{code}.xlsx", path.form, period.period),
            bytes,
        })
    })
}
