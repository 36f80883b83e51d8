//! Holidays (ngày nghỉ): which days are working days, and how working days are counted. Never which
//! deadline is counted with them: that is a form's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::text::LocalizedText;

/// The days off and the working Saturdays of a calendar year.
///
/// A deadline that somebody was told does not move earlier. So a day that was off, and is a working
/// day after a change, stays off for whatever had begun by the day of the change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidayYear {
    /// The days off with their names: public holidays, and days in lieu.
    pub days: BTreeMap<NaiveDate, LocalizedText>,
    /// Saturdays that are worked in exchange for another day.
    pub working_saturdays: BTreeSet<NaiveDate>,
    /// Days that were off once, each with the day on which it ceased to be.
    #[serde(default)]
    pub off_until: BTreeMap<NaiveDate, NaiveDate>,
}

/// The holidays of all years. A year that nobody has entered has its weekends only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holidays {
    years: BTreeMap<i32, HolidayYear>,
}

impl HolidayYear {
    fn is_off(&self, day: NaiveDate) -> bool {
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.days.contains_key(&day) || (is_weekend && !self.working_saturdays.contains(&day))
    }

    /// Returns what is known of the year after `next` was put in its place on `today`.
    #[must_use]
    pub fn replaced_by(&self, next: HolidayYear, today: NaiveDate) -> HolidayYear {
        let touched = self.days.keys().chain(&next.working_saturdays);
        let ceased = touched.filter(|day| self.is_off(**day) && !next.is_off(**day));
        let mut off_until = self.off_until.clone();
        off_until.extend(ceased.map(|day| (*day, today)));
        HolidayYear { off_until, ..next }
    }
}

impl Holidays {
    pub fn new(years: impl IntoIterator<Item = (i32, HolidayYear)>) -> Holidays {
        Holidays {
            years: years.into_iter().collect(),
        }
    }

    /// The holidays of a year, if somebody has entered them.
    pub fn year(&self, year: i32) -> Option<&HolidayYear> {
        self.years.get(&year)
    }

    /// Tells whether a day is worked, for what began on `begun`: a day that was off at any time since
    /// then is not.
    pub fn is_working_day(&self, day: NaiveDate, begun: NaiveDate) -> bool {
        let weekends_only = HolidayYear::default();
        let year = self.years.get(&day.year()).unwrap_or(&weekends_only);
        let was_off = year.off_until.get(&day).is_some_and(|last| begun <= *last);
        !was_off && !year.is_off(day)
    }

