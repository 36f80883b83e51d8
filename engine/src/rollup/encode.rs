//! The packed form of facts and rollups in the database: small numbers in few bytes, and only
//! the parts that a cell needs. Never what the numbers mean.
//!
//! Every packed value opens with the version of its layout. A new layout gets a new version and
//! keeps reading the old ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Formatter;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::amount::{Amount, Extreme, Sum};
use super::cell::{ByStage, Cell, CellKey, Cells};
use super::node::{KeptRollup, Rollup};
use super::tally::Tally;
use super::total::{Qualified, Total};
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::period::Period;
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{Fact, Nil};

/// Packed bytes that cannot be read: the database holds what this program never wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    #[error("packed value of layout {0}, which this program does not know")]
    UnknownLayout(u8),
    #[error("packed value is empty")]
    Empty,
    #[error("packed value of a period that does not exist: {0}")]
    UnknownPeriod(String),
    #[error("packed value is damaged: {0}")]
    Damaged(#[from] postcard::Error),
}

const LAYOUT: u8 = 1;
/// A year's rollups, each with its rev. In the first layout they had that of their row.
const LAYOUT_OF_YEARS: u8 = 2;
/// Facts of a unit that says that nothing more happened. The bytes after it are those of the first
/// layout.
const LAYOUT_OF_NIL: u8 = 3;

fn pack<T: Serialize>(layout: u8, value: &T) -> Result<Vec<u8>, EncodingError> {
    Ok(postcard::to_extend(value, vec![layout])?)
}

fn unpack<T: for<'b> Deserialize<'b>>(bytes: &[u8]) -> Result<T, EncodingError> {
    match layout_of(bytes)? {
        (LAYOUT, packed) => Ok(postcard::from_bytes(packed)?),
        (other, _) => Err(EncodingError::UnknownLayout(other)),
    }
}

fn layout_of(bytes: &[u8]) -> Result<(u8, &[u8]), EncodingError> {
    let (layout, packed) = bytes.split_first().ok_or(EncodingError::Empty)?;
    Ok((*layout, packed))
}

/// # Errors
/// None in practice; the encoder's type allows one.
pub fn pack_facts(facts: &[Fact], nil: Nil) -> Result<Vec<u8>, EncodingError> {
    let packed: Vec<PackedFact> = facts.iter().map(PackedFact::from).collect();
    let layout = match nil {
        Nil::NotDeclared => LAYOUT,
        Nil::Declared => LAYOUT_OF_NIL,
    };
    pack(layout, &packed)
}

/// # Errors
/// Bytes that [`pack_facts`] did not make.
pub fn unpack_facts(bytes: &[u8]) -> Result<Vec<Fact>, EncodingError> {
    unpack_nil(bytes)?;
    let (_, packed) = layout_of(bytes)?;
    let packed: Vec<PackedFact> = postcard::from_bytes(packed)?;
    Ok(packed.into_iter().map(Fact::from).collect())
}

/// Reads whether the unit said that nothing more happened.
///
/// # Errors
/// Bytes that [`pack_facts`] did not make.
pub fn unpack_nil(bytes: &[u8]) -> Result<Nil, EncodingError> {
    match layout_of(bytes)? {
        (LAYOUT, _) => Ok(Nil::NotDeclared),
        (LAYOUT_OF_NIL, _) => Ok(Nil::Declared),
        (other, _) => Err(EncodingError::UnknownLayout(other)),
    }
}

#[derive(Serialize, Deserialize)]
struct PackedFact {
    indicator: u32,
    option: u32,
    mantissa: i64,
    qualifier: PackedQualifier,
}

#[derive(Serialize, Deserialize)]
enum PackedQualifier {
    Exact,
    AtLeast,
    AtMost,
    Estimate,
}

impl From<&Fact> for PackedFact {
    fn from(fact: &Fact) -> PackedFact {
        PackedFact {
            indicator: fact.indicator.get(),
            option: fact.option.get(),
            mantissa: fact.mantissa,
            qualifier: match fact.qualifier {
                Qualifier::Exact => PackedQualifier::Exact,
                Qualifier::AtLeast => PackedQualifier::AtLeast,
                Qualifier::AtMost => PackedQualifier::AtMost,
                Qualifier::Estimate => PackedQualifier::Estimate,
            },
        }
    }
}

