//! All tests of behaviour, through the public surface: HTTP, the command line, the engine's
//! functions. One program, since linking costs more than running. Each file is one subject.

#[cfg(test)]
#[macro_use]
mod harness;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod bad_network;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod calendars;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod completeness;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod crash_battery;
#[cfg(test)]
mod days;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod formulas;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod installation;
#[cfg(test)]
mod left;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod map;
#[cfg(test)]
mod map_model;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod model;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod operating;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod printed_report;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod reform;
#[cfg(test)]
mod reorganisations;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod submissions;
#[cfg(test)]
mod subtree;
#[cfg(test)]
mod tan_an;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod time;
#[cfg(test)]
mod units;
#[cfg(test)]
mod verification;
#[cfg(test)]
mod windows;
#[cfg(test)]
mod work_in_progress;
#[cfg(test)]
mod writers;
