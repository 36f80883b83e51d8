//! Successions: what of a unit passed to which other when the map changed, and in which order.
//! Never how figures are divided: that is `rollup`'s, and never the document that changed the
//! map: that is `reorganisation`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use num_rational::{BigRational, Ratio};

use crate::domain::id::UnitId;

/// The part of a unit that passed to a successor: more than nothing, at most the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(Ratio<i64>);

/// A text or a fraction that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is a fraction above 0 and at most 1, such as 7/10")]
pub struct InvalidShare;

/// No census divides anything finer than this.
const LARGEST_DENOMINATOR: i64 = 1_000_000_000;

impl Share {
    pub const WHOLE: Share = Share(Ratio::new_raw(1, 1));

    /// # Errors
    /// A fraction that is not above 0 and at most 1, or whose denominator is beyond a billion.
    pub fn new(numerator: i64, denominator: i64) -> Result<Share, InvalidShare> {
        let in_range = (1..=LARGEST_DENOMINATOR).contains(&denominator)
            && (1..=denominator).contains(&numerator);
        if in_range {
            Ok(Share(Ratio::new(numerator, denominator)))
        } else {
            Err(InvalidShare)
        }
    }

    /// In lowest terms.
    pub fn numerator(self) -> i64 {
        *self.0.numer()
    }

    pub fn denominator(self) -> i64 {
        *self.0.denom()
    }

    pub fn ratio(self) -> BigRational {
        BigRational::new(self.numerator().into(), self.denominator().into())
    }

    /// Tells whether shares add up to one.
    pub fn make_whole(shares: impl IntoIterator<Item = Share>) -> bool {
        let sum = shares.into_iter().fold(
            Ratio::from_integer(num_bigint::BigInt::from(0)),
            |sum, share| sum + Ratio::new(share.numerator().into(), share.denominator().into()),
        );
        sum == Ratio::from_integer(1.into())
    }
}

impl FromStr for Share {
    type Err = InvalidShare;

    fn from_str(text: &str) -> Result<Share, InvalidShare> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain
                .then(|| digits.parse::<i64>().ok())
                .flatten()
                .ok_or(InvalidShare)
        };
        Share::new(number(numerator)?, number(denominator)?)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator(), self.denominator())
    }
}

/// When a succession happened among all others: on its day, those of the reorganisation that was
/// written first come first. What passes in one reorganisation passes at once, and only what a
/// unit took over and then passed on whole comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The first day of the new map.
    pub effective: NaiveDate,
    /// The rev of the reorganisation.
    pub rev: i64,
    /// 0 for what passes first in its reorganisation, as nearly everything does.
    pub step: u32,
}

impl Moment {
    /// Before this one, and after all that were before it.
    #[must_use]
    pub fn right_before(self) -> Moment {
        match self.step.checked_sub(1) {
            Some(step) => Moment { step, ..self },
            None => Moment {
                rev: self.rev - 1,
                step: u32::MAX,
                ..self
            },
        }
    }

    /// After everything that happened up to and on `day`.
    pub fn end_of(day: NaiveDate) -> Moment {
        Moment {
            effective: day,
            rev: i64::MAX,
            step: u32::MAX,
        }
    }
}

/// One unit that takes over all or a part of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    pub moment: Moment,
    pub from: UnitId,
    pub to: UnitId,
    /// `None` where nobody knows how large the part is.
    pub share: Option<Share>,
}

/// The successors of a unit at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    pub moment: Moment,
    pub from: UnitId,
    pub heirs: Heirs,
}

impl Passing {
    /// Tells whether the unit itself is one of its successors.
    pub fn is_survived(&self) -> bool {
        self.heirs.units().contains(&self.from)
    }

    fn successions(&self) -> Vec<Succession> {
        let parts: Vec<(UnitId, Option<Share>)> = match &self.heirs {
            Heirs::One(heir) => vec![(*heir, Some(Share::WHOLE))],
            Heirs::Shares(parts) => {
                let parts = parts.iter();
                parts.map(|(heir, share)| (*heir, Some(*share))).collect()
            }
            Heirs::Unknown(heirs) => heirs.iter().map(|heir| (*heir, None)).collect(),
        };
        let succession = |(to, share)| Succession {
            moment: self.moment,
            from: self.from,
            to,
            share,
        };
        parts.into_iter().map(succession).collect()
    }
}

