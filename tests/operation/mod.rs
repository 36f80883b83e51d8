//! The program in operation: installing, checking, stopping, crashing, backing up.

mod crash_battery;
mod full_disk;
mod installation;
mod operating;
mod stopping;
mod tls;
