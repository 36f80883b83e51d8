//! Forms (mẫu báo cáo): the versioned outline of what is reported, by whom, how often and by
//! when. Never submissions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::formula::Comparison;
use super::id::{FormCode, FormNumber, IndicatorCode, LevelCode, RuleCode, SectionNumber};
use super::period::{Calendar, DateRange, Frequency, Period, working_day_after};
use super::text::LocalizedText;

/// A form with all its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub number: FormNumber,
    pub code: FormCode,
    /// By the first day on which each holds.
    pub versions: BTreeMap<NaiveDate, FormDefinition>,
}

/// What a form asks for, from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormDefinition {
    pub name: LocalizedText,
    pub calendar: Calendar,
    pub frequency: Frequency,
    /// The levels whose units submit.
    pub submitted_by: Vec<LevelCode>,
    /// Working days after the closing day, for each level; a level without one has no deadline.
    pub deadlines: BTreeMap<LevelCode, u16>,
    pub late: Late,
    /// Whether somebody who entered for a unit may not approve it as well.
    pub four_eyes: FourEyes,
    pub outline: Vec<Section>,
    pub rules: Vec<Rule>,
}

/// What happens to a submission after its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// It is taken, and counted as late.
    #[default]
    Accept,
    Refuse,
}

/// Whether the one who entered a submission and the one who approves it must be two people.
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

/// Whether a section takes prose.
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
    /// The levels that submit it; `None` means every level that submits the form.
    pub collected_at: Option<Vec<LevelCode>>,
    pub need: Need,
    pub show: Show,
}

/// Whether a submission may leave an indicator out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Required,
    #[default]
    Optional,
}

/// Which figure a report prints for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The submission is refused.
    Error,
    /// The submission is taken, and its answer says so.
    Warning,
}

impl Form {
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
            let range = period.range_over(definition.frequency, definition.calendar);
            let in_force = self.on(range.to)?;
            let span = definition.span_of(period)?;
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
        Period::coarser(base.definition.frequency, base.period.year())
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
            .map(|definition| definition.frequency)
            .collect();
        let mut periods: Vec<FormPeriod<'_>> = frequencies
            .into_iter()
            .flat_map(|frequency| Period::of_year(frequency, year))
            .filter_map(|period| self.period(period))
            .filter(|period| period.span == Span::BasePeriod)
            .collect();
        periods.sort_by_key(|period| period.range.from);
        periods
    }
}

/// Whether a period is one of a form's base periods, which are submitted, or a longer one, which
/// is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    BasePeriod,
    LongPeriod,
}

/// What of a form cannot change for a period on which there are submissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixedFormPart {
    /// The calendar or the frequency: the period would not be one any more.
    Periods,
    /// A level that submits, which would not do so any more.
    SubmittedBy(LevelCode),
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

impl<'f> FormPeriod<'f> {
    /// The base periods that it is made of, in order; of a base period itself.
    pub fn base_periods(&self) -> Vec<FormPeriod<'f>> {
        let bases = self.period.base_periods(self.definition.frequency);
        bases
            .into_iter()
            .filter_map(|base| self.form.period(base))
            .filter(|base| base.span == Span::BasePeriod)
            .collect()
    }

    /// The last day, which decides on the tree and on the versions.
    pub fn closing_day(&self) -> NaiveDate {
        self.range.to
    }

    /// The last day on which a unit of `level` is in time; `None` means no deadline.
    pub fn deadline(&self, level: &LevelCode, holidays: &BTreeSet<NaiveDate>) -> Option<NaiveDate> {
        let days = self.definition.deadlines.get(level)?;
        Some(working_day_after(self.range.to, *days, holidays))
    }
}

impl FormDefinition {
    fn span_of(&self, period: Period) -> Option<Span> {
        if period.frequency() == Some(self.frequency) {
            Some(Span::BasePeriod)
        } else if Period::coarser(self.frequency, period.year()).contains(&period) {
            Some(Span::LongPeriod)
        } else {
            None
        }
    }

    /// Names what a change to `next` would take from submissions that there are, if anything.
    pub fn fixed_part_changed_by(&self, next: &FormDefinition) -> Option<FixedFormPart> {
        if (self.calendar, self.frequency) != (next.calendar, next.frequency) {
            return Some(FixedFormPart::Periods);
        }
        let lost = self
            .submitted_by
            .iter()
            .find(|level| !next.submitted_by.contains(level));
        if let Some(level) = lost {
            return Some(FixedFormPart::SubmittedBy(level.clone()));
        }
        let lost = self.items().find(|item| {
            let after = next.items().find(|other| other.indicator == item.indicator);
            let collecting = after
                .map(|after| next.levels_collecting(after))
                .unwrap_or_default();
            after.is_none()
                || self
                    .levels_collecting(item)
                    .iter()
                    .any(|level| !collecting.contains(level))
        });
        lost.map(|item| FixedFormPart::Item(item.indicator.clone()))
    }

    pub fn is_submitted_by(&self, level: &LevelCode) -> bool {
        self.submitted_by.contains(level)
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

    /// The levels whose units submit `item`.
    pub fn levels_collecting<'f>(&'f self, item: &'f Item) -> Vec<&'f LevelCode> {
        self.submitted_by
            .iter()
            .filter(|level| {
                item.collected_at
                    .as_ref()
                    .is_none_or(|levels| levels.contains(level))
            })
            .collect()
    }
}
