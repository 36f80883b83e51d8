//! Decides one step of one submission from what is known of it. Writes nothing.

use crate::domain::fault::FieldPath;
use crate::path;
use crate::sentence::Sentence;
use crate::sentence::period::period_named;
use chrono::{DateTime, NaiveDate, Utc};

use super::change::{Arrival, Asked, Entered, EnteredReason, EnteredValueReason, SubmissionChange};
use super::error::SubmissionError;
use super::extension::deadline_of;
use super::four_eyes::entered_by;
use crate::authz::{Action, Permit, holder_of};
use crate::domain::catalogue::Entry;
use crate::domain::extension::Extension;
use crate::domain::form::{FourEyes, Late, SubmittedBy};
use crate::domain::id::LevelCode;
use crate::domain::naming::Named;
use crate::domain::received_days::ReceivedDays;
use crate::domain::respondents::Respondents;
use crate::domain::submission::{
    Content, Counting as IsCounting, Effect, EnteredFor, Reason, Revision, RevisionRecord,
    SpeaksFor, Status, Step, Submission, SubmissionFault, Submitter, ValueReason, check_collected,
    complete, unknown_indicator, unknown_option,
};
use crate::domain::text;
use crate::error::{Code, Fault, FaultList, Message};
use crate::message;
use crate::rollup::piece::Contribution;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::submission::revision::authors_before;
use crate::store::{StoreError, Transaction};

/// The number of past steps that are searched for whoever entered the values to be approved.
const MOST_STEPS: i64 = 1000;

/// A submission before a step: its state, and the revisions with its latest and its counting
/// values.
pub(super) struct Standing {
    pub submission: Submission,
    pub records: Vec<RevisionRecord>,
}

impl Standing {
    fn record(&self, revision: Revision) -> Result<&RevisionRecord, StoreError> {
        let mut records = self.records.iter();
        let found = records.find(|record| record.revision == revision);
        found.ok_or_else(|| StoreError::Corrupt(format!("revision {revision:?} is missing")))
    }

    /// Tells how the revision that counts stands, whatever draft lies over it. An approval and a
    /// reopening after it change what counts later than the revision was given.
    fn counting(&self) -> Result<IsCounting, StoreError> {
        let Some(revision) = self.submission.counting_revision else {
            return Ok(IsCounting::No);
        };
        let given = self.record(revision)?.rev;
        Ok(match self.submission.counting_rev > given {
            true => IsCounting::AsApproved,
            false => IsCounting::AsSubmitted,
        })
    }

    /// Returns the values of a revision that was read.
    pub fn content(&self, revision: Revision) -> Result<&Content, StoreError> {
        content_in(self.record(revision)?)
    }
}

/// Returns the values that a revision brought.
pub(super) fn content_in(record: &RevisionRecord) -> Result<&Content, StoreError> {
    let revision = record.revision;
    let content = record.content.as_ref();
    content.ok_or_else(|| StoreError::Corrupt(format!("revision {revision:?} has no values")))
}

/// A permitted step and its result.
pub(super) struct Taken {
    /// The state of the submission after the step.
    pub next: Submission,
    pub record: RevisionRecord,
    /// The latest values, which the step may have brought.
    pub content: Content,
    /// The unit for which they were entered.
    pub entered_for: Option<EnteredFor>,
    /// The contribution that counted before.
    pub before: Option<Contribution>,
    /// The contribution that counts after the step.
    pub after: Option<Contribution>,
    /// More time that the unit was given.
    pub extension: Option<Extension>,
}

/// The data on which a step is decided.
pub(super) struct Deciding<'d> {
    pub snapshot: &'d Snapshot,
    pub located: &'d Located<'d>,
    pub standing: Option<&'d Standing>,
    pub extension: Option<&'d Extension>,
    pub permit: &'d Permit,
    pub asked: &'d Asked,
}

