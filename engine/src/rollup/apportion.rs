//! Apportioning: what each share of a unit's values comes to, in whole numbers that add up both
//! ways. Never whose shares they are.
//!
//! A total is divided by largest remainder: its parts add up to it. A breakdown is divided so that
//! two things hold (controlled rounding): the parts of each option add up to the option, and of
//! each part the options and the rest that no option names add up to the part's total. So a closed
//! breakdown stays closed, and an open one stays within its total.
//!
//! For example 100 = 50 + 50, by 1/3 and 2/3. The totals are 33 and 67. Each option alone would be
//! 17 and 33, and the parts' options 34 and 66: one of the first option moves from the first part
//! to the second, and 33 = 16 + 17, 67 = 34 + 33.
//!
//! A number is its exact share, rounded down or up. Where the totals leave no such table, some
//! number lies one further off. None ever has another sign than what is divided.

use std::collections::{BTreeMap, VecDeque};

use num_rational::Ratio;

use crate::domain::catalogue::Aggregations;
use crate::domain::id::{BreakdownCode, OptionNumber};
use crate::domain::submission::Fact;
use crate::domain::succession::Share;

/// The facts of each share. `facts` stand in the order of their indicators. Each breakdown of an
/// indicator is divided for itself, beside the same totals.
pub fn divided(facts: &[Fact], shares: &[Share], aggregations: &Aggregations) -> Vec<Vec<Fact>> {
    let mut of_shares: Vec<Vec<Fact>> = vec![Vec::with_capacity(facts.len()); shares.len()];
    for of_indicator in facts.chunk_by(|a, b| a.indicator == b.indicator) {
        let total = of_indicator
            .iter()
            .find(|fact| fact.option == OptionNumber::TOTAL);
        let total = total
            .map(|total| LargestRemainder::by_largest_remainder(total.mantissa.into(), shares));
        for (breakdown, facts) in by_breakdown(of_indicator, aggregations) {
            let divisions = facts
                .iter()
                .map(|fact| LargestRemainder::by_largest_remainder(fact.mantissa.into(), shares));
            let divisions: Vec<LargestRemainder> = divisions.collect();
            let divisions = match (&total, breakdown) {
                (Some(total), Some(_)) => OptionTable::beside(total, divisions, shares).options,
                _ => divisions,
            };
            for (fact, division) in facts.into_iter().zip(&divisions) {
                hand_out(*fact, division, &mut of_shares);
            }
        }
    }
    of_shares
}

/// An indicator's facts: the total and what is of no known breakdown, then each breakdown's.
fn by_breakdown<'f, 'a>(
    facts: &'f [Fact],
    aggregations: &'a Aggregations,
) -> BTreeMap<Option<&'a BreakdownCode>, Vec<&'f Fact>> {
    let mut found: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        let breakdown = aggregations.breakdown_of(fact.indicator, fact.option);
        found.entry(breakdown).or_default().push(fact);
    }
    found
}

fn hand_out(fact: Fact, division: &LargestRemainder, of_shares: &mut [Vec<Fact>]) {
    for (of_share, part) in of_shares.iter_mut().zip(&division.parts) {
        // A part lies between nothing and the whole.
        let mantissa = i64::try_from(part.value).unwrap_or(fact.mantissa);
        of_share.push(Fact { mantissa, ..fact });
    }
}

/// A number and its parts, which add up to it.
struct LargestRemainder {
    whole: i128,
    parts: Vec<HandedOut>,
}

/// A part as it is handed out, and as it would be if it could be divided further.
struct HandedOut {
    value: i128,
    exact: Ratio<i128>,
}

impl LargestRemainder {
    /// Rounds down, and gives what is left to the largest remainders. Of equal remainders the first
    /// share is served first; a negative number is divided as its opposite.
    fn by_largest_remainder(whole: i128, shares: &[Share]) -> LargestRemainder {
        let (amount, sign) = (whole.abs(), whole.signum());
        let exact = shares.iter().map(|share| {
            let numerator = amount * i128::from(share.numerator());
            Ratio::new(numerator, share.denominator().into())
        });
        let mut parts: Vec<HandedOut> = exact
            .map(|exact| HandedOut {
                value: exact.to_integer(),
                exact,
            })
            .collect();
        let given: i128 = parts.iter().map(|part| part.value).sum();
        let left = usize::try_from(amount - given).unwrap_or(0);
        let mut by_remainder: Vec<&mut HandedOut> = parts.iter_mut().collect();
        by_remainder.sort_by_key(|part| std::cmp::Reverse(part.exact.fract()));
        for part in by_remainder.into_iter().take(left) {
            part.value += 1;
        }
        for part in &mut parts {
            part.value *= sign;
            part.exact *= sign;
        }
        LargestRemainder { whole, parts }
    }

