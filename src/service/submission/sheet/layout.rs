//! The layout of a sheet: its columns, and the hidden sheet that says what it was made of. Written
//! once, for the writer and for the reader.
//!
//! | mã đơn vị | đơn vị | mã số liệu | mục | chỉ tiêu | phân tổ | đơn vị tính | kỳ trước | số liệu |
//! |---|---|---|---|---|---|---|---|---|
//! | 30388-01 | ấp Tân Hòa A | docs.issued[plan] | I | Văn bản ban hành | Kế hoạch | văn bản | 18 | |
//!
//! A row is found by the code of its unit and the code of its figure, so rows and columns may be put
//! into another order, or left out.

use crate::error::Message;
use crate::message;
use crate::spreadsheet::Column;

/// A column of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SheetColumn {
    UnitCode,
    Unit,
    FigureCode,
    Section,
    Indicator,
    Option,
    UnitOfMeasure,
    Previous,
    Value,
}

impl SheetColumn {
    /// In their order.
    pub const ALL: [SheetColumn; 9] = [
        SheetColumn::UnitCode,
        SheetColumn::Unit,
        SheetColumn::FigureCode,
        SheetColumn::Section,
        SheetColumn::Indicator,
        SheetColumn::Option,
        SheetColumn::UnitOfMeasure,
        SheetColumn::Previous,
        SheetColumn::Value,
    ];

    pub fn heading(self) -> Message {
        match self {
            SheetColumn::UnitCode => message!("sheet-column-unit-code"),
            SheetColumn::Unit => message!("sheet-column-unit"),
            SheetColumn::FigureCode => message!("sheet-column-figure-code"),
            SheetColumn::Section => message!("sheet-column-section"),
            SheetColumn::Indicator => message!("sheet-column-indicator"),
            SheetColumn::Option => message!("sheet-column-option"),
            SheetColumn::UnitOfMeasure => message!("sheet-column-unit-of-measure"),
            SheetColumn::Previous => message!("sheet-column-previous"),
            SheetColumn::Value => message!("sheet-column-value"),
        }
    }

    /// Its place in a sheet as it is written.
    pub fn place(self) -> Column {
        let place = SheetColumn::ALL.iter().position(|column| *column == self);
        Column(
            place
                .and_then(|place| u16::try_from(place).ok())
                .unwrap_or_default(),
        )
    }

    /// In characters.
    pub fn width(self) -> u16 {
        match self {
            SheetColumn::Section => 8,
            SheetColumn::UnitCode | SheetColumn::UnitOfMeasure => 14,
            SheetColumn::Unit
            | SheetColumn::FigureCode
            | SheetColumn::Option
            | SheetColumn::Previous
            | SheetColumn::Value => 22,
            SheetColumn::Indicator => 44,
        }
    }
}

/// The row of the headings in a sheet as it is written, from 0.
pub(super) const HEADING_ROW: u32 = 3;

/// The name of the hidden sheet.
pub(super) const ORIGIN: &str = "tonghop";

/// The first cells of the hidden sheet's rows.
pub(super) const FORM: &str = "form";
pub(super) const PERIOD: &str = "period";
/// Followed by a unit's id and the revision that its part of the sheet was made from; 0 if it had
/// entered nothing.
pub(super) const UNIT: &str = "unit";

/// The most rows of a sheet.
pub(super) const MOST_ROWS: usize = 30_000;
