//! Writes a sheet as a workbook. Every text is a text cell with the mark that keeps it one, so nothing
//! in it can be read as a formula.

use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder,
    Formula, ProtectionOptions, Workbook, Worksheet, XlsxError,
};

use super::layout::{FORM, HEADING_ROW, ORIGIN, PERIOD, SheetColumn, UNIT};
use crate::domain::bounds::Interval;
use crate::domain::naming::unit_title;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Revision;
use crate::domain::text::LocalizedText;
use crate::domain::written::in_plain_form;
use crate::error::{Language, Message};
use crate::message;
use crate::sentence::period::period_in_words;
use crate::service::application::locate::Located;
use crate::service::submission::asked::{Amount, AskedFigure, AskedUnit, period_before};

/// The digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;

/// A unit with the figures that it is asked for.
type Asked<'s> = (AskedUnit<'s>, Vec<AskedFigure<'s>>);

/// Writes the sheet of some units.
pub(super) fn workbook_of(
    located: &Located<'_>,
    units: &[Asked<'_>],
    language: Language,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The same content is the same file.
    let made = ExcelDateTime::from_ymd(2024, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let writer = Writer {
        located,
        language,
        formats: Formats::new(),
    };
    writer.write_entry(workbook.add_worksheet(), units)?;
    write_origin(workbook.add_worksheet(), located, units)?;
    workbook.save_to_buffer()
}

/// The looks of cells.
struct Formats {
    title: Format,
    heading: Format,
    text: Format,
}

impl Formats {
    fn new() -> Formats {
        let text = Format::new().set_quote_prefix().set_align(FormatAlign::Top);
        Formats {
            title: text.clone().set_bold(),
            heading: text
                .clone()
                .set_bold()
                .set_text_wrap()
                .set_border(FormatBorder::Thin)
                .set_background_color(Color::RGB(0xdd_e6_f0)),
            text: text.set_border(FormatBorder::Thin),
        }
    }

    /// Of a number with so many decimals.
    fn number(&self, decimals: u8) -> Format {
        let zeros = "0".repeat(decimals.into());
        let code = match decimals {
            0 => "#,##0".to_owned(),
            _ => format!("#,##0.{zeros}"),
        };
        Format::new()
            .set_num_format(code)
            .set_border(FormatBorder::Thin)
            .set_align(FormatAlign::Top)
            .set_align(FormatAlign::Right)
    }

    /// Of a cell to fill in.
    fn entry(&self, decimals: u8) -> Format {
        self.number(decimals)
            .set_unlocked()
            .set_background_color(Color::RGB(0xff_f8_dc))
    }
}

struct Writer<'w> {
    located: &'w Located<'w>,
    language: Language,
    formats: Formats,
}

impl Writer<'_> {
    fn write_entry(&self, sheet: &mut Worksheet, units: &[Asked<'_>]) -> Result<(), XlsxError> {
        sheet.set_name(self.told(&message!("sheet-name")))?;
        self.write_top(sheet)?;
        let mut row = HEADING_ROW;
        for (unit, figures) in units {
            for figure in figures {
                row += 1;
                self.write_row(sheet, row, unit, figure)?;
                self.check(sheet, row, figure)?;
            }
        }
        let [first, last] = [SheetColumn::UnitCode, SheetColumn::Value].map(|one| one.place().0);
        sheet.autofilter(HEADING_ROW, first, row, last)?;
        sheet.set_freeze_panes(HEADING_ROW + 1, 0)?;
        sheet.set_repeat_rows(HEADING_ROW, HEADING_ROW)?;
        sheet.set_landscape();
        sheet.set_print_fit_to_pages(1, 0);
        // Against mistakes and without a password: whoever has to may take it off.
        sheet.protect_with_options(&ProtectionOptions {
            format_columns: true,
            format_rows: true,
            use_autofilter: true,
            sort: true,
            ..ProtectionOptions::new()
        });
        Ok(())
    }

    fn write_top(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let period = self.located.in_force.period;
        let form = self.localized(&period.definition.name).to_owned();
        let (unit, period) = (title_of(self.located), period_in_words(&period));
        let title = message!("sheet-title", form, period, unit);
        sheet.write_string_with_format(0, 0, self.told(&title), &self.formats.title)?;
        let how = self.told(&message!("sheet-how-to-fill")).to_owned();
        sheet.write_string_with_format(1, 0, how, &Format::new().set_quote_prefix())?;
        for column in SheetColumn::ALL {
            let (place, heading) = (column.place().0, column.heading());
            sheet.set_column_width(place, column.width())?;
            let heading = match (column, period_before(&self.located.in_force.period)) {
                (SheetColumn::Previous, Some(before)) => {
                    let (heading, period) = (heading, period_in_words(&before));
                    message!("sheet-column-previous-period", heading, period)
                }
                _ => heading,
            };
            let heading = self.told(&heading);
            sheet.write_string_with_format(HEADING_ROW, place, heading, &self.formats.heading)?;
        }
        Ok(())
    }

    fn write_row(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        unit: &AskedUnit<'_>,
        figure: &AskedFigure<'_>,
    ) -> Result<(), XlsxError> {
        let fact = unit.place.fact();
        let definition = figure.entry.definition;
        let option = figure.option.map(|option| self.localized(&option.name));
        for (column, text) in [
            (SheetColumn::UnitCode, fact.code.to_string()),
            (
                SheetColumn::Unit,
                unit_title(fact.kind.as_deref(), &fact.name),
            ),
            (SheetColumn::FigureCode, figure.code()),
            (SheetColumn::Section, figure.section.number.to_string()),
            (
                SheetColumn::Indicator,
                self.localized(&definition.name).to_owned(),
            ),
            (SheetColumn::Option, option.unwrap_or_default().to_owned()),
            (
                SheetColumn::UnitOfMeasure,
                definition.unit_of_measure.clone(),
            ),
        ] {
            sheet.write_string_with_format(row, column.place().0, text, &self.formats.text)?;
        }
        let decimals = definition.decimals.get();
        let previous = figure.amount(&unit.previous);
        let format = self.formats.number(decimals);
        self.write_amount(sheet, (row, SheetColumn::Previous), previous, &format)?;
        let entered = unit.entered.as_ref();
        let entered = entered.and_then(|content| figure.amount(&content.facts));
        let format = self.formats.entry(decimals);
        self.write_amount(sheet, (row, SheetColumn::Value), entered, &format)
    }

    fn write_amount(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, SheetColumn),
        amount: Option<Amount>,
        format: &Format,
    ) -> Result<(), XlsxError> {
        let column = column.place().0;
        match amount {
            None => sheet.write_blank(row, column, format)?,
            Some(amount) => match number_of(&amount) {
                Some(number) => sheet.write_number_with_format(row, column, number, format)?,
                None => sheet.write_string_with_format(
                    row,
                    column,
                    self.text_of(&amount),
                    &format.clone().set_quote_prefix(),
                )?,
            },
        };
        Ok(())
    }

    /// The amount as it is written by hand, so that it can be read again.
    fn text_of(&self, amount: &Amount) -> String {
        let value = in_plain_form(&amount.value);
        let words = match amount.qualifier {
            Qualifier::Exact => return value,
            Qualifier::AtLeast => message!("report-at-least", value),
            Qualifier::AtMost => message!("report-at-most", value),
            Qualifier::Estimate => message!("report-estimate", value),
        };
        self.told(&words).to_owned()
    }

    /// Has the cell of a figure refuse what the figure cannot be. Texts are read when the sheet comes
    /// back.
    fn check(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        figure: &AskedFigure<'_>,
    ) -> Result<(), XlsxError> {
        let definition = figure.entry.definition;
        let column = SheetColumn::Value.place();
        let decimals = definition.decimals;
        let unit_of_measure = &definition.unit_of_measure;
        let told = match decimals.get() {
            0 => message!("sheet-cell-whole", unit_of_measure),
            places => message!("sheet-cell-decimals", unit_of_measure, places),
        };
        let told: String = self.told(&told).chars().take(LONGEST_MESSAGE).collect();
        let cell = format!("{column}{}", row + 1);
        let possible = definition.possible(figure.number);
        let rule = rule_of(&cell, decimals.get(), possible);
        let validation = DataValidation::new()
            .allow_custom(Formula::new(rule))
            .set_input_message(told.clone())?
            .set_error_message(told)?;
        sheet.add_data_validation(row, column.0, row, column.0, &validation)?;
        Ok(())
    }

    fn told<'m>(&self, message: &'m Message) -> &'m str {
        message.in_language(self.language)
    }

    fn localized<'t>(&self, text: &'t LocalizedText) -> &'t str {
        match (self.language, &text.en) {
            (Language::English, Some(english)) => english,
            (Language::English, None) | (Language::Vietnamese, _) => &text.vi,
        }
    }
}

