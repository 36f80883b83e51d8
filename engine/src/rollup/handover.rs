//! Handing over: what a unit had given before it was divided and went on, and has replaced or taken
//! back since. The other successors have submitted nothing by that: it still stands in for them.
//! Never how it is divided: that is `carry`'s.

use std::collections::BTreeMap;

use super::piece::{Contribution, Edition};
use crate::domain::submission::{Fact, Revision, Stage, Step};

/// A step of a submission, as far as it tells what counts.
pub struct PastStep {
    pub revision: Revision,
    pub step: Step,
    pub rev: i64,
    /// The values that it brought, if any.
    pub facts: Option<Vec<Fact>>,
}

/// A contribution that was handed over, and the revision that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    pub edition: Edition,
    pub revision: Revision,
    pub contribution: Contribution,
    /// The rev of the last step that changed the others' part of it.
    pub rev: i64,
}

/// The contributions of a submission's history that were handed over at divisions, and do not count
/// as the unit's any more. The revs of the divisions are in order. A contribution stays as far as
/// it came: where it was approved once, what the unit does to its own report later does not take
/// that from its neighbours.
///
/// 10 is given at rev 1, the unit is divided at rev 2, and gives 7 at rev 3: the 10 was handed over.
pub fn handed_over(history: &[PastStep], divisions: &[i64]) -> Vec<HandedOver> {
    let mut handed: BTreeMap<i64, HandedOver> = BTreeMap::new();
    let mut counting: Option<HandedOver> = None;
    let mut left = divisions.iter().copied().peekable();
    for past in history {
        while let Some(until) = left.next_if(|division| *division < past.rev) {
            if let Some(now) = &counting {
                let edition = Edition::HandedOver { until };
                let now = now.clone();
                handed.insert(now.contribution.given, HandedOver { edition, ..now });
            }
        }
        match past.step {
            Step::Replace | Step::Submit => {
                give_way(&mut handed, counting.take(), past.rev);
                counting = past.facts.clone().map(|facts| HandedOver {
                    edition: Edition::Counting,
                    revision: past.revision,
                    contribution: Contribution {
                        facts,
                        reached: Stage::Submitted,
                        given: past.rev,
                    },
                    rev: past.rev,
                });
            }
            Step::Withdraw | Step::Return => give_way(&mut handed, counting.take(), past.rev),
            Step::Approve | Step::Reopen => {
                let Some(now) = counting.as_mut() else {
                    continue;
                };
                now.rev = past.rev;
                now.contribution.reached = match past.step {
                    Step::Approve => Stage::Approved,
                    _ => Stage::Submitted,
                };
                let known = handed.get_mut(&now.contribution.given);
                if let Some(known) = known.filter(|_| past.step == Step::Approve) {
                    known.contribution.reached = Stage::Approved;
                }
            }
            Step::Save | Step::Discard | Step::Reorganise => {}
        }
    }
    if let Some(now) = counting {
        handed.remove(&now.contribution.given);
    }
    handed.into_values().collect()
}

/// Replaces the counting contribution by a step of `rev`. From now on others have the part that was
/// handed over, which may have come further.
fn give_way(handed: &mut BTreeMap<i64, HandedOver>, counted: Option<HandedOver>, rev: i64) {
    let Some(counted) = counted else {
        return;
    };
    if let Some(stays) = handed.get_mut(&counted.contribution.given) {
        let is_same = stays.contribution.reached == counted.contribution.reached;
        stays.rev = if is_same { counted.rev } else { rev };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(steps: &[Step]) -> Vec<PastStep> {
        let steps = (1..).zip(steps);
        let step = |(number, step): (i32, &Step)| PastStep {
            revision: Revision::new(number),
            step: *step,
            rev: 10 * i64::from(number),
            facts: matches!(step, Step::Save | Step::Replace | Step::Submit).then(Vec::new),
        };
        steps.map(step).collect()
    }

    /// The rev at which each was given, that of its last division, and how far it came.
    fn told(steps: &[Step], divisions: &[i64]) -> Vec<(i64, i64, Stage)> {
        let handed = handed_over(&history(steps), divisions).into_iter();
        let told = handed.map(|one| match one.edition {
            Edition::HandedOver { until } => {
                (one.contribution.given, until, one.contribution.reached)
            }
            Edition::Counting => panic!("{one:?}"),
        });
        told.collect()
    }

    #[test]
    fn what_a_unit_replaces_or_takes_back_after_it_was_divided_was_handed_over() {
        use Step::{Approve, Discard, Reopen, Replace, Return, Save, Withdraw};
        let (submitted, approved) = (Stage::Submitted, Stage::Approved);
        // It still counts: then it was not replaced.
        assert_eq!(told(&[Replace], &[15]), []);
        assert_eq!(told(&[Replace, Save], &[15]), []);
        assert_eq!(told(&[Replace, Save, Discard], &[15]), []);
        assert_eq!(told(&[Replace, Replace], &[15]), [(10, 15, submitted)]);
        assert_eq!(told(&[Replace, Return], &[15]), [(10, 15, submitted)]);
        // What did not count at the division was handed over to nobody.
        assert_eq!(told(&[Replace, Withdraw, Replace], &[25]), []);
        assert_eq!(told(&[Save, Replace], &[15]), []);
        assert_eq!(told(&[Replace, Replace], &[25]), []);
        // Twice divided, and twice put anew.
        let puts = [Replace, Replace, Replace];
        assert_eq!(
            told(&puts, &[15, 25]),
            [(10, 15, submitted), (20, 25, submitted)]
        );
        assert_eq!(told(&puts, &[12, 15]), [(10, 15, submitted)]);
        // What was approved at the division or after it is not taken from the neighbours.
        let corrected = [Replace, Approve, Reopen, Replace];
        assert_eq!(told(&corrected, &[15]), [(10, 15, approved)]);
        assert_eq!(told(&corrected, &[25]), [(10, 25, approved)]);
        assert_eq!(told(&corrected, &[35]), [(10, 35, submitted)]);
    }

    #[test]
    fn what_was_handed_over_has_the_rev_of_the_last_step_that_its_neighbours_saw() {
        use Step::{Approve, Reopen, Replace, Return};
        let rev = |steps: &[Step], divisions: &[i64]| {
            let handed = handed_over(&history(steps), divisions);
            handed.iter().map(|one| one.rev).collect::<Vec<_>>()
        };
        assert_eq!(rev(&[Replace, Replace, Replace], &[15]), [10]);
        assert_eq!(rev(&[Replace, Return], &[15]), [10]);
        assert_eq!(rev(&[Replace, Approve, Return], &[15]), [20]);
        // Open again at 30, and approved as it was handed over from 40 on.
        assert_eq!(rev(&[Replace, Approve, Reopen, Replace], &[15]), [40]);
        assert_eq!(rev(&[Replace, Approve, Reopen, Replace], &[35]), [30]);
    }
}
