//! The lacks of a report, by the parts for which its sender answers, and their acceptance by the sender.

use std::collections::HashMap;

use super::content::{AcceptedView, LackView};
use super::text;
use crate::domain::fault::Faults;
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
use crate::domain::release::{Lack, PartCounts, PartOfReport, ReleaseFault, ReleaseStatus};
use crate::domain::submission::Stage;
use crate::domain::text::{clipped, read_reason};
use crate::domain::unit::UnitReference;
use crate::path;
use crate::rollup::node::KeptRollup;
use crate::service::application::locate::Located;
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::Board;
use crate::service::totals::cell::{Counts, Figuring};
use crate::store::key::Units;
use crate::store::release::{Release, releases_of_units};
use crate::store::{StoreError, Transaction};

/// A unit whose lack the sender accepts, as entered.
#[derive(Debug, Clone)]
pub struct EnteredAcceptance {
    pub unit: String,
    pub reason: String,
}

/// The parts of a report: the unit itself, then each direct child. On the report's own form first, then
/// on each form that it takes figures from.
pub(super) struct Parts<'p> {
    located: &'p Located<'p>,
    parts: Vec<AnsweredPart<'p>>,
}

/// A part of a report on one form, as its sender answers for it.
struct AnsweredPart<'p> {
    place: Place<'p>,
    part: PartOfReport,
    period: FormPeriod<'p>,
    form: OfForm,
    counts: Counts,
}

/// The form of submissions: that of the report, or one that it takes figures from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OfForm {
    Own,
    Taken,
}

impl AnsweredPart<'_> {
    fn lack(&self) -> Option<Lack> {
        let counts = PartCounts {
            expected: self.counts.expected,
            submitted: self.counts.submitted,
            approved: self.counts.approved,
        };
        match self.form {
            OfForm::Own => self.part.lack(counts),
            OfForm::Taken => self.part.lack_of_taken(counts),
        }
    }

    fn name(&self) -> String {
        self.place.fact().name_with_code()
    }

    fn not_accepted(&self, lack: Lack) -> ReleaseFault {
        ReleaseFault::NotAccepted {
            name: self.name(),
            part: self.part,
            lack,
            expected: self.counts.expected,
            taken_from: match self.form {
                OfForm::Own => None,
                OfForm::Taken => Some(self.period.named_form()),
            },
        }
    }
}

impl<'p> Parts<'p> {
    pub fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &'p Snapshot,
        located: &'p Located<'p>,
    ) -> Result<Parts<'p>, StoreError> {
        let kinds = kinds_of_parts(transaction, snapshot, located)?;
        let mut parts = Vec::new();
        let own = located.in_force.period;
        for period in located.in_force.periods_behind() {
            let form = match period.form.number == own.form.number {
                true => OfForm::Own,
                false => OfForm::Taken,
            };
            let on_form = located.on_form(snapshot, period);
            let counts = counts_of(transaction, snapshot, &on_form, &kinds)?;
            let answered = kinds.iter().zip(counts);
            parts.extend(answered.map(|((place, part), counts)| AnsweredPart {
                place: *place,
                part: *part,
                period,
                form,
                counts,
            }));
        }
        Ok(Parts { located, parts })
    }

    /// Reads what the sender accepts, and refuses each lack that is not among it.
    pub fn accepted(
        &self,
        entered: &[EnteredAcceptance],
        faults: &mut Faults<ReleaseFault>,
    ) -> Vec<AcceptedView> {
        let reasons = self.reasons(entered, faults);
        let mut accepted = Vec::new();
        for part in &self.parts {
            let Some(lack) = part.lack() else { continue };
            match reasons.get(&part.place.unit()) {
                Some(reason) => accepted.push(AcceptedView {
                    unit: UnitName::of(part.place),
                    form: part.period.form.code.to_string(),
                    lack: LackView::from(lack),
                    counts: part.counts,
                    reason: reason.clone(),
                }),
                None => faults.push(path!["accept"], part.not_accepted(lack)),
            }
        }
        accepted
    }

    /// Reads the reasons by their units. One reason holds for all parts of a unit, on every form: a unit
    /// that was divided and goes on may have two.
    fn reasons(
        &self,
        entered: &[EnteredAcceptance],
        faults: &mut Faults<ReleaseFault>,
    ) -> HashMap<UnitId, String> {
        let known = self.known();
        let mut reasons: HashMap<UnitId, String> = HashMap::new();
        for (index, entered) in entered.iter().enumerate() {
            let at = path!["accept", index, "reason"];
            let reason = text(read_reason(&entered.reason), at, faults);
            let at = path!["accept", index, "unit"];
            let reference = entered.unit.parse::<UnitReference>().ok();
            let named = reference.and_then(|reference| known.get(&reference.to_string()));
            let Some(named) = named else {
                faults.push(at, self.unknown(&entered.unit));
                continue;
            };
            let name = named.name.clone();
            if !named.lacks {
                faults.push(at, ReleaseFault::NothingToAccept { name });
            } else if reasons.insert(named.unit, reason).is_some() {
                faults.push(at, ReleaseFault::AcceptedTwice { name });
            }
        }
        reasons
    }

    /// Returns the units of all parts by their ids and codes, as requests name them.
    fn known(&self) -> HashMap<String, KnownUnit> {
        let mut known: HashMap<String, KnownUnit> = HashMap::new();
        for part in &self.parts {
            let fact = part.place.fact();
            let lacks = part.lack().is_some();
            for name in [fact.unit.to_string(), format!("code:{}", fact.code)] {
                let unit = known.entry(name).or_insert_with(|| KnownUnit {
                    unit: fact.unit,
                    name: part.name(),
                    lacks,
                });
                unit.lacks |= lacks && unit.unit == fact.unit;
            }
        }
        known
    }

    fn unknown(&self, unit: &str) -> ReleaseFault {
        ReleaseFault::UnknownPart {
            unit: clipped(unit),
            sender: self.located.place().fact().name_with_code(),
        }
    }
}

