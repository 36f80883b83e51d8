//! Submissions: states and steps, days on which something came in, receipts, numbers.

mod approvals;
mod batch;
mod deadlines;
mod jumps;
mod nil;
mod numbers;
mod receipts;
mod received_days;
mod replaced;
mod steps;
mod submissions;
