//! What to say of a TLS handshake: the certificate and how long it lasts, or why it is refused and who can change that.

use std::path::Path;

use super::certificate::{day, days, days_until, listed};
use super::{Finding, Host, Subject};
use crate::http::{CertificateError, Handshake, Refusal, ShownCertificate, TlsError};

/// Few enough days that somebody should look why nothing renews it.
const SOON: i64 = 14;

/// What there is to say of a handshake with `host`; `bundle` holds the authorities that are trusted.
pub(crate) fn finding(handshake: &Handshake, host: &str, origin: &str, bundle: Option<&Path>) -> Finding {
    let shown = handshake.certificate.as_ref();
    match &handshake.result {
        Ok(()) => trusted(handshake.version.unwrap_or("TLS"), shown),
        Err(Refusal::Tls(TlsError::Certificate(error))) => distrusted(error, shown, host, origin, bundle),
        Err(Refusal::Tls(error)) => disagreed(error, host, origin),
        Err(Refusal::TooSlow) => {
            Finding::fault(Subject::Tls, "the handshake does not come to an end within connect_timeout")
                .with_remedy(
                    Host::Chatwoot,
                    "look why the web server hangs, or what else listens on this port",
                )
        }
        Err(Refusal::Lost(why)) => Finding::fault(Subject::Tls, format!("the handshake broke: {why}"))
            .with_remedy(Host::Proxy, "look into the log of the web server: it closed the connection"),
    }
}

/// There is no encryption to agree on.
fn disagreed(error: &TlsError, host: &str, origin: &str) -> Finding {
    let fault = |what: &str| Finding::fault(Subject::Tls, what);
    match error {
        TlsError::NotTls => fault("what answers on this port does not speak TLS").with_remedy(
            Host::Here,
            format!("use the port that https is served on, or http when that is meant ({origin})"),
        ),
        TlsError::Mismatch(what) => fault(what).with_remedy(
            Host::Proxy,
            "let the web server offer TLS 1.2 or 1.3 with the usual ciphers (ECDHE with AES-GCM or ChaCha20)",
        ),
        TlsError::ClientCertificateWanted => fault("the server wants a certificate of the client")
            .with_remedy(
                Host::Proxy,
                "let the web server ask for none here (nginx: ssl_verify_client): ingress has none to show",
            ),
        TlsError::UnknownName => fault("the server has no certificate for this host name").with_remedy(
            Host::Here,
            format!("use a host name that it serves ({origin}), or have one made for {host}"),
        ),
        TlsError::Certificate(_) | TlsError::Broken(_) => {
            let what = match error {
                TlsError::Broken(what) => what,
                _ => "the certificate is refused",
            };
            fault(what)
                .with_remedy(Host::Proxy, "look into the log of the web server: it ended the handshake")
        }
    }
}

fn trusted(version: &str, shown: Option<&ShownCertificate>) -> Finding {
    let Some((shown, not_after)) = shown.and_then(|shown| Some((shown, shown.not_after?))) else {
        return Finding::ok(Subject::Tls, version);
    };
    let left = days_until(not_after);
    let (names, issuer) = (listed(&shown.names), &shown.issuer);
    let what = format!("{version}; certificate for {names}, issued by {issuer}, {} left", days(left));
    if left < SOON {
        return Finding::warning(Subject::Tls, what)
            .with_remedy(Host::Proxy, "renew the certificate, and look why nothing does so by itself");
    }
    Finding::ok(Subject::Tls, what)
}

fn distrusted(
    error: &CertificateError,
    shown: Option<&ShownCertificate>,
    host: &str,
    origin: &str,
    bundle: Option<&Path>,
) -> Finding {
    let fault = |what: String| Finding::fault(Subject::Tls, format!("the certificate {what}"));
    match error {
        CertificateError::AnAuthoritys => {
            fault("is an authority's own (CA:TRUE), which no server may show".to_owned())
                .with_remedy(Host::Proxy, another_than_an_authority_s(host))
        }
        CertificateError::Expired(not_after) => {
            let when = not_after.map(|end| format!(" on {}, {} ago", day(end), days(-days_until(end))));
            fault(format!("expired{}", when.unwrap_or_default()))
                .with_remedy(Host::Proxy, "renew the certificate and reload the web server")
        }
        CertificateError::NotYetValid(not_before) => {
            let when = not_before.map_or_else(|| "later".to_owned(), day);
            fault(format!("is valid from {when} on")).with_remedy(
                Host::Here,
                "set the clock, if it is wrong; else the server shows the wrong certificate",
            )
        }
        CertificateError::OtherName(names) if names.is_empty() => {
            fault("names no host: the common name does not count".to_owned()).with_remedy(
                Host::Proxy,
                format!("let the web server show one with the subject alternative name {host}"),
            )
        }
        CertificateError::OtherName(names) => fault(format!("is for {}, not for {host}", listed(names)))
            .with_remedy(
                Host::Here,
                format!("use a host name that it is for ({origin}), or have one made for {host}"),
            ),
        CertificateError::UnknownIssuer => match shown {
            Some(shown) => unknown_issuer(shown, bundle),
            None => refused("is of an authority that is not trusted here"),
        },
        CertificateError::Revoked => refused("is revoked"),
        CertificateError::Unusable(why) => refused(why),
    }
}

fn refused(why: &str) -> Finding {
    Finding::fault(Subject::Tls, format!("the certificate {why}"))
        .with_remedy(Host::Proxy, "let the web server show a valid certificate")
}

/// What `openssl req -x509` makes when nothing else is said.
fn another_than_an_authority_s(host: &str) -> String {
    format!(
        "let the web server show one for {host}; a self-signed one: openssl req -x509 with \
         -addext basicConstraints=critical,CA:FALSE, and ca_file here"
    )
}

fn unknown_issuer(shown: &ShownCertificate, bundle: Option<&Path>) -> Finding {
    let trusted = bundle.map_or_else(|| "nothing".to_owned(), |path| path.display().to_string());
    let fault = |what: String| Finding::fault(Subject::Tls, format!("the certificate is {what}"));
    if shown.is_self_signed {
        return fault(format!("self-signed, and not among those in {trusted}")).with_remedy(
            Host::Here,
            "set ca_file to a file with the server's certificate, or get one from a public authority",
        );
    }
    let finding = fault(format!("issued by {}, which is not among those in {trusted}", shown.issuer));
    if shown.is_alone {
        return finding.with_remedy(
            Host::Proxy,
            "let the web server send the whole chain (fullchain.pem); with an authority of your own, set \
             ca_file here to its certificate",
        );
    }
    finding.with_remedy(
        Host::Here,
        "set ca_file to a file with the certificate of that authority, if it is yours",
    )
}
