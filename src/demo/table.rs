//! A rollup as a table that an official reads: Vietnamese words and numbers. Never arithmetic.

use comfy_table::{CellAlignment, Table, presets};

use crate::domain::quantity::{Decimal, Qualifier};
use crate::service::form::{FormView, SectionView};
use crate::service::indicator::IndicatorView;
use crate::service::rollup::{CellView, RollupView};
use crate::service::series::{SeriesFigure, SeriesView};

/// The table of a rollup.
pub fn of(rollup: &RollupView, form: &FormView, indicators: &[IndicatorView]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["Mục", "Chỉ tiêu", "Đơn vị tính", "Tổng hợp", "Có số liệu"]);
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    add_sections(&mut table, &form.outline, rollup, indicators);
    let (unit, period) = (&rollup.unit, &rollup.period);
    let counts = rollup.completeness;
    format!(
        "{}\n{} ({}), kỳ {}: từ {} đến {}\nĐã gửi: {}/{} đơn vị\n{table}",
        form.name.vi,
        unit.name,
        unit.code,
        period.key,
        period.from.format("%d/%m/%Y"),
        period.to.format("%d/%m/%Y"),
        counts.submitted,
        counts.expected,
    )
}

/// A series as it was beside the same on a later map.
pub fn of_both_maps(
    name: &str,
    unit_of_measure: &str,
    as_was: &SeriesView,
    restated: &SeriesView,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let then = restated.map.as_of.format("%d/%m/%Y");
    let title = format!("{name} ({unit_of_measure})");
    table.set_header([
        &title,
        "Theo đơn vị lúc đó",
        &format!("Theo đơn vị ngày {then}"),
    ]);
    for (one, other) in as_was.items.iter().zip(&restated.items) {
        table.add_row([
            one.period.key.clone(),
            value(&one.figure),
            value(&other.figure),
        ]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn value(figure: &SeriesFigure) -> String {
    let value = figure.value.as_ref();
    value.map_or_else(|| "–".to_owned(), Decimal::vietnamese)
}

fn add_sections(
    table: &mut Table,
    sections: &[SectionView],
    rollup: &RollupView,
    indicators: &[IndicatorView],
) {
    for section in sections {
        table.add_row([
            section.number.as_str(),
            section.title.vi.as_str(),
            "",
            "",
            "",
        ]);
        for item in &section.items {
            let indicator = indicators.iter().find(|known| known.code == item.indicator);
            let cells = rollup
                .cells
                .iter()
                .filter(|cell| cell.indicator == item.indicator);
            for (indicator, cell) in cells.filter_map(|cell| Some((indicator?, cell))) {
                add_cell(table, indicator, cell);
            }
        }
        add_sections(table, &section.sections, rollup, indicators);
    }
}

fn add_cell(table: &mut Table, indicator: &IndicatorView, cell: &CellView) {
    let options = indicator
        .breakdowns
        .iter()
        .flat_map(|breakdown| &breakdown.options);
    let name = match &cell.option {
        None => indicator.name.vi.clone(),
        Some(code) => {
            let option = options.into_iter().find(|option| option.code == *code);
            format!("  - {}", option.map_or(code, |option| &option.name.vi))
        }
    };
    let unit = &indicator.unit_of_measure;
    let shown_unit = if unit == "%" { "" } else { unit };
    let reported = format!("{}/{}", cell.reported, cell.expected);
    table.add_row(["", &name, shown_unit, &figure(cell, unit), &reported]);
}

/// `trên 800`, `ước 93,64%`, `1.562.410.000`; a dash where there is nothing.
fn figure(cell: &CellView, unit_of_measure: &str) -> String {
    let Some(value) = &cell.value else {
        return "–".to_owned();
    };
    let word = match cell.qualifier {
        Qualifier::Exact => "",
        Qualifier::AtLeast => "trên ",
        Qualifier::AtMost => "dưới ",
        Qualifier::Estimate => "ước ",
    };
    let percent = if unit_of_measure == "%" { "%" } else { "" };
    format!("{word}{}{percent}", value.vietnamese())
}