/// The units that take over a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heirs {
    One(UnitId),
    /// In the order of the document; the shares add up to one.
    Shares(Vec<(UnitId, Share)>),
    /// Nobody knows in which parts.
    Unknown(Vec<UnitId>),
}

impl Heirs {
    fn of(successions: &[Succession]) -> Heirs {
        if let [one] = successions {
            return Heirs::One(one.to);
        }
        let shares = successions.iter().map(|one| Some((one.to, one.share?)));
        match shares.collect::<Option<Vec<_>>>() {
            Some(shares) if Share::make_whole(shares.iter().map(|(_, share)| *share)) => {
                Heirs::Shares(shares)
            }
            _ => Heirs::Unknown(successions.iter().map(|one| one.to).collect()),
        }
    }

    pub fn units(&self) -> Vec<UnitId> {
        match self {
            Heirs::One(unit) => vec![*unit],
            Heirs::Shares(parts) => parts.iter().map(|(unit, _)| *unit).collect(),
            Heirs::Unknown(units) => units.clone(),
        }
    }
}

/// All successions of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Successions {
    /// In order, so that what is listed of all is listed in one order.
    by_source: BTreeMap<UnitId, BTreeMap<Moment, Passing>>,
    /// Each source with the days on which it passed to the heir.
    by_heir: HashMap<UnitId, BTreeMap<UnitId, BTreeSet<NaiveDate>>>,
}

impl Successions {
    /// Successions of one source and moment keep the order of their document.
    pub fn new(all: impl IntoIterator<Item = Succession>) -> Successions {
        let mut events: BTreeMap<(Moment, UnitId), Vec<Succession>> = BTreeMap::new();
        for one in all {
            events.entry((one.moment, one.from)).or_default().push(one);
        }
        let mut successions = Successions::default();
        for ((moment, from), of_one) in events {
            let heirs = Heirs::of(&of_one);
            for heir in heirs.units() {
                if heir != from {
                    let sources = successions.by_heir.entry(heir).or_default();
                    let days = sources.entry(from).or_default();
                    days.insert(moment.effective);
                }
            }
            let passing = Passing {
                moment,
                from,
                heirs,
            };
            successions
                .by_source
                .entry(from)
                .or_default()
                .insert(moment, passing);
        }
        successions
    }

