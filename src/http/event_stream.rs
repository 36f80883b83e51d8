//! Event streams (server-sent events): follows the changes for a caller who keeps a connection open.
//! Each stream is pulled by its connection: nothing is read ahead for a client that does not read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, web};
use futures_util::{StreamExt, stream};

use super::json::json_line;
use super::problem::{Problem, retry_after};
use super::request::{Now, SignedIn};
use super::state::ServerState;
use crate::authn::Identity;
use crate::domain::id::AccountId;
use crate::error::Code;
use crate::message;
use crate::service::Application;
use crate::service::feed::changes::{Batch, ChangesQuery, read_changes};
use crate::service::feed::pulse::Pulse;

/// Tells nginx to pass on each event at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The most streams of one account: a few windows of one person, or the parts of a program.
const MOST_OF_ACCOUNT: usize = 4;

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
    open: Arc<Mutex<HashMap<AccountId, usize>>>,
    pulse: Arc<Pulse>,
}

/// A stream that is open, until it is dropped.
pub struct OpenStream {
    account: AccountId,
    open: Arc<Mutex<HashMap<AccountId, usize>>>,
    pulse: Arc<Pulse>,
}

impl Streams {
    /// Opens a stream of an account.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open(&self, account: AccountId) -> Result<OpenStream, Problem> {
        let mut open = locked(&self.open);
        let of_account = open.get(&account).copied().unwrap_or(0);
        let of_server: usize = open.values().sum();
        if of_account >= MOST_OF_ACCOUNT || of_server >= MOST_OF_SERVER {
            let message = message!("event-stream-too-many");
            return Err(
                Problem::new(Code::TooManyStreams, message).with_header(RETRY_AFTER, retry_after())
            );
        }
        open.insert(account, of_account + 1);
        Ok(OpenStream {
            account,
            open: Arc::clone(&self.open),
            pulse: Arc::clone(&self.pulse),
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = locked(&self.open);
        match open.get_mut(&self.account) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.account);
            }
        }
    }
}

fn locked(open: &Mutex<HashMap<AccountId, usize>>) -> MutexGuard<'_, HashMap<AccountId, usize>> {
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
    pub async fn answer(
        mut self,
        mut response: HttpResponseBuilder,
        identity: Identity,
    ) -> Result<HttpResponse, Problem> {
        let first = text_of(&self.read(identity).await?)?;
        let rest = stream::unfold(self, Follower::next);
        Ok(response
            .content_type("text/event-stream")
            .insert_header((X_ACCEL_BUFFERING, "no"))
            .streaming(stream::once(ready(Ok(first))).chain(rest)))
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
        let caller = SignedIn::extract(&self.request).await;
        let Ok(SignedIn(identity)) = caller else {
            return News::Over;
        };
        let is_silent = self.spoke.elapsed() >= SIGN_OF_LIFE;
        if !is_silent && !self.has_more(identity).await {
            return News::None;
        }
        match self.read(identity).await {
            Ok(batch) if is_silent || !batch.items.is_empty() => {
                text_of(&batch).map_or(News::Over, News::Text)
            }
            Ok(batch) if batch.next < batch.last => News::More,
            Ok(_) => News::None,
            // It passes, and a browser that is turned away does not come again.
            Err(problem) if problem.status_code() == StatusCode::SERVICE_UNAVAILABLE => {
                match is_silent {
                    true => News::Text(Bytes::from_static(COMMENT)),
                    false => News::None,
                }
            }
            Err(_) => News::Over,
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

    #[test]
    fn nobody_opens_more_streams_than_there_is_room_for() {
        let streams = Streams::default();
        let somebody = AccountId::new();
        let mut open: Vec<OpenStream> = (0..MOST_OF_ACCOUNT)
            .map(|_| {
                streams
                    .open(somebody)
                    .unwrap_or_else(|_| panic!("too many"))
            })
            .collect();
        let refused = |account| {
            streams
                .open(account)
                .err()
                .map(|problem| problem.status_code())
        };
        assert_eq!(refused(somebody), Some(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(refused(AccountId::new()), None);
        open.pop();
        let again = streams.open(somebody);
        assert!(again.is_ok());
        while let Ok(stream) = streams.open(AccountId::new()) {
            open.push(stream);
        }
        drop(again);
        open.extend(streams.open(AccountId::new()));
        assert_eq!(open.len(), MOST_OF_SERVER);
        open.clear();
        assert!(locked(&streams.open).is_empty());
    }
}
