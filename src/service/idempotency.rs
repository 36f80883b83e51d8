//! Requests that may be sent again and have one effect: an Idempotency-Key holds for one account,
//! operation and path, its answer is kept in the transaction of the effect. Never headers.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::condition::Etag;
use crate::domain::id::{AccountId, TenantId};
use crate::error::{Code, Explain, Message};
use crate::message;
use crate::store::idempotency::{Remembered, RequestKey, forget_before, remember, remembered};
use crate::store::{StoreError, Transaction};

/// How long an answer is kept.
const KEPT_DAYS: i64 = 7;

/// What of a request with an Idempotency-Key tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    pub operation: &'static str,
    pub path: String,
    pub key: String,
    /// SHA-256 of the body, in hexadecimal digits.
    pub body_hash: String,
}

/// The answer of a use case that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub outcome: Outcome,
    pub etag: Option<Etag>,
    /// A JSON document.
    pub body: String,
    pub delivery: Delivery,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something came to be, at this path.
    Created(String),
    Done,
}

/// Whether an answer is of this request or of an earlier one with the same key.
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
            delivery: Delivery::First,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct KeptReply {
    outcome: Outcome,
    etag: Option<Etag>,
    body: String,
}

/// A key that cannot be served.
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
    fn code(&self) -> Code {
        match self {
            IdempotencyError::Reused => Code::IdempotencyKeyReused,
            IdempotencyError::InFlight => Code::RequestInFlight,
            IdempotencyError::Store(error) => error.code(),
        }
    }

    fn message(&self) -> Message {
        match self {
            IdempotencyError::Reused => message!(
                "Idempotency-Key này đã dùng cho nội dung khác. Hãy dùng khóa mới cho yêu cầu mới.",
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            ),
            IdempotencyError::InFlight => message!(
                "Yêu cầu với khóa này đang được xử lý. Hãy chờ vài giây rồi gửi lại.",
                "A request with this key is being worked on. Wait some seconds and send it again."
            ),
            IdempotencyError::Store(error) => error.message(),
        }
    }
}

/// The requests with a key that this process is working on.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<(TenantId, RequestKey)>>>);

/// Holds a key until it is dropped.
pub struct Held {
    all: InFlight,
    this: (TenantId, RequestKey),
}

impl InFlight {
    fn hold(&self, tenant: TenantId, request: RequestKey) -> Result<Held, IdempotencyError> {
        let this = (tenant, request);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.insert(this.clone()) {
            Ok(Held {
                all: self.clone(),
                this,
            })
        } else {
            Err(IdempotencyError::InFlight)
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.this);
    }
}

/// One request on its way to having one effect.
pub struct Once {
    request: Option<(RequestKey, String)>,
    now: DateTime<Utc>,
    _held: Option<Held>,
}

impl Once {
    /// Begins a request, before its transaction. One without a key is itself each time.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub fn begin(
        in_flight: &InFlight,
        tenant: TenantId,
        account: AccountId,
        repeatable: Option<Repeatable>,
        now: DateTime<Utc>,
    ) -> Result<Once, IdempotencyError> {
        let Some(repeatable) = repeatable else {
            return Ok(Once {
                request: None,
                now,
                _held: None,
            });
        };
        let request = RequestKey {
            account,
            operation: repeatable.operation.to_owned(),
            path: repeatable.path,
            key: repeatable.key,
        };
        let held = in_flight.hold(tenant, request.clone())?;
        Ok(Once {
            request: Some((request, repeatable.body_hash)),
            now,
            _held: Some(held),
        })
    }

    /// The answer that was given before, if one was: after authorization, before conditions.
    ///
    /// # Errors
    /// [`IdempotencyError::Reused`] where the key came with another body.
    pub fn replay(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Reply>, IdempotencyError> {
        let Some((request, body_hash)) = &self.request else {
            return Ok(None);
        };
        let Some(found) = remembered(transaction, request)? else {
            return Ok(None);
        };
        if found.body_hash != *body_hash {
            return Err(IdempotencyError::Reused);
        }
        let kept: KeptReply = serde_json::from_str(&found.answer)
            .map_err(|error| StoreError::Corrupt(format!("kept answer: {error}")))?;
        Ok(Some(Reply {
            outcome: kept.outcome,
            etag: kept.etag,
            body: kept.body,
            delivery: Delivery::Replayed,
        }))
    }

    /// Keeps the answer, in the transaction of its effect.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep(
        &self,
        transaction: &mut Transaction<'_>,
        reply: Reply,
    ) -> Result<Reply, StoreError> {
        let Some((request, body_hash)) = &self.request else {
            return Ok(reply);
        };
        let kept = KeptReply {
            outcome: reply.outcome.clone(),
            etag: reply.etag.clone(),
            body: reply.body.clone(),
        };
        let answer =
            serde_json::to_string(&kept).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        forget_before(
            transaction,
            (self.now - TimeDelta::days(KEPT_DAYS)).naive_utc(),
        )?;
        let answer = Remembered {
            body_hash: body_hash.clone(),
            answer,
        };
        remember(transaction, request, &answer, self.now.naive_utc())?;
        Ok(reply)
    }
}
