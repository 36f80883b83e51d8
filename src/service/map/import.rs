//! Imports: a list of units is added as a whole, or checked only.

use super::doubt::{UnitWarning, doubts, without_zeros};
use super::draft::{Above, Draft, EnteredUnit};
use super::unit::{LevelCount, UnitError, write_new};
use super::unit_list::{UnitColumns, UnitRow, UnitRows, Zeros, read_unit_list};
use crate::locale::Quoted;
use crate::path;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::fault::FieldPath;
use crate::domain::hierarchy::{Hierarchy, Place, Tree};
use crate::domain::id::UnitCode;
use crate::domain::level::Level;
use crate::domain::text::clipped;
use crate::domain::unit::{BEGINNING, UnitFact, Validity};
use crate::error::{Code, Fault, MOST_FAULTS, Message};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::import_mode::ImportMode;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::table::in_order_of_list;
use crate::service::application::watcher::{Nobody, Phase, Watcher};
use crate::store::level::level_put;

/// A list of units to add.
#[derive(Debug, Clone)]
pub struct UnitList {
    /// CSV or a workbook, with the columns `code,name,level,parent_code` and, optionally, `kind`, or
    /// as the statistics office gives its lists.
    pub file: Vec<u8>,
    /// The first day of all units; by default they exist from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// The name of a unit to put above all others, at a level of its own, if the list has several
    /// roots.
    pub country: Option<String>,
    pub mode: ImportMode,
}

impl UnitList {
    fn first_day(&self) -> NaiveDate {
        self.valid_from.unwrap_or(BEGINNING)
    }

    fn doubts(&self, snapshot: &Snapshot, created: &[UnitFact]) -> Vec<UnitWarning> {
        doubts(&snapshot.hierarchy.tree_on(self.first_day()), created)
    }
}

/// The effect of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ImportResult {
    pub dry_run: bool,
    /// The number of added units.
    pub created: usize,
    /// The number of units that existed exactly as listed.
    pub unchanged: usize,
    /// Warnings about units that are allowed, but seldom meant.
    pub warnings: Vec<UnitWarning>,
    /// The tenant's rev of the import; null if nothing was written.
    pub rev: Option<i64>,
}

/// Adds all units of a list, or none. Units that exist exactly as listed stay as they are.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn import_units(
    application: &Application,
    call: &Call,
    list: &UnitList,
) -> Result<Reply, UnitError> {
    match list.mode {
        ImportMode::DryRun => {
            let checked = check_units(application, &call.identity, list, &Nobody)?;
            let result = ImportResult {
                dry_run: true,
                created: checked.created.iter().map(|level| level.count).sum(),
                unchanged: checked.unchanged,
                warnings: checked.warnings,
                rev: None,
            };
            Ok(Reply::new(Outcome::Done, None, &result)?)
        }
        ImportMode::Write => add_units(application, call, list, &Nobody),
    }
}

/// The effect that a list would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedUnits {
    pub created: Vec<LevelCount>,
    /// The number of units that exist exactly as listed.
    pub unchanged: usize,
    /// Warnings about units that are allowed, but seldom meant.
    pub warnings: Vec<UnitWarning>,
}

/// Checks a list and reports progress to `watcher`.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn check_units(
    application: &Application,
    identity: &Identity,
    list: &UnitList,
    watcher: &dyn Watcher,
) -> Result<CheckedUnits, UnitError> {
    let rows = read_unit_list(&list.file)?.with_country(list.country.as_deref());
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::CreateUnits)?;
        let snapshot = &with_country_level(snapshot, list);
        let (created, unchanged) = plan_import(snapshot, list, rows, watcher)?;
        Ok(CheckedUnits {
            warnings: list.doubts(snapshot, &created),
            created: LevelCount::of(created.iter()),
            unchanged,
        })
    })
}

/// Adds all units of a list, or none, and reports progress to `watcher`.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn add_units(
    application: &Application,
    call: &Call,
    list: &UnitList,
    watcher: &dyn Watcher,
) -> Result<Reply, UnitError> {
    let rows = read_unit_list(&list.file)?.with_country(list.country.as_deref());
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::CreateUnits)?;
        change.once(permit, |transaction, _| {
            let snapshot = &with_country_level(snapshot, list);
            let (created, unchanged) = plan_import(snapshot, list, rows, watcher)?;
            if let Some(level) = Level::country().filter(|_| list.country.is_some()) {
                level_put(transaction, &level)?;
            }
            write_new(transaction, &created, snapshot.counters.rev, watcher)?;
            let result = ImportResult {
                dry_run: false,
                created: created.len(),
                unchanged,
                warnings: list.doubts(snapshot, &created),
                rev: Some(snapshot.counters.rev),
            };
            let item = ChangeItem {
                count: u64::try_from(result.created).ok(),
                ..ChangeItem::new(ChangeKind::UnitsImported)
            };
            Ok(Written::new(
                Reply::new(Outcome::Done, None, &result)?,
                [item],
            ))
        })
    })
}

