//! The load: every hamlet's submission and some corrections, from many connections of one thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::task::{JoinSet, LocalSet};

use crate::connection::{Answer, Connection};
use crate::country::Country;
use crate::form::{FORM, Form, Turn, is_corrected};
use crate::{Failure, bar};

/// The number of corrections that wait, so that much is submitted between a submission and its
/// correction.
const WAITING_CORRECTIONS: usize = 500;
/// The time for which a request is repeated before the run fails.
const PATIENCE: Duration = Duration::from_secs(120);
/// The number of times that a lost connection is reopened for one request.
const MOST_LOST: usize = 5;

/// The load: the submissions to make, and their server.
pub struct Load {
    pub address: SocketAddr,
    pub country: Rc<Country>,
    pub form: Rc<Form>,
    /// An access token of each town.
    pub tokens: Vec<String>,
    /// The per cent of submissions that are corrected.
    pub corrections: u64,
}

/// The results of the load.
#[derive(Default)]
pub struct Done {
    pub took: Duration,
    /// The time until nine tenths were acknowledged. The last requests are those that the server
    /// told to wait.
    pub nine_tenths: Duration,
    /// Of the acknowledged requests, in ascending order.
    pub latencies: Vec<Duration>,
    pub corrections: usize,
    /// The number of refusals by a busy server.
    pub told_to_wait: usize,
    /// The number of lost connections.
    pub lost: usize,
    /// The longest time from a request's first attempt to its acknowledgement.
    pub longest: Duration,
}

impl Done {
    /// Returns the latency that this per cent of requests do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }
}

/// Returns the latency that this per cent of some do not exceed. They are in ascending order.
pub fn percentile(latencies: &[Duration], percent: usize) -> Duration {
    let last = latencies.len().saturating_sub(1);
    let found = latencies.get(last * percent / 100);
    found.copied().unwrap_or_default()
}

/// One request to make.
enum Task {
    First(usize),
    Correction { hamlet: usize, etag: String },
}

/// The remaining tasks, and the results so far.
struct State {
    firsts: std::vec::IntoIter<usize>,
    corrections: VecDeque<Task>,
    enough_waiting: usize,
    done: Done,
}

struct Work {
    load: Load,
    began: Instant,
    /// Nine tenths of the number of requests.
    nine_tenths: usize,
    state: RefCell<State>,
    progress: ProgressBar,
}

impl Load {
    /// Submits everything. Stops at the first unexpected answer.
    pub async fn run(self, connections: usize) -> Result<Done, Failure> {
        let hamlets = self.country.hamlets.len();
        let corrected = (0..hamlets).filter(|hamlet| is_corrected(*hamlet, self.corrections));
        let corrected = corrected.count();
        let work = Rc::new(Work {
            began: Instant::now(),
            nine_tenths: (hamlets + corrected) * 9 / 10,
            progress: bar("submitting", hamlets + corrected)?,
            state: RefCell::new(State {
                firsts: self.country.shuffled().into_iter(),
                corrections: VecDeque::new(),
                enough_waiting: WAITING_CORRECTIONS.min(corrected / 2),
                done: Done::default(),
            }),
            load: self,
        });
        let local = LocalSet::new();
        local
            .run_until(async {
                let mut clients = JoinSet::new();
                for _ in 0..connections {
                    clients.spawn_local(submit_until_nothing_is_left(work.clone()));
                }
                while let Some(ended) = clients.join_next().await {
                    ended??;
                }
                Ok::<_, Failure>(())
            })
            .await?;
        work.progress.finish_and_clear();
        let mut done = std::mem::take(&mut work.state.borrow_mut().done);
        done.took = work.began.elapsed();
        done.latencies.sort_unstable();
        if done.latencies.len() != hamlets + corrected || done.corrections != corrected {
            let acknowledged = done.latencies.len();
            return Err(format!("{acknowledged} acknowledged of {hamlets} and {corrected}").into());
        }
        Ok(done)
    }
}

async fn submit_until_nothing_is_left(work: Rc<Work>) -> Result<(), String> {
    let mut connection = Connection::new(work.load.address);
    let mut texts = Texts::default();
    while let Some(task) = work.next() {
        work.submit(&mut connection, &mut texts, &task).await?;
    }
    Ok(())
}

