//! Indicators (chỉ tiêu): what is measured, in which unit of measure, and how it aggregates.
//! Never values, and never the arithmetic itself: that is `rollup`'s.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::bounds::{Bounds, Interval};
use super::formula::{Formula, Operand, Source};
use super::id::{BreakdownCode, IndicatorCode, IndicatorNumber, OptionCode, OptionNumber};
use super::quantity::Decimals;
use super::text::LocalizedText;

/// How a unit's figure comes from its own value and those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AcrossUnits {
    Sum,
    Average,
    Min,
    Max,
    /// How many units have a value.
    Count,
    /// The unit's own value only.
    None,
    /// The unit's own value; beside it what its direct children handed up, so that money which
    /// passes through several levels is counted once.
    Transfer,
}

impl AcrossUnits {
    /// Tells whether taking a value out may need the values that stay.
    pub fn is_extreme(self) -> bool {
        matches!(self, AcrossUnits::Min | AcrossUnits::Max)
    }

    /// Tells whether the part below a unit goes on to its parent.
    pub fn passes_on(self) -> bool {
        !matches!(self, AcrossUnits::None | AcrossUnits::Transfer)
    }
}

/// How a unit's figure of a long period comes from those of its base periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AcrossTime {
    Sum,
    Average,
    Min,
    Max,
    First,
    Last,
    Count,
    /// A long period has no figure.
    None,
}

/// How an indicator aggregates, across units and across time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Across {
    pub units: AcrossUnits,
    pub time: AcrossTime,
}

/// An indicator with all its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    pub number: IndicatorNumber,
    pub code: IndicatorCode,
    /// The numbers of all options that the indicator ever had.
    pub options: BTreeMap<OptionCode, OptionNumber>,
    /// By the first day on which each holds.
    pub versions: BTreeMap<NaiveDate, Definition>,
}

/// An indicator's definition, from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: LocalizedText,
    pub unit_of_measure: String,
    pub decimals: Decimals,
    pub measure: Measure,
}

/// The source of an indicator's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Units submit it.
    Collected {
        across_units: AcrossUnits,
        across_time: AcrossTime,
        breakdowns: Vec<Breakdown>,
        /// Versions of before there were any have none.
        #[serde(default, skip_serializing_if = "Bounds::are_open")]
        bounds: Bounds,
    },
    /// It is computed, at every level, from the rolled-up operands.
    Derived { formula: Formula },
}

/// A set of options of an indicator (phân tổ).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    pub code: BreakdownCode,
    pub kind: BreakdownKind,
    pub options: Vec<BreakdownOption>,
}

/// The relation of a breakdown's options to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakdownKind {
    /// chia ra: the options add up to the total.
    Closed,
    /// trong đó: the total is sent beside the options, and they may not exceed it.
    Open,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakdownOption {
    pub code: OptionCode,
    pub name: LocalizedText,
}

impl Definition {
    pub fn formula(&self) -> Option<&Formula> {
        match &self.measure {
            Measure::Derived { formula } => Some(formula),
            Measure::Collected { .. } => None,
        }
    }

    /// Tells whether this indicator has the figure of an operand.
    pub fn offers(&self, operand: &Operand) -> bool {
        let has_option = match &operand.option {
            None => true,
            Some(option) => self.options().any(|known| known.code == *option),
        };
        has_option && (operand.source == Source::Total || self.is_transfer())
    }

    /// Tells whether it measures what happens within a period (số phát sinh), so that a 0 says that
    /// nothing did: its values add up over time. Where units with a value are counted, a 0 would
    /// count as one.
    pub fn is_flow(&self) -> bool {
        matches!(
            self.measure,
            Measure::Collected {
                across_time: AcrossTime::Sum,
                across_units,
                ..
            } if across_units != AcrossUnits::Count
        )
    }

    pub fn is_transfer(&self) -> bool {
        matches!(
            self.measure,
            Measure::Collected {
                across_units: AcrossUnits::Transfer,
                ..
            }
        )
    }

    /// The bounds of its values; a derived indicator's are open.
    pub fn bounds(&self) -> Bounds {
        match self.measure {
            Measure::Collected { bounds, .. } => bounds,
            Measure::Derived { .. } => Bounds::default(),
        }
    }

    /// Between what a unit's value of the total or of an option lies.
    pub fn possible(&self, option: OptionNumber) -> Interval {
        part_of(self.bounds().possible, option)
    }

    /// Between what a figure of several units and base periods lies.
    pub fn possible_figure(&self, option: OptionNumber) -> Interval {
        let Measure::Collected {
            across_units,
            across_time,
            bounds,
            ..
        } = self.measure
        else {
            return Interval::default();
        };
        let is_one_of_them = !matches!(
            across_units,
            AcrossUnits::Sum | AcrossUnits::Count | AcrossUnits::Transfer
        ) && !matches!(across_time, AcrossTime::Sum | AcrossTime::Count);
        let possible = match is_one_of_them {
            true => bounds.possible,
            false => bounds.possible.of_sum(),
        };
        part_of(possible, option)
    }

