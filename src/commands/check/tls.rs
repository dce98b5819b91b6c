//! What to say of a TLS handshake: the certificate and how long it lasts, or why it is refused and by whom that is mended.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::certificate::Certificate;
use super::{Finding, Host, Subject};
use crate::http::{CertificateError, Handshake, Refusal};

/// Few enough days that somebody should look why nothing renews it.
const SOON: i64 = 14;

/// What there is to say of a handshake with `host`; `bundle` holds the authorities that are trusted.
pub(crate) fn finding(handshake: &Handshake, host: &str, origin: &str, bundle: Option<&Path>) -> Finding {
    let shown = Certificate::of_server(&handshake.certificates);
    match &handshake.result {
        Ok(()) => trusted(handshake.version.unwrap_or("TLS"), shown.as_ref()),
        Err(Refusal::Certificate(certificate_error)) => {
            distrusted(certificate_error, shown.as_ref(), host, origin, bundle)
        }
        Err(Refusal::NotTls) => Finding::fault(Subject::Tls, "what answers on this port does not speak TLS")
            .mended(
                Host::Here,
                format!("use the port that https is served on, or http when that is meant ({origin})"),
            ),
        Err(Refusal::TooSlow) => {
            Finding::fault(Subject::Tls, "the handshake does not come to an end within connect_timeout")
                .mended(Host::Chatwoot, "look why the web server hangs, or what else listens on this port")
        }
        Err(Refusal::Lost(why)) => Finding::fault(Subject::Tls, format!("the handshake broke: {why}"))
            .mended(Host::Proxy, "look into the log of the web server: it closed the connection"),
        Err(Refusal::Other(why)) => Finding::fault(Subject::Tls, format!("the handshake failed: {why}"))
            .mended(
                Host::Proxy,
                "let the web server offer TLS 1.2 or 1.3 without asking for a client certificate",
            ),
    }
}

fn trusted(version: &str, shown: Option<&Certificate>) -> Finding {
    let Some(shown) = shown else { return Finding::ok(Subject::Tls, version) };
    let left = shown.days_left();
    let (names, issuer) = (shown.names(), &shown.issuer);
    let what = format!("{version}; certificate for {names}, issued by {issuer}, {} left", days(left));
    if left < SOON {
        return Finding::warning(Subject::Tls, what)
            .mended(Host::Proxy, "renew the certificate, and look why nothing does so by itself");
    }
    Finding::ok(Subject::Tls, what)
}

fn distrusted(
    certificate_error: &CertificateError,
    shown: Option<&Certificate>,
    host: &str,
    origin: &str,
    bundle: Option<&Path>,
) -> Finding {
    let Some(shown) = shown else { return refused(&format!("is refused: {certificate_error:?}")) };
    let fault = |what: String| Finding::fault(Subject::Tls, format!("the certificate {what}"));
    match certificate_error {
        _ if shown.is_authority => {
            fault("is an authority's own (CA:TRUE), which no server may show".to_owned())
                .mended(Host::Proxy, another_than_an_authority_s(host))
        }
        CertificateError::Expired => {
            let ago = days(-shown.days_left());
            fault(format!("expired on {}, {ago} ago", day(shown.not_after)))
                .mended(Host::Proxy, "renew the certificate and reload the web server")
        }
        CertificateError::NotYetValid => fault(format!("is valid from {} on", day(shown.not_before)))
            .mended(Host::Here, "set the clock, if it is wrong; else the server shows the wrong certificate"),
        CertificateError::OtherName if shown.names.is_empty() => fault(
            "names no host: the common name does not count".to_owned(),
        )
        .mended(Host::Proxy, format!("let the web server show one with the subject alternative name {host}")),
        CertificateError::OtherName => fault(format!("is for {}, not for {host}", shown.names())).mended(
            Host::Here,
            format!("use a host name that it is for ({origin}), or have one made for {host}"),
        ),
        CertificateError::UnknownIssuer => unknown_issuer(shown, bundle),
        CertificateError::Revoked => refused("is revoked"),
        CertificateError::Other(why) => refused(&format!("is not acceptable: {why}")),
    }
}

fn refused(why: &str) -> Finding {
    Finding::fault(Subject::Tls, format!("the certificate {why}"))
        .mended(Host::Proxy, "let the web server show a valid certificate")
}

/// What `openssl req -x509` makes when nothing else is said.
fn another_than_an_authority_s(host: &str) -> String {
    format!(
        "let the web server show one for {host}; a self-signed one: openssl req -x509 with \
         -addext basicConstraints=critical,CA:FALSE, and ca_file here"
    )
}

fn unknown_issuer(shown: &Certificate, bundle: Option<&Path>) -> Finding {
    let trusted = bundle.map_or_else(|| "nothing".to_owned(), |path| path.display().to_string());
    let fault = |what: String| Finding::fault(Subject::Tls, format!("the certificate is {what}"));
    if shown.self_signed {
        return fault(format!("self-signed, and not among those in {trusted}")).mended(
            Host::Here,
            "set ca_file to a file with the server's certificate, or get one from a public authority",
        );
    }
    let finding = fault(format!("issued by {}, which is not among those in {trusted}", shown.issuer));
    if shown.alone {
        return finding.mended(
            Host::Proxy,
            "let the web server send the whole chain (fullchain.pem); with an authority of your own, set \
             ca_file here to its certificate",
        );
    }
    finding.mended(Host::Here, "set ca_file to a file with the certificate of that authority, if it is yours")
}

/// `1 day`, `2 days`.
fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// `2026-11-23`.
fn day(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_iso_8601_has_it() {
        assert_eq!(day(1_795_392_000), "2026-11-23");
    }
}