/// Buffers for a request, reused for the next one.
#[derive(Default)]
struct Texts {
    body: String,
    request: String,
}

impl Work {
    fn next(&self) -> Option<Task> {
        let mut state = self.state.borrow_mut();
        if state.corrections.len() > state.enough_waiting {
            return state.corrections.pop_front();
        }
        match state.firsts.next() {
            Some(hamlet) => Some(Task::First(hamlet)),
            None => state.corrections.pop_front(),
        }
    }

    async fn submit(
        &self,
        connection: &mut Connection,
        texts: &mut Texts,
        task: &Task,
    ) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        self.write(task, texts).map_err(|error| told(&error))?;
        let began = Instant::now();
        let mut lost = 0;
        loop {
            let sent = Instant::now();
            match connection.exchange(texts.request.as_bytes()).await {
                Ok(answer) if answer.status == task.expected_status() => {
                    self.acknowledged(task, answer, sent.elapsed(), began.elapsed());
                    return Ok(());
                }
                Ok(Answer {
                    status: 503,
                    retry_after: Some(wait),
                    ..
                }) if began.elapsed() < PATIENCE => {
                    self.state.borrow_mut().done.told_to_wait += 1;
                    tokio::time::sleep(wait).await;
                }
                Ok(answer) => return Err(format!("{}: {}", task.name(), answer.told())),
                Err(error) if lost == MOST_LOST => {
                    return Err(format!("{}: {}", task.name(), told(&error)));
                }
                Err(_) => {
                    lost += 1;
                    self.state.borrow_mut().done.lost += 1;
                }
            }
        }
    }

    fn acknowledged(&self, task: &Task, answer: Answer, latency: Duration, whole: Duration) {
        let mut state = self.state.borrow_mut();
        state.done.latencies.push(latency);
        if state.done.latencies.len() == self.nine_tenths {
            state.done.nine_tenths = self.began.elapsed();
        }
        state.done.longest = state.done.longest.max(whole);
        match *task {
            Task::Correction { .. } => state.done.corrections += 1,
            Task::First(hamlet) => {
                let etag = answer.etag;
                let is_corrected = is_corrected(hamlet, self.load.corrections);
                if let Some(etag) = etag.filter(|_| is_corrected) {
                    let correction = Task::Correction { hamlet, etag };
                    state.corrections.push_back(correction);
                }
            }
        }
        self.progress.inc(1);
    }

    fn write(&self, task: &Task, texts: &mut Texts) -> Result<(), Failure> {
        let Load {
            country,
            form,
            tokens,
            ..
        } = &self.load;
        let place = task.hamlet();
        let hamlet = country.hamlets.get(place).ok_or("no such hamlet")?;
        let token = tokens.get(hamlet.town).ok_or("no token")?;
        form.body(place, task.turn(), &mut texts.body)?;
        let (period, code, body) = (form.period, &hamlet.code, &texts.body);
        let length = body.len();
        let condition = match task {
            Task::First(_) => "If-None-Match: *".to_owned(),
            Task::Correction { etag, .. } => format!("If-Match: {etag}"),
        };
        let key = task.name();
        texts.request.clear();
        write!(
            texts.request,
            "PUT /v1/forms/{FORM}/periods/{period}/units/code:{code}/submission HTTP/1.1\r\n\
             Host: tonghop\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             {condition}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        Ok(())
    }
}

impl Task {
    fn hamlet(&self) -> usize {
        match self {
            Task::First(hamlet) | Task::Correction { hamlet, .. } => *hamlet,
        }
    }

    fn turn(&self) -> Turn {
        match self {
            Task::First(_) => Turn::First,
            Task::Correction { .. } => Turn::Correction,
        }
    }

    fn expected_status(&self) -> u16 {
        match self {
            Task::First(_) => 201,
            Task::Correction { .. } => 200,
        }
    }

    /// Returns its Idempotency-Key.
    fn name(&self) -> String {
        match self {
            Task::First(hamlet) => format!("first-{hamlet}"),
            Task::Correction { hamlet, .. } => format!("correction-{hamlet}"),
        }
    }
}
