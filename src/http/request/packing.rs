//! Compressed bodies.

use actix_web::HttpRequest;
use actix_web::dev::{Decompress, Payload};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use futures_util::{TryStreamExt, stream};

use crate::error::Code;
use crate::http::problem::Problem;
use crate::http::request::header::header_text;
use crate::message;

/// The encoding of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
}

pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let named = header_text(headers, &header::CONTENT_ENCODING)?;
    match named.map(|name| name.to_ascii_lowercase()).as_deref() {
        None | Some("identity" | "") => Ok(Coding::Plain),
        Some("gzip" | "x-gzip") => Ok(Coding::Gzip),
        Some(_) => Err(
            Problem::new(Code::UnsupportedMediaType, message!("body-wrong-encoding"))
                .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        ),
    }
}

/// The size of the pieces in which a compressed body is unpacked, in bytes. A packed byte may
/// become a thousand, so that the limit must be checked in between.
const PIECE: usize = 1024;

fn in_pieces(payload: Payload) -> Payload {
    let pieces = payload.map_ok(|mut rest| {
        let next = move || {
            let piece = rest.split_to(rest.len().min(PIECE));
            (!piece.is_empty()).then_some(Ok(piece))
        };
        stream::iter(std::iter::from_fn(next))
    });
    Payload::Stream {
        payload: Box::pin(pieces.try_flatten()),
    }
}

pub(super) fn unpacked(payload: Payload, coding: Coding, request: &HttpRequest) -> Payload {
    match coding {
        Coding::Plain => payload,
        Coding::Gzip => Payload::Stream {
            payload: Box::pin(Decompress::from_headers(
                in_pieces(payload),
                request.headers(),
            )),
        },
    }
}