    /// The days on which anything happened.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let moments = self.by_source.values().flat_map(BTreeMap::keys);
        moments.map(|moment| moment.effective)
    }

    /// These and more.
    #[must_use]
    pub fn with(&self, more: &[Succession]) -> Successions {
        let passings = self.by_source.values().flat_map(BTreeMap::values);
        let known = passings.flat_map(Passing::successions);
        Successions::new(known.chain(more.iter().cloned()))
    }

    /// Finds the next passing from a unit after `since`, up to and on `day`.
    pub fn next(&self, unit: UnitId, since: Moment, day: NaiveDate) -> Option<&Passing> {
        use std::ops::Bound::{Excluded, Included};
        if since >= Moment::end_of(day) {
            return None;
        }
        let events = self.by_source.get(&unit)?;
        let range = (Excluded(since), Included(Moment::end_of(day)));
        events.range(range).next().map(|(_, passing)| passing)
    }

    /// Everything that happened to a unit, in order, up to and on `day`.
    pub fn of(&self, unit: UnitId, day: NaiveDate) -> impl Iterator<Item = &Passing> {
        let end = Moment::end_of(day);
        let events = self.by_source.get(&unit).into_iter();
        events.flat_map(move |events| events.range(..=end).map(|(_, passing)| passing))
    }

    /// The units that anything passed from or to in the reorganisation of this rev.
    pub fn units_of(&self, rev: i64) -> impl Iterator<Item = UnitId> {
        let passings = self.by_source.values().flat_map(BTreeMap::values);
        let of_one = passings.filter(move |passing| passing.moment.rev == rev);
        of_one.flat_map(|passing| {
            let heirs = passing.heirs.units().into_iter();
            heirs.chain([passing.from])
        })
    }

    /// Everything that ever happened, up to and on `day`.
    pub fn until(&self, day: NaiveDate) -> impl Iterator<Item = &Passing> {
        let end = Moment::end_of(day);
        self.by_source
            .values()
            .flat_map(move |events| events.range(..=end).map(|(_, passing)| passing))
    }

    /// The first day after `after` on which anything passes from a unit or to it.
    pub fn first_after(&self, unit: UnitId, after: NaiveDate) -> Option<NaiveDate> {
        let events = self.by_source.get(&unit).into_iter();
        let passes = events.flat_map(BTreeMap::keys);
        let passes = passes.map(|moment| moment.effective);
        let sources = self.by_heir.get(&unit).into_iter().flatten();
        let comes = sources.flat_map(|(_, days)| days.iter().copied());
        passes.chain(comes).filter(|day| *day > after).min()
    }

    /// Tells whether anything passed from a unit or to it after one day, up to and on another.
    pub fn is_touched(&self, unit: UnitId, after: NaiveDate, day: NaiveDate) -> bool {
        let passes = self.next(unit, Moment::end_of(after), day).is_some();
        let sources = self.by_heir.get(&unit).into_iter().flatten();
        let mut days = sources.flat_map(|(_, days)| days);
        passes || days.any(|passed| *passed > after && *passed <= day)
    }

    /// The units that something of `unit` comes from, up to and on `day`, directly or through
    /// others; not itself.
    pub fn sources_of(&self, unit: UnitId, day: NaiveDate) -> Vec<UnitId> {
        let sources = self.sources_between(unit, NaiveDate::MIN, day).into_iter();
        sources.map(|(source, _)| source).collect()
    }

    /// Returns the sources between two days (after the first, up to and on the second), each with the
    /// last day on which it passed anything.
    pub fn sources_between(
        &self,
        unit: UnitId,
        after: NaiveDate,
        day: NaiveDate,
    ) -> Vec<(UnitId, NaiveDate)> {
        let mut found: Vec<(UnitId, NaiveDate)> = Vec::new();
        let mut waiting = vec![unit];
        while let Some(next) = waiting.pop() {
            for (source, days) in self.by_heir.get(&next).into_iter().flatten() {
                let last = days.range(..=day).next_back().filter(|last| **last > after);
                let is_known = found.iter().any(|(known, _)| known == source);
                if let Some(last) = last.filter(|_| *source != unit && !is_known) {
                    found.push((*source, *last));
                    waiting.push(*source);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_a_fraction_above_nothing_and_at_most_the_whole() {
        assert_eq!(share("7/10"), Share::new(7, 10).unwrap());
        assert_eq!(share("14/20").to_string(), "7/10");
        assert_eq!(share("1"), Share::WHOLE);
        for text in [
            "",
            "0",
            "0/1",
            "3/2",
            "-1/2",
            "1/0",
            "1/",
            "/2",
            "a",
            "0.7",
            "1/9999999999",
        ] {
            assert_eq!(text.parse::<Share>(), Err(InvalidShare), "{text}");
        }
    }

    #[test]
    fn shares_make_a_whole_only_when_they_add_up_to_one() {
        assert!(Share::make_whole([
            share("1/3"),
            share("1/3"),
            share("1/3")
        ]));
        assert!(!Share::make_whole([share("1/3"), share("1/3")]));
        assert!(!Share::make_whole([share("2/3"), share("2/3")]));
    }

    #[test]
    fn what_happened_next_goes_by_day_then_by_document_then_by_step() {
        let units: Vec<UnitId> = (0..4).map(|_| UnitId::new()).collect();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let moment = |effective: &str, rev, step| Moment {
            effective: day(effective),
            rev,
            step,
        };
        let to = |moment, from: usize, to: usize| Succession {
            moment,
            from: units[from],
            to: units[to],
            share: Some(Share::WHOLE),
        };
        let (late, early) = (moment("2025-07-01", 3, 0), moment("2025-07-01", 2, 5));
        let successions = Successions::new([to(late, 0, 2), to(early, 0, 1), to(early, 2, 3)]);
        let before = Moment::end_of(day("2025-06-30"));
        let next = |since| successions.next(units[0], since, day("2026-01-01"));
        assert_eq!(next(before).unwrap().heirs, Heirs::One(units[1]));
        assert_eq!(next(early).unwrap().heirs, Heirs::One(units[2]));
        assert!(next(late).is_none());
        assert!(
            successions
                .next(units[0], before, day("2025-06-30"))
                .is_none()
        );
        let mut sources = successions.sources_of(units[3], day("2026-01-01"));
        sources.sort();
        let mut expected = vec![units[0], units[2]];
        expected.sort();
        assert_eq!(sources, expected);
    }
}
