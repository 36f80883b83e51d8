//! Handing over: what a unit had given before it was divided and went on, and has replaced or taken
//! back since. The other successors have submitted nothing by that: it still stands in for them.
//! Never how it is divided: that is `carry`'s.

use std::collections::BTreeMap;

use super::tally::{Contribution, Edition};
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
                counting = past.facts.clone().map(|facts| HandedOver {
                    edition: Edition::Counting,
                    revision: past.revision,
                    contribution: Contribution {
                        facts,
                        reached: Stage::Submitted,
                        given: past.rev,
                    },
                });
            }
            Step::Withdraw | Step::Return => counting = None,
            Step::Approve | Step::Reopen => {
                let Some(now) = counting.as_mut() else {
                    continue;
                };
                now.contribution.reached = match past.step {
                    Step::Approve => Stage::Approved,
                    _ => Stage::Submitted,
                };
                let known = handed.get_mut(&now.contribution.given);
                if let Some(known) = known.filter(|_| past.step == Step::Approve) {
                    known.contribution.reached = Stage::Approved;
                }
            }
            Step::Save | Step::Reorganise => {}
        }
    }
    if let Some(now) = counting {
        handed.remove(&now.contribution.given);
    }
    handed.into_values().collect()
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
        use Step::{Approve, Reopen, Replace, Return, Save, Withdraw};
        let (submitted, approved) = (Stage::Submitted, Stage::Approved);
        // It still counts: then it was not replaced.
        assert_eq!(told(&[Replace], &[15]), []);
        assert_eq!(told(&[Replace, Save], &[15]), []);
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
}
