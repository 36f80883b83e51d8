//! Reports: what is read of the totals, for longer periods too, and who has reported.

mod answers;
mod completeness;
mod longer_periods;
mod printed_report;
mod reading;
mod tan_an;
mod targets;
