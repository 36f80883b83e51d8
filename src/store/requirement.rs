//! What a database must be before it is migrated or used, and why one is refused. Never the check.

use super::connection::DatabaseUrl;
use super::error::StoreError;
use crate::system::AccessError;

/// The reasons for which the schema cannot be migrated or used.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("cannot open {url}: {reason}")]
    Open { url: DatabaseUrl, reason: String },
    #[error(
        "there is no database at {0} (see DATABASE_URL): put it back, or make a new and empty one \
         with `tonghop init`"
    )]
    Missing(String),
    #[error("there is a database at {0} already; it is not overwritten")]
    AlreadyThere(String),
    #[error(
        "{0} is no database of Tonghop: it has no list of migrations; see DATABASE_URL, or make a \
         new and empty one with `tonghop init`"
    )]
    NotOurs(String),
    #[error(
        "the database {path} is damaged ({damage}): keep a copy of it and restore a backup, as \
         docs/operating.md says"
    )]
    Damaged { path: String, damage: String },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the migration failed: {0}")]
    Failed(String),
    #[error("the schema is not up to date: run `tonghop migrate` first ({0})")]
    Outdated(String),
    #[error("the schema is newer than this program ({0}); use the newer program")]
    Newer(String),
    #[error(
        "the server's queries do not find the table {table} in the schema {schema}, where the list \
         of migrations is: row-level security is that of another table; as PostgreSQL's \
         administrator run: ALTER ROLE {role} SET search_path = {schema}, and name no other \
         search_path in DATABASE_URL"
    )]
    TableHidden {
        role: String,
        table: String,
        schema: String,
    },
    #[error(
        "there is no table {table} in the schema {schema}, though the list of migrations there says \
         so: restore a backup, as docs/operating.md says"
    )]
    TableMissing { table: String, schema: String },
    #[error(
        "the role {0} of DATABASE_URL may replicate, and so read all rows of all tenants; as \
         PostgreSQL's administrator run: ALTER ROLE {0} NOREPLICATION"
    )]
    RoleReplicates(String),
    #[error(
        "the role of DATABASE_URL must not be a superuser and must not bypass row-level security"
    )]
    RoleTooStrong,
    #[error("the role of DATABASE_URL owns {0}; serve with a role that owns nothing")]
    RoleOwns(String),
    #[error(
        "the role {role} of DATABASE_URL may become {other}, which row-level security does not \
         bind; as PostgreSQL's administrator run: REVOKE {other} FROM {role}"
    )]
    RoleMayBecome { role: String, other: String },
    #[error(
        "the role {0} of DATABASE_URL may make roles, and so grant itself any role; as PostgreSQL's \
         administrator run: ALTER ROLE {0} NOCREATEROLE"
    )]
    RoleMakesRoles(String),
    #[error(
        "the database compares texts by {0}, and keys need the collation C: make one anew with \
         createdb --template template0 --locale-provider libc --locale C, and restore into it"
    )]
    Collation(String),
    #[error(
        "row-level security is off on the table {0}: every tenant's rows are shown to all; \
         `tonghop migrate` turns it on"
    )]
    RowsUnguarded(String),
    #[error(
        "row-level security on the table {0} does not bind its owner; `tonghop migrate` forces it"
    )]
    RowsUnforced(String),
    #[error(
        "the policy {policy} of the table {table} shows rows of other tenants; as the schema's \
         owner run: DROP POLICY {policy} ON {table}, then `tonghop migrate`"
    )]
    RowsOpen { table: String, policy: String },
    #[error("no policy of the table {0} shows a tenant its own rows; `tonghop migrate` makes it")]
    RowsHidden(String),
    #[error(
        "the role {role} of DATABASE_URL has no {right} on the table {table}; `tonghop migrate` grants it"
    )]
    RightMissing {
        role: String,
        right: String,
        table: String,
    },
    #[error(
        "the role {role} of DATABASE_URL has {right} on the table {table}, which row-level security \
         does not bind; as the schema's owner run: REVOKE {right} ON {table} FROM {holder}"
    )]
    RightTooMany {
        role: String,
        right: String,
        table: String,
        /// The role itself, a role that it may become, or everybody.
        holder: String,
    },
    #[error(
        "the role {role} of DATABASE_URL has {right} on the table {table}, since {holder} may write \
         all data; as PostgreSQL's administrator run: REVOKE pg_write_all_data FROM {holder}"
    )]
    RightOfAll {
        role: String,
        right: String,
        table: String,
        holder: String,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A requirement of the database: its subject, and whether it is met.
pub type Requirement = (&'static str, Result<(), MigrationError>);
