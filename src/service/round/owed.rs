//! What is owed of the caller's duties, and until when.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::duty::{Duty, duties_of};
use super::states::States;
use super::view::{Due, FormName, Task, TaskKey, TaskKind, TaskState, TaskView};
use crate::domain::hierarchy::Place;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::text::NameView;
use crate::store::{StoreError, Transaction};

/// A task is due soon from so many days before its last day on.
const SOON: Days = Days::new(3);

/// What is owed of a kind.
struct Owed {
    kind: TaskKind,
    due: Option<NaiveDate>,
    since: NaiveDate,
    whose: Whose,
    waiting: u64,
}

/// Who owes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    OfUnit,
    OfUnitsBelow,
}

/// The caller's duties of a day, and the state of the reports.
struct Owing<'s> {
    snapshot: &'s Snapshot,
    today: NaiveDate,
    states: States,
}

/// Reads the state of all reports for which the caller has a duty, and lists what is owed of them.
pub(super) fn tasks_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    now: DateTime<Utc>,
) -> Result<Vec<Task>, StoreError> {
    let today = snapshot.today(now);
    let duties = duties_of(snapshot, today);
    let owing = Owing {
        snapshot,
        today,
        states: States::read(transaction, snapshot, &duties, now)?,
    };
    let mut tasks = Vec::new();
    for duty in &duties {
        for kind in &duty.kinds {
            let owed = owing.owed(duty, *kind);
            tasks.extend(owed.map(|owed| owing.task(duty, owed)));
        }
    }
    Ok(tasks)
}

impl Owing<'_> {
    fn owed(&self, duty: &Duty<'_>, kind: TaskKind) -> Option<Owed> {
        match kind {
            TaskKind::Submit => self.submitting(duty),
            TaskKind::Correct => self.correcting(duty),
            TaskKind::Approve => self.approving(duty),
            TaskKind::Send => self.sending(duty),
            TaskKind::Receive => self.receiving(duty),
        }
    }

    fn submitting(&self, duty: &Duty<'_>) -> Option<Owed> {
        let states = &self.states;
        let is_owed = states.is_missing(duty) && !states.is_to_be_corrected(duty);
        let waiting = states.missing_below(duty);
        let (whose, due) = match (is_owed, waiting) {
            (true, _) => (Whose::OfUnit, self.own_deadline(duty)),
            (false, 0) => return None,
            (false, _) => (Whose::OfUnitsBelow, self.first_deadline_below(duty)),
        };
        Some(Owed {
            kind: TaskKind::Submit,
            due,
            since: duty.period.opens(),
            whose,
            waiting,
        })
    }

    fn correcting(&self, duty: &Duty<'_>) -> Option<Owed> {
        self.states.is_to_be_corrected(duty).then(|| {
            let at = self.states.given_back_at(&duty.key());
            let day = at.map(|at| self.snapshot.counters.day_of(at.and_utc()));
            Owed {
                kind: TaskKind::Correct,
                due: self.own_deadline(duty),
                since: day.unwrap_or_else(|| duty.period.opens()),
                whose: Whose::OfUnit,
                waiting: 0,
            }
        })
    }

    fn approving(&self, duty: &Duty<'_>) -> Option<Owed> {
        let waiting = self.states.to_approve(duty);
        (waiting > 0).then(|| Owed {
            kind: TaskKind::Approve,
            due: self.deadline(duty, duty.place()),
            since: duty.period.opens(),
            whose: Whose::OfUnitsBelow,
            waiting,
        })
    }

    /// A unit that puts a report together by a deadline owes it once the period is over.
    fn sending(&self, duty: &Duty<'_>) -> Option<Owed> {
        let due = self.own_deadline(duty)?;
        let since = duty.period.closing_day().succ_opt()?;
        let is_owed = duty.expected_below() > 0 && since <= self.today;
        (is_owed && !self.states.has_sent(&duty.key())).then_some(Owed {
            kind: TaskKind::Send,
            due: Some(due),
            since,
            whose: Whose::OfUnit,
            waiting: 0,
        })
    }

    fn receiving(&self, duty: &Duty<'_>) -> Option<Owed> {
        let waiting = self.states.waiting_senders(duty);
        let since = waiting.iter().min()?.and_utc();
        Some(Owed {
            kind: TaskKind::Receive,
            due: self.deadline(duty, duty.place()),
            since: self.snapshot.counters.day_of(since),
            whose: Whose::OfUnitsBelow,
            waiting: u64::try_from(waiting.len()).unwrap_or(u64::MAX),
        })
    }

    /// Returns the last day in time of a unit on a duty's form and period, without an extension.
    fn deadline(&self, duty: &Duty<'_>, place: Place<'_>) -> Option<NaiveDate> {
        let holidays = self.snapshot.catalogue.holidays();
        let deadline = duty.respondents.deadline(&duty.period, place, holidays)?;
        Some(deadline.day(self.snapshot.counters.time_zone))
    }

    /// Returns the day until which a unit is in time, with its submission or its report.
    fn extended_deadline(&self, duty: &Duty<'_>, place: Place<'_>) -> Option<NaiveDate> {
        let ordinary = self.deadline(duty, place)?;
        let extended = self.states.extended_until(&duty.key_of(place.unit()));
        Some(extended.map_or(ordinary, |until| ordinary.max(until)))
    }

    fn own_deadline(&self, duty: &Duty<'_>) -> Option<NaiveDate> {
        self.extended_deadline(duty, duty.place())
    }

    /// Returns the first day by which one of the units is to submit that are missing below the duty's,
    /// as long as each has time.
    fn first_deadline_below(&self, duty: &Duty<'_>) -> Option<NaiveDate> {
        if let Some(missing) = self.states.missing_units_below(duty) {
            let places = missing.filter_map(|unit| duty.respondents.tree().by_id(unit));
            let days = places.filter_map(|place| self.extended_deadline(duty, place));
            return days.min();
        }
        // All have the same.
        let holidays = self.snapshot.catalogue.holidays();
        let groups = duty.respondents.groups_below(duty.place());
        let deadlines = groups.iter();
        let deadlines =
            deadlines.filter_map(|group| duty.period.deadline(group.due_with, holidays));
        let time_zone = self.snapshot.counters.time_zone;
        let days: BTreeSet<NaiveDate> = deadlines.map(|one| one.day(time_zone)).collect();
        days.first().copied()
    }

    fn state(&self, due: Option<NaiveDate>) -> TaskState {
        let soon = self.today.checked_add_days(SOON).unwrap_or(self.today);
        match due {
            Some(due) if due < self.today => TaskState::Late,
            Some(due) if due <= soon => TaskState::DueSoon,
            Some(_) | None => TaskState::Open,
        }
    }

    fn task(&self, duty: &Duty<'_>, owed: Owed) -> Task {
        let (period, place) = (&duty.period, duty.place());
        let view = TaskView {
            kind: owed.kind,
            form: FormName {
                code: period.form.code.to_string(),
                name: NameView::of(&period.definition.name),
            },
            period: PeriodName::of(period),
            unit: UnitName::of(place),
            due: owed.due,
            state: self.state(owed.due),
            since: owed.since,
            own: owed.whose == Whose::OfUnit,
            waiting: owed.waiting,
        };
        let key = TaskKey {
            due: owed.due.map_or(Due::Never, Due::On),
            form: period.form.code.clone(),
            period: period.period,
            unit: place.fact().code.clone(),
            kind: owed.kind,
        };
        Task { key, view }
    }
}
