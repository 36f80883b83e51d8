//! Commits many changes at once and answers each by itself: a fault of one does not affect the
//! others. `step` decides each change.

use crate::path;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Reader;
use super::change::{Asked, SubmissionChange, WORTH_A_THREAD, path_of, state_of};
use super::error::SubmissionError;
use super::jump::jumps;
use super::replaced;
use super::rule::{broken_rules, has_rules, rollup_at};
use super::step::{Deciding, Standing, Taken};
use super::view::{ReturnView, Shown, SubmissionView, Warning};
use crate::authn::Credential;
use crate::authz::{Permit, Scope};
use crate::domain::extension::Extension;
use crate::domain::form::{Rule, Severity};
use crate::domain::hierarchy::Position;
use crate::domain::id::{AccountId, FormNumber, TenantId, UnitId};
use crate::domain::period::Period;
use crate::domain::receipt::ReceiptNumber;
use crate::domain::submission::{Revision, RevisionRecord, Step, SubmissionKey};
use crate::error::{Code, Fault, Message};
use crate::rollup::handover::{PastStep, handed_over};
use crate::rollup::node::Rollup;
use crate::rollup::piece::{Contribution, Edition};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{AuthoredItem, ChangeItem};
use crate::service::application::condition::Etag;
use crate::service::application::idempotency::{Answered, Outcome, PackedReply, Reply, keep_all};
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::side_by_side::beside;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::{
    Added, Adding, Given, OwnChange, Shared, divisions_in, histories_of, maps_of,
};
use crate::store::counters::Counters;
use crate::store::extension::extensions_of;
use crate::store::key::Units;
use crate::store::submission::revision::{revisions_append, revisions_of};
use crate::store::submission::{submissions_of, submissions_put};
use crate::store::{StoreError, Transaction};

type Answer = Result<Reply, SubmissionError>;

/// Answers by the index of their change.
type Answers = BTreeMap<usize, Answer>;

/// Changes that are not answered yet, by index.
type Open = BTreeMap<usize, Asked>;

/// Changes a submission in a commit of its own, without queueing.
///
/// # Errors
/// [`SubmissionError`].
pub fn change_now(
    application: &Application,
    call: Call,
    path: ReportPath,
    change: SubmissionChange,
) -> Result<Reply, SubmissionError> {
    let tenant = call.identity.tenant();
    let asked = Asked::new(application, call, path, change)?;
    let answer = change_all(application, tenant, vec![asked]).pop();
    answer.unwrap_or(Err(SubmissionError::Missing))
}

/// Changes submissions of a tenant in as few commits as possible, and answers each by itself, in
/// their order.
pub fn change_all(
    application: &Application,
    tenant: TenantId,
    asked: Vec<Asked>,
) -> Vec<Result<Reply, SubmissionError>> {
    let mut answers = BTreeMap::new();
    change_each(application, tenant, asked, |place, answer| {
        answers.insert(place, answer);
    });
    answers.into_values().collect()
}

/// Like [`change_all`], but answers each commit's changes before the next commit begins.
pub(super) fn change_each(
    application: &Application,
    tenant: TenantId,
    asked: Vec<Asked>,
    mut answer: impl FnMut(usize, Answer),
) {
    let mut open: Open = asked.into_iter().enumerate().collect();
    // A change of another tenant would be checked against this tenant's data.
    open.retain(|place, asked| {
        let is_at_home = asked.call.identity.tenant() == tenant;
        if !is_at_home {
            answer(*place, Err(StoreError::TenantGone.into()));
        }
        is_at_home
    });
    while !open.is_empty() {
        let left: Vec<(usize, &Asked)> = open.iter().map(|(place, one)| (*place, one)).collect();
        for (place, answered) in round(application, &left) {
            // Release the key before the caller can send it again.
            open.remove(&place);
            answer(place, answered);
        }
    }
}

