//! The program in operation: installing, checking, stopping, crashing, backing up.

mod crash_battery;
mod full_disk;
mod import_killed;
mod installation;
mod operating;
mod stopping;
mod tls;
