//! Summaries that show the effect of an import to the person who decides on it.

use std::collections::BTreeSet;
use std::fmt::Write;
use tonghop::service::application::name::UnitName;
use tonghop::service::map::import::CheckedUnits;
use tonghop::service::map::unit::LevelCount;

use comfy_table::{CellAlignment, Table, presets};
use serde::Deserialize;
use tonghop::service::application::idempotency::{Outcome, Reply};
use tonghop::service::map::reorganisation::{
    FormForecast, GrantFate, ReorganisationPreview, UnitForecast, UnitsView,
};

/// The number of indicators of a form to show side by side; the JSON has all.
const SHOWN_INDICATORS: usize = 3;

/// The number of items of a list to name; the JSON has all.
const NAMED: usize = 10;

pub fn of_done(done: &Reply) -> String {
    match &done.outcome {
        Outcome::Created(path) => format!("Done: {path}"),
        Outcome::Done | Outcome::NoContent => "Done.".to_owned(),
    }
}

/// The counts of an import of submissions.
#[derive(Deserialize)]
struct Counts {
    dry_run: bool,
    created: usize,
    changed: usize,
    left: usize,
}

pub fn of_submissions(done: &Reply) -> Result<String, serde_json::Error> {
    let Counts {
        dry_run,
        created,
        changed,
        left,
    } = serde_json::from_str(&done.body)?;
    let counts = format!("new {created}, changed {changed}, there already {left}");
    Ok(match dry_run {
        true => format!("It would enter: {counts}"),
        false => format!("Done: {counts}"),
    })
}

pub fn of_kept(unit: &UnitName) -> String {
    let UnitName {
        code, name, level, ..
    } = unit;
    format!("Goes on, though neither table names it: {name} ({code}, {level})")
}

pub fn of_units(checked: &CheckedUnits) -> String {
    let mut table = table(["level", "new"]);
    let mut all = 0;
    for LevelCount { level, count } in &checked.created {
        table.add_row([level.clone(), count.to_string()]);
        all += count;
    }
    table.add_row(["all".to_owned(), all.to_string()]);
    let unchanged = checked.unchanged;
    let warnings = checked.warnings.iter();
    let warnings: String = warnings
        .map(|warning| format!("\nLook again: {}", warning.message_en))
        .collect();
    format!("{table}{warnings}\nThere already, just as the list has them: {unchanged}")
}

pub fn of_reorganisation(preview: &ReorganisationPreview) -> String {
    let mut parts = vec![
        format!("{}, from {} on", preview.legal_basis, preview.effective),
        of_levels(preview),
        of_division(preview),
        of_work(preview),
    ];
    parts.extend(preview.figures.iter().map(of_figures));
    parts.join("\n\n")
}

