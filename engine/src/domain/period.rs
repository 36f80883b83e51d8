//! Reporting periods: their keys, the days that they cover, and which of them make up which.
//!
//! Belongs here: what follows from a key and a calendar alone. Never here: the clock and time
//! zones, deadlines and lateness (a form's), working days, the days of a window that a form brings of
//! its own (its key is here, its days are the form's), I/O.
//!
//! Two calendars give a period its days. The *statutory* one is that of Decree 09/2019/NĐ-CP on
//! reporting by state agencies: figures close on the 14th, so that December 2024 runs from
//! 2024-11-15 to 2024-12-14 and the year 2024 from 2023-12-15 to 2024-12-14. The *civil* one is the
//! plain calendar. Weeks are those of ISO 8601, Monday to Sunday, in both.
//!
//! A week belongs to the month, and to the year, that holds its Thursday: ISO's own rule for years,
//! taken for months too. Each week then counts in exactly one month and one year. It holds in both
//! calendars, and the months meant are the plain ones: week 2024-W05 (29 January to 4 February) is
//! a week of February, for its Thursday is 1 February.

use std::fmt::{self, Write};
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2199;

/// From here every day of a period is counted forward, which cannot fail as making a date from its
/// parts can.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Which days a month, and all that is made of months, runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// Decree 09/2019/NĐ-CP: from the 15th of the month before to the 14th.
    Statutory,
    /// From the first day of a month to its last.
    Civil,
}

impl fmt::Display for Calendar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Statutory => "statutory",
            Self::Civil => "civil",
        })
    }
}

/// How often a form is reported: the length of its base periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    Week,
    Month,
    Quarter,
    Half,
    Year,
}

impl Frequency {
    /// How many periods of this frequency `year` has: 52 or 53 weeks, 12 months, 4 quarters, 2
    /// halves, itself.
    fn count_in(self, year: i32) -> u32 {
        match self {
            Self::Week => weeks_in(year),
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Half => 2,
            Self::Year => 1,
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::Year => "year",
        })
    }
}

/// Days from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl DateRange {
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// Tells whether every day of `other` is in this range.
    pub fn contains_range(&self, other: &DateRange) -> bool {
        self.contains(other.from) && self.contains(other.to)
    }
}

/// Why a text is not the key of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeriodKeyError {
    /// The text has none of the seven shapes, or is not written in the one canonical way (`2024-1`,
    /// `2024-q4`).
    #[error(
        "a period is written as 2026-W47, 2024-12, 2024-Q4, 2024-H2, 2024-9M or 2024, \
         a form's own window as 2025-tet"
    )]
    Malformed,
    #[error("the year {0} is not between {FIRST_YEAR} and {LAST_YEAR}")]
    YearOutOfRange(i32),
    /// The year has no such part: month 13, quarter 0, or week 53 of a year with 52.
    #[error("there is no {frequency} {number}: that year has 1 to {last}")]
    NumberOutOfRange {
        frequency: Frequency,
        number: u32,
        last: u32,
    },
}

/// A reporting period, by its key: one of a calendar, which gives it its days, or a window of some
/// form, whose days only that form knows. The one is never written as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    Calendar(CalendarPeriod),
    Window(WindowKey),
}

impl Period {
    /// The year that the period is counted under.
    pub fn year(self) -> i32 {
        match self {
            Self::Calendar(period) => period.year,
            Self::Window(window) => window.year,
        }
    }

    /// The same period of another year: of a calendar where that year has such a one, which it may
    /// not with week 53; of windows the one of the same name, which a form may have or not.
    pub fn in_year(self, year: i32) -> Option<Period> {
        match self {
            Self::Calendar(period) => period.in_year(year).map(Self::Calendar),
            Self::Window(WindowKey { name, .. }) => {
                is_year(year).then_some(Self::Window(WindowKey { year, name }))
            }
        }
    }
}

/// The key of a form's own window, such as `2025-tet`: the year from 1900 to 2199 that it is
/// counted under, and a name.
///
/// A name is 1 to 24 of `a-z 0-9 -`, beginning with a letter. It is not `w`, `q` or `h` with a
/// number, which people would take for a week, a quarter or a half. Windows are ordered by year,
/// then by name; which comes first in time only their form knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WindowKey {
    year: i32,
    name: WindowName,
}

impl WindowKey {
    /// The year that the window is counted under.
    pub fn year(self) -> i32 {
        self.year
    }
}

/// Kept in place, so that a window's key can be copied like that of any period. What is left of
/// the bytes is 0, which no name holds and which sorts before all that one holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct WindowName([u8; LONGEST_NAME]);

const LONGEST_NAME: usize = 24;

