//! Levels (cấp): the ranks of a tenant's hierarchy, as data with validity dates. Never an enum:
//! Viet Nam's town level ended on 2025-07-01.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::id::LevelCode;
use super::text::LocalizedText;
use super::unit::Validity;

/// One rank of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub code: LevelCode,
    pub name: LocalizedText,
    /// 1 for the highest; a unit's parent is always of a smaller rank.
    pub rank: Rank,
    pub validity: Validity,
}

/// The rank of a level: 0 is the country, above everything; 1 is the highest below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rank(i32);

impl Rank {
    /// `None` outside 0 to 99.
    pub fn new(rank: i32) -> Option<Rank> {
        (0..=99).contains(&rank).then_some(Rank(rank))
    }

    pub fn get(self) -> i32 {
        self.0
    }
}

/// The sets of levels that a new tenant can begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelPreset {
    /// Province, town, commune, hamlet: the country until 2025-06-30.
    Vietnam,
}

impl LevelPreset {
    pub fn levels(self) -> Vec<Level> {
        let LevelPreset::Vietnam = self;
        [
            ("province", "Tỉnh", "Province"),
            ("town", "Huyện", "Town"),
            ("commune", "Xã", "Commune"),
            ("hamlet", "Ấp", "Hamlet"),
        ]
        .into_iter()
        .zip(1..)
        .filter_map(|((code, vi, en), rank)| {
            Some(Level {
                code: code.parse().ok()?,
                name: LocalizedText {
                    vi: vi.to_owned(),
                    en: Some(en.to_owned()),
                },
                rank: Rank::new(rank)?,
                validity: Validity::ALWAYS,
            })
        })
        .collect()
    }
}

impl Level {
    /// The level above all others (cả nước), for a tenant whose list of units has several roots.
    pub fn country() -> Option<Level> {
        Some(Level {
            code: "country".parse().ok()?,
            name: LocalizedText {
                vi: "Cả nước".to_owned(),
                en: Some("Country".to_owned()),
            },
            rank: Rank::new(0)?,
            validity: Validity::ALWAYS,
        })
    }

    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.validity.contains(day)
    }
}
