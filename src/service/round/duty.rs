//! Duties: the units, forms and periods for which the caller may owe something. Never what of it is
//! owed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{Days, NaiveDate};

use super::view::TaskKind;
use crate::authz::{Extent, Role};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::respondents::Respondents;
use crate::domain::submission::SubmissionKey;
use crate::service::application::snapshot::Snapshot;

/// How long after its last day a period is asked about: a year and the time to finish it. Older ones
/// are no longer somebody's work, though they stay incomplete.
const ASKED_FOR: Days = Days::new(400);

/// What somebody may owe at a unit, on a form and for a period.
pub(super) struct Duty<'s> {
    pub period: FormPeriod<'s>,
    pub respondents: Rc<Respondents<'s>>,
    pub position: Position,
    pub kinds: BTreeSet<TaskKind>,
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

/// Finds the caller's duties of a day: one for each unit of a grant, form and period. A unit that had
/// ended by the period's last day has none, since nothing can be entered for it.
pub(super) fn duties_of(snapshot: &Snapshot, today: NaiveDate) -> Vec<Duty<'_>> {
    let mut kinds: BTreeMap<UnitId, BTreeSet<TaskKind>> = BTreeMap::new();
    for grant in snapshot.access.grants() {
        if let Some(unit) = grant.unit() {
            kinds.entry(unit).or_default().extend(kinds_of(grant.role));
        }
    }
    kinds.retain(|_, kinds| !kinds.is_empty());
    let mut duties = Vec::new();
    if kinds.is_empty() {
        return duties;
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
    duties
}

impl<'s> Duty<'s> {
    pub fn place(&self) -> Place<'_> {
        self.respondents.tree().at(self.position)
    }

    pub fn key(&self) -> SubmissionKey {
        self.key_of(self.place().unit())
    }

    pub fn key_of(&self, unit: UnitId) -> SubmissionKey {
        SubmissionKey {
            form: self.period.form.number,
            period: self.period.period,
            unit,
        }
    }

    /// The form and the period.
    pub fn report(&self) -> (FormNumber, Period) {
        (self.period.form.number, self.period.period)
    }

    pub fn is_expected(&self) -> bool {
        self.respondents.includes(self.place())
    }

    /// Counts the units below that are to submit.
    pub fn expected_below(&self) -> u64 {
        self.respondents.count_below(self.place())
    }

    /// Tells whether a unit lies below the duty's.
    pub fn has_below(&self, unit: UnitId) -> bool {
        let place = self.place();
        let other = self.respondents.tree().by_id(unit);
        other.is_some_and(|other| other.position() != place.position() && place.covers(other))
    }

    /// Tells whether the duty's unit decides on a unit's submission: on those below it. Nobody is above
    /// a root, so it decides on its own.
    pub fn decides_on(&self, unit: UnitId) -> bool {
        let place = self.place();
        let is_own_root = place.parent().is_none() && place.unit() == unit;
        is_own_root || self.has_below(unit)
    }

    /// Lists the reports whose releases matter: the unit's own, and those of the units from which it
    /// receives.
    pub fn senders(&self) -> Vec<SubmissionKey> {
        let own = self.kinds.contains(&TaskKind::Send).then(|| self.key());
        let receives = self.kinds.contains(&TaskKind::Receive);
        let received = self.received_from();
        let received = received.filter(|_| receives);
        own.into_iter().chain(received).collect()
    }

    /// Lists the reports that come to the unit: those of its children. A root receives its own.
    pub fn received_from(&self) -> impl Iterator<Item = SubmissionKey> {
        let place = self.place();
        let own = place.parent().is_none().then_some(place);
        let senders = place.children().chain(own);
        senders.map(|sender| self.key_of(sender.unit()))
    }
}