impl WindowName {
    fn new(text: &str) -> Option<WindowName> {
        if !is_window_name(text) {
            return None;
        }
        let mut bytes = [0; LONGEST_NAME];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Some(WindowName(bytes))
    }
}

fn is_window_name(text: &str) -> bool {
    let reads_as_part = text.strip_prefix(['w', 'q', 'h']).is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_of_the_alphabet =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_of_the_alphabet)
        && !reads_as_part
}

impl fmt::Display for WindowName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.iter().take_while(|byte| **byte != 0);
        bytes.try_for_each(|byte| formatter.write_char(char::from(*byte)))
    }
}

/// A period of a calendar, of a year from 1900 to 2199.
///
/// Only a period that exists can be made: from its key ([`FromStr`]), or as one of a year
/// ([`CalendarPeriod::of_year`], [`CalendarPeriod::coarser`]). Periods are ordered by year, then
/// the finer before the coarser, then as they follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarPeriod {
    year: i32,
    part: PartOfYear,
}

/// The part of its year that a period is. Numbers count from 1 and exist in the period's year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartOfYear {
    Week(u32),
    Month(u32),
    Quarter(u32),
    Half(u32),
    NineMonths,
    Year,
}

impl PartOfYear {
    fn new(frequency: Frequency, number: u32) -> Self {
        match frequency {
            Frequency::Week => Self::Week(number),
            Frequency::Month => Self::Month(number),
            Frequency::Quarter => Self::Quarter(number),
            Frequency::Half => Self::Half(number),
            Frequency::Year => Self::Year,
        }
    }

    fn span(self) -> Stretch {
        match self {
            Self::Week(week) => Stretch::Week(week),
            Self::Month(month) => Stretch::Months(month, month),
            Self::Quarter(quarter) => Stretch::Months(quarter * 3 - 2, quarter * 3),
            Self::Half(half) => Stretch::Months(half * 6 - 5, half * 6),
            Self::NineMonths => Stretch::Months(1, 9),
            Self::Year => Stretch::Months(1, 12),
        }
    }
}

/// The extent of a part of a year: a week, or the months from the first to the last, both
/// included.
#[derive(Clone, Copy)]
enum Stretch {
    Week(u32),
    Months(u32, u32),
}

impl Stretch {
    fn covers(self, other: Stretch) -> bool {
        match (self, other) {
            (Stretch::Months(first, last), Stretch::Months(other_first, other_last)) => {
                first <= other_first && other_last <= last
            }
            (Stretch::Week(week), Stretch::Week(other)) => week == other,
            _ => false,
        }
    }
}

impl CalendarPeriod {
    /// The days that the period covers: months and what is made of them by `calendar`, weeks by ISO
    /// 8601.
    ///
    /// For a month or a year of a weekly form ask [`CalendarPeriod::range_over`].
    pub fn range(self, calendar: Calendar) -> DateRange {
        match self.part.span() {
            Stretch::Week(week) => week_range(self.year, week),
            Stretch::Months(first, last) => month_range(self.year, first, last, calendar),
        }
    }

    /// The days that the period covers on a form with base periods of frequency `base`.
    ///
    /// They are those of [`CalendarPeriod::range`], but for what a weekly form keeps of months and years:
    /// these run over the whole weeks that belong to them, from a Monday to a Sunday.
    pub fn range_over(self, base: Frequency, calendar: Calendar) -> DateRange {
        let plain = self.range(calendar);
        if base != Frequency::Week {
            return plain;
        }
        let weeks = self.base_periods(base);
        match (weeks.first(), weeks.last()) {
            (Some(first), Some(last)) => DateRange {
                from: first.range(calendar).from,
                to: last.range(calendar).to,
            },
            _ => plain,
        }
    }

    /// The year that the period is counted under: for a week its ISO year, the year of its
    /// Thursday.
    pub fn year(self) -> i32 {
        self.year
    }

    pub fn part(self) -> PartOfYear {
        self.part
    }

    /// The same period of another year; `None` where that year has none such, as with week 53.
    pub fn in_year(self, year: i32) -> Option<CalendarPeriod> {
        let exists = match self.part {
            PartOfYear::Week(week) => week <= weeks_in(year),
            _ => true,
        };
        (is_year(year) && exists).then_some(CalendarPeriod {
            year,
            part: self.part,
        })
    }

    /// The periods of the same sort from this one to `last`, in order; none where `last` is of
    /// another sort or comes before.
    pub fn through(self, last: CalendarPeriod) -> Vec<CalendarPeriod> {
        (self.year..=last.year)
            .flat_map(|year| match self.frequency() {
                Some(frequency) => Self::of_year(frequency, year),
                None => self.in_year(year).into_iter().collect(),
            })
            .filter(|period| self <= *period && *period <= last)
            .filter(|_| self.frequency() == last.frequency())
            .collect()
    }

