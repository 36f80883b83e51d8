//! Requests that may be sent again and take effect once. An Idempotency-Key holds for one account,
//! operation and path; its answer is stored in the transaction of the effect. Knows no headers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::authn::Identity;
use crate::domain::id::TenantId;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::condition::{Etag, State};
use crate::service::application::packed::{packed, unpacked};
use crate::store::idempotency::{
    BodyHash, NewAnswer, Remembered, RequestDigest, forget_before, remember, remembered,
};
use crate::store::{StoreError, Transaction};

/// The number of days for which an answer is kept.
const KEPT_DAYS: i64 = 7;

/// The parts of a request that identify it as a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    /// The operation's id.
    pub operation: String,
    pub path: String,
    pub key: String,
    pub body_hash: BodyHash,
}

impl Repeatable {
    /// Identifies one item of a request with several, each of which takes effect once, whatever stands
    /// beside it. No key that a caller sends has a line break, so an item's key is never that of
    /// another request.
    #[must_use]
    pub fn of_item(&self, name: &str, body_hash: BodyHash) -> Repeatable {
        Repeatable {
            key: format!("{}\n{name}", self.key),
            body_hash,
            ..self.clone()
        }
    }
}

/// The answer of a use case that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub outcome: Outcome,
    pub etag: Option<Etag>,
    /// A JSON document.
    pub body: String,
    /// The document to store for a repetition, if it is another: one without the secret that
    /// `body` shows once.
    pub body_to_keep: Option<String>,
    pub delivery: Delivery,
}

/// The effect of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new resource at this path.
    Created(String),
    Done,
    /// Done, and there is nothing to show.
    NoContent,
}

/// Tells a first answer from the repeated answer to an earlier request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    First,
    Replayed,
}

impl Reply {
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn new<T: Serialize>(
        outcome: Outcome,
        etag: Option<Etag>,
        body: &T,
    ) -> Result<Reply, StoreError> {
        let body =
            serde_json::to_string(body).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Reply {
            outcome,
            etag,
            body,
            body_to_keep: None,
            delivery: Delivery::First,
        })
    }

    /// Makes the reply of a thing in a state.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of_state<T: Serialize>(
        outcome: Outcome,
        state: &State,
        body: &T,
    ) -> Result<Reply, StoreError> {
        let reply = Reply::new(outcome, None, body)?;
        let etag = Etag::of_state_in_bytes(state, reply.body.as_bytes());
        Ok(Reply {
            etag: Some(etag),
            ..reply
        })
    }

    /// Makes a reply without a body.
    pub fn without_body() -> Reply {
        Reply {
            outcome: Outcome::NoContent,
            etag: None,
            body: String::new(),
            body_to_keep: None,
            delivery: Delivery::First,
        }
    }

    /// Stores another body for a repetition, since this one shows a secret.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn keeping<T: Serialize>(self, body: &T) -> Result<Reply, StoreError> {
        let body =
            serde_json::to_string(body).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Reply {
            body_to_keep: Some(body),
            ..self
        })
    }
}

/// A reply as stored.
#[derive(Serialize, Deserialize)]
struct KeptReply<'r> {
    outcome: Cow<'r, Outcome>,
    etag: Cow<'r, Option<Etag>>,
    body: Cow<'r, str>,
}

impl Reply {
    /// Compresses the reply, because many are stored and few are read again.
    fn packed(&self) -> Result<Vec<u8>, StoreError> {
        let kept = KeptReply {
            outcome: Cow::Borrowed(&self.outcome),
            etag: Cow::Borrowed(&self.etag),
            body: Cow::Borrowed(self.body_to_keep.as_ref().unwrap_or(&self.body)),
        };
        let plain =
            postcard::to_allocvec(&kept).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(packed(&plain))
    }

    fn unpacked(packed: &[u8]) -> Result<Reply, StoreError> {
        let plain = unpacked(packed, "kept answer")?;
        let kept: KeptReply<'_> = postcard::from_bytes(&plain)
            .map_err(|error| StoreError::Corrupt(format!("kept answer: {error}")))?;
        Ok(Reply {
            outcome: kept.outcome.into_owned(),
            etag: kept.etag.into_owned(),
            body: kept.body.into_owned(),
            body_to_keep: None,
            delivery: Delivery::Replayed,
        })
    }
}

/// The errors of a request with a key.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    #[error("the key was used with another body")]
    Reused,
    #[error("a request with this key is being worked on")]
    InFlight,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for IdempotencyError {
    fn explain(&self) -> Explanation {
        match self {
            IdempotencyError::Reused => {
                Explanation::new(Code::IdempotencyKeyReused, message!("idempotency-reused"))
            }
            IdempotencyError::InFlight => {
                Explanation::new(Code::RequestInFlight, message!("idempotency-in-flight"))
            }
            IdempotencyError::Store(held) => held.explain(),
        }
    }
}

/// The least time between two removals of old answers in this process.
const FORGETS_EVERY: TimeDelta = TimeDelta::hours(1);

/// The keyed requests that this process is working on, and the time of the last removal of each
/// tenant's old answers.
#[derive(Clone, Default)]
pub struct InFlight {
    held: Arc<Mutex<HashSet<(TenantId, RequestDigest)>>>,
    forgot: Arc<Mutex<HashMap<TenantId, DateTime<Utc>>>>,
}

