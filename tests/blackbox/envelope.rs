//! The envelope recipient, as each caller hands it over, in the message that is sent.

use crate::server::{Manner, Server};
use crate::setting::Setting;

const ELSEWHERE: &str = "From: a@example.org\nTo: else@example.net\nMessage-ID: <1@example.org>\nContent-Type: text/plain\n\nhello\n";

/// Delivers and gives the `X-Original-To` of every message sent, and the log.
fn sent<const N: usize>(arguments: &[&str], environment: [(&str, &str); N]) -> (Vec<Option<String>>, String) {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    let mut run = setting.ingress(arguments).stdin(ELSEWHERE);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    run.run().assert_delivered();
    let field =
        |body: &String| body.lines().find_map(|line| line.strip_prefix("X-Original-To: ")).map(str::to_owned);
    (server.bodies().iter().map(field).collect(), setting.log())
}

fn some(addresses: &[&str]) -> Vec<Option<String>> {
    addresses.iter().map(|address| Some((*address).to_owned())).collect()
}

#[test]
fn each_distinct_recipient_gets_one_post() {
    let (sent_to, log) = sent(
        &["-f", "s@example.org", "-r", "a@example.com", "-r", "b@example.com", "-r", "A@example.com"],
        [],
    );
    assert_eq!(sent_to, some(&["a@example.com", "b@example.com"]));
    assert_eq!(log.lines().count(), 2);
    assert!(log.lines().all(|line| line.contains(" sender=s@example.org ")));
    assert_eq!(
        sent(&["-r", "a@example.com", "b@example.com"], []).0,
        some(&["a@example.com", "b@example.com"])
    );
}

#[test]
fn every_caller_s_environment_is_understood() {
    let postfix = [
        ("SENDER", ""),
        ("RECIPIENT", "alias@example.com"),
        ("ORIGINAL_RECIPIENT", "a@example.com"),
        ("LOCAL", "alias"),
        ("DOMAIN", "example.com"),
    ];
    assert_eq!(sent(&[], postfix).0, some(&["a@example.com"]));
    let exim = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "a@example.com"),
        ("LOCAL_PART", "a"),
        ("DOMAIN", "example.com"),
        ("HOME", ""),
    ];
    assert_eq!(sent(&[], exim).0, some(&["a@example.com"]));
    let qmail = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "ingress-a@example.com"),
        ("LOCAL", "ingress-a"),
        ("EXT", "a"),
        ("DEFAULT", "a"),
        ("HOST", "example.com"),
        ("DTLINE", "Delivered-To: ingress-a@example.com\n"),
        ("RPLINE", "Return-Path: <s@example.org>\n"),
        ("UFLINE", "From s@example.org Mon\n"),
    ];
    assert_eq!(sent(&[], qmail).0, some(&["a@example.com"]));
    let dovecot = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "vmail@example.com"),
        ("ORIG_RECIPIENT", "a@example.com"),
        ("USER", "vmail"),
    ];
    assert_eq!(sent(&[], dovecot).0, some(&["a@example.com"]));
    let opensmtpd = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "a@example.com"),
        ("LOCAL", "a"),
        ("DOMAIN", "example.com"),
        ("USER", "ingress"),
    ];
    assert_eq!(sent(&[], opensmtpd).0, some(&["a@example.com"]));
}

#[test]
fn placeholders_are_no_recipients() {
    for word in ["", "<>", "MAILER-DAEMON", "unknown", "@example.com", "%(recipient)", "${recipient}"] {
        let (sent_to, log) = sent(&["-r", word], []);
        assert_eq!(sent_to, [None], "{word}");
        assert!(log.contains(" recipient=- ") && !log.contains("notice="), "{log}");
    }
}

#[test]
fn an_address_that_begins_with_a_hyphen_is_an_address() {
    assert_eq!(sent(&["-f", "-s@example.org", "-r", "-x@example.com"], []).0, some(&["-x@example.com"]));
    assert_eq!(sent(&["--recipient=--help@example.com"], []).0, some(&["--help@example.com"]));
}

#[test]
fn tricks_are_never_written_into_the_message() {
    for trick in [
        "a@example.com\r\nBcc: evil@example.org",
        "a@example.com\n\nbody",
        "a b@example.com",
        "\"a b\"@example.com",
        "a@example.com\t",
        "a\u{1b}[31m@example.com",
    ] {
        let (sent_to, log) = sent(&["-r", trick], []);
        assert_eq!(sent_to, [None], "{trick:?}");
        assert!(
            log.contains("notice=\"-r ") && log.contains("is no address\"") && log.lines().count() == 1,
            "{log}"
        );
        assert!(!log.contains('\u{1b}'), "{log}");
    }
}

#[test]
fn a_message_that_names_the_recipient_stays_as_it_is() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.ingress(&["-r", "Support@example.com"]).run().assert_delivered();
    assert_eq!(server.bodies(), [crate::setting::MESSAGE.replace('\n', "\r\n")]);
}
