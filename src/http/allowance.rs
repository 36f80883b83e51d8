//! What an account and its tenant may ask for: requests a second, and bytes of submissions a day. One
//! who sends without end takes nothing from the others. The counts are this server's own and start
//! anew with it.

use std::hash::Hash;
use std::time::{Duration, Instant};

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, web};
use itertools::Itertools;

use super::problem::Problem;
use crate::allowance::AllowanceLimits;
use crate::authn::Identity;
use crate::domain::id::{AccountId, TenantId};
use crate::error::Code;
use crate::locale::Count;
use crate::message;
use crate::rate::{Buckets, Level, Rate, Short};

/// The allowances of all callers, shared by the server's threads.
pub struct Allowances {
    requests: Budget,
    bytes: Budget,
    /// The `RateLimit-Policy` of every answer to a signed-in caller.
    policy: Option<HeaderValue>,
}

struct Budget {
    of_account: Option<Buckets<AccountId>>,
    of_tenant: Option<Buckets<TenantId>>,
}

impl Budget {
    fn new(of_account: Option<Rate>, of_tenant: Option<Rate>) -> Budget {
        Budget {
            of_account: of_account.map(Buckets::new),
            of_tenant: of_tenant.map(Buckets::new),
        }
    }

    fn take(&self, identity: &Identity, amount: u64) -> Result<Standing, Short> {
        let now = Instant::now();
        let of_account = take(self.of_account.as_ref(), identity.account(), amount, now)?;
        let of_tenant = take(self.of_tenant.as_ref(), identity.tenant(), amount, now)?;
        Ok(Standing {
            of_account,
            of_tenant,
        })
    }

    fn standing(&self, identity: &Identity) -> Standing {
        let now = Instant::now();
        let of_account = self.of_account.as_ref();
        let of_tenant = self.of_tenant.as_ref();
        Standing {
            of_account: of_account.map(|buckets| buckets.level_of(&identity.account(), now)),
            of_tenant: of_tenant.map(|buckets| buckets.level_of(&identity.tenant(), now)),
        }
    }
}

fn take<K: Hash + Eq>(
    buckets: Option<&Buckets<K>>,
    key: K,
    amount: u64,
    now: Instant,
) -> Result<Option<Level>, Short> {
    let taken = buckets.map(|buckets| buckets.take(key, amount, now));
    taken.transpose()
}

/// What a caller has left of its requests, kept in the request's extensions for the answer.
#[derive(Debug, Clone, Copy)]
struct Standing {
    of_account: Option<Level>,
    of_tenant: Option<Level>,
}

impl Standing {
    fn header(&self) -> Option<HeaderValue> {
        let parts = [(ACCOUNT, self.of_account), (TENANT, self.of_tenant)];
        let parts = parts.into_iter().filter_map(|(name, level)| {
            let level = level?;
            let seconds = whole_seconds(level.full_in);
            Some(format!("\"{name}\";r={};t={seconds}", level.left))
        });
        header_of(parts)
    }
}

/// The names of the two limits in the headers.
const ACCOUNT: &str = "account";
const TENANT: &str = "tenant";

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