impl From<PackedFact> for Fact {
    fn from(packed: PackedFact) -> Fact {
        Fact {
            indicator: IndicatorNumber::new(packed.indicator),
            option: OptionNumber::new(packed.option),
            mantissa: packed.mantissa,
            qualifier: match packed.qualifier {
                PackedQualifier::Exact => Qualifier::Exact,
                PackedQualifier::AtLeast => Qualifier::AtLeast,
                PackedQualifier::AtMost => Qualifier::AtMost,
                PackedQualifier::Estimate => Qualifier::Estimate,
            },
        }
    }
}

/// # Errors
/// None in practice; the encoder's type allows one.
pub fn pack_rollup(rollup: &Rollup) -> Result<Vec<u8>, EncodingError> {
    pack(LAYOUT, &PackedRollup::from(rollup))
}

/// # Errors
/// Bytes that [`pack_rollup`] did not make.
pub fn unpack_rollup(bytes: &[u8]) -> Result<Rollup, EncodingError> {
    Ok(unpack::<PackedRollup<'_>>(bytes)?.into())
}

/// How many submissions count in a rollup: the unit's own, and those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubmissionCounts {
    pub own: ByStage<u64>,
    pub below: ByStage<u64>,
}

impl From<&Rollup> for SubmissionCounts {
    fn from(rollup: &Rollup) -> SubmissionCounts {
        SubmissionCounts {
            own: rollup.own.submissions,
            below: rollup.below.submissions,
        }
    }
}

/// Reads of a packed rollup only how many submissions count. Builds no cells.
///
/// # Errors
/// Bytes that [`pack_rollup`] did not make.
pub fn unpack_counts(bytes: &[u8]) -> Result<SubmissionCounts, EncodingError> {
    let PackedCounts {
        submitted,
        approved,
        cells: PassedCells,
        submitted_below,
        approved_below,
    } = unpack(bytes)?;
    Ok(SubmissionCounts {
        own: ByStage {
            submitted,
            approved,
        },
        below: ByStage {
            submitted: submitted_below,
            approved: approved_below,
        },
    })
}

/// The beginning of a [`PackedRollup`]. What follows is not read.
#[derive(Deserialize)]
struct PackedCounts {
    submitted: u64,
    approved: u64,
    cells: PassedCells,
    submitted_below: u64,
    approved_below: u64,
}

/// A list of packed cells that is passed over.
struct PassedCells;

impl<'de> Deserialize<'de> for PassedCells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PassingVisitor)
    }
}

struct PassingVisitor;

impl<'de> Visitor<'de> for PassingVisitor {
    type Value = PassedCells;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("packed cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut packed: A) -> Result<Self::Value, A::Error> {
        while packed.next_element::<PackedCell>()?.is_some() {}
        Ok(PassedCells)
    }
}

/// A unit's rollups of all long periods of a year.
pub type YearOfRollups = BTreeMap<Period, KeptRollup>;

/// # Errors
/// None in practice; the encoder's type allows one.
pub fn pack_year(year: &YearOfRollups) -> Result<Vec<u8>, EncodingError> {
    let packed: Vec<(String, i64, PackedRollup<'_>)> = year
        .iter()
        .map(|(period, kept)| {
            (
                period.to_string(),
                kept.rev,
                PackedRollup::from(&kept.rollup),
            )
        })
        .collect();
    pack(LAYOUT_OF_YEARS, &packed)
}

/// `rev` is that of the row.
///
/// # Errors
/// Bytes that [`pack_year`] did not make.
pub fn unpack_year(bytes: &[u8], rev: i64) -> Result<YearOfRollups, EncodingError> {
    let packed: Vec<(String, i64, PackedRollup<'_>)> = match layout_of(bytes)? {
        (LAYOUT_OF_YEARS, packed) => postcard::from_bytes(packed)?,
        _ => {
            let packed: Vec<(String, PackedRollup<'_>)> = unpack(bytes)?;
            let packed = packed.into_iter();
            packed
                .map(|(period, rollup)| (period, rev, rollup))
                .collect()
        }
    };
    packed
        .into_iter()
        .map(|(period, rev, rollup)| {
            let period = period
                .parse()
                .map_err(|_| EncodingError::UnknownPeriod(period))?;
            let rollup = rollup.into();
            Ok((period, KeptRollup { rollup, rev }))
        })
        .collect()
}

#[derive(Serialize, Deserialize)]
struct PackedRollup<'r> {
    own: PackedTally<'r>,
    below: PackedTally<'r>,
}

#[derive(Serialize, Deserialize)]
struct PackedTally<'r> {
    submitted: u64,
    approved: u64,
    cells: PackedCells<'r>,
}

/// A list of packed cells. There are many: each is packed from where it stands, and unpacked to
/// where it stays.
struct PackedCells<'r>(Cow<'r, Cells>);

