//! The headers of answers, as the document describes them. Each is described once; answers refer to
//! it.

use std::collections::BTreeMap;

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Response};

use super::schema::is_page_reference;

/// A header of answers. None is required: an answer has it if there is something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerHeader {
    RequestId,
    AllowOrigin,
    ContentLanguage,
    CacheControl,
    Etag,
    Vary,
    ContentEncoding,
    PreferenceApplied,
    Location,
    Link,
    IdempotencyReplayed,
    Authenticate,
    RetryAfter,
    RateLimit,
    RateLimitPolicy,
}

impl AnswerHeader {
    const ALL: [AnswerHeader; 15] = [
        AnswerHeader::RequestId,
        AnswerHeader::AllowOrigin,
        AnswerHeader::ContentLanguage,
        AnswerHeader::CacheControl,
        AnswerHeader::Etag,
        AnswerHeader::Vary,
        AnswerHeader::ContentEncoding,
        AnswerHeader::PreferenceApplied,
        AnswerHeader::Location,
        AnswerHeader::Link,
        AnswerHeader::IdempotencyReplayed,
        AnswerHeader::Authenticate,
        AnswerHeader::RetryAfter,
        AnswerHeader::RateLimit,
        AnswerHeader::RateLimitPolicy,
    ];

    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Returns the reference to the header's description.
    pub fn reference(self) -> Ref {
        Ref::new(format!("#/components/headers/{}", self.name()))
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            AnswerHeader::RequestId => (
                "X-Request-Id",
                "The request's id, which the server's log has too",
            ),
            AnswerHeader::AllowOrigin => (
                "Access-Control-Allow-Origin",
                "The origin of the page that sent the request, if the operators allow it to read answers",
            ),
            AnswerHeader::ContentLanguage => (
                "Content-Language",
                "The language of the sentences: vi or en",
            ),
            AnswerHeader::CacheControl => (
                "Cache-Control",
                "`private, no-cache`: keep the answer, and ask with If-None-Match before it is used again. \
                 `no-store`: do not keep it",
            ),
            AnswerHeader::Etag => (
                "ETag",
                "A strong validator of the body. Send it in If-None-Match to read again, and in If-Match \
                 to change",
            ),
            AnswerHeader::Vary => (
                "Vary",
                "The headers of the request on which the answer depends",
            ),
            AnswerHeader::ContentEncoding => (
                "Content-Encoding",
                "`gzip`, if the request accepts it and the body is not small",
            ),
            AnswerHeader::PreferenceApplied => (
                "Preference-Applied",
                "`numbers=text`, if the request prefers it: exact numbers are strings",
            ),
            AnswerHeader::Location => ("Location", "The path of what was created"),
            AnswerHeader::Link => (
                "Link",
                "The next page, as `<…>; rel=\"next\"`; not on the last page",
            ),
            AnswerHeader::IdempotencyReplayed => (
                "Idempotency-Replayed",
                "`true`, if this is the answer to an earlier request with the same key",
            ),
            AnswerHeader::Authenticate => (
                "WWW-Authenticate",
                "How to sign in; with `error=\"invalid_token\"`, if a token was sent that does not serve",
            ),
            AnswerHeader::RetryAfter => (
                "Retry-After",
                "The seconds to wait before the request is sent again",
            ),
            AnswerHeader::RateLimit => (
                "RateLimit",
                "What the account and its tenant have left, as in `\"account\";r=399;t=2`",
            ),
            AnswerHeader::RateLimitPolicy => (
                "RateLimit-Policy",
                "What the account and its tenant may ask for, as in `\"account\";q=400;w=2`",
            ),
        }
    }

    fn schema(self) -> Object {
        match self {
            AnswerHeader::RetryAfter => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(1))
                .build(),
            _ => ObjectBuilder::new().schema_type(Type::String).build(),
        }
    }

    fn described(self) -> Header {
        HeaderBuilder::new()
            .schema(Some(self.schema()))
            .description(Some(self.row().1))
            .build()
    }
}

/// Describes all headers of answers, by name.
pub(super) fn all() -> BTreeMap<String, RefOr<Header>> {
    let all = AnswerHeader::ALL.into_iter();
    all.map(|header| (header.name().to_owned(), header.described().into()))
        .collect()
}

/// Returns true if an answer is a page of a list, which links to the next one.
pub(super) fn is_page(response: &Response) -> bool {
    let mut contents = response.content.values();
    contents.any(|content| {
        let RefOr::T(content) = content else {
            return false;
        };
        matches!(&content.schema, Some(RefOr::Ref(reference)) if is_page_reference(reference))
    })
}
