//! Submissions: their states and steps, when they came in, and the numbers in them.

mod numbers;
mod receipts;
mod submissions;
