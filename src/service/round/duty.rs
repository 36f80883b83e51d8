//! Duties: the units, forms and periods for which the caller may owe something, and what of it is
//! owed. A few statements read the state of all of them, whatever lies below the units.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::task::{Due, FormName, Task, TaskKey, TaskKind, TaskState, TaskView};
use crate::authz::{Extent, Role};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::{FormNumber, LevelCode, UnitId};
use crate::domain::period::Period;
use crate::domain::release::ReleaseStatus;
use crate::domain::respondents::Respondents;
use crate::domain::submission::{Status, SubmissionKey};
use crate::rollup::encode::SubmissionCounts;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::text::NameView;
use crate::store::task::{
    AskedReports, OwnState, SentRelease, extended_until, last_given_back, own_states,
    sent_releases, submission_counts,
};
use crate::store::{StoreError, Transaction};

/// How long after its last day a period is asked about: a year and the time to finish it. Older ones
/// are no longer somebody's work, though they stay incomplete.
const ASKED_FOR: Days = Days::new(400);

/// A task is due soon from so many days before its last day on.
const SOON: Days = Days::new(3);

/// Everything for which the caller may owe something.
pub(super) struct Duties<'s> {
    snapshot: &'s Snapshot,
    today: NaiveDate,
    /// One for each unit of a grant, form and period.
    duties: Vec<Duty<'s>>,
}

/// What somebody may owe at a unit, on a form and for a period.
struct Duty<'s> {
    period: FormPeriod<'s>,
    respondents: Rc<Respondents<'s>>,
    position: Position,
    kinds: BTreeSet<TaskKind>,
}

/// The state of the reports.
struct States {
    own: HashMap<SubmissionKey, OwnState>,
    counts: HashMap<SubmissionKey, SubmissionCounts>,
    sent: HashMap<SubmissionKey, Vec<SentRelease>>,
    given_back: HashMap<SubmissionKey, NaiveDateTime>,
    extended: HashMap<SubmissionKey, NaiveDate>,
}

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

/// Returns the kinds of tasks that a role on a unit brings with it. An administrator of the whole
/// tenant may do everything and owes nothing.
fn kinds_of(role: Role) -> impl Iterator<Item = TaskKind> {
    TaskKind::ALL
        .into_iter()
        .filter(move |kind| match kind.operation().audience().extent(role) {
            Extent::Covered | Extent::CoveredAndAbove | Extent::Below => true,
            Extent::Never | Extent::Everywhere => false,
        })
}

