//! Reports as somebody works on them: one period of a form ([`Report`]), or a form over many
//! periods ([`Reports`]).

use serde_json::{Value, json};

use super::client::{Answer, Client};

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

    /// What the verification of a unit says.
    #[track_caller]
    pub fn verify(&self, unit: &str) -> Value {
        let verified = self
            .client
            .post(&format!("{}{unit}/rollup/verify", self.base));
        verified.expect_status(200).json()
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

/// A form as somebody works on it over many periods.
#[derive(Clone)]
pub struct Reports {
    client: Client,
    form: String,
}

impl Reports {
    pub fn new(client: &Client, form: &str) -> Reports {
        Reports {
            client: client.clone(),
            form: form.to_owned(),
        }
    }

    pub fn by(&self, client: &Client) -> Reports {
        Reports::new(client, &self.form)
    }

    pub fn of(&self, period: &str) -> Report {
        Report::of(&self.client, &self.form, period)
    }

    /// Submits over whatever is there; panics where that fails.
    /// `submit("A", "2025-06", json!({"x": 5, "docs/plan": 3}))`.
    #[track_caller]
    pub fn submit(&self, unit: &str, period: &str, figures: Value) -> Value {
        let Value::Object(figures) = figures else {
            panic!("no figures by their names: {figures}");
        };
        let values = figures
            .into_iter()
            .map(|(name, number)| match name.split_once('/') {
                Some((indicator, part)) => option(indicator, part, number),
                None => value(&name, number),
            });
        self.of(period).submit(unit, &values.collect::<Vec<_>>())
    }

    /// A unit's figure as [`shown`].
    #[track_caller]
    pub fn figure(&self, unit: &str, period: &str, name: &str) -> String {
        self.of(period).figure(unit, name)
    }

    /// A unit's figure as [`shown`], on the map of a day.
    #[track_caller]
    pub fn restated(&self, unit: &str, period: &str, day: &str, name: &str) -> String {
        let rollup = self.of(period).read(&format!("{unit}/rollup?as_of={day}"));
        shown(&cell(&rollup, name))
    }

    #[track_caller]
    pub fn completeness(&self, unit: &str, period: &str) -> Value {
        self.of(period).read(&format!("{unit}/completeness"))
    }

    /// What the verification of a unit says: what is kept of it and below it, beside what its
    /// submissions fold to.
    #[track_caller]
    pub fn verify(&self, unit: &str, period: &str) -> Value {
        self.of(period).verify(unit)
    }

    /// What is kept of a unit and below it is what the submissions fold to, in each period.
    #[track_caller]
    pub fn expect_verified(&self, unit: &str, periods: &[&str]) {
        for period in periods {
            let verified = self.verify(unit, period);
            assert_eq!(verified["equal"], true, "{unit} {period}: {verified}");
            assert_eq!(verified["differing"], json!([]), "{unit} {period}");
            assert_eq!(verified["kept"], verified["folded"], "{unit} {period}");
        }
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