/// Checks that a unit is to submit the form.
pub(super) fn check_asked(
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<(), SubmissionError> {
    let (respondents, place) = (
        snapshot.respondents(&located.in_force.period),
        located.place(),
    );
    if let Some(above) = respondents.above(place) {
        return Err(SubmissionError::CoveredByUnit {
            unit: above.fact().name_with_code(),
            who: holder_of(Action::ArrangeSubtreeReporting, above.fact()),
        });
    }
    match respondents.includes(place) {
        true => Ok(()),
        false => Err(not_asked(snapshot, located)),
    }
}

/// Explains why a unit does not submit the form: no unit of its level does, or the form asks others.
fn not_asked(snapshot: &Snapshot, located: &Located<'_>) -> SubmissionError {
    let (period, fact) = (&located.in_force.period, located.place().fact());
    let (level, form) = (&fact.level, period.named_form());
    let hierarchy = &snapshot.hierarchy;
    match &period.definition.submitted_by {
        SubmittedBy::Levels(levels) if !levels.contains(level) => SubmissionError::DoesNotSubmit {
            level: Named::level(level, hierarchy),
            form,
            submitting: Named::levels(levels, hierarchy),
        },
        SubmittedBy::Levels(_) | SubmittedBy::Recipients(_) => SubmissionError::NotAsked {
            unit: Named::plain(fact.name_with_code()),
            form,
        },
    }
}

impl Deciding<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.asked.call.now
    }

    /// Decides the step. Reads `transaction` only if the form requires four eyes.
    pub fn take(&self, transaction: &mut Transaction<'_>) -> Result<Taken, SubmissionError> {
        let change = &self.asked.change;
        let (status, effect) = self.transition(change.step())?;
        // A submission can always be withdrawn, even if nothing more is accepted.
        let arrival = change.arrival();
        let wrong_day = match arrival {
            Some(arrival) => self.check_in_time(arrival, effect)?,
            None => None,
        };
        self.check_four_eyes(transaction, change)?;
        let brought = with_fault(self.content(change, effect), wrong_day)?;
        let reason = match change {
            SubmissionChange::Return(entered) | SubmissionChange::Reopen(Some(entered)) => {
                Some(self.reason(entered)?)
            }
            _ => None,
        };
        let paper = arrival.and_then(Arrival::of_paper);
        let next = self.next((change.step(), status, effect), brought.as_ref(), paper);
        let record = RevisionRecord {
            revision: next.revision,
            step: change.step(),
            status: next.status,
            content: brought,
            reason,
            account: self.permit.account(),
            entered_for: self.entered_for(change),
            speaks_for: Some(next.speaks_for),
            entered_at: self.now().naive_utc(),
            received_on: paper,
            rev: next.rev,
        };
        let latest = match self.standing {
            Some(standing) if next.values_revision != record.revision => {
                standing.record(next.values_revision)?
            }
            _ => &record,
        };
        Ok(Taken {
            before: self.counted_before()?,
            after: self.counts_after(&next, &record)?,
            content: content_in(latest)?.clone(),
            entered_for: latest.entered_for,
            next,
            record,
            extension: self.extension.cloned(),
        })
    }

    fn current(&self) -> Option<&Submission> {
        self.standing.map(|standing| &standing.submission)
    }

    fn known(&self, revision: Revision) -> Result<&Content, SubmissionError> {
        let standing = self.standing.ok_or(SubmissionError::Missing)?;
        Ok(standing.content(revision)?)
    }

    fn counted_before(&self) -> Result<Option<Contribution>, StoreError> {
        let Some(standing) = self.standing else {
            return Ok(None);
        };
        let Some(revision) = standing.submission.counting_revision else {
            return Ok(None);
        };
        let record = standing.record(revision)?;
        let content = standing.content(revision)?;
        Ok(contribution(&standing.submission, record, content))
    }

    fn counts_after(
        &self,
        next: &Submission,
        record: &RevisionRecord,
    ) -> Result<Option<Contribution>, SubmissionError> {
        let Some(revision) = next.counting_revision else {
            return Ok(None);
        };
        if let Some(brought) = record
            .content
            .as_ref()
            .filter(|_| revision == record.revision)
        {
            return Ok(contribution(next, record, brought));
        }
        let standing = self.standing.ok_or(SubmissionError::Missing)?;
        let record = standing.record(revision)?;
        Ok(contribution(next, record, standing.content(revision)?))
    }

    /// Checks that the unit is to submit the form, and that entry has begun.
    fn check_open(&self) -> Result<(), SubmissionError> {
        check_asked(self.snapshot, self.located)?;
        let period = &self.located.in_force.period;
        let opens = period.opens();
        if self.snapshot.today(self.now()) < opens {
            let period = period_named(period);
            return Err(SubmissionError::NotOpen { period, opens });
        }
        Ok(())
    }

    /// Tells whether a step that enters something does so for the account's own unit. A decision
    /// enters nothing.
    fn entered_for(&self, change: &SubmissionChange) -> Option<EnteredFor> {
        match change {
            SubmissionChange::Put(_)
            | SubmissionChange::Submit(_)
            | SubmissionChange::Withdraw
            | SubmissionChange::Discard => {
                let unit = self.located.place().unit();
                let access = &self.snapshot.access;
                Some(match access.has_own(Action::ChangeSubmissions, unit) {
                    true => EnteredFor::OwnUnit,
                    false => EnteredFor::UnitBelow,
                })
            }
            SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen(_) => None,
        }
    }

    fn respondents(&self) -> Respondents<'_> {
        self.snapshot.respondents(&self.located.in_force.period)
    }

    /// Returns the units for which the submission speaks after a step: who sends values sends them for
    /// as many as it is to report for.
    fn speaks_for(&self, effect: Effect) -> SpeaksFor {
        match (self.current(), effect) {
            (Some(current), Effect::Keeps | Effect::Restores | Effect::CountsNothing) => {
                current.speaks_for
            }
            (Some(_), Effect::CountsLatest) | (None, _) => {
                self.respondents().speaks_for(self.located.place())
            }
        }
    }

    fn level(&self) -> &LevelCode {
        &self.located.place().fact().level
    }

    /// Names whoever may do what the caller may not.
    fn holder_of(&self, action: Action) -> Message {
        holder_of(action, self.located.place().fact())
    }

    fn transition(&self, step: Step) -> Result<(Status, Effect), SubmissionError> {
        // Without a submission, the first values begin as a draft.
        let (status, counting) = match self.standing {
            None => (Status::Draft, IsCounting::No),
            Some(standing) => (standing.submission.status, standing.counting()?),
        };
        status
            .after(step, counting)
            .map_err(|wrong| SubmissionError::WrongStatus {
                wrong,
                who: self.holder_of(Action::DecideSubmissions),
            })
    }

    /// Checks that something can come in. Returns the fault of a wrong day of a paper, to be told with
    /// the other faults.
    fn check_in_time(
        &self,
        arrival: Arrival,
        effect: Effect,
    ) -> Result<Option<Fault>, SubmissionError> {
        self.check_open()?;
        if let Arrival::OnPaper(day) = arrival {
            let place = self.located.place();
            let access = &self.snapshot.access;
            let _permit = access.to_unit(Action::DatePapers, &self.located.tree, place)?;
            if let Some(message) = self.wrong_day(day, effect) {
                let at = path!["received_on"];
                return Ok(Some(Fault::in_body(at, Code::InvalidValue, message)));
            }
        }
        if effect == Effect::CountsLatest {
            self.check_deadline(arrival)?;
        }
        Ok(None)
    }

    /// Tells whether the submission was given back and has not come in again since. One that came in
    /// time must then be accepted again.
    fn was_given_back(&self) -> bool {
        let current = self.current();
        current.is_some_and(|current| current.given_back_revision.is_some())
    }

    /// Says what is wrong with the day on which a paper came in, if anything.
    fn wrong_day(&self, day: NaiveDate, effect: Effect) -> Option<Message> {
        let period = &self.located.in_force.period;
        let (today, opens) = (self.snapshot.today(self.now()), period.opens());
        if effect != Effect::CountsLatest {
            return Some(message!("submission-received-of-draft"));
        }
        let named = Named::day(day);
        if today < day {
            let today = Named::day(today);
            return Some(message!("submission-received-later", day = named, today));
        }
        (day < opens).then(|| {
            let (period, opens) = (period_named(period), Named::day(opens));
            message!(
                "submission-received-before-opening",
                day = named,
                period,
                opens
            )
        })
    }

    fn check_deadline(&self, arrival: Arrival) -> Result<(), SubmissionError> {
        let period = &self.located.in_force.period;
        let deadline = deadline_of(self.snapshot, self.located, self.extension);
        let time_zone = self.snapshot.counters.time_zone;
        let passed = deadline.filter(|deadline| match arrival {
            Arrival::Now => deadline.has_passed(self.now(), time_zone),
            Arrival::OnPaper(day) => deadline.is_before(day, time_zone),
        });
        match passed {
            Some(deadline) if period.definition.late == Late::Refuse && !self.was_given_back() => {
                let (tree, place) = (&self.located.tree, self.located.place());
                let access = &self.snapshot.access;
                let may_extend = access.to_unit(Action::GiveExtensions, tree, place).is_ok();
                Err(SubmissionError::Closed {
                    deadline: deadline.as_seen_in(time_zone),
                    who: (!may_extend).then(|| self.holder_of(Action::GiveExtensions)),
                })
            }
            _ => Ok(()),
        }
    }

    fn check_four_eyes(
        &self,
        transaction: &mut Transaction<'_>,
        change: &SubmissionChange,
    ) -> Result<(), SubmissionError> {
        let required = self.located.in_force.period.definition.four_eyes == FourEyes::Required;
        let Some(current) = self.current().filter(|_| required) else {
            return Ok(());
        };
        if !matches!(change, SubmissionChange::Approve) {
            return Ok(());
        }
        let Some(counting) = current.counting_revision else {
            return Ok(());
        };
        // The accounts that entered the counting values and that submitted them.
        let key = self.located.key();
        let history = authors_before(transaction, key, counting.next(), MOST_STEPS)?;
        match entered_by(&history).contains(&self.permit.account()) {
            true => Err(SubmissionError::FourEyes {
                who: self.holder_of(Action::DecideSubmissions),
            }),
            false => Ok(()),
        }
    }

    /// Returns the content that the step brings: the entered values, the draft completed, or what a
    /// discarded draft was kept over.
    fn content(
        &self,
        change: &SubmissionChange,
        effect: Effect,
    ) -> Result<Option<Content>, SubmissionError> {
        let content = match change {
            SubmissionChange::Put(entered) => return self.read(entered).map(Some),
            SubmissionChange::Submit(_) => {
                let current = self.current().ok_or(SubmissionError::Missing)?;
                self.known(current.values_revision)?.clone()
            }
            SubmissionChange::Discard => {
                let current = self.current().ok_or(SubmissionError::Missing)?;
                let restored = restored(current);
                self.known(restored)?.clone()
            }
            SubmissionChange::Withdraw
            | SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen(_) => {
                return Ok(None);
            }
        };
        if effect != Effect::CountsLatest {
            return Ok(Some(content));
        }
        let respondents = self.respondents();
        let levels = respondents.levels_of(self.located.place());
        let completed = complete(content, &self.located.in_force, &levels);
        completed
            .map(Some)
            .map_err(|faults| SubmissionError::Invalid(faults.into()))
    }

    /// Takes the values as they were read early, or reads them if the rules have changed since.
    fn read(&self, entered: &Entered) -> Result<Content, SubmissionError> {
        let content = match self.asked.content_by(self.snapshot.counters.into()) {
            Some(read) => read.clone(),
            None => {
                let respondents = self.respondents();
                let submitter = Submitter {
                    level: self.level(),
                    levels: &respondents.levels_of(self.located.place()),
                    hierarchy: &self.snapshot.hierarchy,
                };
                entered.read(&self.located.in_force, submitter)
            }
        };
        content.map_err(|faults| SubmissionError::Invalid(faults.into()))
    }

    fn reason(&self, entered: &EnteredReason) -> Result<Reason, SubmissionError> {
        let mut faults = Vec::new();
        let text = read_reason(&entered.text, path!["reason"]);
        let text = text.map_err(|fault| faults.push(fault));
        let mut values = Vec::new();
        for (index, value) in entered.values.iter().enumerate() {
            let reason = read_reason(&value.reason, path!["values", index, "reason"]);
            let reason = reason.map_err(|fault| faults.push(fault));
            match (self.value_reason(value, index), reason) {
                (Ok(value), Ok(reason)) => values.push(ValueReason { reason, ..value }),
                (Ok(_), Err(())) => {}
                (Err(fault), _) => faults.push(fault),
            }
        }
        match text {
            Ok(text) if faults.is_empty() => Ok(Reason { text, values }),
            _ => Err(SubmissionError::Invalid(faults.into())),
        }
    }

    /// Checks that the unit enters an indicator, so that it can correct it.
    fn check_collected(&self, entry: &Entry<'_>) -> Result<(), SubmissionFault> {
        let respondents = self.respondents();
        let submitter = Submitter {
            level: self.level(),
            levels: &respondents.levels_of(self.located.place()),
            hierarchy: &self.snapshot.hierarchy,
        };
        check_collected(entry, &self.located.in_force, submitter)
    }

    /// Finds the value that a reason is about.
    fn value_reason(
        &self,
        entered: &EnteredValueReason,
        index: usize,
    ) -> Result<ValueReason, Fault> {
        let code = entered.indicator.parse().ok();
        let entry = code.and_then(|code| self.located.in_force.entry(&code));
        let entry = entry.ok_or_else(|| {
            unknown_indicator(&entered.indicator, &self.located.in_force).at(path![
                "values",
                index,
                "indicator"
            ])
        })?;
        if entry.definition.formula().is_none() && entry.item.from_form.is_none() {
            self.check_collected(entry).map_err(|fault| {
                let at = path!["values", index, "indicator"];
                fault.at(at)
            })?;
        }
        let option = match &entered.option {
            None => None,
            Some(option) => {
                let code = option.parse().ok();
                let known = code.filter(|code| entry.indicator.option_number(code).is_some());
                Some(known.ok_or_else(|| {
                    unknown_option(entry, option).at(path!["values", index, "option"])
                })?)
            }
        };
        let indicator = entry.indicator.code.clone();
        Ok(ValueReason {
            indicator,
            option,
            reason: entered.reason.clone(),
        })
    }

    /// Records that something came in today, or on paper before. A withdrawn or returned submission
    /// was received nevertheless, so what follows it is a correction.
    fn receive(&self, before: Option<ReceivedDays>, paper: Option<NaiveDate>) -> ReceivedDays {
        let day = paper.unwrap_or_else(|| self.snapshot.today(self.now()));
        before.map_or_else(|| ReceivedDays::on(day), |received| received.and_on(day))
    }

    /// Returns what the unit has still to answer after a step, which becomes a revision.
    fn given_back(&self, step: Step, revision: Revision) -> Option<Revision> {
        match step {
            Step::Return | Step::Reopen => Some(revision),
            Step::Save | Step::Discard | Step::Reorganise => self.current()?.given_back_revision,
            Step::Replace | Step::Submit | Step::Withdraw | Step::Approve => None,
        }
    }

    fn next(
        &self,
        (step, status, effect): (Step, Status, Effect),
        brought: Option<&Content>,
        paper: Option<NaiveDate>,
    ) -> Submission {
        let current = self.current();
        let revision = current.map_or(Revision::FIRST, |current| current.revision.next());
        let values_revision = match (current, effect, brought) {
            (Some(current), Effect::Restores, _) => restored(current),
            (Some(current), _, None) => current.values_revision,
            (_, _, Some(_)) | (None, _, None) => revision,
        };
        let received = current.and_then(|current| current.received);
        let (counting_revision, received) = match effect {
            Effect::Keeps | Effect::Restores => (
                current.and_then(|current| current.counting_revision),
                received,
            ),
            Effect::CountsLatest => (Some(revision), Some(self.receive(received, paper))),
            Effect::CountsNothing => (None, received),
        };
        // Approving and reopening change the stage in which the same values count.
        let stages = (current.map(|current| current.status), status);
        let changes_what_counts = matches!(effect, Effect::CountsLatest | Effect::CountsNothing)
            || matches!(stages, (_, Status::Approved) | (Some(Status::Approved), _));
        Submission {
            status,
            revision,
            values_revision,
            counting_revision,
            given_back_revision: self.given_back(step, revision),
            speaks_for: self.speaks_for(effect),
            received,
            rev: self.snapshot.counters.rev,
            counting_rev: if changes_what_counts {
                self.snapshot.counters.rev
            } else {
                current.map_or(0, |current| current.counting_rev)
            },
        }
    }
}

/// Returns the revision whose values are the latest once the draft over it is discarded.
fn restored(current: &Submission) -> Revision {
    current.counting_revision.unwrap_or(current.values_revision)
}

/// Returns the counting part of a submission, whose counting revision is `record`.
fn contribution(
    submission: &Submission,
    record: &RevisionRecord,
    content: &Content,
) -> Option<Contribution> {
    submission.reached().map(|reached| Contribution {
        facts: content.facts.clone(),
        reached,
        given: record.rev,
    })
}

/// Adds a fault to those of what was checked.
fn with_fault<T>(
    checked: Result<T, SubmissionError>,
    fault: Option<Fault>,
) -> Result<T, SubmissionError> {
    let Some(fault) = fault else {
        return checked;
    };
    let mut faults = match checked {
        Ok(_) => FaultList::default(),
        Err(SubmissionError::Invalid(faults)) => faults,
        Err(other) => return Err(other),
    };
    faults.append(vec![fault].into());
    Err(SubmissionError::Invalid(faults))
}

/// Reads a reason, and notes where its fault is.
fn read_reason(text: &str, at: FieldPath) -> Result<String, Fault> {
    text::read_reason(text).map_err(|fault| fault.at(at))
}
