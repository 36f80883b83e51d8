//! A small organisation to report in: town `T` with the communes `A` (hamlets `A1`, `A2`) and `B`
//! (hamlet `B1`), and what a test needs to fill a form of it. Never an assertion about the product
//! beyond that preparations succeed.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::server::{Backend, Server};

const UNITS: &str = "code,name,level,parent_code\n\
    T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\n\
    A1,Ấp Một,hamlet,A\nA2,Ấp Hai,hamlet,A\nB1,Ấp Ba,hamlet,B\n";

impl Server {
    /// A server whose tenant `test` has the town, and its administrator.
    pub fn with_town(backend: Backend) -> (Server, Client) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        admin.post_csv("/v1/units/import", UNITS).expect_status(200);
        (server, admin)
    }
}

impl Client {
    /// Adds indicators that are whole numbers without breakdowns: code, how across units.
    pub fn add_indicators(&self, indicators: &[(&str, &str)]) {
        for (code, across_units) in indicators {
            self.put(&format!("/v1/indicators/{code}"), &indicator(across_units))
                .expect_status(201);
        }
    }

    /// Creates what must not be there yet.
    pub fn create(&self, path: &str, body: &Value) -> Answer {
        self.with("If-None-Match", "*").put(path, body)
    }

    /// Replaces what is there, as it is now.
    pub fn replace(&self, path: &str, body: &Value) -> Answer {
        let etag = self.get(path).expect_status(200).etag().to_owned();
        self.with("If-Match", &etag).put(path, body)
    }
}

/// A whole number without breakdowns.
pub fn indicator(across_units: &str) -> Value {
    json!({
        "name": {"vi": "Chỉ tiêu", "en": "Indicator"}, "unit_of_measure": "cái", "decimals": 0,
        "across_units": across_units, "across_time": "sum"
    })
}

/// An indicator with one breakdown `kind`.
pub fn broken_down(closed: bool, options: &[&str]) -> Value {
    let options: Vec<Value> = options
        .iter()
        .map(|code| json!({"code": code, "name": {"vi": *code}}))
        .collect();
    let mut indicator = indicator("sum");
    indicator["breakdowns"] = json!([{"code": "kind", "closed": closed, "options": options}]);
    indicator
}

/// A yearly form of communes and hamlets with one section, `I`, that takes prose.
pub fn form(indicators: &[&str]) -> Value {
    let items: Vec<Value> = indicators
        .iter()
        .map(|code| json!({"indicator": code}))
        .collect();
    json!({
        "name": {"vi": "Mẫu", "en": "Form"}, "calendar": "statutory", "frequency": "year",
        "submitted_by": ["commune", "hamlet"],
        "outline": [{"number": "I", "title": {"vi": "Mục", "en": "Section"},
                     "narrative": true, "items": items}]
    })
}

pub fn value(indicator: &str, value: impl Into<Value>) -> Value {
    json!({"indicator": indicator, "value": value.into()})
}

pub fn option(indicator: &str, option: &str, value: impl Into<Value>) -> Value {
    json!({"indicator": indicator, "option": option, "value": value.into()})
}

/// A form's period, as somebody works on it.
#[derive(Clone)]
pub struct Report {
    client: Client,
    base: String,
}

impl Report {
    /// The year 2024 of a form.
    pub fn new(client: &Client, form: &str) -> Report {
        Report::of(client, form, "2024")
    }

    pub fn of(client: &Client, form: &str, period: &str) -> Report {
        Report {
            client: client.clone(),
            base: format!("/v1/forms/{form}/periods/{period}/units/code:"),
        }
    }

    pub fn by(&self, client: &Client) -> Report {
        Report {
            client: client.clone(),
            ..self.clone()
        }
    }

    pub fn submission(&self, unit: &str) -> String {
        format!("{}{unit}/submission", self.base)
    }

    /// Puts over whatever is there.
    pub fn put(&self, unit: &str, body: &Value) -> Answer {
        let path = self.submission(unit);
        match self.client.get(&path).status {
            404 => self.client.create(&path, body),
            _ => self.client.replace(&path, body),
        }
    }

    pub fn try_submit(&self, unit: &str, values: &[Value]) -> Answer {
        self.put(unit, &json!({"values": values, "submit": true}))
    }

    /// Submits over whatever is there; panics where that fails.
    #[track_caller]
    pub fn submit(&self, unit: &str, values: &[Value]) -> Value {
        let answer = self.try_submit(unit, values);
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        answer.json()
    }

    /// Takes a step on the submission as it is now.
    pub fn step(&self, unit: &str, step: &str) -> Answer {
        self.matching(unit)
            .post(&format!("{}/{step}", self.submission(unit)))
    }

    pub fn give_back(&self, unit: &str, reason: &Value) -> Answer {
        self.matching(unit)
            .post_json(&format!("{}/return", self.submission(unit)), reason)
    }

    fn matching(&self, unit: &str) -> Client {
        let etag = self.client.get(&self.submission(unit)).etag().to_owned();
        self.client.with("If-Match", &etag)
    }

    pub fn get(&self, unit: &str) -> Value {
        let answer = self.client.get(&self.submission(unit));
        answer.expect_status(200).json()
    }

    /// The answer to `{unit}/rollup`, or to `{unit}/rollup?stage=approved`.
    pub fn read(&self, what: &str) -> Value {
        let answer = self.client.get(&format!("{}{what}", self.base));
        answer.expect_status(200).json()
    }

    /// A unit's cell of `indicator` or `indicator/option`.
    pub fn cell(&self, unit: &str, name: &str) -> Value {
        cell(&self.read(&format!("{unit}/rollup")), name)
    }

    /// A unit's figure as [`shown`].
    pub fn figure(&self, unit: &str, name: &str) -> String {
        shown(&self.cell(unit, name))
    }

    pub fn approved_figure(&self, unit: &str, name: &str) -> String {
        shown(&cell(
            &self.read(&format!("{unit}/rollup?stage=approved")),
            name,
        ))
    }
}

/// The cell of `indicator` or `indicator/option` in a rollup or in one of its children.
#[track_caller]
pub fn cell(rollup: &Value, name: &str) -> Value {
    let (indicator, option) = match name.split_once('/') {
        Some((indicator, option)) => (indicator, Some(option)),
        None => (name, None),
    };
    let mut cells = rollup["cells"].as_array().unwrap().iter();
    let found = cells
        .find(|cell| cell["indicator"] == *indicator && cell["option"].as_str() == option)
        .unwrap_or_else(|| panic!("no cell {name}: {rollup}"));
    found.clone()
}

/// `12 2/3`: a value, how many reported of how many expected; with its qualifier if not exact.
pub fn shown(cell: &Value) -> String {
    let qualifier = match cell["qualifier"].as_str().unwrap() {
        "exact" => String::new(),
        other => format!(" {other}"),
    };
    format!(
        "{}{qualifier} {}/{}",
        cell["value"], cell["reported"], cell["expected"]
    )
}
