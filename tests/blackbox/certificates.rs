//! Certificates: which are trusted, and what is said of those that are not.

use rcgen::{CertificateParams, date_time_ymd};

use crate::authority::Authority;
use crate::server::{Connection, Server};
use crate::setting::{
    CANNOT_BE_REACHED, LOST, MESSAGE, MISCONFIGURED, NOT_STARTED, Setting, TOO_LARGE, TOO_LATE, message_of,
    on_the_wire,
};

/// A setting that delivers over https and trusts `authority`.
fn setting(server: &Server, host: &str, authority: &Authority) -> Setting {
    let setting = Setting::new(&format!("https://{host}:{}", server.port()), "");
    setting.trust(authority);
    setting
}

/// Asserts that a server whose certificate is like this is not trusted, that it gets no request, and that the log names the reason.
#[track_caller]
fn is_not_trusted(name: &str, change: impl FnOnce(&mut CertificateParams), reason: &str) {
    let authority = Authority::new();
    let server = authority.server(name, change);
    distrusts(&server, &authority, reason);
}

#[track_caller]
fn distrusts(server: &Server, authority: &Authority, reason: &str) {
    let setting = setting(server, "localhost", authority);
    setting.run().assert_deferred("4.7.5 Chatwoot's certificate cannot be trusted");
    let logged = setting.failure_logged();
    assert!(
        logged.starts_with("WARN outcome=deferred code=4.7.5 exit=75 ") && logged.contains(reason),
        "{logged}"
    );
    assert!(logged.contains("name its authority in ca_file"), "{logged}");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_certificate_of_the_configured_authority_is_trusted() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    setting(&server, "localhost", &authority).run().assert_delivered();
    assert_eq!(server.request().body, on_the_wire(MESSAGE));
}

#[test]
fn a_certificate_can_be_for_an_address() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", |_| {});
    setting(&server, "127.0.0.1", &authority).run().assert_delivered();
}

#[test]
fn the_system_s_bundle_is_where_ssl_cert_file_says() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    let setting = Setting::new(&format!("https://localhost:{}", server.port()), "");
    setting.write("bundle.pem", Authority::new().pem() + &authority.pem(), 0o644);
    setting.ingress().env("SSL_CERT_FILE", setting.path("bundle.pem")).run().assert_delivered();
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let server = Authority::new().server("localhost", |_| {});
    distrusts(&server, &Authority::new(), "authority that is not trusted");
}

#[test]
fn the_system_s_authorities_do_not_know_a_private_one() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    let setting = Setting::new(&format!("https://localhost:{}", server.port()), "");
    setting.write("bundle.pem", Authority::new().pem(), 0o644);
    let run = setting.ingress().env("SSL_CERT_FILE", setting.path("bundle.pem"));
    run.run().assert_deferred("4.7.5 Chatwoot's certificate cannot be trusted");
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    is_not_trusted("chat.example.com", |_| {}, "another host name");
    is_not_trusted("127.0.0.1", |_| {}, "another host name");
}

#[test]
fn a_certificate_out_of_its_time_is_not_trusted() {
    let years = |from, to| {
        move |params: &mut CertificateParams| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(to, 1, 1);
        }
    };
    is_not_trusted("localhost", years(2019, 2020), "expired");
    is_not_trusted("localhost", years(2190, 2200), "not valid yet");
}

#[test]
fn a_port_without_tls_is_no_question_of_trust() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", ""] {
        let plain = Server::acting(move |connection| {
            // The start of a handshake.
            connection.skip(5)?;
            connection.say(answer)
        });
        let setting = setting(&plain, "localhost", &Authority::new());
        setting.run().assert_deferred(LOST);
        setting.failure_logged();
    }
}

#[test]
fn http_to_a_port_with_tls_is_no_http() {
    let server = Authority::new().server("localhost", |_| {});
    Setting::new(&server.url(), "").run().assert_deferred(LOST);
}

#[test]
fn a_handshake_that_is_not_answered_times_out() {
    let silent = Server::acting(|connection| {
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
    let setting = setting(&silent, "localhost", &Authority::new());
    setting.configure_more("connect_timeout = \"500ms\"");
    setting.run().assert_deferred(CANNOT_BE_REACHED);
}

#[test]
fn what_happens_to_plain_connections_happens_to_encrypted_ones() {
    let authority = Authority::new();
    let deliver = |server: &Server, more: &str, message: String| {
        let setting = setting(server, "localhost", &authority);
        setting.configure_more(more);
        setting.ingress().stdin(message).run()
    };
    let closing = authority.server_acting("localhost", |_| {}, Connection::request);
    deliver(&closing, "", message_of(10)).assert_deferred(LOST);
    let resetting = authority.server_acting(
        "localhost",
        |_| {},
        |connection| {
            connection.request()?;
            connection.reset()
        },
    );
    deliver(&resetting, "", message_of(10)).assert_deferred(LOST);
    let hanging = authority.server_acting(
        "localhost",
        |_| {},
        |connection| {
            connection.request()?;
            connection.wait_for_the_client_to_leave();
            Ok(())
        },
    );
    deliver(&hanging, "timeout = \"1s\"", message_of(10)).assert_deferred(TOO_LATE);
    let early = authority.server_acting(
        "localhost",
        |_| {},
        |connection| {
            connection.head()?;
            connection.answer(413)
        },
    );
    for body in [1_000, 100_000, 3_000_000] {
        deliver(&early, "", message_of(body)).assert_rejected(TOO_LARGE);
    }
}

#[test]
fn authorities_that_cannot_be_read_are_a_broken_configuration() {
    for (path, why) in [
        ("/dev/null", "there is none in it"),
        ("/nonexistent/ca.pem", ""),
        ("/", ""),
        ("/dev/zero", "larger than 4 MiB"),
    ] {
        let setting = Setting::new("https://localhost:1", &format!("ca_file = \"{path}\""));
        setting.run().assert_deferred(MISCONFIGURED);
        let logged = setting.failure_logged();
        assert!(
            logged.contains(&format!("cannot read certificates from {path}")) && logged.contains(why),
            "{logged}"
        );
    }
}

#[test]
fn authorities_that_never_come_meet_the_deadline() {
    let setting = Setting::new("https://localhost:1", "timeout = \"1s\"");
    setting.configure_more(&format!("ca_file = \"{}\"", setting.fifo("ca.pem")));
    setting.run().assert_deferred(NOT_STARTED);
}
