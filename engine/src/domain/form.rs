//! Forms (mẫu báo cáo): the versioned outline of what is reported, by whom, how often and by
//! when. Never submissions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::deadline::Deadline;
use super::formula::Comparison;
use super::holiday::Holidays;
use super::id::{FormCode, FormNumber, IndicatorCode, LevelCode, RuleCode, SectionNumber, UnitId};
use super::jump::JumpFactor;
use super::period::{Calendar, CalendarPeriod, DateRange, Frequency, Period, WindowKey};
use super::text::LocalizedText;
use super::unit::UnitFact;

/// A form with all its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub number: FormNumber,
    pub code: FormCode,
    /// By the first day on which each holds.
    pub versions: BTreeMap<NaiveDate, FormDefinition>,
}

/// A form's definition, from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormDefinition {
    pub name: LocalizedText,
    /// In the document beside the other fields, where a calendar and a frequency always stood.
    #[serde(flatten)]
    pub periods: Periods,
    /// The unit that the form belongs to: only units at and below it are asked. Without one the form
    /// is of the whole tenant. The same in every version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UnitId>,
    #[serde(flatten)]
    pub submitted_by: SubmittedBy,
    /// Days before the closing day on which entry begins; without it, the period's first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<u16>,
    /// Working days after the closing day, for each level; a level without one has no deadline. A
    /// level that submits nothing may have one: by then it sends its report up. A window that is due
    /// at a time of its own goes by that.
    pub deadlines: BTreeMap<LevelCode, u16>,
    pub late: Late,
    /// Forbids or allows approval by the one who entered the values.
    pub four_eyes: FourEyes,
    /// Warns of totals that differ more than by this factor from those of the unit's last periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump_factor: Option<JumpFactor>,
    pub outline: Vec<Section>,
    pub rules: Vec<Rule>,
}

/// Who submits a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubmittedBy {
    /// Every unit of these levels.
    #[serde(rename = "submitted_by")]
    Levels(Vec<LevelCode>),
    /// These units.
    #[serde(rename = "recipients")]
    Recipients(BTreeSet<UnitId>),
}

impl SubmittedBy {
    /// The levels, where the form asks units by their level.
    pub fn levels(&self) -> &[LevelCode] {
        match self {
            SubmittedBy::Levels(levels) => levels,
            SubmittedBy::Recipients(_) => &[],
        }
    }

    /// The units, where the form names them.
    pub fn recipients(&self) -> Option<&BTreeSet<UnitId>> {
        match self {
            SubmittedBy::Levels(_) => None,
            SubmittedBy::Recipients(units) => Some(units),
        }
    }

    /// Tells whether a unit is among them, wherever it stands.
    pub fn includes(&self, unit: &UnitFact) -> bool {
        match self {
            SubmittedBy::Levels(levels) => levels.contains(&unit.level),
            SubmittedBy::Recipients(units) => units.contains(&unit.unit),
        }
    }
}

/// Which periods a form has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Periods {
    /// Periods of a calendar, which recur and make up longer ones.
    Recurring {
        calendar: Calendar,
        frequency: Frequency,
    },
    /// The form's own: campaigns, budget years, requests that come once. Each stands alone, so
    /// there are no longer periods; they may overlap and lie across years.
    Windows {
        windows: BTreeMap<WindowKey, Window>,
    },
}

/// One of a form's own reporting periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub name: Option<LocalizedText>,
    pub days: DateRange,
    /// The deadline of every level; without it the form's own deadlines hold.
    pub due_at: Option<Deadline>,
}

/// The treatment of a submission after its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// It is taken, and counted as late.
    #[default]
    Accept,
    Refuse,
}

/// The rule that one person enters a submission and another approves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FourEyes {
    Required,
    #[default]
    NotRequired,
}

/// A numbered heading of the outline (đề cương).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    pub number: SectionNumber,
    pub title: LocalizedText,
    pub narrative: Narrative,
    pub items: Vec<Item>,
    pub sections: Vec<Section>,
}

