//! The door to standard output and standard error for all commands. A reader that has gone, or a
//! full disk, is a failure of the command, never a panic.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

/// The reasons for which a command's output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The reader of the output has gone, as `head` does.
    #[error("nobody reads the output")]
    ReaderGone,
    #[error("cannot write the output: {0}")]
    Other(std::io::Error),
}

/// Prints a text and the end of its line.
///
/// # Errors
/// [`OutputError`].
pub fn print_line(text: impl Display) -> Result<(), OutputError> {
    let mut output = stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => OutputError::ReaderGone,
        _ => OutputError::Other(error),
    })
}

/// Prints a note beside a command's output, on standard error. If that cannot be written, nobody
/// can be told.
pub fn print_note(text: impl Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}
