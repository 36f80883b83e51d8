//! All tests of behaviour, through the public surface: HTTP, the command line, the engine's
//! functions. One program, since linking costs more than running. A folder is a wing or a layer of
//! the program, a file one subject.

#[cfg(test)]
#[macro_use]
mod harness;

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod command;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod http;
#[cfg(test)]
mod map;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod people;
#[cfg(test)]
mod report;
#[cfg(test)]
mod round;
#[cfg(test)]
mod sentences;
#[cfg(test)]
mod store;
#[cfg(test)]
mod submission;
#[cfg(test)]
mod totals;