/// Runs one commit. If a single change made it fail, runs one for each half. Answers at least one
/// of `open`.
fn round(application: &Application, open: &[(usize, &Asked)]) -> Answers {
    let committed = catch_unwind(AssertUnwindSafe(|| commit(application, open)));
    let error = match committed {
        Ok(Ok(answers) | Err(NothingWritten::Refused(answers))) => return answers,
        Ok(Err(NothingWritten::Failed(error))) => error,
        // The log has the panic.
        Err(_) => StoreError::Corrupt("a change panicked".to_owned()),
    };
    let places = open.iter().map(|(place, _)| *place);
    match (error.of_all(), open) {
        (Some(error), _) => places.map(|place| (place, Err(error().into()))).collect(),
        (None, [] | [_]) => places.zip([Err(error.into())]).collect(),
        // Halving finds the change that caused the failure, and fails it alone.
        (None, _) => {
            let (first, second) = open.split_at(open.len() / 2);
            let mut answers = round(application, first);
            answers.extend(round(application, second));
            answers
        }
    }
}

/// The reasons for which nothing was written.
enum NothingWritten {
    /// Nothing to write, or changes refused only after everything was written. These are answered;
    /// the others can go again without them.
    Refused(Answers),
    Failed(StoreError),
}

impl From<StoreError> for NothingWritten {
    fn from(error: StoreError) -> NothingWritten {
        NothingWritten::Failed(error)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "authorises and replays each change itself"
)]
fn commit(application: &Application, open: &[(usize, &Asked)]) -> Result<Answers, NothingWritten> {
    let Some((_, first)) = open.first() else {
        return Ok(Answers::new());
    };
    let scope = Scope::of(&first.call.identity);
    application.changing_many(&scope, first.call.now, |transaction, counters| {
        let snapshots = snapshots(application, transaction, open, counters)?;
        let mut batch = Batch {
            application,
            transaction,
            answers: Answers::new(),
        };
        let placed = batch.place(open, &snapshots);
        let placed = batch.replay(placed)?;
        let Decided { steps, refused } = decide(batch.transaction, placed, 0)?;
        let refused = refused.into_iter();
        batch
            .answers
            .extend(refused.map(|(place, error)| (place, Err(error))));
        if steps.is_empty() {
            return Err(NothingWritten::Refused(batch.answers));
        }
        // In the order of the steps: a receipt's number says which item of the commit it is.
        let items = steps.iter().map(Stepping::authored).collect();
        let Made {
            told: replies,
            rollups,
        } = make(batch.transaction, &steps, || replies_to(&steps))?;
        let broken = batch.hold_to_rules(&steps, &rollups)?;
        let jumps = jumps(batch.transaction, &steps)?;
        let warnings = broken.into_iter().zip(jumps);
        let warnings = warnings
            .map(|(broken, jumps)| [broken, jumps].concat())
            .collect();
        let answers = batch.answer(steps, replies, warnings)?;
        Ok((answers, items))
    })
}

/// The callers of a batch, each with the tenant as it sees it, or the refusal of one that is signed
/// out. A session that has ended must not pass with another one of its account.
type Snapshots = HashMap<(AccountId, Credential), Result<Snapshot, StoreError>>;

fn caller_of(asked: &Asked) -> (AccountId, Credential) {
    let identity = &asked.call.identity;
    (identity.account(), identity.credential())
}

/// Takes each caller's snapshot of the tenant.
fn snapshots(
    application: &Application,
    transaction: &mut Transaction<'_>,
    open: &[(usize, &Asked)],
    counters: Counters,
) -> Result<Snapshots, StoreError> {
    let mut snapshots = Snapshots::new();
    for (_, asked) in open {
        if let Entry::Vacant(vacant) = snapshots.entry(caller_of(asked)) {
            let identity = &asked.call.identity;
            let snapshot = application.caches.snapshot(transaction, identity, counters);
            match snapshot {
                Ok(_) | Err(StoreError::SignedOut) => vacant.insert(snapshot),
                Err(error) => return Err(error),
            };
        }
    }
    Ok(snapshots)
}

