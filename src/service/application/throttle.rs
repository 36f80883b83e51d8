//! Slows those who guess passwords, without locking out those who know them.
//!
//! Only failures count: against the account that was tried, and against the address that they come
//! from. Whoever has used up either waits. An address from which somebody has signed in to the
//! account before has a count of its own, so that strangers cannot lock the owner out. Names that no
//! account has are counted like others.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::domain::id::TenantId;
use crate::domain::text::composed;
use crate::error::{Code, Explain, Explanation};
use crate::locale::Count;
use crate::message;
use crate::rate::{Buckets, Rate};

/// The failures that are let through. `None` means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignInLimits {
    /// Of one account, from addresses that have not signed in to it; and from each that has.
    pub of_account: Option<Rate>,
    /// From one address, whichever the account.
    pub of_address: Option<Rate>,
    /// The time for which the answer to a failure waits once half of a count is used up.
    pub pause: Duration,
}

impl SignInLimits {
    /// Returns the limits of a server. An account may be tried 10 times, and then once a minute; an
    /// address is the office or the mobile network of many, and may fail 100 times, and then 20
    /// times a minute.
    pub fn usual() -> SignInLimits {
        SignInLimits {
            of_account: Rate::of(10, Duration::from_secs(10 * 60)),
            of_address: Rate::of(100, Duration::from_secs(5 * 60)),
            pause: Duration::from_secs(1),
        }
    }
}

/// The error of whoever has failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failures; the next try is in {wait:?}")]
pub struct TooManyFailures {
    pub wait: Duration,
}

impl Explain for TooManyFailures {
    fn explain(&self) -> Explanation {
        let seconds = usize::try_from(self.seconds()).unwrap_or(usize::MAX);
        let message = message!("throttle-too-many-failures", seconds = Count(seconds));
        Explanation::new(Code::TooManySignIns, message)
    }
}

impl TooManyFailures {
    /// Returns the wait in whole seconds, at least one.
    pub fn seconds(&self) -> u64 {
        self.wait.as_secs().saturating_add(1)
    }
}

/// Those who send from one place: an address, or a network that one customer has (IPv6).
pub type Place = IpAddr;

/// Returns the place of an address: itself, or its network of 64 bits (IPv6), within which devices
/// change their addresses.
pub fn place_of(address: IpAddr) -> Place {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A login in a tenant, whether they exist or not.
type TriedLogin = [u8; 32];

/// The counts of a server's failed sign-ins.
#[derive(Default)]
pub struct Throttle {
    of_account: Option<Buckets<TriedLogin>>,
    of_account_at_place: Option<Buckets<(TriedLogin, Place)>>,
    of_place: Option<Buckets<Place>>,
    notes: Option<Buckets<Place>>,
    looks: Option<Buckets<Option<TenantId>>>,
    pause: Duration,
}

/// What a caller is to the account that it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquaintance {
    Stranger,
    /// Somebody has signed in to the account from there.
    Known,
}

/// The refusals from one address that are written down at once, and those of a minute.
const NOTES: u64 = 1;

/// The keys of a tenant that are read in a second although their address has failed too often.
const LOOKS: u64 = 1;

impl Throttle {
    pub fn new(limits: SignInLimits) -> Throttle {
        let notes = Rate::of(NOTES, Duration::from_secs(60));
        let looks = Rate::of(LOOKS, Duration::from_secs(1));
        Throttle {
            of_account: limits.of_account.map(Buckets::new),
            of_account_at_place: limits.of_account.map(Buckets::new),
            of_place: limits.of_address.map(Buckets::new),
            notes: limits.of_address.and(notes).map(Buckets::new),
            looks: limits.of_address.and(looks).map(Buckets::new),
            pause: limits.pause,
        }
    }

    /// Begins an attempt to sign in. `slug` is the tenant as the caller named it, for one that does
    /// not exist.
    pub fn attempt(
        &self,
        (tenant, slug): (Option<TenantId>, Option<&str>),
        login: &str,
        address: Option<IpAddr>,
    ) -> Attempt<'_> {
        let tenant = tenant.map(|tenant| tenant.to_string());
        let tenant = tenant.as_deref().or(slug).unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(tenant.as_bytes());
        hash.update([0]);
        hash.update(composed(login).as_bytes());
        Attempt {
            throttle: self,
            target: hash.finalize().into(),
            place: address.map(place_of),
        }
    }

    /// Refuses an address that has failed too often, whatever it wants.
    ///
    /// # Errors
    /// [`TooManyFailures`].
    pub fn admit(&self, address: Option<IpAddr>) -> Result<(), TooManyFailures> {
        let place = address.map(place_of);
        let wait = look(self.of_place.as_ref(), place.as_ref());
        wait.map_or(Ok(()), |wait| Err(TooManyFailures { wait }))
    }

    /// Counts a failure of an address.
    pub fn note_failure(&self, address: Option<IpAddr>) {
        charge(self.of_place.as_ref(), address.map(place_of));
    }

    /// Returns true if a refusal is to be written down: one a minute from an address, since refusals
    /// cost their sender nothing.
    pub fn is_noted(&self, address: Option<IpAddr>) -> bool {
        match (&self.notes, address) {
            (Some(notes), Some(address)) => {
                notes.take(place_of(address), 1, Instant::now()).is_ok()
            }
            _ => true,
        }
    }

    /// Returns true if a key from a refused address is to be read all the same: one a second of a
    /// tenant, and one a second of all tenants of which this server has read nothing (`None`).
    pub fn is_look_due(&self, tenant: Option<TenantId>) -> bool {
        let looks = self.looks.as_ref();
        looks.is_none_or(|looks| looks.take(tenant, 1, Instant::now()).is_ok())
    }
}

