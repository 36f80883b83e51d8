//! Sending a report up: what it lacks must be accepted by name, then all of it is copied.

use chrono::NaiveDate;

use super::accept::{EnteredAcceptance, Parts};
use super::content::{DocumentView, ReleaseContent, SealedContent, SignerView};
use super::drift::narrative_of;
use super::error::ReleaseError;
use super::{as_stored, may, state_of, summary, text};
use crate::authz::{Action, Permit};
use crate::domain::fault::Faults;
use crate::domain::release::{ReleaseFault, ReleaseNumber, ReleaseStatus, ReleaseStep};
use crate::domain::submission::Stage;
use crate::domain::text::read_name;
use crate::path;
use crate::sentence::period::period_named;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::rollup::{Children, RollupQuery, RollupView, rollup_in};
use crate::store::Transaction;
use crate::store::release::{
    ContentLabel, Release, StepRecord, release_insert, releases_before, step_insert,
};

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
            children: Children::LeftOut,
            indicators: None,
            as_of: None,
        };
        let rollup = rollup_in(transaction, self.snapshot, &self.entered.path, &query)?;
        let parts = Parts::of(transaction, self.snapshot, self.located)?;
        let content = self.content(transaction, number, rollup, &parts)?;
        let sealed = SealedContent::of(&content)?;
        let sent = Release {
            number,
            status: ReleaseStatus::Sent,
            step: 1,
            sent_at: content.sent_at.naive_utc(),
            rev: self.snapshot.counters.rev,
        };
        let hash = sealed.hash;
        let label = ContentLabel {
            document_number: content.document.map(|document| document.number),
            hash,
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
            copy: Some(hash.to_string()),
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

    fn content(
        &self,
        transaction: &mut Transaction<'_>,
        number: ReleaseNumber,
        rollup: RollupView,
        parts: &Parts<'_>,
    ) -> Result<ReleaseContent, ReleaseError> {
        let mut faults = Faults::default();
        let document = self.document(&mut faults);
        let signer = self.signer(&mut faults);
        let recipients = self.recipients(&mut faults);
        let accepted = parts.accepted(&self.entered.accept, &mut faults);
        let read = (document, signer, recipients, accepted);
        let read = faults.or(read);
        let (document, signer, recipients, accepted) =
            read.map_err(|faults| ReleaseError::Invalid(faults.into()))?;
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

    fn document(&self, faults: &mut Faults<ReleaseFault>) -> Option<DocumentView> {
        let entered = self.entered.document.as_ref()?;
        let mut read = |entered: &str, field: &'static str| {
            text(read_name(entered), path!["document", field], faults)
        };
        Some(DocumentView {
            number: read(&entered.number, "number"),
            place: read(&entered.place, "place"),
            date: entered.date,
        })
    }

    fn signer(&self, faults: &mut Faults<ReleaseFault>) -> Option<SignerView> {
        let entered = self.entered.signer.as_ref()?;
        let mut read = |entered: &str, field: &'static str| {
            text(read_name(entered), path!["signer", field], faults)
        };
        Some(SignerView {
            capacity: read(&entered.capacity, "capacity"),
            office: read(&entered.office, "office"),
            name: read(&entered.name, "name"),
        })
    }

    fn recipients(&self, faults: &mut Faults<ReleaseFault>) -> Vec<String> {
        let entered = &self.entered.recipients;
        if entered.len() > MOST_RECIPIENTS {
            let most = MOST_RECIPIENTS;
            let fault = ReleaseFault::TooManyRecipients { most };
            faults.push(path!["recipients"], fault);
            return Vec::new();
        }
        let read = entered.iter().enumerate();
        read.map(|(index, name)| text(read_name(name), path!["recipients", index], faults))
            .collect()
    }
}