/// A section's rule for prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Narrative {
    Taken,
    NotTaken,
}

/// An indicator in the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub indicator: IndicatorCode,
    /// The levels whose units submit it; `None` means every unit that submits the form.
    pub collected_at: Option<Vec<LevelCode>>,
    pub need: Need,
    pub show: Show,
    /// The form on which it is entered, if not on this one: the figure is taken from there, and nobody
    /// submits it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_form: Option<FormCode>,
}

impl Item {
    /// Tells whether units of a level that submit the form submit this item.
    pub fn is_collected_at(&self, level: &LevelCode) -> bool {
        let levels = self.collected_at.as_ref();
        self.from_form.is_none() && levels.is_none_or(|levels| levels.contains(level))
    }
}

/// An indicator's place in a submission: required or optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Required,
    #[default]
    Optional,
}

/// Which figure a report prints for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Show {
    Own,
    #[default]
    Total,
    Both,
}

/// A check of a unit's totals at the moment of submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub code: RuleCode,
    pub severity: Severity,
    pub expression: Comparison,
    pub message: LocalizedText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The submission is refused.
    Error,
    /// The submission is taken, and its answer says so.
    Warning,
}

impl Form {
    /// The unit that the form belongs to.
    pub fn owner(&self) -> Option<UnitId> {
        self.versions
            .values()
            .find_map(|definition| definition.owner)
    }

    /// The version that holds on `day`.
    pub fn on(&self, day: NaiveDate) -> Option<&FormDefinition> {
        self.versions
            .range(..=day)
            .next_back()
            .map(|(_, definition)| definition)
    }