impl Serialize for PackedCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(PackedCell::from))
    }
}

impl<'de> Deserialize<'de> for PackedCells<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CellsVisitor)
    }
}

struct CellsVisitor;

impl<'de> Visitor<'de> for CellsVisitor {
    type Value = PackedCells<'static>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("packed cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut packed: A) -> Result<Self::Value, A::Error> {
        // How many there are is said by bytes that may be damaged.
        let mut cells = Vec::with_capacity(packed.size_hint().unwrap_or(0).min(MOST_FORESEEN));
        while let Some(cell) = packed.next_element::<PackedCell>()? {
            cells.push(cell.into());
        }
        Ok(PackedCells(Cow::Owned(cells.into_iter().collect())))
    }
}

/// For so many cells there is room at once.
const MOST_FORESEEN: usize = 1024;

#[derive(Serialize, Deserialize)]
struct PackedCell {
    indicator: u32,
    option: u32,
    submitted: PackedTotal,
    approved: PackedApproved,
}

/// Most cells are approved as a whole or not at all.
#[derive(Serialize, Deserialize)]
enum PackedApproved {
    Nothing,
    All,
    Part(PackedTotal),
}

/// Most totals are exact and whole, and have one value a report; the others carry everything.
#[derive(Serialize, Deserialize)]
enum PackedTotal {
    Count(u64),
    Sum(u64, i128),
    Min(u64, i64),
    Max(u64, i64),
    Whole(PackedWhole),
    /// How many values are shares of divided ones, and everything else.
    Apportioned(u64, PackedWhole),
}

#[derive(Serialize, Deserialize)]
struct PackedWhole {
    reported: u64,
    values: u64,
    qualified: [u64; 3],
    amount: PackedAmount,
}

#[derive(Serialize, Deserialize)]
enum PackedAmount {
    Nothing,
    /// The whole part, then numerators by divisor.
    Sum(i128, Vec<(u32, i128)>),
    /// Numerator and divisor.
    Min(i128, i128),
    Max(i128, i128),
}

impl<'r> From<&'r Rollup> for PackedRollup<'r> {
    fn from(rollup: &'r Rollup) -> PackedRollup<'r> {
        PackedRollup {
            own: (&rollup.own).into(),
            below: (&rollup.below).into(),
        }
    }
}

impl From<PackedRollup<'_>> for Rollup {
    fn from(packed: PackedRollup<'_>) -> Rollup {
        Rollup {
            own: packed.own.into(),
            below: packed.below.into(),
        }
    }
}

impl<'r> From<&'r Tally> for PackedTally<'r> {
    fn from(tally: &'r Tally) -> PackedTally<'r> {
        PackedTally {
            submitted: tally.submissions.submitted,
            approved: tally.submissions.approved,
            cells: PackedCells(Cow::Borrowed(&tally.cells)),
        }
    }
}

impl From<PackedTally<'_>> for Tally {
    fn from(packed: PackedTally<'_>) -> Tally {
        Tally {
            submissions: ByStage {
                submitted: packed.submitted,
                approved: packed.approved,
            },
            cells: packed.cells.0.into_owned(),
        }
    }
}

impl From<(CellKey, &Cell)> for PackedCell {
    fn from((key, cell): (CellKey, &Cell)) -> PackedCell {
        let approved = if cell.approved().is_empty() {
            PackedApproved::Nothing
        } else if *cell.approved() == cell.submitted {
            PackedApproved::All
        } else {
            PackedApproved::Part(cell.approved().into())
        };
        PackedCell {
            indicator: key.indicator.get(),
            option: key.option.get(),
            submitted: (&cell.submitted).into(),
            approved,
        }
    }
}

impl From<PackedCell> for (CellKey, Cell) {
    fn from(packed: PackedCell) -> (CellKey, Cell) {
        let key = CellKey {
            indicator: IndicatorNumber::new(packed.indicator),
            option: OptionNumber::new(packed.option),
        };
        let submitted = Total::from(packed.submitted);
        let cell = match packed.approved {
            PackedApproved::Nothing => Cell::new(submitted, Total::EMPTY),
            PackedApproved::All => Cell::of_approved(submitted),
            PackedApproved::Part(total) => Cell::new(submitted, total.into()),
        };
        (key, cell)
    }
}

impl From<&Total> for PackedTotal {
    fn from(total: &Total) -> PackedTotal {
        let plain = total.values == total.reported && total.qualified == Qualified::EXACT;
        if plain && let Some(packed) = packed_plainly(total) {
            return packed;
        }
        match total.qualified.apportioned {
            0 => PackedTotal::Whole(total.into()),
            apportioned => PackedTotal::Apportioned(apportioned, total.into()),
        }
    }
}

