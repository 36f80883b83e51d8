//! The progress bar of a long command, one phase at a time. A phase of unknown length gets no bar.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tonghop::service::application::watcher::{Phase, Watcher};

use crate::Failure;

pub struct Bar(ProgressBar);

impl Bar {
    pub fn new() -> Result<Bar, Failure> {
        let template = "{msg:28} {bar:40} {human_pos}/{human_len} {elapsed}";
        let style = ProgressStyle::with_template(template)?;
        Ok(Bar(ProgressBar::new(0).with_style(style)))
    }
}

impl Watcher for Bar {
    fn begin(&self, phase: Phase, length: usize) {
        self.0.reset();
        self.0.set_length(u64::try_from(length).unwrap_or(u64::MAX));
        self.0.set_message(match phase {
            Phase::Rows => "rows checked",
            Phase::Units => "units written",
            Phase::Figures => "maps with figures",
            Phase::Map => "kinds of facts written",
            Phase::Totals => "periods with totals made anew",
            Phase::Values => "rows read",
            Phase::Submissions => "submissions entered",
        });
        self.0.enable_steady_tick(Duration::from_millis(100));
    }

    fn advance(&self, by: usize) {
        self.0.inc(u64::try_from(by).unwrap_or(u64::MAX));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