fn header_of(mut parts: impl Iterator<Item = String>) -> Option<HeaderValue> {
    let text = parts.join(", ");
    let value = HeaderValue::from_str(&text).ok()?;
    (!text.is_empty()).then_some(value)
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl Allowances {
    pub fn new(limits: AllowanceLimits) -> Allowances {
        let AllowanceLimits {
            of_account,
            of_tenant,
        } = limits;
        let rates = [
            (ACCOUNT, of_account.requests()),
            (TENANT, of_tenant.requests()),
        ];
        let policy = rates.into_iter().filter_map(|(name, rate)| {
            let Rate { burst, window } = rate?;
            Some(format!("\"{name}\";q={burst};w={}", window.as_secs()))
        });
        Allowances {
            policy: header_of(policy),
            requests: Budget::new(of_account.requests(), of_tenant.requests()),
            bytes: Budget::new(of_account.bytes(), of_tenant.bytes()),
        }
    }
}

/// Counts a request of a caller.
///
/// # Errors
/// The caller, or its tenant, has sent too many.
pub(super) fn count_request(request: &HttpRequest, identity: &Identity) -> Result<(), Problem> {
    let Some(allowances) = request.app_data::<web::Data<Allowances>>() else {
        return Ok(());
    };
    // Several extractors may ask for the caller of one request.
    if request.extensions().contains::<Standing>() {
        return Ok(());
    }
    let taken = allowances.requests.take(identity, 1);
    let standing = match &taken {
        Ok(standing) => *standing,
        Err(_) => allowances.requests.standing(identity),
    };
    request.extensions_mut().insert(standing);
    match taken {
        Ok(_) => Ok(()),
        Err(Short { wait }) => Err(too_many_requests(wait)),
    }
}

/// Counts the bytes that a caller brings.
///
/// # Errors
/// The caller, or its tenant, has brought too many today.
pub(super) fn count_bytes(
    request: &HttpRequest,
    identity: &Identity,
    bytes: usize,
) -> Result<(), Problem> {
    let Some(allowances) = request.app_data::<web::Data<Allowances>>() else {
        return Ok(());
    };
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    match allowances.bytes.take(identity, bytes) {
        Ok(_) => Ok(()),
        Err(Short { wait }) => Err(too_many_bytes(wait)),
    }
}

/// Makes the answer to a caller that has sent too many requests.
pub(super) fn too_many_requests(wait: Duration) -> Problem {
    let message = message!("allowance-too-many-requests");
    Problem::new(Code::RateLimited, message).with_header(header::RETRY_AFTER, retry_after(wait))
}

fn too_many_bytes(wait: Duration) -> Problem {
    let minutes = whole_seconds(wait).div_ceil(60);
    let minutes = usize::try_from(minutes).unwrap_or(usize::MAX);
    let message = message!("allowance-too-many-bytes", minutes = Count(minutes));
    Problem::new(Code::RateLimited, message).with_header(header::RETRY_AFTER, retry_after(wait))
}

fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from(whole_seconds(wait).max(1))
}

/// Tells a signed-in caller in the headers of an answer what it has left.
pub(super) fn announce<B>(response: &mut ServiceResponse<B>) {
    let request = response.request();
    let standing = request.extensions().get::<Standing>().copied();
    let allowances = request.app_data::<web::Data<Allowances>>();
    let policy = allowances.and_then(|allowances| allowances.policy.clone());
    if let Some((policy, left)) = policy.zip(standing.and_then(|standing| standing.header())) {
        let headers = response.headers_mut();
        headers.insert(RATE_LIMIT_POLICY, policy);
        headers.insert(RATE_LIMIT, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowance::Allowance;

    #[test]
    fn the_headers_name_each_limit_that_there_is() {
        let limits = |of_account, of_tenant| {
            let allowance = |requests_a_second| Allowance {
                requests_a_second,
                bytes_a_day: 0,
            };
            let limits = AllowanceLimits {
                of_account: allowance(of_account),
                of_tenant: allowance(of_tenant),
            };
            let policy = Allowances::new(limits).policy;
            policy.map(|policy| policy.to_str().unwrap().to_owned())
        };
        let both = r#""account";q=400;w=2, "tenant";q=4000;w=2"#;
        assert_eq!(limits(200, 2000).as_deref(), Some(both));
        assert_eq!(limits(0, 5).as_deref(), Some(r#""tenant";q=10;w=2"#));
        assert_eq!(limits(0, 0), None);
        let level = Level {
            left: 7,
            full_in: Duration::from_millis(1100),
        };
        let standing = Standing {
            of_account: Some(level),
            of_tenant: None,
        };
        assert_eq!(standing.header().unwrap(), r#""account";r=7;t=2"#);
    }
}
