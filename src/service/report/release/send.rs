//! Sending a report up: what it lacks must be accepted by name, then all of it is copied.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::content::{
    AcceptedView, DocumentView, LackView, ReleaseContent, SealedContent, SignerView,
};
use super::drift::narrative_of;
use super::error::ReleaseError;
use super::{as_stored, may, state_of, summary};
use crate::authz::{Action, Permit};
use crate::domain::fault::FieldPath;
use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
use crate::domain::release::{
    Lack, PartCounts, PartOfReport, ReleaseNumber, ReleaseStatus, ReleaseStep,
};
use crate::domain::submission::Stage;
use crate::domain::text::{TextFault, clipped, read_name, read_reason};
use crate::domain::unit::UnitReference;
use crate::error::{Code, Fault, FaultList};
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::sentence::period::period_named;
use crate::sentence::{self, Sentence};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::rollup::{Children, RollupQuery, RollupView, rollup_in};
use crate::service::totals::cell::Counts;
use crate::store::key::Units;
use crate::store::release::{
    ContentLabel, Release, StepRecord, release_insert, releases_before, releases_of_units,
    step_insert,
};
use crate::store::{StoreError, Transaction};

/// The most recipients of a paper.
pub const MOST_RECIPIENTS: usize = 200;

/// A report to send, as entered.
#[derive(Debug, Clone)]
pub struct EnteredRelease {
    pub path: ReportPath,
    pub document: Option<EnteredDocument>,
    pub signer: Option<EnteredSigner>,
    pub recipients: Vec<String>,
    pub accept: Vec<EnteredAcceptance>,
}

/// The paper that goes with a report, as entered.
#[derive(Debug, Clone)]
pub struct EnteredDocument {
    pub number: String,
    pub place: String,
    pub date: NaiveDate,
}

/// The person who signs, as entered.
#[derive(Debug, Clone)]
pub struct EnteredSigner {
    pub capacity: String,
    pub office: String,
    pub name: String,
}

/// A unit whose lack the sender accepts, as entered.
#[derive(Debug, Clone)]
pub struct EnteredAcceptance {
    pub unit: String,
    pub reason: String,
}

/// Sends a unit's report up.
///
/// # Errors
/// [`ReleaseError`]; [`ReleaseError::Invalid`] with a fault for each unit whose lack is not accepted.
pub fn send_release(
    application: &Application,
    call: &Call,
    entered: &EnteredRelease,
) -> Result<Reply, ReleaseError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let located = snapshot.locate(&entered.path)?;
        let permit = may(snapshot, Action::SendReleases, &located)?;
        change.once(permit, |transaction, permit| {
            let sending = Sending {
                snapshot,
                located: &located,
                entered,
                call,
            };
            sending.perform(transaction, permit)
        })
    })
}

/// A report that is being sent.
struct Sending<'s> {
    snapshot: &'s Snapshot,
    located: &'s Located<'s>,
    entered: &'s EnteredRelease,
    call: &'s Call,
}