/// Returns the snapshot with the country's level, as it will be after the import.
fn with_country_level(snapshot: &Snapshot, list: &UnitList) -> Snapshot {
    let mut levels = snapshot.hierarchy.levels().to_vec();
    let country = Level::country().filter(|country| {
        let is_there = levels.iter().any(|level| level.code == country.code);
        list.country.is_some() && !is_there
    });
    levels.extend(country);
    snapshot.with_hierarchy(snapshot.hierarchy.with_levels(levels))
}

/// Returns the facts that the list adds, parents first, and the number of units that exist already.
fn plan_import(
    snapshot: &Snapshot,
    list: &UnitList,
    UnitRows { rows, unreadable }: UnitRows,
    watcher: &dyn Watcher,
) -> Result<(Vec<UnitFact>, usize), UnitError> {
    let lines = rows.iter().filter_map(|row| Some((row.index, row.line?)));
    let lines: HashMap<usize, u64> = lines.collect();
    watcher.begin(Phase::Rows, rows.len());
    let from = list.first_day();
    let tree = snapshot.hierarchy.tree_on(from);
    let mut faults = Vec::new();
    let mut entered = Vec::with_capacity(rows.len());
    let mut codes: HashSet<String> = HashSet::new();
    for row in rows {
        let place = RowPlace::of(&row);
        if faults.len() >= MOST_FAULTS {
            break;
        }
        if !codes.insert(row.code.clone()) {
            let code = &row.code;
            faults.push(Fault::in_body(
                place.at("code"),
                Code::Duplicate,
                message!("unit-list-code-twice", code),
            ));
            continue;
        }
        let parent = (!row.parent_code.is_empty()).then_some(row.parent_code);
        let kind = (!row.kind.is_empty()).then_some(row.kind);
        let unit = EnteredUnit {
            code: row.code,
            name: row.name,
            kind,
            level: row.level,
            parent,
            valid_from: Some(from),
            valid_to: None,
        };
        entered.push((place, unit));
    }
    sort_by_rank(&mut entered, snapshot);
    let above = Sought::of(&entered, &tree, &snapshot.hierarchy, from);
    let mut planned: HashMap<UnitCode, Above> = HashMap::new();
    // A unit below a faulty row is not reported: it may be valid once that row is corrected.
    let mut faulty: HashSet<&str> = HashSet::new();
    let mut created = Vec::new();
    let mut unchanged = 0;
    for (place, unit) in &entered {
        watcher.advance(1);
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let at = |field: &'static str| place.at(field);
        let Some(draft) = Draft::read(unit, snapshot, at, &mut faults) else {
            faulty.insert(&unit.code);
            continue;
        };
        let parent = match above.find(unit, place.columns.zeros, &planned) {
            Ok(parent) => parent,
            Err(fault) => {
                let may_be_there = unit.parent.as_deref();
                let may_be_there = may_be_there.is_some_and(|above| faulty.contains(above));
                // Where a row could not be read, none can be called missing.
                if !may_be_there && unreadable.is_empty() {
                    faults.push(Fault::in_body(at("parent"), Code::UnknownUnit, fault));
                }
                faulty.insert(&unit.code);
                continue;
            }
        };
        if let Some(same) = tree
            .by_code(&draft.code)
            .filter(|known| is_same(*known, &draft, parent.as_ref()))
        {
            planned.insert(draft.code, Above::of(same.fact(), &snapshot.hierarchy));
            unchanged += 1;
            continue;
        }
        let validity = Validity::since(from);
        match draft.placed(parent, snapshot, validity, at, &mut faults) {
            Some(fact) => {
                planned.insert(fact.code.clone(), Above::new(&fact));
                created.push(fact);
            }
            None => {
                faulty.insert(&unit.code);
            }
        }
    }
    if faults.is_empty() && unreadable.is_empty() {
        return Ok((created, unchanged));
    }
    let is_malformed = !unreadable.is_empty();
    // Not in the order of the levels.
    let faults = in_order_of_list(faults, &lines, unreadable);
    Err(match is_malformed {
        true => UnitError::Malformed(faults),
        false => UnitError::Invalid(faults),
    })
}

/// The place of a unit's faults in its list.
struct RowPlace {
    index: usize,
    columns: UnitColumns,
}

