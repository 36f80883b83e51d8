//! Submissions: states and steps, receipts, numbers.

mod approvals;
mod deadlines;
mod numbers;
mod receipts;
mod steps;
mod submissions;
