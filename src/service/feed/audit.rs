//! The audit of a tenant's history of changes: each commit has its row, in its place and as it was
//! written. Each row has the hash of the one before it, so whoever alters one must alter all later
//! ones too; the hash of the last row, noted elsewhere, tells of that.

use crate::authz::Scope;
use crate::domain::id::TenantId;
use crate::service::application::Application;
use crate::store::StoreError;
use crate::store::change::{ChangeHash, ChangeRow, changes_after, changes_from, hash_of};

/// The number of rows that are held in memory at once.
const ROWS_AT_ONCE: u16 = 1000;

/// The first place at which a history is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFault {
    #[error("the change {rev} is missing: it was taken out")]
    Missing { rev: i64 },
    #[error("the change {rev} was put in: no commit wrote it")]
    Surplus { rev: i64 },
    #[error(
        "the change {rev} does not follow the one before it: it was put in or moved, or the other \
         was replaced"
    )]
    Unlinked { rev: i64 },
    #[error("the change {rev} was changed after it was written")]
    Changed { rev: i64 },
}

impl HistoryFault {
    /// Returns the rev at which the history is first not as it was written.
    pub fn rev(self) -> i64 {
        match self {
            HistoryFault::Missing { rev }
            | HistoryFault::Surplus { rev }
            | HistoryFault::Unlinked { rev }
            | HistoryFault::Changed { rev } => rev,
        }
    }
}

/// The result of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Every row is as it was written.
    Sound {
        rows: u64,
        /// The rev of the first row.
        first: Option<i64>,
        last: Option<LastChange>,
    },
    Broken(HistoryFault),
}

/// The last change of a history. Its hash stands for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    pub rev: i64,
    pub hash: ChangeHash,
}

/// Audits a tenant's history, a block of rows at a time. Commits may go on meanwhile.
///
/// # Errors
/// Those of the store.
pub fn verify_changes(application: &Application, scope: &Scope) -> Result<Audit, StoreError> {
    let mut chain = Chain::default();
    let mut after = i64::MIN;
    loop {
        let block = read_block(application, scope, after)?;
        for row in &block.rows {
            if let Some(fault) = chain.fault(scope.tenant(), row, &block) {
                return Ok(Audit::Broken(fault));
            }
            chain.add(row);
            after = row.rev;
        }
        if block.rows.len() < usize::from(ROWS_AT_ONCE) {
            return Ok(match chain.missing_at_the_end(&block) {
                Some(fault) => Audit::Broken(fault),
                None => Audit::Sound {
                    rows: chain.rows,
                    first: chain.first,
                    last: chain.last,
                },
            });
        }
    }
}

/// Some rows, and the commits that must have one, all from one snapshot.
struct Block {
    rows: Vec<ChangeRow>,
    /// The first commit with a row; `None` if there is none yet.
    first: Option<i64>,
    /// The tenant's last commit.
    last: i64,
}

fn read_block(application: &Application, scope: &Scope, after: i64) -> Result<Block, StoreError> {
    application.database.read(scope, |transaction, counters| {
        Ok(Block {
            rows: changes_after(transaction, after, ROWS_AT_ONCE.into())?,
            first: changes_from(transaction)?,
            last: counters.rev,
        })
    })
}

/// The rows that were found as they were written.
#[derive(Default)]
struct Chain {
    rows: u64,
    first: Option<i64>,
    last: Option<LastChange>,
}

impl Chain {
    fn add(&mut self, row: &ChangeRow) {
        self.rows += 1;
        self.first = self.first.or(Some(row.rev));
        self.last = Some(LastChange {
            rev: row.rev,
            hash: row.hash,
        });
    }

    /// Returns the rev that the next row must have, if the first one has `first`.
    fn expected(&self, first: i64) -> i64 {
        self.last.map_or(first, |last| last.rev + 1)
    }

    fn fault(&self, tenant: TenantId, row: &ChangeRow, block: &Block) -> Option<HistoryFault> {
        let rev = row.rev;
        let Some(expected) = block.first.map(|first| self.expected(first)) else {
            return Some(HistoryFault::Surplus { rev });
        };
        let previous = self.last.map_or(ChangeHash::BEFORE_FIRST, |last| last.hash);
        if rev < expected || rev > block.last {
            Some(HistoryFault::Surplus { rev })
        } else if rev > expected {
            Some(HistoryFault::Missing { rev: expected })
        } else if row.previous != previous {
            Some(HistoryFault::Unlinked { rev })
        } else if row.hash != hash_of(tenant, &previous, rev, row.at, &row.items) {
            Some(HistoryFault::Changed { rev })
        } else {
            None
        }
    }

    /// Returns the first commit without a row, once all rows were read.
    fn missing_at_the_end(&self, block: &Block) -> Option<HistoryFault> {
        let first = block.first?.min(block.last);
        let rev = self.expected(first);
        (rev <= block.last).then_some(HistoryFault::Missing { rev })
    }
}
