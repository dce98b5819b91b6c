//! What is sent depends on the message and its envelope recipient alone, so that a retry is known by its bytes.

use std::fs::File;

use crate::server::Server;
use crate::setting::{MESSAGE, Setting, on_the_wire};

/// Needs repairs: an mbox line, a recipient that stands nowhere, a Message-ID that is missing.
const AILING: &str = "From x Mon Jan  1 00:00:00 2026\nFrom: Ann <a@example.org>\nTo: else@example.net\nSubject: hi\n\
    Date: Thu, 01 Jan 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nhello\nworld\n";

/// Mail as it comes: folded fields, MIME parts, 8-bit text, an attachment, no newline at the end.
const HEALTHY: &str = "Return-Path: <a@example.org>\nReceived: from mx.example.org (mx.example.org [192.0.2.1])\n\tby mail.example.com with ESMTPS id 4abc\n\tfor <support@example.com>; \
    Thu, 01 Jan 2026 10:00:00 +0000 (UTC)\nDKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=k;\n  b=AbC=  \nfrom: =?utf-8?q?J=C3=BCrgen?= <a@example.org>\nTo: \"Support, EU\"\n <support@example.com>, b@example.net\n\
    Subject: a\n b\nDate: Thu, 01 Jan 2026 10:00:00 +0000\nMessage-ID:\n <1@example.org>\nIn-Reply-To: <0@example.org>\nX-Empty:\nX-Spaces: \u{20} \nMIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=\"=_b\"\n\npreamble\n--=_b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
    gr\u{fc}\u{df}e\n.\nFrom the start\n\n--=_b\nContent-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--=_b--\nepilogue";

#[test]
fn a_healthy_message_is_unchanged_but_for_line_ends() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let run = |message: &str| setting.with(&["-r", "support@example.com"]).stdin(message).run();
    run(HEALTHY).assert_delivered();
    run(&HEALTHY.replace('\n', "\r\n")).assert_delivered();
    run(&String::from_utf8(on_the_wire(HEALTHY)).unwrap()).assert_delivered();
    let mixed: String = HEALTHY
        .split_inclusive('\n')
        .enumerate()
        .map(|(number, line)| if number % 3 == 0 { line.replace('\n', "\r\n") } else { line.to_owned() })
        .collect();
    run(&mixed).assert_delivered();
    for body in server.bodies() {
        assert_eq!(body, on_the_wire(HEALTHY), "{}", String::from_utf8_lossy(&body));
    }
    for line in setting.logged() {
        assert!(line.contains(" repairs=\"\" "), "{line}");
    }
}

#[test]
fn every_byte_of_a_body_arrives() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    // A charset in which every byte is text, but for NUL, which nothing may be.
    let mut message = on_the_wire(&MESSAGE.replace("utf-8", "iso-8859-1"));
    message.extend((1..=255).filter(|byte| !matches!(*byte, b'\r' | b'\n')).cycle().take(100_000));
    setting.ingress().stdin(message.clone()).run().assert_delivered();
    setting.ingress().stdin_in_pieces(&message, 4_097).run().assert_delivered();
    assert!(server.bodies().iter().all(|body| *body == message));
}

#[test]
fn a_lone_carriage_return_ends_a_line_as_it_does_to_rails() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let run = |message: String| setting.with(&["-r", "support@example.com"]).stdin(message).run();
    run(HEALTHY.replace('\n', "\r")).assert_delivered();
    let (header, body) = HEALTHY.split_once("\n\n").expect("a header");
    run(format!("{}\r\n{body}", header.replace('\n', "\r") + "\r")).assert_delivered();
    for body in server.bodies() {
        assert_eq!(body, on_the_wire(HEALTHY), "{}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn two_very_different_hosts_send_the_same_bytes() {
    let server = Server::answering(204);
    let one = Setting::new(&server.url(), "");
    let other = Setting::new(&server.url(), "timeout = \"50s\"\nmax_size = \"1MiB\"\nlog_level = \"debug\"");
    one.with(&["-r", "a@example.com"]).stdin(AILING).run().assert_delivered();
    let places = [
        ("TZ", "Asia/Tokyo"),
        ("LANG", "ja_JP.UTF-8"),
        ("LC_ALL", "tr_TR"),
        ("HOME", "/"),
        ("HOSTNAME", "other"),
        ("USER", "nobody"),
    ];
    let run = other.with(&["-v"]).env("RECIPIENT", "a@example.com").envs(&places).folder("/");
    run.stdin(AILING.replace('\n', "\r\n")).run().assert_delivered();
    other
        .with(&["-r", "A@example.com", "-f", "someone@example.org"])
        .stdin_in_pieces(AILING.as_bytes(), 11)
        .run()
        .assert_delivered();
    let bodies = server.bodies();
    assert_eq!(bodies[0], bodies[1]);
    let lower =
        |body: &[u8]| String::from_utf8(body.to_vec()).unwrap().replace("A@example.com", "a@example.com");
    assert_eq!(lower(&bodies[0]), lower(&bodies[2]));
    assert_ne!(bodies[0], on_the_wire(AILING), "it needs repair");
}

#[test]
fn a_file_and_a_pipe_send_the_same_bytes() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.write("message.eml", AILING, 0o600);
    let file = File::open(setting.path("message.eml")).unwrap();
    setting.with(&["-r", "a@example.com"]).stdin_from(file).run().assert_delivered();
    setting.with(&["-r", "a@example.com"]).stdin(AILING).run().assert_delivered();
    let bodies = server.bodies();
    assert_eq!(bodies[0], bodies[1]);
}

