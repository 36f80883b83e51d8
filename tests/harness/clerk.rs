//! Clerks who report all at once over a bad day: each sends, writes down what it is told, and sends
//! again with the same key what was not answered. Their books together say what the server must
//! hold, and [`compare`] holds it to them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::client::{Answer, Client};
use super::report::{Reports, cell};

pub const CLERKS: usize = 6;
/// The most clerks that the case has hamlets for.
pub const MOST_CLERKS: usize = 40;
/// The hamlets that one clerk reports for.
const HAMLETS: usize = 2;
const MONTHS: [&str; 2] = ["2024-01", "2024-02"];
/// Every period that is kept of the months.
const VERIFIED: [&str; 4] = ["2024-01", "2024-02", "2024-Q1", "2024"];

/// A province with one town and two communes, so that all hamlets share ancestors, and a monthly
/// form. Answers with the rev of the last commit.
pub fn put_case(admin: &Client) -> i64 {
    for across_units in ["sum", "max"] {
        let indicator = json!({
            "name": {"vi": across_units}, "unit_of_measure": "x", "decimals": 0,
            "across_units": across_units, "across_time": "sum",
        });
        let path = format!("/v1/indicators/b.{across_units}");
        admin.put(&path, &indicator).expect_status(201);
    }
    let form = json!({
        "name": {"vi": "B"}, "calendar": "statutory", "frequency": "month", "submitted_by": ["hamlet"],
        "outline": [{"number": "I", "title": {"vi": "I"},
                     "items": [{"indicator": "b.sum"}, {"indicator": "b.max"}]}],
    });
    admin.put("/v1/forms/battery", &form).expect_status(201);
    let mut units = "code,name,level,parent_code\n\
                     P,P,province,\nT,T,town,P\nC0,C0,commune,T\nC1,C1,commune,T\n"
        .to_owned();
    for clerk in 0..MOST_CLERKS {
        for hamlet in 0..HAMLETS {
            units.push_str(&format!("H{clerk}-{hamlet},H,hamlet,C{}\n", hamlet % 2));
        }
    }
    let imported = admin.post_csv("/v1/units/import", &units);
    imported.expect_status(200).json()["rev"].as_i64().unwrap()
}

/// So many clerks, each with hamlets of the case.
pub fn clerks(count: usize) -> Vec<Clerk> {
    (0..count).map(Clerk::new).collect()
}

/// Ends the work of the clerks when it is dropped, also by a failure: nobody waits for them then.
struct WorkingHours<'o>(&'o AtomicBool);

impl Drop for WorkingHours<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets the clerks work while `accident` happens, and no longer.
pub fn work_until(client: &Client, clerks: &mut [Clerk], accident: impl FnOnce()) {
    let over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _working_hours = WorkingHours(over);
        for clerk in clerks {
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if clerk.go_on(client) == Attempt::Unanswered {
                        sleep(Duration::from_millis(5));
                    }
                }
            });
        }
        accident();
    });
}

/// Lets all clerks send what was not answered until it is.
pub fn settle(client: &Client, clerks: &mut [Clerk]) {
    std::thread::scope(|scope| {
        for clerk in clerks {
            scope.spawn(|| clerk.settle(client));
        }
    });
}

/// What all of them together have been through.
pub fn told_of(clerks: &[Clerk]) -> Told {
    let mut told = Told::default();
    for clerk in clerks {
        told += clerk.told;
    }
    told
}

/// What a clerk does to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Save,
    Replace,
    Submit,
    Withdraw,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Step::Save => "save",
            Step::Replace => "replace",
            Step::Submit => "submit",
            Step::Withdraw => "withdraw",
        }
    }
}

/// A line of a submission's history, as the clerk was told it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    revision: i64,
    step: String,
    status: String,
    rev: i64,
}

/// What a clerk knows of one submission.
struct Book {
    path: String,
    month: &'static str,
    status: Option<Step>,
    latest: i64,
    counting: Option<i64>,
    lines: Vec<Line>,
    /// How many lines were held against the server's.
    compared: usize,
}

impl Book {
    fn revision(&self) -> i64 {
        self.lines.last().map_or(0, |line| line.revision)
    }

    /// The steps that its status allows. (The status is the last step: nobody else takes any.)
    fn steps(&self) -> &'static [Step] {
        match self.status {
            None => &[Step::Save, Step::Replace],
            Some(Step::Save) => &[Step::Save, Step::Replace, Step::Submit],
            Some(Step::Replace | Step::Submit) => {
                &[Step::Save, Step::Replace, Step::Replace, Step::Withdraw]
            }
            Some(Step::Withdraw) => &[Step::Replace, Step::Submit],
        }
    }

    fn take(&mut self, step: Step, value: i64) {
        match step {
            Step::Save => self.latest = value,
            Step::Replace => {
                self.latest = value;
                self.counting = Some(value);
            }
            Step::Submit => self.counting = Some(self.latest),
            Step::Withdraw => self.counting = None,
        }
        self.status = Some(step);
    }

    fn shown_status(&self) -> &'static str {
        match self.status {
            None | Some(Step::Save) => "draft",
            Some(Step::Replace | Step::Submit) => "submitted",
            Some(Step::Withdraw) => "withdrawn",
        }
    }
}

