//! Enters many submissions in one call: as one, or each by itself in the tenant's queue.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::change::{Asked, Entered, SubmissionChange};
use super::error::SubmissionError;
use super::together::{CHUNK, MadeStep, TogetherError, Whole, change_together, refuse_together};
use super::view::Warning;
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::submission::{Status, SubmissionKey};
use crate::error::{Explain, Fault, FaultList};
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::{Etag, Precondition};
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::import_mode::ImportMode;
use crate::service::application::locate::ReportPath;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::store::{StoreError, Transaction};

/// A submission to enter, and the state on which it builds.
pub struct EnteredItem {
    pub path: ReportPath,
    /// The condition, or the reason for which there is none.
    pub condition: Result<Precondition, SubmissionError>,
    pub entered: Entered,
}

/// A submission that was entered, without the values that the caller has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EnteredView {
    pub form: String,
    #[schema(value_type = PeriodName)]
    pub period: Value,
    #[schema(value_type = UnitName)]
    pub unit: Value,
    pub status: Status,
    /// Counts the steps of this submission.
    pub revision: i32,
    /// The tenant's rev of the step.
    pub rev: i64,
    /// The number of the step's receipt (biên nhận), for `get_receipt`.
    pub receipt: Option<String>,
    /// Remarks that do not refuse the submission, as `put_submission` has them.
    #[schema(value_type = Vec<Warning>)]
    pub warnings: Vec<Value>,
}

impl EnteredView {
    /// Takes from an answer what is told of an item, so that a thousand whole ones are never held.
    ///
    /// # Errors
    /// None in practice; the decoder's type allows one.
    pub fn of(reply: &Reply) -> Result<EnteredView, StoreError> {
        serde_json::from_str(&reply.body).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// An item that was entered.
pub struct EnteredOne {
    place: usize,
    pub outcome: Outcome,
    pub etag: Option<Etag>,
    pub view: EnteredView,
}

/// Enters submissions in one commit: all of them, or none. `answer` makes the answer of what is told
/// of each, in the order of the items.
///
/// # Errors
/// [`TogetherError::Refused`] with the faults of every item, each below `items` and its number.
pub fn enter_together(
    application: &Application,
    call: &Call,
    items: Vec<EnteredItem>,
    answer: impl Fn(&[EnteredOne]) -> Result<Reply, StoreError>,
) -> Result<Reply, TogetherError> {
    let paths: Vec<&ReportPath> = items.iter().map(|item| &item.path).collect();
    let is_hopeless = !refused_at_once(application, &call.identity, &paths)?.is_empty();
    let mut whole = Items {
        left: read(application, call, items).into_iter(),
        refused: FaultList::default(),
        entered: Vec::new(),
        answer,
    };
    match is_hopeless {
        true => refuse_together(application, call, &mut whole),
        false => change_together(application, call, &mut whole, ImportMode::Write),
    }
}

/// Finds the items that are refused whatever they enter, by their places: nothing is there, the
/// account may not enter it, or an item before names the same submission.
///
/// # Errors
/// Those of the store.
pub fn refused_at_once(
    application: &Application,
    identity: &Identity,
    paths: &[&ReportPath],
) -> Result<HashMap<usize, SubmissionError>, StoreError> {
    application.reading(identity, |_, snapshot| {
        let mut places: HashMap<SubmissionKey, usize> = HashMap::new();
        let mut refused = HashMap::new();
        for (place, path) in paths.iter().enumerate() {
            match entered_at(snapshot, path) {
                Ok(key) => {
                    if let Some(first) = places.get(&key).copied() {
                        refused.insert(place, SubmissionError::NamedTwice { first });
                    } else {
                        places.insert(key, place);
                    }
                }
                Err(error) => {
                    refused.insert(place, error);
                }
            }
        }
        Ok(refused)
    })
}

fn entered_at(snapshot: &Snapshot, path: &ReportPath) -> Result<SubmissionKey, SubmissionError> {
    let located = snapshot.locate_base(path)?;
    let (access, place) = (&snapshot.access, located.place());
    let _permit = access.to_unit(Action::ChangeSubmissions, &located.tree, place)?;
    Ok(located.key())
}

/// Reads what is entered, side by side. The key of the call is not that of any item.
fn read(
    application: &Application,
    call: &Call,
    items: Vec<EnteredItem>,
) -> Vec<(usize, Result<Asked, SubmissionError>)> {
    let mut read = Vec::with_capacity(items.len());
    let mut changes = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        let EnteredItem {
            path,
            condition,
            entered,
        } = item;
        match condition {
            Ok(condition) => {
                let call = Call::new(call.identity, call.now).on(condition);
                changes.push((call, path, SubmissionChange::Put(entered)));
                places.push(place);
            }
            Err(refused) => read.push((place, Err(refused))),
        }
    }
    read.extend(places.into_iter().zip(Asked::each(application, changes)));
    read.sort_by_key(|(place, _)| *place);
    read
}

/// The items of a call that are entered together.
struct Items<A> {
    left: std::vec::IntoIter<(usize, Result<Asked, SubmissionError>)>,
    refused: FaultList,
    entered: Vec<EnteredOne>,
    answer: A,
}

impl<A: Fn(&[EnteredOne]) -> Result<Reply, StoreError>> Whole for Items<A> {
    fn next_chunk(
        &mut self,
        _: &mut Transaction<'_>,
        _: &Snapshot,
    ) -> Result<Vec<(usize, Asked)>, StoreError> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK
            && let Some((place, asked)) = self.left.next()
        {
            match asked {
                Ok(asked) => chunk.push((place, asked)),
                Err(refused) => self.refuse(place, &refused),
            }
        }
        Ok(chunk)
    }

    fn take_up(&mut self, made: MadeStep) -> Result<(), StoreError> {
        let MadeStep {
            place,
            outcome,
            state,
            view,
        } = made;
        let reply = Reply::of_state(outcome, &state, &view)?;
        let view = EnteredView::of(&reply)?;
        self.entered.push(EnteredOne {
            place,
            outcome: reply.outcome,
            etag: reply.etag,
            view,
        });
        Ok(())
    }

    fn refuse(&mut self, place: usize, refused: &SubmissionError) {
        self.refused.append(faults_of_item(place, refused));
    }

    fn faults(&self) -> &FaultList {
        &self.refused
    }

    fn answer(&mut self, _: &mut Transaction<'_>, _: &Snapshot) -> Result<Reply, StoreError> {
        self.entered.sort_by_key(|entered| entered.place);
        (self.answer)(&self.entered)
    }
}

/// Moves the faults of an item to the whole body. What has no single fault is one at the item.
fn faults_of_item(place: usize, refused: &SubmissionError) -> FaultList {
    let at = path!["items", place];
    let explained = refused.explain();
    if explained.faults.is_empty() {
        return vec![Fault::in_body(at, explained.code, explained.message)].into();
    }
    let count = match refused {
        SubmissionError::Invalid(faults) => faults.count,
        _ => explained.faults.len(),
    };
    let faults = explained.faults.into_iter();
    FaultList {
        faults: faults.map(|fault| fault.of_item(&at)).collect(),
        count,
    }
}
