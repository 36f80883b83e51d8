//! Submissions: states and steps, days on which something came in, numbers.

mod approvals;
mod deadlines;
mod numbers;
mod received_days;
mod steps;
mod submissions;
