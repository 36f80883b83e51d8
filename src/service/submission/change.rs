//! A change of a submission as it was requested.

use std::num::NonZero;
use std::thread::available_parallelism;

use chrono::NaiveDate;
use itertools::Itertools;

use super::error::SubmissionError;

pub(in crate::service) use crate::authz::Action;
use crate::domain::catalogue::InForce;
use crate::domain::fault::Faults;
use crate::domain::submission::{
    Content, EnteredPassage, EnteredValue, Nil, Revision, Step, SubmissionFault, Submitter,
    complete, read_narrative, read_nil, read_values,
};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::condition::State;
use crate::service::application::idempotency::Once;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::side_by_side::side_by_side;
use crate::service::application::snapshot::{Rules, RulesEdition};

/// Chooses between keeping a draft and submitting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    KeepDraft,
    Submit,
}

/// The time at which something comes in, as entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrival {
    /// With the request.
    #[default]
    Now,
    /// On paper, on a day before.
    OnPaper(NaiveDate),
}

impl Arrival {
    /// Returns the day on which the paper came in, if there was one.
    pub(super) fn of_paper(self) -> Option<NaiveDate> {
        match self {
            Arrival::Now => None,
            Arrival::OnPaper(day) => Some(day),
        }
    }
}

impl From<Option<NaiveDate>> for Arrival {
    fn from(day: Option<NaiveDate>) -> Arrival {
        day.map_or(Arrival::Now, Arrival::OnPaper)
    }
}

/// Entered values and texts. They replace everything stored.
#[derive(Debug, Clone)]
pub struct Entered {
    pub values: Vec<EnteredValue>,
    pub narrative: Vec<EnteredPassage>,
    pub nil: Nil,
    pub intent: Intent,
    pub arrival: Arrival,
}

/// A reason for returning a submission, as entered.
#[derive(Debug, Clone)]
pub struct EnteredReason {
    pub text: String,
    pub values: Vec<EnteredValueReason>,
}

/// A reason for not accepting one value, as entered.
#[derive(Debug, Clone)]
pub struct EnteredValueReason {
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

/// A change to a submission.
#[derive(Debug, Clone)]
pub enum SubmissionChange {
    /// Replace the values, as a draft or submitted at once.
    Put(Entered),
    /// Submit the draft as it is.
    Submit(Arrival),
    /// Withdraw the submission: it counts nowhere.
    Withdraw,
    /// Give up the draft: what it was kept over counts as before.
    Discard,
    /// Approve the submission: it counts in both stages.
    Approve,
    /// Return the submission with a reason: it counts nowhere.
    Return(EnteredReason),
    /// Reopen an approved submission for changes, with a reason or without: it counts as submitted.
    Reopen(Option<EnteredReason>),
}

impl SubmissionChange {
    pub(super) fn step(&self) -> Step {
        match self {
            SubmissionChange::Put(Entered {
                intent: Intent::KeepDraft,
                ..
            }) => Step::Save,
            SubmissionChange::Put(Entered {
                intent: Intent::Submit,
                ..
            }) => Step::Replace,
            SubmissionChange::Submit(_) => Step::Submit,
            SubmissionChange::Withdraw => Step::Withdraw,
            SubmissionChange::Discard => Step::Discard,
            SubmissionChange::Approve => Step::Approve,
            SubmissionChange::Return(_) => Step::Return,
            SubmissionChange::Reopen(_) => Step::Reopen,
        }
    }

    /// Returns when it comes in, for a change that brings something in.
    pub(super) fn arrival(&self) -> Option<Arrival> {
        match self {
            SubmissionChange::Put(entered) => Some(entered.arrival),
            SubmissionChange::Submit(arrival) => Some(*arrival),
            SubmissionChange::Withdraw
            | SubmissionChange::Discard
            | SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen(_) => None,
        }
    }

    /// Returns the kind under which the feed tells it.
    pub(super) fn kind(&self) -> ChangeKind {
        match self {
            SubmissionChange::Put(Entered {
                intent: Intent::KeepDraft,
                ..
            }) => ChangeKind::SubmissionSaved,
            SubmissionChange::Put(Entered {
                intent: Intent::Submit,
                ..
            })
            | SubmissionChange::Submit(_) => ChangeKind::SubmissionSubmitted,
            SubmissionChange::Withdraw => ChangeKind::SubmissionWithdrawn,
            SubmissionChange::Discard => ChangeKind::SubmissionDiscarded,
            SubmissionChange::Approve => ChangeKind::SubmissionApproved,
            SubmissionChange::Return(_) => ChangeKind::SubmissionReturned,
            SubmissionChange::Reopen(_) => ChangeKind::SubmissionReopened,
        }
    }

