//! Jumps (số tăng giảm đột biến): a unit's figure far from what it reported before. Never where the
//! figures come from.

use num_rational::BigRational;
use serde::{Deserialize, Serialize};

use super::formula::rounded;

/// How many base periods before are looked at.
pub const FORMER_PERIODS: usize = 4;

/// By how much a figure may differ from the mean of those before it without a remark: up to so many
/// times the mean, and down to one part in so many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct JumpFactor(u16);

/// A figure beyond a factor of the mean of former ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    pub factor: JumpFactor,
    /// The mantissa of the mean, rounded to the indicator's decimals.
    pub mean: i64,
    /// How many former figures it is the mean of, 1 to [`FORMER_PERIODS`].
    pub count: usize,
    pub direction: Direction,
}

/// The direction of a jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl JumpFactor {
    pub const LEAST: u16 = 2;
    pub const MOST: u16 = 1000;

    pub fn new(factor: u16) -> Option<JumpFactor> {
        (JumpFactor::LEAST..=JumpFactor::MOST)
            .contains(&factor)
            .then_some(JumpFactor(factor))
    }

    pub fn get(self) -> u16 {
        self.0
    }

    /// Compares a mantissa with former ones of the same decimals. A mean that is not positive has no
    /// multiples to compare with, and nothing before is nothing to differ from.
    pub fn jump(self, mantissa: i64, former: &[i64]) -> Option<Jump> {
        let count = i128::try_from(former.len()).ok()?;
        let sum: i128 = former.iter().map(|one| i128::from(*one)).sum();
        if sum <= 0 {
            return None;
        }
        let factor = i128::from(self.0);
        // Both sides times the count, so that nothing is divided.
        let compared = i128::from(mantissa) * count;
        let direction = match () {
            () if compared > factor * sum => Direction::Up,
            () if compared * factor < sum => Direction::Down,
            () => return None,
        };
        let mean = rounded(&BigRational::new(sum.into(), count.into()), 0);
        Some(Jump {
            factor: self,
            mean: i64::try_from(mean).ok()?,
            count: former.len(),
            direction,
        })
    }
}

impl TryFrom<u16> for JumpFactor {
    type Error = &'static str;

    fn try_from(factor: u16) -> Result<JumpFactor, &'static str> {
        JumpFactor::new(factor).ok_or("no factor of 2 to 1000")
    }
}

impl From<JumpFactor> for u16 {
    fn from(factor: JumpFactor) -> u16 {
        factor.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(factor: u16, mantissa: i64, former: &[i64]) -> Option<(Direction, i64)> {
        let factor = JumpFactor::new(factor).unwrap();
        let jump = factor.jump(mantissa, former)?;
        assert_eq!((jump.factor, jump.count), (factor, former.len()));
        Some((jump.direction, jump.mean))
    }

    #[test]
    fn a_figure_is_compared_with_the_exact_mean_and_may_reach_the_factor() {
        let former = [10, 11, 11, 11];
        // The mean is 10.75: three times that is 32.25, and a third 3.58.
        let found = [3, 4, 32, 33].map(|mantissa| jump(3, mantissa, &former));
        let (down, up) = (Some((Direction::Down, 11)), Some((Direction::Up, 11)));
        assert_eq!(found, [down, None, None, up]);
        assert_eq!(jump(3, 30, &[10]), None);
    }

    #[test]
    fn nothing_before_or_a_mean_of_nothing_has_no_multiples() {
        assert_eq!(jump(2, 1_000, &[]), None);
        assert_eq!(jump(2, 1_000, &[0, 0]), None);
        assert_eq!(jump(2, 1_000, &[-5, 2]), None);
    }

    #[test]
    fn the_largest_figures_do_not_overflow() {
        let former = [i64::MAX; FORMER_PERIODS];
        assert_eq!(
            jump(1000, i64::MIN, &former),
            Some((Direction::Down, i64::MAX))
        );
        assert_eq!(jump(1000, i64::MAX, &former), None);
    }

    #[test]
    fn a_factor_is_2_to_1000() {
        let factors = [1, 2, 1000, 1001].map(|factor| JumpFactor::new(factor).is_some());
        assert_eq!(factors, [false, true, true, false]);
    }
}