    /// The form's period of this key, a base period or a longer one, with the version that its
    /// last day gives; `None` where the form has no such period.
    pub fn period(&self, period: Period) -> Option<FormPeriod<'_>> {
        self.versions.values().rev().find_map(|definition| {
            let (range, span) = definition.periods.find(period)?;
            let in_force = self.on(range.to)?;
            std::ptr::eq(in_force, definition).then_some(FormPeriod {
                form: self,
                definition,
                period,
                range,
                span,
            })
        })
    }

    /// The longer periods that a base period is part of, the shorter ones first.
    pub fn longer_periods_with(&self, base: &FormPeriod<'_>) -> Vec<FormPeriod<'_>> {
        base.definition
            .periods
            .longer_in_year_of(base.period)
            .into_iter()
            .filter_map(|longer| self.period(longer))
            .filter(|longer| longer.span == Span::LongPeriod)
            .filter(|longer| {
                longer
                    .base_periods()
                    .iter()
                    .any(|one| one.period == base.period)
            })
            .collect()
    }

    /// The form's base periods that are counted under `year`, in order.
    pub fn periods_of(&self, year: i32) -> Vec<FormPeriod<'_>> {
        let frequencies: BTreeSet<Frequency> = self
            .versions
            .values()
            .filter_map(|definition| definition.periods.frequency())
            .collect();
        let mut periods: Vec<FormPeriod<'_>> = frequencies
            .into_iter()
            .flat_map(|frequency| CalendarPeriod::of_year(frequency, year))
            .filter_map(|period| self.period(Period::Calendar(period)))
            .filter(|period| period.span == Span::BasePeriod)
            .collect();
        let windows = self.windows().into_iter();
        periods.extend(windows.filter(|window| window.period.year() == year));
        periods.sort_by_key(FormPeriod::order);
        periods
    }

    /// The form's base periods that ended before another began, at most so many, the last one first.
    pub fn periods_before(&self, next: &FormPeriod<'_>, most: usize) -> Vec<FormPeriod<'_>> {
        // A year has at least one period, and a calendar's may begin in the year before.
        let year = next.period.year();
        let years = i32::try_from(most).unwrap_or(i32::MAX);
        let years = year.saturating_sub(years).saturating_sub(1)..=year;
        let mut periods: Vec<FormPeriod<'_>> =
            years.flat_map(|year| self.periods_of(year)).collect();
        periods.retain(|period| period.closing_day() < next.range.from);
        periods.sort_by_key(|period| Reverse(period.order()));
        periods.truncate(most);
        periods
    }

    /// The base periods of which entry has begun by a day, and that closed on `closed_since` at the
    /// earliest. In the order of their days.
    pub fn periods_entered_by(
        &self,
        day: NaiveDate,
        closed_since: NaiveDate,
    ) -> Vec<FormPeriod<'_>> {
        // A calendar's period lies in its year or begins at the end of the year before.
        let years = closed_since.year().saturating_sub(1)..=day.year().saturating_add(1);
        let is_window = |period: &FormPeriod<'_>| matches!(period.period, Period::Window(_));
        let recurring = years.flat_map(|year| self.periods_of(year));
        let mut periods: Vec<FormPeriod<'_>> =
            recurring.filter(|period| !is_window(period)).collect();
        periods.extend(self.windows());
        periods.retain(|period| period.opens() <= day && closed_since <= period.closing_day());
        periods.sort_by_key(FormPeriod::order);
        periods
    }

    /// All of the form's own windows, in the order of their days.
    fn windows(&self) -> Vec<FormPeriod<'_>> {
        let keys: BTreeSet<WindowKey> = self
            .versions
            .values()
            .filter_map(|definition| definition.periods.windows())
            .flat_map(|windows| windows.keys().copied())
            .collect();
        let mut windows: Vec<FormPeriod<'_>> = keys
            .into_iter()
            .filter_map(|key| self.period(Period::Window(key)))
            .collect();
        windows.sort_by_key(FormPeriod::order);
        windows
    }

    /// The periods from `first` to `last`, both of which are of one sort, in order: of a calendar
    /// all that there are, else the form's own windows. None where they are of two sorts, not in
    /// order, or no windows of the form.
    pub fn periods_through(&self, first: Period, last: Period) -> Vec<Period> {
        match (first, last) {
            (Period::Calendar(first), Period::Calendar(last)) => {
                let periods = first.through(last).into_iter();
                periods.map(Period::Calendar).collect()
            }
            (Period::Window(_), Period::Window(_)) => {
                let windows = self.windows().into_iter();
                let windows: Vec<Period> = windows.map(|window| window.period).collect();
                let place = |wanted| windows.iter().position(|window| *window == wanted);
                let range = place(first).and_then(|first| windows.get(first..=place(last)?));
                range.unwrap_or_default().to_vec()
            }
            _ => Vec::new(),
        }
    }
}

/// The sort of a period: one of a form's base periods, which are submitted, or a longer one, which
/// is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    BasePeriod,
    LongPeriod,
}

/// A part of a form that is fixed for a period with submissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixedFormPart {
    /// The calendar or the frequency: the period would not be one any more.
    Periods,
    /// A window of the form's own, or its days.
    Window,
    /// A level that submits, which would not do so any more.
    SubmittedBy(LevelCode),
    /// A unit that submitted, which would not be asked any more.
    Recipient(UnitId),
    /// An indicator that some level submits, which would not do so any more.
    Item(IndicatorCode),
}

/// A period of a form, under the version that holds on its last day.
#[derive(Debug, Clone, Copy)]
pub struct FormPeriod<'f> {
    pub form: &'f Form,
    pub definition: &'f FormDefinition,
    pub period: Period,
    pub range: DateRange,
    pub span: Span,
}

/// The course of a period's year up to the period's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearToDate {
    /// The base periods in it, in order.
    pub bases: Vec<Period>,
    /// The longer period that is made of exactly these, where there is one.
    pub kept: Option<Period>,
}

