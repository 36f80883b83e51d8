//! Submissions: states and steps, receipts, numbers.

mod approvals;
mod deadlines;
mod nil;
mod numbers;
mod receipts;
mod steps;
mod submissions;
