//! Requests that ask for another protocol.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{Backend, Server};

/// Java's client asks for HTTP/2 in this way, with every request on a plain connection.
const ASKING: &str = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                      Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n";

#[test]
fn a_client_that_asks_for_another_protocol_is_told_that_its_connection_ends() {
    let server = Server::start(Backend::Sqlite);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(ASKING.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let answer = answer.to_lowercase();
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(!answer.contains("upgrade"), "{answer}");
}
