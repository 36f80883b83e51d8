//! The parameters of a query.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_path_to_error::{Path, Segment, Track};

use crate::error::{Code, Fault};
use crate::http::contract::wrong_query;
use crate::http::problem::Problem;
use crate::message;

/// The parameters of the query. The contract has already refused unknown, repeated and missing
/// ones, and NUL.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Params<T>, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parameters(request.query_string()).map(Params))
    }
}

/// Reads a list with commas between its items: `a,b`.
pub fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn parameters<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let tracked = web::Query::<Tracked<T>>::from_query(query);
    let tracked = tracked.map_err(|_| wrong_parameter(None))?;
    let Tracked(read) = tracked.into_inner();
    read.map_err(|path| {
        let name = path.iter().find_map(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        });
        wrong_parameter(name)
    })
}

/// Reports a parameter that the contract admitted but its type refused.
fn wrong_parameter(name: Option<&str>) -> Problem {
    let Some(name) = name else {
        let message = message!("query-unreadable");
        return Problem::new(Code::InvalidParameter, message);
    };
    let message = message!("query-parameter-unreadable", name);
    let fault = Fault::in_parameter(name, Code::InvalidParameter, message);
    wrong_query(Code::InvalidParameter, vec![fault])
}

/// A value, or the place that could not be read, which the decoder of queries does not report.
struct Tracked<T>(Result<T, Path>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tracked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tracked<T>, D::Error> {
        let mut track = Track::new();
        let tracking = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        let read = T::deserialize(tracking);
        Ok(Tracked(read.map_err(|_| track.path())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Page {
        limit: Option<u32>,
    }

    #[test]
    fn a_parameter_that_cannot_be_read_is_named() {
        let read = |query| parameters::<Page>(query).map_err(|problem| problem.to_string());
        assert_eq!(read("limit=3"), Ok(Page { limit: Some(3) }));
        let complaint = "INVALID_PARAMETER: The parameter limit cannot be read; \
                         see the values that it takes at /docs.";
        assert_eq!(read("limit=x"), Err(complaint.to_owned()));
    }
}
