//! A cache of encoded answers to reads. An answer is valid as long as the tenant's rev is the one
//! that it was made at: then nothing of the tenant has changed, neither figures nor the map, the
//! catalogue, accounts or grants. Answers that depend on the time must not be put here; since grants
//! begin and end at midnight, an answer is cached for a quarter of an hour of the clock at most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use crate::authn::Identity;
use crate::domain::id::{AccountId, SessionId, TenantId};
use crate::service::application::condition::{Etag, State};
use crate::store::StoreError;

/// The size of the cache, in bytes of bodies.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A JSON document and its ETag.
#[derive(Debug, Clone)]
pub struct Encoded {
    pub etag: Etag,
    pub body: Bytes,
}

impl Encoded {
    /// Encodes a body that no change builds on. The same body always has the same ETag.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn new<T: Serialize>(body: &T) -> Result<Encoded, StoreError> {
        let body = encode(body)?;
        Ok(Encoded {
            etag: Etag::of_bytes(&body),
            body: line_of(body),
        })
    }

    /// Encodes a thing in a state.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of_state<T: Serialize>(state: &State, body: &T) -> Result<Encoded, StoreError> {
        let body = encode(body)?;
        Ok(Encoded {
            etag: Etag::of_state_in_bytes(state, &body),
            body: line_of(body),
        })
    }
}

fn encode<T: Serialize>(body: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(body).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Ends a document with a newline, as every JSON document that is sent.
fn line_of(mut body: Vec<u8>) -> Bytes {
    body.push(b'\n');
    body.into()
}

/// The seconds of a quarter of an hour. Every time zone's midnight is at the beginning of one.
const QUARTER: i64 = 15 * 60;

/// The key of a cached answer: the caller and the question. A person's session is part of it, since
/// one of an account's may have ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    tenant: TenantId,
    account: AccountId,
    session: Option<SessionId>,
    quarter: i64,
    asked: Box<[u8]>,
}

impl Question {
    /// A caller's question: the operation, with all that its answer depends on.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn new(
        identity: &Identity,
        operation: &'static str,
        arguments: &impl Serialize,
    ) -> Result<Question, StoreError> {
        let asked = postcard::to_allocvec(&(operation, arguments))
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Question {
            tenant: identity.tenant(),
            account: identity.account(),
            session: identity.session(),
            quarter: identity.seen().timestamp().div_euclid(QUARTER),
            asked: asked.into(),
        })
    }
}

/// The cached answers of all tenants.
#[derive(Default)]
pub struct Answers(Mutex<KeptAnswers>);

#[derive(Default)]
struct KeptAnswers {
    /// With the tenant's rev at which they were made.
    answers: HashMap<Question, (i64, Encoded)>,
    bytes: usize,
}

impl Answers {
    pub fn get(&self, question: &Question, rev: i64) -> Option<Encoded> {
        let (made_at, encoded) = self.latest(question)?;
        (made_at == rev).then_some(encoded)
    }

    /// Returns the answer as it was made last, and the rev at which.
    pub fn latest(&self, question: &Question) -> Option<(i64, Encoded)> {
        self.kept().answers.get(question).cloned()
    }

    pub fn keep(&self, question: Question, rev: i64, encoded: Encoded) {
        let mut kept = self.kept();
        kept.bytes += encoded.body.len();
        if kept.bytes > MOST_BYTES {
            // Frequent answers are soon cached again.
            kept.answers.clear();
            kept.bytes = encoded.body.len();
        }
        if let Some((_, before)) = kept.answers.insert(question, (rev, encoded)) {
            kept.bytes = kept.bytes.saturating_sub(before.body.len());
        }
    }

    fn kept(&self) -> MutexGuard<'_, KeptAnswers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
