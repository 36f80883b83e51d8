//! Plain SQL beside the service, in tables of the benchmark's own: a file of its own beside SQLite,
//! tables of the schema's owner on PostgreSQL, which are dropped at the end. Also the disk space
//! of a database. Does not use the service.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tonghop::store::DatabaseUrl;

use crate::country::Country;
use crate::form::{Form, Turn};
use crate::server::{Installation, Tenant};
use crate::{Failure, bar};

diesel::table! {
    deadline_facts (tenant_id, form, period, unit_id, revision) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        revision -> Integer,
        step -> Text,
        status -> Text,
        facts -> Nullable<Binary>,
        narrative -> Nullable<Text>,
        reason -> Nullable<Text>,
        account_id -> Text,
        entered_at -> Timestamp,
        rev -> BigInt,
    }
}

/// A row of `submission_revision`.
#[derive(QueryableByName, Insertable)]
#[diesel(table_name = deadline_facts)]
#[diesel(treat_none_as_default_value = false)]
pub struct Revision {
    tenant_id: String,
    form: i32,
    period: String,
    unit_id: String,
    revision: i32,
    step: String,
    status: String,
    facts: Option<Vec<u8>>,
    narrative: Option<String>,
    reason: Option<String>,
    account_id: String,
    entered_at: NaiveDateTime,
    rev: i64,
}

impl Revision {
    pub fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct TenantId {
    #[diesel(sql_type = Text)]
    id: String,
}

/// The settings of the service's own connections.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL;";
const FACTS: &str = "CREATE TABLE deadline_facts ( \
     tenant_id TEXT NOT NULL, form INTEGER NOT NULL, period TEXT NOT NULL, \
     unit_id TEXT NOT NULL, revision INTEGER NOT NULL, step TEXT NOT NULL, \
     status TEXT NOT NULL, facts BYTEA, narrative TEXT, reason TEXT, \
     account_id TEXT NOT NULL, entered_at TIMESTAMP NOT NULL, rev BIGINT NOT NULL, \
     PRIMARY KEY (tenant_id, form, period, unit_id, revision));";
const UNITS: &str = "CREATE TABLE deadline_unit (code TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL); \
     CREATE INDEX deadline_unit_parent_ix ON deadline_unit (parent);";
const CLEARED: &str = "DROP TABLE IF EXISTS deadline_facts; DROP TABLE IF EXISTS deadline_values; \
     DROP TABLE IF EXISTS deadline_unit;";
/// The rows of an insert that is not timed.
const ROWS: usize = 500;
/// The number of times that a sum is read; the median counts.
const SUMS: usize = 5;

/// A connection of the benchmark's own.
pub enum Own {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
}

/// Runs one expression on either backend.
macro_rules! on {
    ($own:expr, |$connection:ident| $work:expr) => {
        match $own {
            $crate::sql::Own::Sqlite($connection) => $work,
            $crate::sql::Own::Postgresql($connection) => $work,
        }
    };
}
pub(crate) use on;

/// The bytes that a database takes.
pub fn size(installation: &Installation) -> Result<usize, Failure> {
    match &installation.database {
        DatabaseUrl::Sqlite { path } => {
            let mut own = SqliteConnection::establish(path)?;
            own.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA wal_checkpoint(TRUNCATE)")?;
            Ok(usize::try_from(std::fs::metadata(path)?.len())?)
        }
        DatabaseUrl::Postgresql { url } => {
            let query = "SELECT pg_database_size(current_database()) AS count";
            let mut own = PgConnection::establish(url)?;
            let size: Count = diesel::sql_query(query).get_result(&mut own)?;
            Ok(usize::try_from(size.count)?)
        }
    }
}

/// A period of the tenant that has reported, on a connection that sees its rows.
pub struct DayOf {
    pub own: Own,
    pub id: String,
    pub period: String,
}

impl DayOf {
    pub fn open(
        installation: &Installation,
        tenant: &Tenant,
        period: &str,
    ) -> Result<DayOf, Failure> {
        let query = format!(
            "SELECT id FROM tenant_registry WHERE slug = '{}'",
            tenant.slug
        );
        let mut own = match &installation.database {
            DatabaseUrl::Sqlite { path } => Own::Sqlite(SqliteConnection::establish(path)?),
            DatabaseUrl::Postgresql { url } => Own::Postgresql(PgConnection::establish(url)?),
        };
        let TenantId { id } = on!(&mut own, |own| diesel::sql_query(query).get_result(own))?;
        if let Own::Postgresql(own) = &mut own {
            // Row-level security shows the rows of this tenant.
            own.batch_execute(&format!("SET app.tenant = '{id}'"))?;
        }
        let period = period.to_owned();
        Ok(DayOf { own, id, period })
    }
}

/// The benchmark's own tables.
pub struct Beside {
    own: Own,
}

impl Beside {
    /// Opens the database for the benchmark's own tables.
    pub fn open(installation: &Installation) -> Result<Beside, Failure> {
        let own = match &installation.owner {
            DatabaseUrl::Sqlite { .. } => {
                let path = installation.directory.path().join("beside.db");
                let mut own = SqliteConnection::establish(&path.display().to_string())?;
                own.batch_execute(SQLITE_SETUP)?;
                Own::Sqlite(own)
            }
            DatabaseUrl::Postgresql { url } => Own::Postgresql(PgConnection::establish(url)?),
        };
        let mut beside = Beside { own };
        beside.clear()?;
        Ok(beside)
    }

