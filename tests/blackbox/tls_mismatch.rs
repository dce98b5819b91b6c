//! Servers whose TLS does not fit: each has a cause and a remedy of its own, in a delivery and in `ingress check`, in plain words.

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa};

use crate::authority::Authority;
use crate::server::{Connection, Server};
use crate::setting::{LOST, Setting};

/// The record that says: alert, fatal, and why (RFC 8446, section 6).
fn alerting(reason: u8) -> Server {
    Server::acting(move |connection: &mut Connection| {
        // The client's hello: a record's header tells its length.
        connection.hello()?;
        connection.say([0x15, 3, 3, 0, 2, 2, reason])
    })
}

/// Asserts what a delivery says of it, and what its log does: no word of a library's.
#[track_caller]
fn fails(server: &Server, authority: &Authority, line: &str, cause: &str, remedy: &str) {
    let setting = Setting::new(&format!("https://localhost:{}", server.port()), "");
    setting.trust(authority);
    setting.run().assert_deferred(line);
    let logged = setting.failure_logged();
    assert!(logged.contains(&format!(" cause=\"{cause}\" remedy=\"{remedy}")), "{logged}");
    for word in ["Error", "(\"", "::", "{", "Peer", "Alert", "EndEntity"] {
        assert!(!logged.contains(word), "{word} in {logged}");
    }
    assert_eq!(server.requests(), []);
    let checked = setting.with(&["check"]).stdin("").run();
    assert_eq!(checked.status, Some(69), "{}", checked.stdout);
    assert!(checked.stdout.contains("FAIL  TLS "), "{}", checked.stdout);
}

const MISMATCH: &str = "4.7.5 No encryption is common to Chatwoot and the mail gateway";
const ASKED: &str = "4.7.5 Chatwoot asks the mail gateway for a certificate";
const DISTRUSTED: &str = "4.7.5 Chatwoot's certificate cannot be trusted";

#[test]
fn old_versions_are_named() {
    let cause = "the server speaks neither TLS 1.2 nor TLS 1.3";
    fails(
        &alerting(70),
        &Authority::new(),
        MISMATCH,
        cause,
        "let the web server before Chatwoot offer TLS 1.2",
    );
}

#[test]
fn ciphers_are_named() {
    let cause = "the server found no cipher in common, or wants a certificate of the client (alert handshake_failure)";
    fails(
        &alerting(40),
        &Authority::new(),
        MISMATCH,
        cause,
        "let the web server before Chatwoot offer TLS 1.2",
    );
}

#[test]
fn a_server_that_gives_up_is_named() {
    let cause = "the server gave up the encryption (TLS alert 80)";
    fails(&alerting(80), &Authority::new(), LOST, cause, "look into the log of Chatwoot's proxy");
}

#[test]
fn a_server_that_knows_no_such_site_is_named() {
    let cause = "the server has no certificate for the host name in url (TLS alert unrecognized_name)";
    fails(&alerting(112), &Authority::new(), DISTRUSTED, cause, "renew the server's certificate");
}

#[test]
fn a_server_that_wants_a_certificate_is_named() {
    let authority = Authority::new();
    let server = authority.server_asking_for_a_certificate("localhost");
    let setting = Setting::new(&format!("https://localhost:{}", server.port()), "");
    setting.trust(&authority);
    setting.run().assert_deferred(ASKED);
    let logged = setting.failure_logged();
    assert!(logged.contains(" cause=\"the server wants a certificate of the client\" "), "{logged}");
    assert!(
        logged.contains(" remedy=\"let the web server before Chatwoot ask for no client certificate"),
        "{logged}"
    );
    let checked = setting.with(&["check"]).stdin("").run();
    assert_eq!(checked.status, Some(69), "{}", checked.stdout);
    assert!(checked.stdout.contains("the server wants a certificate of the client"), "{}", checked.stdout);
}

#[test]
fn an_authority_s_own_certificate_is_named() {
    let authority = Authority::new();
    let server =
        authority.server("localhost", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let cause = "the server's certificate is an authority's own (CA:TRUE), which no server may show";
    fails(&server, &authority, DISTRUSTED, cause, "renew the server's certificate");
}

#[test]
fn a_certificate_for_another_purpose_is_named() {
    let authority = Authority::new();
    let server = authority.server("localhost", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    });
    let cause = "the server's certificate is not made for servers (extended key usage without serverAuth)";
    fails(&server, &authority, DISTRUSTED, cause, "renew the server's certificate");
}