    /// How often such a period comes; `None` for nine months, which are no form's base period.
    pub fn frequency(self) -> Option<Frequency> {
        match self.part {
            PartOfYear::Week(_) => Some(Frequency::Week),
            PartOfYear::Month(_) => Some(Frequency::Month),
            PartOfYear::Quarter(_) => Some(Frequency::Quarter),
            PartOfYear::Half(_) => Some(Frequency::Half),
            PartOfYear::NineMonths => None,
            PartOfYear::Year => Some(Frequency::Year),
        }
    }

    /// All periods of one frequency counted under `year`, in order; none outside 1900 to 2199.
    pub fn of_year(frequency: Frequency, year: i32) -> Vec<CalendarPeriod> {
        if !is_year(year) {
            return Vec::new();
        }
        (1..=frequency.count_in(year))
            .map(|number| CalendarPeriod {
                year,
                part: PartOfYear::new(frequency, number),
            })
            .collect()
    }

    /// The coarser periods of `year` that are kept for a form whose base periods have this
    /// frequency, the finer ones first; none outside 1900 to 2199.
    ///
    /// A weekly form has months and a year, over whole weeks; it has no quarters, halves or nine
    /// months. A half-yearly form has no nine months, which would end inside its second half.
    pub fn coarser(frequency: Frequency, year: i32) -> Vec<CalendarPeriod> {
        if !is_year(year) {
            return Vec::new();
        }
        let mut periods = Vec::new();
        for kept in kept_frequencies(frequency) {
            if *kept == Frequency::Year
                && matches!(frequency, Frequency::Month | Frequency::Quarter)
            {
                periods.push(CalendarPeriod {
                    year,
                    part: PartOfYear::NineMonths,
                });
            }
            periods.extend(Self::of_year(*kept, year));
        }
        periods
    }

    /// The base periods of a form with this frequency that make up the period, in order.
    ///
    /// Only those wholly inside count; a period of the frequency itself is its own and only one.
    /// Weeks make up the month and the year that hold their Thursday, and nothing else.
    pub fn base_periods(self, base: Frequency) -> Vec<CalendarPeriod> {
        let candidates = Self::of_year(base, self.year).into_iter();
        candidates
            .filter(|candidate| self.is_made_of(*candidate))
            .collect()
    }

    fn is_made_of(self, base: CalendarPeriod) -> bool {
        match (self.part, base.part) {
            (PartOfYear::Month(month), PartOfYear::Week(week)) => {
                week_thursday(base.year, week).month() == month
            }
            (PartOfYear::Year, PartOfYear::Week(_)) => true,
            (part, base_part) => part.span().covers(base_part.span()),
        }
    }
}

fn kept_frequencies(base: Frequency) -> &'static [Frequency] {
    match base {
        Frequency::Week => &[Frequency::Month, Frequency::Year],
        Frequency::Month => &[Frequency::Quarter, Frequency::Half, Frequency::Year],
        Frequency::Quarter => &[Frequency::Half, Frequency::Year],
        Frequency::Half => &[Frequency::Year],
        Frequency::Year => &[],
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(period) => period.fmt(formatter),
            Self::Window(window) => window.fmt(formatter),
        }
    }
}

impl fmt::Display for WindowKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WindowKey { year, name } = self;
        write!(formatter, "{year}-{name}")
    }
}

impl fmt::Display for CalendarPeriod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = self.year;
        match self.part {
            PartOfYear::Week(week) => write!(formatter, "{year}-W{week:02}"),
            PartOfYear::Month(month) => write!(formatter, "{year}-{month:02}"),
            PartOfYear::Quarter(quarter) => write!(formatter, "{year}-Q{quarter}"),
            PartOfYear::Half(half) => write!(formatter, "{year}-H{half}"),
            PartOfYear::NineMonths => write!(formatter, "{year}-9M"),
            PartOfYear::Year => write!(formatter, "{year}"),
        }
    }
}

impl FromStr for Period {
    type Err = PeriodKeyError;

    /// Reads a key in its one canonical form; `2024-1`, `+2024` and a key with spaces around it are
    /// malformed.
    fn from_str(key: &str) -> Result<Self, PeriodKeyError> {
        match key.parse() {
            Err(PeriodKeyError::Malformed) => key.parse().map(Self::Window),
            found => found.map(Self::Calendar),
        }
    }
}

impl FromStr for CalendarPeriod {
    type Err = PeriodKeyError;

    fn from_str(key: &str) -> Result<Self, PeriodKeyError> {
        let (year, rest) = year_of_key(key).ok_or(PeriodKeyError::Malformed)?;
        let part = part_of_key(rest).ok_or(PeriodKeyError::Malformed)?;
        check_year(year)?;
        check_part(year, part)?;
        Ok(CalendarPeriod { year, part })
    }
}