    pub(super) fn action(&self) -> Action {
        match self {
            SubmissionChange::Put(_)
            | SubmissionChange::Submit(_)
            | SubmissionChange::Withdraw
            | SubmissionChange::Discard => Action::ChangeSubmissions,
            SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen(_) => Action::DecideSubmissions,
        }
    }
}

/// The number of changes from which on a part of the work on them is worth a thread.
pub(super) const WORTH_A_THREAD: usize = 8;

/// A change that was requested and not answered yet.
pub struct Asked {
    pub(super) call: Call,
    pub(super) path: ReportPath,
    pub(super) once: Once,
    pub(super) change: SubmissionChange,
    read_early: Option<ReadEarly>,
}

/// Entered values that were read before the change's turn came, by the rules that were known then.
struct ReadEarly {
    by: RulesEdition,
    content: Result<Content, Faults<SubmissionFault>>,
}

impl Asked {
    /// Reads entered values on the caller's thread, since all changes of a tenant wait for the one
    /// that is being written.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub fn new(
        application: &Application,
        call: Call,
        path: ReportPath,
        change: SubmissionChange,
    ) -> Result<Asked, SubmissionError> {
        let once = application.begin(&call)?;
        let read_early = match &change {
            SubmissionChange::Put(entered) => {
                let rules = application.caches.latest_rules(call.identity.tenant());
                rules.and_then(|rules| ReadEarly::of(entered, &path, &rules))
            }
            SubmissionChange::Submit(_)
            | SubmissionChange::Withdraw
            | SubmissionChange::Discard
            | SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen(_) => None,
        };
        Ok(Asked {
            call,
            path,
            once,
            change,
            read_early,
        })
    }

    /// Like [`Asked::new`] for many changes, which are read side by side.
    ///
    /// # Errors
    /// Those of the first that has any.
    pub fn all(
        application: &Application,
        changes: Vec<(Call, ReportPath, SubmissionChange)>,
    ) -> Result<Vec<Asked>, SubmissionError> {
        Asked::each(application, changes).into_iter().collect()
    }

    /// Like [`Asked::all`], with an answer for each, in their order.
    pub fn each(
        application: &Application,
        changes: Vec<(Call, ReportPath, SubmissionChange)>,
    ) -> Vec<Result<Asked, SubmissionError>> {
        let threads = available_parallelism().map_or(1, NonZero::get);
        let size = changes.len().div_ceil(threads).max(WORTH_A_THREAD);
        let chunks = changes.into_iter().chunks(size);
        let chunks = chunks.into_iter().map(Iterator::collect).collect();
        let read = side_by_side(chunks, |chunk: Vec<_>| {
            let chunk = chunk.into_iter();
            let read =
                chunk.map(|(call, path, change)| Asked::new(application, call, path, change));
            read.collect::<Vec<_>>()
        });
        read.into_iter().flatten().collect()
    }

    /// Returns the content that was read by the rules of this edition, if any was.
    pub(super) fn content_by(
        &self,
        rules: RulesEdition,
    ) -> Option<&Result<Content, Faults<SubmissionFault>>> {
        let read = self.read_early.as_ref();
        read.filter(|read| read.by == rules)
            .map(|read| &read.content)
    }
}

impl ReadEarly {
    /// Reads what was entered, if that takes no more than the rules at hand.
    fn of(entered: &Entered, path: &ReportPath, rules: &Rules) -> Option<ReadEarly> {
        let form = rules.catalogue.form(&path.form.parse().ok()?)?;
        let period = form.period(path.period.parse().ok()?)?;
        let tree = rules.hierarchy.planted_on(period.closing_day())?;
        let place = tree.find(&path.unit.parse().ok()?)?;
        let respondents = rules.catalogue.respondents(&period, tree.clone());
        let submitter = Submitter {
            level: &place.fact().level,
            levels: &respondents.levels_of(place),
            hierarchy: &rules.hierarchy,
        };
        let in_force = rules.catalogue.in_force(period);
        Some(ReadEarly {
            by: rules.edition,
            content: entered.read(&in_force, submitter),
        })
    }
}

impl Entered {
    /// Reads the entered values and texts, and reports all faults of both together. Looks for
    /// missing values only if everything else is valid and the values are submitted.
    pub(super) fn read(
        &self,
        in_force: &InForce<'_>,
        submitter: Submitter<'_>,
    ) -> Result<Content, Faults<SubmissionFault>> {
        let facts = read_values(&self.values, in_force, submitter);
        let narrative = read_narrative(&self.narrative, in_force);
        let nil = read_nil(self.nil, in_force, submitter.levels);
        let content = match (facts, narrative, nil) {
            (Ok(facts), Ok(narrative), Ok(nil)) => Content {
                facts,
                narrative,
                nil,
            },
            (facts, narrative, nil) => {
                let mut faults = facts.err().unwrap_or_default();
                faults.append(narrative.err().unwrap_or_default());
                faults.append(nil.err().unwrap_or_default());
                return Err(faults);
            }
        };
        match self.intent {
            Intent::KeepDraft => Ok(content),
            Intent::Submit => complete(content, in_force, submitter.levels),
        }
    }
}

pub(super) fn state_of(revision: Revision) -> State {
    State::numbered(revision.get())
}

pub(super) fn path_of(located: &Located<'_>) -> String {
    format!(
        "/v1/forms/{}/periods/{}/units/{}/submission",
        located.form().code,
        located.period(),
        located.place().unit()
    )
}
