//! The same mail, piped or imported, is the same record.

use std::fs;
use std::path::{Path, PathBuf};

use super::store::{mbox, write};
use super::{assert_imported, import};
use crate::run::few_at_once;
use crate::server::Server;
use crate::setting::Setting;

/// Every kind of message that was met in the wild, and the samples.
fn samples() -> Vec<PathBuf> {
    let folders =
        ["tests/mail", "examples/messages"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let files = folders.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut samples: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    samples.sort();
    assert!(samples.len() > 200, "{}", samples.len());
    samples
}

/// What is sent of it when it is piped.
fn piped(message: &[u8]) -> Vec<u8> {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.ingress().stdin(message).run().assert_delivered();
    server.request().body
}

#[test]
fn a_file_piped_and_imported_is_the_same_bytes() {
    few_at_once(samples(), |path| {
        let server = Server::taking();
        let setting = Setting::new(&server.url(), "");
        assert_imported(&import(&setting, [&path]).run());
        assert!(server.request().body == piped(&fs::read(&path).unwrap()), "{}", path.display());
    });
}

#[test]
fn a_message_of_a_maildir_and_of_an_mbox_is_the_same_bytes() {
    few_at_once(samples(), |path| {
        let server = Server::taking();
        let setting = Setting::new(&server.url(), "");
        let mut message = fs::read(&path).unwrap();
        // An mbox holds lines, and knows no other end of a message than that of one.
        if !message.ends_with(b"\n") {
            message.push(b'\n');
        }
        write(&setting, "mail/new/1767225601.M1P1.host", &message);
        fs::create_dir(setting.path("mail/cur")).unwrap();
        let mbox = write(&setting, "mbox", mbox([&message]));
        assert_imported(&import(&setting, [&setting.shown("mail")]).run());
        assert_imported(&import(&setting, [&mbox]).run());
        let piped = piped(&message);
        assert!(server.bodies() == [piped.clone(), piped], "{}", path.display());
    });
}

/// Dovecot, mutt and Thunderbird write into the header of what somebody has read.
#[test]
fn a_message_of_an_mbox_is_the_same_record_before_and_after_it_was_read() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let import = |fields: &str| {
        let path = write(&setting, "mbox", mbox([super::store::with_fields(1, fields)]));
        assert_imported(&import(&setting, ["--journal", &setting.shown("journal"), &path]).run());
    };
    import("");
    import("Status: RO\nX-Status: A\nX-Keywords: NonJunk\n                 \nX-UID: 12\n");
    import("Content-Length: 6\nLines: 1\nStatus: RO\n");
    import("X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys:     \n");
    assert_eq!(server.bodies(), [crate::setting::on_the_wire(&super::store::message(1))]);
}

#[test]
fn the_recipient_is_the_option_s_else_each_message_s_own() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let message = |name: &str, number| {
        let fields = format!("Delivered-To: {name}@example.com\nReturn-Path: <ann@example.org>\n");
        super::store::with_fields(number, &fields)
    };
    let path = write(&setting, "mbox", mbox([message("one", 1), message("two", 2)]));
    // A variable that a shell happens to have is no message's recipient.
    assert_imported(&import(&setting, ["--jobs=1", &path]).env("RECIPIENT", "shell@example.com").run());
    assert_imported(&import(&setting, ["--jobs=1", "-r", "three@example.com", &path]).run());
    let named: Vec<String> = server.bodies().iter().map(|body| x_original_to(body)).collect();
    assert_eq!(named, ["one@example.com", "two@example.com", "three@example.com", "three@example.com"]);
    let log = setting.log();
    assert_eq!(log.matches("recipient=one@example.com sender=ann@example.org").count(), 1, "{log}");
}

fn x_original_to(body: &[u8]) -> String {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let fields: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("X-Original-To: ")).collect();
    assert_eq!(fields.len(), 1, "{text}");
    fields[0].to_owned()
}

#[test]
fn each_delivery_is_logged_as_a_piped_one_is() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, "1.eml", super::store::message(1));
    assert_imported(&import(&setting, [&path]).run());
    setting.with(&[]).stdin(super::store::message(1)).run().assert_delivered();
    let logged = setting.logged();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert_eq!(logged[0], format!("{} source={path}", logged[1]));
}