/// Also the `From ` line, whose date is the time of the try.
#[test]
fn a_retry_sends_the_same_bytes() {
    let server = Server::acting(|connection| {
        connection.request()?;
        connection.answer(if connection.number == 3 { 204 } else { 503 })
    });
    let setting = Setting::new(&server.url(), "");
    for time in ["00:00:00", "00:20:01", "01:03:20"] {
        let message = AILING.replace("00:00:00 2026", &format!("{time} 2026"));
        setting
            .with(&["-r", "a@example.com"])
            .stdin(message)
            .run()
            .assert_deferred("4.3.2 Chatwoot takes no messages at present");
    }
    setting.with(&["-r", "a@example.com"]).stdin(AILING).run().assert_delivered();
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[test]
fn what_was_sent_is_sent_again_as_it_is() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    for message in [AILING, HEALTHY, "\u{feff}\n\nA: b\r\r\nTo: c@d\n", "To: a@b"] {
        setting.with(&["-r", "a@example.com"]).stdin(message).run().assert_delivered();
        let once = server.bodies().pop().unwrap();
        setting.with(&["-r", "a@example.com"]).stdin(once.clone()).run().assert_delivered();
        assert_eq!(server.bodies().pop().unwrap(), once, "{message}");
    }
}

/// Repairs whose names and effects no other repair touches; the others have tests beside their code.
#[test]
fn repairs_are_listed_in_the_log_and_turned_off_by_name() {
    for (name, message, repaired) in [
        ("mbox-from-line", format!("From x Mon\n{MESSAGE}"), MESSAGE.to_owned()),
        ("byte-order-mark", format!("\u{feff}{MESSAGE}"), MESSAGE.to_owned()),
        ("leading-blank-lines", format!("\n \n{MESSAGE}"), MESSAGE.to_owned()),
        ("line-ends", MESSAGE.replace('\n', "\r\r\n"), MESSAGE.to_owned()),
    ] {
        let server = Server::answering(204);
        let on = Setting::new(&server.url(), "");
        on.ingress().stdin(message.clone()).run().assert_delivered();
        assert!(on.logged()[0].contains(&format!(" repairs={name} ")), "{:?}", on.logged());
        assert_eq!(server.bodies(), [on_the_wire(&repaired)]);
        let server = Server::answering(204);
        let off = Setting::new(&server.url(), &format!("[repair]\n{name} = false"));
        off.ingress().stdin(message.clone()).run();
        assert!(!off.log().contains(name), "{:?}", off.logged());
        assert_ne!(server.bodies(), [on_the_wire(&repaired)]);
    }
}

#[test]
fn a_message_id_is_derived_from_the_content_and_only_when_it_is_wanted() {
    let server = Server::answering(204);
    let message = MESSAGE.replace("Message-ID: <1@example.org>\n", "");
    let on = Setting::new(&server.url(), "");
    on.ingress().stdin(message.clone()).run().assert_delivered();
    assert!(on.logged()[0].contains(" repairs=missing-message-id "), "{:?}", on.logged());
    let off = Setting::new(&server.url(), "[repair]\nmissing-message-id = false");
    off.ingress().stdin(message.clone()).run().assert_delivered();
    assert!(off.logged()[0].contains(" repairs=\"\" "), "{:?}", off.logged());
    let bodies = server.bodies();
    assert_eq!(bodies[1], on_the_wire(&message));
    let (field, rest) = String::from_utf8(bodies[0].clone())
        .unwrap()
        .split_once("\r\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(field.starts_with("Message-ID: <") && field.ends_with("@ingress.invalid>"), "{field}");
    assert_eq!(rest.into_bytes(), on_the_wire(&message));
}

#[test]
fn a_repair_that_does_not_exist_cannot_be_turned_off() {
    let setting = Setting::new(crate::setting::NOBODY, "[repair]\nmising-to = false");
    setting.run().assert_deferred(crate::setting::MISCONFIGURED);
    let cause = format!(
        "{}:5: unknown repair mising-to in [repair]: did you mean missing-to?",
        setting.shown("ingress.toml")
    );
    assert!(setting.failure_logged().contains(&format!(" cause=\"{cause}\" ")));
}
