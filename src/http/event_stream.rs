//! Event streams (server-sent events): follows the changes for a caller who keeps a connection open.
//! Each stream is pulled by its connection: nothing is read ahead for a client that does not read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ResponseHead;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, RETRY_AFTER};
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::web::Bytes;
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, body, web,
};
use futures_util::{StreamExt, stream};

use super::json::json_line;
use super::problem::{Problem, retry_after};
use super::request::{Now, SignedIn};
use super::state::ServerState;
use crate::authn::Identity;
use crate::domain::id::{AccountId, TenantId};
use crate::error::Code;
use crate::message;
use crate::service::Application;
use crate::service::feed::changes::{Batch, ChangesQuery, read_changes};
use crate::service::feed::pulse::Pulse;

/// Tells nginx to pass on each event at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The most streams of one account: a few windows of one person, or the parts of a program.
const MOST_OF_ACCOUNT: usize = 4;

/// The most streams of one tenant, which leaves as many to the others.
const MOST_OF_TENANT: usize = MOST_OF_SERVER / 2;

/// The most streams of a server.
const MOST_OF_SERVER: usize = 256;

/// The interval at which a stream asks for news.
const LOOK_UP: Duration = Duration::from_secs(1);

/// The time after which a stream without news says that it is there. Its account's rights are then
/// read anew too.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The open streams of a server.
#[derive(Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<Holder, usize>>>,
    pulse: Arc<Pulse>,
}

/// One whose streams are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Account(AccountId),
    Tenant(TenantId),
    Server,
}

impl Holder {
    fn most(self) -> usize {
        match self {
            Holder::Account(_) => MOST_OF_ACCOUNT,
            Holder::Tenant(_) => MOST_OF_TENANT,
            Holder::Server => MOST_OF_SERVER,
        }
    }
}

/// A stream that is open, until it is dropped.
pub struct OpenStream {
    holders: [Holder; 3],
    open: Arc<Mutex<HashMap<Holder, usize>>>,
    pulse: Arc<Pulse>,
}

impl Streams {
    /// Opens a stream of an account.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open(&self, tenant: TenantId, account: AccountId) -> Result<OpenStream, Problem> {
        let holders = [
            Holder::Account(account),
            Holder::Tenant(tenant),
            Holder::Server,
        ];
        let mut open = locked(&self.open);
        let is_full = |holder: &Holder| open.get(holder).is_some_and(|open| *open >= holder.most());
        if holders.iter().any(is_full) {
            let message = message!("event-stream-too-many");
            return Err(
                Problem::new(Code::TooManyStreams, message).with_header(RETRY_AFTER, retry_after())
            );
        }
        for holder in holders {
            *open.entry(holder).or_default() += 1;
        }
        Ok(OpenStream {
            holders,
            open: Arc::clone(&self.open),
            pulse: Arc::clone(&self.pulse),
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = locked(&self.open);
        for holder in &self.holders {
            match open.get_mut(holder) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    open.remove(holder);
                }
            }
        }
    }
}

fn locked(open: &Mutex<HashMap<Holder, usize>>) -> MutexGuard<'_, HashMap<Holder, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller who follows the changes.
pub struct Follower {
    /// Asked for the caller again and again: a token expires, and an account may be disabled.
    request: HttpRequest,
    application: web::Data<Application>,
    server: web::Data<ServerState>,
    stream: OpenStream,
    /// Its `after` is how far was read.
    query: ChangesQuery,
    /// The tenant's rev when that was read.
    last: i64,
    /// The time of the last event or comment.
    spoke: Instant,
}

/// Begins the answer that is a stream.
fn begin() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((X_ACCEL_BUFFERING, "no"));
    response
}

/// Makes the headers of a stream, without one.
pub fn head_alone() -> HttpResponse {
    begin().body(body::None::new()).map_into_boxed_body()
}

/// Sends a body as it is, and ends it by closing the connection. Clients before HTTP/1.1 know no
/// chunks (RFC 9112, section 6.1).
fn end_with_connection(head: &mut ResponseHead) {
    head.no_chunking(true);
    head.set_connection_type(ConnectionType::Close);
}

/// The outcome of asking for news.
enum News {
    Text(Bytes),
    None,
    /// Nothing of what was read is for the caller, and there is more to read.
    More,
    /// The stream ends.
    Over,
}

/// A comment, which keeps the connection open.
const COMMENT: &[u8] = b":\n";

impl Follower {
    pub fn new(
        request: HttpRequest,
        application: web::Data<Application>,
        server: web::Data<ServerState>,
        stream: OpenStream,
        query: ChangesQuery,
    ) -> Follower {
        Follower {
            request,
            application,
            server,
            stream,
            query,
            last: 0,
            spoke: Instant::now(),
        }
    }

