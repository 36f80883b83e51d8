//! The log and the metrics of the running program. Labels never name a tenant or a unit.

use std::time::Instant;

use std::io::IsTerminal;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// A failure to set up the log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives of the setting `log` cannot be read.
    #[error("log: {0}")]
    Directives(#[from] tracing_subscriber::filter::ParseError),
    /// The process has a log already.
    #[error("the log cannot be set up: {0}")]
    AlreadyThere(Box<dyn std::error::Error + Send + Sync>),
}

/// The framework's word on its clients' mistakes, such as a line that is no HTTP: not an error of the
/// server. A directive of the setting for the same part wins.
const QUIET: &str = "actix_http=off";

/// Starts this process's log, on standard error. May be called once a process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start_log(settings: &Settings) -> Result<(), TelemetryError> {
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // The library would report its own errors on standard error and panic if nobody reads that.
        // A closed log must not stop the service.
        .log_internal_errors(false)
        .with_env_filter(EnvFilter::try_new(format!("{QUIET},{}", settings.log))?);
    match settings.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    }
    .map_err(TelemetryError::AlreadyThere)
}

/// The metrics of the process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    verification: VerificationMetrics,
}

/// The metrics of the verifier.
#[derive(Clone, Default)]
pub struct VerificationMetrics {
    periods: Counter,
    differences: Counter,
    histories: Counter,
    broken_histories: Counter,
    releases: Counter,
    altered_releases: Counter,
    failures: Counter,
    last: Gauge,
}

impl VerificationMetrics {
    /// Counts a period that was recomputed at `now`, and the units whose stored total differed.
    pub fn verified(&self, differences: usize, now: DateTime<Utc>) {
        self.periods.inc();
        self.differences
            .inc_by(u64::try_from(differences).unwrap_or(u64::MAX));
        self.last.set(now.timestamp());
    }

    /// Counts a tenant's history of changes that was audited at `now`.
    pub fn audited(&self, now: DateTime<Utc>) {
        self.histories.inc();
        self.last.set(now.timestamp());
    }

    /// Counts an audited history that is not as it was written.
    pub fn found_broken_history(&self) {
        self.broken_histories.inc();
    }

    /// Counts the releases of a tenant that were compared with their hashes at `now`, and those of
    /// which the copy is not what was sent.
    pub fn compared_releases(&self, releases: u64, altered: usize, now: DateTime<Utc>) {
        self.releases.inc_by(releases);
        self.altered_releases
            .inc_by(u64::try_from(altered).unwrap_or(u64::MAX));
        self.last.set(now.timestamp());
    }

    /// Counts a period, a history or the releases of a tenant that could not be verified.
    pub fn failed(&self) {
        self.failures.inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

/// Histogram bounds in seconds, from a cached read to a large import.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

fn new_histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    /// Makes the metrics of a process that started at `started`.
    pub fn new(started: DateTime<Utc>) -> Metrics {
        let metrics = Metrics {
            registry: Registry::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(new_histogram),
            in_flight: Gauge::default(),
            verification: VerificationMetrics::default(),
        };
        metrics.registered(started)
    }

    fn registered(mut self, started: DateTime<Utc>) -> Metrics {
        let start = Gauge::<i64>::default();
        start.set(started.timestamp());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);

        let registry = &mut self.registry;
        registry.register(
            "process_start_time_seconds",
            "Start of the process, in seconds since 1970",
            start,
        );
        registry.register("tonghop_build", "The running program", build);
        registry.register(
            "tonghop_http_requests",
            "Requests answered",
            self.requests.clone(),
        );
        registry.register(
            "tonghop_http_request_seconds",
            "Time from a request to its answer",
            self.seconds.clone(),
        );
        registry.register(
            "tonghop_http_requests_in_flight",
            "Requests being worked on",
            self.in_flight.clone(),
        );
        let verification = &self.verification;
        registry.register(
            "tonghop_verification_periods",
            "Periods folded anew and compared",
            verification.periods.clone(),
        );
        registry.register(
            "tonghop_verification_differences",
            "Units whose kept totals were not what their submissions make; there should be none",
            verification.differences.clone(),
        );
        registry.register(
            "tonghop_verification_histories",
            "Histories of changes audited",
            verification.histories.clone(),
        );
        registry.register(
            "tonghop_verification_broken_histories",
            "Histories of changes that were not as they were written; there should be none",
            verification.broken_histories.clone(),
        );
        registry.register(
            "tonghop_verification_releases",
            "Releases compared with their hashes",
            verification.releases.clone(),
        );
        registry.register(
            "tonghop_verification_altered_releases",
            "Releases of which the copy was not what was sent; there should be none",
            verification.altered_releases.clone(),
        );
        registry.register(
            "tonghop_verification_failures",
            "Periods, histories and releases of tenants that could not be verified",
            verification.failures.clone(),
        );
        registry.register(
            "tonghop_verification_last_time_seconds",
            "When something was verified last, in seconds since 1970; 0 before the first",
            verification.last.clone(),
        );
        self
    }

    /// Returns the verifier's counters.
    pub fn verification(&self) -> VerificationMetrics {
        self.verification.clone()
    }

    /// Starts to measure a request.
    pub fn begin_request(&self, method: &str) -> RequestTimer<'_> {
        self.in_flight.inc();
        RequestTimer {
            metrics: self,
            method: known_method(method),
            began: Instant::now(),
        }
    }

    /// Writes all metrics in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written out");
        }
        text
    }
}

/// Measures one request. If dropped unfinished, the caller had given up.
pub struct RequestTimer<'metrics> {
    metrics: &'metrics Metrics,
    method: &'static str,
    began: Instant,
}

impl RequestTimer<'_> {
    /// Counts the request as answered with `status`.
    pub fn finish(self, operation: &'static str, status: u16) {
        let seconds = self.began.elapsed().as_secs_f64();
        let labels = OperationLabels { operation };
        self.metrics.seconds.get_or_create(&labels).observe(seconds);
        let labels = RequestLabels {
            operation,
            method: self.method,
            status,
        };
        self.metrics.requests.get_or_create(&labels).inc();
    }
}

impl Drop for RequestTimer<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}

/// Limits the label to known methods: callers may invent names, and each label costs memory for
/// ever.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_method_and_status() {
        let metrics = Metrics::new(DateTime::UNIX_EPOCH);
        metrics.begin_request("BREW").finish("get_unit", 200);
        let waiting = metrics.begin_request("GET");
        let text = metrics.encode();
        drop(waiting);
        for line in [
            "tonghop_http_requests_total{operation=\"get_unit\",method=\"other\",status=\"200\"} 1",
            "tonghop_http_request_seconds_count{operation=\"get_unit\"} 1",
            "tonghop_http_requests_in_flight 1",
            "process_start_time_seconds 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.contains("tonghop_build_info{version="), "{text}");
    }
}
