//! Submissions: states and steps, days on which something came in, receipts, numbers.

mod approvals;
mod deadlines;
mod libreoffice;
mod nil;
mod numbers;
mod receipts;
mod received_days;
mod sheet;
mod steps;
mod submissions;