impl From<&Total> for PackedWhole {
    fn from(total: &Total) -> PackedWhole {
        PackedWhole {
            reported: total.reported,
            values: total.values,
            qualified: [
                total.qualified.at_least,
                total.qualified.at_most,
                total.qualified.estimate,
            ],
            amount: match &total.amount {
                Amount::Nothing => PackedAmount::Nothing,
                Amount::Sum(sum) => PackedAmount::Sum(sum.whole(), sum.parts().collect()),
                Amount::Min(extreme) => PackedAmount::Min(*extreme.numer(), *extreme.denom()),
                Amount::Max(extreme) => PackedAmount::Max(*extreme.numer(), *extreme.denom()),
            },
        }
    }
}

impl PackedWhole {
    fn unpacked(self, apportioned: u64) -> Total {
        let [at_least, at_most, estimate] = self.qualified;
        Total {
            reported: self.reported,
            values: self.values,
            qualified: Qualified {
                at_least,
                at_most,
                estimate,
                apportioned,
            },
            amount: self.amount.into(),
        }
    }
}

fn packed_plainly(total: &Total) -> Option<PackedTotal> {
    let reported = total.reported;
    let whole = |extreme: &Extreme| {
        extreme
            .is_integer()
            .then(|| i64::try_from(*extreme.numer()).ok())
            .flatten()
    };
    match &total.amount {
        Amount::Nothing => Some(PackedTotal::Count(reported)),
        Amount::Sum(sum) if sum.parts().len() == 0 => Some(PackedTotal::Sum(reported, sum.whole())),
        Amount::Sum(_) => None,
        Amount::Min(extreme) => whole(extreme).map(|min| PackedTotal::Min(reported, min)),
        Amount::Max(extreme) => whole(extreme).map(|max| PackedTotal::Max(reported, max)),
    }
}

impl From<PackedTotal> for Total {
    fn from(packed: PackedTotal) -> Total {
        let plain = |count: u64, amount: Amount| Total {
            reported: count,
            values: count,
            qualified: Qualified::EXACT,
            amount,
        };
        let whole = |extreme: i64| Extreme::from_integer(i128::from(extreme));
        match packed {
            PackedTotal::Count(count) => plain(count, Amount::Nothing),
            PackedTotal::Sum(count, sum) => plain(count, Amount::Sum(Sum::of(sum, 1))),
            PackedTotal::Min(count, min) => plain(count, Amount::Min(whole(min))),
            PackedTotal::Max(count, max) => plain(count, Amount::Max(whole(max))),
            PackedTotal::Whole(whole) => whole.unpacked(0),
            PackedTotal::Apportioned(apportioned, whole) => whole.unpacked(apportioned),
        }
    }
}

