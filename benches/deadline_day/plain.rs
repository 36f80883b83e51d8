//! The same rows, written plainly: what a batch of submissions leaves in the tables, written again by
//! one statement a table, without reading, checking or adding up. This is the most that any engine
//! could reach with these tables. The tables are the benchmark's own, with the columns, keys and
//! indexes of the service's and without foreign keys.
//!
//! Rollups are those of the end of the day: the rows that a batch rewrites have the bytes of full
//! ones, so this writes a little more than the day did.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::Failure;
use crate::sql::{DayOf, Own, Revision, deadline_facts, on};

diesel::table! {
    plain_submission (tenant_id, form, period, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        status -> Text,
        revision -> Integer,
        values_revision -> Integer,
        counting_revision -> Nullable<Integer>,
        speaks_for -> Text,
        received_on -> Nullable<Date>,
        corrected_on -> Nullable<Date>,
        rev -> BigInt,
        counting_rev -> BigInt,
    }
}

diesel::table! {
    plain_answer (tenant_id, request) {
        tenant_id -> Text,
        request -> Binary,
        body_hash -> Binary,
        answer -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    plain_rollup (tenant_id, form, period, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        period -> Text,
        unit_id -> Text,
        cells -> Binary,
        rev -> BigInt,
    }
}

diesel::table! {
    plain_year (tenant_id, form, year, unit_id) {
        tenant_id -> Text,
        form -> Integer,
        year -> Integer,
        unit_id -> Text,
        cells -> Binary,
        rev -> BigInt,
    }
}

diesel::table! {
    plain_change (tenant_id, rev) {
        tenant_id -> Text,
        rev -> BigInt,
        at -> Timestamp,
        items -> Binary,
        previous -> Binary,
        hash -> Binary,
    }
}

const TABLES: &str = "\
    CREATE TABLE plain_submission (tenant_id TEXT NOT NULL, form INTEGER NOT NULL, \
     period TEXT NOT NULL, unit_id TEXT NOT NULL, status TEXT NOT NULL, revision INTEGER NOT NULL, \
     values_revision INTEGER NOT NULL, counting_revision INTEGER, speaks_for TEXT NOT NULL, \
     received_on DATE, corrected_on DATE, rev BIGINT NOT NULL, counting_rev BIGINT NOT NULL, \
     PRIMARY KEY (tenant_id, form, period, unit_id)); \
    CREATE TABLE plain_answer (tenant_id TEXT NOT NULL, request BYTEA NOT NULL, \
     body_hash BYTEA NOT NULL, answer BYTEA NOT NULL, created_at TIMESTAMP NOT NULL, \
     PRIMARY KEY (tenant_id, request)); \
    CREATE INDEX plain_answer_created_ix ON plain_answer (tenant_id, created_at); \
    CREATE TABLE plain_rollup (tenant_id TEXT NOT NULL, form INTEGER NOT NULL, \
     period TEXT NOT NULL, unit_id TEXT NOT NULL, cells BYTEA NOT NULL, rev BIGINT NOT NULL, \
     PRIMARY KEY (tenant_id, form, period, unit_id)); \
    CREATE TABLE plain_year (tenant_id TEXT NOT NULL, form INTEGER NOT NULL, \
     year INTEGER NOT NULL, unit_id TEXT NOT NULL, cells BYTEA NOT NULL, rev BIGINT NOT NULL, \
     PRIMARY KEY (tenant_id, form, year, unit_id)); \
    CREATE TABLE plain_change (tenant_id TEXT NOT NULL, rev BIGINT NOT NULL, \
     at TIMESTAMP NOT NULL, items BYTEA NOT NULL, previous BYTEA NOT NULL, hash BYTEA NOT NULL, \
     PRIMARY KEY (tenant_id, rev));";

const CLEARED: &str = "DROP TABLE IF EXISTS plain_submission; DROP TABLE IF EXISTS plain_answer; \
     DROP TABLE IF EXISTS plain_rollup; DROP TABLE IF EXISTS plain_year; \
     DROP TABLE IF EXISTS plain_change;";

#[derive(QueryableByName, Insertable, Clone)]
#[diesel(table_name = plain_submission)]
#[diesel(treat_none_as_default_value = false)]
struct Submission {
    tenant_id: String,
    form: i32,
    period: String,
    unit_id: String,
    status: String,
    revision: i32,
    values_revision: i32,
    counting_revision: Option<i32>,
    speaks_for: String,
    received_on: Option<NaiveDate>,
    corrected_on: Option<NaiveDate>,
    rev: i64,
    counting_rev: i64,
}

#[derive(QueryableByName, Insertable, Clone)]
#[diesel(table_name = plain_answer)]
#[diesel(treat_none_as_default_value = false)]
struct Answer {
    tenant_id: String,
    request: Vec<u8>,
    body_hash: Vec<u8>,
    answer: Vec<u8>,
    created_at: NaiveDateTime,
}

#[derive(QueryableByName, Insertable, Clone)]
#[diesel(table_name = plain_rollup)]
#[diesel(treat_none_as_default_value = false)]
struct Rollup {
    tenant_id: String,
    form: i32,
    period: String,
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

#[derive(QueryableByName, Insertable, Clone)]
#[diesel(table_name = plain_year)]
#[diesel(treat_none_as_default_value = false)]
struct Year {
    tenant_id: String,
    form: i32,
    year: i32,
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

#[derive(QueryableByName, Insertable, Clone)]
#[diesel(table_name = plain_change)]
#[diesel(treat_none_as_default_value = false)]
struct Change {
    tenant_id: String,
    rev: i64,
    at: NaiveDateTime,
    items: Vec<u8>,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct Placement {
    #[diesel(sql_type = diesel::sql_types::Text)]
    unit_id: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    parent_id: Option<String>,
}

/// The rows that the day has written, in memory.
pub struct Day {
    parents: HashMap<String, String>,
    submissions: HashMap<String, Submission>,
    answers: Vec<Answer>,
    rollups: HashMap<String, Rollup>,
    years: HashMap<String, Year>,
    change: Change,
}

/// The rows of one batch.
pub struct Rows<'r> {
    revisions: &'r [Revision],
    submissions: Vec<Submission>,
    answers: Vec<Answer>,
    rollups: Vec<Rollup>,
    years: Vec<Year>,
    change: Change,
}

impl Day {
    /// Reads what a day has written.
    pub fn read(day: &mut DayOf) -> Result<Day, Failure> {
        let DayOf {
            own: day,
            id,
            period,
        } = day;
        let own = format!("tenant_id = '{id}'");
        let of_period = format!("{own} AND period = '{period}'");
        let placements: Vec<Placement> = load(
            day,
            &format!("SELECT unit_id, parent_id FROM unit_fact WHERE {own}"),
        )?;
        let submissions: Vec<Submission> =
            load(day, &format!("SELECT * FROM submission WHERE {of_period}"))?;
        let rollups: Vec<Rollup> = load(day, &format!("SELECT * FROM rollup WHERE {of_period}"))?;
        let years: Vec<Year> = load(day, &format!("SELECT * FROM rollup_year WHERE {own}"))?;
        let answers = load(
            day,
            &format!("SELECT * FROM idempotency WHERE {own} ORDER BY created_at"),
        )?;
        // The largest is that of a full batch.
        let changes: Vec<Change> = load(
            day,
            &format!("SELECT * FROM change WHERE {own} ORDER BY length(items) DESC LIMIT 1"),
        )?;
        let parents = placements
            .into_iter()
            .filter_map(|placement| Some((placement.unit_id, placement.parent_id?)));
        Ok(Day {
            parents: parents.collect(),
            submissions: submissions
                .into_iter()
                .map(|row| (row.unit_id.clone(), row))
                .collect(),
            rollups: rollups
                .into_iter()
                .map(|row| (row.unit_id.clone(), row))
                .collect(),
            years: years
                .into_iter()
                .map(|row| (row.unit_id.clone(), row))
                .collect(),
            answers,
            change: changes.into_iter().next().ok_or("no change was recorded")?,
        })
    }

    /// Collects the rows that a batch of these revisions writes, as the commit `rev`.
    pub fn rows<'r>(&self, revisions: &'r [Revision], answers: usize, rev: i64) -> Rows<'r> {
        let units = revisions.iter().map(Revision::unit_id);
        let mut above = BTreeSet::new();
        for unit in units.clone() {
            let mut at = unit;
            while let Some(parent) = self.parents.get(at) {
                above.insert(parent.as_str());
                at = parent;
            }
        }
        let answers = self.answers.iter().skip(answers).take(revisions.len());
        Rows {
            revisions,
            submissions: units
                .filter_map(|unit| self.submissions.get(unit))
                .cloned()
                .collect(),
            answers: answers.cloned().collect(),
            rollups: above
                .iter()
                .filter_map(|unit| self.rollups.get(*unit))
                .cloned()
                .collect(),
            years: above
                .iter()
                .filter_map(|unit| self.years.get(*unit))
                .cloned()
                .collect(),
            change: Change {
                rev,
                ..self.change.clone()
            },
        }
    }
}

fn load<T>(day: &mut Own, query: &str) -> Result<Vec<T>, Failure>
where
    T: diesel::deserialize::QueryableByName<diesel::sqlite::Sqlite>
        + diesel::deserialize::QueryableByName<diesel::pg::Pg>
        + 'static,
{
    Ok(on!(day, |day| diesel::sql_query(query).load(day))?)
}

impl Rows<'_> {
    /// Makes the tables.
    pub fn make_tables(own: &mut Own) -> Result<(), Failure> {
        Rows::drop_tables(own)?;
        on!(own, |own| own.batch_execute(TABLES))?;
        Ok(())
    }

    pub fn drop_tables(own: &mut Own) -> Result<(), Failure> {
        on!(own, |own| own.batch_execute(CLEARED))?;
        Ok(())
    }

    /// Writes all rows in one transaction.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tables are the benchmark's own"
    )]
    pub fn write(&self, own: &mut Own) -> Result<(), Failure> {
        on!(own, |own| own.transaction(|own| {
            diesel::insert_into(plain_submission::table)
                .values(&self.submissions)
                .execute(own)?;
            diesel::insert_into(deadline_facts::table)
                .values(self.revisions)
                .execute(own)?;
            diesel::insert_into(plain_rollup::table)
                .values(&self.rollups)
                .on_conflict((
                    plain_rollup::tenant_id,
                    plain_rollup::form,
                    plain_rollup::period,
                    plain_rollup::unit_id,
                ))
                .do_update()
                .set((
                    plain_rollup::cells.eq(excluded(plain_rollup::cells)),
                    plain_rollup::rev.eq(excluded(plain_rollup::rev)),
                ))
                .execute(own)?;
            if !self.years.is_empty() {
                diesel::insert_into(plain_year::table)
                    .values(&self.years)
                    .on_conflict((
                        plain_year::tenant_id,
                        plain_year::form,
                        plain_year::year,
                        plain_year::unit_id,
                    ))
                    .do_update()
                    .set((
                        plain_year::cells.eq(excluded(plain_year::cells)),
                        plain_year::rev.eq(excluded(plain_year::rev)),
                    ))
                    .execute(own)?;
            }
            diesel::insert_into(plain_answer::table)
                .values(&self.answers)
                .execute(own)?;
            diesel::insert_into(plain_change::table)
                .values(&self.change)
                .execute(own)?;
            Ok::<_, diesel::result::Error>(())
        }))?;
        Ok(())
    }
}
