//! What `ingress check` says of certificates and handshakes.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, SanType, date_time_ymd};

use crate::authority::Authority;
use crate::checked::{CHATWOOT, Checked};
use crate::server::{Connection, Server};
use crate::setting::Setting;

/// A server whose handshake is looked at first, then it answers as Chatwoot does when all is well.
fn chatwoot(authority: &Authority, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
    authority.server_acting(name, change, |connection| {
        connection.request()?;
        if connection.number == 1 {
            return connection.answer(415);
        }
        connection.say(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{CHATWOOT}",
            CHATWOOT.len()
        ))
    })
}

/// The last lines of a report, from that on TLS.
fn of_tls(server: &Server, authority: &Authority, status: i32) -> String {
    let setting = Setting::new(&format!("https://127.0.0.1:{}", server.port()), "");
    setting.trust(authority);
    let checked = Checked::of(&setting, server.port());
    assert_eq!(checked.status, Some(status), "{}", checked.text);
    let ca_file = "ok    ca_file         DIR/ca.pem (ca_file in DIR/ingress.toml)\n";
    assert!(checked.text.contains(ca_file), "{}", checked.text);
    let (_, rest) = checked.text.split_once("port PORT in _ ms\n").unwrap();
    rest.to_owned()
}

/// Asserts that a certificate like this is refused with this finding and remedy, and that no request was sent.
#[track_caller]
fn refuses(name: &str, change: impl FnOnce(&mut CertificateParams), finding: &str, remedy: &str) {
    let authority = Authority::new();
    let server = chatwoot(&authority, name, change);
    let text = of_tls(&server, &authority, 69);
    assert_eq!(
        text,
        format!(
            "FAIL  TLS             {finding}\n                      {remedy}\n\nNot ready. First, {remedy}"
        )
    );
    assert_eq!(server.requests(), []);
}

#[test]
fn a_good_certificate_is_told_with_names_issuer_and_days() {
    let authority = Authority::new();
    let server = chatwoot(&authority, "127.0.0.1", |params| params.not_after = date_time_ymd(2999, 1, 1));
    let text = of_tls(&server, &authority, 0);
    let (tls, rest) = text.split_once('\n').unwrap();
    let days = tls
        .strip_prefix(
            "ok    TLS             TLS 1.3; certificate for 127.0.0.1, issued by rcgen self signed cert, ",
        )
        .and_then(|rest| rest.strip_suffix(" days left"));
    assert!(days.is_some_and(|days| days.parse::<u32>().unwrap() > 300_000), "{tls}");
    assert_eq!(
        rest,
        "\
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
ok    chatwoot        version 4.14.2, Redis ok, PostgreSQL ok

Ready: a delivery would work now."
    );
}

#[test]
fn an_expired_certificate_says_since_when() {
    let authority = Authority::new();
    let server = chatwoot(&authority, "127.0.0.1", |params| params.not_after = date_time_ymd(2020, 2, 29));
    let text = of_tls(&server, &authority, 69);
    let remedy = "on the proxy before Chatwoot: renew the certificate and reload the web server";
    let (finding, rest) = text.split_once('\n').unwrap();
    let days = finding
        .strip_prefix("FAIL  TLS             the certificate expired on 2020-02-29, ")
        .and_then(|rest| rest.strip_suffix(" days ago"));
    assert!(days.is_some_and(|days| days.parse::<u32>().unwrap() > 2000), "{finding}");
    assert_eq!(rest, format!("                      {remedy}\n\nNot ready. First, {remedy}"));
    assert_eq!(server.requests(), []);
}

#[test]
fn a_certificate_of_tomorrow_says_from_when() {
    refuses(
        "127.0.0.1",
        |params| params.not_before = date_time_ymd(2999, 1, 1),
        "the certificate is valid from 2999-01-01 on",
        "here: set the clock, if it is wrong; else the server shows the wrong certificate",
    );
}

#[test]
fn a_certificate_for_another_name_says_for_which() {
    refuses(
        "chat.example.com",
        |_| {},
        "the certificate is for chat.example.com, not for 127.0.0.1",
        "here: use a host name that it is for (url in DIR/ingress.toml), or have one made for 127.0.0.1",
    );
}

#[test]
fn an_unknown_authority_is_named() {
    let of_another_name =
        |params: &mut CertificateParams| params.distinguished_name = DistinguishedName::new();
    let server = chatwoot(&Authority::new(), "127.0.0.1", of_another_name);
    let text = of_tls(&server, &Authority::new(), 69);
    let remedy = "on the proxy before Chatwoot: let the web server send the whole chain (fullchain.pem); with an authority of your own, set ca_file here to its certificate";
    assert_eq!(
        text,
        format!(
            "FAIL  TLS             the certificate is issued by rcgen self signed cert, which is not among those in DIR/ca.pem\n                      {remedy}\n\nNot ready. First, {remedy}"
        )
    );
}

