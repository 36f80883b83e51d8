//! Times tables: every commune of the country with all indicators, as JSON, CSV and XLSX, and all children of
//! a province, as a dashboard reads them. Beside it, the rows that the large table is made of, read plainly
//! from the database by one statement, and the same with their cells unpacked.
//!
//! The indicators come in another order each time, so that no answer is one that the server has kept. The
//! server is a fresh one; its memory is what it has at most while a table is written, above what it has when it
//! knows the map.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use tonghop::rollup::encode::unpack_rollup;

use crate::Failure;
use crate::checks::read_rollup;
use crate::connection::{Connection, get};
use crate::country::{Country, ROOT};
use crate::form::{FORM, Form, indicators};
use crate::report::{Report, milliseconds, ratio, with_commas};
use crate::server::{Installation, Server, Tenant};
use crate::sql::{DayOf, on};

/// The number of times that a large table is read.
const LARGE: usize = 5;
/// The number of times that a province's table is read.
const SMALL: usize = 21;

/// A day that is over, and its tables.
pub struct Tables<'d> {
    pub installation: &'d Installation,
    pub tenant: &'d Tenant,
    pub country: &'d Country,
    pub form: &'d Form,
}

/// A table that is read with its indicators in another order each time.
struct Question {
    path: String,
    indicators: Vec<String>,
}

impl Question {
    fn turned(&mut self) -> String {
        self.indicators.rotate_left(1);
        format!("{}&indicators={}", self.path, self.indicators.join(","))
    }
}

#[derive(QueryableByName)]
struct PlainRow {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "it is read, as the service reads it")]
    unit_id: String,
    #[diesel(sql_type = Binary)]
    cells: Vec<u8>,
}

impl Tables<'_> {
    pub async fn measure(&self, report: &mut Report) -> Result<(), Failure> {
        let (plain, unpacked) = self.plainly()?;
        let figures = self.country.communes.len() * indicators().len();
        report.row(
            "all communes' rows, read plainly",
            format!(
                "{}; with their cells unpacked {}",
                milliseconds(plain),
                milliseconds(unpacked)
            ),
        );
        for format in ["json", "csv", "xlsx"] {
            let told = self.large(format, plain).await?;
            let figures = with_commas(figures);
            report.row(format!("{figures} figures as {format}"), told);
        }
        let told = self.province().await?;
        report.row("all children of a province", told);
        Ok(())
    }

    /// Reads the rows of all communes by one statement.
    fn plainly(&self) -> Result<(Duration, Duration), Failure> {
        let mut day = DayOf::open(self.installation, self.tenant, self.form.period)?;
        let DayOf { own, id, period } = &mut day;
        let query = format!(
            "SELECT rollup.unit_id, rollup.cells FROM rollup \
             JOIN unit_fact ON unit_fact.tenant_id = rollup.tenant_id \
             AND unit_fact.unit_id = rollup.unit_id \
             WHERE rollup.tenant_id = '{id}' AND rollup.period = '{period}' \
             AND unit_fact.level = 'commune'"
        );
        let (mut plain, mut unpacked) = (Vec::new(), Vec::new());
        for _ in 0..LARGE {
            let began = Instant::now();
            let query = diesel::sql_query(query.as_str());
            let rows: Vec<PlainRow> = on!(&mut *own, |own| query.load(own))?;
            plain.push(began.elapsed());
            for row in &rows {
                std::hint::black_box(unpack_rollup(&row.cells)?);
            }
            unpacked.push(began.elapsed());
        }
        Ok((median(plain), median(unpacked)))
    }

    /// Reads the table of all communes from a fresh server.
    async fn large(&self, format: &str, plain: Duration) -> Result<String, Failure> {
        let server = Server::start(self.installation)?;
        let (mut connection, token) = self.ready(&server).await?;
        let idle = server.memory()?.now;
        let mut question = self.question(ROOT, &format!("rows=level:commune&format={format}"));
        let (times, bytes) = ask(&mut connection, &token, &mut question, LARGE).await?;
        let peak = server.memory()?.peak;
        server.stop()?;
        let took = median(times);
        let [took_as_number, plain] =
            [took, plain].map(|time| usize::try_from(time.as_micros()).unwrap_or(usize::MAX));
        Ok(format!(
            "{}, {} of the plain rows; {} bytes; memory {idle} idle, {peak} at its peak",
            milliseconds(took),
            ratio(took_as_number, plain),
            with_commas(bytes)
        ))
    }

    async fn province(&self) -> Result<String, Failure> {
        let server = Server::start(self.installation)?;
        let (mut connection, token) = self.ready(&server).await?;
        let province = self.country.provinces.first().ok_or("no province")?;
        let mut told = Vec::new();
        for (what, query) in [
            ("children", "rows=children"),
            ("its communes", "rows=level:commune"),
            (
                "with the year before, targets and completeness",
                "rows=level:commune&include=previous,target,completeness",
            ),
        ] {
            let mut question = self.question(province, query);
            let (times, _) = ask(&mut connection, &token, &mut question, SMALL).await?;
            told.push(format!("{what} {}", milliseconds(median(times))));
        }
        let path = self.question(province, "rows=children").turned();
        let first = connection.exchange(&get(&path, Some(&token), None)).await?;
        let etag = first.etag.ok_or("a table without an ETag")?;
        let again = get(&path, Some(&token), Some(&etag));
        let mut times = Vec::new();
        for _ in 0..SMALL {
            let began = Instant::now();
            let answer = connection.exchange(&again).await?;
            times.push(began.elapsed());
            if answer.status != 304 {
                return Err(answer.told().into());
            }
        }
        told.push(format!("304 {}", milliseconds(median(times))));
        server.stop()?;
        Ok(told.join("; "))
    }

    /// Signs in, and reads a report: that loads the map.
    async fn ready(&self, server: &Server) -> Result<(Connection, String), Failure> {
        let mut connection = Connection::new(server.address);
        let token = self.tenant.sign_in(&mut connection, "admin").await?;
        read_rollup(&mut connection, &token, self.form.period, ROOT).await?;
        Ok((connection, token))
    }

    fn question(&self, unit: &str, query: &str) -> Question {
        let period = self.form.period;
        let all = indicators().into_iter();
        Question {
            path: format!("/v1/forms/{FORM}/units/code:{unit}/table?period={period}&{query}"),
            indicators: all.map(|indicator| indicator.code).collect(),
        }
    }
}

/// Asks several times. Returns the times, and the bytes of the last answer.
async fn ask(
    connection: &mut Connection,
    token: &str,
    question: &mut Question,
    times: usize,
) -> Result<(Vec<Duration>, usize), Failure> {
    let (mut took, mut bytes) = (Vec::new(), 0);
    for _ in 0..times {
        let path = question.turned();
        let began = Instant::now();
        let answer = connection.exchange(&get(&path, Some(token), None)).await?;
        took.push(began.elapsed());
        if answer.status != 200 {
            return Err(answer.told().into());
        }
        bytes = answer.body.len();
    }
    Ok((took, bytes))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
