//! Compares reading reports over HTTP with static answers of the same servers.
//!
//! A report is read with a token at each level, and once more with the ETag that it has (304).
//! The static answers need no token, no database and no rule: `/.well-known/jwks.json`, the
//! smallest, and `/openapi.json`, the largest. A static JSON *of the same size* as a report is on
//! the straight line between the two, in time against bytes. A report's 304 is compared with the
//! 304 of `/openapi.json`. Both sides are asked by the same clients on the same processors, which
//! takes part of the time of either.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use crate::Failure;
use crate::checks::rollup_path;
use crate::connection::{Connection, get};
use crate::country::{Country, ROOT};
use crate::form::Form;
use crate::report::{Report, ratio, with_commas};

/// The numbers of connections that read at once.
const CONNECTIONS: [usize; 3] = [1, 16, 256];
/// The time for which each kind of answer is requested.
const READ_FOR: Duration = Duration::from_secs(2);
/// The number of different units of a level to read.
const MOST_UNITS: usize = 64;
/// The number of successive reads that are timed alone.
const SINGLE_READS: usize = 101;

/// The servers to read from, and the token to read with.
pub struct Reads<'c> {
    /// At least one. The clients take turns among them.
    pub addresses: &'c [SocketAddr],
    pub token: &'c str,
    pub country: &'c Country,
    pub form: &'c Form,
}

/// Answers of one kind.
struct Flood {
    count: usize,
    took: Duration,
    /// The bytes of one body.
    bytes: usize,
}

impl Flood {
    fn per_second(&self) -> usize {
        crate::report::per_second(self.count, self.took)
    }
}

