//! Submissions: states and steps, days on which something came in, receipts, numbers.

mod approvals;
mod batch;
mod deadlines;
mod import;
mod jumps;
mod libreoffice;
mod nil;
mod numbers;
mod receipts;
mod received_days;
mod replaced;
mod sheet;
mod sheet_back;
mod steps;
mod submissions;