impl<'s> Duties<'s> {
    /// Finds the caller's duties of a day.
    pub fn of(snapshot: &'s Snapshot, today: NaiveDate) -> Duties<'s> {
        let mut kinds: BTreeMap<UnitId, BTreeSet<TaskKind>> = BTreeMap::new();
        for grant in snapshot.access.grants() {
            if let Some(unit) = grant.unit() {
                kinds.entry(unit).or_default().extend(kinds_of(grant.role));
            }
        }
        kinds.retain(|_, kinds| !kinds.is_empty());
        let mut duties = Vec::new();
        if kinds.is_empty() {
            return Duties {
                snapshot,
                today,
                duties,
            };
        }
        let since = today.checked_sub_days(ASKED_FOR).unwrap_or(NaiveDate::MIN);
        for form in snapshot.catalogue.forms() {
            for period in form.periods_entered_by(today, since) {
                let respondents = Rc::new(snapshot.respondents(&period));
                for (unit, kinds) in &kinds {
                    let place = respondents.tree().by_id(*unit);
                    duties.extend(place.map(|place| Duty {
                        period,
                        respondents: respondents.clone(),
                        position: place.position(),
                        kinds: kinds.clone(),
                    }));
                }
            }
        }
        Duties {
            snapshot,
            today,
            duties,
        }
    }

    /// Reads the state of all reports, and lists what is owed of them.
    pub fn tasks(&self, transaction: &mut Transaction<'_>) -> Result<Vec<Task>, StoreError> {
        let mut states = self.states(transaction)?;
        let given_back = self.given_back(&states);
        if !given_back.is_empty() {
            let asked = asked_of(&given_back)?;
            states.given_back = last_given_back(transaction, &asked)?;
        }
        let mut tasks = Vec::new();
        for duty in &self.duties {
            for kind in &duty.kinds {
                let owed = self.owed(duty, *kind, &states);
                tasks.extend(owed.map(|owed| self.task(duty, owed)));
            }
        }
        Ok(tasks)
    }

    fn states(&self, transaction: &mut Transaction<'_>) -> Result<States, StoreError> {
        let units: HashSet<SubmissionKey> = self.duties.iter().map(Duty::key).collect();
        let senders: HashSet<SubmissionKey> = self.duties.iter().flat_map(Duty::senders).collect();
        let of_units = asked_of(&units)?;
        let mut states = States {
            own: own_states(transaction, &of_units)?,
            counts: submission_counts(transaction, &of_units)?,
            extended: extended_until(transaction, &of_units)?,
            sent: HashMap::new(),
            given_back: HashMap::new(),
        };
        for asked in asked_by_periods(&senders)? {
            states.sent.extend(sent_releases(transaction, &asked)?);
        }
        Ok(states)
    }

    /// Returns the submissions that are to be corrected.
    fn given_back(&self, states: &States) -> HashSet<SubmissionKey> {
        let correcting = self.duties.iter().filter(|duty| {
            duty.kinds.contains(&TaskKind::Correct) && states.is_to_be_corrected(duty)
        });
        correcting.map(Duty::key).collect()
    }

    fn owed(&self, duty: &Duty<'_>, kind: TaskKind, states: &States) -> Option<Owed> {
        match kind {
            TaskKind::Submit => self.submitting(duty, states),
            TaskKind::Correct => self.correcting(duty, states),
            TaskKind::Approve => self.approving(duty, states),
            TaskKind::Send => self.sending(duty, states),
            TaskKind::Receive => self.receiving(duty, states),
        }
    }

    fn submitting(&self, duty: &Duty<'_>, states: &States) -> Option<Owed> {
        let is_owed = duty.is_expected() && states.is_missing(duty);
        let is_owed = is_owed && !states.is_to_be_corrected(duty);
        let below = states.counts_of(duty).below;
        let waiting = duty.expected_below().saturating_sub(below.submitted);
        let (whose, due) = match (is_owed, waiting) {
            (true, _) => (Whose::OfUnit, self.own_deadline(duty, states)),
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

    fn correcting(&self, duty: &Duty<'_>, states: &States) -> Option<Owed> {
        states.is_to_be_corrected(duty).then(|| {
            let at = states.given_back.get(&duty.key());
            let day = at.map(|at| self.snapshot.counters.day_of(at.and_utc()));
            Owed {
                kind: TaskKind::Correct,
                due: self.own_deadline(duty, states),
                since: day.unwrap_or_else(|| duty.period.opens()),
                whose: Whose::OfUnit,
                waiting: 0,
            }
        })
    }

    fn approving(&self, duty: &Duty<'_>, states: &States) -> Option<Owed> {
        let counts = states.counts_of(duty);
        let below = counts.below.submitted.saturating_sub(counts.below.approved);
        // Nobody is above a root, so it is approved by itself.
        let own = match duty.place().parent() {
            Some(_) => 0,
            None => states.unapproved_of_own(duty),
        };
        (below + own > 0).then(|| Owed {
            kind: TaskKind::Approve,
            due: self.deadline(duty),
            since: duty.period.opens(),
            whose: Whose::OfUnitsBelow,
            waiting: below + own,
        })
    }

    /// A unit that puts a report together by a deadline owes it once the period is over.
    fn sending(&self, duty: &Duty<'_>, states: &States) -> Option<Owed> {
        let due = self.own_deadline(duty, states)?;
        let since = duty.period.closing_day().succ_opt()?;
        let is_owed = duty.expected_below() > 0 && since <= self.today;
        (is_owed && !states.has_sent(&duty.key())).then_some(Owed {
            kind: TaskKind::Send,
            due: Some(due),
            since,
            whose: Whose::OfUnit,
            waiting: 0,
        })
    }

    fn receiving(&self, duty: &Duty<'_>, states: &States) -> Option<Owed> {
        let waiting = duty.waiting_senders(states);
        let since = waiting.iter().min()?.and_utc();
        Some(Owed {
            kind: TaskKind::Receive,
            due: self.deadline(duty),
            since: self.snapshot.counters.day_of(since),
            whose: Whose::OfUnitsBelow,
            waiting: u64::try_from(waiting.len()).unwrap_or(u64::MAX),
        })
    }

    fn deadline(&self, duty: &Duty<'_>) -> Option<NaiveDate> {
        let holidays = self.snapshot.catalogue.holidays();
        let deadline = duty
            .respondents
            .deadline(&duty.period, duty.place(), holidays)?;
        Some(deadline.day(self.snapshot.counters.time_zone))
    }

    /// Returns the day until which the unit itself is in time, with its submission or its report.
    fn own_deadline(&self, duty: &Duty<'_>, states: &States) -> Option<NaiveDate> {
        let ordinary = self.deadline(duty)?;
        let extended = states.extended.get(&duty.key()).copied();
        Some(extended.map_or(ordinary, |until| ordinary.max(until)))
    }

    fn deadline_of(&self, duty: &Duty<'_>, level: &LevelCode) -> Option<NaiveDate> {
        let holidays = self.snapshot.catalogue.holidays();
        let deadline = duty.period.deadline(level, holidays)?;
        Some(deadline.day(self.snapshot.counters.time_zone))
    }

    /// Returns the first day by which units below the duty's are to submit.
    fn first_deadline_below(&self, duty: &Duty<'_>) -> Option<NaiveDate> {
        let groups = duty.respondents.groups_below(duty.place());
        let levels = groups.iter().map(|group| group.due_with);
        let days = levels.filter_map(|level| self.deadline_of(duty, level));
        days.min()
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

impl Duty<'_> {
    fn place(&self) -> Place<'_> {
        self.respondents.tree().at(self.position)
    }

    fn key(&self) -> SubmissionKey {
        self.key_of(self.place().unit())
    }

    fn key_of(&self, unit: UnitId) -> SubmissionKey {
        SubmissionKey {
            form: self.period.form.number,
            period: self.period.period,
            unit,
        }
    }

    fn is_expected(&self) -> bool {
        self.respondents.includes(self.place())
    }

    /// Counts the units below that are to submit.
    fn expected_below(&self) -> u64 {
        self.respondents.count_below(self.place())
    }

    /// Lists the reports whose releases matter: the unit's own, and those of the units from which it
    /// receives.
    fn senders(&self) -> Vec<SubmissionKey> {
        let own = self.kinds.contains(&TaskKind::Send).then(|| self.key());
        let receives = self.kinds.contains(&TaskKind::Receive);
        let received = self.received_from();
        let received = received.filter(|_| receives);
        own.into_iter().chain(received).collect()
    }

    /// Lists the reports that come to the unit: those of its children. A root receives its own.
    fn received_from(&self) -> impl Iterator<Item = SubmissionKey> {
        let place = self.place();
        let own = place.parent().is_none().then_some(place);
        let senders = place.children().chain(own);
        senders.map(|sender| self.key_of(sender.unit()))
    }

    /// Lists when the reports were sent that wait for the unit.
    fn waiting_senders(&self, states: &States) -> Vec<NaiveDateTime> {
        let latest = self.received_from();
        let latest = latest.filter_map(|key| states.sent.get(&key)?.last());
        let waiting = latest.filter(|sent| sent.status == ReleaseStatus::Sent);
        waiting.map(|sent| sent.sent_at).collect()
    }
}

impl States {
    fn counts_of(&self, duty: &Duty<'_>) -> SubmissionCounts {
        self.counts.get(&duty.key()).copied().unwrap_or_default()
    }

    fn is_missing(&self, duty: &Duty<'_>) -> bool {
        let own = self.own.get(&duty.key());
        own.is_none_or(|own| !own.counts)
    }

    /// Returns true if the unit's submission was given back, or a correction of it is kept and not
    /// sent.
    fn is_to_be_corrected(&self, duty: &Duty<'_>) -> bool {
        let own = self.own.get(&duty.key());
        duty.is_expected()
            && own.is_some_and(|own| match own.status {
                Status::Returned | Status::Reopened => true,
                Status::Draft => own.counts,
                Status::Submitted | Status::Approved | Status::Withdrawn => false,
            })
    }

    fn unapproved_of_own(&self, duty: &Duty<'_>) -> u64 {
        let own = self.own.get(&duty.key());
        let waits = |own: &OwnState| own.counts && own.status != Status::Approved;
        u64::from(own.is_some_and(waits))
    }

    /// Returns true if a report was sent that stands: it waits or was received.
    fn has_sent(&self, key: &SubmissionKey) -> bool {
        let mut sent = self.sent.get(key).into_iter().flatten();
        sent.any(|sent| match sent.status {
            ReleaseStatus::Sent | ReleaseStatus::Received => true,
            ReleaseStatus::Returned | ReleaseStatus::Recalled => false,
        })
    }
}

/// Asks for reports, each named once. More may come back: those of all the units, for all the periods,
/// on all the forms.
fn asked_of(reports: &HashSet<SubmissionKey>) -> Result<AskedReports, StoreError> {
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
