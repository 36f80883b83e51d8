//! Submissions: states and steps, receipts, numbers.

mod numbers;
mod receipts;
mod submissions;