/// A change whose submission was found and whose account may make it.
pub(super) struct Placed<'b> {
    pub place: usize,
    pub asked: &'b Asked,
    snapshot: &'b Snapshot,
    pub located: Located<'b>,
    permit: Permit,
}

/// A change that can be made.
pub(super) struct Stepping<'b> {
    pub placed: Placed<'b>,
    /// The number of its receipt, if the commit succeeds.
    receipt: ReceiptNumber,
    pub outcome: Outcome,
    pub taken: Taken,
    /// Warnings of what it does with the values that it replaces.
    replaced: Vec<Warning>,
}

impl Stepping<'_> {
    fn key(&self) -> SubmissionKey {
        self.placed.located.key()
    }

    /// Makes the reply. `warnings` are those of the form's rules and of jumps.
    fn reply(
        &self,
        last_return: Option<ReturnView>,
        warnings: Vec<Warning>,
    ) -> Result<PackedReply, StoreError> {
        let mut view = self.view(last_return, warnings);
        let state = state_of(self.taken.next.revision);
        let mut reply = Reply::of_state(self.outcome.clone(), &state, &view)?;
        if !self.replaced.is_empty() {
            // The ETag is that of the submission as it is read, without what is told once.
            view.warnings.retain(|told| !self.replaced.contains(told));
            reply.etag = Some(Etag::of_state(&state, &view)?);
        }
        PackedReply::new(&self.placed.asked.once, reply)
    }

    /// Shows the submission after the step. `warnings` are those of the form's rules and of jumps.
    pub(super) fn view(
        &self,
        last_return: Option<ReturnView>,
        mut warnings: Vec<Warning>,
    ) -> SubmissionView {
        warnings.extend_from_slice(&self.replaced);
        let Placed {
            snapshot, located, ..
        } = &self.placed;
        let Taken {
            next,
            content,
            entered_for,
            extension,
            ..
        } = &self.taken;
        let shown = Shown {
            submission: next,
            content,
            entered_for: *entered_for,
            extension: extension.as_ref(),
            receipt: Some(self.receipt),
            last_return,
            warnings,
        };
        SubmissionView::new(snapshot, located, shown)
    }

    /// Returns the step for the feed.
    pub(super) fn item(&self) -> ChangeItem {
        let located = &self.placed.located;
        let kind = self.placed.asked.change.kind();
        ChangeItem {
            revision: Some(self.taken.next.revision.get()),
            ..ChangeItem::of_report(kind, &located.in_force.period, self.key().unit)
        }
    }

    fn authored(&self) -> AuthoredItem {
        self.item().by(&self.placed.permit)
    }
}

/// The rollups of a form's base period that a commit has changed.
pub(super) type Rollups = HashMap<(FormNumber, Period), BTreeMap<Position, Rollup>>;

/// The work on the steps of a commit: what was made beside it, and the totals.
pub(super) struct Made<T> {
    pub told: T,
    pub rollups: Rollups,
}

/// What was decided of changes: the steps that can be made, and the refusals by the place of their
/// change.
pub(super) struct Decided<'b> {
    pub steps: Vec<Stepping<'b>>,
    pub refused: Vec<(usize, SubmissionError)>,
}

