//! Other ways to do the same, in the same run on the same machine.
//!
//! * **The engine without HTTP**: the same submissions, with their keys, through the service
//!   functions in this process, in batches of 256, by one thread, in a second database of the same
//!   kind (on PostgreSQL: a second tenant) with the same country.
//! * **One transaction a submission**: the same in batches of one, for another period.
//! * **Packed facts alone**: the revisions that the day wrote, copied in order to a table with the
//!   columns and the key of `submission_revision` and nothing else, 256 a transaction.
//! * **The same rows, written plainly**: see `plain.rs`.
//! * **Summing on read**: every hamlet's values in one row with a column each, which suits adding
//!   up best, and one recursive query over the tree, in the database itself; against one read of
//!   the report over HTTP while nobody else reads.
//! * `tables.rs` compares tables with reading their rows plainly.
//! * `reads.rs` compares reading reports with static answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tonghop::authn::Identity;
use tonghop::domain::submission::Nil;
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::idempotency::Repeatable;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::submission::{Arrival, Asked, Entered, Intent, SubmissionChange, change_all};

use crate::connection::Connection;
use crate::country::{Country, ROOT};
use crate::form::{FORM, Form};
use crate::plain::{Day, Rows};
use crate::reads::Reads;
use crate::report::{Report, milliseconds, per_second, ratio, with_commas};
use crate::server::{Installation, Server, Tenant};
use crate::sql::{Beside, DayOf};
use crate::tables::Tables;
use crate::{Accounts, Failure, bar, now};

/// The number of submissions a transaction.
const BATCH: usize = 256;

/// The day, after it is over.
pub struct Ratios<'d> {
    pub installation: &'d Installation,
    pub tenant: &'d Tenant,
    pub country: &'d Country,
    pub form: &'d Form,
    /// The number of submissions for each way of writing.
    pub sample: usize,
    /// The number of servers that answer reads.
    pub servers: usize,
}

/// A submission as the service takes it.
type Submission = (Call, ReportPath, Entered);

impl Ratios<'_> {
    pub async fn of_tables(&self, report: &mut Report) -> Result<(), Failure> {
        let tables = Tables {
            installation: self.installation,
            tenant: self.tenant,
            country: self.country,
            form: self.form,
        };
        tables.measure(report).await
    }

    pub async fn of_reading(&self, report: &mut Report) -> Result<(), Failure> {
        let servers = (0..self.servers).map(|_| Server::start(self.installation));
        let servers: Vec<Server> = servers.collect::<Result<_, _>>()?;
        let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
        let address = addresses.first().copied().ok_or("no server")?;
        let mut connection = Connection::new(address);
        let token = self.tenant.sign_in(&mut connection, "admin").await?;
        let reads = Reads {
            addresses: &addresses,
            token: &token,
            country: self.country,
            form: self.form,
        };
        reads.measure(report).await?;
        let mut units = vec![("country", ROOT)];
        units.extend(
            self.country
                .provinces
                .first()
                .map(|code| ("province", code.as_str())),
        );
        let mut read = Vec::new();
        for (level, unit) in units {
            read.push((level, unit, reads.single(unit).await?));
        }
        for server in servers {
            server.stop()?;
        }
        let mut beside = Beside::open(self.installation)?;
        beside.fill_values(self.country, self.form)?;
        for (level, unit, once) in read {
            let (summing, reported) = beside.sum(unit, self.form)?;
            report.row(
                format!("summing a {level} on read"),
                format!(
                    "{} for {} hamlets; its report is read in {}",
                    milliseconds(summing),
                    with_commas(reported),
                    milliseconds(once)
                ),
            );
        }
        beside.clear()
    }

    pub fn of_writing(&self, report: &mut Report) -> Result<(), Failure> {
        let (facts, rows) = self.plainly()?;
        report.row("packed facts alone", format!("{}/s", with_commas(facts)));
        report.row(
            "the same rows, written plainly",
            format!("{}/s", with_commas(rows)),
        );
        let second = self.installation.beside()?;
        let tenant = second.prepare(self.country, self.form, Accounts::None)?;
        let application = second.application()?;
        let engine = Engine {
            identity: tenant.admin(&application)?,
            application,
            ratios: self,
        };
        for (what, period, batch) in [
            ("engine without HTTP", self.form.period, BATCH),
            ("one transaction a submission", self.form.year_before(), 1),
        ] {
            let rate = engine.run(what, period, batch)?;
            report.row(
                what,
                format!(
                    "{}/s, {} of the facts alone, {} of the same rows written plainly",
                    with_commas(rate),
                    ratio(rate, facts),
                    ratio(rate, rows)
                ),
            );
        }
        Ok(())
    }

    /// Writes what the day wrote without an engine: the packed facts alone, then all its rows. Returns
    /// the submissions a second of both. Collecting the rows is not counted.
    fn plainly(&self) -> Result<(usize, usize), Failure> {
        let mut beside = Beside::open(self.installation)?;
        let mut day = DayOf::open(self.installation, self.tenant, self.form.period)?;
        let revisions = beside.revisions(&mut day, self.sample)?;
        let day = Day::read(&mut day)?;
        let progress = bar("packed facts alone", revisions.len())?;
        let began = Instant::now();
        for batch in revisions.chunks(BATCH) {
            beside.insert(batch)?;
            progress.inc(u64::try_from(batch.len())?);
        }
        let facts = began.elapsed();
        progress.finish_and_clear();
        beside.empty_facts()?;
        Rows::make_tables(beside.own())?;
        let progress = bar("the same rows, written plainly", revisions.len())?;
        let (mut took, mut written) = (Duration::ZERO, 0);
        for (batch, rev) in revisions.chunks(BATCH).zip(1..) {
            let rows = day.rows(batch, written, rev);
            let began = Instant::now();
            rows.write(beside.own())?;
            took += began.elapsed();
            written += batch.len();
            progress.inc(u64::try_from(batch.len())?);
        }
        progress.finish_and_clear();
        Rows::drop_tables(beside.own())?;
        beside.clear()?;
        Ok((
            per_second(revisions.len(), facts),
            per_second(written, took),
        ))
    }
}

