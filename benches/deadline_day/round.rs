//! Times what people ask about the round: how complete the report of each level is, who is missing
//! and whom to call, and what an account owes. Asked while nobody has reported, when everybody has,
//! and when one hamlet of the country was given more time. Nothing of it is kept by the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;
use crate::connection::{Answer, Connection, get, put};
use crate::country::{Country, ROOT};
use crate::form::{FORM, Form};
use crate::report::{Report, milliseconds};

/// The number of times that each question is asked.
const TIMES: usize = 21;
/// A day after every ordinary deadline of the form.
const MORE_TIME: &str = "2026-12-31";

/// The accounts that ask.
pub struct Round<'r> {
    pub address: SocketAddr,
    pub country: &'r Country,
    pub form: &'r Form,
    /// The token of an approver of the whole country.
    pub approver: &'r str,
    /// The token of the first town's clerk.
    pub clerk: &'r str,
}

impl Round<'_> {
    /// Asks everything, and adds a row for this moment of the round.
    pub async fn measure(&self, report: &mut Report, moment: &str) -> Result<(), Failure> {
        let mut connection = Connection::new(self.address);
        let mut told = Vec::new();
        for (what, path) in self.completeness() {
            let took = median(&mut connection, &get(&path, Some(self.approver), None)).await?;
            told.push(format!("{what} {}", milliseconds(took)));
        }
        report.row(format!("completeness, {moment}"), told.join("; "));
        let mut told = Vec::new();
        for (whose, token) in [
            ("country's approver", self.approver),
            ("town's clerk", self.clerk),
        ] {
            let question = get("/v1/me/tasks", Some(token), None);
            let count = tasks(&mut connection, &question).await?;
            let took = median(&mut connection, &question).await?;
            told.push(format!("{whose} {} ({count} tasks)", milliseconds(took)));
        }
        report.row(format!("tasks, {moment}"), told.join("; "));
        Ok(())
    }

    /// Gives the first hamlet more time.
    pub async fn extend(&self) -> Result<(), Failure> {
        let mut connection = Connection::new(self.address);
        let hamlet = self.country.hamlets.first().ok_or("no hamlets")?;
        let (period, code) = (self.form.period, &hamlet.code);
        let path = format!("/v1/forms/{FORM}/periods/{period}/units/code:{code}/extension");
        let body = format!(r#"{{"until":"{MORE_TIME}","reason":"Lũ"}}"#);
        let answer = connection
            .exchange(&put(&path, self.approver, &body))
            .await?;
        match answer.status {
            201 => Ok(()),
            _ => Err(answer.told().into()),
        }
    }

    fn completeness(&self) -> Vec<(&'static str, String)> {
        let path = |unit: &str, query: &str| {
            let period = self.form.period;
            format!("/v1/forms/{FORM}/periods/{period}/units/code:{unit}/completeness{query}")
        };
        let first = |units: &[String]| units.first().cloned().unwrap_or_default();
        let (province, town) = (first(&self.country.provinces), first(&self.country.towns));
        let missing = "?of=level:commune&status=missing";
        vec![
            ("country", path(ROOT, "")),
            ("province", path(&province, "")),
            ("town", path(&town, "")),
            ("communes missing in the country", path(ROOT, missing)),
            ("in a town", path(&town, missing)),
        ]
    }
}

async fn median(connection: &mut Connection, question: &[u8]) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = connection.exchange(question).await?;
        times.push(began.elapsed());
        found(answer)?;
    }
    times.sort_unstable();
    Ok(times.get(TIMES / 2).copied().unwrap_or_default())
}

/// Counts the tasks of a list.
async fn tasks(connection: &mut Connection, question: &[u8]) -> Result<u64, Failure> {
    let list: Value = serde_json::from_slice(&found(connection.exchange(question).await?)?.body)?;
    let counts = list.get("counts").and_then(Value::as_object);
    let counts = counts.ok_or("a list of tasks without counts")?;
    Ok(counts.values().filter_map(Value::as_u64).sum())
}

fn found(answer: Answer) -> Result<Answer, Failure> {
    match answer.status {
        200 => Ok(answer),
        _ => Err(answer.told().into()),
    }
}
