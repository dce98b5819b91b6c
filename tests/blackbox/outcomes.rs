//! The outcome table, row by row: status, the one line, silence on stderr, cause and remedy in the log.

use std::net::TcpListener;

use crate::server::{Manner, Server};
use crate::setting::{MESSAGE, Setting};
use crate::support::free_port;

/// Delivers to a server with this manner, and asserts the outcome; gives the log line.
fn fails(manner: Manner, more: &str, status: i32, line: &str) -> String {
    let server = Server::start(manner);
    let setting = Setting::new(&server.url(), more);
    setting.run().assert_failed(status, line);
    setting.failure_logged()
}

const NOT_SET_UP: &str = "4.3.5 Chatwoot is not set up to take the message";
const REFUSED: &str = "4.7.0 Chatwoot refused the mail gateway";
const FAILED: &str = "4.3.0 Chatwoot failed to take the message";
const BUSY: &str = "4.3.2 Chatwoot takes no messages at present";
const LOST: &str = "4.4.2 The connection to Chatwoot was lost";
const TOO_LARGE: &str = "5.3.4 The message is too large";

#[test]
fn a_204_delivers_in_silence_and_is_logged() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_delivered();
    let log = setting.log();
    let logged = "INFO outcome=delivered code=2.0.0 status=204 exit=0 message-id=<1@example.org> recipient=- sender=- size=";
    assert!(log.contains(logged) && log.lines().count() == 1, "{log}");
    let request = &server.requests()[0];
    assert!(
        request.head.starts_with("POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert!(request.head.contains("content-type: message/rfc822\r\n"), "{}", request.head);
    assert_eq!(request.body, MESSAGE.replace('\n', "\r\n").into_bytes());
}

#[test]
fn every_other_status_has_its_row() {
    for status in [
        200, 201, 202, 205, 206, 299, 300, 301, 302, 303, 304, 307, 308, 400, 402, 404, 405, 409, 415, 418,
        422,
    ] {
        let log = fails(Manner::Answer(status), "", 75, NOT_SET_UP);
        assert!(log.contains(&format!(" status={status} ")), "{log}");
    }
    for status in [401, 403, 407] {
        fails(Manner::Answer(status), "", 75, REFUSED);
    }
    for status in [408, 500, 501, 502, 504, 507, 599] {
        fails(Manner::Answer(status), "", 75, FAILED);
    }
    for status in [429, 503] {
        fails(Manner::Answer(status), "", 75, BUSY);
    }
    let log = fails(Manner::Answer(413), "", 65, TOO_LARGE);
    assert!(log.contains("client_max_body_size"), "{log}");
    fails(Manner::Answer(413), "on_too_large = \"defer\"", 75, "4.3.4 The message is too large at present");
}

#[test]
fn the_log_names_the_remedy() {
    for (status, remedy) in [
        (404, "RAILS_INBOUND_EMAIL_SERVICE"),
        (301, "https URL"),
        (200, "that is not Chatwoot"),
        (401, "RAILS_INBOUND_EMAIL_PASSWORD"),
    ] {
        let server = Server::start(Manner::Answer(status));
        let setting = Setting::new(&server.url(), "");
        setting.run();
        assert!(setting.failure_logged().contains(remedy), "{}", setting.log());
    }
}

#[test]
fn a_413_before_the_body_was_read_is_no_reset() {
    let server = Server::start(Manner::AnswerEarly(413));
    let setting = Setting::new(&server.url(), "");
    for size in [1_000, 100_000, 3_000_000, 25_000_000] {
        let message = format!("{MESSAGE}{}\n", "x".repeat(size));
        for _ in 0..(if size > 1_000_000 { 5 } else { 20 }) {
            setting.ingress(&[]).stdin(message.clone()).run().assert_failed(65, TOO_LARGE);
        }
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Manner::Answer(204));
    fails(Manner::Redirect(elsewhere.url()), "", 75, NOT_SET_UP);
    assert_eq!(elsewhere.requests(), []);
}

#[test]
fn broken_connections_are_lost_connections() {
    for manner in [
        Manner::Close,
        Manner::CloseEarly,
        Manner::Say("HTTP/1.1 20"),
        Manner::Say("HTTP/1.1 204 No Content\r\nX-Cut: sho"),
        Manner::Say("SSH-2.0-OpenSSH_9.2\r\n"),
        Manner::Say("\x15\x03\x01\x00\x02\x02\x0a"),
        Manner::Say("HTTP/9.9 204 No\r\n\r\n"),
    ] {
        fails(manner, "", 75, LOST);
    }
}

#[test]
fn a_server_that_hangs_meets_the_deadline() {
    let log = fails(Manner::Hang, "timeout = \"700ms\"", 75, "4.4.7 Chatwoot did not answer in time");
    assert!(log.contains("message-id=<1@example.org>"), "{log}");
}

#[test]
fn a_caller_that_never_ends_its_message_meets_the_deadline() {
    let setting = Setting::new("http://127.0.0.1:1", "timeout = \"700ms\"");
    setting.ingress(&[]).never_ending().run().assert_failed(75, "4.4.7 Chatwoot did not answer in time");
    setting.failure_logged();
}

#[test]
fn a_closed_port_cannot_be_reached() {
    let setting = Setting::new(&format!("http://127.0.0.1:{}", free_port()), "");
    setting.run().assert_failed(75, "4.4.1 Chatwoot cannot be reached");
    assert!(setting.failure_logged().contains("refused"));
}

#[test]
fn a_connection_that_is_not_taken_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: connections are made until the queue is full, then the next one waits.
    let mut queue = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(300))
    {
        queue.push(stream);
        assert!(queue.len() < 10_000, "the queue never fills");
    }
    let setting = Setting::new(&format!("http://{address}"), "connect_timeout = \"500ms\"");
    setting.run().assert_failed(75, "4.4.1 Chatwoot cannot be reached");
    assert!(setting.failure_logged().contains("connect_timeout"));
}