    /// Tells whether 1 can move from a part to another without leaving what either may be.
    fn can_move(&self, from: usize, to: usize, leeway: Leeway) -> bool {
        let may_be = |at: usize, step: i128| {
            let part = self.parts.get(at);
            part.is_some_and(|part| self.allows(part, part.value + step, leeway))
        };
        may_be(from, -1) && may_be(to, 1)
    }

    fn allows(&self, part: &HandedOut, value: i128, leeway: Leeway) -> bool {
        let further = match leeway {
            Leeway::Nearest => 0,
            Leeway::OneFurther => 1,
        };
        let least = part.exact.floor().to_integer() - further;
        let most = part.exact.ceil().to_integer() + further;
        let has_sign = value == 0 || value.signum() == self.whole.signum();
        (least..=most).contains(&value) && has_sign
    }

    fn shift(&mut self, from: usize, to: usize) {
        for (at, step) in [(from, -1), (to, 1)] {
            if let Some(part) = self.parts.get_mut(at) {
                part.value += step;
            }
        }
    }
}

/// How far a part may be from its exact share.
#[derive(Clone, Copy)]
enum Leeway {
    /// Rounded down or up.
    Nearest,
    OneFurther,
}

/// One moves from a share's part of a division to another share's.
#[derive(Clone, Copy)]
struct Move {
    column: Column,
    from: usize,
    to: usize,
}

/// A division of a table.
#[derive(Clone, Copy)]
enum Column {
    Rest,
    /// By its place.
    Option(usize),
}

/// A breakdown's options, and what of the total none of them names.
struct OptionTable {
    options: Vec<LargestRemainder>,
    rest: LargestRemainder,
}

impl OptionTable {
    /// Makes what each share has add up to its part of the total. Since the rest is divided as well,
    /// it is never less than nothing.
    fn beside(
        total: &LargestRemainder,
        options: Vec<LargestRemainder>,
        shares: &[Share],
    ) -> OptionTable {
        let named: i128 = options.iter().map(|option| option.whole).sum();
        let rest = LargestRemainder::by_largest_remainder(total.whole - named, shares);
        let mut table = OptionTable { options, rest };
        for leeway in [Leeway::Nearest, Leeway::OneFurther] {
            while let Some(moves) = table.way(total, leeway) {
                for step in moves {
                    table.take(step);
                }
            }
        }
        table
    }

    fn take(&mut self, Move { column, from, to }: Move) {
        let division = match column {
            Column::Rest => Some(&mut self.rest),
            Column::Option(at) => self.options.get_mut(at),
        };
        if let Some(division) = division {
            division.shift(from, to);
        }
    }

    /// The rest first: an option is moved where that does not do.
    fn columns(&self) -> impl Iterator<Item = (Column, &LargestRemainder)> {
        let options = self.options.iter().enumerate();
        let options = options.map(|(at, option)| (Column::Option(at), option));
        std::iter::once((Column::Rest, &self.rest)).chain(options)
    }

    /// How much more each share has than its part of the total.
    fn excess(&self, total: &LargestRemainder) -> Vec<i128> {
        let totals = total.parts.iter().enumerate();
        let excess = totals.map(|(at, total)| {
            let parts = self.columns().filter_map(|(_, one)| one.parts.get(at));
            parts.map(|part| part.value).sum::<i128>() - total.value
        });
        excess.collect()
    }

    /// The fewest moves that take one from a share with too much to one with too little.
    fn way(&self, total: &LargestRemainder, leeway: Leeway) -> Option<Vec<Move>> {
        let excess = self.excess(total);
        let mut reached: BTreeMap<usize, Option<Move>> = BTreeMap::new();
        let mut waiting = VecDeque::new();
        for (at, _) in excess.iter().enumerate().filter(|(_, more)| **more > 0) {
            reached.insert(at, None);
            waiting.push_back(at);
        }
        while let Some(from) = waiting.pop_front() {
            if excess.get(from).is_some_and(|more| *more < 0) {
                return Some(moves_to(from, &reached));
            }
            for to in 0..excess.len() {
                if reached.contains_key(&to) {
                    continue;
                }
                let mut columns = self.columns();
                let found = columns.find(|(_, one)| one.can_move(from, to, leeway));
                if let Some((column, _)) = found {
                    reached.insert(to, Some(Move { column, from, to }));
                    waiting.push_back(to);
                }
            }
        }
        None
    }
}