/// Decides changes of submissions that are all different. The commit has taken `before` steps already.
pub(super) fn decide<'b>(
    transaction: &mut Transaction<'_>,
    placed: Vec<Placed<'b>>,
    before: usize,
) -> Result<Decided<'b>, StoreError> {
    let keys: Vec<SubmissionKey> = placed.iter().map(|placed| placed.located.key()).collect();
    let standing = standing(transaction, &keys)?;
    let extensions = extensions(transaction, &keys)?;
    let mut steps = Vec::with_capacity(placed.len());
    let mut refused = Vec::new();
    for placed in placed {
        let key = placed.located.key();
        let standing = standing.get(&key);
        match take(transaction, &placed, standing, extensions.get(&key)) {
            Ok(taken) => steps.push(Stepping {
                replaced: replaced::warnings(transaction, &placed, standing, &taken)?,
                receipt: ReceiptNumber::new(taken.next.rev, before + steps.len()),
                outcome: match standing {
                    None => Outcome::Created(path_of(&placed.located)),
                    Some(_) => Outcome::Done,
                },
                placed,
                taken,
            }),
            Err(SubmissionError::Store(error)) => return Err(error),
            Err(error) => refused.push((placed.place, error)),
        }
    }
    Ok(Decided { steps, refused })
}

fn take(
    transaction: &mut Transaction<'_>,
    placed: &Placed<'_>,
    standing: Option<&Standing>,
    extension: Option<&Extension>,
) -> Result<Taken, SubmissionError> {
    if standing.is_none() && !matches!(placed.asked.change, SubmissionChange::Put(_)) {
        return Err(SubmissionError::Missing);
    }
    let state = standing.map(|standing| state_of(standing.submission.revision));
    let precondition = &placed.asked.call.precondition;
    match placed.asked.change {
        SubmissionChange::Put(_) => precondition.check(state.as_ref())?,
        SubmissionChange::Submit(_)
        | SubmissionChange::Withdraw
        | SubmissionChange::Discard
        | SubmissionChange::Approve
        | SubmissionChange::Return(_)
        | SubmissionChange::Reopen(_) => precondition.check_of_decision(state.as_ref())?,
    }
    let deciding = Deciding {
        snapshot: placed.snapshot,
        located: &placed.located,
        standing,
        extension,
        permit: &placed.permit,
        asked: placed.asked,
    };
    deciding.take(transaction)
}

/// Writes all steps and what they change in the totals. While this thread writes the submissions,
/// others add up and `tell` what needs no totals.
pub(super) fn make<T: Send>(
    transaction: &mut Transaction<'_>,
    steps: &[Stepping<'_>],
    tell: impl FnOnce() -> Result<T, StoreError> + Send,
) -> Result<Made<T>, StoreError> {
    let adding = read_totals(transaction, steps)?;
    let shared = Shared::new(transaction);
    let add_up = || -> Result<Vec<Added<'_>>, StoreError> {
        let adding = adding.into_iter();
        adding.map(|adding| adding.climb(&shared)).collect()
    };
    let write = || shared.with(|transaction| write_steps(transaction, steps));
    let (told, (added, written)) = match steps.len() < WORTH_A_THREAD {
        true => (tell(), (add_up(), write())),
        false => beside(tell, || beside(add_up, write)),
    };
    written?;
    let mut rollups = Rollups::new();
    for added in added? {
        rollups.insert(added.of(), added.write(transaction)?);
    }
    Ok(Made {
        told: told?,
        rollups,
    })
}

/// Reads what must be known to take the previously counting values from every ancestor's totals
/// and to add the new ones.
fn read_totals<'b>(
    transaction: &mut Transaction<'_>,
    steps: &'b [Stepping<'b>],
) -> Result<Vec<Adding<'b>>, StoreError> {
    let mut changing: BTreeMap<(FormNumber, Period), Vec<&Stepping<'_>>> = BTreeMap::new();
    for step in steps {
        if step.taken.before != step.taken.after {
            let key = step.key();
            changing
                .entry((key.form, key.period))
                .or_default()
                .push(step);
        }
    }
    let mut adding = Vec::with_capacity(changing.len());
    for steps in changing.into_values() {
        let Some(first) = steps.first() else {
            continue;
        };
        let Placed {
            snapshot, located, ..
        } = &first.placed;
        let changes = own_changes(transaction, snapshot, located, &steps)?;
        adding.push(Adding::read(transaction, snapshot, located, &changes)?);
    }
    Ok(adding)
}

