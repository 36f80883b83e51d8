//! Submissions: states and steps, receipts, numbers.

mod deadlines;
mod numbers;
mod receipts;
mod steps;
mod submissions;
