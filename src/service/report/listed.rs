//! Units of a subtree that a caller lists by a word: `children`, or `level:` and the code of a level. Does
//! not decide what is shown of them.

use chrono::NaiveDate;

use crate::domain::hierarchy::{Hierarchy, Place, Tree};
use crate::domain::id::LevelCode;
use crate::domain::naming::Named;
use crate::domain::text::clipped;
use crate::error::Message;
use crate::locale::Quoted;
use crate::message;

/// The units that a list is of.
pub(super) enum ListedUnits {
    Children,
    Level(LevelCode),
}

/// A word that lists no units.
#[derive(Debug, thiserror::Error)]
pub enum UnknownList {
    /// It is neither the children nor a level.
    #[error("no units are listed by {0}")]
    Word(String),
    #[error("there is no level {level}")]
    Level {
        level: String,
        day: NaiveDate,
        /// The levels that hold on the day.
        levels: Named,
    },
}

impl UnknownList {
    /// Says what is wrong. `otherwise` says which words there are.
    pub(super) fn message(&self, otherwise: impl FnOnce(Quoted<&str>) -> Message) -> Message {
        match self {
            UnknownList::Word(word) => otherwise(Quoted(&clipped(word))),
            UnknownList::Level { level, day, levels } => {
                let day = Named::day(*day);
                let level = clipped(level);
                message!("unit-unknown-level", day, level = Quoted(&level), levels)
            }
        }
    }
}

impl ListedUnits {
    pub(super) fn read(
        hierarchy: &Hierarchy,
        word: &str,
        day: NaiveDate,
    ) -> Result<ListedUnits, UnknownList> {
        if word == "children" {
            return Ok(ListedUnits::Children);
        }
        let Some(level) = word.strip_prefix("level:") else {
            return Err(UnknownList::Word(word.to_owned()));
        };
        let known = level.parse().ok();
        match known.filter(|code| hierarchy.level(code).is_some()) {
            Some(code) => Ok(ListedUnits::Level(code)),
            None => Err(UnknownList::Level {
                level: level.to_owned(),
                day,
                levels: Named::levels_on(hierarchy, day),
            }),
        }
    }

    /// Lists the units in or below a place, in the order of the tree, with the former ones that count
    /// there.
    pub(super) fn of<'t>(&self, tree: &'t Tree, top: Place<'t>) -> Vec<Place<'t>> {
        match self {
            ListedUnits::Children => top.parts().collect(),
            ListedUnits::Level(level) => {
                let leaves = tree.leaves().filter(|leaf| top.covers(*leaf));
                let leaves = leaves.filter(|leaf| leaf.fact().level == *level);
                let mut listed: Vec<Place<'_>> = top.at_level(level).chain(leaves).collect();
                listed.sort_by_key(|place| place.position());
                listed
            }
        }
    }
}
