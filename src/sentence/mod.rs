//! The faults of the engine in words. Each file belongs to a noun and has one match from the noun's
//! faults to their codes and sentences. Also the names that are made of words: of periods, ranges and
//! lists. Decides nothing.

mod plan;
mod reorganisation;
mod text;

pub mod formula;
pub mod naming;
pub mod period;
pub mod quantity;
pub mod release;
pub mod submission;
pub mod unit;
pub mod written;

use crate::domain::fault::{FaultAt, Faults, FieldPath};
use crate::error::{Code, Fault, FaultList, Message};

/// A fault of the engine with a sentence for people.
pub trait Sentence {
    /// Returns the stable code, and a sentence that says what is wrong and what to do next.
    fn sentence(&self) -> (Code, Message);

    /// The sentence alone.
    fn message(&self) -> Message {
        self.sentence().1
    }

    /// The fault at its place in the body.
    fn at(&self, path: FieldPath) -> Fault {
        let (code, message) = self.sentence();
        Fault::in_body(path, code, message)
    }
}

impl<F: Sentence> From<FaultAt<F>> for Fault {
    fn from(found: FaultAt<F>) -> Fault {
        found.fault.at(found.path)
    }
}

impl<F: Sentence> From<Faults<F>> for FaultList {
    fn from(found: Faults<F>) -> FaultList {
        let count = found.count();
        let faults = found.into_iter().map(Fault::from).collect();
        FaultList { faults, count }
    }
}
