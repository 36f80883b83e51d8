//! TLS in the server itself: its certificate and its private key, read again once their files have
//! changed, so that a renewed certificate needs no restart. Knows nothing of requests.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    SniError, SslAcceptor, SslAcceptorBuilder, SslConnector, SslContext, SslMethod, SslStream,
    SslVerifyMode,
};
use openssl::x509::X509;

/// The files of a server's certificate, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, and after it those that lead to its authority.
    pub chain: PathBuf,
    /// The certificate's private key, without a password.
    pub key: PathBuf,
}

/// The reasons for which a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: it holds no certificate in PEM (BEGIN CERTIFICATE)", .0.display())]
    NoCertificate(PathBuf),
    #[error("{}: it holds no private key in PEM without a password", .0.display())]
    NoKey(PathBuf),
    #[error("the key in {} is not that of the certificate in {}", key.display(), chain.display())]
    OtherKey { chain: PathBuf, key: PathBuf },
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] ErrorStack),
}

/// The time for which a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateLife {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// Reads a certificate and its key as a server does, and tells for how long the certificate is valid:
/// it, or one of those that lead to its authority.
///
/// # Errors
/// [`CertificateError`].
pub fn life_of(files: &CertificateFiles) -> Result<CertificateLife, CertificateError> {
    read_context(files)?;
    let mut life = CertificateLife {
        from: DateTime::<Utc>::MIN_UTC,
        until: DateTime::<Utc>::MAX_UTC,
    };
    for certificate in read_chain(&files.chain)? {
        life.from = life.from.max(time_of(certificate.not_before())?);
        life.until = life.until.min(time_of(certificate.not_after())?);
    }
    Ok(life)
}

fn time_of(time: &Asn1TimeRef) -> Result<DateTime<Utc>, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let since = TimeDelta::days(since.days.into()) + TimeDelta::seconds(since.secs.into());
    Ok(DateTime::UNIX_EPOCH + since)
}

/// Greets a server on this machine, to find out whether it is one of this program. Whose certificate it
/// has is not asked: nothing is told to it.
///
/// # Errors
/// The server speaks no TLS.
pub fn greeted(stream: TcpStream) -> std::io::Result<SslStream<TcpStream>> {
    let mut connector = SslConnector::builder(SslMethod::tls_client())?;
    connector.set_verify(SslVerifyMode::NONE);
    let configuration = connector.build().configure()?.verify_hostname(false);
    configuration
        .connect("localhost", stream)
        .map_err(std::io::Error::other)
}

/// The pause between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A certificate in use. New connections get the latest that could be read.
#[derive(Clone)]
pub(super) struct Certificate {
    files: CertificateFiles,
    /// The times of the files that were read first.
    read_at: [Option<SystemTime>; 2],
    context: Arc<RwLock<SslContext>>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub(super) fn read(files: CertificateFiles) -> Result<Certificate, CertificateError> {
        // Before reading, so that no change in between is missed.
        let read_at = files.changed_at();
        let context = read_context(&files)?;
        Ok(Certificate {
            files,
            read_at,
            context: Arc::new(RwLock::new(context)),
        })
    }

    /// Returns the acceptor of connections, which asks for the certificate at each handshake.
    ///
    /// # Errors
    /// The library's own.
    pub(super) fn acceptor(&self) -> Result<SslAcceptor, CertificateError> {
        let mut acceptor = acceptor_builder()?;
        let context = Arc::clone(&self.context);
        // Called for a client that names no host too.
        acceptor.set_servername_callback(move |ssl, _| {
            let context = context.read().unwrap_or_else(PoisonError::into_inner);
            ssl.set_ssl_context(&context)
                .map_err(|_| SniError::ALERT_FATAL)
        });
        Ok(acceptor.build())
    }

    /// Reads the files again whenever they have changed. While they cannot be used the certificate
    /// before them stays, and the log says why.
    pub(super) async fn follow(self) {
        let mut seen = self.read_at;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let changed = self.files.changed_at();
            if changed != seen {
                seen = changed;
                self.renew();
            }
        }
    }

    fn renew(&self) {
        match read_context(&self.files) {
            Ok(context) => {
                warn_if_exposed(&self.files.key);
                *self.context.write().unwrap_or_else(PoisonError::into_inner) = context;
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used; the old one stays");
            }
        }
    }
}

impl CertificateFiles {
    /// The times at which the files changed; `None` for one that is not there.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.chain, &self.key].map(|path| std::fs::metadata(path).ok()?.modified().ok())
    }
}

/// TLS 1.2 and 1.3, with the ciphers that Mozilla recommends for servers that serve all browsers of
/// today.
fn acceptor_builder() -> Result<SslAcceptorBuilder, ErrorStack> {
    SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())
}

fn read_context(files: &CertificateFiles) -> Result<SslContext, CertificateError> {
    let CertificateFiles { chain, key } = files;
    let mut certificates = read_chain(chain)?.into_iter();
    let own = certificates.next();
    let own = own.ok_or_else(|| CertificateError::NoCertificate(chain.clone()))?;
    // Without the callback a key with a password would be asked for at the terminal.
    let secret = PKey::private_key_from_pem_callback(&read(key)?, |_| Ok(0))
        .map_err(|_| CertificateError::NoKey(key.clone()))?;
    let mut acceptor = acceptor_builder()?;
    acceptor.set_certificate(&own)?;
    for above in certificates {
        acceptor.add_extra_chain_cert(above)?;
    }
    acceptor
        .set_private_key(&secret)
        .and_then(|()| acceptor.check_private_key())
        .map_err(|_| CertificateError::OtherKey {
            chain: chain.clone(),
            key: key.clone(),
        })?;
    Ok(acceptor.build().into_context())
}

fn read_chain(path: &Path) -> Result<Vec<X509>, CertificateError> {
    X509::stack_from_pem(&read(path)?).map_err(|_| CertificateError::NoCertificate(path.to_owned()))
}

/// Returns true if everybody on the machine may read a private key.
pub fn is_exposed(key: &Path) -> bool {
    let mode = std::fs::metadata(key).map(|metadata| metadata.permissions().mode());
    mode.is_ok_and(|mode| mode & 0o007 != 0)
}

fn warn_if_exposed(key: &Path) {
    if is_exposed(key) {
        let path = key.display();
        tracing::warn!(%path, "everybody on this machine may read the private key; chmod o= it");
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}
