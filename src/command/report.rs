//! `tonghop report`: prints a unit's report as an official reads it, with Vietnamese words and
//! numbers, on a page 100 columns wide. Does no arithmetic.

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use tonghop::authz::Scope;
use tonghop::config::Settings;
use tonghop::demo::MapsBeside;
use tonghop::domain::naming::{Named, capitalised};
use tonghop::domain::quantity::{Decimal, Qualifier};
use tonghop::locale::Count;
use tonghop::message;
use tonghop::service::Application;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::application::name::UnitName;
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::report::series::SeriesFigure;
use tonghop::service::report::unit_report::{
    ReportFigure, ReportLine, ReportSection, TakenFigures, UnitReport, inspect_report,
};

use super::output::print_line;
use crate::{Failure, explained, now, ready};

/// The width of a line, in characters.
const WIDTH: usize = 100;

/// The gap between two columns.
const GAP: &str = " ";

/// The most units to name among those that have sent nothing.
const NAMED: usize = 12;

const NAME_COLUMN: usize = 1;

#[derive(Args)]
pub struct ReportArguments {
    /// The tenant's short name (slug).
    #[arg(long)]
    tenant: String,
    /// The form's code, such as mttq.annual.
    #[arg(long)]
    form: String,
    /// The period's key, such as 2024, 2024-Q4 or 2024-12.
    #[arg(long)]
    period: String,
    /// The unit's id or code:, such as code:30388; a code alone will do.
    #[arg(long)]
    unit: String,
}

pub fn run(settings: &Settings, arguments: ReportArguments) -> Result<(), Failure> {
    let application = ready(settings)?;
    let scope = find_tenant(&application.database, &arguments.tenant).map_err(explained)?;
    let path = ReportPath {
        form: arguments.form,
        period: arguments.period,
        unit: unit_reference(arguments.unit),
    };
    print_line(printed(&application, &scope, &path)?)?;
    Ok(())
}

/// Completes a bare code to `code:…`: most people know a unit by its code only.
fn unit_reference(unit: String) -> String {
    let says_what_it_is = unit.starts_with("code:") || unit.len() == 36 && unit.contains('-');
    match says_what_it_is {
        true => unit,
        false => format!("code:{unit}"),
    }
}

/// Lays out the page of a report.
pub fn printed(
    application: &Application,
    scope: &Scope,
    path: &ReportPath,
) -> Result<String, Failure> {
    let report = inspect_report(application, scope, path, now()).map_err(explained)?;
    let body = Body::of(&report);
    let mut page = heading(&report);
    page.extend(body.laid_out());
    page.extend(body.notes());
    page.extend(taken(&report));
    page.extend(undivided(&report));
    Ok(page.join("\n"))
}

// ---- Above the figures ------------------------------------------------------------------------

fn heading(report: &UnitReport) -> Vec<String> {
    let mut lines = vec![
        report.form.vi.to_uppercase(),
        format!("{} ({})", capitalised(&report.unit), report.code),
    ];
    if !report.above.is_empty() {
        let names = report.above.join(", ");
        lines.push(message!("report-above", names).vi);
    }
    if let Some(last) = report.last_day {
        lines.push(message!("report-last-day", day = Named::day(last)).vi);
    }
    let (from, to) = (Named::day(report.from), Named::day(report.to));
    let period = capitalised(report.period.vi());
    lines.push(message!("report-period", period, from, to).vi);
    let due = report.deadlines.iter();
    let due = due.map(|(level, last)| format!("{} {}", level.vi(), Named::day(*last).vi()));
    let deadlines = due.collect::<Vec<String>>().join("; ");
    if !deadlines.is_empty() {
        lines.push(message!("report-due", deadlines).vi);
    }
    lines.extend(wrapped(&progress(report), WIDTH));
    lines.push(String::new());
    lines
}