impl FromStr for WindowKey {
    type Err = PeriodKeyError;

    fn from_str(key: &str) -> Result<Self, PeriodKeyError> {
        let (year, rest) = year_of_key(key).ok_or(PeriodKeyError::Malformed)?;
        let name = rest.strip_prefix('-').and_then(WindowName::new);
        let name = name.ok_or(PeriodKeyError::Malformed)?;
        check_year(year)?;
        Ok(WindowKey { year, name })
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodKeyError;

    fn try_from(key: String) -> Result<Self, PeriodKeyError> {
        key.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for WindowKey {
    type Error = PeriodKeyError;

    fn try_from(key: String) -> Result<Self, PeriodKeyError> {
        key.parse()
    }
}

impl From<WindowKey> for String {
    fn from(window: WindowKey) -> Self {
        window.to_string()
    }
}

/// A key's first four digits, which may be no year that there is, and what follows them.
fn year_of_key(key: &str) -> Option<(i32, &str)> {
    let (year, rest) = key.split_at_checked(4)?;
    Some((digits(year, 4)?, rest))
}

/// The part of a key after its year; its number may still be one that the year does not have.
fn part_of_key(rest: &str) -> Option<PartOfYear> {
    if rest.is_empty() {
        return Some(PartOfYear::Year);
    }
    let rest = rest.strip_prefix('-')?;
    if rest == "9M" {
        return Some(PartOfYear::NineMonths);
    }
    if let Some(week) = rest.strip_prefix('W') {
        return digits(week, 2).map(PartOfYear::Week);
    }
    if let Some(quarter) = rest.strip_prefix('Q') {
        return digits(quarter, 1).map(PartOfYear::Quarter);
    }
    if let Some(half) = rest.strip_prefix('H') {
        return digits(half, 1).map(PartOfYear::Half);
    }
    digits(rest, 2).map(PartOfYear::Month)
}

/// A number of exactly `length` digits: `parse` alone would take a sign, and any length.
fn digits<T: FromStr>(text: &str, length: usize) -> Option<T> {
    let canonical = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical { text.parse().ok() } else { None }
}

fn check_year(year: i32) -> Result<(), PeriodKeyError> {
    if is_year(year) {
        Ok(())
    } else {
        Err(PeriodKeyError::YearOutOfRange(year))
    }
}

fn check_part(year: i32, part: PartOfYear) -> Result<(), PeriodKeyError> {
    let (frequency, number) = match part {
        PartOfYear::Week(week) => (Frequency::Week, week),
        PartOfYear::Month(month) => (Frequency::Month, month),
        PartOfYear::Quarter(quarter) => (Frequency::Quarter, quarter),
        PartOfYear::Half(half) => (Frequency::Half, half),
        PartOfYear::NineMonths | PartOfYear::Year => return Ok(()),
    };
    let last = frequency.count_in(year);
    if (1..=last).contains(&number) {
        Ok(())
    } else {
        Err(PeriodKeyError::NumberOutOfRange {
            frequency,
            number,
            last,
        })
    }
}

fn is_year(year: i32) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&year)
}

/// The first day of a month in the plain calendar; month 13 is the January after. The year is one
/// of [`is_year`].
fn first_of_month(year: i32, month: u32) -> NaiveDate {
    FIRST_DAY + Months::new(year.abs_diff(FIRST_YEAR) * 12 + month - 1)
}

/// The day on which a month's window opens, months numbered as in [`first_of_month`].
fn opening_day(year: i32, month: u32, calendar: Calendar) -> NaiveDate {
    let first = first_of_month(year, month);
    match calendar {
        Calendar::Civil => first,
        Calendar::Statutory => first - Months::new(1) + Days::new(14),
    }
}

fn month_range(year: i32, first: u32, last: u32, calendar: Calendar) -> DateRange {
    DateRange {
        from: opening_day(year, first, calendar),
        to: opening_day(year, last + 1, calendar) - Days::new(1),
    }
}

/// ISO 8601: the 28th of December is always in the last week of its year.
fn weeks_in(year: i32) -> u32 {
    (first_of_month(year, 12) + Days::new(27)).iso_week().week()
}

/// ISO 8601: the 4th of January is always in the first week of its year.
fn week_monday(year: i32, week: u32) -> NaiveDate {
    let fourth = first_of_month(year, 1) + Days::new(3);
    let first_monday = fourth - Days::new(fourth.weekday().num_days_from_monday().into());
    first_monday + Days::new(u64::from(week - 1) * 7)
}

fn week_thursday(year: i32, week: u32) -> NaiveDate {
    week_monday(year, week) + Days::new(3)
}

fn week_range(year: i32, week: u32) -> DateRange {
    let monday = week_monday(year, week);
    DateRange {
        from: monday,
        to: monday + Days::new(6),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const FREQUENCIES: [Frequency; 5] = [
        Frequency::Week,
        Frequency::Month,
        Frequency::Quarter,
        Frequency::Half,
        Frequency::Year,
    ];
    const CALENDARS: [Calendar; 2] = [Calendar::Statutory, Calendar::Civil];

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(key: &str) -> CalendarPeriod {
        key.parse().unwrap()
    }

    fn window(key: &str) -> WindowKey {
        key.parse().unwrap()
    }

    fn range(from: &str, to: &str) -> DateRange {
        DateRange {
            from: day(from),
            to: day(to),
        }
    }

    fn keys(periods: &[CalendarPeriod]) -> String {
        periods
            .iter()
            .map(CalendarPeriod::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn statutory_ranges() {
        let cases = [
            ("2026-W47", "2026-11-16", "2026-11-22"),
            ("2024-01", "2023-12-15", "2024-01-14"),
            ("2024-02", "2024-01-15", "2024-02-14"),
            ("2024-03", "2024-02-15", "2024-03-14"),
            ("2024-12", "2024-11-15", "2024-12-14"),
            ("2024-Q1", "2023-12-15", "2024-03-14"),
            ("2024-Q2", "2024-03-15", "2024-06-14"),
            ("2024-Q3", "2024-06-15", "2024-09-14"),
            ("2024-Q4", "2024-09-15", "2024-12-14"),
            ("2024-H1", "2023-12-15", "2024-06-14"),
            ("2024-H2", "2024-06-15", "2024-12-14"),
            ("2024-9M", "2023-12-15", "2024-09-14"),
            ("2024", "2023-12-15", "2024-12-14"),
            ("1900", "1899-12-15", "1900-12-14"),
            ("2199-12", "2199-11-15", "2199-12-14"),
        ];
        for (key, from, to) in cases {
            assert_eq!(
                period(key).range(Calendar::Statutory),
                range(from, to),
                "{key}"
            );
        }
    }

    #[test]
    fn civil_ranges() {
        let cases = [
            ("2026-W47", "2026-11-16", "2026-11-22"),
            ("2024-01", "2024-01-01", "2024-01-31"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2023-02", "2023-02-01", "2023-02-28"),
            ("2024-12", "2024-12-01", "2024-12-31"),
            ("2024-Q1", "2024-01-01", "2024-03-31"),
            ("2024-Q4", "2024-10-01", "2024-12-31"),
            ("2024-H1", "2024-01-01", "2024-06-30"),
            ("2024-H2", "2024-07-01", "2024-12-31"),
            ("2024-9M", "2024-01-01", "2024-09-30"),
            ("2024", "2024-01-01", "2024-12-31"),
            ("1900", "1900-01-01", "1900-12-31"),
            ("2199", "2199-01-01", "2199-12-31"),
        ];
        for (key, from, to) in cases {
            assert_eq!(period(key).range(Calendar::Civil), range(from, to), "{key}");
        }
    }

    #[test]
    fn weeks_at_the_turn_of_the_year() {
        assert_eq!(
            period("2020-W53").range(Calendar::Statutory),
            range("2020-12-28", "2021-01-03")
        );
        assert_eq!(
            period("2021-W01").range(Calendar::Civil),
            range("2021-01-04", "2021-01-10")
        );
        assert_eq!(
            period("2026-W53").range(Calendar::Civil),
            range("2026-12-28", "2027-01-03")
        );
        assert_eq!(
            period("2025-W01").range(Calendar::Civil),
            range("2024-12-30", "2025-01-05")
        );
        assert_eq!(period("2020-W53").year(), 2020);
        let error = PeriodKeyError::NumberOutOfRange {
            frequency: Frequency::Week,
            number: 53,
            last: 52,
        };
        assert_eq!("2025-W53".parse::<Period>(), Err(error));
        assert_eq!(
            error.to_string(),
            "there is no week 53: that year has 1 to 52"
        );
    }

    #[test]
    fn keys_that_are_not_canonical() {
        let texts = [
            "",
            "2024-1",
            "+2024",
            "-2024",
            "2024 ",
            " 2024",
            "024",
            "20240",
            "2024-",
            "2024-012",
            "2024-+1",
            "2024-W1",
            "2024-w01",
            "2024-Q04",
            "2024-q4",
            "2024-H",
            "2024-9m",
            "2024-6M",
            "2024-09M",
            "2024-Q+1",
            "2024--1",
            "2024/01",
            "２０２４",
            "2024-１２",
            "202é",
        ];
        for text in texts {
            assert_eq!(
                text.parse::<Period>(),
                Err(PeriodKeyError::Malformed),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_window_is_a_year_and_a_name() {
        for key in [
            "2025-tet",
            "2025-a",
            "1900-q",
            "2199-w47a",
            "2025-h-1",
            "2025-quy-vi-nguoi-ngheo-dot-2",
        ] {
            let found = window(key);
            assert_eq!(key.parse(), Ok(Period::Window(found)));
            assert_eq!(found.to_string(), key);
        }
        assert_eq!(window("2025-tet").year(), 2025);
        for text in [
            "tet",
            "2025tet",
            "25-tet",
            "2025-Tet",
            "2025-tết",
            "2025-1tet",
            "2025--tet",
            "2025-te t",
            "2025-tet ",
            "2025-te_t",
            "2025-te\0",
            // Longer by one than what is kept.
            "2025-quy-vi-nguoi-ngheo-dot-10",
            // What people would take for a week, a quarter, a half.
            "2025-w47",
            "2025-w1",
            "2025-q4",
            "2025-h2",
        ] {
            assert_eq!(
                text.parse::<Period>(),
                Err(PeriodKeyError::Malformed),
                "{text:?}"
            );
        }
        assert_eq!(
            "1899-tet".parse::<Period>(),
            Err(PeriodKeyError::YearOutOfRange(1899))
        );
    }

    #[test]
    fn the_same_window_of_another_year_has_the_same_name() {
        let in_year = |key: &str, year| {
            let found = key.parse::<Period>().unwrap().in_year(year);
            found.map(|found| found.to_string())
        };
        assert_eq!(in_year("2025-tet", 2024).as_deref(), Some("2024-tet"));
        assert_eq!(in_year("1900-tet", 1899), None);
        assert_eq!(in_year("2024-W07", 2023).as_deref(), Some("2023-W07"));
        assert_eq!(in_year("2020-W53", 2019), None);
        let mut keys = ["2025-tet", "2024-tet", "2025-te", "2024-xuan"].map(window);
        keys.sort();
        let keys = keys.map(|key| key.to_string());
        assert_eq!(keys, ["2024-tet", "2024-xuan", "2025-te", "2025-tet"]);
    }

    #[test]
    fn periods_that_do_not_exist() {
        for key in [
            "2024-00", "2024-13", "2024-Q0", "2024-Q5", "2024-H0", "2024-H3", "2024-W00",
            "2026-W54", "2024-W60",
        ] {
            let found = key.parse::<Period>();
            assert!(
                matches!(found, Err(PeriodKeyError::NumberOutOfRange { .. })),
                "{key}: {found:?}"
            );
        }
        assert_eq!(
            "1899-12".parse::<Period>(),
            Err(PeriodKeyError::YearOutOfRange(1899))
        );
        assert_eq!(
            "2200".parse::<Period>(),
            Err(PeriodKeyError::YearOutOfRange(2200))
        );
        assert_eq!(
            PeriodKeyError::YearOutOfRange(2200).to_string(),
            "the year 2200 is not between 1900 and 2199"
        );
        for frequency in FREQUENCIES {
            assert!(CalendarPeriod::of_year(frequency, 2200).is_empty());
            assert!(CalendarPeriod::coarser(frequency, i32::MIN).is_empty());
        }
    }

    #[test]
    fn serde_forms() {
        assert_eq!(
            serde_json::to_string(&Period::Calendar(period("2024-Q4"))).unwrap(),
            "\"2024-Q4\""
        );
        assert_eq!(
            serde_json::to_string(&Period::Window(window("2025-tet"))).unwrap(),
            "\"2025-tet\""
        );
        assert_eq!(
            serde_json::from_str::<Period>("\"2024-9M\"").unwrap(),
            Period::Calendar(period("2024-9M"))
        );
        assert_eq!(
            serde_json::from_str::<WindowKey>("\"2025-tet\"").unwrap(),
            window("2025-tet")
        );
        assert!(serde_json::from_str::<Period>("\"2024-13\"").is_err());
        for calendar in CALENDARS {
            assert_eq!(
                serde_json::to_string(&calendar).unwrap(),
                format!("\"{calendar}\"")
            );
        }
        for frequency in FREQUENCIES {
            assert_eq!(
                serde_json::to_string(&frequency).unwrap(),
                format!("\"{frequency}\"")
            );
        }
    }

    #[test]
    fn order_is_by_year_then_finer_first() {
        let mut periods = [
            "2025-01", "2024", "2024-9M", "2024-Q2", "2024-12", "2024-W07", "2024-H1", "2024-Q1",
        ]
        .map(period);
        periods.sort();
        assert_eq!(
            keys(&periods),
            "2024-W07 2024-12 2024-Q1 2024-Q2 2024-H1 2024-9M 2024 2025-01"
        );
    }

    #[test]
    fn coarser_periods_of_each_frequency() {
        let coarser = |frequency| keys(&CalendarPeriod::coarser(frequency, 2024));
        assert_eq!(
            coarser(Frequency::Month),
            "2024-Q1 2024-Q2 2024-Q3 2024-Q4 2024-H1 2024-H2 2024-9M 2024"
        );
        assert_eq!(coarser(Frequency::Quarter), "2024-H1 2024-H2 2024-9M 2024");
        assert_eq!(coarser(Frequency::Half), "2024");
        assert_eq!(coarser(Frequency::Year), "");
        assert_eq!(
            coarser(Frequency::Week),
            "2024-01 2024-02 2024-03 2024-04 2024-05 2024-06 2024-07 2024-08 2024-09 2024-10 2024-11 2024-12 2024"
        );
    }

    #[test]
    fn base_periods_wholly_inside() {
        let base = |key, frequency| keys(&period(key).base_periods(frequency));
        assert_eq!(base("2024-Q4", Frequency::Month), "2024-10 2024-11 2024-12");
        assert_eq!(base("2024-H2", Frequency::Quarter), "2024-Q3 2024-Q4");
        assert_eq!(
            base("2024-9M", Frequency::Quarter),
            "2024-Q1 2024-Q2 2024-Q3"
        );
        assert_eq!(base("2024-9M", Frequency::Half), "2024-H1");
        assert_eq!(base("2024", Frequency::Half), "2024-H1 2024-H2");
        assert_eq!(base("2024", Frequency::Year), "2024");
        assert_eq!(base("2024-07", Frequency::Month), "2024-07");
        assert_eq!(base("2024-07", Frequency::Quarter), "");
        assert_eq!(base("2024-W07", Frequency::Week), "2024-W07");
        assert_eq!(base("2024-W07", Frequency::Month), "");
    }

    #[test]
    fn weeks_go_by_their_thursday() {
        let weeks = |key| keys(&period(key).base_periods(Frequency::Week));
        assert_eq!(weeks("2024-01"), "2024-W01 2024-W02 2024-W03 2024-W04");
        assert_eq!(
            weeks("2024-02"),
            "2024-W05 2024-W06 2024-W07 2024-W08 2024-W09"
        );
        assert_eq!(
            weeks("2026-12"),
            "2026-W49 2026-W50 2026-W51 2026-W52 2026-W53"
        );
        for key in ["2024-Q1", "2024-H1", "2024-9M"] {
            assert_eq!(weeks(key), "", "{key}");
        }
        for calendar in CALENDARS {
            let over_weeks = |key| period(key).range_over(Frequency::Week, calendar);
            assert_eq!(over_weeks("2024-02"), range("2024-01-29", "2024-03-03"));
            assert_eq!(over_weeks("2020"), range("2019-12-30", "2021-01-03"));
            assert_eq!(over_weeks("2024-W07"), range("2024-02-12", "2024-02-18"));
            let plain = period("2024-02").range(calendar);
            assert_eq!(
                period("2024-02").range_over(Frequency::Month, calendar),
                plain
            );
        }
    }

    #[test]
    fn ranges_contain_their_ends() {
        let february = range("2024-02-01", "2024-02-29");
        assert!(february.contains(february.from) && february.contains(february.to));
        assert!(!february.contains(day("2024-01-31")) && !february.contains(day("2024-03-01")));
        assert!(february.contains_range(&february));
        assert!(february.contains_range(&range("2024-02-02", "2024-02-03")));
        assert!(!february.contains_range(&range("2024-02-02", "2024-03-01")));
    }

    #[test]
    fn periods_of_one_frequency_follow_without_gap_or_overlap() {
        for calendar in CALENDARS {
            for frequency in FREQUENCIES {
                let periods: Vec<CalendarPeriod> = (2000..=2030)
                    .flat_map(|year| CalendarPeriod::of_year(frequency, year))
                    .collect();
                for pair in periods.windows(2) {
                    let (before, after) = (pair[0].range(calendar), pair[1].range(calendar));
                    assert_eq!(
                        before.to.succ_opt(),
                        Some(after.from),
                        "{} {}",
                        pair[0],
                        calendar
                    );
                    assert!(pair[0] < pair[1]);
                }
            }
        }
    }

    #[test]
    fn each_day_is_in_one_base_period_and_each_base_period_in_one_coarser_of_each_sort() {
        // The years at both ends hold what runs over the turn.
        let (first, last) = (day("2000-01-01"), day("2030-12-31"));
        let years = 1999..=2031;
        for calendar in CALENDARS {
            for frequency in FREQUENCIES {
                let of_all_years = |frequency| {
                    let years = years.clone();
                    years.flat_map(move |year| CalendarPeriod::of_year(frequency, year))
                };
                let mut covered: BTreeMap<NaiveDate, u32> = BTreeMap::new();
                for base in of_all_years(frequency) {
                    let range = base.range(calendar);
                    for day in range.from.iter_days().take_while(|day| *day <= range.to) {
                        *covered.entry(day).or_default() += 1;
                    }
                }
                for day in first.iter_days().take_while(|day| *day <= last) {
                    assert_eq!(
                        covered.get(&day),
                        Some(&1),
                        "{day}: {frequency}, {calendar}"
                    );
                }
                for kept in kept_frequencies(frequency) {
                    let parts = of_all_years(*kept).flat_map(|whole| whole.base_periods(frequency));
                    assert!(parts.eq(of_all_years(frequency)), "{frequency} in {kept}");
                }
            }
        }
    }

    #[test]
    fn coarser_periods_are_the_union_of_their_base_periods() {
        for calendar in CALENDARS {
            for frequency in FREQUENCIES {
                for year in 2000..=2030 {
                    for coarser in CalendarPeriod::coarser(frequency, year) {
                        assert_is_union(coarser, frequency, calendar);
                    }
                }
            }
        }
    }

    fn assert_is_union(coarser: CalendarPeriod, base: Frequency, calendar: Calendar) {
        let ranges: Vec<DateRange> = coarser
            .base_periods(base)
            .into_iter()
            .map(|period| period.range(calendar))
            .collect();
        let union = DateRange {
            from: ranges[0].from,
            to: ranges[ranges.len() - 1].to,
        };
        assert_eq!(
            coarser.range_over(base, calendar),
            union,
            "{coarser} of {base}"
        );
        assert!(
            ranges
                .windows(2)
                .all(|pair| pair[0].to.succ_opt() == Some(pair[1].from))
        );
    }

    #[test]
    fn each_week_is_in_exactly_one_month() {
        for year in 2000..=2030 {
            let months = CalendarPeriod::of_year(Frequency::Month, year);
            let weeks: Vec<CalendarPeriod> = months
                .into_iter()
                .flat_map(|month| month.base_periods(Frequency::Week))
                .collect();
            assert_eq!(weeks, CalendarPeriod::of_year(Frequency::Week, year));
        }
    }

    #[test]
    fn keys_round_trip() {
        for year in [FIRST_YEAR, 2020, 2024, LAST_YEAR] {
            for frequency in FREQUENCIES {
                let periods = CalendarPeriod::of_year(frequency, year);
                for period in periods
                    .into_iter()
                    .chain(CalendarPeriod::coarser(frequency, year))
                {
                    assert_eq!(period.to_string().parse(), Ok(Period::Calendar(period)));
                    assert_eq!(period.year(), year);
                }
                for period in CalendarPeriod::of_year(frequency, year) {
                    assert_eq!(period.frequency(), Some(frequency));
                }
            }
        }
        assert_eq!(period("2024-9M").frequency(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_an_error_or_a_canonical_key(text in any::<String>()) {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }

        #[test]
        fn any_text_like_a_key_is_an_error_or_canonical(text in "[+ ]?[0-9]{3,5}(-[WQHM9+]?[0-9]{0,3}M?)?") {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }

        #[test]
        fn windows_round_trip(year in FIRST_YEAR..=LAST_YEAR, name in "[a-z][a-z0-9-]{0,23}") {
            let key = format!("{year}-{name}");
            if let Some(name) = WindowName::new(&name) {
                let found = WindowKey { year, name };
                prop_assert_eq!(found.to_string(), key.clone());
                prop_assert_eq!(key.parse(), Ok(Period::Window(found)));
            } else {
                prop_assert_eq!(key.parse::<Period>(), Err(PeriodKeyError::Malformed));
            }
        }

        #[test]
        fn no_key_is_of_two_sorts_however_its_letters_are_written(text in "[0-9]{4}-[wqhmWQHMa-c]?[0-9-]{0,3}[Ma]?") {
            if text.parse::<WindowKey>().is_ok() {
                let written = [text.clone(), text.to_ascii_uppercase()];
                prop_assert!(written.iter().all(|text| text.parse::<CalendarPeriod>().is_err()));
            }
        }

        #[test]
        fn windows_are_in_the_order_of_their_keys(one in "20[0-9]{2}-[x-z][x-z0-9-]{0,4}", two in "20[0-9]{2}-[x-z][x-z0-9-]{0,4}") {
            prop_assert_eq!(window(&one).cmp(&window(&two)), one.cmp(&two));
        }
    }
}
