//! A TLS handshake for its own sake: which version, which certificates the server shows, and why they are not trusted.
//! It trusts what a delivery trusts, and nothing is sent.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};

use super::certificate_error::AFTER_ALL;
use super::{CertificateError, ShownCertificate, TlsError, tls};
use crate::io_error::plain;
use crate::settings::ConfigError;

/// What came of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// `TLS 1.3`, once both sides agreed on it.
    pub(crate) version: Option<&'static str>,
    /// As shown, trusted or not.
    pub(crate) certificate: Option<ShownCertificate>,
    pub(crate) result: Result<(), Refusal>,
}

/// Why there is no encrypted connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Tls(TlsError),
    /// No end of it in time.
    TooSlow,
    /// The server closed or reset the connection.
    Lost(String),
}

/// Shakes hands with whoever is at the other end of `stream`, as `host`, until the deadline at most.
///
/// # Errors
///
/// When the authorities in `bundle` cannot be read, or `host` can be no server's name.
pub(crate) fn shake(
    stream: TcpStream,
    host: &str,
    bundle: Option<&Path>,
    deadline: Instant,
) -> Result<Handshake, ConfigError> {
    let watching = Arc::new(Watching { verifier: tls::verifier(bundle)?, shown: Mutex::default() });
    let config = tls::watched_by(Arc::clone(&watching) as Arc<dyn ServerCertVerifier>)?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| ConfigError::new("url names a host that can have no certificate"))?;
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| ConfigError::new(format!("cannot set up TLS: {error}")))?;
    let mut timed = Timed { stream, deadline };
    let mut result = Ok(());
    while connection.is_handshaking() && result.is_ok() {
        result = connection.complete_io(&mut timed).map(|_| ()).map_err(|error| refusal(&error));
    }
    let certificate = watching.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Handshake { version: connection.protocol_version().and_then(version), certificate, result })
}

fn version(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        _ => None,
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(error) => Refusal::Tls(TlsError::of(error)),
        None if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            Refusal::TooSlow
        }
        None => Refusal::Lost(plain(error)),
    }
}

/// A stream that is given up at the deadline, however slowly it drips.
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<std::time::Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A name that no certificate is for: the unspecified address.
fn nobody() -> ServerName<'static> {
    ServerName::from(std::net::Ipv4Addr::UNSPECIFIED)
}

/// Judges as a delivery does, and remembers what it saw.
#[derive(Debug)]
struct Watching {
    verifier: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<ShownCertificate>>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |name: &ServerName<'_>, time: UnixTime| {
            self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, time)
        };
        let verdict = judge(server_name, now);
        let mut shown = ShownCertificate::of(end_entity, intermediates.is_empty());
        if let (Some(shown), Ok(_)) = (&mut shown, &verdict) {
            // What is trusted is told by refusing it: a name that nobody has, a time that is never.
            if let Err(Error::InvalidCertificate(reason)) = judge(&nobody(), now)
                && let CertificateError::OtherName(names) = CertificateError::of(&reason)
            {
                shown.names = names;
            }
            if let Err(Error::InvalidCertificate(reason)) =
                judge(server_name, UnixTime::since_unix_epoch(AFTER_ALL))
                && let CertificateError::Expired(not_after) = CertificateError::of(&reason)
            {
                shown.not_after = not_after;
            }
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
