//! A dashboard that reads reports while the country submits: one after another of all levels, fifty
//! a second, from a thread of its own. Every report has changed since it was read before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::checks::rollup_path;
use crate::connection::{Connection, get};
use crate::country::{Country, ROOT};
use crate::form::Form;
use crate::load::percentile;
use crate::report::{milliseconds, with_commas};

/// The time from one question to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// A dashboard that is reading.
pub struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Duration>, String>>,
}

impl Watch {
    pub fn start(
        address: SocketAddr,
        token: &str,
        country: &Country,
        form: &Form,
    ) -> Result<Watch, Failure> {
        let levels = [&country.provinces, &country.towns, &country.communes];
        let units = [ROOT].into_iter();
        let units = units.chain(levels.into_iter().flatten().map(String::as_str).step_by(7));
        let questions: Vec<Vec<u8>> = units
            .map(|unit| get(&rollup_path(form.period, unit), Some(token), None))
            .collect();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new().name("watch".to_owned());
        let thread = thread.spawn(move || runtime.block_on(read(address, &questions, &over)))?;
        Ok(Watch { is_over, thread })
    }

    /// Ends the reading and tells how long the answers took.
    pub fn end(self) -> Result<String, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        let read = self.thread.join();
        let mut latencies = read.map_err(|_| "the dashboard's thread fell")??;
        latencies.sort_unstable();
        let of = |percent| milliseconds(percentile(&latencies, percent));
        Ok(format!(
            "{} reports: p50 {}, p99 {}, max {}",
            with_commas(latencies.len()),
            of(50),
            of(99),
            of(100)
        ))
    }
}

async fn read(
    address: SocketAddr,
    questions: &[Vec<u8>],
    is_over: &AtomicBool,
) -> Result<Vec<Duration>, String> {
    let mut connection = Connection::new(address);
    let mut latencies = Vec::new();
    for question in questions.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let sent = Instant::now();
        let answer = connection.exchange(question).await;
        let answer = answer.map_err(|error| error.to_string())?;
        latencies.push(sent.elapsed());
        if answer.status != 200 {
            return Err(answer.told());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latencies)
}