impl<'f> FormPeriod<'f> {
    /// The base periods that it is made of, in order; of a base period itself.
    pub fn base_periods(&self) -> Vec<FormPeriod<'f>> {
        let bases = self.definition.periods.base_periods(self.period);
        bases
            .into_iter()
            .filter_map(|base| self.form.period(base))
            .filter(|base| base.span == Span::BasePeriod)
            .collect()
    }

    /// The base periods from the beginning of the year to the period's end, in order; none for a
    /// window.
    pub fn base_periods_to_date(&self) -> Vec<FormPeriod<'f>> {
        let to_date = self.year_to_date().into_iter();
        let bases = to_date.flat_map(|to_date| to_date.bases);
        bases.filter_map(|base| self.form.period(base)).collect()
    }

    /// The last day, which decides on the tree and on the versions.
    pub fn closing_day(&self) -> NaiveDate {
        self.range.to
    }

    fn order(&self) -> (NaiveDate, NaiveDate) {
        (self.range.from, self.range.to)
    }

    /// Returns the form's window, if the period is one.
    pub fn window(&self) -> Option<&'f Window> {
        match self.period {
            Period::Window(key) => self.definition.periods.windows()?.get(&key),
            Period::Calendar(_) => None,
        }
    }

    /// The first day on which it can be entered, which is never before its own first day.
    pub fn opens(&self) -> NaiveDate {
        let DateRange { from, to } = self.range;
        let before = self.definition.opens.map(|days| Days::new(days.into()));
        let opens = before.and_then(|days| to.checked_sub_days(days));
        opens.map_or(from, |day| day.max(from))
    }

    /// By when a unit of `level` that has a duty is in time; `None` means no deadline. Changes of the
    /// holidays do not move it earlier once the period has begun.
    pub fn deadline(&self, level: &LevelCode, holidays: &Holidays) -> Option<Deadline> {
        let due_at = self.window().and_then(|window| window.due_at);
        due_at.or_else(|| {
            let days = self.definition.deadlines.get(level)?;
            let DateRange { from, to } = self.range;
            Some(Deadline::Day(holidays.working_day_after(to, *days, from)))
        })
    }

    /// From the beginning of the period's year to its end; `None` for a window, which stands
    /// alone: windows of a year may overlap, and what is in two of them would count twice.
    pub fn year_to_date(&self) -> Option<YearToDate> {
        let frequency = self.definition.periods.frequency()?;
        let last = self.base_periods().last().map(|base| base.period);
        let mut bases = calendar_periods(CalendarPeriod::of_year(frequency, self.period.year()));
        bases.retain(|base| last.is_some_and(|last| *base <= last));
        let periods = &self.definition.periods;
        let kept = periods
            .longer_in_year_of(self.period)
            .into_iter()
            .find(|longer| periods.base_periods(*longer) == bases);
        Some(YearToDate { bases, kept })
    }

    /// Names what a change to `next`, the same period as it is to be, would take from submissions
    /// that there are, if anything.
    pub fn fixed_part_changed_by(&self, next: &FormPeriod<'_>) -> Option<FixedFormPart> {
        if !self.has_days_of(next) {
            return Some(self.fixed_days());
        }
        self.definition.fixed_part_changed_by(next.definition)
    }

    /// Tells whether another version gives the period the same days.
    pub fn has_days_of(&self, other: &FormPeriod<'_>) -> bool {
        (self.range, self.span) == (other.range, other.span)
    }

    /// Names the part that must not change for the period to keep its days.
    pub fn fixed_days(&self) -> FixedFormPart {
        match self.period {
            Period::Calendar(_) => FixedFormPart::Periods,
            Period::Window(_) => FixedFormPart::Window,
        }
    }
}

fn calendar_periods(periods: Vec<CalendarPeriod>) -> Vec<Period> {
    periods.into_iter().map(Period::Calendar).collect()
}

/// A year like any other, to compare the periods of two calendars.
const ANY_YEAR: i32 = 2025;

impl Periods {
    /// How often they come; windows do not come again.
    pub fn frequency(&self) -> Option<Frequency> {
        match self {
            Periods::Recurring { frequency, .. } => Some(*frequency),
            Periods::Windows { .. } => None,
        }
    }

