//! Answers of reads as they were encoded. One serves again as long as the tenant's rev is the one
//! that it was made at: nothing of the tenant has changed since, neither figures nor the map, the
//! catalogue or anybody's grants. Never an answer that depends on the time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::authn::Identity;
use crate::domain::id::{AccountId, TenantId};
use crate::service::application::condition::Etag;
use crate::store::StoreError;

/// The bodies that are remembered, in bytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A JSON document and what tells it from others.
#[derive(Debug, Clone)]
pub struct Encoded {
    pub etag: Etag,
    pub body: Bytes,
}

impl Encoded {
    /// Encodes a body. Its ETag is made of all that is in it and of nothing else: what leaves the
    /// body as it was leaves the ETag.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn new<T: Serialize>(body: &T) -> Result<Encoded, StoreError> {
        let mut body =
            serde_json::to_vec(body).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let etag = Etag::new(URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
        // As every JSON document that is sent ends.
        body.push(b'\n');
        let body = Bytes::from(body);
        Ok(Encoded { etag, body })
    }
}

/// Who asked for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    tenant: TenantId,
    account: AccountId,
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
            asked: asked.into(),
        })
    }
}

/// The answers that are remembered.
#[derive(Default)]
pub struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// With the tenant's rev that they were made at.
    answers: HashMap<Question, (i64, Encoded)>,
    bytes: usize,
}

impl Answers {
    pub fn get(&self, question: &Question, rev: i64) -> Option<Encoded> {
        let kept = self.kept();
        let (made_at, encoded) = kept.answers.get(question)?;
        (*made_at == rev).then(|| encoded.clone())
    }

    pub fn keep(&self, question: Question, rev: i64, encoded: Encoded) {
        let mut kept = self.kept();
        kept.bytes += encoded.body.len();
        if kept.bytes > MOST_BYTES {
            // What is asked for often is soon there again.
            kept.answers.clear();
            kept.bytes = encoded.body.len();
        }
        if let Some((_, before)) = kept.answers.insert(question, (rev, encoded)) {
            kept.bytes = kept.bytes.saturating_sub(before.body.len());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
