//! The faults of the engine in words: one file a noun, and in it one match from each of the noun's
//! faults to its code and its sentence in both languages. Never what decides that something is wrong.

mod plan;
mod reorganisation;
mod text;

pub mod formula;
pub mod naming;
pub mod quantity;
pub mod submission;
pub mod unit;

use crate::domain::fault::{FaultAt, Faults, FieldPath};
use crate::error::{Code, Fault, FaultList, Message};

/// A fault of the engine that people can be told.
pub trait Sentence {
    /// The stable code, and what is wrong with what to do next.
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
