//! A client that sends what it is told to and shows what comes back, whatever the status.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::{Agent, Body};

/// Speaks HTTP to a server, signed in or not.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    agent: Agent,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as it was sent.
    pub bytes: Vec<u8>,
    /// The body, unpacked.
    pub text: String,
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client::with_patience(address, Duration::from_secs(60))
    }

    /// A client that gives up an answer after some time.
    pub fn with_patience(address: SocketAddr, patience: Duration) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(patience))
            // The server ends idle connections after five seconds.
            .max_idle_age(Duration::from_secs(3))
            .build();
        Client {
            base: format!("http://{address}"),
            token: None,
            headers: Vec::new(),
            agent: config.new_agent(),
        }
    }

    /// Signs in; panics where that fails.
    pub fn sign_in(&self, tenant: &str, login: &str, password: &str) -> Client {
        let form =
            format!("grant_type=password&tenant={tenant}&username={login}&password={password}");
        let answer = self.post_form("/v1/auth/token", &form).expect_status(200);
        self.with_token(answer.json()["access_token"].as_str().unwrap())
    }

    pub fn with_token(&self, token: &str) -> Client {
        Client {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().expect("somebody signed in")
    }

    /// The same client with one more header on each request.
    pub fn with(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, b"")
    }

    /// How many requests the server says that it is working on, this one among them.
    pub fn requests_in_flight(&self) -> usize {
        let metrics = self.get("/metrics").expect_status(200).text;
        let name = "tonghop_http_requests_in_flight ";
        let mut lines = metrics.lines();
        let count = lines.find_map(|line| line.strip_prefix(name));
        count.unwrap().parse().unwrap()
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PUT",
            path,
            Some("application/json"),
            body.to_string().as_bytes(),
        )
    }

    pub fn post(&self, path: &str) -> Answer {
        self.send("POST", path, None, b"")
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            Some("application/json"),
            body.to_string().as_bytes(),
        )
    }

    pub fn post_form(&self, path: &str, form: &str) -> Answer {
        self.send(
            "POST",
            path,
            Some("application/x-www-form-urlencoded"),
            form.as_bytes(),
        )
    }

    pub fn post_csv(&self, path: &str, csv: &str) -> Answer {
        self.send("POST", path, Some("text/csv"), csv.as_bytes())
    }

    /// Any request; the path may hold what a client library would refuse.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        self.try_send(method, path, content_type, body).unwrap()
    }

    /// Any request, which may stay without an answer.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut response = self.begin(method, path, content_type, body)?;
        let bytes = response
            .body_mut()
            .with_config()
            .limit(64 * 1024 * 1024)
            .read_to_vec()?;
        let headers = response.headers().clone();
        let unpacked = match headers.get("content-encoding") {
            Some(coding) if coding == "gzip" => {
                let mut unpacked = Vec::new();
                GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
                unpacked
            }
            _ => bytes.clone(),
        };
        Ok(Answer {
            status: response.status().as_u16(),
            headers,
            bytes,
            text: String::from_utf8_lossy(&unpacked).into_owned(),
        })
    }

    /// Any request, of whose answer only the head is read.
    pub fn begin(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Response<Body>, ureq::Error> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if body.is_empty() && content_type.is_none() {
            self.agent.run(request.body(())?)
        } else {
            self.agent.run(request.body(body.to_vec())?)
        }
    }
}

impl Answer {
    /// The answer itself, if it has this status.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A refusal: the status and the code, with every fault as `pointer CODE`.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Vec<String> {
        let problem = self.expect_status(status);
        assert_eq!(
            problem.header("content-type"),
            Some("application/problem+json")
        );
        let body = problem.json();
        assert_eq!(body["code"], code, "{}", problem.text);
        let faults = body["errors"].as_array().unwrap().iter();
        let mut faults: Vec<String> = faults
            .map(|fault| {
                let place = fault["pointer"].as_str().or(fault["parameter"].as_str());
                format!(
                    "{} {}",
                    place.unwrap_or("?"),
                    fault["code"].as_str().unwrap()
                )
            })
            .collect();
        faults.sort();
        faults
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn etag(&self) -> &str {
        self.header("etag").expect("an ETag")
    }
}