/// A unit that a request may name.
struct KnownUnit {
    unit: UnitId,
    name: String,
    lacks: bool,
}

/// Returns the status of the latest report that a child sent and that stands: that of one that waits
/// or was received. A correction that came to nothing leaves the received one standing.
fn standing(sent: Option<&Vec<Release>>) -> Option<ReleaseStatus> {
    let statuses = sent
        .into_iter()
        .flatten()
        .rev()
        .map(|release| release.status);
    let mut standing =
        statuses.filter(|status| matches!(status, ReleaseStatus::Sent | ReleaseStatus::Received));
    standing.next()
}

/// Returns the unit itself, then each direct child, with the kind of part that each is.
fn kinds_of_parts<'p>(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &'p Located<'p>,
) -> Result<Vec<(Place<'p>, PartOfReport)>, StoreError> {
    let place = located.place();
    let units: Vec<UnitId> = place.parts().map(Place::unit).collect();
    let key = located.key();
    let sent = releases_of_units(transaction, key.form, key.period, Units::These(&units))?;
    let respondents = snapshot.respondents(&located.in_force.period);
    let mut kinds = vec![(place, PartOfReport::Own)];
    kinds.extend(place.parts().map(|child| {
        let kind = match respondents.count_below(child) > 0 {
            true => PartOfReport::Compiler(standing(sent.get(&child.unit()))),
            false => PartOfReport::Submitter,
        };
        (child, kind)
    }));
    Ok(kinds)
}

/// Counts the submissions of each part on one form. Those of the children are taken out of the unit's.
fn counts_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    on_form: &Located<'_>,
    kinds: &[(Place<'_>, PartOfReport)],
) -> Result<Vec<Counts>, StoreError> {
    let places = kinds.iter().map(|(place, _)| *place);
    let board = Board::at(on_form, snapshot);
    let rollups = board.rollups(transaction, places.clone().map(Place::position))?;
    let figuring = Figuring::of(snapshot, on_form, Stage::Submitted);
    let empty = KeptRollup::default();
    let counts = places.map(|place| {
        let kept = rollups.get(&place.position()).unwrap_or(&empty);
        figuring.counts(&kept.rollup, place)
    });
    let mut counts: Vec<Counts> = counts.collect();
    if let Some((whole, parts)) = counts.split_first_mut() {
        *whole = without(*whole, parts.iter().copied());
    }
    Ok(counts)
}

/// Takes the counts of parts out of those of the whole.
fn without(whole: Counts, parts: impl Iterator<Item = Counts>) -> Counts {
    parts.fold(whole, |rest, part| Counts {
        expected: rest.expected.saturating_sub(part.expected),
        submitted: rest.submitted.saturating_sub(part.submitted),
        approved: rest.approved.saturating_sub(part.approved),
    })
}
