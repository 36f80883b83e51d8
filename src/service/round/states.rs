//! The state of the reports for which somebody has a duty. A few statements read all of it, whatever
//! lies below the units. Decides nothing about what is owed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::duty::Duty;
use super::view::TaskKind;
use crate::domain::form::FourEyes;
use crate::domain::hierarchy::Place;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::release::ReleaseStatus;
use crate::domain::submission::{Status, SubmissionKey};
use crate::rollup::encode::SubmissionCounts;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::completeness::{StillOpen, map_stood_still};
use crate::service::submission::four_eyes::entered_by;
use crate::store::key::{MOST_BY_ID, Units};
use crate::store::progress::counting_units;
use crate::store::task::{
    AskedReports, OwnState, SentRelease, authors_of, drafted_over, entered_by_account,
    extended_until, last_given_back, own_states, sent_releases, submission_counts,
};
use crate::store::{StoreError, Transaction};

/// The state of the reports.
#[derive(Default)]
pub(super) struct States {
    own: HashMap<SubmissionKey, OwnState>,
    counts: HashMap<SubmissionKey, SubmissionCounts>,
    sent: HashMap<SubmissionKey, Vec<SentRelease>>,
    given_back: HashMap<SubmissionKey, NaiveDateTime>,
    extended: HashMap<SubmissionKey, NaiveDate>,
    /// What is open where the map moved within the period, by duty. It is counted by submission.
    moved: HashMap<SubmissionKey, StillOpen>,
    /// The submissions that count and are not approved, and that the caller cannot approve now.
    withheld: HashMap<(FormNumber, Period), HashSet<UnitId>>,
    /// The units below a duty's that are missing, where it matters which they are.
    missing: HashMap<SubmissionKey, Vec<UnitId>>,
}

impl States {
    pub fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        duties: &[Duty<'_>],
        now: DateTime<Utc>,
    ) -> Result<States, StoreError> {
        let of_units = asked_of(duties.iter().map(Duty::key))?;
        let mut states = States {
            own: own_states(transaction, &of_units)?,
            counts: submission_counts(transaction, &of_units)?,
            extended: extended_until(transaction, &of_units)?,
            ..States::default()
        };
        let senders: HashSet<SubmissionKey> = duties.iter().flat_map(Duty::senders).collect();
        for asked in asked_by_periods(&senders)? {
            states.sent.extend(sent_releases(transaction, &asked)?);
        }
        states.read_moved(transaction, snapshot, duties, now)?;
        states.read_given_back(transaction, duties)?;
        states.read_drafted_over(transaction, duties)?;
        states.read_own_entries(transaction, snapshot, duties)?;
        states.read_missing(transaction, snapshot, duties)?;
        Ok(states)
    }

    /// Reads what is open in the periods in which the map moved, for those who submit, and for those who
    /// approve if anything waits.
    fn read_moved(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        duties: &[Duty<'_>],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for duty in duties {
            let matters = duty.kinds.contains(&TaskKind::Submit) || self.may_wait(duty);
            if matters && !map_stood_still(transaction, snapshot, &duty.period)? {
                let place = (duty.period, duty.position);
                let open = StillOpen::read(transaction, snapshot, place, now)?;
                self.moved.insert(duty.key(), open);
            }
        }
        Ok(())
    }