/// The longest message beside a cell, in characters.
const LONGEST_MESSAGE: usize = 255;

fn title_of(located: &Located<'_>) -> String {
    let fact = located.place().fact();
    unit_title(fact.kind.as_deref(), &fact.name)
}

/// The number of a cell, if a spreadsheet keeps all of it.
fn number_of(amount: &Amount) -> Option<f64> {
    let text = amount.value.as_str();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_kept = amount.qualifier == Qualifier::Exact && digits <= DIGITS;
    is_kept.then(|| text.parse().ok()).flatten()
}

/// The formula by which a cell takes a number: its decimals, and what can be at all.
fn rule_of(cell: &str, decimals: u8, possible: Interval) -> String {
    let bound = |mantissa: i64| Decimal::new(mantissa, decimals);
    let from = possible
        .from
        .map(|from| format!(",{cell}>={}", bound(from)));
    let to = possible.to.map(|to| format!(",{cell}<={}", bound(to)));
    format!(
        "IF(ISNUMBER({cell}),AND(ABS({cell}-ROUND({cell},{decimals}))<1E-10{}{}),ISTEXT({cell}))",
        from.unwrap_or_default(),
        to.unwrap_or_default()
    )
}

/// Writes the hidden sheet: the form, the period, and each unit with its revision.
fn write_origin(
    sheet: &mut Worksheet,
    located: &Located<'_>,
    units: &[Asked<'_>],
) -> Result<(), XlsxError> {
    sheet.set_name(ORIGIN)?;
    sheet.set_very_hidden(true);
    let form = located.form().code.to_string();
    let head = [(FORM, form), (PERIOD, located.period().to_string())];
    let mut row = 0;
    for (kind, name) in head {
        sheet.write_string(row, 0, kind)?;
        sheet.write_string(row, 1, name)?;
        row += 1;
    }
    for (unit, _) in units {
        sheet.write_string(row, 0, UNIT)?;
        sheet.write_string(row, 1, unit.place.unit().to_string())?;
        let revision = unit.revision().map_or(0, Revision::get);
        sheet.write_string(row, 2, revision.to_string())?;
        row += 1;
    }
    Ok(())
}
