//! The envelope recipient, as each caller hands it over (Postfix, Exim, qmail, Dovecot, OpenSMTPD, Courier, getmail), in the message
//! that is sent.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::run::Ingress;
use crate::server::Server;
use crate::setting::{MESSAGE, Setting, TOO_LARGE, on_the_wire};

/// The message to somebody whom no envelope of the tests names.
fn elsewhere() -> String {
    MESSAGE.replace("support@example.com", "else@example.net")
}

/// The same, as a bounce: a null sender then calls for no repair.
fn bounce() -> String {
    format!("Auto-Submitted: auto-replied\n{}", elsewhere())
}

/// What was sent of a message to somebody else.
struct Sent {
    /// The `X-Original-To` of each request's message; nothing when the message went as it was.
    to: Vec<Option<String>>,
    log: Vec<String>,
}

impl Sent {
    /// Asserts that it went to just these recipients, and that the log says so.
    #[track_caller]
    fn assert_to(&self, recipients: &[&str]) {
        let expected: Vec<Option<String>> =
            recipients.iter().map(|address| Some((*address).to_owned())).collect();
        assert_eq!(self.to, expected, "{:?}", self.log);
        for (line, recipient) in self.log.iter().zip(recipients) {
            assert!(line.contains(&format!(" recipient={recipient} ")) || recipient.contains('"'), "{line}");
        }
        assert_eq!(self.log.len(), recipients.len());
    }
}

fn sent_of(message: &str, run: impl FnOnce(Ingress) -> Ingress) -> Sent {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    run(setting.ingress().stdin(message)).run().assert_delivered();
    let to = server.bodies().iter().map(|body| original_to(body, message)).collect();
    Sent { to, log: setting.logged() }
}

/// The value of the one `X-Original-To` that was added; every other byte must have stayed.
#[track_caller]
fn original_to(body: &[u8], message: &str) -> Option<String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let value = header.split("\r\n").find_map(|line| line.strip_prefix("X-Original-To: ")).map(str::to_owned);
    let rest = value
        .as_ref()
        .map_or(text.clone(), |value| text.replacen(&format!("X-Original-To: {value}\r\n"), "", 1));
    assert_eq!(rest.into_bytes(), on_the_wire(message));
    value
}

fn sent(arguments: &[&str], environment: &[(&str, &str)]) -> Sent {
    sent_of(&elsewhere(), |run| run.args(arguments).envs(environment))
}

#[test]
fn each_distinct_recipient_gets_one_post() {
    let two = &["a@example.com", "b@example.com"];
    let sent_twice = sent(
        &["-f", "s@example.org", "-r", "a@example.com", "-r", "b@example.com", "-r", "A@example.com"],
        &[],
    );
    sent_twice.assert_to(two);
    assert!(sent_twice.log.iter().all(|line| line.contains(" sender=s@example.org ")));
    sent(&["-r", "a@example.com", "b@example.com"], &[]).assert_to(two);
    sent(&["--recipient=a@example.com", "--recipient=b@example.com"], &[]).assert_to(two);
    sent(&["-r", "a@example.com", "--", "b@example.com"], &[]).assert_to(two);
    sent(&["a@example.com", "b@example.com"], &[]).assert_to(two);
    sent(&["-r", "<a@example.com>", "-r", "a@EXAMPLE.com", "-r", "b@example.com"], &[]).assert_to(two);
}

#[test]
fn success_is_success_for_every_recipient() {
    for (statuses, result) in
        [([204, 413, 204], Err(TOO_LARGE)), ([204, 204, 413], Err(TOO_LARGE)), ([204, 204, 204], Ok(()))]
    {
        let server = Server::acting(move |connection| {
            connection.request()?;
            connection.answer(statuses[connection.number])
        });
        let setting = Setting::new(&server.url(), "");
        let ended =
            setting.with(&["-r", "a@example.com", "-r", "b@example.com", "-r", "c@example.com"]).run();
        match result {
            Ok(()) => ended.assert_delivered(),
            Err(line) => ended.assert_rejected(line),
        }
        assert_eq!(server.requests().len(), 3, "what cannot be retried does not keep it from the others");
        let outcomes =
            setting.logged().into_iter().map(|line| if line.contains("=delivered ") { 204 } else { 413 });
        assert_eq!(outcomes.collect::<Vec<u16>>(), statuses);
    }
}