fn progress(report: &UnitReport) -> String {
    let progress = report.progress;
    let mut sentences = vec![message!(
        "report-received",
        submitted = progress.submitted,
        expected = progress.expected,
        late = progress.late,
        approved = progress.approved
    )];
    if progress.missing > 0 {
        let (missing, overdue) = (progress.missing, progress.overdue);
        sentences.push(message!("report-missing", missing, overdue));
    }
    if !report.silent.is_empty() {
        let named = report.silent.iter().take(NAMED).map(String::as_str);
        let names = named.collect::<Vec<_>>().join(", ");
        sentences.push(match report.silent.len().saturating_sub(NAMED) {
            0 => message!("report-silent", names),
            others => message!("report-silent-among-others", names, count = Count(others)),
        });
    }
    let sentences: Vec<String> = sentences.into_iter().map(|one| one.vi).collect();
    sentences.join(" ")
}

/// Names the figures that come from other forms, which count their own periods.
fn taken(report: &UnitReport) -> Vec<String> {
    let taken = report.taken.iter();
    let notes = taken.map(|TakenFigures { form, indicators }| {
        message!("report-note-taken", indicators, form).vi
    });
    notes.flat_map(|note| wrapped(&note, WIDTH)).collect()
}

/// Names the former units of which a part could not be divided.
fn undivided(report: &UnitReport) -> Vec<String> {
    let named = |units: &[UnitName]| {
        let names = units
            .iter()
            .map(|unit| format!("{} ({})", unit.name, unit.code));
        names.collect::<Vec<_>>().join(", ")
    };
    let mut notes = Vec::new();
    if !report.undivided.is_empty() {
        let names = named(&report.undivided);
        notes.push(message!("report-note-undivided", names).vi);
    }
    if !report.undivided_elsewhere.is_empty() {
        let names = named(&report.undivided_elsewhere);
        notes.push(message!("report-note-undivided-elsewhere", names).vi);
    }
    notes.iter().flat_map(|note| wrapped(note, WIDTH)).collect()
}

// ---- The figures ------------------------------------------------------------------------------

/// A piece of the page. Pieces follow each other from top to bottom.
enum PagePiece {
    Heading(String),
    Text(String),
    /// One cell a column.
    Row(Vec<String>),
}

/// A column of the page, shown only if any line has a value for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageColumn {
    Number,
    Name,
    UnitOfMeasure,
    Plan,
    Value,
    Share,
    Previous,
    Reported,
}

impl PageColumn {
    fn title(self) -> String {
        let title = match self {
            PageColumn::Number => message!("report-column-number"),
            PageColumn::Name => message!("report-column-name"),
            PageColumn::UnitOfMeasure => message!("report-column-unit-of-measure"),
            PageColumn::Plan => message!("report-column-plan"),
            PageColumn::Value => message!("report-column-value"),
            PageColumn::Share => message!("report-column-share"),
            PageColumn::Previous => message!("report-column-previous"),
            PageColumn::Reported => message!("report-column-reported"),
        };
        title.vi
    }

    fn is_of_words(self) -> bool {
        matches!(self, PageColumn::Name | PageColumn::UnitOfMeasure)
    }

    /// Returns the column's least width, at which its title is still legible. Columns of names may
    /// leave less.
    fn least_width(self) -> usize {
        match self {
            PageColumn::Reported | PageColumn::UnitOfMeasure => 10,
            _ => longest_word(&self.title()),
        }
    }
}

struct Body {
    columns: Vec<PageColumn>,
    parts: Vec<PagePiece>,
    /// The number of numbered lines so far.
    numbered: usize,
}

impl Body {
    fn of(report: &UnitReport) -> Body {
        let figures = figures_of(&report.sections);
        let has_plans = figures.iter().any(|figure| figure.target.is_some());
        let has_previous = figures.iter().any(|figure| figure.previous.is_some());
        let mut columns = vec![
            PageColumn::Number,
            PageColumn::Name,
            PageColumn::UnitOfMeasure,
        ];
        columns.extend(has_plans.then_some(PageColumn::Plan));
        columns.push(PageColumn::Value);
        columns.extend(has_plans.then_some(PageColumn::Share));
        columns.extend(has_previous.then_some(PageColumn::Previous));
        columns.push(PageColumn::Reported);
        let mut body = Body {
            columns,
            parts: Vec::new(),
            numbered: 0,
        };
        for section in &report.sections {
            body.add_section(section, str::to_uppercase);
        }
        body
    }

