//! Why a certificate is not trusted: the library's many reasons as the few that have a remedy each.

use std::time::Duration;

use rustls::CertificateError as Reason;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateError {
    /// And when, in seconds since 1970.
    Expired(Option<u64>),
    NotYetValid(Option<u64>),
    /// And for which names it is.
    OtherName(Vec<String>),
    UnknownIssuer,
    /// It is an authority's own.
    AnAuthoritys,
    Revoked,
    /// Made for something else, or not as certificates are made.
    Unusable(&'static str),
}

impl CertificateError {
    pub(super) fn of(reason: &Reason) -> Self {
        use Reason as E;
        match reason {
            E::Expired => Self::Expired(None),
            E::ExpiredContext { not_after, .. } => Self::Expired(Some(not_after.as_secs())),
            E::NotValidYet => Self::NotYetValid(None),
            E::NotValidYetContext { not_before, .. } => Self::NotYetValid(Some(not_before.as_secs())),
            E::NotValidForName => Self::OtherName(Vec::new()),
            E::NotValidForNameContext { presented, .. } => Self::OtherName(hosts(presented)),
            E::UnknownIssuer | E::BadSignature => Self::UnknownIssuer,
            E::Revoked => Self::Revoked,
            // What the library wraps has no type here, but its name.
            E::Other(other) if other.to_string() == "CaUsedAsEndEntity" => Self::AnAuthoritys,
            other => Self::Unusable(unusable(other)),
        }
    }

    /// What the log says of it.
    pub(super) fn in_the_log(&self) -> String {
        let why = match self {
            Self::Expired(_) => "has expired",
            Self::NotYetValid(_) => "is not valid yet: check the clock",
            Self::OtherName(_) => "is for another host name",
            Self::UnknownIssuer => "comes from an authority that is not trusted here",
            Self::AnAuthoritys => "is an authority's own (CA:TRUE), which no server may show",
            Self::Revoked => "is revoked",
            Self::Unusable(why) => why,
        };
        format!("the server's certificate {why}")
    }
}

/// In words that go on from `the certificate`.
fn unusable(reason: &Reason) -> &'static str {
    use Reason as E;
    match reason {
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "is not made for servers (extended key usage without serverAuth)"
        }
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed by an algorithm that is not safe any more (SHA-1, or RSA below 2048 bits)"
        }
        E::UnhandledCriticalExtension => "has a critical extension that is not known here",
        E::BadEncoding => "is malformed",
        E::Other(other) => match other.to_string().as_str() {
            "UnsupportedCertVersion" => "is of X.509 version 1, without extensions",
            "PathLenConstraintViolated" => "has more authorities above it than one of them allows",
            "NameConstraintViolation" => "is for a name that its authority may not sign",
            "EndEntityUsedAsCa" => "is signed by a certificate that is no authority's",
            _ => MALFORMED,
        },
        _ => MALFORMED,
    }
}

const MALFORMED: &str = "is not made as RFC 5280 wants it";

/// The hosts among the names of a certificate, which come as `DnsName("a.example")` and `IpAddress(192.0.2.1)`.
pub(super) fn hosts(presented: &[String]) -> Vec<String> {
    let host = |name: &String| {
        let dns = name.strip_prefix("DnsName(\"").and_then(|rest| rest.strip_suffix("\")"));
        dns.or_else(|| name.strip_prefix("IpAddress(")?.strip_suffix(')')).map(str::to_owned)
    };
    presented.iter().filter_map(host).collect()
}

/// When the last of all certificates will have expired: RFC 5280 writes years with four digits.
pub(super) const AFTER_ALL: Duration = Duration::from_secs(253_402_300_800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_without_the_library_s_words() {
        let presented = ["DnsName(\"*.example.com\")", "IpAddress(192.0.2.1)", "DirectoryName"];
        assert_eq!(hosts(&presented.map(str::to_owned)), ["*.example.com", "192.0.2.1"]);
    }
}
