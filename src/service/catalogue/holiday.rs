//! Holidays: the days off and the working Saturdays of a year, by which deadlines are counted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::day::Day;
use crate::domain::fault::FieldPath;
use crate::domain::holiday::HolidayYear;
use crate::domain::naming::Named;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::locale::{Count, Quoted};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::text::{EnteredName, NameView};
use crate::store::StoreError;
use crate::store::holiday::holiday_year_put;
use crate::store::tenant::{Part, mark_changed};

/// The errors of use cases on holidays.
#[derive(Debug, thiserror::Error)]
pub enum HolidayError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no holidays of {0}")]
    NotFound(String),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
}

impl Explain for HolidayError {
    fn explain(&self) -> Explanation {
        match self {
            HolidayError::Denied(held) => held.explain(),
            HolidayError::Condition(held) => held.explain(),
            HolidayError::Idempotency(held) => held.explain(),
            HolidayError::Store(held) => held.explain(),
            HolidayError::NotFound(year) => Explanation::new(
                Code::HolidaysNotFound,
                message!("holidays-not-found", year = Quoted(&year)),
            )
            .of_parameter("year"),
            HolidayError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("holidays-invalid", count = Count(count));
                Explanation::new(Code::InvalidHolidays, message).with_faults(faults.clone())
            }
        }
    }
}

/// The holidays of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HolidaysView {
    #[schema(example = 2026)]
    pub year: i32,
    /// The days off besides Saturdays and Sundays, in order: public holidays, and days in lieu.
    pub days: Vec<HolidayView>,
    /// The Saturdays that are worked in exchange for another day, in order.
    pub working_saturdays: Vec<NaiveDate>,
}

/// A day off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HolidayView {
    pub day: NaiveDate,
    pub name: NameView,
}

impl HolidaysView {
    fn of(year: i32, holidays: &HolidayYear) -> HolidaysView {
        let days = holidays.days.iter().map(|(day, name)| HolidayView {
            day: *day,
            name: NameView::of(name),
        });
        HolidaysView {
            year,
            days: days.collect(),
            working_saturdays: holidays.working_saturdays.iter().copied().collect(),
        }
    }
}

/// Reads the holidays of a year.
///
/// # Errors
/// [`HolidayError`].
pub fn get_holidays(
    application: &Application,
    identity: &Identity,
    year: &str,
) -> Result<(State, HolidaysView), HolidayError> {
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ReadCatalogue)?;
        let found = read_year(year).and_then(|year| {
            let holidays = snapshot.catalogue.holidays().year(year)?;
            Some((year, holidays))
        });
        let (year, holidays) = found.ok_or_else(|| HolidayError::NotFound(year.to_owned()))?;
        let state = State::of_content(holidays)?;
        Ok((state, HolidaysView::of(year, holidays)))
    })
}

/// The holidays of a year to put. They replace everything stored.
#[derive(Debug, Clone)]
pub struct EnteredHolidays {
    pub year: String,
    pub days: Vec<EnteredHoliday>,
    pub working_saturdays: Vec<NaiveDate>,
}

/// A day off to put.
#[derive(Debug, Clone)]
pub struct EnteredHoliday {
    pub day: NaiveDate,
    pub name: EnteredName,
}

/// Puts the holidays of a year. Deadlines are counted by them from now on, and none that was told
/// moves earlier.
///
/// # Errors
/// [`HolidayError`].
pub fn put_holidays(
    application: &Application,
    call: &Call,
    entered: &EnteredHolidays,
) -> Result<Reply, HolidayError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::ChangeCatalogue)?;
        change.once(permit, |transaction, _| {
            let holidays = snapshot.catalogue.holidays();
            let known = read_year(&entered.year).and_then(|year| holidays.year(year));
            let state = known.map(State::of_content).transpose()?;
            call.precondition.check_unless_new(state.as_ref())?;
            let (year, next) = HolidayReader::read(entered).map_err(HolidayError::Invalid)?;
            let weekends_only = HolidayYear::default();
            let before = known.unwrap_or(&weekends_only);
            let after = before.replaced_by(next, snapshot.today(call.now));
            let rev = snapshot.counters.rev;
            holiday_year_put(transaction, year, &after, rev)?;
            mark_changed(transaction, Part::Catalogue, rev)?;
            let outcome = match known {
                Some(_) => Outcome::Done,
                None => Outcome::Created(format!("/v1/holidays/{year}")),
            };
            let view = HolidaysView::of(year, &after);
            let reply = Reply::of_state(outcome, &State::of_content(&after)?, &view)?;
            let item = ChangeItem {
                year: Some(year),
                ..ChangeItem::new(ChangeKind::HolidaysChanged)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}

/// Reads a year, which is one in which days can lie.
fn read_year(text: &str) -> Option<i32> {
    let first_day: Day = format!("{text}-01-01").parse().ok()?;
    Some(first_day.get().year())
}

/// Reads the holidays of a year, and notes every fault.
struct HolidayReader {
    year: i32,
    holidays: HolidayYear,
    faults: Vec<Fault>,
}

impl HolidayReader {
    fn read(entered: &EnteredHolidays) -> Result<(i32, HolidayYear), Vec<Fault>> {
        let Some(year) = read_year(&entered.year) else {
            let message = message!("holidays-invalid-year");
            return Err(vec![Fault::in_parameter(
                "year",
                Code::InvalidValue,
                message,
            )]);
        };
        let mut reader = HolidayReader {
            year,
            holidays: HolidayYear {
                days: BTreeMap::new(),
                working_saturdays: BTreeSet::new(),
                off_until: BTreeMap::new(),
            },
            faults: Vec::new(),
        };
        for (index, entered) in entered.days.iter().enumerate() {
            reader.day_off(entered, &path!["days", index]);
        }
        for (index, day) in entered.working_saturdays.iter().enumerate() {
            reader.working_saturday(*day, path!["working_saturdays", index]);
        }
        match reader.faults.is_empty() {
            true => Ok((year, reader.holidays)),
            false => Err(reader.faults),
        }
    }

    fn day_off(&mut self, entered: &EnteredHoliday, at: &FieldPath) {
        let name = entered.name.read(&at.below("name"), &mut self.faults);
        self.check_year(entered.day, at.below("day"));
        if self.holidays.days.insert(entered.day, name).is_some() {
            self.twice(entered.day, at.below("day"));
        }
    }

    fn working_saturday(&mut self, day: NaiveDate, at: FieldPath) {
        self.check_year(day, at.clone());
        let named = Named::day(day);
        if day.weekday() != Weekday::Sat {
            let message = message!("holidays-not-a-saturday", day = named);
            self.faults
                .push(Fault::in_body(at.clone(), Code::InvalidValue, message));
        } else if self.holidays.days.contains_key(&day) {
            let message = message!("holidays-worked-and-off", day = named);
            self.faults
                .push(Fault::in_body(at.clone(), Code::InvalidValue, message));
        }
        if !self.holidays.working_saturdays.insert(day) {
            self.twice(day, at);
        }
    }

    fn check_year(&mut self, day: NaiveDate, at: FieldPath) {
        if day.year() != self.year {
            let (day, year) = (Named::day(day), self.year);
            let message = message!("holidays-outside-year", day, year);
            self.faults
                .push(Fault::in_body(at, Code::InvalidValue, message));
        }
    }

    fn twice(&mut self, day: NaiveDate, at: FieldPath) {
        let message = message!("holidays-day-twice", day = Named::day(day));
        self.faults
            .push(Fault::in_body(at, Code::Duplicate, message));
    }
}
