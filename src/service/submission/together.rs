//! Takes many changes of one caller in one commit: all of them, or none. Chunks of them are decided
//! and climb one after another in the same transaction, so that the memory does not grow with their
//! number. Never what is told of them, which a [`Whole`] knows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::batch::{
    Decided, Placed, Stepping, broken_by, decide, faults_of, last_return, make, placed,
};
use super::change::{Asked, state_of};
use super::error::SubmissionError;
use super::jump::jumps;
use super::rule::{broken_rules, has_rules, rollup_at};
use super::view::{SubmissionView, Warning};
use crate::authz::{Action, Denied};
use crate::domain::form::Rule;
use crate::domain::id::FormNumber;
use crate::domain::period::Period;
use crate::domain::submission::{Step, SubmissionKey};
use crate::error::{Code, Explain, Explanation, FaultList};
use crate::locale::Count;
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeItem;
use crate::service::application::condition::State;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::import_mode::ImportMode;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::store::{StoreError, Transaction};

/// The most changes of a chunk, as many as the queue commits at once.
pub(super) const CHUNK: usize = 256;

/// Changes that are made together, and what is told of them. A place is the number of a change among
/// all.
pub(super) trait Whole {
    /// Returns the next chunk, each change with its place; nothing after the last. No change has a key
    /// of its own.
    ///
    /// # Errors
    /// Those of reading what the changes build on.
    fn next_chunk(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<Vec<(usize, Asked)>, StoreError>;

    /// Takes up a change that was made.
    ///
    /// # Errors
    /// None in practice; encoders allow one.
    fn take_up(&mut self, made: MadeStep) -> Result<(), StoreError>;

    /// Takes up the refusal of the change at a place.
    fn refuse(&mut self, place: usize, refused: &SubmissionError);

    /// Returns the faults of all that was refused.
    fn faults(&self) -> &FaultList;

    /// Answers, once everything is written.
    ///
    /// # Errors
    /// Those of the store.
    fn answer(
        &mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<Reply, StoreError>;
}

/// A change that was made.
pub(super) struct MadeStep {
    pub place: usize,
    pub outcome: Outcome,
    pub state: State,
    pub view: SubmissionView,
}

/// The reasons for which a whole was not made.
#[derive(Debug, thiserror::Error)]
pub enum TogetherError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("faults: {}", .0.count)]
    Refused(FaultList),
}

impl Explain for TogetherError {
    fn explain(&self) -> Explanation {
        match self {
            TogetherError::Denied(held) => held.explain(),
            TogetherError::Idempotency(held) => held.explain(),
            TogetherError::Store(held) => held.explain(),
            TogetherError::Refused(faults) => {
                let message = message!("together-refused", count = Count(faults.count));
                Explanation::new(Code::InvalidSubmission, message)
                    .with_faults(faults.faults.clone())
            }
        }
    }
}

/// Makes all changes of a whole in one commit, or none. A dry run decides and adds up everything, and
/// then gives it up.
///
/// # Errors
/// [`TogetherError::Refused`] with the faults of every change that is refused.
pub(super) fn change_together(
    application: &Application,
    call: &Call,
    whole: &mut impl Whole,
    mode: ImportMode,
) -> Result<Reply, TogetherError> {
    let made = application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.somewhere(Action::ChangeSubmissions)?;
        change.once(permit, |transaction, _| {
            let items = Taking::new(application, transaction, snapshot).take_all(whole)?;
            let reply = whole.answer(transaction, snapshot)?;
            match mode {
                ImportMode::Write => Ok(Written::new(reply, items)),
                ImportMode::DryRun => Err(Given::Up(reply)),
            }
        })
    });
    match made {
        Ok(reply) | Err(Given::Up(reply)) => Ok(reply),
        Err(Given::Back(error)) => Err(error),
    }
}

/// Finds every fault of a whole of which something is refused for certain. Takes no lock, since
/// nothing can be written.
///
/// # Errors
/// [`TogetherError::Refused`].
pub(super) fn refuse_together(
    application: &Application,
    call: &Call,
    whole: &mut impl Whole,
) -> Result<Reply, TogetherError> {
    application.reading(&call.identity, |transaction, snapshot| {
        Taking::new(application, transaction, snapshot).look_at_all(whole)?;
        Err(TogetherError::Refused(whole.faults().clone()))
    })
}