    /// Counts working days: the `count`-th one after `day`, for what began on `begun`. With a count
    /// of 0, `day` itself.
    pub fn working_day_after(&self, day: NaiveDate, count: u16, begun: NaiveDate) -> NaiveDate {
        let Some(index) = count.checked_sub(1) else {
            return day;
        };
        let later = day.iter_days().skip(1);
        let mut working_days = later.filter(|day| self.is_working_day(*day, begun));
        working_days.nth(index.into()).unwrap_or(NaiveDate::MAX)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn name() -> LocalizedText {
        LocalizedText {
            vi: "Nghỉ".to_owned(),
            en: None,
        }
    }

    fn year(days: &[&str], working_saturdays: &[&str]) -> HolidayYear {
        let named = |text: &&str| (day(text), name());
        HolidayYear {
            days: days.iter().map(named).collect(),
            working_saturdays: working_saturdays.iter().map(|text| day(text)).collect(),
            off_until: BTreeMap::new(),
        }
    }

    /// The new year of 2026 falls on 17 February, a Tuesday: Monday to Friday are off. Friday,
    /// 2 January is off too, and worked on Saturday, 10 January.
    fn tet() -> HolidayYear {
        let days = [
            "2026-01-01",
            "2026-01-02",
            "2026-02-16",
            "2026-02-17",
            "2026-02-18",
            "2026-02-19",
            "2026-02-20",
        ];
        year(&days, &["2026-01-10"])
    }

    fn after(holidays: &Holidays, from: &str, count: u16) -> String {
        let begun = NaiveDate::MAX;
        holidays
            .working_day_after(day(from), count, begun)
            .to_string()
    }

    #[test]
    fn a_year_that_nobody_entered_has_its_weekends_only() {
        let none = Holidays::default();
        assert_eq!(after(&none, "2024-12-14", 0), "2024-12-14");
        assert_eq!(after(&none, "2024-12-14", 1), "2024-12-16");
        assert_eq!(after(&none, "2024-12-13", 2), "2024-12-17");
        let weeks = Days::new(u64::from(u16::MAX / 5) * 7);
        let far = none.working_day_after(day("2024-12-13"), u16::MAX, NaiveDate::MAX);
        assert_eq!(far, day("2024-12-13") + weeks);
        let end = none.working_day_after(NaiveDate::MAX, 1, NaiveDate::MAX);
        assert_eq!(end, NaiveDate::MAX);
    }

    #[test]
    fn working_days_are_counted_over_tet() {
        let holidays = Holidays::new([(2026, tet())]);
        // Friday 13; then the weekend, five days of Tết and another weekend: Monday 23 is the first.
        assert_eq!(after(&holidays, "2026-02-13", 1), "2026-02-23");
        assert_eq!(after(&holidays, "2026-02-14", 2), "2026-02-24");
        assert_eq!(after(&holidays, "2026-02-12", 2), "2026-02-23");
    }

    #[test]
    fn working_days_are_counted_over_the_turn_of_the_year() {
        let of_2025 = year(&["2025-12-31"], &[]);
        let both = Holidays::new([(2025, of_2025), (2026, tet())]);
        // Tuesday 30; then 31, 1, 2 and the weekend are off: Monday 5 January is the first.
        assert_eq!(after(&both, "2025-12-30", 1), "2026-01-05");
        assert_eq!(after(&both, "2025-12-30", 3), "2026-01-07");
    }

    #[test]
    fn a_working_saturday_counts_and_the_sunday_after_it_does_not() {
        let holidays = Holidays::new([(2026, tet())]);
        // Thursday 8 January; Friday 9 is the first, Saturday 10 the second, Monday 12 the third.
        assert_eq!(after(&holidays, "2026-01-08", 2), "2026-01-10");
        assert_eq!(after(&holidays, "2026-01-08", 3), "2026-01-12");
    }

    #[test]
    fn a_day_that_was_off_stays_off_for_what_had_begun() {
        // On 1 February Friday 20 becomes a working day, and so does Saturday 14.
        let first = year(&["2026-02-19", "2026-02-20"], &[]);
        let next = year(&["2026-02-19"], &["2026-02-14"]);
        let changed = first.replaced_by(next, day("2026-02-01"));
        let holidays = Holidays::new([(2026, changed.clone())]);
        let is_working = |text, begun| holidays.is_working_day(day(text), day(begun));
        for text in ["2026-02-14", "2026-02-20"] {
            assert!(!is_working(text, "2026-01-15"), "{text}");
            assert!(!is_working(text, "2026-02-01"), "{text}");
            assert!(is_working(text, "2026-02-02"), "{text}");
        }
        // Another change that touches neither leaves that as it is; back and forth renews it.
        let same = year(&["2026-02-18", "2026-02-19"], &["2026-02-14"]);
        let again = changed.replaced_by(same, day("2026-03-01"));
        assert_eq!(again.off_until, changed.off_until);
        let back = again.replaced_by(year(&["2026-02-20"], &[]), day("2026-03-02"));
        let forth = back.replaced_by(year(&[], &[]), day("2026-03-03"));
        assert_eq!(forth.off_until[&day("2026-02-20")], day("2026-03-03"));
        assert_eq!(forth.off_until[&day("2026-02-14")], day("2026-02-01"));
    }

    /// The documents of today's databases must stay readable for every later version.
    #[test]
    fn the_documents_of_today_stay_readable() {
        let stored = serde_json::json!({
            "days": {"2026-02-17": {"vi": "Tết"}}, "working_saturdays": ["2026-02-28"],
            "off_until": {"2026-02-20": "2026-02-01"},
        });
        let read: HolidayYear = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    }

    proptest! {
        #[test]
        fn working_days_agree_with_counting(offset in 0_u64..10_000, count in 0_u16..60, gaps in prop::collection::btree_set(0_u64..100, 0..20)) {
            let start = day("1990-01-01") + Days::new(offset);
            let off: BTreeSet<NaiveDate> = gaps.into_iter().map(|gap| start + Days::new(gap)).collect();
            let mut years: BTreeMap<i32, HolidayYear> = BTreeMap::new();
            for day in &off {
                years.entry(day.year()).or_default().days.insert(*day, name());
            }
            let holidays = Holidays::new(years);
            let is_off = |day: &NaiveDate| off.contains(day) || matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            let end = holidays.working_day_after(start, count, start);
            let counted = start.iter_days().skip(1).take_while(|day| *day <= end).filter(|day| !is_off(day)).count();
            prop_assert_eq!(counted, usize::from(count));
            prop_assert!(count == 0 || !is_off(&end));
        }

        /// Days by their distance from the beginning: how the holidays change, and when.
        #[test]
        fn no_change_moves_the_deadline_of_what_had_begun_earlier(
            changes in prop::collection::vec((0_u64..40, prop::collection::btree_set(0_u64..40, 0..20), prop::collection::btree_set(0_u64..5, 0..5)), 1..6),
            count in 0_u16..15,
        ) {
            let start = day("2026-02-02");
            let mut changes = changes;
            changes.sort_by_key(|(on, _, _)| *on);
            let mut known = HolidayYear::default();
            let mut told = Holidays::default().working_day_after(start, count, start);
            for (on, off, saturdays) in changes {
                let next = HolidayYear {
                    days: off.iter().map(|gap| (start + Days::new(*gap), name())).collect(),
                    working_saturdays: saturdays.iter().map(|week| start + Days::new(5 + 7 * week)).collect(),
                    off_until: BTreeMap::new(),
                };
                known = known.replaced_by(next, start + Days::new(on));
                let holidays = Holidays::new([(2026, known.clone())]);
                let now = holidays.working_day_after(start, count, start);
                prop_assert!(told <= now);
                told = now;
            }
        }
    }
}