/// The service in this process.
struct Engine<'r> {
    application: Application,
    identity: Identity,
    ratios: &'r Ratios<'r>,
}

impl Engine<'_> {
    /// Submits the sample for a period and returns the rate a second. Preparation is not counted.
    fn run(&self, what: &str, period: &str, batch: usize) -> Result<usize, Failure> {
        let order = self.ratios.country.shuffled();
        let (first, others) = order.split_first().ok_or("no hamlets")?;
        // The first one loads the map.
        self.submit(vec![self.submission(*first, period)?])?;
        let others = others.get(..self.ratios.sample).unwrap_or(others);
        let progress = bar(what, others.len())?;
        let mut took = Duration::ZERO;
        for hamlets in others.chunks(batch) {
            let submissions = hamlets
                .iter()
                .map(|hamlet| self.submission(*hamlet, period))
                .collect::<Result<Vec<Submission>, Failure>>()?;
            let began = Instant::now();
            self.submit(submissions)?;
            took += began.elapsed();
            progress.inc(u64::try_from(hamlets.len())?);
        }
        progress.finish_and_clear();
        Ok(per_second(others.len(), took))
    }

    /// The one place where a batch goes into the engine.
    fn submit(&self, batch: Vec<Submission>) -> Result<(), Failure> {
        let changes = batch.into_iter();
        let changes = changes
            .map(|(call, path, entered)| (call, path, SubmissionChange::Put(entered)))
            .collect();
        let asked = Asked::all(&self.application, changes)?;
        change_all(&self.application, self.identity.tenant(), asked)
            .into_iter()
            .try_for_each(|answer| answer.map(drop))?;
        Ok(())
    }

    fn submission(&self, hamlet: usize, period: &str) -> Result<Submission, Failure> {
        let Ratios { country, form, .. } = self.ratios;
        let code = &country.hamlets.get(hamlet).ok_or("no such hamlet")?.code;
        let unit = format!("code:{code}");
        let repeatable = Repeatable {
            operation: "put_submission".to_owned(),
            path: format!("/v1/forms/{FORM}/periods/{period}/units/{unit}/submission"),
            key: format!("first-{hamlet}"),
            // No request is repeated here.
            body_hash: [0; 32],
        };
        let path = ReportPath {
            form: FORM.to_owned(),
            period: period.to_owned(),
            unit,
        };
        let call = Call {
            identity: self.identity,
            precondition: Precondition::Absent,
            repeatable: Some(repeatable),
            now: now(),
        };
        let entered = Entered {
            values: form.values(hamlet)?,
            narrative: Vec::new(),
            nil: Nil::NotDeclared,
            intent: Intent::Submit,
            arrival: Arrival::Now,
        };
        Ok((call, path, entered))
    }
}
