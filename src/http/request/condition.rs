//! Conditions of a request (RFC 9110, section 13), and entity tags as headers carry them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::http::problem::Problem;
use crate::http::request::header::{
    header_parameter, header_text, invalid_header, patterned_parameter,
};
use crate::message;
use crate::service::application::condition::{Etag, Precondition};

pub(super) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let if_match = header_text(headers, &header::IF_MATCH)?;
    let if_none_match = header_text(headers, &header::IF_NONE_MATCH)?;
    match (if_match.as_deref(), if_none_match.as_deref()) {
        (None, None) => Ok(Precondition::None),
        (Some("*"), None) => Ok(Precondition::Present),
        (None, Some("*")) => Ok(Precondition::Absent),
        (Some(list), None) => strong_tags(list).map(Precondition::OneOf),
        (None, Some(_)) => Err(invalid_header(message!("condition-tag-for-a-change"))),
        (Some(_), Some(_)) => Err(invalid_header(message!("condition-both"))),
    }
}

pub(super) fn if_match_parameter() -> Parameter {
    patterned_parameter(
        "If-Match",
        "The ETag of the state that the change builds on, such as `\"3\"`; or If-None-Match, not both",
        r#"^(\*|"[ !#-~]*"( *, *"[ !#-~]*")*)$"#,
    )
}

pub(super) fn if_none_match_parameter() -> Parameter {
    patterned_parameter(
        "If-None-Match",
        "`*`: only if there is nothing yet",
        r"^\*$",
    )
}

fn strong_tags(list: &str) -> Result<Vec<Etag>, Problem> {
    let tags = entity_tags(list)?;
    if tags.iter().any(|tag| tag.strength == Strength::Weak) {
        return Err(invalid_header(message!("condition-weak-tag")));
    }
    Ok(tags.into_iter().map(|tag| tag.etag).collect())
}

/// The states that a reader has already, from If-None-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenEtags {
    /// `*`: any state.
    Any,
    /// One of these; empty for a reader that has none.
    These(Vec<Etag>),
}

impl SeenEtags {
    /// Returns true if the reader has the current state. Weak tags match too (RFC 9110, 13.1.2).
    pub fn matches(&self, current: &Etag) -> bool {
        match self {
            SeenEtags::Any => true,
            SeenEtags::These(seen) => seen.contains(current),
        }
    }
}

impl IntoParams for SeenEtags {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header_parameter(
            "If-None-Match",
            "The ETags that the reader has already",
        )]
    }
}

impl FromRequest for SeenEtags {
    type Error = Problem;
    type Future = Ready<Result<SeenEtags, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(seen_etags(request.headers()))
    }
}

fn seen_etags(headers: &HeaderMap) -> Result<SeenEtags, Problem> {
    match header_text(headers, &header::IF_NONE_MATCH)?.as_deref() {
        None => Ok(SeenEtags::These(Vec::new())),
        Some("*") => Ok(SeenEtags::Any),
        Some(list) => {
            let tags = entity_tags(list)?.into_iter();
            Ok(SeenEtags::These(tags.map(|tag| tag.etag).collect()))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

struct EntityTag {
    etag: Etag,
    strength: Strength,
}

/// Reads `"a", W/"b"`. A comma may be inside the quotes.
fn entity_tags(list: &str) -> Result<Vec<EntityTag>, Problem> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        let (tag, after) = entity_tag(rest.trim_start()).ok_or_else(malformed_tags)?;
        tags.push(tag);
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(tags);
        }
        rest = after.strip_prefix(',').ok_or_else(malformed_tags)?;
    }
}

fn entity_tag(text: &str) -> Option<(EntityTag, &str)> {
    let (strength, quoted) = match text.strip_prefix("W/") {
        Some(quoted) => (Strength::Weak, quoted),
        None => (Strength::Strong, text),
    };
    let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
    let etag = Etag::sent(tag);
    Some((EntityTag { etag, strength }, after))
}

fn malformed_tags() -> Problem {
    invalid_header(message!("condition-malformed-tags"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        let request = TestRequest::with_uri("/v1/things/a?dry_run=true");
        let request = headers
            .iter()
            .fold(request, |request, header| request.append_header(*header));
        request.to_http_request()
    }

    #[test]
    fn a_change_says_on_what_it_builds() {
        let read = |headers| {
            let precondition = precondition(request(headers).headers());
            precondition.map_err(|problem| problem.to_string())
        };
        let one_of = |tags: &[&str]| {
            Ok(Precondition::OneOf(
                tags.iter().map(|tag| Etag::sent(tag)).collect(),
            ))
        };
        assert_eq!(read(&[]), Ok(Precondition::None));
        assert_eq!(read(&[("if-match", "*")]), Ok(Precondition::Present));
        assert_eq!(read(&[("if-none-match", "*")]), Ok(Precondition::Absent));
        assert_eq!(
            read(&[("if-match", "\"a,b\" ,\"c\"")]),
            one_of(&["a,b", "c"])
        );
        let two_lines: &[_] = &[("if-match", "\"a\""), ("if-match", "\"b\"")];
        assert_eq!(read(two_lines), one_of(&["a", "b"]));

        let both: &[_] = &[("if-match", "*"), ("if-none-match", "*")];
        for refused in [
            both,
            &[("if-match", "W/\"a\"")],
            &[("if-match", "a")],
            &[("if-match", "\"a\",")],
            &[("if-match", "\"a")],
            &[("if-match", "")],
            &[("if-none-match", "\"a\"")],
        ] {
            let complaint = read(refused).unwrap_err();
            assert!(complaint.starts_with("INVALID_HEADER"), "{refused:?}");
        }
    }

    #[test]
    fn a_reader_with_the_current_tag_has_seen_it() {
        let seen = |list| seen_etags(request(&[("if-none-match", list)]).headers()).unwrap();
        let current = Etag::sent("7");
        assert!(seen("*").matches(&current));
        assert!(seen("\"6\", W/\"7\"").matches(&current));
        assert!(!seen("\"6\"").matches(&current));
        assert!(
            !seen_etags(request(&[]).headers())
                .unwrap()
                .matches(&current)
        );
    }
}