#[test]
fn what_can_be_tried_again_keeps_the_message_for_every_recipient() {
    for statuses in [[413, 503, 204], [204, 503, 204], [503, 204, 204]] {
        let server = Server::acting(move |connection| {
            connection.request()?;
            connection.answer(statuses[connection.number])
        });
        let setting = Setting::new(&server.url(), "");
        let run = setting.with(&["-r", "a@example.com", "-r", "b@example.com", "-r", "c@example.com"]);
        run.run().assert_deferred("4.3.2 Chatwoot takes no messages at present");
    }
}

#[test]
fn recipients_share_a_connection_when_the_server_keeps_it() {
    let server = Server::acting(|connection| {
        loop {
            connection.request()?;
            connection.say("HTTP/1.1 204 No Content\r\n\r\n")?;
        }
    });
    let setting = Setting::new(&server.url(), "");
    let recipients: Vec<String> = (0..50).map(|number| format!("-r{number}@example.com")).collect();
    setting.ingress().args(recipients).run().assert_delivered();
    assert_eq!((server.requests().len(), server.connections()), (50, 1));
}

#[test]
fn a_server_that_closes_after_each_answer_gets_a_connection_for_each_recipient() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let recipients: Vec<String> = (0..50).map(|number| format!("-r{number}@example.com")).collect();
    setting.ingress().args(recipients).run().assert_delivered();
    assert_eq!((server.requests().len(), server.connections()), (50, 50));
}

#[test]
fn postfix_local_names_the_recipient_before_aliases() {
    let environment = [
        ("SENDER", ""),
        ("RECIPIENT", "alias@example.com"),
        ("ORIGINAL_RECIPIENT", "a@example.com"),
        ("LOCAL", "alias"),
        ("USER", "nobody"),
        ("LOGNAME", "nobody"),
        ("EXTENSION", "x"),
        ("DOMAIN", "example.com"),
        ("CLIENT_ADDRESS", "127.0.0.1"),
    ];
    let sent = sent_of(&bounce(), |run| run.envs(&environment));
    sent.assert_to(&["a@example.com"]);
    assert!(sent.log[0].contains(" sender=<> "), "{:?}", sent.log);
}

#[test]
fn postfix_pipe_says_it_all_on_the_command_line() {
    let environment = [("MAIL_CONFIG", "/etc/postfix"), ("LANG", "C"), ("PATH", "/usr/bin:/bin")];
    let words = ["-f", "MAILER-DAEMON", "-r", "a+Tag@example.com"];
    let sent = sent_of(&bounce(), |run| run.args(words).envs(&environment));
    sent.assert_to(&["a+Tag@example.com"]);
    assert!(sent.log[0].contains(" sender=<> "), "{:?}", sent.log);
}

#[test]
fn exim_names_the_recipient_or_its_parts() {
    let one = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "a@example.com"),
        ("LOCAL_PART", "a"),
        ("DOMAIN", "example.com"),
        ("MESSAGE_ID", "1abc"),
        ("QUALIFY_DOMAIN", "example.com"),
        ("USER", "a"),
        ("LOGNAME", "a"),
        ("HOME", ""),
        ("SHELL", "/bin/sh"),
    ];
    sent(&[], &one).assert_to(&["a@example.com"]);
    let batch = [
        ("RECIPIENT", "@example.com"),
        ("LOCAL_PART", "a"),
        ("LOCAL_PART_SUFFIX", "+x"),
        ("DOMAIN", "example.com"),
    ];
    sent(&[], &batch).assert_to(&["a+x@example.com"]);
    let nobody = [("RECIPIENT", "@example.com"), ("LOCAL_PART", "NULL"), ("DOMAIN", "example.com")];
    assert_eq!(sent(&[], &nobody).to, [None]);
}

