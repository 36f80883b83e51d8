//! Counts what submissions write, from outside the service: rows in the tables, and bytes handed to
//! the operating system or to the log.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tonghop::domain::id::TenantId;
use tonghop::store::DatabaseUrl;

use crate::Failure;

/// A connection of its own to the database that the service writes.
pub struct Meter {
    backend: Backend,
    tenant: TenantId,
    tables: Vec<String>,
}

enum Backend {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// The tables whose rows say which commit wrote them last: all that a submission writes, but for
/// the answer kept under an Idempotency-Key, which the benchmark does not send.
const SQLITE_TABLES: &str = "SELECT tables.name AS name \
     FROM sqlite_schema tables JOIN pragma_table_info(tables.name) columns \
     WHERE tables.type = 'table' AND columns.name = 'rev' ORDER BY 1";
const POSTGRESQL_TABLES: &str = "SELECT table_name::text AS name \
     FROM information_schema.columns \
     WHERE table_schema = current_schema() AND column_name = 'rev' ORDER BY 1";
const POSTGRESQL_LOG: &str =
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS position";

impl Meter {
    pub fn open(url: &DatabaseUrl, tenant: TenantId) -> Result<Meter, Failure> {
        let (backend, tables) = match url {
            DatabaseUrl::Sqlite { path } => {
                let mut own = SqliteConnection::establish(path)?;
                let tables: Vec<Table> = diesel::sql_query(SQLITE_TABLES).load(&mut own)?;
                (Backend::Sqlite(own), tables)
            }
            DatabaseUrl::Postgresql { url } => {
                let mut own = PgConnection::establish(url)?;
                // Row-level security shows the rows of this tenant.
                diesel::sql_query(format!("SET app.tenant = '{tenant}'")).execute(&mut own)?;
                let tables: Vec<Table> = diesel::sql_query(POSTGRESQL_TABLES).load(&mut own)?;
                (Backend::Postgresql(own), tables)
            }
        };
        Ok(Meter {
            backend,
            tenant,
            tables: tables.into_iter().map(|table| table.name).collect(),
        })
    }

    /// Counts the rows that the commit `rev` inserted or updated, by table.
    pub fn rows_of(&mut self, rev: i64) -> Result<Vec<(String, i64)>, Failure> {
        let tenant = self.tenant;
        let counts = self.tables.iter().map(|table| {
            format!(
                "SELECT '{table}' AS name, count(*) AS count FROM {table} \
                 WHERE tenant_id = '{tenant}' AND rev = {rev}"
            )
        });
        let query = diesel::sql_query(counts.collect::<Vec<_>>().join(" UNION ALL "));
        let rows: Vec<Rows> = match &mut self.backend {
            Backend::Sqlite(own) => query.load(own)?,
            Backend::Postgresql(own) => query.load(own)?,
        };
        let written = rows.into_iter().filter(|rows| rows.count > 0);
        Ok(written.map(|rows| (rows.name, rows.count)).collect())
    }

    /// Names the bytes that are counted, for the output.
    pub fn counted(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite(_) => "write calls of the process (the log and the checkpoints)",
            Backend::Postgresql(_) => "the server's write-ahead log",
        }
    }

    /// All bytes written up to now, since some time that stays the same.
    pub fn bytes(&mut self) -> Result<i64, Failure> {
        match &mut self.backend {
            Backend::Sqlite(_) => {
                let counters = std::fs::read_to_string("/proc/self/io")?;
                let mut lines = counters.lines();
                let written = lines.find_map(|line| line.strip_prefix("wchar: "));
                Ok(written.ok_or("/proc/self/io has no wchar")?.parse()?)
            }
            Backend::Postgresql(own) => {
                let log: Position = diesel::sql_query(POSTGRESQL_LOG).get_result(own)?;
                Ok(log.position)
            }
        }
    }
}