    pub fn breakdowns(&self) -> &[Breakdown] {
        match &self.measure {
            Measure::Collected { breakdowns, .. } => breakdowns,
            Measure::Derived { .. } => &[],
        }
    }

    /// All options of all breakdowns, in order.
    pub fn options(&self) -> impl Iterator<Item = &BreakdownOption> {
        self.breakdowns()
            .iter()
            .flat_map(|breakdown| &breakdown.options)
    }

    pub fn has_closed_breakdown(&self) -> bool {
        self.breakdowns()
            .iter()
            .any(|breakdown| breakdown.kind == BreakdownKind::Closed)
    }

    /// Tells whether existing values would lose an option, or a closed breakdown would ask them for one
    /// more.
    pub fn breaks_values_of(&self, former: &Definition) -> bool {
        let asks_for_more = self.breakdowns().iter().any(|next| {
            let is_new = !former
                .breakdowns()
                .iter()
                .any(|known| known.code == next.code);
            is_new && next.kind == BreakdownKind::Closed
        });
        asks_for_more
            || former.breakdowns().iter().any(|former| {
                let next = self
                    .breakdowns()
                    .iter()
                    .find(|next| next.code == former.code);
                let Some(next) = next else { return true };
                let codes = |breakdown: &Breakdown| -> BTreeSet<OptionCode> {
                    breakdown
                        .options
                        .iter()
                        .map(|option| option.code.clone())
                        .collect()
                };
                let (former_codes, next_codes) = (codes(former), codes(next));
                match former.kind {
                    BreakdownKind::Closed => former_codes != next_codes,
                    BreakdownKind::Open => !next_codes.is_superset(&former_codes),
                }
            })
    }

    /// Names what of a later version could not be put together with values of this one, if anything:
    /// decimals, aggregation, unit of measure and the kinds of breakdowns are fixed once used.
    pub fn fixed_part_changed_by(&self, next: &Definition) -> Option<FixedPart> {
        if self.decimals != next.decimals {
            return Some(FixedPart::Decimals);
        }
        if self.unit_of_measure != next.unit_of_measure {
            return Some(FixedPart::UnitOfMeasure);
        }
        match (&self.measure, &next.measure) {
            (Measure::Derived { .. }, Measure::Derived { .. }) => None,
            (
                Measure::Collected {
                    across_units,
                    across_time,
                    breakdowns,
                    ..
                },
                Measure::Collected {
                    across_units: units,
                    across_time: time,
                    breakdowns: broken,
                    ..
                },
            ) => {
                if (across_units, across_time) != (units, time) {
                    Some(FixedPart::Aggregation)
                } else if kinds_differ(breakdowns, broken) {
                    Some(FixedPart::Breakdowns)
                } else {
                    None
                }
            }
            _ => Some(FixedPart::Aggregation),
        }
    }
}

/// An option is a part of the total.
fn part_of(total: Interval, option: OptionNumber) -> Interval {
    match option {
        OptionNumber::TOTAL => total,
        _ => total.of_part(),
    }
}

/// A breakdown may come with a version; one that is there stays, and keeps its kind.
fn kinds_differ(former: &[Breakdown], next: &[Breakdown]) -> bool {
    former.iter().any(|former| {
        let next = next.iter().find(|next| next.code == former.code);
        next.is_none_or(|next| next.kind != former.kind)
    })
}

/// A part of an indicator that is fixed once there are values of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedPart {
    Decimals,
    UnitOfMeasure,
    Aggregation,
    Breakdowns,
}

impl Indicator {
    /// How it aggregates; `None` for a derived one. It is fixed once there are values, so every
    /// version that matters says the same.
    pub fn across(&self) -> Option<Across> {
        match self.versions.values().next_back()?.measure {
            Measure::Collected {
                across_units: units,
                across_time: time,
                ..
            } => Some(Across { units, time }),
            Measure::Derived { .. } => None,
        }
    }

    /// The breakdown that each option is of, in the last version that has the option.
    pub fn breakdowns_of_options(&self) -> BTreeMap<OptionNumber, &BreakdownCode> {
        let breakdowns = self.versions.values().flat_map(Definition::breakdowns);
        let options = breakdowns.flat_map(|breakdown| {
            let options = breakdown.options.iter();
            options.map(|option| (&option.code, &breakdown.code))
        });
        options
            .filter_map(|(option, breakdown)| Some((self.option_number(option)?, breakdown)))
            .collect()
    }

    /// The version that holds on `day`.
    pub fn on(&self, day: NaiveDate) -> Option<&Definition> {
        self.versions
            .range(..=day)
            .next_back()
            .map(|(_, definition)| definition)
    }

    pub fn option_number(&self, code: &OptionCode) -> Option<OptionNumber> {
        self.options.get(code).copied()
    }

    /// The code of an option by its number; `None` for the total.
    pub fn option_code(&self, number: OptionNumber) -> Option<&OptionCode> {
        self.options
            .iter()
            .find(|(_, known)| **known == number)
            .map(|(code, _)| code)
    }
}