/// Reads the return that the unit has still to answer after a step, which is written.
pub(super) fn last_return(
    application: &Application,
    transaction: &mut Transaction<'_>,
    step: &Stepping<'_>,
) -> Result<Option<ReturnView>, StoreError> {
    let placed = &step.placed;
    let reader = Reader {
        application,
        identity: &placed.asked.call.identity,
        snapshot: placed.snapshot,
    };
    reader.last_return(transaction, step.key(), &step.taken.next)
}

/// Returns the rules that a unit's totals break after steps whose rollups are `rollups`.
pub(super) fn broken_by<'l>(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &'l Located<'_>,
    rollups: &Rollups,
) -> Result<Vec<&'l Rule>, StoreError> {
    let key = located.key();
    let changed = rollups.get(&(key.form, key.period));
    let changed = changed.and_then(|of| of.get(&located.place().position()));
    // What is taken from other forms is not in it.
    let changed = changed.filter(|_| located.in_force.taken().is_empty());
    Ok(match changed {
        Some(rollup) => broken_rules(located, rollup),
        None => broken_rules(located, &rollup_at(transaction, snapshot, located)?),
    })
}

/// Writes the submissions and their revisions.
fn write_steps(
    transaction: &mut Transaction<'_>,
    steps: &[Stepping<'_>],
) -> Result<(), StoreError> {
    let submissions = steps.iter().map(|step| (step.key(), &step.taken.next));
    submissions_put(transaction, submissions)?;
    let records = steps.iter().map(|step| (step.key(), &step.taken.record));
    revisions_append(transaction, records)
}

/// Makes the replies, without warnings of rules. Those that may show a return need the database and
/// are made later.
fn replies_to(steps: &[Stepping<'_>]) -> Result<Vec<Option<PackedReply>>, StoreError> {
    let replies = steps.iter().map(|step| {
        let is_complete = step.taken.next.given_back_revision.is_none();
        is_complete
            .then(|| step.reply(None, Vec::new()))
            .transpose()
    });
    replies.collect()
}

/// One transaction and its answers so far.
struct Batch<'t, 'c> {
    application: &'t Application,
    transaction: &'t mut Transaction<'c>,
    answers: Answers,
}

impl Batch<'_, '_> {
    /// Finds the changes that this commit can take. A commit takes one step of a submission, and
    /// one base period of a form's year, because the year's longer periods need the earlier state
    /// of its other base periods. The rest stays open.
    fn place<'b>(
        &mut self,
        open: &[(usize, &'b Asked)],
        snapshots: &'b Snapshots,
    ) -> Vec<Placed<'b>> {
        let mut taken = HashSet::new();
        let mut periods: HashMap<(FormNumber, i32), Period> = HashMap::new();
        let mut all = Vec::with_capacity(open.len());
        for (place, asked) in open {
            let snapshot = match snapshots.get(&caller_of(asked)) {
                Some(Ok(snapshot)) => snapshot,
                Some(Err(_)) => {
                    let refused = Err(StoreError::SignedOut.into());
                    self.answers.insert(*place, refused);
                    continue;
                }
                None => continue,
            };
            match placed(*place, asked, snapshot) {
                Ok(placed) => {
                    let key = placed.located.key();
                    let of_year = periods.entry((key.form, key.period.year()));
                    if *of_year.or_insert(key.period) == key.period && taken.insert(key) {
                        all.push(placed);
                    }
                }
                Err(refused) => {
                    self.answers.insert(*place, Err(refused));
                }
            }
        }
        all
    }

    /// Repeats stored answers, and returns the other changes.
    fn replay<'b>(&mut self, placed: Vec<Placed<'b>>) -> Result<Vec<Placed<'b>>, StoreError> {
        let requests = placed.iter().map(|placed| &placed.asked.once);
        let answered = Answered::to(self.transaction, requests)?;
        let mut left = Vec::with_capacity(placed.len());
        for placed in placed {
            match answered.replay(&placed.asked.once) {
                Ok(None) => left.push(placed),
                Ok(Some(reply)) => {
                    self.answers.insert(placed.place, Ok(reply));
                }
                Err(refused) => {
                    self.answers.insert(placed.place, Err(refused.into()));
                }
            }
        }
        Ok(left)
    }

    /// Checks the units' totals against the forms' rules, and collects warnings. Refuses only the
    /// deepest units at first, because without their changes the units above may satisfy the rules.
    fn hold_to_rules(
        &mut self,
        steps: &[Stepping<'_>],
        rollups: &Rollups,
    ) -> Result<Vec<Vec<Warning>>, NothingWritten> {
        let mut refused: BTreeMap<usize, Answers> = BTreeMap::new();
        let mut warnings = Vec::with_capacity(steps.len());
        for step in steps {
            let Placed {
                place,
                snapshot,
                located,
                ..
            } = &step.placed;
            if !has_rules(located, &step.taken.next) {
                warnings.push(Vec::new());
                continue;
            }
            let broken = broken_by(self.transaction, snapshot, located, rollups)?;
            let faults = faults_of(&broken, step.taken.record.step);
            if !faults.is_empty() {
                let of_depth = refused.entry(located.place().depth()).or_default();
                of_depth.insert(*place, Err(SubmissionError::Invalid(faults.into())));
            }
            warnings.push(broken.into_iter().map(Warning::of).collect());
        }
        match refused.pop_last() {
            None => Ok(warnings),
            Some((_, deepest)) => Err(NothingWritten::Refused(deepest)),
        }
    }

    /// Answers the steps, and stores the answers under their requests' keys.
    fn answer(
        mut self,
        steps: Vec<Stepping<'_>>,
        replies: Vec<Option<PackedReply>>,
        warnings: Vec<Vec<Warning>>,
    ) -> Result<Answers, NothingWritten> {
        let mut answered = Vec::with_capacity(steps.len());
        for ((step, reply), warnings) in steps.iter().zip(replies).zip(warnings) {
            let reply = match reply {
                Some(reply) if warnings.is_empty() => reply,
                Some(_) => step.reply(None, warnings)?,
                None => {
                    let last_return = last_return(self.application, self.transaction, step)?;
                    step.reply(last_return, warnings)?
                }
            };
            answered.push((&step.placed, reply));
        }
        let kept = answered.iter();
        let kept = kept.map(|(placed, reply)| (&placed.asked.once, reply));
        keep_all(self.transaction, kept)?;
        let answered = answered.into_iter();
        let answered = answered.map(|(placed, reply)| (placed.place, Ok(reply.into())));
        self.answers.extend(answered);
        Ok(self.answers)
    }
}

/// Finds a change's submission, and checks that its account may make it.
pub(super) fn placed<'b>(
    place: usize,
    asked: &'b Asked,
    snapshot: &'b Snapshot,
) -> Result<Placed<'b>, SubmissionError> {
    let located = snapshot.locate_base(&asked.path)?;
    let action = asked.change.action();
    let permit = snapshot
        .access
        .to_unit(action, &located.tree, located.place())?;
    Ok(Placed {
        place,
        asked,
        snapshot,
        located,
        permit,
    })
}

