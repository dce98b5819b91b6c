//! What the certificate that a server shows says of itself, for people to read; nothing is decided by it.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The server's own certificate; all text in it is foreign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShownCertificate {
    /// `Let's Encrypt R11`: organization and common name.
    pub(crate) issuer: String,
    pub(crate) is_self_signed: bool,
    /// Whether the server sent no other certificate with it.
    pub(crate) is_alone: bool,
    /// For whom it is, when it is trusted.
    pub(crate) names: Vec<String>,
    /// When it ends, in seconds since 1970, when it is trusted.
    pub(crate) not_after: Option<u64>,
}

impl ShownCertificate {
    pub(super) fn of(shown: &CertificateDer<'_>, is_alone: bool) -> Option<Self> {
        let certificate = EndEntityCert::try_from(shown).ok()?;
        let (issuer, subject) = (certificate.issuer(), certificate.subject());
        Some(Self { issuer: named(issuer), is_self_signed: issuer == subject, is_alone, ..Self::default() })
    }
}

/// Organization and common name of a distinguished name (RFC 5280, section 4.1.2.4), DER without its outer frame.
fn named(name: &[u8]) -> String {
    let parts: Vec<(&[u8], String)> = elements(name)
        .flat_map(elements)
        .filter_map(|pair| {
            let mut pair = elements(pair);
            Some((pair.next()?, String::from_utf8_lossy(pair.next()?).into_owned()))
        })
        .collect();
    let of = |kind: &[u8]| parts.iter().find(|(oid, _)| *oid == kind).map(|(_, text)| text.as_str());
    let named: Vec<&str> = [of(ORGANIZATION), of(COMMON_NAME)].into_iter().flatten().collect();
    if named.is_empty() { "an authority without a name".to_owned() } else { named.join(" ") }
}

/// 2.5.4.10 and 2.5.4.3 (RFC 5280, appendix A.1).
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// The contents of the DER elements that stand one after the other; whatever is odd ends them.
fn elements(der: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = der;
    std::iter::from_fn(move || {
        let (_, after_tag) = rest.split_first()?;
        let (first, after) = after_tag.split_first()?;
        let (length, content) = match *first {
            short @ 0..=0x7f => (usize::from(short), after),
            0x81 => after.split_first().map(|(length, content)| (usize::from(*length), content))?,
            0x82 => after
                .split_first_chunk::<2>()
                .map(|(length, content)| (usize::from(u16::from_be_bytes(*length)), content))?,
            _ => return None,
        };
        let (content, after) = content.split_at_checked(length)?;
        rest = after;
        Some(content)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    fn issuer(parts: &[(DnType, &str)]) -> String {
        let mut params = CertificateParams::new(["chat.example.com".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        parts.iter().for_each(|(kind, text)| params.distinguished_name.push(kind.clone(), *text));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ShownCertificate::of(certificate.der(), true).unwrap().issuer
    }

    #[test]
    fn an_issuer_is_its_organization_and_its_common_name() {
        let long = "x".repeat(200);
        assert_eq!(
            issuer(&[(DnType::CommonName, "R11"), (DnType::OrganizationName, "Let's Encrypt")]),
            "Let's Encrypt R11"
        );
        assert_eq!(issuer(&[(DnType::CountryName, "DE"), (DnType::CommonName, "Größe")]), "Größe");
        assert_eq!(issuer(&[(DnType::CommonName, &long)]), long);
        assert_eq!(issuer(&[]), "an authority without a name");
    }

    #[test]
    fn what_is_no_der_has_no_elements() {
        for odd in
            [&b""[..], &[0x30], &[0x30, 5, 1], &[0x30, 0x81], &[0x30, 0x82, 1], &[0x30, 0x84, 0, 0, 0, 1, 0]]
        {
            assert_eq!(elements(odd).count(), 0, "{odd:?}");
        }
        assert!(ShownCertificate::of(&CertificateDer::from(vec![0x30, 3, 1, 2, 3]), true).is_none());
    }
}