#[test]
fn a_name_that_does_not_resolve_says_so() {
    let setting = Setting::new("http://chatwoot.invalid", "allow_http = true");
    setting.run().assert_failed(75, "4.4.3 Chatwoot's host name cannot be resolved");
    setting.failure_logged();
}

#[test]
fn a_proxy_that_wants_a_password_refuses() {
    let proxy =
        Server::start(Manner::Say("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"));
    let setting = Setting::new("http://127.0.0.1:1", &format!("proxy = \"{}\"", proxy.url()));
    setting.run().assert_failed(75, REFUSED);
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn what_is_no_message_is_rejected() {
    let server = Server::start(Manner::Answer(204));
    for input in [
        "hello\n",
        "\n\nhello: world\n".trim_start_matches("\n\nhello"),
        "<html>\n<body>\n",
        "\u{feff}From nobody Mon\n",
        "\0\u{1}\u{2}",
    ] {
        let setting = Setting::new(&server.url(), "");
        setting.ingress(&[]).stdin(input).run().assert_failed(65, "5.6.0 The message has no header");
        setting.failure_logged();
    }
    assert_eq!(server.requests(), []);
}

#[test]
fn no_input_is_a_broken_caller() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    setting.ingress(&[]).stdin("").run().assert_failed(75, "4.3.0 No message was received");
    setting.failure_logged();
}

#[test]
fn max_size_counts_bytes_as_they_came() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), &format!("max_size = \"{}\"", MESSAGE.len()));
    setting.run().assert_delivered();
    let setting = Setting::new(&server.url(), &format!("max_size = \"{}\"", MESSAGE.len() - 1));
    setting.run().assert_failed(65, TOO_LARGE);
    assert!(setting.failure_logged().contains("max_size"));
    assert_eq!(server.requests().len(), 1);
}