    /// The form's own windows, where it has such.
    pub fn windows(&self) -> Option<&BTreeMap<WindowKey, Window>> {
        match self {
            Periods::Recurring { .. } => None,
            Periods::Windows { windows } => Some(windows),
        }
    }

    /// Tells whether each period of `other` is one of these too, with the same days. Windows are only
    /// their own form's.
    pub fn cover(&self, other: &Periods) -> bool {
        let Periods::Recurring {
            calendar,
            frequency,
        } = other
        else {
            return false;
        };
        let is_same_calendar =
            matches!(self, Periods::Recurring { calendar: own, .. } if own == calendar);
        let mut periods = CalendarPeriod::of_year(*frequency, ANY_YEAR).into_iter();
        is_same_calendar
            && periods.all(|period| {
                let found = self.find(Period::Calendar(period));
                found.is_some_and(|(days, _)| days == period.range_over(*frequency, *calendar))
            })
    }

    /// The days of a period, and whether it is a base period; `None` where there is no such.
    fn find(&self, period: Period) -> Option<(DateRange, Span)> {
        match (self, period) {
            (
                Periods::Recurring {
                    calendar,
                    frequency,
                },
                Period::Calendar(period),
            ) => {
                let is_longer =
                    || CalendarPeriod::coarser(*frequency, period.year()).contains(&period);
                let span = if period.frequency() == Some(*frequency) {
                    Span::BasePeriod
                } else if is_longer() {
                    Span::LongPeriod
                } else {
                    return None;
                };
                Some((period.range_over(*frequency, *calendar), span))
            }
            (Periods::Windows { windows }, Period::Window(key)) => {
                let window = windows.get(&key)?;
                Some((window.days, Span::BasePeriod))
            }
            _ => None,
        }
    }

    /// All longer periods of the year of `period`, the shorter ones first.
    fn longer_in_year_of(&self, period: Period) -> Vec<Period> {
        match self.frequency() {
            Some(frequency) => calendar_periods(CalendarPeriod::coarser(frequency, period.year())),
            None => Vec::new(),
        }
    }

    /// The base periods that make up a period; a window is its own and only one.
    fn base_periods(&self, period: Period) -> Vec<Period> {
        match (self, period) {
            (Periods::Recurring { frequency, .. }, Period::Calendar(period)) => {
                calendar_periods(period.base_periods(*frequency))
            }
            _ => vec![period],
        }
    }
}

impl FormDefinition {
    /// Names what a change to `next` would take from submissions that there are, if anything. Which
    /// units are asked no more where one of the two names them must be looked up.
    fn fixed_part_changed_by(&self, next: &FormDefinition) -> Option<FixedFormPart> {
        if let (SubmittedBy::Levels(before), SubmittedBy::Levels(after)) =
            (&self.submitted_by, &next.submitted_by)
            && let Some(lost) = before.iter().find(|level| !after.contains(level))
        {
            return Some(FixedFormPart::SubmittedBy(lost.clone()));
        }
        let lost = self.items().find(|item| {
            let mut after = next.items();
            let after = after.find(|other| other.indicator == item.indicator);
            after.is_none_or(|after| !self.is_kept(item, after))
        });
        lost.map(|item| FixedFormPart::Item(item.indicator.clone()))
    }

    /// Tells whether everyone who submits an item also submits it as it is to be. An item that comes
    /// from another form goes on coming from there: what was shown of it came from there.
    fn is_kept(&self, item: &Item, next: &Item) -> bool {
        if item.from_form != next.from_form {
            return false;
        }
        match (&self.submitted_by, &item.collected_at) {
            // They may be of any level.
            (SubmittedBy::Recipients(_), None) => next.collected_at.is_none(),
            (SubmittedBy::Recipients(_), Some(_)) | (SubmittedBy::Levels(_), _) => {
                let mut levels = self.levels_collecting(item).into_iter();
                levels.all(|level| next.is_collected_at(level))
            }
        }
    }