    fn add_section(&mut self, section: &ReportSection, written: fn(&str) -> String) {
        let title = written(&section.title.vi);
        self.parts
            .push(PagePiece::Heading(format!("{}. {title}", section.number)));
        self.parts.extend(section.text.clone().map(PagePiece::Text));
        for line in &section.lines {
            self.add_line(line);
        }
        for below in &section.sections {
            self.add_section(below, str::to_owned);
        }
    }

    /// Adds a line with a number of its own, by which people refer to it.
    fn add_line(&mut self, line: &ReportLine) {
        self.numbered += 1;
        let number = self.numbered.to_string();
        let unit = line.unit_of_measure.as_str();
        self.add_figure(number.clone(), line.name.vi.clone(), unit, &line.figure);
        let mut below = 0;
        if let Some(received) = &line.received_from_below {
            below += 1;
            let row = self.row(|column| match column {
                PageColumn::Number => format!("{number}.{below}"),
                PageColumn::Name => format!("  {}", message!("report-received-from-below").vi),
                PageColumn::UnitOfMeasure => unit.to_owned(),
                PageColumn::Value => received.vietnamese(),
                _ => String::new(),
            });
            self.parts.push(row);
        }
        for (name, figure) in &line.options {
            below += 1;
            self.add_figure(
                format!("{number}.{below}"),
                format!("  {}", name.vi),
                unit,
                figure,
            );
        }
    }

    fn add_figure(&mut self, number: String, name: String, unit: &str, figure: &ReportFigure) {
        let target = figure.target.as_ref();
        let row = self.row(|column| match column {
            PageColumn::Number => number.clone(),
            PageColumn::Name => name.clone(),
            PageColumn::UnitOfMeasure => unit.to_owned(),
            PageColumn::Plan => {
                target.map_or_else(String::new, |plan| with_percent(&plan.value, unit))
            }
            PageColumn::Value => amount(figure.value.as_ref(), unit),
            PageColumn::Share => target
                .and_then(|target| target.share.as_ref())
                .map_or_else(String::new, |share| with_percent(share, "%")),
            PageColumn::Previous => amount(figure.previous.as_ref(), unit),
            PageColumn::Reported if figure.expected == 0 => "–".to_owned(),
            PageColumn::Reported => format!("{}/{}", figure.reported, figure.expected),
        });
        self.parts.push(row);
    }

    fn row(&self, cell: impl Fn(PageColumn) -> String) -> PagePiece {
        PagePiece::Row(self.columns.iter().map(|column| cell(*column)).collect())
    }