#[test]
fn a_self_signed_certificate_is_called_so() {
    let server = Authority::self_signed_server("127.0.0.1", |_| {});
    let text = of_tls(&server, &Authority::new(), 69);
    let remedy =
        "here: set ca_file to a file with the server's certificate, or get one from a public authority";
    assert_eq!(
        text,
        format!(
            "FAIL  TLS             the certificate is self-signed, and not among those in DIR/ca.pem\n                      {remedy}\n\nNot ready. First, {remedy}"
        )
    );
    assert_eq!(server.requests(), []);
}

/// What `openssl req -x509` makes when nothing else is said.
#[test]
fn a_self_signed_certificate_that_is_an_authority_s_is_no_server_s() {
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let server = Authority::self_signed_server("127.0.0.1", authority);
    let remedy = "on the proxy before Chatwoot: let the web server show one for 127.0.0.1; a self-signed one: openssl req -x509 with -addext basicConstraints=critical,CA:FALSE, and ca_file here";
    assert_eq!(
        of_tls(&server, &Authority::new(), 69),
        format!(
            "FAIL  TLS             the certificate is an authority's own (CA:TRUE), which no server may show\n                      {remedy}\n\nNot ready. First, {remedy}"
        )
    );
}

#[test]
fn a_common_name_alone_is_no_name() {
    refuses(
        "127.0.0.1",
        |params| params.subject_alt_names = Vec::<SanType>::new(),
        "the certificate names no host: the common name does not count",
        "on the proxy before Chatwoot: let the web server show one with the subject alternative name 127.0.0.1",
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a certificate is judged by the clock")]
fn a_certificate_that_ends_soon_is_a_warning() {
    let authority = Authority::new();
    let soon = std::time::SystemTime::now() + Duration::from_secs(3 * 24 * 60 * 60 + 60);
    let server = chatwoot(&authority, "127.0.0.1", |params| params.not_after = soon.into());
    let text = of_tls(&server, &authority, 0);
    assert!(
        text.starts_with(
            "warn  TLS             TLS 1.3; certificate for 127.0.0.1, issued by rcgen self signed cert, 3 days left\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("\nReady: a delivery would work now; mind the warning."), "{text}");
}

#[test]
fn through_a_proxy_the_certificate_is_judged_too() {
    let authority = Authority::new();
    let answer = |connection: &mut Connection| {
        connection.request()?;
        connection.answer(415)
    };
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 2, 29);
    let good = authority.server_acting("127.0.0.1", |_| {}, answer);
    let expired = authority.server_acting("127.0.0.1", past, answer);
    for (server, status, finding) in [
        (
            &good,
            0,
            "ok    TLS             the certificate is trusted; the handshake went through the proxy\n",
        ),
        (&expired, 69, "FAIL  TLS             the server's certificate has expired\n"),
    ] {
        let target = format!("127.0.0.1:{}", server.port());
        let proxy = Server::acting(move |connection| {
            connection.head()?;
            connection.say("HTTP/1.1 200 Connection established\r\n\r\n")?;
            connection.tunnel_to(&target)
        });
        let url = format!("https://127.0.0.1:{}", server.port());
        let setting = Setting::new(&url, &format!("proxy = \"{}\"", proxy.url()));
        setting.trust(&authority);
        let checked = Checked::of(&setting, server.port());
        assert_eq!(checked.status, Some(status), "{}", checked.text);
        assert!(checked.text.contains(finding), "{}", checked.text);
    }
}

#[test]
fn a_port_without_tls_says_so() {
    let server = Server::acting(|connection| connection.say("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let text = of_tls(&server, &Authority::new(), 69);
    let remedy =
        "here: use the port that https is served on, or http when that is meant (url in DIR/ingress.toml)";
    assert_eq!(
        text,
        format!(
            "FAIL  TLS             what answers on this port does not speak TLS\n                      {remedy}\n\nNot ready. First, {remedy}"
        )
    );
}

/// Whether it is silent, or sends a long record byte by byte.
#[test]
fn a_handshake_that_does_not_come_to_an_end_is_given_up() {
    let silent = Server::acting(|connection| {
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
    let dripping = Server::acting(|connection| {
        connection.say([0x16, 3, 3, 0x40, 0])?;
        loop {
            connection.say([2])?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for server in [silent, dripping] {
        let url = format!("https://127.0.0.1:{}", server.port());
        let setting = Setting::new(&url, "connect_timeout = \"1s\"");
        setting.trust(&Authority::new());
        let checked = Checked::of(&setting, server.port());
        assert_eq!(checked.status, Some(69));
        let finding = "FAIL  TLS             the handshake does not come to an end within connect_timeout\n";
        assert!(checked.text.contains(finding), "{}", checked.text);
        let end = "Not ready. First, on Chatwoot's host: look why the web server hangs, or what else listens on this port";
        assert!(checked.text.ends_with(end), "{}", checked.text);
    }
}
