//! Backups: a checked copy of a SQLite database while a server writes to it. PostgreSQL has its own
//! programs for that.

use std::path::{Path, PathBuf};

use crate::store::backup::{copy, damages};
use crate::store::{DatabaseUrl, StoreError};

/// The reasons for which a backup fails. A failed backup leaves no file behind.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "this is PostgreSQL: take the copy with its own pg_dump, as the role tonghop_maintenance, \
         since row-level security hides the rows from every other; docs/operating.md has the commands"
    )]
    Postgresql,
    #[error("{0} is there already, and a backup overwrites nothing: choose another name")]
    Exists(PathBuf),
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{0}: a path of a backup must be UTF-8")]
    Path(PathBuf),
    #[error("the database cannot be copied: {0}")]
    Copy(#[from] StoreError),
    #[error("the copy is damaged, and so perhaps is the database: {0}")]
    Damaged(String),
}

/// Copies the database to a new file and returns its size in bytes. The file gets its name only
/// once it is complete, checked and on the disk.
///
/// # Errors
/// [`BackupError`].
pub fn back_up(database: &DatabaseUrl, to: &Path) -> Result<u64, BackupError> {
    let DatabaseUrl::Sqlite { path: from } = database else {
        return Err(BackupError::Postgresql);
    };
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let directory = directory_of(to)?;
    let in_directory = |source| BackupError::File {
        path: directory.clone(),
        source,
    };
    // Temporary files are readable by their owner only, and removed if anything fails.
    let draft = tempfile::Builder::new()
        .prefix(".tonghop-backup-")
        .tempfile_in(&directory)
        .map_err(in_directory)?;
    let path = draft.path();
    let text = path
        .to_str()
        .ok_or_else(|| BackupError::Path(to.to_owned()))?;
    copy(from, text)?;
    if let Some(damage) = damages(text)?.into_iter().next() {
        return Err(BackupError::Damaged(damage));
    }
    let in_draft = |source| BackupError::File {
        path: path.to_owned(),
        source,
    };
    draft.as_file().sync_all().map_err(in_draft)?;
    let bytes = draft.as_file().metadata().map_err(in_draft)?.len();
    draft
        .persist_noclobber(to)
        .map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
            _ => BackupError::File {
                path: to.to_owned(),
                source: error.error,
            },
        })?;
    // Syncing the directory makes the new name durable.
    std::fs::File::open(&directory)
        .and_then(|directory| directory.sync_all())
        .map_err(in_directory)?;
    Ok(bytes)
}

/// Returns the absolute directory of the copy: SQLite takes a path that begins with `file:` for an
/// address.
fn directory_of(to: &Path) -> Result<PathBuf, BackupError> {
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    parent.canonicalize().map_err(|source| BackupError::File {
        path: parent.to_owned(),
        source,
    })
}