impl From<PackedAmount> for Amount {
    fn from(packed: PackedAmount) -> Amount {
        // A divisor of 0 is never written; of a damaged one nothing better can be made.
        let extreme = |numerator: i128, divisor: i128| Extreme::new(numerator, divisor.max(1));
        match packed {
            PackedAmount::Nothing => Amount::Nothing,
            PackedAmount::Sum(whole, parts) => Amount::Sum(Sum::from_parts(whole, parts)),
            PackedAmount::Min(numerator, divisor) => Amount::Min(extreme(numerator, divisor)),
            PackedAmount::Max(numerator, divisor) => Amount::Max(extreme(numerator, divisor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::tally::tests::any_rollup;

    proptest! {
        #[test]
        fn a_rollup_comes_back_as_it_was_packed(rollup in any_rollup()) {
            let packed = pack_rollup(&rollup).unwrap();
            prop_assert_eq!(unpack_counts(&packed).unwrap(), SubmissionCounts::from(&rollup));
            prop_assert_eq!(unpack_rollup(&packed).unwrap(), rollup);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(
            rollup in any_rollup(),
            cut in any::<prop::sample::Index>(),
            flip in any::<(prop::sample::Index, u8)>(),
        ) {
            let mut packed = pack_rollup(&rollup).unwrap();
            prop_assert!(unpack_rollup(&packed[..cut.index(packed.len())]).is_err());
            let at = flip.0.index(packed.len());
            packed[at] ^= flip.1;
            let _ = unpack_rollup(&packed);
        }
    }

    #[test]
    fn the_extremes_of_every_part_fit() {
        let key = CellKey {
            indicator: IndicatorNumber::new(u32::MAX),
            option: OptionNumber::new(u32::MAX),
        };
        for amount in [
            Amount::Nothing,
            Amount::Sum(Sum::of(i128::MIN, 1)),
            Amount::Sum(Sum::of(i128::MAX, 1)),
            Amount::Sum(Sum::from_parts(7, [(2, i128::MIN), (53, i128::MAX)])),
            Amount::Min(Extreme::from_integer(i128::from(i64::MIN))),
            Amount::Max(Extreme::from_integer(i128::from(i64::MAX))),
            Amount::Max(Extreme::new(i128::from(i64::MAX), 53)),
        ] {
            let total = Total {
                reported: u64::MAX,
                values: 1,
                qualified: Qualified {
                    at_least: u64::MAX,
                    at_most: 0,
                    estimate: 1,
                    apportioned: 3,
                },
                amount,
            };
            let cell = Cell::new(total.clone(), Total { values: 2, ..total });
            let own = Tally {
                submissions: ByStage {
                    submitted: u64::MAX,
                    approved: 0,
                },
                cells: [(key, cell)].into_iter().collect(),
            };
            let rollup = Rollup::of_leaf(own);
            let packed = pack_rollup(&rollup).unwrap();
            assert_eq!(unpack_rollup(&packed), Ok(rollup));
        }
    }

    #[test]
    fn nothing_and_an_unknown_layout_are_told_apart() {
        assert_eq!(unpack_rollup(&[]), Err(EncodingError::Empty));
        assert_eq!(unpack_rollup(&[9, 0]), Err(EncodingError::UnknownLayout(9)));
        assert_eq!(unpack_facts(&[LAYOUT, 0]), Ok(Vec::new()));
        assert_eq!(
            unpack_facts(&[LAYOUT_OF_YEARS, 0]),
            Err(EncodingError::UnknownLayout(LAYOUT_OF_YEARS))
        );
    }

    #[test]
    fn facts_are_kept_with_the_word_that_nothing_more_happened() {
        let fact = Fact {
            indicator: IndicatorNumber::new(1),
            option: OptionNumber::TOTAL,
            mantissa: -3,
            qualifier: Qualifier::AtMost,
        };
        let kept = [1, 1, 0, 5, 2];
        for (nil, layout) in [(Nil::NotDeclared, 1), (Nil::Declared, 3)] {
            let packed = [&[layout][..], &kept].concat();
            assert_eq!(pack_facts(&[fact], nil).unwrap(), packed);
            assert_eq!(unpack_facts(&packed), Ok(vec![fact]));
            assert_eq!(unpack_nil(&packed), Ok(nil));
        }
    }

    /// Bytes of today's databases must stay readable for every later version.
    #[test]
    fn the_layout_of_today_stays_readable() {
        let key = CellKey {
            indicator: IndicatorNumber::new(1),
            option: OptionNumber::TOTAL,
        };
        let total = Total {
            reported: 2,
            values: 2,
            qualified: Qualified::default(),
            amount: Amount::Sum(Sum::of(-300, 1)),
        };
        let cell = Cell::new(total, Total::EMPTY);
        let own = Tally {
            submissions: ByStage {
                submitted: 2,
                approved: 0,
            },
            cells: [(key, cell)].into_iter().collect(),
        };
        let rollup = Rollup::of_leaf(own);
        let kept = [1, 2, 0, 1, 1, 0, 1, 2, 215, 4, 0, 0, 0, 0];
        assert_eq!(pack_rollup(&rollup).unwrap(), kept);
        assert_eq!(unpack_rollup(&kept), Ok(rollup.clone()));

        let quarter = "2024-Q1".parse::<Period>().unwrap();
        let of_rev = |rev| {
            YearOfRollups::from([(
                quarter,
                KeptRollup {
                    rollup: rollup.clone(),
                    rev,
                },
            )])
        };
        let key = [7, 50, 48, 50, 52, 45, 81, 49];
        let first = [&[1, 1][..], &key, &kept[1..]].concat();
        assert_eq!(unpack_year(&first, 5), Ok(of_rev(5)));
        // Its own rev, 3, stands after its key.
        let second = [&[2, 1][..], &key, &[6], &kept[1..]].concat();
        assert_eq!(pack_year(&of_rev(3)).unwrap(), second);
        assert_eq!(unpack_year(&second, 5), Ok(of_rev(3)));
        assert_eq!(
            unpack_year(&[9, 0], 5),
            Err(EncodingError::UnknownLayout(9))
        );
    }
}