impl Reads<'_> {
    /// Measures every level, with few readers and with many.
    pub async fn measure(&self, report: &mut Report) -> Result<(), Failure> {
        for connections in CONNECTIONS {
            self.measure_with(connections, report).await?;
        }
        Ok(())
    }

    async fn measure_with(&self, connections: usize, report: &mut Report) -> Result<(), Failure> {
        let documents = ["/openapi.json".to_owned()];
        let small = self
            .flood_static("/.well-known/jwks.json", connections)
            .await?;
        let large = self.flood_static("/openapi.json", connections).await?;
        let seen = self.flood_unchanged(&documents, connections).await?;
        report.row(
            format!("static answers, {connections} connections"),
            format!(
                "{} bytes {}/s; {} bytes {}/s; 304 {}/s",
                with_commas(small.bytes),
                with_commas(small.per_second()),
                with_commas(large.bytes),
                with_commas(large.per_second()),
                with_commas(seen.per_second())
            ),
        );
        for (level, units) in self.levels() {
            let paths: Vec<String> = units
                .map(|unit| rollup_path(self.form.period, unit))
                .collect();
            let full = self
                .flood(&self.questions(&paths), 200, connections)
                .await?;
            let unchanged = self.flood_unchanged(&paths, connections).await?;
            report.row(
                format!("report of a {level}"),
                format!(
                    "{} bytes {}/s, {} of a static one of that size; 304 {}/s, {} of a static 304",
                    with_commas(full.bytes),
                    with_commas(full.per_second()),
                    ratio(full.per_second(), static_of(full.bytes, &small, &large)),
                    with_commas(unchanged.per_second()),
                    ratio(unchanged.per_second(), seen.per_second())
                ),
            );
        }
        Ok(())
    }

    /// The time of one read of a unit's report while nobody else reads: the median of many.
    pub async fn single(&self, unit: &str) -> Result<Duration, Failure> {
        let question = get(&rollup_path(self.form.period, unit), Some(self.token), None);
        let mut connection = self.connections().next().ok_or("no server")?;
        let mut times = Vec::new();
        for _ in 0..SINGLE_READS {
            let began = Instant::now();
            let answer = connection.exchange(&question).await?;
            times.push(began.elapsed());
            if answer.status != 200 {
                return Err(answer.told().into());
            }
        }
        times.sort_unstable();
        Ok(times.get(SINGLE_READS / 2).copied().unwrap_or_default())
    }

    /// One connection to each server.
    fn connections(&self) -> impl Iterator<Item = Connection> {
        self.addresses.iter().copied().map(Connection::new)
    }

    fn levels(&self) -> [(&'static str, Box<dyn Iterator<Item = &str> + '_>); 4] {
        let Country {
            provinces,
            towns,
            communes,
            ..
        } = self.country;
        [
            ("country", Box::new(std::iter::once(ROOT))),
            ("province", Box::new(spread(provinces))),
            ("town", Box::new(spread(towns))),
            ("commune", Box::new(spread(communes))),
        ]
    }

    fn questions(&self, paths: &[String]) -> Vec<Vec<u8>> {
        let paths = paths.iter();
        paths
            .map(|path| get(path, Some(self.token), None))
            .collect()
    }

    async fn flood_static(&self, path: &str, connections: usize) -> Result<Flood, Failure> {
        self.flood(&[get(path, None, None)], 200, connections).await
    }

    /// Requests answers that the clients have already.
    async fn flood_unchanged(
        &self,
        paths: &[String],
        connections: usize,
    ) -> Result<Flood, Failure> {
        let mut connection = self.connections().next().ok_or("no server")?;
        let mut questions = Vec::new();
        for (path, question) in paths.iter().zip(self.questions(paths)) {
            let answer = connection.exchange(&question).await?;
            let etag = answer.etag.ok_or("an answer without an ETag")?;
            questions.push(get(path, Some(self.token), Some(&etag)));
        }
        self.flood(&questions, 304, connections).await
    }

    /// Requests answers. Asks each question once before the clock starts, since the first answers
    /// load the map.
    async fn flood(
        &self,
        questions: &[Vec<u8>],
        status: u16,
        connections: usize,
    ) -> Result<Flood, Failure> {
        for mut connection in self.connections() {
            for question in questions {
                connection.exchange(question).await?;
            }
        }
        let questions: Rc<[Vec<u8>]> = questions.into();
        let began = Instant::now();
        let local = LocalSet::new();
        let (count, bytes) = local
            .run_until(async {
                let mut clients = JoinSet::new();
                let addresses = self.addresses.iter().cycle();
                for (first, address) in addresses.take(connections).enumerate() {
                    clients.spawn_local(ask(*address, questions.clone(), first, status, began));
                }
                let (mut count, mut bytes) = (0, 0);
                while let Some(ended) = clients.join_next().await {
                    let (asked, read) = ended??;
                    count += asked;
                    bytes += read;
                }
                Ok::<_, Failure>((count, bytes))
            })
            .await?;
        Ok(Flood {
            count,
            took: began.elapsed(),
            bytes: bytes / count.max(1),
        })
    }
}

/// Returns some of a level's units, from all over the country.
fn spread(codes: &[String]) -> impl Iterator<Item = &str> {
    let step = codes.len().div_ceil(MOST_UNITS).max(1);
    codes.iter().step_by(step).map(String::as_str)
}

/// Asks one question after another until the time is over. Returns the number of answers and their
/// bytes.
async fn ask(
    address: SocketAddr,
    questions: Rc<[Vec<u8>]>,
    first: usize,
    status: u16,
    began: Instant,
) -> Result<(usize, usize), String> {
    let mut connection = Connection::new(address);
    let (mut count, mut bytes) = (0, 0);
    for question in questions.iter().cycle().skip(first) {
        let answer = connection.exchange(question).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != status {
            return Err(answer.told());
        }
        count += 1;
        bytes += answer.body.len();
        if began.elapsed() >= READ_FOR {
            break;
        }
    }
    Ok((count, bytes))
}

/// Estimates the rate of static answers of a size.
fn static_of(bytes: usize, small: &Flood, large: &Flood) -> usize {
    let nanoseconds = |flood: &Flood| 1_000_000_000 / flood.per_second().max(1);
    let (least, most) = (nanoseconds(small), nanoseconds(large));
    let size = bytes.saturating_sub(small.bytes);
    let sizes = large.bytes.saturating_sub(small.bytes).max(1);
    let time = least + most.saturating_sub(least) * size / sizes;
    1_000_000_000 / time.max(1)
}