/// The ends of a whole that was not committed.
enum Given {
    /// The answer to a dry run.
    Up(Reply),
    Back(TogetherError),
}

impl<E: Into<TogetherError>> From<E> for Given {
    fn from(error: E) -> Given {
        Given::Back(error.into())
    }
}

/// A whole in the making.
struct Taking<'t, 'c, 's> {
    application: &'t Application,
    transaction: &'t mut Transaction<'c>,
    snapshot: &'s Snapshot,
    /// The place of the change of each submission.
    places: HashMap<SubmissionKey, usize>,
    /// In the order of the steps: a receipt's number says which item of the commit it is.
    items: Vec<ChangeItem>,
    /// Steps of units whose totals may change until all is written.
    unchecked: Vec<Unchecked>,
    /// Steps that break a rule, by the places of their changes. They are refused once all is written,
    /// so that every broken rule is found.
    breaking: Vec<(usize, SubmissionError)>,
}

/// A step that is written and not held to the form's rules yet.
struct Unchecked {
    path: ReportPath,
    step: Step,
    made: MadeStep,
}

impl<'t, 'c, 's> Taking<'t, 'c, 's> {
    fn new(
        application: &'t Application,
        transaction: &'t mut Transaction<'c>,
        snapshot: &'s Snapshot,
    ) -> Taking<'t, 'c, 's> {
        Taking {
            application,
            transaction,
            snapshot,
            places: HashMap::new(),
            items: Vec::new(),
            unchecked: Vec::new(),
            breaking: Vec::new(),
        }
    }

    /// Decides and writes all changes.
    fn take_all(mut self, whole: &mut impl Whole) -> Result<Vec<ChangeItem>, TogetherError> {
        loop {
            let chunk = whole.next_chunk(self.transaction, self.snapshot)?;
            if chunk.is_empty() {
                break;
            }
            for group in one_period_each(self.place(&chunk, whole)) {
                let steps = self.decide(group, whole)?;
                // What is refused anyway needs no totals.
                if whole.faults().is_empty() {
                    self.write(&steps, whole)?;
                }
            }
        }
        if whole.faults().is_empty() {
            self.check_rest(whole)?;
        }
        match whole.faults() {
            faults if faults.is_empty() => Ok(self.items),
            faults => Err(TogetherError::Refused(faults.clone())),
        }
    }

    /// Decides all changes and writes none.
    fn look_at_all(mut self, whole: &mut impl Whole) -> Result<(), StoreError> {
        loop {
            let chunk = whole.next_chunk(self.transaction, self.snapshot)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let placed = self.place(&chunk, whole);
            self.decide(placed, whole)?;
        }
    }

    /// Finds the submissions of a chunk. Each may be changed once.
    fn place<'b>(&mut self, chunk: &'b [(usize, Asked)], whole: &mut impl Whole) -> Vec<Placed<'b>>
    where
        's: 'b,
    {
        let mut all = Vec::with_capacity(chunk.len());
        for (place, asked) in chunk {
            match placed(*place, asked, self.snapshot) {
                Ok(placed) => match self.places.entry(placed.located.key()) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(*place);
                        all.push(placed);
                    }
                    Entry::Occupied(first) => {
                        let first = *first.get();
                        whole.refuse(*place, &SubmissionError::NamedTwice { first });
                    }
                },
                Err(refused) => whole.refuse(*place, &refused),
            }
        }
        all
    }

    fn decide<'b>(
        &mut self,
        placed: Vec<Placed<'b>>,
        whole: &mut impl Whole,
    ) -> Result<Vec<Stepping<'b>>, StoreError> {
        let Decided { steps, refused } = decide(self.transaction, placed, self.items.len())?;
        for (place, refused) in &refused {
            whole.refuse(*place, refused);
        }
        Ok(steps)
    }

    fn write(&mut self, steps: &[Stepping<'_>], whole: &mut impl Whole) -> Result<(), StoreError> {
        let made = make(self.transaction, steps, || Ok(views_of(steps)))?;
        let jumps = jumps(self.transaction, steps)?;
        for ((step, view), jumps) in steps.iter().zip(made.told).zip(jumps) {
            let mut view = match view {
                Some(view) => view,
                None => {
                    let last_return = last_return(self.application, self.transaction, step)?;
                    step.view(last_return, Vec::new())
                }
            };
            view.warnings.splice(0..0, jumps);
            self.items.push(step.item());
            let located = &step.placed.located;
            let made_step = MadeStep {
                place: step.placed.place,
                outcome: step.outcome.clone(),
                state: state_of(step.taken.next.revision),
                view,
            };
            let kind = step.taken.record.step;
            if !has_rules(located, &step.taken.next) {
                whole.take_up(made_step)?;
            } else if has_all(located) {
                let rollups = &made.rollups;
                let broken = broken_by(self.transaction, self.snapshot, located, rollups)?;
                self.hold_to_rules(whole, kind, made_step, &broken)?;
            } else {
                self.unchecked.push(Unchecked {
                    path: step.placed.asked.path.clone(),
                    step: kind,
                    made: made_step,
                });
            }
        }
        Ok(())
    }

    /// Holds to the forms' rules what could not be before all was written.
    fn check_rest(&mut self, whole: &mut impl Whole) -> Result<(), StoreError> {
        for Unchecked { path, step, made } in std::mem::take(&mut self.unchecked) {
            let located = self.snapshot.locate_base(&path);
            let located = located.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let rollup = rollup_at(self.transaction, self.snapshot, &located)?;
            self.hold_to_rules(whole, step, made, &broken_rules(&located, &rollup))?;
        }
        for (place, refused) in &self.breaking {
            whole.refuse(*place, refused);
        }
        Ok(())
    }

    /// Takes a step up with its warnings, unless it breaks a rule that refuses it.
    fn hold_to_rules(
        &mut self,
        whole: &mut impl Whole,
        step: Step,
        mut made: MadeStep,
        broken: &[&Rule],
    ) -> Result<(), StoreError> {
        let faults = faults_of(broken, step);
        if !faults.is_empty() {
            let refused = SubmissionError::Invalid(faults.into());
            self.breaking.push((made.place, refused));
            return Ok(());
        }
        let warnings = broken.iter().copied().map(Warning::of);
        // Before the submission's own, as in the answer to a single call.
        made.view.warnings.splice(0..0, warnings);
        whole.take_up(made)
    }
}