fn table(heading: impl IntoIterator<Item = impl Into<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(heading.into_iter().map(Into::into).collect::<Vec<String>>());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Lists, for each level, how many units begin, change and end.
fn of_levels(preview: &ReorganisationPreview) -> String {
    let sides = [&preview.created, &preview.changed, &preview.ended];
    let levels: BTreeSet<&str> = sides
        .iter()
        .flat_map(|side| &side.by_level)
        .map(|level| level.level.as_str())
        .collect();
    let mut table = table(["level", "opened", "changed", "closed"]);
    for level in levels {
        let counts = sides.map(|side| count_of(side, level).to_string());
        table.add_row([level.to_owned()].into_iter().chain(counts));
    }
    let all = sides.map(|side| side.count.to_string());
    table.add_row(["all".to_owned()].into_iter().chain(all));
    table.to_string()
}

fn count_of(units: &UnitsView, level: &str) -> usize {
    let mut levels = units.by_level.iter();
    let found = levels.find(|found| found.level == level);
    found.map_or(0, |found| found.count)
}

/// Lists what passes on in parts, and what passes to nobody.
fn of_division(preview: &ReorganisationPreview) -> String {
    let divided = &preview.divided;
    let faults = preview.faults.iter();
    let unassigned = faults.filter(|fault| fault.code.as_str() == "CHILD_UNASSIGNED");
    let lines = [
        (
            "Units divided by known shares (sums are apportioned)",
            divided.by_shares,
        ),
        (
            "Units divided without known shares (not divided)",
            divided.without_shares,
        ),
        (
            "Units that nobody takes over (not divided)",
            divided.without_successor,
        ),
        (
            "Units below a divided one that no part was given",
            unassigned.count(),
        ),
    ];
    let mut text = lines
        .map(|(what, count)| format!("{what}: {count}"))
        .join("\n");
    for warning in &preview.warnings {
        text.push_str(&format!("\nWarning: {}", warning.message_en));
    }
    text
}

/// Lists the submissions, targets and grants that would lose their unit.
fn of_work(preview: &ReorganisationPreview) -> String {
    let mut text = String::new();
    let submissions = &preview.submissions;
    line(
        &mut text,
        format_args!(
            "Submissions of units that end: {}, of which {} count",
            submissions.count, submissions.counting
        ),
    );
    let named = submissions.first.iter().map(|one| {
        let passes = one.passes_to.as_ref();
        let becomes = passes.map_or("stays".to_owned(), |heir| {
            format!("becomes {}'s", heir.name)
        });
        format!(
            "{} {} {} ({}) {becomes}",
            one.form, one.period.key, one.unit.name, one.unit.code
        )
    });
    list(&mut text, named, submissions.count);
    line(
        &mut text,
        format_args!("Targets of units that end: {}", preview.targets),
    );
    let people = &preview.people;
    line(
        &mut text,
        format_args!("Grants on units that end: {}", people.count),
    );
    let named = people.first.iter().map(|one| {
        let becomes = match (one.becomes, &one.follows_to) {
            (GrantFate::Follows, Some(heir)) => format!("follows to {}", heir.name),
            (GrantFate::Stays, _) => "ends before".to_owned(),
            (GrantFate::Follows | GrantFate::ReachesNothing, _) => "reaches nothing".to_owned(),
        };
        format!(
            "{} ({}), {} of {} ({}): {becomes}",
            one.account.name, one.account.login, one.role, one.unit.name, one.unit.code
        )
    });
    list(&mut text, named, people.count);
    let doubled = &preview.doubled;
    line(
        &mut text,
        format_args!(
            "Periods that a unit and its successor both submitted: {}",
            doubled.count
        ),
    );
    let named = doubled.first.iter().map(|one| {
        let (predecessor, successor) = (&one.predecessor.name, &one.successor.name);
        let (form, period) = (&one.form, &one.period.key);
        format!("{form} {period} {predecessor} and {successor}")
    });
    list(&mut text, named, doubled.count);
    text.trim_end().to_owned()
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{what}");
}

fn list(text: &mut String, named: impl Iterator<Item = String>, count: usize) {
    for one in named.take(NAMED) {
        line(text, format_args!("  {one}"));
    }
    if count > NAMED {
        line(text, format_args!("  and {} more", count - NAMED));
    }
}

/// Shows, for each top unit, the completeness and the first totals before and after.
fn of_figures(forecast: &FormForecast) -> String {
    let rows = forecast.before.iter().zip(&forecast.after);
    let both = || forecast.before.iter().chain(&forecast.after);
    let indicators: Vec<&str> = both()
        .next()
        .into_iter()
        .flat_map(|unit| &unit.totals)
        .map(|total| total.indicator.as_str())
        .collect();
    let shown = indicators.iter().take(SHOWN_INDICATORS);
    let mut heading = vec![
        "unit".to_owned(),
        "sent before".to_owned(),
        "sent after".to_owned(),
    ];
    heading.extend(
        shown
            .clone()
            .flat_map(|indicator| [format!("{indicator} before"), format!("{indicator} after")]),
    );
    let mut table = table(heading);
    for (before, after) in rows {
        let sides = [before, after];
        let name = &after.unit.name;
        let mut row = vec![match after.not_divided {
            true => format!("{name} (not divided)"),
            false => name.clone(),
        }];
        row.extend(sides.map(sent));
        row.extend(
            shown
                .clone()
                .flat_map(|indicator| sides.map(|side| total(side, indicator))),
        );
        table.add_row(row);
    }
    let all = [&forecast.before, &forecast.after].map(|units| {
        let counts = units.iter().map(|unit| unit.completeness);
        let (sent, expected) = counts.fold((0, 0), |(sent, expected), unit| {
            (sent + unit.submitted, expected + unit.expected)
        });
        format!("{sent}/{expected}")
    });
    table.add_row(["all".to_owned()].into_iter().chain(all));
    let mut text = format!("{} {}\n{table}", forecast.form, forecast.period.key);
    if indicators.len() > SHOWN_INDICATORS {
        let left = indicators.len() - SHOWN_INDICATORS;
        text.push_str(&format!("\nand {left} more indicators, with --json"));
    }
    text
}

fn sent(unit: &UnitForecast) -> String {
    let counts = unit.completeness;
    format!("{}/{}", counts.submitted, counts.expected)
}

fn total(unit: &UnitForecast, indicator: &str) -> String {
    let mut totals = unit.totals.iter();
    let found = totals.find(|total| total.indicator == indicator);
    let value = found.and_then(|found| found.value.as_ref());
    value.map(ToString::to_string).unwrap_or_default()
}
