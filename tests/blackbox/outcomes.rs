//! The outcome table, status by status: exit, the one line, silence on stderr, cause and remedy in the log.

use crate::server::Server;
use crate::setting::{MESSAGE, NO_INPUT, NOBODY, Setting, TOO_LARGE, on_the_wire};

const NOT_SET_UP: &str = "4.3.5 Chatwoot is not set up to take the message";
const REFUSED: &str = "4.7.0 Chatwoot refused the mail gateway";
const FAILED: &str = "4.3.0 Chatwoot failed to take the message";
const BUSY: &str = "4.3.2 Chatwoot takes no messages at present";
const NO_HEADER: &str = "5.6.0 The message has no header";

/// What every line of a log says of the message.
const OF_MESSAGE: &str = "message-id=<1@example.org> recipient=- sender=- size=202 repairs=\"\" \
    route=\"the inbox with the address support@example.com, if there is one\" ms=_";

#[test]
fn a_204_delivers_in_silence_and_is_logged() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_delivered();
    assert_eq!(
        setting.logged(),
        [format!("INFO outcome=delivered code=2.0.0 status=204 exit=0 {OF_MESSAGE}")]
    );
    let request = server.request();
    let lines: Vec<&str> = request.head.lines().collect();
    assert_eq!(lines[0], "POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1");
    assert!(lines.contains(&"content-type: message/rfc822"), "{lines:?}");
    assert_eq!(request.body, on_the_wire(MESSAGE));
}

/// Status, and what the remedy must name for the administrator to know what to do.
const TEMPORARY: &[(u16, &str, &str)] = &[
    (200, NOT_SET_UP, "correct url: a login page"),
    (201, NOT_SET_UP, "correct url: a login page"),
    (202, NOT_SET_UP, "correct url: a login page"),
    (205, NOT_SET_UP, "correct url: a login page"),
    (299, NOT_SET_UP, "correct url: a login page"),
    (300, NOT_SET_UP, "url"),
    (301, NOT_SET_UP, "https URL"),
    (302, NOT_SET_UP, "https URL"),
    (303, NOT_SET_UP, "https URL"),
    (304, NOT_SET_UP, "url"),
    (307, NOT_SET_UP, "https URL"),
    (308, NOT_SET_UP, "https URL"),
    (400, NOT_SET_UP, "url"),
    (401, REFUSED, "RAILS_INBOUND_EMAIL_PASSWORD"),
    (402, NOT_SET_UP, "url"),
    (403, REFUSED, "firewall"),
    (404, NOT_SET_UP, "RAILS_INBOUND_EMAIL_SERVICE=relay"),
    (405, NOT_SET_UP, "url"),
    (407, REFUSED, "proxy"),
    (408, FAILED, "network"),
    (409, NOT_SET_UP, "url"),
    (411, NOT_SET_UP, "url"),
    (415, NOT_SET_UP, "Content-Type"),
    (418, NOT_SET_UP, "url"),
    (422, NOT_SET_UP, "url"),
    (429, BUSY, "rate"),
    (451, NOT_SET_UP, "url"),
    (500, FAILED, "Chatwoot's log"),
    (501, FAILED, "log"),
    (502, FAILED, "web server"),
    (503, BUSY, "web server"),
    (504, FAILED, "web server"),
    (507, FAILED, "log"),
    (520, FAILED, "Cloudflare"),
    (599, FAILED, "log"),
    (999, FAILED, "log"),
];

#[test]
fn every_other_status_keeps_the_message_and_names_the_remedy() {
    for (status, line, remedy) in TEMPORARY {
        let server = Server::answering(*status);
        let setting = Setting::new(&server.url(), "");
        setting.run().assert_deferred(line);
        let code = line.split(' ').next().unwrap();
        let logged = setting.failure_logged();
        let start = format!(
            "WARN outcome=deferred code={code} status={status} exit=75 {OF_MESSAGE} \
             cause=\"the endpoint answered {status}\" remedy=\""
        );
        assert!(logged.strip_prefix(&start).is_some_and(|rest| rest.contains(remedy)), "{logged}");
        assert_eq!(server.connections(), 1, "{status} is asked once");
    }
}

#[test]
fn a_page_with_a_200_is_no_delivery() {
    let page = "<html><title>Log in</title></html>";
    let length = page.len();
    let server = Server::saying(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{page}"
    ));
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_deferred(NOT_SET_UP);
    assert!(!setting.log().contains("Log in"));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering(204);
    for status in [301, 302, 303, 307, 308] {
        let server = Server::saying(format!(
            "HTTP/1.1 {status} Moved\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n",
            elsewhere.url()
        ));
        Setting::new(&server.url(), "").run().assert_deferred(NOT_SET_UP);
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_file_that_no_website_conversation_takes_is_rejected() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let to = |address: &str| {
        let line = "0123456789abcdef".repeat(60) + "\n";
        let file = line.repeat(41 * 1024 * 1024 / line.len() + 1024);
        format!(
            "From: a@b\nTo: {address}\nMessage-ID: <1@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nhere it is\n--b\nContent-Type: text/plain; name=a.txt\n\n{file}\n--b--\n"
        )
    };
    let conversation = "reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com";
    setting.ingress().stdin(to(conversation)).run().assert_rejected("5.3.4 An attachment is too large");
    assert_eq!(server.connections(), 0);
    setting.ingress().stdin(to("support@example.com")).run().assert_delivered();
}

#[test]
fn what_is_no_message_is_rejected() {
    let server = Server::answering(204);
    for input in [
        "hello\n",
        "\n\n\n",
        " ",
        "hello\nFrom: a@example.org\n".trim_end_matches("From: a@example.org\n"),
        "<html>\n<body>\n",
        "\u{feff}From nobody Mon Jan  1 00:00:00 2026\n",
        "\0\u{1}\u{2}",
        ": no name\n",
        "no name: but blanks\n",
    ] {
        let setting = Setting::new(&server.url(), "");
        setting.ingress().stdin(input).run().assert_rejected(NO_HEADER);
        assert!(setting.failure_logged().starts_with("ERROR outcome=rejected code=5.6.0 exit=65 "));
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn no_input_is_a_broken_caller() {
    let setting = Setting::new(NOBODY, "");
    setting.ingress().stdin("").run().assert_deferred(NO_INPUT);
    assert!(setting.failure_logged().starts_with("WARN outcome=deferred code=4.3.0 exit=75 "));
}

#[test]
fn max_size_counts_bytes_as_they_came() {
    let server = Server::answering(204);
    for (message, size) in
        [(MESSAGE.to_owned(), MESSAGE.len()), (MESSAGE.replace('\n', "\r\n"), MESSAGE.len() + 9)]
    {
        let setting = Setting::new(&server.url(), &format!("max_size = \"{size}\""));
        setting.ingress().stdin(message.clone()).run().assert_delivered();
        let setting = Setting::new(&server.url(), &format!("max_size = \"{}\"", size - 1));
        setting.ingress().stdin(message).run().assert_rejected(TOO_LARGE);
        let logged = setting.failure_logged();
        let cause = format!(" cause=\"the message has {size} bytes, max_size is {}\" ", size - 1);
        assert!(logged.contains(&cause) && logged.contains("remedy=\"raise max_size"), "{logged}");
    }
    assert_eq!(server.bodies(), [on_the_wire(MESSAGE), on_the_wire(MESSAGE)]);
}