/// Returns true if the totals of a unit are its own values alone, so that no later change of others
/// can move them.
fn has_all(located: &Located<'_>) -> bool {
    !located.place().has_parts() && located.in_force.taken().is_empty()
}

/// Shows the submissions after their steps, without warnings of rules. Those that may show a return
/// need the database and are made later.
fn views_of(steps: &[Stepping<'_>]) -> Vec<Option<SubmissionView>> {
    let views = steps.iter().map(|step| {
        let is_complete = step.taken.next.given_back_revision.is_none();
        is_complete.then(|| step.view(None, Vec::new()))
    });
    views.collect()
}

/// Changes with one base period of each form's year.
#[derive(Default)]
struct Group<'b> {
    periods: HashMap<(FormNumber, i32), Period>,
    placed: Vec<Placed<'b>>,
}

/// Parts changes into groups, each with one base period of a form's year: the year's longer periods
/// need the state of its other base periods.
fn one_period_each(placed: Vec<Placed<'_>>) -> Vec<Vec<Placed<'_>>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for placed in placed {
        let SubmissionKey { form, period, .. } = placed.located.key();
        let year = (form, period.year());
        let fits = |group: &Group<'_>| {
            let taken = group.periods.get(&year);
            taken.is_none_or(|taken| *taken == period)
        };
        let at = groups.iter().position(fits).unwrap_or(groups.len());
        if at == groups.len() {
            groups.push(Group::default());
        }
        if let Some(group) = groups.get_mut(at) {
            group.periods.insert(year, period);
            group.placed.push(placed);
        }
    }
    groups.into_iter().map(|group| group.placed).collect()
}