/// A request on its way; its key stays the same until it is answered.
#[derive(Debug, Clone)]
struct Request {
    book: usize,
    step: Step,
    value: i64,
    revision: i64,
    key: String,
    sendings: usize,
}

/// What came of sending once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    Answered,
    /// No answer, or one that says to come again.
    Unanswered,
}

/// What a clerk has been through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    /// Requests that were answered with success.
    pub acknowledged: usize,
    /// Sendings that were not answered.
    pub unanswered: usize,
    /// Requests that were answered only when they were sent again.
    pub retried: usize,
    /// Those among them that had had their effect the first time.
    pub had_effect: usize,
    /// Sendings beyond a request's first.
    pub repeats: usize,
}

impl std::ops::AddAssign for Told {
    fn add_assign(&mut self, other: Told) {
        self.acknowledged += other.acknowledged;
        self.unanswered += other.unanswered;
        self.retried += other.retried;
        self.had_effect += other.had_effect;
        self.repeats += other.repeats;
    }
}

/// One who reports for some hamlets.
pub struct Clerk {
    random: StdRng,
    books: Vec<Book>,
    pending: Option<Request>,
    last: Option<(Request, Answer)>,
    last_rev: i64,
    pub told: Told,
}

impl Clerk {
    fn new(number: usize) -> Clerk {
        let mut books = Vec::new();
        for month in MONTHS {
            for hamlet in 0..HAMLETS {
                let unit = format!("code:H{number}-{hamlet}");
                books.push(Book {
                    path: format!("/v1/forms/battery/periods/{month}/units/{unit}/submission"),
                    month,
                    status: None,
                    latest: 0,
                    counting: None,
                    lines: Vec::new(),
                    compared: 0,
                });
            }
        }
        Clerk {
            random: StdRng::seed_from_u64(rand::random()),
            books,
            pending: None,
            last: None,
            last_rev: 0,
            told: Told::default(),
        }
    }

    /// Sends what was not answered, otherwise something new; now and then something old once more.
    pub fn go_on(&mut self, client: &Client) -> Attempt {
        if self.pending.is_none() && self.random.random_range(0..10) == 0 {
            self.ask_again(client);
        }
        let mut request = match self.pending.take() {
            Some(request) => request,
            None => self.next(),
        };
        request.sendings += 1;
        if request.sendings > 1 {
            self.told.repeats += 1;
        }
        match self.send(client, &request) {
            Some(answer) => {
                self.write_down(&request, &answer);
                self.last = Some((request, answer));
                Attempt::Answered
            }
            None => {
                self.told.unanswered += 1;
                self.pending = Some(request);
                Attempt::Unanswered
            }
        }
    }

    /// Sends what was not answered until it is.
    pub fn settle(&mut self, client: &Client) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.pending.is_some() && self.go_on(client) == Attempt::Unanswered {
            assert!(Instant::now() < until, "{:?} is not answered", self.pending);
            sleep(Duration::from_millis(20));
        }
    }

    fn next(&mut self) -> Request {
        let book = self.random.random_range(0..self.books.len());
        let steps = self.books[book].steps();
        Request {
            book,
            step: *steps.choose(&mut self.random).unwrap(),
            value: self.random.random_range(-1000..=1000),
            revision: self.books[book].revision(),
            key: format!("{:032x}", self.random.random::<u128>()),
            sendings: 0,
        }
    }

    /// A success; nothing where there was no answer or one that says to come again.
    fn send(&self, client: &Client, request: &Request) -> Option<Answer> {
        let path = &self.books[request.book].path;
        let client = client.with("Idempotency-Key", &request.key);
        let client = match request.revision {
            0 => client.with("If-None-Match", "*"),
            revision => client.with("If-Match", &format!("\"{revision}\"")),
        };
        let number = |indicator: &str| json!({"indicator": indicator, "value": request.value});
        let body = json!({
            "values": [number("b.sum"), number("b.max")],
            "submit": request.step == Step::Replace,
        });
        let sent = match request.step {
            Step::Save | Step::Replace => {
                let body = body.to_string();
                client.try_send("PUT", path, Some("application/json"), body.as_bytes())
            }
            Step::Submit | Step::Withdraw => {
                let path = format!("{path}/{}", request.step.as_str());
                client.try_send("POST", &path, None, b"")
            }
        };
        let answer = sent.ok()?;
        match answer.status {
            200 | 201 => Some(answer),
            503 => {
                assert!(answer.header("retry-after").is_some(), "{}", answer.text);
                None
            }
            409 if answer.text.contains("REQUEST_IN_FLIGHT") => None,
            // A part of it was all that arrived.
            400 if answer.text.contains("MALFORMED_REQUEST") => None,
            status => panic!("{request:?} was refused with {status}: {}", answer.text),
        }
    }

    fn write_down(&mut self, request: &Request, answer: &Answer) {
        let body = answer.json();
        let rev = body["rev"].as_i64().unwrap();
        assert!(
            rev > self.last_rev,
            "commits are in the order of their revs"
        );
        self.last_rev = rev;
        let book = &mut self.books[request.book];
        book.take(request.step, request.value);
        book.lines.push(Line {
            revision: request.revision + 1,
            step: request.step.as_str().to_owned(),
            status: book.shown_status().to_owned(),
            rev,
        });
        let told = [
            &body["revision"],
            &body["status"],
            &body["values"][0]["value"],
        ];
        let due = [
            &json!(request.revision + 1),
            &json!(book.shown_status()),
            &json!(book.latest),
        ];
        assert_eq!(told, due, "the answer to {request:?}");
        self.told.acknowledged += 1;
        if request.sendings > 1 {
            self.told.retried += 1;
            if answer.header("idempotency-replayed").is_some() {
                self.told.had_effect += 1;
            }
        }
    }

    /// What was answered once is answered the same again.
    fn ask_again(&mut self, client: &Client) {
        let Some((request, told)) = &self.last else {
            return;
        };
        self.told.repeats += 1;
        if let Some(again) = self.send(client, request) {
            assert_eq!(again.header("idempotency-replayed"), Some("true"));
            assert_eq!((again.status, &again.text), (told.status, &told.text));
        }
    }

    fn compare(&mut self, admin: &Client) {
        for book in &mut self.books {
            let answer = admin.get(&book.path);
            if book.lines.is_empty() {
                answer.expect_problem(404, "SUBMISSION_NOT_FOUND");
                continue;
            }
            let shown = answer.expect_status(200).json();
            let shown = ["revision", "status"].map(|field| shown[field].clone());
            assert_eq!(shown, [json!(book.revision()), json!(book.shown_status())]);
            let since = &book.lines[book.compared..];
            assert_eq!(
                history(admin, &book.path, since.len()),
                since,
                "{}",
                book.path
            );
            book.compared = book.lines.len();
        }
    }
}

