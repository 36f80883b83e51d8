//! The results and their table: times, and the peak memory of this process.

use std::fmt;
use std::time::{Duration, Instant};

use comfy_table::{CellAlignment, Table, presets};

use crate::Failure;

/// The number of repetitions of something that changes nothing.
const REPETITIONS: usize = 9;

/// The time that something took.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Time {
    passed: Duration,
    /// The processor time of this thread. For the rest it waited: for the database, the disk, or
    /// other programs.
    computed: Duration,
}

impl Time {
    /// Does something and times it.
    fn of<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Time), Failure> {
        let (began, had_computed) = (Instant::now(), computed()?);
        let done = work()?;
        let time = Time {
            passed: began.elapsed(),
            computed: computed()?.saturating_sub(had_computed),
        };
        Ok((done, time))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", shown(self.passed), shown(self.computed))
    }
}

/// One thing that was done.
struct Measured {
    what: String,
    first: Time,
    /// The median of all times after the first.
    again: Option<Time>,
    /// The most memory that the process held while it was done, in KiB.
    peak: u64,
}

/// Everything that was done, in order.
#[derive(Default)]
pub struct Measurements {
    all: Vec<Measured>,
}

impl Measurements {
    /// Does something once.
    pub fn once<T>(
        &mut self,
        what: impl Into<String>,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        forget_peak()?;
        let (done, time) = Time::of(work)?;
        self.add(what.into(), time, None)?;
        Ok(done)
    }

    /// Does something several times.
    pub fn often(
        &mut self,
        what: impl Into<String>,
        work: impl Fn() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let timed = || Time::of(&work).map(|((), time)| time);
        forget_peak()?;
        let first = timed()?;
        let mut times = (0..REPETITIONS)
            .map(|_| timed())
            .collect::<Result<Vec<Time>, Failure>>()?;
        times.sort();
        self.add(what.into(), first, times.get(REPETITIONS / 2).copied())
    }

    fn add(&mut self, what: String, first: Time, again: Option<Time>) -> Result<(), Failure> {
        let measured = Measured {
            what,
            first,
            again,
            peak: peak()?,
        };
        self.all.push(measured);
        Ok(())
    }

    /// Returns one repeated time as a multiple of another.
    pub fn ratio(&self, one: &str, other: &str) -> Option<String> {
        let micros = |what: &str| {
            let measured = self.all.iter().find(|measured| measured.what == what)?;
            Some(measured.again?.passed.as_micros().max(1))
        };
        let tenths = micros(one)? * 10 / micros(other)?;
        Some(format!("{}.{}", tenths / 10, tenths % 10))
    }

    /// The most memory that the process held at any time, in KiB.
    fn peak(&self) -> u64 {
        let peaks = self.all.iter().map(|measured| measured.peak);
        peaks.max().unwrap_or_default()
    }
}

impl fmt::Display for Measurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header([
            "what",
            "first time (computing)",
            "again, median of 9 (computing)",
            "peak memory, MiB",
        ]);
        for measured in &self.all {
            table.add_row([
                measured.what.clone(),
                measured.first.to_string(),
                measured
                    .again
                    .map_or_else(String::new, |again| again.to_string()),
                (measured.peak / 1024).to_string(),
            ]);
        }
        for column in 1..4 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        write!(f, "{table}\npeak memory: {} MiB", self.peak() / 1024)
    }
}

fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis if millis >= 1000 => format!("{}.{:02} s", millis / 1000, millis % 1000 / 10),
        millis => format!("{millis}.{:02} ms", time.as_micros() % 1000 / 10),
    }
}

/// Makes the kernel measure the peak from here.
fn forget_peak() -> Result<(), Failure> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn peak() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("/proc/self/status has no VmHWM")?.parse()?)
}

/// Returns this thread's processor time so far.
fn computed() -> Result<Duration, Failure> {
    let counters = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = counters.split_whitespace().next();
    let nanos = nanos.ok_or("/proc/thread-self/schedstat is empty")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}
