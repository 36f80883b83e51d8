//! What a report lacks, by the parts for which its sender answers, and what the sender accepts of that.

use std::collections::HashMap;

use super::content::{AcceptedView, LackView};
use super::text;
use crate::domain::fault::Faults;
use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
use crate::domain::release::{Lack, PartCounts, PartOfReport, ReleaseFault, ReleaseStatus};
use crate::domain::text::{clipped, read_reason};
use crate::domain::unit::UnitReference;
use crate::path;
use crate::service::application::locate::Located;
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::rollup::RollupView;
use crate::service::totals::cell::Counts;
use crate::store::key::Units;
use crate::store::release::{Release, releases_of_units};
use crate::store::{StoreError, Transaction};

/// A unit whose lack the sender accepts, as entered.
#[derive(Debug, Clone)]
pub struct EnteredAcceptance {
    pub unit: String,
    pub reason: String,
}

/// The parts of a report: the unit itself, then each direct child.
pub(super) struct Parts<'p> {
    located: &'p Located<'p>,
    parts: Vec<AnsweredPart<'p>>,
}

/// A part of a report, as its sender answers for it.
struct AnsweredPart<'p> {
    place: Place<'p>,
    part: PartOfReport,
    counts: Counts,
}

impl AnsweredPart<'_> {
    fn lack(&self) -> Option<Lack> {
        self.part.lack(PartCounts {
            expected: self.counts.expected,
            submitted: self.counts.submitted,
            approved: self.counts.approved,
        })
    }

    fn name(&self) -> String {
        self.place.fact().name_with_code()
    }
}

impl<'p> Parts<'p> {
    /// `rollup` is the unit's, with its children.
    pub fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'p Located<'p>,
        rollup: &RollupView,
    ) -> Result<Parts<'p>, StoreError> {
        let place = located.place();
        let children: HashMap<(String, bool), Place<'_>> = place
            .parts()
            .map(|part| ((part.unit().to_string(), part.is_leaf()), part))
            .collect();
        let units: Vec<UnitId> = children.values().map(|child| child.unit()).collect();
        let key = located.key();
        let sent = releases_of_units(transaction, key.form, key.period, Units::These(&units))?;
        let respondents = snapshot.respondents(&located.in_force.period);
        let shown = rollup.children.iter().flatten();
        let below = shown.clone().map(|child| child.completeness);
        let mut parts = vec![AnsweredPart {
            place,
            part: PartOfReport::Own,
            counts: without(rollup.completeness, below),
        }];
        parts.extend(shown.filter_map(|child| {
            let place = children.get(&(child.unit.id.clone(), child.not_divided))?;
            let part = match respondents.count_below(*place) > 0 {
                true => PartOfReport::Compiler(standing(sent.get(&place.unit()))),
                false => PartOfReport::Submitter,
            };
            Some(AnsweredPart {
                place: *place,
                part,
                counts: child.completeness,
            })
        }));
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
                    lack: LackView::from(lack),
                    counts: part.counts,
                    reason: reason.clone(),
                }),
                None => {
                    let (name, expected) = (part.name(), part.counts.expected);
                    let fault = ReleaseFault::NotAccepted {
                        name,
                        lack,
                        expected,
                    };
                    faults.push(path!["accept"], fault);
                }
            }
        }
        accepted
    }

    /// Reads the reasons by their units. One reason holds for all parts of a unit: a unit that was
    /// divided and goes on may have two.
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

/// Takes the counts of parts out of those of the whole.
fn without(whole: Counts, parts: impl Iterator<Item = Counts>) -> Counts {
    parts.fold(whole, |rest, part| Counts {
        expected: rest.expected.saturating_sub(part.expected),
        submitted: rest.submitted.saturating_sub(part.submitted),
        approved: rest.approved.saturating_sub(part.approved),
    })
}