/// One attempt to sign in: an account, which may not exist, and an address.
pub struct Attempt<'t> {
    throttle: &'t Throttle,
    target: TriedLogin,
    place: Option<Place>,
}

impl Attempt<'_> {
    /// Refuses an attempt after too many failures.
    ///
    /// # Errors
    /// [`TooManyFailures`].
    pub fn admit(&self, acquaintance: Acquaintance) -> Result<(), TooManyFailures> {
        let throttle = self.throttle;
        let wait = match acquaintance {
            Acquaintance::Stranger => {
                let of_account = look(throttle.of_account.as_ref(), Some(&self.target));
                of_account.max(look(throttle.of_place.as_ref(), self.place.as_ref()))
            }
            Acquaintance::Known => {
                let pair = self.place.map(|place| (self.target, place));
                look(throttle.of_account_at_place.as_ref(), pair.as_ref())
            }
        };
        wait.map_or(Ok(()), |wait| Err(TooManyFailures { wait }))
    }

    /// Counts a failure, and returns the time for which its answer waits.
    pub fn note_failure(&self, acquaintance: Acquaintance) -> Duration {
        let throttle = self.throttle;
        let of_place = charge(throttle.of_place.as_ref(), self.place);
        let of_account = match acquaintance {
            Acquaintance::Stranger => charge(throttle.of_account.as_ref(), Some(self.target)),
            Acquaintance::Known => {
                let pair = self.place.map(|place| (self.target, place));
                charge(throttle.of_account_at_place.as_ref(), pair)
            }
        };
        match of_account.max(of_place) {
            Fill::Much => Duration::ZERO,
            Fill::Little => throttle.pause,
        }
    }
}

/// Looks whether a key has one failure left; returns the wait if not.
fn look<K: std::hash::Hash + Eq>(
    buckets: Option<&Buckets<K>>,
    key: Option<&K>,
) -> Option<Duration> {
    let looked = buckets?.look(key?, 1, Instant::now());
    looked.err().map(|short| short.wait)
}

/// What is left of a count after a failure.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fill {
    Much,
    /// Less than half.
    Little,
}

fn charge<K: std::hash::Hash + Eq>(buckets: Option<&Buckets<K>>, key: Option<K>) -> Fill {
    let (Some(buckets), Some(key)) = (buckets, key) else {
        return Fill::Much;
    };
    let left = buckets.charge(key, 1, Instant::now()).left;
    match left.saturating_mul(2) < buckets.rate().burst.get() {
        true => Fill::Little,
        false => Fill::Much,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn strangers_use_up_an_account_and_the_owner_still_gets_in() {
        let throttle = Throttle::new(SignInLimits::usual());
        let from = |last| throttle.attempt((None, Some("a")), "clerk", address(last));
        let stranger = from(1);
        let mut pauses = Vec::new();
        while stranger.admit(Acquaintance::Stranger).is_ok() {
            pauses.push(stranger.note_failure(Acquaintance::Stranger));
        }
        let second = Duration::from_secs(1);
        let expected = [[Duration::ZERO; 5], [second; 5]].concat();
        assert_eq!(pauses, expected);
        let refused = from(2).admit(Acquaintance::Stranger).unwrap_err();
        assert!(refused.wait <= Duration::from_secs(60) && refused.seconds() <= 60);
        assert!(from(2).admit(Acquaintance::Known).is_ok());
        let other = throttle.attempt((None, Some("b")), "clerk", address(1));
        assert!(other.admit(Acquaintance::Stranger).is_ok());
    }

    #[test]
    fn whoever_tries_many_names_uses_up_an_address() {
        let throttle = Throttle::new(SignInLimits::usual());
        for name in 0..100 {
            let attempt = throttle.attempt((None, None), &name.to_string(), address(1));
            assert!(attempt.admit(Acquaintance::Stranger).is_ok());
            attempt.note_failure(Acquaintance::Stranger);
        }
        let attempt = |last| throttle.attempt((None, None), "fresh", address(last));
        assert!(attempt(1).admit(Acquaintance::Stranger).is_err());
        assert!(attempt(2).admit(Acquaintance::Stranger).is_ok());
        assert!(throttle.admit(address(1)).is_err());
        assert!(throttle.admit(None).is_ok());
    }

    #[test]
    fn an_account_at_a_known_address_has_a_count_of_its_own() {
        let throttle = Throttle::new(SignInLimits::usual());
        let attempt = throttle.attempt((None, None), "clerk", address(1));
        for _ in 0..10 {
            assert!(attempt.admit(Acquaintance::Known).is_ok());
            attempt.note_failure(Acquaintance::Known);
        }
        assert!(attempt.admit(Acquaintance::Known).is_err());
        assert!(attempt.admit(Acquaintance::Stranger).is_ok());
    }

    #[test]
    fn one_customers_network_is_one_place() {
        let place = |text: &str| place_of(text.parse().unwrap());
        assert_eq!(place("2001:db8::1"), place("2001:db8::ffff:1:2:3"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let throttle = Throttle::default();
        let attempt = throttle.attempt((None, None), "clerk", address(1));
        for _ in 0..1000 {
            assert_eq!(attempt.note_failure(Acquaintance::Stranger), Duration::ZERO);
        }
        assert!(attempt.admit(Acquaintance::Stranger).is_ok());
        assert!(throttle.is_noted(address(1)) && throttle.is_noted(address(1)));
    }
}