impl Sending<'_> {
    fn perform(
        &self,
        transaction: &mut Transaction<'_>,
        permit: &Permit,
    ) -> Result<Written, ReleaseError> {
        self.check_open()?;
        let number = self.next_number(transaction)?;
        let query = RollupQuery {
            stage: Stage::Submitted,
            children: Children::Included,
            indicators: None,
            as_of: None,
        };
        let rollup = rollup_in(transaction, self.snapshot, &self.entered.path, &query)?;
        let parts = self.parts(transaction, &rollup)?;
        let content = self.content(transaction, number, rollup, &parts)?;
        let sealed = SealedContent::of(&content)?;
        let sent = Release {
            number,
            status: ReleaseStatus::Sent,
            step: 1,
            sent_at: content.sent_at.naive_utc(),
            rev: self.snapshot.counters.rev,
        };
        let label = ContentLabel {
            document_number: content.document.map(|document| document.number),
            hash: sealed.hash,
        };
        let key = self.located.key();
        release_insert(transaction, key, &sent, &label, &sealed.packed())?;
        let step = StepRecord {
            step: sent.step,
            kind: ReleaseStep::Send,
            reason: None,
            account: permit.account(),
            at: sent.sent_at,
            rev: sent.rev,
        };
        step_insert(transaction, key, number, &step)?;
        let view = summary(transaction, self.located, &sent)?;
        let path = format!(
            "/v1/forms/{}/periods/{}/units/{}/releases/{}",
            view.form, view.period.key, view.unit.id, view.number
        );
        let reply = Reply::of_state(Outcome::Created(path), &state_of(&sent), &view)?;
        let period = &self.located.in_force.period;
        let item = ChangeItem {
            release: Some(number.get()),
            ..ChangeItem::of_report(ChangeKind::ReleaseSent, period, key.unit)
        };
        Ok(Written::new(reply, [item]))
    }

    fn check_open(&self) -> Result<(), ReleaseError> {
        let period = &self.located.in_force.period;
        let from = period.range.from;
        match self.snapshot.today(self.call.now) < from {
            true => Err(ReleaseError::NotOpen {
                period: period_named(period),
                from,
            }),
            false => Ok(()),
        }
    }

    fn next_number(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<ReleaseNumber, ReleaseError> {
        let after_all = ReleaseNumber::new(i32::MAX);
        let latest = releases_before(transaction, self.located.key(), after_all, 1)?;
        match latest.first() {
            None => Ok(ReleaseNumber::FIRST),
            Some(latest) if latest.status.lets_another_follow() => Ok(latest.number.next()),
            Some(latest) => Err(ReleaseError::Waits {
                number: latest.number,
            }),
        }
    }

    /// Lists the parts for which the sender answers: the unit itself, then each direct child.
    fn parts(
        &self,
        transaction: &mut Transaction<'_>,
        rollup: &RollupView,
    ) -> Result<Vec<AnsweredPart<'_>>, StoreError> {
        let place = self.located.place();
        let children: HashMap<(String, bool), Place<'_>> = place
            .parts()
            .map(|part| ((part.unit().to_string(), part.is_leaf()), part))
            .collect();
        let units: Vec<UnitId> = children.values().map(|child| child.unit()).collect();
        let key = self.located.key();
        let sent = releases_of_units(transaction, key.form, key.period, Units::These(&units))?;
        let shown = rollup.children.iter().flatten();
        let below = shown.clone().map(|child| child.completeness);
        let mut parts = vec![AnsweredPart {
            place,
            part: PartOfReport::Own,
            counts: without(rollup.completeness, below),
        }];
        for child in shown {
            let name = (child.unit.id.clone(), child.not_divided);
            let Some(place) = children.get(&name).copied() else {
                continue;
            };
            let part = match self.compiles(place) {
                true => {
                    PartOfReport::Compiler(sent.get(&place.unit()).and_then(|sent| standing(sent)))
                }
                false => PartOfReport::Submitter,
            };
            parts.push(AnsweredPart {
                place,
                part,
                counts: child.completeness,
            });
        }
        Ok(parts)
    }

    /// Returns true if units below a place submit the form.
    fn compiles(&self, place: Place<'_>) -> bool {
        let definition = self.located.in_force.period.definition;
        let own = &place.fact().level;
        let mut below = definition.submitted_by.iter().filter(|level| *level != own);
        below.any(|level| place.count_at(level) > 0)
    }

    fn content(
        &self,
        transaction: &mut Transaction<'_>,
        number: ReleaseNumber,
        rollup: RollupView,
        parts: &[AnsweredPart<'_>],
    ) -> Result<ReleaseContent, ReleaseError> {
        let mut faults = Vec::new();
        let document = self.document(&mut faults);
        let signer = self.signer(&mut faults);
        let recipients = self.recipients(&mut faults);
        let accepted = self.accepted(parts, &mut faults);
        if !faults.is_empty() {
            let mut told = FaultList::default();
            told.append(faults.into());
            return Err(ReleaseError::Invalid(told));
        }
        let place = self.located.place();
        Ok(ReleaseContent {
            form: rollup.form,
            period: PeriodName::of(&self.located.in_force.period),
            unit: UnitName::of(place),
            to: place.parent().map(UnitName::of),
            number: number.get(),
            sent_at: as_stored(self.call.now),
            rev: rollup.rev,
            document,
            signer,
            recipients,
            accepted,
            completeness: rollup.completeness,
            map: rollup.map,
            cells: rollup.cells,
            narrative: narrative_of(transaction, self.located)?,
        })
    }

    fn document(&self, faults: &mut Vec<Fault>) -> Option<DocumentView> {
        let entered = self.entered.document.as_ref()?;
        let mut read = |text: &str, field: &'static str| {
            taken(read_name(text), path!["document", field], faults)
        };
        Some(DocumentView {
            number: read(&entered.number, "number"),
            place: read(&entered.place, "place"),
            date: entered.date,
        })
    }

    fn signer(&self, faults: &mut Vec<Fault>) -> Option<SignerView> {
        let entered = self.entered.signer.as_ref()?;
        let mut read = |text: &str, field: &'static str| {
            taken(read_name(text), path!["signer", field], faults)
        };
        Some(SignerView {
            capacity: read(&entered.capacity, "capacity"),
            office: read(&entered.office, "office"),
            name: read(&entered.name, "name"),
        })
    }

    fn recipients(&self, faults: &mut Vec<Fault>) -> Vec<String> {
        let entered = &self.entered.recipients;
        if entered.len() > MOST_RECIPIENTS {
            let message = message!("release-too-many-recipients", most = MOST_RECIPIENTS);
            faults.push(Fault::in_body(
                path!["recipients"],
                Code::InvalidValue,
                message,
            ));
            return Vec::new();
        }
        let read = entered.iter().enumerate();
        read.map(|(index, text)| taken(read_name(text), path!["recipients", index], faults))
            .collect()
    }

    /// Reads what the sender accepts, and refuses each lack that is not among it.
    fn accepted(&self, parts: &[AnsweredPart<'_>], faults: &mut Vec<Fault>) -> Vec<AcceptedView> {
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        for (index, entered) in self.entered.accept.iter().enumerate() {
            let unit = path!["accept", index, "unit"];
            let reason = path!["accept", index, "reason"];
            let reason = taken(read_reason(&entered.reason), reason, faults);
            let named = parts.iter().position(|part| part.is_named(&entered.unit));
            let Some((at, part)) = named.and_then(|at| Some((at, parts.get(at)?))) else {
                faults.push(self.unknown(&entered.unit, unit));
                continue;
            };
            let name = part.name();
            if part.lack().is_none() {
                let message = message!("release-accepted-needlessly", name);
                faults.push(Fault::in_body(unit, Code::AcceptanceNotNeeded, message));
            } else if reasons.insert(at, reason).is_some() {
                let message = message!("release-accepted-twice", name);
                faults.push(Fault::in_body(unit, Code::Duplicate, message));
            }
        }
        let mut accepted = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let Some(lack) = part.lack() else { continue };
            match reasons.remove(&at) {
                Some(reason) => accepted.push(AcceptedView {
                    unit: UnitName::of(part.place),
                    lack: LackView::from(lack),
                    counts: part.counts,
                    reason,
                }),
                None => {
                    let message = sentence::release::lack(&part.name(), lack, part.counts.expected);
                    let code = Code::AcceptanceRequired;
                    faults.push(Fault::in_body(path!["accept"], code, message));
                }
            }
        }
        accepted
    }

    fn unknown(&self, unit: &str, at: FieldPath) -> Fault {
        let (unit, sender) = (clipped(unit), self.located.place().fact().name_with_code());
        let message = message!("release-accepted-unknown", unit = Quoted(&unit), sender);
        Fault::in_body(at, Code::UnknownUnit, message)
    }
}

/// A part of the report, as its sender answers for it.
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

    fn is_named(&self, text: &str) -> bool {
        match text.parse() {
            Ok(UnitReference::Id(unit)) => unit == self.place.unit(),
            Ok(UnitReference::Code(code)) => code == self.place.fact().code,
            Err(_) => false,
        }
    }
}

/// Returns the status of the latest report that a child sent and that stands: that of one that waits
/// or was received. A correction that came to nothing leaves the received one standing.
fn standing(sent: &[Release]) -> Option<ReleaseStatus> {
    let statuses = sent.iter().rev().map(|release| release.status);
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

/// Returns a text that was read, or notes its fault.
fn taken(read: Result<String, TextFault>, at: FieldPath, faults: &mut Vec<Fault>) -> String {
    read.unwrap_or_else(|fault| {
        faults.push(fault.at(at));
        String::new()
    })
}
