//! Conditions of a request (RFC 9110, section 13), and entity tags as headers carry them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::http::problem::Problem;
use crate::http::representation::Representation;
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
        // Weak ones too: a proxy that compresses makes them so, and they name the state as well.
        (Some(list), None) => entity_tags(list).map(Precondition::OneOf),
        (None, Some(_)) => Err(invalid_header(message!("condition-tag-for-a-change"))),
        (Some(_), Some(_)) => Err(invalid_header(message!("condition-both"))),
    }
}

/// Reads the ETag that an item of a body builds on. It names a state that was seen: `*` does not.
pub(in crate::http) fn seen_state(text: &str) -> Option<Precondition> {
    match entity_tag(text.trim()) {
        Some((tag, "")) => Some(Precondition::OneOf(vec![tag])),
        Some(_) | None => None,
    }
}

/// The values of If-Match.
const TAGS: &str = r#"^(\*|(W/)?"[ !#-~]*"( *, *(W/)?"[ !#-~]*")*)$"#;

/// Describes If-Match where a change always needs it.
pub(super) fn required_if_match_parameter() -> Parameter {
    let mut parameter = patterned_parameter(
        "If-Match",
        "The ETag of the state that the change builds on, such as `\"3.a1\"`, or `*` for any state",
        TAGS,
    );
    parameter.required = Required::True;
    parameter
}

/// Describes If-Match where If-None-Match may stand instead.
pub(super) fn if_match_parameter() -> Parameter {
    patterned_parameter(
        "If-Match",
        "The ETag of the state that the change builds on, such as `\"3.a1\"`, or `*` for any state. \
         Required if there is something already; not with If-None-Match",
        TAGS,
    )
}

/// Describes If-Match where a change may go without.
pub(super) fn optional_if_match_parameter() -> Parameter {
    patterned_parameter(
        "If-Match",
        "The ETag of the state that the change builds on, such as `\"3.a1\"`: what was changed since \
         is left alone",
        TAGS,
    )
}

pub(super) fn if_none_match_parameter() -> Parameter {
    patterned_parameter(
        "If-None-Match",
        "`*`: only if there is nothing yet; not with If-Match",
        r"^\*$",
    )
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
        let wanted = Representation::wanted(request);
        ready(seen_etags(request.headers(), wanted))
    }
}

fn seen_etags(headers: &HeaderMap, wanted: Representation) -> Result<SeenEtags, Problem> {
    match header_text(headers, &header::IF_NONE_MATCH)?.as_deref() {
        None => Ok(SeenEtags::These(Vec::new())),
        Some("*") => Ok(SeenEtags::Any),
        Some(list) => {
            let tags = entity_tags(list)?;
            let tags = tags.iter().filter_map(|tag| wanted.base(tag.as_str()));
            Ok(SeenEtags::These(tags.map(Etag::sent).collect()))
        }
    }
}

/// Reads `"a", W/"b"`. A comma may be inside the quotes, and between two commas there may be nothing
/// (RFC 9110, section 5.6.1).
fn entity_tags(list: &str) -> Result<Vec<Etag>, Problem> {
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches(is_separator);
    while !rest.is_empty() {
        let (tag, after) = entity_tag(rest).ok_or_else(malformed_tags)?;
        tags.push(tag);
        rest = after.trim_start_matches(is_separator);
        let is_separated = after.trim_start().starts_with(',');
        if !is_separated && !after.trim_start().is_empty() {
            return Err(malformed_tags());
        }
    }
    match tags.is_empty() {
        true => Err(malformed_tags()),
        false => Ok(tags),
    }
}

fn is_separator(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | ',')
}

fn entity_tag(text: &str) -> Option<(Etag, &str)> {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
    Some((Etag::sent(tag), after))
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
        let sloppy = [("if-match", ", W/\"a\", ,\"b\",")];
        assert_eq!(read(&sloppy), one_of(&["a", "b"]));
        let two_lines: &[_] = &[("if-match", "\"a\""), ("if-match", "\"b\"")];
        assert_eq!(read(two_lines), one_of(&["a", "b"]));

        let both: &[_] = &[("if-match", "*"), ("if-none-match", "*")];
        for refused in [
            both,
            &[("if-match", "a")],
            &[("if-match", "\"a")],
            &[("if-match", "")],
            &[("if-match", " , ,")],
            &[("if-match", "\"a\" \"b\"")],
            &[("if-none-match", "\"a\"")],
        ] {
            let complaint = read(refused).unwrap_err();
            assert!(complaint.starts_with("INVALID_HEADER"), "{refused:?}");
        }
    }

    #[test]
    fn an_item_of_a_body_names_one_state_that_was_seen() {
        let one = |tag| Some(Precondition::OneOf(vec![Etag::sent(tag)]));
        assert_eq!(seen_state("\"3.a1\""), one("3.a1"));
        assert_eq!(seen_state(" W/\"3.a1\" "), one("3.a1"));
        for refused in ["", "*", "3", "\"3", "\"3\", \"4\""] {
            assert_eq!(seen_state(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_reader_with_the_current_tag_has_seen_it() {
        let plain = Representation::wanted(&request(&[]));
        let seen = |list| seen_etags(request(&[("if-none-match", list)]).headers(), plain).unwrap();
        let current = Etag::sent("7");
        assert!(seen("*").matches(&current));
        assert!(seen("\"6\", W/\"7\"").matches(&current));
        assert!(!seen("\"6\"").matches(&current));
        assert!(
            !seen_etags(request(&[]).headers(), plain)
                .unwrap()
                .matches(&current)
        );
    }
}
