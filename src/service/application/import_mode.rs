//! The choice that every import has.

/// Chooses between writing a list and only checking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    Write,
    DryRun,
}

impl ImportMode {
    /// Reads the parameter `dry_run` of a request.
    pub fn of_parameter(dry_run: Option<bool>) -> ImportMode {
        match dry_run {
            Some(true) => ImportMode::DryRun,
            Some(false) | None => ImportMode::Write,
        }
    }
}
