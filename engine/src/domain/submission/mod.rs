//! Submissions (số liệu báo cáo): what one unit submits on one form for one period, which states
//! it goes through, and what makes its values acceptable. Never totals of several units.

mod completion;
mod fault;
mod reading;
mod record;
mod status;

pub use completion::{complete, read_nil};
pub use fault::{OutOfBounds, SubmissionFault};
pub use reading::{
    EnteredPassage, EnteredValue, Submitter, check_collected, impossible, read_narrative,
    read_values, unknown_indicator, unknown_option, unusual,
};
pub use record::{
    Content, EnteredFor, Fact, Nil, Passage, Reason, Revision, RevisionRecord, SpeaksFor,
    Submission, SubmissionKey, ValueReason,
};
pub use status::{Counting, Effect, OwnWarning, Stage, Status, Step, WrongStatus};
