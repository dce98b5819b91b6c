//! Why there is no encrypted connection: the library's many errors as the few that have a remedy each, in words of our own.

use rustls::{AlertDescription as Alert, Error, PeerIncompatible};

use super::CertificateError;
use chatwoot_mail::outcome::{Cause, Failure};

/// What is wrong with the server's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsError {
    Certificate(CertificateError),
    /// What answers on that port does not speak TLS.
    NotTls,
    /// No version or cipher that both sides have.
    Mismatch(&'static str),
    /// The server wants a certificate of the client.
    ClientCertificateWanted,
    /// The server knows no site of that name.
    UnknownName,
    /// The server gave up, or does not keep to the protocol.
    Broken(String),
}

impl TlsError {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(reason) => Self::Certificate(CertificateError::of(reason)),
            Error::InvalidMessage(_) => Self::NotTls,
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::Mismatch(OLD),
            Error::PeerIncompatible(_) => Self::Mismatch("server and client have no cipher in common"),
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            Error::NoCertificatesPresented => Self::Broken("the server shows no certificate".to_owned()),
            _ => Self::Broken("the server does not keep to the TLS protocol".to_owned()),
        }
    }

    /// What the server complains of (RFC 8446, section 6.2). In TLS 1.2 a certificate that it misses is a failed handshake like others.
    fn of_alert(alert: Alert) -> Self {
        match alert {
            Alert::ProtocolVersion => Self::Mismatch(OLD),
            Alert::HandshakeFailure | Alert::InsufficientSecurity => Self::Mismatch(
                "the server found no cipher in common, or wants a certificate of the client (alert handshake_failure)",
            ),
            Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => Self::ClientCertificateWanted,
            Alert::UnrecognisedName => Self::UnknownName,
            other => {
                Self::Broken(format!("the server gave up the encryption (TLS alert {})", u8::from(other)))
            }
        }
    }

    pub(super) fn failure(&self) -> Failure {
        match self {
            Self::Certificate(error) => Failure::new(Cause::UntrustedCertificate, error.in_the_log()),
            Self::NotTls => Failure::new(Cause::NotHttp, "the server does not speak TLS on this port"),
            Self::Mismatch(what) => Failure::new(Cause::TlsMismatch, *what),
            Self::ClientCertificateWanted => {
                Failure::new(Cause::ClientCertificateWanted, "the server wants a certificate of the client")
            }
            Self::UnknownName => Failure::new(
                Cause::UntrustedCertificate,
                "the server has no certificate for the host name in url (TLS alert unrecognized_name)",
            ),
            Self::Broken(what) => Failure::new(Cause::ConnectionLost, what.clone()),
        }
    }
}

const OLD: &str = "the server speaks neither TLS 1.2 nor TLS 1.3";