fn moves_to(end: usize, reached: &BTreeMap<usize, Option<Move>>) -> Vec<Move> {
    let last = reached.get(&end).copied().flatten();
    let before = |last: &Move| reached.get(&last.from).copied().flatten();
    std::iter::successors(last, before).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::IndicatorNumber;
    use crate::domain::quantity::Qualifier;

    const INDICATOR: IndicatorNumber = IndicatorNumber::new(7);

    fn shares(texts: &[&str]) -> Vec<Share> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn by_weights(weights: &[i64]) -> Vec<Share> {
        let all: i64 = weights.iter().sum();
        let of_all = |weight: &i64| Share::new(*weight, all).unwrap();
        weights.iter().map(of_all).collect()
    }

    fn fact(option: u32, mantissa: i64) -> Fact {
        Fact {
            indicator: INDICATOR,
            option: OptionNumber::new(option),
            mantissa,
            qualifier: Qualifier::Exact,
        }
    }

    /// A total with breakdowns: the parts of each share, the total's first.
    fn parts(total: i64, breakdowns: &[Vec<i64>], shares: &[Share]) -> Vec<Vec<i64>> {
        let mut facts = vec![fact(0, total)];
        let mut belong = Vec::new();
        for (number, options) in breakdowns.iter().enumerate() {
            for mantissa in options {
                let option = u32::try_from(facts.len()).unwrap();
                facts.push(fact(option, *mantissa));
                let code: BreakdownCode = format!("b{number}").parse().unwrap();
                belong.push(((INDICATOR, OptionNumber::new(option)), code));
            }
        }
        let aggregations = Aggregations::default().with_breakdowns(belong);
        let of_shares = divided(&facts, shares, &aggregations).into_iter();
        let in_order = |mut facts: Vec<Fact>| {
            facts.sort_by_key(|fact| fact.option);
            facts.into_iter().map(|fact| fact.mantissa).collect()
        };
        of_shares.map(in_order).collect()
    }

    fn totals(total: i64, shares: &[Share]) -> Vec<i64> {
        parts(total, &[], shares).concat()
    }

    #[test]
    fn thirds_of_anything_add_up_to_it() {
        let thirds = shares(&["1/3", "1/3", "1/3"]);
        assert_eq!(totals(100, &thirds), [34, 33, 33]);
        assert_eq!(totals(1, &thirds), [1, 0, 0]);
        assert_eq!(totals(0, &thirds), [0, 0, 0]);
        assert_eq!(totals(-7, &thirds), [-3, -2, -2]);
        assert_eq!(totals(9, &shares(&["7/10", "3/10"])), [6, 3]);
        assert_eq!(totals(i64::MIN, &shares(&["1"])), [i64::MIN]);
    }

    #[test]
    fn a_closed_breakdown_stays_closed() {
        let parts =
            |total, options: &[i64]| parts(total, &[options.to_vec()], &shares(&["1/3", "2/3"]));
        assert_eq!(parts(100, &[50, 50]), [[33, 16, 17], [67, 34, 33]]);
        assert_eq!(parts(-100, &[-50, -50]), [[-33, -16, -17], [-67, -34, -33]]);
        assert_eq!(parts(0, &[5, -5]), [[0, 2, -2], [0, 3, -3]]);
    }

    #[test]
    fn an_open_breakdown_stays_within_its_total() {
        let sevenths = shares(&["1/7", "3/7", "3/7"]);
        let parts = parts(4, &[vec![3]], &sevenths);
        assert_eq!(parts, [[0, 0], [2, 1], [2, 2]]);
    }

    #[test]
    fn several_breakdowns_are_each_beside_the_same_totals() {
        let thirds = shares(&["1/3", "2/3"]);
        let parts = parts(100, &[vec![50, 50], vec![20]], &thirds);
        assert_eq!(parts, [[33, 16, 17, 7], [67, 34, 33, 13]]);
    }

    /// Of 38 the totals are 6, 10, 6, 6, 10; 8 comes to 4/3 or 2, and 30 to 5 or 15/2. Beside a 5 in
    /// a 6 every 4/3 has to be 1, and 1 + 2 + 1 + 1 + 2 is 7: one of the eight lies further off.
    #[test]
    fn both_margins_hold_where_the_totals_leave_no_table_of_nearest_numbers() {
        let (options, weights) = ([8, 30], [2, 3, 2, 2, 3]);
        let shares = by_weights(&weights);
        assert!(!has_table_of_nearest(
            &options,
            &totals(38, &shares),
            &weights
        ));
        let parts = parts(38, &[options.to_vec()], &shares);
        for share in &parts {
            assert_eq!(share[0], share[1] + share[2], "{parts:?}");
        }
        for (at, whole) in [38, 8, 30].into_iter().enumerate() {
            assert_eq!(parts.iter().map(|share| share[at]).sum::<i64>(), whole);
        }
    }

    #[test]
    fn an_option_without_a_total_is_divided_by_itself() {
        let code: BreakdownCode = "b".parse().unwrap();
        let belongs = ((INDICATOR, OptionNumber::new(1)), code);
        let aggregations = Aggregations::default().with_breakdowns([belongs]);
        let of_shares = divided(&[fact(1, 5)], &shares(&["1/2", "1/2"]), &aggregations);
        assert_eq!(of_shares, [[fact(1, 3)], [fact(1, 2)]]);
    }

    /// Tables of all numbers next to exact shares, until one has the given sums.
    fn has_table_of_nearest(options: &[i64], totals: &[i64], weights: &[i64]) -> bool {
        let all: i64 = weights.iter().sum();
        let Some((option, others)) = options.split_first() else {
            return totals.iter().all(|total| *total == 0);
        };
        let columns = weights.iter().map(|weight| {
            let floor = (option * weight).div_euclid(all);
            let is_exact = (option * weight).rem_euclid(all) == 0;
            if is_exact {
                vec![floor]
            } else {
                vec![floor, floor + 1]
            }
        });
        let mut columns = itertools::Itertools::multi_cartesian_product(columns);
        columns.any(|column| {
            let left: Vec<i64> = totals.iter().zip(&column).map(|(a, b)| a - b).collect();
            column.iter().sum::<i64>() == *option && has_table_of_nearest(others, &left, weights)
        })
    }

    proptest! {
        #[test]
        fn a_total_s_parts_add_up_to_it_and_none_is_off_by_one(
            mantissa in any::<i64>(),
            weights in vec(1_i64..1000, 1..8),
        ) {
            let all: i64 = weights.iter().sum();
            let parts = totals(mantissa, &by_weights(&weights));
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(mantissa));
            for (part, weight) in parts.iter().zip(&weights) {
                let off = i128::from(*part) * i128::from(all) - i128::from(mantissa) * i128::from(*weight);
                prop_assert!(off.abs() < i128::from(all));
            }
        }

        #[test]
        fn both_margins_hold_of_every_breakdown(
            options in vec(prop_oneof![0_i64..40, 0..1_000_000_000_000_i64], 1..6),
            rest in 0_i64..30,
            weights in vec(1_i64..1000, 1..7),
            sign in prop_oneof![Just(1_i64), Just(-1)],
        ) {
            let options: Vec<i64> = options.iter().map(|option| option * sign).collect();
            let sum: i64 = options.iter().sum();
            let total = sum + rest * sign;
            let shares = by_weights(&weights);
            // The options once more, as a closed breakdown.
            let closed: Vec<i64> = options.iter().copied().chain([rest * sign]).collect();
            let parts = parts(total, &[options.clone(), closed.clone()], &shares);
            let all: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (share, weight) in parts.iter().zip(&weights) {
                let (total, options) = share.split_first().unwrap();
                let (open, closed_parts) = options.split_at(options.len() / 2);
                prop_assert!(open.iter().sum::<i64>() * sign <= total * sign, "{:?}", parts);
                prop_assert_eq!(closed_parts.iter().sum::<i64>(), *total);
                for (part, option) in closed_parts.iter().zip(&closed) {
                    prop_assert!(part * sign >= 0, "{:?}", parts);
                    let off = i128::from(*part) * all - i128::from(*option) * i128::from(*weight);
                    prop_assert!(off.abs() < 2 * all, "{:?}", parts);
                }
            }
            for (at, whole) in [total].iter().chain(&options).chain(&closed).enumerate() {
                prop_assert_eq!(parts.iter().map(|share| share[at]).sum::<i64>(), *whole);
            }
        }

        /// Options of both signs: what is divided is conserved all the same.
        #[test]
        fn both_margins_hold_where_signs_differ(
            options in vec(-50_i64..50, 1..6),
            weights in vec(1_i64..30, 1..7),
        ) {
            let total = options.iter().sum();
            let parts = parts(total, std::slice::from_ref(&options), &by_weights(&weights));
            for share in &parts {
                let (total, options) = share.split_first().unwrap();
                prop_assert_eq!(options.iter().sum::<i64>(), *total);
            }
            for (at, option) in options.iter().enumerate() {
                prop_assert_eq!(parts.iter().map(|share| share[at + 1]).sum::<i64>(), *option);
                prop_assert!(parts.iter().all(|share| share[at + 1] * option.signum() >= 0));
            }
        }

        /// Held against all tables there are.
        #[test]
        fn every_number_is_next_to_its_exact_share_where_the_totals_leave_such_a_table(
            options in vec(0_i64..20, 2..4),
            weights in vec(1_i64..12, 2..5),
        ) {
            let shares = by_weights(&weights);
            let total: i64 = options.iter().sum();
            if has_table_of_nearest(&options, &totals(total, &shares), &weights) {
                let all: i64 = weights.iter().sum();
                for (share, weight) in parts(total, std::slice::from_ref(&options), &shares).iter().zip(&weights) {
                    for (part, option) in share[1..].iter().zip(&options) {
                        prop_assert!((part * all - option * weight).abs() < all);
                    }
                }
            }
        }
    }
}
