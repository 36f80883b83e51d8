//! A small organisation to report in, set up in a few words. It asserts only that
//! preparations succeed.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::report::{Report, Reports};
use super::server::{Backend, Server};

const HEADING: &str = "code,name,level,parent_code\n";

/// Town `T` with the communes `A` (hamlets `A1`, `A2`) and `B` (hamlet `B1`).
const UNITS: &str = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\n\
    A1,Ấp Một,hamlet,A\nA2,Ấp Hai,hamlet,A\nB1,Ấp Ba,hamlet,B\n";

impl Server {
    /// A server whose tenant `test` has the town, and its administrator.
    pub fn with_town(backend: Backend) -> (Server, Client) {
        let town = Town::new(backend);
        (town.server, town.admin)
    }
}

/// A server whose tenant `test` has units, indicators and forms of them:
///
/// ```ignore
/// let (_server, admin, reports) = Town::new(backend)
///     .indicators(&[("x", "sum")])
///     .form("m", "month")
///     .with("deadlines", json!({"commune": 5}))
///     .build();
/// reports.submit("A", "2025-06", json!({"x": 5}));
/// ```
pub struct Town {
    server: Server,
    admin: Client,
    indicators: Vec<String>,
    forms: Vec<(String, Value)>,
}

impl Town {
    /// Town `T` with the communes `A` (hamlets `A1`, `A2`) and `B` (hamlet `B1`).
    pub fn new(backend: Backend) -> Town {
        Town::of(backend, UNITS)
    }

    /// Units of one's own: code, name, level and parent, a line each, or a list with its heading.
    pub fn of(backend: Backend, units: &str) -> Town {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        if units.contains(",country,") {
            let level = json!({"rank": 0, "name": {"vi": "Quốc gia"}});
            admin.put("/v1/levels/country", &level).expect_status(201);
        }
        let town = Town {
            server,
            admin,
            indicators: Vec::new(),
            forms: Vec::new(),
        };
        town.units(units)
    }

    /// More units, as [`Town::of`] takes them.
    #[track_caller]
    pub fn units(self, units: &str) -> Town {
        let heading = if units.starts_with("code,") {
            ""
        } else {
            HEADING
        };
        let list = format!("{heading}{units}");
        let imported = self.admin.post_csv("/v1/units/import", &list);
        imported.expect_status(200);
        self
    }

    /// Whole numbers without breakdowns: code, how across units. Across time they add up.
    #[track_caller]
    pub fn indicators(self, indicators: &[(&str, &str)]) -> Town {
        indicators.iter().fold(self, |town, (code, across_units)| {
            town.indicator(code, &indicator(across_units))
        })
    }

    /// Whole numbers without breakdowns: code, how across units, how across time.
    #[track_caller]
    pub fn over_time(self, indicators: &[(&str, &str, &str)]) -> Town {
        indicators.iter().fold(self, |town, (code, units, time)| {
            town.indicator(code, &over_time(units, time))
        })
    }

    #[track_caller]
    pub fn indicator(mut self, code: &str, body: &Value) -> Town {
        let path = format!("/v1/indicators/{code}");
        self.admin.put(&path, body).expect_status(201);
        self.indicators.push(code.to_owned());
        self
    }

    /// A form as [`form`] makes it, of the indicators so far and of this frequency.
    pub fn form(mut self, code: &str, frequency: &str) -> Town {
        let codes: Vec<&str> = self.indicators.iter().map(String::as_str).collect();
        let mut body = form(&codes);
        body["frequency"] = json!(frequency);
        self.forms.push((code.to_owned(), body));
        self
    }

    /// A form of one's own.
    pub fn own_form(mut self, code: &str, body: Value) -> Town {
        self.forms.push((code.to_owned(), body));
        self
    }

    /// Sets a field of the form that was named last.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Town {
        let (_, form) = self.forms.last_mut().expect("a form");
        form[field] = value.into();
        self
    }

    /// The server, its administrator, and the reports of the form that was named last.
    #[track_caller]
    pub fn build(self) -> (Server, Client, Reports) {
        for (code, body) in &self.forms {
            let path = format!("/v1/forms/{code}");
            self.admin.put(&path, body).expect_status(201);
        }
        let (form, _) = self.forms.last().expect("a form");
        let reports = Reports::new(&self.admin, form);
        (self.server, self.admin, reports)
    }

    /// The same, with one period of the form.
    #[track_caller]
    pub fn build_for(self, period: &str) -> (Server, Client, Report) {
        let (server, admin, reports) = self.build();
        (server, admin, reports.of(period))
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

/// A whole number without breakdowns: how across units, how across time.
pub fn over_time(across_units: &str, across_time: &str) -> Value {
    let mut body = indicator(across_units);
    body["across_time"] = json!(across_time);
    body
}

/// A formula of other indicators.
pub fn formula(formula: &str, decimals: u8) -> Value {
    json!({
        "name": {"vi": "Công thức"}, "unit_of_measure": "x", "decimals": decimals, "formula": formula,
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