#[test]
fn qmail_and_courier_carry_the_true_local_part_in_ext() {
    let qmail = [
        ("SENDER", "s@example.org"),
        ("NEWSENDER", "s@example.org"),
        ("RECIPIENT", "ingress-Reply+x@example.com"),
        ("USER", "ingress"),
        ("HOME", "/nonexistent"),
        ("LOCAL", "ingress-Reply+x"),
        ("HOST", "example.com"),
        ("HOST2", "example"),
        ("EXT", "Reply+x"),
        ("EXT2", ""),
        ("DEFAULT", "Reply+x"),
        ("DTLINE", "Delivered-To: ingress-Reply+x@example.com\n"),
        ("RPLINE", "Return-Path: <s@example.org>\n"),
        ("UFLINE", "From s@example.org Mon\n"),
    ];
    sent(&[], &qmail).assert_to(&["Reply+x@example.com"]);
    let blank =
        [("DTLINE", "x"), ("EXT", "a b"), ("HOST", "example.com"), ("RECIPIENT", "ingress-a b@example.com")];
    let sent_blank = sent(&[], &blank);
    assert_eq!(sent_blank.to, [None]);
    assert!(
        sent_blank.log[0].contains("notice=\"EXT@HOST a b@example.com is no address\""),
        "{:?}",
        sent_blank.log
    );
    let own_name = [("DTLINE", "x"), ("EXT", ""), ("HOST", "example.com"), ("RECIPIENT", "a@example.com")];
    sent(&[], &own_name).assert_to(&["a@example.com"]);
}

#[test]
fn dovecot_opensmtpd_and_sendmail() {
    let dovecot = [
        ("USER", "vmail"),
        ("HOME", "/nonexistent"),
        ("HOST", "mx"),
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "vmail@example.com"),
        ("ORIG_RECIPIENT", "a@example.com"),
    ];
    sent(&[], &dovecot).assert_to(&["a@example.com"]);
    let opensmtpd = [
        ("SENDER", "s@example.org"),
        ("RECIPIENT", "a@example.com"),
        ("LOCAL", "a"),
        ("DOMAIN", "example.com"),
        ("USER", "ingress"),
        ("HOME", "/nonexistent"),
    ];
    sent(&[], &opensmtpd).assert_to(&["a@example.com"]);
    assert_eq!(sent(&[], &[("AGENT", "sendmail"), ("PWD", "/")]).to, [None]);
}

#[test]
fn getmail_leaves_macros_and_unknown_and_the_true_field_below() {
    let fields = "Return-Path: <s@example.org>\nDelivered-To: unknown\nX-Original-To: a@example.com\nDelivered-To: vmail@example.com\n";
    let message = format!("{fields}{}", elsewhere());
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.with(&["-r", "%(recipient)", "-f", "%(sender)"]).stdin(message.clone()).run().assert_delivered();
    assert_eq!(server.request().body, on_the_wire(&message));
    let logged = setting.logged();
    assert!(
        logged[0].contains(" recipient=a@example.com sender=s@example.org ")
            && !logged[0].contains("notice="),
        "{logged:?}"
    );
}

#[test]
fn placeholders_are_no_recipients() {
    for word in [
        "",
        "<>",
        "MAILER-DAEMON",
        "mailer-daemon",
        "unknown",
        "@example.com",
        "%(recipient)",
        "${recipient}",
        "${original_recipient}",
    ] {
        for sent in
            [sent(&["-r", word], &[]), sent(&[], &[("RECIPIENT", word), ("ORIGINAL_RECIPIENT", word)])]
        {
            assert_eq!(sent.to, [None], "{word}");
            assert!(
                sent.log[0].contains(" recipient=- ") && !sent.log[0].contains("notice="),
                "{:?}",
                sent.log
            );
        }
    }
    sent(&["-r", "unknown"], &[("RECIPIENT", "a@example.com")]).assert_to(&["a@example.com"]);
}

#[test]
fn an_address_that_begins_with_a_hyphen_is_an_address() {
    sent(&["-f", "-s@example.org", "-r", "-x@example.com"], &[]).assert_to(&["-x@example.com"]);
    sent(&["--recipient=--help@example.com"], &[]).assert_to(&["--help@example.com"]);
    sent(&["-r", "--help@example.com"], &[]).assert_to(&["--help@example.com"]);
    sent(&["--", "-x@example.com"], &[]).assert_to(&["-x@example.com"]);
    sent(&[], &[("RECIPIENT", "-x@example.com")]).assert_to(&["-x@example.com"]);
}