/// Holds a key until dropped.
pub struct HeldKey {
    all: InFlight,
    this: (TenantId, RequestDigest),
}

impl InFlight {
    fn hold(&self, tenant: TenantId, request: RequestDigest) -> Result<HeldKey, IdempotencyError> {
        let this = (tenant, request);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.insert(this) {
            Ok(HeldKey {
                all: self.clone(),
                this,
            })
        } else {
            Err(IdempotencyError::InFlight)
        }
    }
}

impl HeldKey {
    /// Returns true if it is time to remove the tenant's old answers.
    fn is_to_forget(&self, now: DateTime<Utc>) -> bool {
        let (tenant, _) = self.this;
        let forgot = &self.all.forgot;
        let mut forgot = forgot.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = forgot
            .get(&tenant)
            .is_none_or(|last| now - *last >= FORGETS_EVERY);
        if is_due {
            forgot.insert(tenant, now);
        }
        is_due
    }
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        self.all
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.this);
    }
}

/// A request that must take effect once.
pub struct Once {
    request: Option<(RequestDigest, BodyHash)>,
    now: DateTime<Utc>,
    held: Option<HeldKey>,
}

impl Once {
    /// Begins a request, before its transaction. A request without a key is always new.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub(super) fn begin(
        in_flight: &InFlight,
        identity: &Identity,
        repeatable: Option<&Repeatable>,
        now: DateTime<Utc>,
    ) -> Result<Once, IdempotencyError> {
        let Some(repeatable) = repeatable else {
            return Ok(Once {
                request: None,
                now,
                held: None,
            });
        };
        let Repeatable {
            operation,
            path,
            key,
            body_hash,
        } = repeatable;
        let request = RequestDigest::of(identity.account(), operation, path, key);
        let held = in_flight.hold(identity.tenant(), request)?;
        Ok(Once {
            request: Some((request, *body_hash)),
            now,
            held: Some(held),
        })
    }

    /// Returns the stored answer of an earlier request, if any. Call it after authorisation and
    /// before checking conditions.
    ///
    /// # Errors
    /// [`IdempotencyError::Reused`] if the key came with another body.
    pub(super) fn replay(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Reply>, IdempotencyError> {
        Answered::to(transaction, [self])?.replay(self)
    }

    /// Stores the answer, in the transaction of its effect.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn keep(
        &self,
        transaction: &mut Transaction<'_>,
        reply: Reply,
    ) -> Result<Reply, StoreError> {
        let packed = PackedReply::new(self, reply)?;
        keep_all(transaction, [(self, &packed)])?;
        Ok(packed.into())
    }
}

/// A reply with the form in which it is stored, if its request has a key.
pub(in crate::service) struct PackedReply {
    reply: Reply,
    answer: Option<NewAnswer>,
}

impl PackedReply {
    /// Packs the reply to a request.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn new(once: &Once, reply: Reply) -> Result<PackedReply, StoreError> {
        let answer = match once.request {
            None => None,
            Some((request, body_hash)) => Some(NewAnswer {
                request,
                body_hash,
                answer: reply.packed()?,
                at: once.now.naive_utc(),
            }),
        };
        Ok(PackedReply { reply, answer })
    }
}

impl From<PackedReply> for Reply {
    fn from(packed: PackedReply) -> Reply {
        packed.reply
    }
}

/// The stored answers of several requests.
pub(in crate::service) struct Answered(HashMap<RequestDigest, Remembered>);

impl Answered {
    pub fn to<'o>(
        transaction: &mut Transaction<'_>,
        requests: impl IntoIterator<Item = &'o Once>,
    ) -> Result<Answered, StoreError> {
        let requests = requests.into_iter();
        let digests: Vec<RequestDigest> = requests
            .filter_map(|once| once.request.map(|(request, _)| request))
            .collect();
        Ok(Answered(remembered(transaction, &digests)?))
    }

    /// See [`Once::replay`].
    pub fn replay(&self, once: &Once) -> Result<Option<Reply>, IdempotencyError> {
        let Some((request, body_hash)) = &once.request else {
            return Ok(None);
        };
        let Some(found) = self.0.get(request) else {
            return Ok(None);
        };
        if found.body_hash != *body_hash {
            return Err(IdempotencyError::Reused);
        }
        Reply::unpacked(&found.answer).map(Some).map_err(Into::into)
    }
}

/// Stores answers, in the transaction of their effects.
pub(in crate::service) fn keep_all<'o>(
    transaction: &mut Transaction<'_>,
    replies: impl IntoIterator<Item = (&'o Once, &'o PackedReply)>,
) -> Result<(), StoreError> {
    let mut answers = Vec::new();
    for (once, packed) in replies {
        answers.extend(packed.answer.as_ref());
        let is_to_forget = |held: &HeldKey| held.is_to_forget(once.now);
        if once.held.as_ref().is_some_and(is_to_forget) {
            let oldest = once.now - TimeDelta::days(KEPT_DAYS);
            forget_before(transaction, oldest.naive_utc())?;
        }
    }
    remember(transaction, &answers)
}
