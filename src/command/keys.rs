//! The operator's commands on signing keys.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use comfy_table::{Table, presets};

use tonghop::authn::keys::{KeyState, SigningKey, load_all};
use tonghop::authn::rotation::{activate_next, last_token_of, make_next, remove_retired};

use super::output::print_line;
use crate::Failure;

#[derive(Subcommand)]
pub enum KeysCommand {
    /// List the keys that sign and verify tokens.
    List,
    /// Make the next key: it is published and accepted, and signs nothing yet.
    Next,
    /// Let the next key sign; the one that signed before is retired.
    Activate,
    /// Remove the retired keys whose tokens have expired.
    Remove,
}

pub fn run(directory: &Path, command: &KeysCommand, now: DateTime<Utc>) -> Result<(), Failure> {
    match command {
        KeysCommand::List => print_line(table_of(&load_all(directory)?))?,
        KeysCommand::Next => print_line(format_args!(
            "{} is the next key",
            make_next(directory)?.display()
        ))?,
        KeysCommand::Activate => {
            print_line(format_args!(
                "{} signs from now on",
                activate_next(directory, now)?.display()
            ))?;
        }
        KeysCommand::Remove => {
            let removed = remove_retired(directory, now)?;
            if removed.is_empty() {
                print_line("no key is retired")?;
            }
            for path in removed {
                print_line(format_args!("{} was removed", path.display()))?;
            }
        }
    }
    Ok(())
}

fn table_of(keys: &[SigningKey]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["file", "state", "since", "tokens serve until", "id"]);
    for key in keys {
        let name = key.path.file_name().unwrap_or_default();
        let until = last_token_of(key).map(written);
        table.add_row([
            name.to_string_lossy().into_owned(),
            state_of(key.state).to_owned(),
            written(key.since),
            until.unwrap_or_default(),
            key.key.id.to_string(),
        ]);
    }
    table
}

fn state_of(state: KeyState) -> &'static str {
    match state {
        KeyState::Next => "next",
        KeyState::Active => "active",
        KeyState::Retired => "retired",
    }
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
