//! Why a certificate is not trusted: the library's many reasons as the few that have a remedy each.

use rustls::CertificateError as Reason;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateError {
    Expired,
    NotYetValid,
    OtherName,
    UnknownIssuer,
    Revoked,
    /// In the library's words.
    Other(String),
}

impl CertificateError {
    pub(super) fn of(reason: &Reason) -> Self {
        use Reason as E;
        match reason {
            E::Expired | E::ExpiredContext { .. } => Self::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::NotYetValid,
            E::NotValidForName | E::NotValidForNameContext { .. } => Self::OtherName,
            E::UnknownIssuer | E::BadSignature => Self::UnknownIssuer,
            E::Revoked => Self::Revoked,
            other => Self::Other(other.to_string()),
        }
    }

    /// What the log says of it.
    pub(super) fn in_the_log(&self) -> String {
        let why = match self {
            Self::Expired => "has expired",
            Self::NotYetValid => "is not valid yet: check the clock",
            Self::OtherName => "is for another host name",
            Self::UnknownIssuer => "comes from an authority that is not trusted here",
            Self::Revoked => "is revoked",
            Self::Other(why) => return format!("the server's certificate is not acceptable: {why}"),
        };
        format!("the server's certificate {why}")
    }
}
