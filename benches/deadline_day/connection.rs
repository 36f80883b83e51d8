//! A keep-alive connection to the server: sends bytes and receives an answer. Does as little as
//! possible, since it shares the server's processors.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More headers than any answer has.
const MOST_HEADERS: usize = 32;

/// A connection that is opened on first use, and again after it was lost.
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The server closes the connection after it.
    pub is_last: bool,
    pub etag: Option<String>,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Formats an unexpected answer in one line.
    pub fn told(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Connection {
    pub fn new(address: SocketAddr) -> Connection {
        Connection {
            address,
            stream: None,
            received: Vec::with_capacity(16 * 1024),
        }
    }

    /// Sends a request and waits for its answer. After an error the next one takes a new connection.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        self.received.clear();
        stream.write_all(request).await?;
        let answer = loop {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = read(&self.received)? {
                break answer;
            }
        };
        self.stream = (!answer.is_last).then_some(stream);
        Ok(answer)
    }
}

/// Parses the answer once it is complete; `None` before that.
fn read(received: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(received).map_err(io::Error::other)?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = head.code.unwrap_or_default();
    let header = |name: &str| {
        let mut headers = head.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let body_length = match header("content-length") {
        Some(length) => length.parse().map_err(io::Error::other)?,
        None if status == 304 || status == 204 => 0,
        None => return Err(io::Error::other("an answer without Content-Length")),
    };
    let Some(body) = received.get(length..length + body_length) else {
        return Ok(None);
    };
    let seconds = header("retry-after").and_then(|seconds| seconds.parse().ok());
    let is_last = header("connection").is_some_and(|said| said.eq_ignore_ascii_case("close"));
    Ok(Some(Answer {
        status,
        is_last,
        etag: header("etag").map(ToOwned::to_owned),
        retry_after: seconds.map(Duration::from_secs),
        body: body.to_vec(),
    }))
}

/// Formats a GET, with a token and a known ETag if there are any.
pub fn get(path: &str, token: Option<&str>, seen: Option<&str>) -> Vec<u8> {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let seen = seen.map(|etag| format!("If-None-Match: {etag}\r\n"));
    let (token, seen) = (token.unwrap_or_default(), seen.unwrap_or_default());
    format!("GET {path} HTTP/1.1\r\nHost: tonghop\r\n{token}{seen}\r\n").into_bytes()
}

/// Formats a PUT of JSON that makes something new.
pub fn put(path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "PUT {path} HTTP/1.1\r\nHost: tonghop\r\nAuthorization: Bearer {token}\r\n\
         If-None-Match: *\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Formats a POST of a form's fields.
pub fn post_fields(path: &str, fields: &str) -> Vec<u8> {
    let length = fields.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: tonghop\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{fields}"
    )
    .into_bytes()
}