/// The latest lines of a submission's history, the earliest of them first.
fn history(admin: &Client, submission: &str, count: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut cursor = String::new();
    while lines.len() < count {
        let page = admin.get(&format!("{submission}/revisions?limit=100{cursor}"));
        let page = page.expect_status(200).json();
        lines.extend(page["items"].as_array().unwrap().iter().map(|item| Line {
            revision: item["revision"].as_i64().unwrap(),
            step: item["step"].as_str().unwrap().to_owned(),
            status: item["status"].as_str().unwrap().to_owned(),
            rev: item["rev"].as_i64().unwrap(),
        }));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    lines.truncate(count);
    lines.reverse();
    lines
}

/// Holds the server to what the clerks were told: every submission with exactly the revisions that
/// they know of, every total the sum of what counts and the fold of what is there, and a rev for
/// every commit after `before`. Nothing may be unanswered.
pub fn compare(admin: &Client, clerks: &mut [Clerk], before: i64) {
    for clerk in clerks.iter_mut() {
        assert!(clerk.pending.is_none(), "everything is settled");
        clerk.compare(admin);
    }
    compare_totals(admin, clerks);
    compare_revs(clerks, before);
}

fn compare_totals(admin: &Client, clerks: &[Clerk]) {
    let books = || clerks.iter().flat_map(|clerk| &clerk.books);
    for month in MONTHS {
        let counting = books().filter(|book| book.month == month);
        let counting: Vec<i64> = counting.filter_map(|book| book.counting).collect();
        let path = format!("/v1/forms/battery/periods/{month}/units/code:P/rollup");
        let rollup = admin.get(&path).expect_status(200).json();
        let total = |name: &str, value: Option<i64>| {
            let shown = cell(&rollup, name);
            let shown = [&shown["value"], &shown["reported"]];
            assert_eq!(
                shown,
                [&json!(value), &json!(counting.len())],
                "{name} of {month}"
            );
        };
        let sum = (!counting.is_empty()).then(|| counting.iter().sum());
        total("b.sum", sum);
        total("b.max", counting.iter().max().copied());
    }
    Reports::new(admin, "battery").expect_verified("P", &VERIFIED);
}

/// Every rev is that of a line, but for those of repeats, which may take one to tell an answer
/// again.
fn compare_revs(clerks: &[Clerk], before: i64) {
    let lines = clerks
        .iter()
        .flat_map(|clerk| &clerk.books)
        .flat_map(|book| &book.lines);
    let revs: BTreeSet<i64> = lines.map(|line| line.rev).collect();
    let repeats: usize = clerks.iter().map(|clerk| clerk.told.repeats).sum();
    let (Some(first), Some(last)) = (revs.first(), revs.last()) else {
        return;
    };
    assert!(*first > before);
    let given = usize::try_from(last - before).unwrap();
    let missing = given - revs.len();
    assert!(
        missing <= repeats,
        "{missing} of {given} revs are missing after {repeats} repeats"
    );
}
