//! TLS in the server itself: its certificate, and how it is renewed and refused.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};

use crate::harness::Backend;
use crate::harness::program::{Program, tonghop_on};
use crate::harness::server::TestDatabase;

struct Issued {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate for `localhost` that is its own authority.
fn issue(serial: u32) -> Issued {
    issue_until(serial, &Asn1Time::days_from_now(1).unwrap())
}

fn issue_until(serial: u32, until: &Asn1Time) -> Issued {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    let from = Asn1Time::from_unix(1_700_000_000).unwrap();
    builder.set_not_before(&from).unwrap();
    builder.set_not_after(until).unwrap();
    builder.set_pubkey(&key).unwrap();
    let host = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(host).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Issued {
        certificate: builder.build(),
        key,
    }
}

impl Issued {
    fn write(&self, directory: &Path) {
        let (chain, key) = (directory.join("chain.pem"), directory.join("key.pem"));
        std::fs::write(chain, self.certificate.to_pem().unwrap()).unwrap();
        std::fs::write(key, self.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    }
}

/// Whether a client says which host it wants.
#[derive(Clone, Copy)]
enum Greeting {
    Named,
    Unnamed,
}

/// What a client that trusts one certificate is answered.
fn ask(address: SocketAddr, trusted: &Issued, greeting: Greeting) -> Result<String, String> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    let trusted = trusted.certificate.clone();
    connector.cert_store_mut().add_cert(trusted).unwrap();
    let configuration = connector.build().configure().unwrap();
    let configuration =
        configuration.use_server_name_indication(matches!(greeting, Greeting::Named));
    let stream = TcpStream::connect(address).unwrap();
    let mut stream = configuration
        .connect("localhost", stream)
        .map_err(|error| error.to_string())?;
    let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Ok(answer)
}

fn settings(directory: &Path) -> [(&'static str, String); 2] {
    let path = |name| directory.join(name).display().to_string();
    [
        ("TONGHOP_TLS_CERTIFICATE", path("chain.pem")),
        ("TONGHOP_TLS_KEY", path("key.pem")),
    ]
}

fn serve(database: &TestDatabase) -> Program {
    let settings = settings(database.directory.path());
    let settings = settings
        .each_ref()
        .map(|(name, path)| (*name, path.as_str()));
    Program::serve_with(database, &settings)
}

#[test]
fn a_server_with_a_certificate_speaks_tls_and_takes_a_renewed_one_without_a_stop() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let (first, second) = (issue(1), issue(2));
    first.write(database.directory.path());
    let server = serve(&database);
    for greeting in [Greeting::Named, Greeting::Unnamed] {
        let answer = ask(server.address, &first, greeting).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let transport = "strict-transport-security: max-age=31536000";
        assert!(answer.to_lowercase().contains(transport), "{answer}");
    }
    ask(server.address, &second, Greeting::Named).expect_err("a stranger's certificate");

    // A file that cannot be used changes nothing.
    std::fs::write(database.directory.path().join("chain.pem"), "half a file").unwrap();
    let began = Instant::now();
    while !server.log().contains("the old one stays") {
        assert!(began.elapsed() < Duration::from_secs(60), "it is looked at");
        sleep(Duration::from_millis(100));
    }
    ask(server.address, &first, Greeting::Named).unwrap();

    second.write(database.directory.path());
    while ask(server.address, &second, Greeting::Named).is_err() {
        assert!(began.elapsed() < Duration::from_secs(120), "it is renewed");
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_client_without_tls_is_told_nothing() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    issue(1).write(database.directory.path());
    let server = serve(&database);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // Closed or reset: either is no answer.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start_and_is_named() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let directory = database.directory.path();
    let complaint = || {
        let mut command = tonghop_on(&database, &["serve"]);
        command.env("TONGHOP_LISTEN", "127.0.0.1:0");
        command.envs(settings(directory));
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(complaint().contains("chain.pem: No such file"));
    issue(1).write(directory);
    std::fs::write(directory.join("chain.pem"), "").unwrap();
    assert!(complaint().contains("chain.pem: it holds no certificate"));
    issue(1).write(directory);
    std::fs::write(directory.join("key.pem"), "secret").unwrap();
    let told = complaint();
    assert!(told.contains("key.pem: it holds no private key"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    let (certificate, other) = (issue(1), issue(2));
    let mixed = Issued {
        certificate: certificate.certificate,
        key: other.key,
    };
    mixed.write(directory);
    let told = complaint();
    assert!(told.contains("is not that of the certificate"), "{told}");
}

#[test]
fn the_check_tells_until_when_a_certificate_is_valid_and_what_is_wrong_with_it() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let directory = database.directory.path();
    let told = || {
        let mut command = tonghop_on(&database, &["check"]);
        command.env("TONGHOP_LISTEN", "127.0.0.1:0");
        let output = command.envs(settings(directory)).output().unwrap();
        let findings = String::from_utf8(output.stdout).unwrap();
        let line = findings.lines().find(|line| line.contains("  tls "));
        line.expect("a line on TLS").to_owned()
    };
    let expect = |verdict: &str, words: &str| {
        let line = told();
        assert!(line.starts_with(verdict) && line.contains(words), "{line}");
    };
    expect("fault", "chain.pem: No such file");
    let far = Asn1Time::from_unix(4_000_000_000).unwrap();
    issue_until(1, &far).write(directory);
    let permit = |mode| {
        let key = directory.join("key.pem");
        std::fs::set_permissions(key, Permissions::from_mode(mode)).unwrap();
    };
    permit(0o644);
    expect("warning", "key.pem; run: chmod o=");
    permit(0o640);
    expect("ok", "is valid until 2096-10-02 07:06:40 UTC");
    issue(1).write(directory);
    expect("warning", "renew it soon");
    let past = Asn1Time::from_unix(1_750_000_000).unwrap();
    issue_until(1, &past).write(directory);
    expect("fault", "has expired on 2025-06-15 15:06:40 UTC");
    let mixed = Issued {
        certificate: issue(1).certificate,
        key: issue(2).key,
    };
    mixed.write(directory);
    expect("fault", "is not that of the certificate");
}

#[test]
fn a_server_whose_certificate_expires_or_whose_links_are_without_tls_warns_in_its_log() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let directory = database.directory.path();
    let past = Asn1Time::from_unix(1_750_000_000).unwrap();
    issue_until(1, &past).write(directory);
    assert!(serve(&database).log().contains("has expired on 2025-06-15"));
    issue(1).write(directory);
    let settings = settings(directory);
    let mut all: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, path)| (*name, path.as_str()))
        .collect();
    all.push(("TONGHOP_PUBLIC_URL", "http://baocao.example.vn"));
    let server = Program::serve_with(&database, &all);
    for expected in ["renew it soon", "set it to https://baocao.example.vn"] {
        assert!(server.log().contains(expected), "{}", server.log());
    }
    let mut command = tonghop_on(&database, &["check"]);
    let output = command.envs(all).output().unwrap();
    let findings = String::from_utf8(output.stdout).unwrap();
    let warned = |line: &str| {
        line.starts_with("warning  tls ") && line.contains("set it to https://baocao.example.vn")
    };
    assert!(findings.lines().any(warned), "{findings}");
}

#[test]
fn the_check_knows_a_server_that_speaks_tls() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let directory = database.directory.path();
    issue(1).write(directory);
    let server = serve(&database);
    let mut command = tonghop_on(&database, &["check"]);
    command.env("TONGHOP_LISTEN", server.address.to_string());
    let output = command.envs(settings(directory)).output().unwrap();
    let findings = String::from_utf8(output.stdout).unwrap();
    let answered = format!("a server of Tonghop answers on {}", server.address);
    assert!(findings.contains(&answered), "{findings}");
}