/// Returns the changes that steps on one form and base period make to their units' contributions.
/// The steps are not written yet.
fn own_changes(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    steps: &[&Stepping<'_>],
) -> Result<Vec<OwnChange>, StoreError> {
    let (form, period) = (located.form().number, located.period());
    let maps = maps_of(snapshot, &[located.in_force.period]);
    let units: Vec<UnitId> = steps.iter().map(|step| step.key().unit).collect();
    let histories = histories_of(transaction, form, &maps, Units::These(&units))?;
    let histories = histories.into_iter();
    let mut histories: HashMap<UnitId, Vec<PastStep>> = histories
        .map(|(_, unit, history)| (unit, history))
        .collect();
    let changes = steps.iter().map(|step| {
        let unit = step.key().unit;
        let divisions = divisions_in(&maps, period, unit);
        let mut history = histories.remove(&unit).unwrap_or_default();
        let before = given(&step.taken.before, &history, &divisions);
        if !divisions.is_empty() {
            history.push(past_step(&step.taken.record));
        }
        OwnChange {
            unit,
            before,
            after: given(&step.taken.after, &history, &divisions),
        }
    });
    Ok(changes.collect())
}

/// Makes a step part of the history.
fn past_step(record: &RevisionRecord) -> PastStep {
    PastStep {
        revision: record.revision,
        step: record.step,
        rev: record.rev,
        facts: record.content.as_ref().map(|content| content.facts.clone()),
    }
}

fn given(counting: &Option<Contribution>, history: &[PastStep], divisions: &[i64]) -> Given {
    let handed = handed_over(history, divisions).into_iter();
    let handed = handed.map(|one| (one.edition, one.contribution));
    let counting = counting.iter();
    let counting = counting.map(|one| (Edition::Counting, one.clone()));
    handed.chain(counting).collect()
}

/// Returns the faults of broken rules. Only what sends values is refused: an approval, or giving up a
/// draft, changes nothing that counts.
pub(super) fn faults_of(broken: &[&Rule], step: Step) -> Vec<Fault> {
    let sends = matches!(step, Step::Submit | Step::Replace);
    let refusing = broken
        .iter()
        .filter(|rule| rule.severity == Severity::Error && sends);
    refusing
        .map(|rule| {
            let vi = &rule.message.vi;
            let en = rule.message.en.as_ref().unwrap_or(vi);
            Fault::in_body(
                path!["values"],
                Code::RuleBroken,
                Message {
                    vi: vi.clone(),
                    en: en.clone(),
                },
            )
        })
        .collect()
}

fn by_period(keys: &[SubmissionKey]) -> BTreeMap<(FormNumber, Period), Vec<UnitId>> {
    let mut units: BTreeMap<(FormNumber, Period), Vec<UnitId>> = BTreeMap::new();
    for key in keys {
        units
            .entry((key.form, key.period))
            .or_default()
            .push(key.unit);
    }
    units
}

/// Reads the extensions of units.
fn extensions(
    transaction: &mut Transaction<'_>,
    keys: &[SubmissionKey],
) -> Result<HashMap<SubmissionKey, Extension>, StoreError> {
    let mut all = HashMap::new();
    for ((form, period), units) in by_period(keys) {
        let found = extensions_of(transaction, form, &[period], Units::These(&units))?;
        let found = found.into_iter().map(|(period, unit, extension)| {
            let key = SubmissionKey { form, period, unit };
            (key, extension)
        });
        all.extend(found);
    }
    Ok(all)
}

/// Reads the state of submissions, with the revisions that a step may need.
pub(super) fn standing(
    transaction: &mut Transaction<'_>,
    keys: &[SubmissionKey],
) -> Result<HashMap<SubmissionKey, Standing>, StoreError> {
    let mut all = HashMap::new();
    for ((form, period), units) in by_period(keys) {
        let found = submissions_of(transaction, form, &[period], Units::These(&units))?;
        let mut wanted: BTreeSet<(UnitId, Revision)> = BTreeSet::new();
        for (_, unit, submission) in found {
            wanted.insert((unit, submission.values_revision));
            wanted.extend(
                submission
                    .counting_revision
                    .map(|counting| (unit, counting)),
            );
            let key = SubmissionKey { form, period, unit };
            let records = Vec::new();
            all.insert(
                key,
                Standing {
                    submission,
                    records,
                },
            );
        }
        for (unit, record) in revisions_of(transaction, form, period, &wanted)? {
            if let Some(standing) = all.get_mut(&SubmissionKey { form, period, unit }) {
                standing.records.push(record);
            }
        }
    }
    Ok(all)
}
