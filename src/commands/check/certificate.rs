//! A certificate as it is shown: for whom, by whom, from when until when.

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

/// What the server's own certificate says; all text in it is foreign.
pub(crate) struct Certificate {
    pub(crate) names: Vec<String>,
    pub(crate) issuer: String,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) self_signed: bool,
    pub(crate) is_authority: bool,
    /// Whether the server sent no other certificate with it.
    pub(crate) alone: bool,
}

impl Certificate {
    /// Reads the first of these, DER; nothing when it is none.
    pub(crate) fn of_server(shown: &[Vec<u8>]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(shown.first()?).ok()?;
        let validity = certificate.validity();
        Some(Self {
            names: names(&certificate),
            issuer: named(certificate.issuer()),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            self_signed: certificate.issuer() == certificate.subject(),
            is_authority: certificate.is_ca(),
            alone: shown.len() == 1,
        })
    }

    /// The first few of them.
    pub(crate) fn names(&self) -> String {
        const FEW: usize = 4;
        if self.names.is_empty() {
            return "no host".to_owned();
        }
        let mut text = self.names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
        if self.names.len() > FEW {
            text.push_str(&format!(" and {} more", self.names.len() - FEW));
        }
        text
    }

    /// Whole days, rounded down; negative when it has expired.
    pub(crate) fn days_left(&self) -> i64 {
        let now = i64::try_from(crate::clock::now()).unwrap_or(i64::MAX);
        (self.not_after - now).div_euclid(24 * 60 * 60)
    }
}

/// The names that count: the subject alternative names (RFC 6125, section 6.4.4).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|bytes| std::net::Ipv6Addr::from(bytes).to_string());
    four.or_else(|_| sixteen()).ok()
}

/// `Let's Encrypt R11`: organization and common name.
fn named(name: &X509Name<'_>) -> String {
    let organization = name.iter_organization().next().and_then(|part| part.as_str().ok());
    let common = name.iter_common_name().next().and_then(|part| part.as_str().ok());
    match (organization, common) {
        (Some(organization), Some(common)) => format!("{organization} {common}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => name.to_string(),
    }
}
