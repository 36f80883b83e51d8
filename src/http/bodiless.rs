//! POST requests in HTTP/1.0 without a body and without its length. A proxy that speaks HTTP/1.0 to
//! its servers, as nginx does unless it is told otherwise, passes a POST without a body on like this.
//! The framework refuses it (RFC 1945, section 7.2.2, asks for a length); here the length 0 is added.
//! Every other connection passes as it is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose first request may be such a POST. HTTP/1.0 has one request a connection.
pub(super) struct Bodiless<T> {
    stream: T,
    head: Head,
}

/// The beginning of what a client sends.
enum Head {
    /// Read until it is known what it begins.
    Arriving(Vec<u8>),
    /// Given to the reader, from a place on.
    Known(Vec<u8>, usize),
    /// Given: the rest comes from the stream itself.
    Passed,
}

/// The longest head that is looked at, in bytes. The framework refuses a longer one.
const LONGEST_HEAD: usize = 128 * 1024;

impl<T> Bodiless<T> {
    pub(super) fn new(stream: T) -> Bodiless<T> {
        Bodiless {
            stream,
            head: Head::Arriving(Vec::new()),
        }
    }
}

/// Returns what the reader gets for what has arrived; `None` while that must be read on.
fn completed(arrived: &[u8]) -> Option<Vec<u8>> {
    const POST: &[u8] = b"POST ";
    let compared = arrived.len().min(POST.len());
    let is_post = arrived.get(..compared) == POST.get(..compared);
    if !is_post || arrived.len() > LONGEST_HEAD {
        return Some(arrived.to_vec());
    }
    let (line, headers) = arrived.split_at_checked(line_end(arrived)?)?;
    if !line.trim_ascii_end().ends_with(b" HTTP/1.0") {
        return Some(arrived.to_vec());
    }
    let mut names = Vec::new();
    let mut lines = headers.split_inclusive(|byte| *byte == b'\n');
    loop {
        let line = lines.next().filter(|line| line.ends_with(b"\n"))?;
        match line.trim_ascii() {
            b"" => break,
            line => names.extend(line.split(|byte| *byte == b':').next()),
        }
    }
    let has_length = names.iter().any(|name| {
        name.eq_ignore_ascii_case(b"content-length")
            || name.eq_ignore_ascii_case(b"transfer-encoding")
    });
    match has_length {
        true => Some(arrived.to_vec()),
        false => Some([line, b"Content-Length: 0\r\n", headers].concat()),
    }
}

/// Returns the place after the first line.
fn line_end(text: &[u8]) -> Option<usize> {
    let feed = text.iter().position(|byte| *byte == b'\n')?;
    feed.checked_add(1)
}

impl<T: AsyncRead + Unpin> AsyncRead for Bodiless<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.head {
                Head::Passed => return Pin::new(&mut this.stream).poll_read(context, buffer),
                Head::Known(head, given) => {
                    let rest = head.get(*given..).unwrap_or_default();
                    let (now, later) = rest.split_at(rest.len().min(buffer.remaining()));
                    buffer.put_slice(now);
                    *given += now.len();
                    if later.is_empty() {
                        this.head = Head::Passed;
                    }
                    return Poll::Ready(Ok(()));
                }
                Head::Arriving(head) => {
                    let mut piece = [0; 1024];
                    let mut piece = ReadBuf::new(&mut piece);
                    ready!(Pin::new(&mut this.stream).poll_read(context, &mut piece))?;
                    let is_over = piece.filled().is_empty();
                    head.extend_from_slice(piece.filled());
                    let known = completed(head);
                    if let Some(head) = known.or_else(|| is_over.then(|| head.clone())) {
                        this.head = Head::Known(head, 0);
                    }
                }
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Bodiless<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arrived: &str) -> Option<String> {
        completed(arrived.as_bytes()).map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn a_post_in_http_1_0_without_a_length_gets_one() {
        let bodiless = "POST /a HTTP/1.0\r\nHost: x\r\nX: y\r\n\r\n";
        let completed = "POST /a HTTP/1.0\r\nContent-Length: 0\r\nHost: x\r\nX: y\r\n\r\n";
        assert_eq!(given(bodiless).as_deref(), Some(completed));
        assert_eq!(
            given("POST /a HTTP/1.0\r\n\r\n").as_deref(),
            Some("POST /a HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        );
        assert_eq!(
            given("POST /a HTTP/1.0\nHost: x\n\n").as_deref(),
            Some("POST /a HTTP/1.0\nContent-Length: 0\r\nHost: x\n\n")
        );
        for cut in 0..bodiless.len() {
            assert_eq!(given(&bodiless[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn every_other_request_passes_as_it_is() {
        for request in [
            "GET / HTTP/1.0\r\n",
            "P\u{1}",
            "POSTED / HTTP/1.0",
            "POST /a HTTP/1.1\r\nHost: x\r\n",
            "POST /a HTTP/1.1\nHost: x\n\n",
            "POST /a\n",
            "POST /a HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc",
            "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(given(request).as_deref(), Some(request));
        }
        let endless = format!("POST /{} HTTP/1.0", "a".repeat(LONGEST_HEAD));
        assert_eq!(given(&endless).as_deref(), Some(endless.as_str()));
    }
}