/// Postfix turns the one word `${recipient}` into several; the second is no unknown option.
#[test]
fn a_further_address_that_begins_with_a_hyphen_is_an_address() {
    for hyphened in ["-x@example.com", "--help@example.com", "-v@example.com", "-@example.com"] {
        sent(&["-r", "a@example.com", hyphened], &[]).assert_to(&["a@example.com", hyphened]);
    }
}

#[test]
fn odd_addresses_that_are_addresses_are_taken() {
    for (given, written) in [
        ("\"support\"@example.com", "support@example.com"),
        ("\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("j\u{fc}rgen@b\u{fc}cher.example", "j\u{fc}rgen@b\u{fc}cher.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("reply+5F2B3C1E@Example.COM", "reply+5F2B3C1E@Example.COM"),
        ("<@relay.example:a@example.com>", "a@example.com"),
    ] {
        sent(&["-r", given], &[]).assert_to(&[written]);
    }
}

#[test]
fn tricks_are_never_written_into_the_message() {
    for trick in [
        "a@example.com\r\nBcc: evil@example.org",
        "a@example.com\n\nbody",
        "a@example.com\r",
        "a b@example.com",
        "\"a b\"@example.com",
        "a@example.com ",
        " a@example.com",
        "a@example.com\t",
        "a\u{1b}[31m@example.com",
        "a\u{7f}@example.com",
        "a\u{85}b@example.com",
        "a\u{2028}b@example.com",
        "a@example.com,b@example.com",
        "Bob <a@example.com>",
        "a@",
        "no-address",
    ] {
        let shown = trick.replace(char::is_control, "?").replace('\u{2028}', "?").replace('"', "\\\"");
        for (sent, whence) in
            [(sent(&["-r", trick], &[]), "-r"), (sent(&[], &[("RECIPIENT", trick)]), "RECIPIENT")]
        {
            assert_eq!(sent.to, [None], "{trick:?}");
            let end = format!(
                " recipient=- sender=- size=199 repairs=\"\" \
                 route=\"the inbox with the address else@example.net, if there is one\" \
                 ms=_ notice=\"{whence} {shown} is no address\""
            );
            assert!(
                sent.log.len() == 1 && sent.log[0].ends_with(&end),
                "{:?} does not end in {end}",
                sent.log
            );
        }
    }
}

#[test]
fn an_address_that_is_not_utf_8_is_ignored() {
    let sent =
        sent_of(&elsewhere(), |run| run.args([OsStr::new("-r"), OsStr::from_bytes(b"\xff@example.com")]));
    assert_eq!(sent.to, [None]);
    assert!(sent.log[0].contains("is no address"), "{:?}", sent.log);
}

#[test]
fn a_sender_is_logged_and_nothing_else() {
    for (arguments, environment, sender) in [
        (&["-f", "s@example.org"][..], &[("SENDER", "other@example.org")][..], "s@example.org"),
        (&[], &[("SENDER", "s@example.org")], "s@example.org"),
        (&["-f", ""], &[("SENDER", "s@example.org")], "<>"),
        (&["-f", "<>"], &[], "<>"),
        (&[], &[("SENDER", "#@[]")], "<>"),
        (&["-f", "a@b\r\nBcc: c@d"], &[], "-"),
        (&["-f", "x@example.org", "-f", "s@example.org"], &[], "s@example.org"),
    ] {
        let sent = sent_of(&bounce(), |run| run.args(arguments).envs(environment));
        assert_eq!(sent.to, [None]);
        assert!(sent.log[0].contains(&format!(" sender={sender} ")), "{:?}", sent.log);
    }
}

#[test]
fn a_message_that_names_the_recipient_stays_as_it_is() {
    for recipient in ["support@example.com", "Support@Example.COM", "<support@example.com>"] {
        let sent = sent_of(MESSAGE, |run| run.args(["-r", recipient]));
        assert_eq!(sent.to, [None]);
    }
}
