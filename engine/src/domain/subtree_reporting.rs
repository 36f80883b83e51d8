//! Subtree reporting (báo cáo gộp): a unit reports for all units below it, on one form and during some
//! days. Never who may arrange it.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};

use super::form::FormPeriod;
use super::id::{AccountId, FormNumber, UnitId};
use super::period::{DateRange, Period};
use super::unit::Validity;

/// The base periods for which a unit reports for all units below it: those that lie whole in the days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtreeReporting {
    /// The first period, as it was written. Its first day begins the days.
    pub first: Period,
    /// The last period, as it was written; `None` until further notice. Its last day ends the days.
    pub last: Option<Period>,
    pub days: Validity,
    /// The account that arranged it.
    pub account: AccountId,
    pub arranged_at: NaiveDateTime,
    pub rev: i64,
}

/// Tells whether a base period lies whole in some days.
fn lies_in(period: DateRange, days: Validity) -> bool {
    days.contains(period.from) && days.contains(period.to)
}

impl SubtreeReporting {
    /// Tells whether the unit reports for its subtree for a base period.
    pub fn is_for(&self, period: &FormPeriod<'_>) -> bool {
        lies_in(period.range, self.days)
    }
}

/// All units of a tenant that report for their subtrees, by the form.
#[derive(Debug, Clone, Default)]
pub struct SubtreeReportings(HashMap<FormNumber, Vec<(UnitId, Validity)>>);

impl SubtreeReportings {
    pub fn new(
        arranged: impl IntoIterator<Item = (FormNumber, UnitId, Validity)>,
    ) -> SubtreeReportings {
        let mut by_form: HashMap<FormNumber, Vec<(UnitId, Validity)>> = HashMap::new();
        for (form, unit, days) in arranged {
            by_form.entry(form).or_default().push((unit, days));
        }
        SubtreeReportings(by_form)
    }

    /// Lists what is arranged on a form: the units, each with the days.
    pub fn of_form(&self, form: FormNumber) -> &[(UnitId, Validity)] {
        self.0.get(&form).map_or(&[], Vec::as_slice)
    }

    /// Lists the units that report for their subtrees for a period. Of a longer one, those that do for
    /// all of it.
    pub fn in_period(&self, period: &FormPeriod<'_>) -> impl Iterator<Item = UnitId> {
        let range = period.range;
        self.units(period.form.number, move |days| lies_in(range, days))
    }

    /// Lists the units that report for their subtrees on a day.
    pub fn on_day(&self, form: FormNumber, day: NaiveDate) -> impl Iterator<Item = UnitId> {
        self.units(form, move |days| days.contains(day))
    }

    fn units(
        &self,
        form: FormNumber,
        is_wanted: impl Fn(Validity) -> bool,
    ) -> impl Iterator<Item = UnitId> {
        let arranged = self.of_form(form).iter();
        arranged.filter_map(move |(unit, days)| is_wanted(*days).then_some(*unit))
    }
}