    /// Reads when the submissions were given back that are to be corrected.
    fn read_given_back(
        &mut self,
        transaction: &mut Transaction<'_>,
        duties: &[Duty<'_>],
    ) -> Result<(), StoreError> {
        let correcting = duties.iter().filter(|duty| {
            let own = self.own.get(&duty.key());
            let is_given_back = own.is_some_and(|own| own.given_back.is_some());
            duty.kinds.contains(&TaskKind::Correct) && is_given_back
        });
        let asked = asked_of(correcting.map(Duty::key))?;
        self.given_back = last_given_back(transaction, &asked)?;
        Ok(())
    }

    /// Reads over which submissions a draft lies: they cannot be approved before it is sent or
    /// discarded.
    fn read_drafted_over(
        &mut self,
        transaction: &mut Transaction<'_>,
        duties: &[Duty<'_>],
    ) -> Result<(), StoreError> {
        let approving = duties.iter().filter(|duty| self.may_wait(duty));
        let asked = asked_of(approving.map(Duty::key))?;
        for key in drafted_over(transaction, &asked)? {
            self.withhold(key);
        }
        Ok(())
    }

    /// Reads which submissions the caller entered or sent, on forms that somebody else must approve.
    fn read_own_entries(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        duties: &[Duty<'_>],
    ) -> Result<(), StoreError> {
        let account = snapshot.access.account();
        let approving: Vec<&Duty<'_>> = duties
            .iter()
            .filter(|duty| duty.period.definition.four_eyes == FourEyes::Required)
            .filter(|duty| self.may_wait(duty))
            .collect();
        let asked = asked_of(approving.iter().map(|duty| duty.key()))?;
        let units = units_below(&approving);
        let units = Units::by_name_or_all(&units);
        let entered = entered_by_account(transaction, account, &asked, units)?;
        for few in entered.chunks(MOST_BY_ID) {
            let asked = asked_of(few.iter().copied())?;
            let states = own_states(transaction, &asked)?;
            let authors = authors_of(transaction, &asked)?;
            for key in few {
                let state = states.get(key);
                let Some(counting) = state.and_then(|state| state.counting) else {
                    continue;
                };
                let steps = authors.get(key).map(Vec::as_slice).unwrap_or_default();
                let later = steps.partition_point(|step| step.revision > counting);
                let through_counting = steps.get(later..).unwrap_or_default();
                let is_approved = state.is_some_and(|state| state.status == Status::Approved);
                if !is_approved && entered_by(through_counting).contains(&account) {
                    self.withhold(*key);
                }
            }
        }
        Ok(())
    }

    fn withhold(&mut self, key: SubmissionKey) {
        let of_report = self.withheld.entry((key.form, key.period)).or_default();
        of_report.insert(key.unit);
    }

    /// Reads which units are missing below the duties' that only wait for others, if that decides by
    /// when they are to submit.
    fn read_missing(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        duties: &[Duty<'_>],
    ) -> Result<(), StoreError> {
        for duty in duties {
            let waits = duty.kinds.contains(&TaskKind::Submit) && self.missing_below(duty) > 0;
            if !waits || self.is_missing(duty) || self.have_one_deadline(snapshot, duty) {
                continue;
            }
            let missing = match self.moved.get(&duty.key()) {
                Some(open) => open.missing.clone(),
                None => missing_in(transaction, duty)?,
            };
            self.missing.insert(duty.key(), missing);
        }
        Ok(())
    }

    /// Tells whether all units below a duty's are to submit by the same day.
    fn have_one_deadline(&self, snapshot: &Snapshot, duty: &Duty<'_>) -> bool {
        let holidays = snapshot.catalogue.holidays();
        let groups = duty.respondents.groups_below(duty.place());
        let deadlines = groups.iter();
        let deadlines = deadlines.map(|group| duty.period.deadline(group.due_with, holidays));
        let deadlines: Vec<_> = deadlines.collect();
        let is_one = deadlines.windows(2).all(|pair| pair.first() == pair.last());
        let mut extended = self.extended.keys();
        let report = duty.report();
        let is_extended =
            extended.any(|key| (key.form, key.period) == report && duty.has_below(key.unit));
        is_one && !is_extended
    }

    /// Tells whether something may wait for the caller's approval.
    fn may_wait(&self, duty: &Duty<'_>) -> bool {
        duty.kinds.contains(&TaskKind::Approve) && self.unapproved(duty) > 0
    }

    fn counts_of(&self, duty: &Duty<'_>) -> SubmissionCounts {
        self.counts.get(&duty.key()).copied().unwrap_or_default()
    }

    /// Counts the submissions that count and are not approved: those below, and a root's own.
    fn unapproved(&self, duty: &Duty<'_>) -> u64 {
        if let Some(open) = self.moved.get(&duty.key()) {
            let units = open.to_approve.iter();
            return number(units.filter(|unit| duty.decides_on(**unit)));
        }
        let below = self.counts_of(duty).below;
        let own = match duty.place().parent() {
            Some(_) => 0,
            None => u64::from(self.own_waits(duty)),
        };
        below.submitted.saturating_sub(below.approved) + own
    }

    fn own_waits(&self, duty: &Duty<'_>) -> bool {
        let own = self.own.get(&duty.key());
        own.is_some_and(|own| own.counting.is_some() && own.status != Status::Approved)
    }

    /// Counts the submissions that the caller can approve now.
    pub fn to_approve(&self, duty: &Duty<'_>) -> u64 {
        let withheld = self.withheld.get(&duty.report());
        if let Some(open) = self.moved.get(&duty.key()) {
            let units = open.to_approve.iter().filter(|unit| {
                let is_withheld = withheld.is_some_and(|withheld| withheld.contains(unit));
                duty.decides_on(**unit) && !is_withheld
            });
            return number(units);
        }
        let withheld = withheld.into_iter().flatten();
        let withheld = number(withheld.filter(|unit| duty.decides_on(**unit)));
        self.unapproved(duty).saturating_sub(withheld)
    }

    /// Tells whether the unit itself is to submit, and nothing counts.
    pub fn is_missing(&self, duty: &Duty<'_>) -> bool {
        if let Some(open) = self.moved.get(&duty.key()) {
            return open.missing.contains(&duty.place().unit());
        }
        let own = self.own.get(&duty.key());
        duty.is_expected() && own.is_none_or(|own| own.counting.is_none())
    }

    /// Counts the units below that are to submit, and of which nothing counts.
    pub fn missing_below(&self, duty: &Duty<'_>) -> u64 {
        if let Some(open) = self.moved.get(&duty.key()) {
            return number(open.missing.iter().filter(|unit| duty.has_below(**unit)));
        }
        let submitted = self.counts_of(duty).below.submitted;
        duty.expected_below().saturating_sub(submitted)
    }

    /// Lists the units below that are missing; `None` if all of them are to submit by the same day.
    pub fn missing_units_below(&self, duty: &Duty<'_>) -> Option<impl Iterator<Item = UnitId>> {
        let missing = self.missing.get(&duty.key())?.iter().copied();
        Some(missing.filter(|unit| duty.has_below(*unit)))
    }

    /// Returns true if the unit's submission was given back and not sent anew, or a correction of it is
    /// kept and not sent.
    pub fn is_to_be_corrected(&self, duty: &Duty<'_>) -> bool {
        let own = self.own.get(&duty.key());
        duty.is_expected()
            && own.is_some_and(|own| {
                let is_drafted_over = own.status == Status::Draft && own.counting.is_some();
                own.given_back.is_some() || is_drafted_over
            })
    }

    /// Returns when a submission was given back that is to be corrected.
    pub fn given_back_at(&self, key: &SubmissionKey) -> Option<NaiveDateTime> {
        self.given_back.get(key).copied()
    }

    pub fn extended_until(&self, key: &SubmissionKey) -> Option<NaiveDate> {
        self.extended.get(key).copied()
    }

    /// Returns true if a report was sent that stands: it waits or was received.
    pub fn has_sent(&self, key: &SubmissionKey) -> bool {
        let mut sent = self.sent.get(key).into_iter().flatten();
        sent.any(|sent| match sent.status {
            ReleaseStatus::Sent | ReleaseStatus::Received => true,
            ReleaseStatus::Returned | ReleaseStatus::Recalled => false,
        })
    }

    /// Lists when the reports were sent that wait for the unit.
    pub fn waiting_senders(&self, duty: &Duty<'_>) -> Vec<NaiveDateTime> {
        let latest = duty.received_from();
        let latest = latest.filter_map(|key| self.sent.get(&key)?.last());
        let waiting = latest.filter(|sent| sent.status == ReleaseStatus::Sent);
        waiting.map(|sent| sent.sent_at).collect()
    }
}

fn number<T>(units: impl Iterator<Item = T>) -> u64 {
    u64::try_from(units.count()).unwrap_or(u64::MAX)
}

/// Lists the units on whose submissions duties decide, each once.
fn units_below(duties: &[&Duty<'_>]) -> Vec<UnitId> {
    let units = duties.iter().flat_map(|duty| duty.place().subtree());
    let units: BTreeSet<UnitId> = units.map(Place::unit).collect();
    units.into_iter().collect()
}

/// Finds the units below a duty's of which nothing counts, on a map that stood still.
fn missing_in(
    transaction: &mut Transaction<'_>,
    duty: &Duty<'_>,
) -> Result<Vec<UnitId>, StoreError> {
    let below = duty.place().subtree();
    let expected = below.filter(|place| duty.respondents.includes(*place));
    let mut missing: Vec<UnitId> = expected.map(Place::unit).collect();
    let (form, period) = duty.report();
    let counting = counting_units(transaction, form, period, Units::by_name_or_all(&missing))?;
    let counting: HashSet<UnitId> = counting.into_iter().collect();
    missing.retain(|unit| !counting.contains(unit));
    Ok(missing)
}

/// Asks for reports, each named once. More may come back: those of all the units, for all the periods,
/// on all the forms.
fn asked_of(reports: impl IntoIterator<Item = SubmissionKey>) -> Result<AskedReports, StoreError> {
    let reports: HashSet<SubmissionKey> = reports.into_iter().collect();
    let forms: HashSet<FormNumber> = reports.iter().map(|report| report.form).collect();
    let periods: HashSet<Period> = reports.iter().map(|report| report.period).collect();
    let units: HashSet<UnitId> = reports.iter().map(|report| report.unit).collect();
    AskedReports::new(forms, periods, units)
}

/// Asks for many reports: forms with the same periods together, so that a form is not looked up for
/// the periods of another.
fn asked_by_periods(reports: &HashSet<SubmissionKey>) -> Result<Vec<AskedReports>, StoreError> {
    let mut by_form: BTreeMap<FormNumber, BTreeSet<Period>> = BTreeMap::new();
    for report in reports {
        by_form
            .entry(report.form)
            .or_default()
            .insert(report.period);
    }
    let mut forms: BTreeMap<BTreeSet<Period>, Vec<FormNumber>> = BTreeMap::new();
    for (form, periods) in by_form {
        forms.entry(periods).or_default().push(form);
    }
    let units: HashSet<UnitId> = reports.iter().map(|report| report.unit).collect();
    let asked = forms.into_iter();
    asked
        .map(|(periods, forms)| AskedReports::new(forms, periods, units.iter().copied()))
        .collect()
}