    pub fn clear(&mut self) -> Result<(), Failure> {
        self.execute(CLEARED)
    }

    fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        on!(&mut self.own, |own| own.batch_execute(sql))?;
        Ok(())
    }

    /// Reads what a tenant's submissions wrote first, and makes the table to write it to again.
    pub fn revisions(&mut self, day: &mut DayOf, most: usize) -> Result<Vec<Revision>, Failure> {
        self.execute(FACTS)?;
        let DayOf { own, id, period } = day;
        let written = format!(
            "SELECT * FROM submission_revision WHERE tenant_id = '{id}' AND revision = 1 \
             AND period = '{period}' ORDER BY rev LIMIT {most}"
        );
        Ok(on!(own, |own| diesel::sql_query(written).load(own))?)
    }

    /// Empties the table of revisions.
    pub fn empty_facts(&mut self) -> Result<(), Failure> {
        self.execute("DELETE FROM deadline_facts")
    }

    pub fn own(&mut self) -> &mut Own {
        &mut self.own
    }

    /// Writes rows in one transaction: a single statement.
    pub fn insert(&mut self, revisions: &[Revision]) -> Result<(), Failure> {
        on!(&mut self.own, |own| diesel::insert_into(
            deadline_facts::table
        )
        .values(revisions)
        .execute(own))?;
        Ok(())
    }

    /// Writes the tree and every hamlet's values.
    pub fn fill_values(&mut self, country: &Country, form: &Form) -> Result<(), Failure> {
        let columns = columns(form, |column| format!("{column} BIGINT NOT NULL"));
        self.execute(UNITS)?;
        self.execute(&format!(
            "CREATE TABLE deadline_values (code TEXT NOT NULL PRIMARY KEY, {columns})"
        ))?;
        let units: Vec<String> = country
            .placements()
            .map(|(code, parent)| format!("('{code}','{parent}')"))
            .collect();
        let progress = bar("values to sum on read", units.len())?;
        for rows in units.chunks(ROWS) {
            self.execute(&format!(
                "INSERT INTO deadline_unit VALUES {}",
                rows.join(",")
            ))?;
        }
        let hamlets: Vec<usize> = (0..country.hamlets.len()).collect();
        for some in hamlets.chunks(ROWS) {
            let mut sql = "INSERT INTO deadline_values VALUES ".to_owned();
            for (row, place) in some.iter().enumerate() {
                let code = country
                    .hamlets
                    .get(*place)
                    .map_or("", |hamlet| &hamlet.code);
                sql.push_str(if row > 0 { ",('" } else { "('" });
                write!(sql, "{code}'")?;
                for (index, cell) in form.cells.iter().enumerate() {
                    write!(sql, ",{}", cell.mantissa(index, *place, Turn::First))?;
                }
                sql.push(')');
            }
            self.execute(&sql)?;
            progress.inc(u64::try_from(some.len())?);
        }
        progress.finish_and_clear();
        self.execute("ANALYZE")
    }

    /// Sums everything below a unit. Returns the time and the number of hamlets.
    pub fn sum(&mut self, unit: &str, form: &Form) -> Result<(Duration, usize), Failure> {
        let sums = columns(form, |column| format!("sum({column}) AS sum_{column}"));
        let query = format!(
            "WITH RECURSIVE below (code) AS (SELECT CAST('{unit}' AS TEXT) UNION ALL \
             SELECT unit.code FROM deadline_unit unit JOIN below ON unit.parent = below.code) \
             SELECT count(*) AS count, {sums} \
             FROM below JOIN deadline_values ON deadline_values.code = below.code"
        );
        let mut times = Vec::new();
        let mut reported = 0;
        for _ in 0..SUMS {
            let began = Instant::now();
            let sum: Count = on!(&mut self.own, |own| diesel::sql_query(&query)
                .get_result(own))?;
            times.push(began.elapsed());
            reported = usize::try_from(sum.count)?;
        }
        times.sort_unstable();
        let median = times.get(SUMS / 2).copied().unwrap_or_default();
        Ok((median, reported))
    }
}

/// A column for each value of a submission.
fn columns(form: &Form, write: impl Fn(&str) -> String) -> String {
    let columns = (0..form.cells.len()).map(|index| write(&format!("v{index}")));
    columns.collect::<Vec<_>>().join(", ")
}