    /// Returns the notes that explain columns.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![message!("report-note-reported").vi];
        if self.columns.contains(&PageColumn::Previous) {
            notes.push(message!("report-note-previous").vi);
        }
        notes
    }

    // ---- On the page --------------------------------------------------------------------------

    fn laid_out(&self) -> Vec<String> {
        let widths = self.widths();
        let titles = self.columns.iter().map(|column| column.title());
        let ruler = "─".repeat(WIDTH);
        let mut lines = vec![ruler.clone()];
        lines.extend(self.laid_out_row(&titles.collect::<Vec<_>>(), &widths));
        lines.push(ruler.clone());
        for part in &self.parts {
            match part {
                PagePiece::Heading(title) => lines.extend(wrapped(title, WIDTH)),
                PagePiece::Text(text) => {
                    let paragraphs = text.lines().filter(|line| !line.trim().is_empty());
                    let indented = paragraphs.flat_map(|line| wrapped(line, WIDTH - 4));
                    lines.extend(indented.map(|line| format!("    {line}")));
                }
                PagePiece::Row(cells) => lines.extend(self.laid_out_row(cells, &widths)),
            }
        }
        lines.push(ruler);
        lines
    }

    /// Returns the columns' widths: numbers get their widest cell, words their longest word, and
    /// names the rest.
    fn widths(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let mut widths: Vec<usize> = columns
            .map(|(at, column)| {
                let cells = self.parts.iter().filter_map(|part| match part {
                    PagePiece::Row(cells) => cells.get(at),
                    _ => None,
                });
                let longest = |text: &str| match column.is_of_words() {
                    true => longest_word(text),
                    false => length(text),
                };
                let widest = cells.map(|cell| longest(cell)).max().unwrap_or(0);
                widest.max(column.least_width())
            })
            .collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let others = widths.iter().enumerate();
        let others = others.filter(|(at, _)| *at != NAME_COLUMN);
        let taken = others.map(|(_, width)| width).sum::<usize>() + gaps;
        if let Some(name) = widths.get_mut(NAME_COLUMN) {
            *name = WIDTH.saturating_sub(taken).max(*name);
        }
        widths
    }

    fn laid_out_row(&self, cells: &[String], widths: &[usize]) -> Vec<String> {
        let columns = self.columns.iter().zip(widths);
        let columns: Vec<(Vec<String>, PageColumn, usize)> = columns
            .zip(cells)
            .map(|((column, width), cell)| (wrapped(cell, *width), *column, *width))
            .collect();
        let height = columns.iter().map(|(lines, ..)| lines.len()).max();
        let line = |at: usize| {
            let cells = columns.iter().map(|(lines, column, width)| {
                let text = lines.get(at).map_or("", String::as_str);
                let blank = " ".repeat(width.saturating_sub(length(text)));
                match column.is_of_words() {
                    true => format!("{text}{blank}"),
                    false => format!("{blank}{text}"),
                }
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            line.trim_end().to_owned()
        };
        (0..height.unwrap_or(0)).map(line).collect()
    }
}

fn figures_of(sections: &[ReportSection]) -> Vec<&ReportFigure> {
    let mut figures = Vec::new();
    for section in sections {
        for line in &section.lines {
            figures.push(&line.figure);
            figures.extend(line.options.iter().map(|(_, figure)| figure));
        }
        figures.extend(figures_of(&section.sections));
    }
    figures
}

/// Formats a value: `trên 800`, `ước 93,64%`, `1.562.410.000`; a dash for none.
fn amount(value: Option<&(Decimal, Qualifier)>, unit: &str) -> String {
    let Some((value, qualifier)) = value else {
        return "–".to_owned();
    };
    let value = with_percent(value, unit);
    match qualifier {
        Qualifier::Exact => value,
        Qualifier::AtLeast => message!("report-at-least", value).vi,
        Qualifier::AtMost => message!("report-at-most", value).vi,
        Qualifier::Estimate => message!("report-estimate", value).vi,
    }
}

fn with_percent(value: &Decimal, unit: &str) -> String {
    let percent = if unit == "%" { "%" } else { "" };
    format!("{}{percent}", value.vietnamese())
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(length).max().unwrap_or(0)
}

/// Breaks a text into lines of at most `width` characters, unless one word is longer. Repeats the
/// indentation on each line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let is_full = !line.is_empty() && length(&line) + 1 + length(word) > width;
        if is_full {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { &indent } else { " " });
        line.push_str(word);
    }
    lines.push(line);
    lines
}

// ---- Two maps side by side --------------------------------------------------------------------

/// Formats series as they were beside the same series on a later map.
pub fn of_both_maps(beside: &MapsBeside) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let day = Named::day(beside.restated.map.as_of);
    let (name, unit) = (&beside.name, &beside.unit_of_measure);
    table.set_header([
        format!("{name} ({unit})"),
        message!("report-units-then").vi,
        message!("report-units-of-day", day).vi,
    ]);
    for (one, other) in beside.as_was.items.iter().zip(&beside.restated.items) {
        table.add_row([
            one.period.key.clone(),
            value_of(&one.figure),
            value_of(&other.figure),
        ]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn value_of(figure: &SeriesFigure) -> String {
    let value = figure.value.as_ref();
    value.map_or_else(|| "–".to_owned(), Decimal::vietnamese)
}