impl RowPlace {
    fn of(row: &UnitRow) -> RowPlace {
        RowPlace {
            index: row.index,
            columns: row.columns,
        }
    }

    fn at(&self, field: &'static str) -> FieldPath {
        path![self.index, self.columns.column(field)]
    }
}

/// Sorts parents before their children, whatever the order of the list.
fn sort_by_rank(entered: &mut [(RowPlace, EnteredUnit)], snapshot: &Snapshot) {
    let ranks: HashMap<&str, i32> = snapshot
        .hierarchy
        .levels()
        .iter()
        .map(|level| (level.code.as_str(), level.rank.get()))
        .collect();
    entered.sort_by_key(|(place, unit)| (ranks.get(unit.level.as_str()).copied(), place.index));
}

/// The places in which parents are looked up: the list, and the map of its first day.
struct Sought<'l> {
    day: NaiveDate,
    tree: &'l Tree,
    hierarchy: &'l Hierarchy,
    /// The level that the list gives to each code.
    listed: HashMap<&'l str, &'l str>,
    /// All codes by what a spreadsheet leaves of them.
    without_zeros: HashMap<&'l str, &'l str>,
}

impl<'l> Sought<'l> {
    fn of(
        entered: &'l [(RowPlace, EnteredUnit)],
        tree: &'l Tree,
        hierarchy: &'l Hierarchy,
        day: NaiveDate,
    ) -> Sought<'l> {
        let listed = entered.iter();
        let listed: HashMap<&str, &str> = listed
            .map(|(_, unit)| (unit.code.as_str(), unit.level.as_str()))
            .collect();
        let standing = tree.places().map(|place| place.fact().code.as_str());
        let codes = standing.chain(listed.keys().copied());
        Sought {
            day,
            tree,
            hierarchy,
            without_zeros: codes.map(|code| (without_zeros(code), code)).collect(),
            listed,
        }
    }

    /// Finds the parent of a listed unit, or explains why there is none.
    fn find(
        &self,
        unit: &EnteredUnit,
        zeros: Zeros,
        planned: &HashMap<UnitCode, Above>,
    ) -> Result<Option<Above>, Message> {
        let Some(parent) = &unit.parent else {
            return Ok(None);
        };
        let code = parent.parse::<UnitCode>().ok();
        let found = code.as_ref().and_then(|code| {
            let standing = || {
                let place = self.tree.by_code(code)?;
                Some(Above::of(place.fact(), self.hierarchy))
            };
            planned.get(code).cloned().or_else(standing)
        });
        match found {
            Some(above) => Ok(Some(above)),
            None => Err(self.why_missing(unit, zeros, parent, code.as_ref())),
        }
    }

    fn why_missing(
        &self,
        unit: &EnteredUnit,
        zeros: Zeros,
        parent: &str,
        code: Option<&UnitCode>,
    ) -> Message {
        let name = clipped(parent);
        let level = &unit.level;
        if let Some(above) = self.listed.get(parent) {
            return message!("unit-parent-level-too-low", name, above, level);
        }
        if let Some(other) = code.and_then(|code| self.nearest_with(code)) {
            return self.stands_on_other_days(other);
        }
        let twin = self.without_zeros.get(without_zeros(parent));
        match (zeros, twin) {
            (Zeros::Checked, _) => message!("office-parent-unknown", name = Quoted(&name)),
            (Zeros::MayLack, Some(twin)) => message!("unit-parent-twin", name, twin),
            (Zeros::MayLack, None) => message!("unit-parent-unknown", name = Quoted(&name)),
        }
    }

    /// Finds, among units that have the code on other days, the next one, otherwise the last one.
    fn nearest_with(&self, code: &UnitCode) -> Option<&'l UnitFact> {
        let facts = || self.hierarchy.facts_with(code);
        let later = facts().filter(|fact| fact.validity.from > self.day);
        let next = later.min_by_key(|fact| fact.validity.from);
        next.or_else(|| facts().max_by_key(|fact| fact.validity.from))
    }

    fn stands_on_other_days(&self, fact: &UnitFact) -> Message {
        let (code, name, from) = (&fact.code, &fact.name, fact.validity.from);
        let day = self.day;
        match fact.validity.to.filter(|to| *to < day) {
            Some(to) => message!("unit-parent-ended", name, code, to, day),
            None => message!("unit-parent-stands-from", name, code, from, day),
        }
    }
}

fn is_same(known: Place<'_>, draft: &Draft, parent: Option<&Above>) -> bool {
    let fact = known.fact();
    fact.name == draft.name
        && fact.kind == draft.kind
        && fact.level == draft.level
        && fact.parent == parent.map(|above| above.unit)
}
