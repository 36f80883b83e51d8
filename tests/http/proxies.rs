//! Proxies in front: nginx with the configuration that `docs/operating.md` prints, and with one that
//! nobody thought about. Without nginx on the machine these tests say so and check nothing, unless
//! `TONGHOP_TEST_NGINX=required`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::server::{Guards, PASSWORD};
use crate::harness::{Backend, Client, Server};

const GUIDE: &str = include_str!("../../docs/operating.md");

/// The address of the server in the guide.
const ADDRESS: &str = "127.0.0.1:8080";

/// A proxy, which ends with this value.
struct Nginx {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Where Debian puts it; it is not on every user's path.
    directories.push("/usr/sbin".into());
    let mut programs = directories.iter().map(|directory| directory.join("nginx"));
    let found = programs.find(|program| program.is_file());
    let is_required = std::env::var("TONGHOP_TEST_NGINX").is_ok_and(|value| value == "required");
    assert!(found.is_some() || !is_required, "there is no nginx");
    if found.is_none() {
        eprintln!("LEFT OUT: there is no nginx on this machine");
    }
    found
}

fn configuration(directory: &Path, port: u16, server: &str) -> String {
    let at = |name: &str| directory.join(name).display().to_string();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {};", at(kind)));
    format!(
        "daemon off;\nmaster_process off;\nuser root;\npid {};\nerror_log {};\n\
         events {{ worker_connections 64; }}\n\
         http {{\n{}\naccess_log off;\nserver {{\nlisten 127.0.0.1:{port};\n{server}\n}}\n}}\n",
        at("pid"),
        at("error.log"),
        temporary.join("\n"),
    )
}

impl Nginx {
    /// Starts a proxy with what stands in its `server` block.
    fn start(program: &Path, server: &str) -> Nginx {
        let directory = tempfile::tempdir().unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let file = directory.path().join("nginx.conf");
        let text = configuration(directory.path(), address.port(), server);
        std::fs::write(&file, text).unwrap();
        let errors = directory.path().join("error.log");
        let mut child = Command::new(program)
            .args(["-p", &directory.path().display().to_string()])
            .args(["-e", &errors.display().to_string()])
            .args(["-c", &file.display().to_string()])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().unwrap();
            let log = std::fs::read_to_string(&errors).unwrap_or_default();
            assert!(ended.is_none(), "nginx ended: {log}");
            assert!(began.elapsed() < Duration::from_secs(30), "{log}");
            sleep(Duration::from_millis(20));
        }
        Nginx {
            child,
            address,
            _directory: directory,
        }
    }
}

fn behind_a_proxy() -> Server {
    let guards = Guards {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..Guards::default()
    };
    Server::guarded(Backend::Sqlite, guards)
}

/// Adds a unit, renames it and takes the renaming back, which is a POST without a body.
fn expect_undone(admin: &Client) {
    let unit = json!({"code": "P", "name": "Tỉnh", "level": "province", "parent": null});
    admin.post_json("/v1/units", &unit).expect_status(201);
    let steps = json!([{"op": "rename", "unit": "code:P", "name": "Tỉnh Mới"}]);
    let made = admin.reorganise("2025-07-01", &steps);
    admin.undo(&made);
}

#[test]
fn the_printed_configuration_of_nginx_passes_everything_on() {
    let Some(program) = program() else { return };
    let server = behind_a_proxy();
    let printed = GUIDE.split("```nginx\n").nth(1).unwrap();
    let printed = printed.split("```").next().unwrap();
    assert!(printed.contains(ADDRESS));
    let printed = printed.replace(ADDRESS, &server.address.to_string());
    let proxy = Nginx::start(&program, &printed);

    let admin = Client::new(proxy.address).sign_in("test", "admin", PASSWORD);
    expect_undone(&admin);
    server.anonymous().get("/metrics").expect_status(200);
    let metrics = Client::new(proxy.address).get("/metrics");
    assert_eq!(metrics.status, 403, "{}", metrics.text);
    let gzip = admin.with("Accept-Encoding", "gzip");
    let document = gzip.get("/openapi.json").expect_status(200);
    assert_eq!(document.header("content-encoding"), Some("gzip"));
    let seen = gzip.with("If-None-Match", document.etag());
    seen.get("/openapi.json").expect_status(304);

    // An event comes at once, and not when the proxy's buffer is full.
    let mut stream = TcpStream::connect(proxy.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let request = format!(
        "GET /v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        admin.token()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines
        .find(|line| line == "event: reorganisation.undone")
        .unwrap();
    let unit = json!({"code": "Q", "name": "Tỉnh", "level": "province", "parent": null});
    admin.post_json("/v1/units", &unit).expect_status(201);
    lines.find(|line| line == "event: unit.created").unwrap();
}

#[test]
fn a_proxy_as_it_comes_is_borne() {
    let Some(program) = program() else { return };
    let server = behind_a_proxy();
    // HTTP/1.0 to the server, and compression that makes strong tags weak.
    let plain = format!(
        "gzip on;\ngzip_types application/json;\ngzip_min_length 1;\ngzip_proxied any;\n\
         gzip_http_version 1.0;\nlocation / {{ proxy_pass http://{}; }}",
        server.address
    );
    let proxy = Nginx::start(&program, &plain);
    let admin = Client::new(proxy.address).sign_in("test", "admin", PASSWORD);
    expect_undone(&admin);

    let form = "/v1/indicators/x";
    let body = json!({
        "name": {"vi": "X", "en": "X"}, "unit_of_measure": "x", "decimals": 0,
        "across_units": "sum", "across_time": "sum"
    });
    admin.put(form, &body).expect_status(201);
    let gzip = admin.with("Accept-Encoding", "gzip");
    let read = gzip.get(form).expect_status(200);
    assert!(read.etag().starts_with("W/"), "{}", read.etag());
    let seen = gzip.with("If-None-Match", read.etag());
    seen.get(form).expect_status(304);
    let changed = admin.with("If-Match", read.etag()).put(form, &body);
    changed.expect_status(200);
}

#[test]
fn a_post_in_http_1_0_needs_no_length() {
    let server = Server::with_tenant(Backend::Sqlite);
    for (line, status) in [
        ("POST /v1/me/sessions HTTP/1.0", "405"),
        ("POST /livez HTTP/1.0", "405"),
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "{line}\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let told = answer.split(' ').nth(1);
        assert_eq!(told, Some(status), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
}
