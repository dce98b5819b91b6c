//! `ingress explain`: what it says is what is sent.

use crate::run::Ingress;
use crate::server::Server;
use crate::setting::Setting;

const BROKEN: &str = "From: Smith, Bob <bob@example.org>\nTo: Help: Desk <support@example.com>\nSubject: hi\n\
                      Message-ID: <1@example.org>\nContent-Type: text/plain\n\nGr\u{fc}\u{df}e\n";

#[test]
fn a_message_is_explained_as_it_would_be_sent() {
    let text = Ingress::new()
        .args(["explain", "--inbox", "support@example.com", "-f", "bob@example.org"])
        .stdin(BROKEN)
        .output();
    let expected = "\
Message    standard input, 153 bytes
Envelope   from bob@example.org to nobody that is named
Parts      text/plain, 9 bytes
Sender     bob@example.org
To         support@example.com
Repairs    unparsable-to: rewrites a To that cannot be parsed, keeping every address in it
             - To: Help: Desk <support@example.com>
             + To: \"Help: Desk\" <support@example.com>
             + X-Ingress-Original-To: Help: Desk <support@example.com>
           unusable-from: rewrites a From that is missing or cannot be parsed: from its own address, else Sender, else the envelope sender
             - From: Smith, Bob <bob@example.org>
             + From: \"Smith, Bob\" <bob@example.org>
             + X-Ingress-Original-From: Smith, Bob <bob@example.org>
           missing-charset: adds the charset to text that names none: utf-8 when the bytes are, else what the HTML names, else windows-1252
             - Content-Type: text/plain
             + Content-Type: text/plain; charset=utf-8
Text       Grüße
Automatic  no
Route      inbox support@example.com
           without repairs: dropped: its To cannot be parsed
";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn the_raw_bytes_are_those_that_a_delivery_sends() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.with(&["-r", "support@example.com"]).stdin(BROKEN).run().assert_delivered();
    let raw = Ingress::new().args(["explain", "--raw", "-r", "support@example.com"]).stdin(BROKEN).output();
    assert_eq!(raw, server.bodies()[0]);
}

#[test]
fn json_has_the_documented_form() {
    let text = Ingress::new()
        .args(["explain", "--json", "-r", "a@example.com", "-r", "b@example.com"])
        .stdin(BROKEN)
        .output();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(value["envelope"]["recipients"], serde_json::json!(["a@example.com", "b@example.com"]));
    assert_eq!(value["envelope"]["named_by"], "-r");
    assert_eq!(value["parts"][0]["type"], "text/plain");
    let copies = value["copies"].as_array().unwrap();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[1]["recipient"], "b@example.com");
    assert_eq!(copies[0]["repairs"][0]["name"], "unparsable-to");
    assert_eq!(copies[0]["route"]["kind"], "unknown");
    assert_eq!(copies[0]["route_without_repairs"]["kind"], "dropped");
}

#[test]
fn the_configuration_says_what_is_known_of_chatwoot() {
    let setting = Setting::new(
        "https://chat.example.com",
        "inboxes = [\"support@example.com\"]\n[repair]\nunparsable-to = false",
    );
    let path = setting.shown("ingress.toml");
    let text = Ingress::new().args(["explain", "-c", &path]).stdin(BROKEN).output();
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains("\nWarning    nobody will see it: dropped: its To cannot be parsed\n")
    );
}

#[test]
fn what_cannot_be_explained_is_said_on_stderr() {
    let fails = |words: &[&str], status: i32, stderr: &str| {
        let ended = Ingress::new().args(words).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(status), ""), "{words:?}");
        assert!(ended.stderr.starts_with(stderr), "{words:?}: {}", ended.stderr);
    };
    let ended = Ingress::new().args(["explain"]).stdin("no header\n").run();
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (Some(65), "ingress: standard input: no header field in it\n")
    );
    fails(&["explain"], 65, "ingress: cannot read standard input: standard input ended without a byte\n");
    fails(&["explain", "/nonexistent"], 65, "ingress: cannot read /nonexistent: no such file or directory\n");
    fails(
        &["explain", "-c", "/nonexistent"],
        78,
        "ingress: cannot read /nonexistent: no such file or directory\n",
    );
    fails(
        &["explain", "--inbox", "nonsense"],
        64,
        "ingress: --inbox nonsense is no address: it must look like support@example.com\n",
    );
    fails(&["explain", "--json", "--raw"], 64, "error: the argument '--json' cannot be used with '--raw'");
}

#[test]
fn foreign_text_cannot_write_to_the_terminal() {
    let message = "From: \u{1b}[31m <a@b>\nTo: Help: \u{1b}]0;x\u{7} <support@example.com>\nMessage-ID: <1@x>\nContent-Type: text/plain\n\nx\n";
    let text = Ingress::new().args(["explain"]).stdin(message).output();
    assert!(!text.contains(&0x1b) && !text.contains(&7));
}

#[test]
fn the_log_tells_the_route() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "inboxes = [\"support@example.com\"]");
    setting.run().assert_delivered();
    assert!(setting.log().contains(" route=\"inbox support@example.com\" "), "{}", setting.log());
    setting
        .ingress()
        .stdin("From: a@b\nTo: c@d\nMessage-ID: <2@x>\nContent-Type: text/plain\n\nx\n")
        .run()
        .assert_delivered();
    assert!(
        setting.log().contains(" route=\"dropped: no inbox has one of its addresses\" "),
        "{}",
        setting.log()
    );
}

#[test]
fn too_many_attachments_are_a_notice_in_the_log() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let part = "--b\nContent-Type: image/png; name=\"a.png\"\nContent-Transfer-Encoding: base64\n\nAAAA\n";
    let header = "From: a@b\nTo: c@d\nMessage-ID: <1@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
    setting.ingress().stdin(format!("{header}{}--b--\n", part.repeat(16))).run().assert_delivered();
    assert!(
        setting.log().contains("notice=\"it has 16 attachments; Chatwoot keeps the last 15\""),
        "{}",
        setting.log()
    );
}
