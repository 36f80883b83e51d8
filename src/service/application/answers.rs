//! A cache of encoded answers to reads. An answer is valid as long as the tenant's rev is the one
//! that it was made at: then nothing of the tenant has changed, neither figures nor the map, the
//! catalogue, accounts or grants. Answers that depend on the time must not be put here; since grants
//! begin and end at midnight, an answer is cached for a quarter of an hour of the clock at most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Scope;
use crate::domain::id::{AccountId, SessionId, TenantId};
use crate::service::application::condition::{Etag, State};
use crate::store::{Database, StoreError};

/// The size of the cache, in bytes of bodies.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The largest body that is cached. Of a larger one the ETag is, so that one reader's tables do not push
/// out everybody's reports.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// What an answer takes in the cache beside its body, in bytes.
const BYTES_WITHOUT_BODY: usize = 512;

/// An answer as it is sent, mostly a JSON document, and its ETag.
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

    /// Takes a body that was written otherwise than as JSON.
    pub fn of_bytes(body: Vec<u8>) -> Encoded {
        Encoded {
            etag: Etag::of_bytes(&body),
            body: body.into(),
        }
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
pub struct Answers(Mutex<AllKept>);

#[derive(Default)]
struct AllKept {
    answers: HashMap<Question, KeptAnswer>,
    bytes: usize,
}

/// A cached answer.
#[derive(Debug, Clone)]
pub struct KeptAnswer {
    /// The tenant's rev at which it was made.
    rev: i64,
    pub etag: Etag,
    /// Absent if it is large.
    body: Option<Bytes>,
}

impl KeptAnswer {
    fn bytes(&self) -> usize {
        BYTES_WITHOUT_BODY + self.body.as_ref().map_or(0, Bytes::len)
    }

    /// Returns the answer, if its body is cached too.
    pub fn whole(self) -> Option<Encoded> {
        let KeptAnswer { etag, body, .. } = self;
        body.map(|body| Encoded { etag, body })
    }

    /// Returns the answer for somebody who has its body.
    pub fn for_its_reader(self) -> Encoded {
        Encoded {
            etag: self.etag,
            body: Bytes::new(),
        }
    }
}

impl Answers {
    pub fn get(&self, question: &Question, rev: i64) -> Option<Encoded> {
        let kept = self.latest(question)?;
        (kept.rev == rev).then(|| kept.whole())?
    }

    /// Returns the answer as it was made last.
    fn latest(&self, question: &Question) -> Option<KeptAnswer> {
        self.kept().answers.get(question).cloned()
    }

    /// Returns the answer as it was made last, if nothing of the tenant has changed since. Never blocks.
    pub async fn current(
        &self,
        question: &Question,
        database: &Database,
        identity: &Identity,
    ) -> Option<KeptAnswer> {
        let kept = self.latest(question)?;
        let current = database.current(&Scope::of(identity)).await?;
        (current.rev == kept.rev).then_some(kept)
    }

    pub fn keep(&self, question: Question, rev: i64, encoded: Encoded) {
        let Encoded { etag, body } = encoded;
        let body = (body.len() <= LARGEST_BODY).then_some(body);
        let answer = KeptAnswer { rev, etag, body };
        let mut kept = self.kept();
        kept.bytes += answer.bytes();
        if kept.bytes > MOST_BYTES {
            // Frequent answers are soon cached again.
            kept.answers.clear();
            kept.bytes = answer.bytes();
        }
        if let Some(before) = kept.answers.insert(question, answer) {
            kept.bytes = kept.bytes.saturating_sub(before.bytes());
        }
    }

    fn kept(&self) -> MutexGuard<'_, AllKept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