    /// All sections in the order of reading.
    pub fn sections(&self) -> Vec<&Section> {
        fn walk<'s>(sections: &'s [Section], found: &mut Vec<&'s Section>) {
            for section in sections {
                found.push(section);
                walk(&section.sections, found);
            }
        }
        let mut found = Vec::new();
        walk(&self.outline, &mut found);
        found
    }

    /// All items in the order of reading.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections()
            .into_iter()
            .flat_map(|section| &section.items)
    }

    pub fn section(&self, number: &SectionNumber) -> Option<&Section> {
        self.sections()
            .into_iter()
            .find(|section| &section.number == number)
    }

    /// The levels whose units submit `item`, as far as the form names levels.
    pub fn levels_collecting<'f>(&'f self, item: &'f Item) -> Vec<&'f LevelCode> {
        let named = match &self.submitted_by {
            SubmittedBy::Levels(levels) => Some(levels),
            SubmittedBy::Recipients(_) => item.collected_at.as_ref(),
        };
        let named = named.into_iter().flatten();
        named.filter(|level| item.is_collected_at(level)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A definition as a database has it, with these fields for its periods.
    fn stored(periods: Value) -> Value {
        let mut stored = json!({
            "name": {"vi": "Mẫu"}, "deadlines": {"hamlet": 2},
            "late": "accept", "four_eyes": "not_required", "outline": [], "rules": [],
        });
        let fields = stored.as_object_mut().unwrap();
        fields.extend(periods.as_object().unwrap().clone());
        if !fields.contains_key("recipients") {
            fields.insert("submitted_by".to_owned(), json!(["hamlet"]));
        }
        stored
    }

    #[test]
    fn periods_cover_those_that_come_more_seldom_by_the_same_calendar() {
        let of = |periods: Value| serde_json::from_value::<Periods>(periods).unwrap();
        let periods = |frequency: &str, calendar: &str| {
            of(json!({"calendar": calendar, "frequency": frequency}))
        };
        let statutory = |frequency| periods(frequency, "statutory");
        for (finer, coarser) in [
            ("month", "month"),
            ("month", "quarter"),
            ("month", "year"),
            ("quarter", "half"),
            ("half", "year"),
            ("week", "week"),
        ] {
            assert!(
                statutory(finer).cover(&statutory(coarser)),
                "{finer} {coarser}"
            );
        }
        for (finer, coarser) in [
            ("year", "month"),
            ("half", "quarter"),
            // Months and years of weeks run over whole weeks.
            ("week", "month"),
            ("week", "year"),
        ] {
            assert!(
                !statutory(finer).cover(&statutory(coarser)),
                "{finer} {coarser}"
            );
        }
        assert!(!periods("month", "civil").cover(&statutory("month")));
        let windows = || of(json!({"windows": {}}));
        assert!(!windows().cover(&statutory("year")));
        assert!(!statutory("year").cover(&windows()));
        assert!(!windows().cover(&windows()));
    }

    /// Documents of today's databases must stay readable for every later version.
    #[test]
    fn the_documents_of_today_stay_readable() {
        let due_at = "2025-02-21T17:00:00+07:00";
        let window = json!({
            "name": {"vi": "Tết"}, "days": {"from": "2025-01-10", "to": "2025-02-20"}, "due_at": due_at
        });
        let unit = "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11";
        for periods in [
            json!({"calendar": "statutory", "frequency": "year"}),
            json!({"calendar": "civil", "frequency": "year", "opens": 9}),
            json!({"windows": {}}),
            json!({"windows": {"2025-tet": window}}),
            json!({"windows": {}, "owner": unit, "recipients": [unit]}),
        ] {
            let stored = stored(periods);
            let read: FormDefinition = serde_json::from_str(&stored.to_string()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        }
        for damaged in [
            json!({}),
            json!({"calendar": "statutory"}),
            json!({"windows": {"2025-Q4": window}}),
        ] {
            let stored = stored(damaged).to_string();
            assert!(
                serde_json::from_str::<FormDefinition>(&stored).is_err(),
                "{stored}"
            );
        }
    }
}