    /// Answers with what is there already, and goes on with what comes.
    ///
    /// # Errors
    /// Those of the first read.
    pub async fn answer(mut self, identity: Identity) -> Result<HttpResponse, Problem> {
        let first = text_of(&self.read(identity).await?)?;
        let version = self.request.version();
        let rest = stream::unfold(self, Follower::next);
        let mut response = begin().streaming(stream::once(ready(Ok(first))).chain(rest));
        if version < Version::HTTP_11 {
            end_with_connection(response.head_mut());
        }
        Ok(response)
    }

    /// Waits for news; `None` ends the stream.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Follower)> {
        while !self.server.is_stopping() {
            match self.ask().await {
                News::Text(text) => {
                    self.spoke = Instant::now();
                    return Some((Ok(text), self));
                }
                News::None => tokio::time::sleep(LOOK_UP).await,
                News::More => {}
                News::Over => break,
            }
        }
        None
    }

    async fn ask(&mut self) -> News {
        let is_silent = self.spoke.elapsed() >= SIGN_OF_LIFE;
        let identity = match SignedIn::extract(&self.request).await {
            Ok(SignedIn(identity)) => identity,
            Err(problem) => return without(&problem, is_silent),
        };
        if !is_silent && !self.has_more(identity).await {
            return News::None;
        }
        match self.read(identity).await {
            Ok(batch) if is_silent || !batch.items.is_empty() => {
                text_of(&batch).map_or(News::Over, News::Text)
            }
            Ok(batch) if batch.next < batch.last => News::More,
            Ok(_) => News::None,
            Err(problem) => without(&problem, is_silent),
        }
    }

    /// Tells whether there are commits that were not read.
    async fn has_more(&self, identity: Identity) -> bool {
        let read = self.query.after.filter(|read| *read >= self.last);
        let Some(read) = read else {
            return true;
        };
        let (application, pulse) = (self.application.clone(), Arc::clone(&self.stream.pulse));
        let rev = web::block(move || pulse.rev(&application, &identity)).await;
        rev.is_ok_and(|rev| rev.is_some_and(|rev| rev > read))
    }

    async fn read(&mut self, identity: Identity) -> Result<Batch, Problem> {
        let (application, query) = (self.application.clone(), self.query.clone());
        let now = Now::extract(&self.request).await?;
        let batch =
            super::blocking(move || read_changes(&application, &identity, &query, now.0)).await?;
        self.query.after = Some(batch.next);
        self.last = batch.last;
        Ok(batch)
    }
}

/// Goes on without an answer if its failure passes, since a browser that is turned away does not come
/// again. Any other failure ends the stream.
fn without(problem: &Problem, is_silent: bool) -> News {
    let passes = problem.status_code() == StatusCode::SERVICE_UNAVAILABLE;
    match (passes, is_silent) {
        (true, true) => News::Text(Bytes::from_static(COMMENT)),
        (true, false) => News::None,
        (false, _) => News::Over,
    }
}

/// Writes items as events. The last event of a commit has its rev as the id to go on from. At the
/// end stands an id without data, which tells how far was read and is no event.
fn text_of(batch: &Batch) -> Result<Bytes, Problem> {
    let mut text = COMMENT.to_vec();
    let mut items = batch.items.iter().peekable();
    while let Some(item) = items.next() {
        let data = json_line(item).map_err(|error| {
            tracing::error!(%error, "a change cannot be written as JSON");
            Problem::internal()
        })?;
        text.extend(format!("event: {}\ndata: ", item.kind).into_bytes());
        text.extend(data);
        if items.peek().is_none_or(|next| next.rev > item.rev) {
            text.extend(format!("id: {}\n", item.rev).into_bytes());
        }
        text.push(b'\n');
    }
    text.extend(format!("id: {}\n\n", batch.next).into_bytes());
    Ok(Bytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens streams of new accounts of a tenant until one is refused.
    fn fill(streams: &Streams, tenant: TenantId) -> Vec<OpenStream> {
        std::iter::from_fn(|| streams.open(tenant, AccountId::new()).ok()).collect()
    }

    #[test]
    fn nobody_opens_more_streams_than_there_is_room_for() {
        let streams = Streams::default();
        let (tenant, somebody) = (TenantId::new(), AccountId::new());
        let refusal = |account| {
            let refused = streams.open(tenant, account).err();
            refused.map(|problem| problem.status_code())
        };
        let own = std::iter::from_fn(|| streams.open(tenant, somebody).ok());
        let mut open: Vec<OpenStream> = own.collect();
        assert_eq!(open.len(), MOST_OF_ACCOUNT);
        assert_eq!(refusal(somebody), Some(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(refusal(AccountId::new()), None);
        open.pop();
        assert_eq!(refusal(somebody), None);

        open.extend(fill(&streams, tenant));
        assert_eq!(open.len(), MOST_OF_TENANT);
        open.extend(fill(&streams, TenantId::new()));
        open.extend(fill(&streams, TenantId::new()));
        assert_eq!(open.len(), MOST_OF_SERVER);
        open.clear();
        assert!(locked(&streams.open).is_empty());
    }
}
