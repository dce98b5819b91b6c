//! Stores that are neither a Maildir nor an ordinary mbox: each message comes out of them by itself, or what converts them is named.

use super::store::{mbox, message, write};
use super::{assert_imported, import, numbers};
use crate::server::Server;
use crate::setting::{NOBODY, Setting, on_the_wire};

/// Imports a file of this content, and asserts that the numbered messages came out of it as they were.
#[track_caller]
fn assert_holds(name: &str, content: impl AsRef<[u8]>, wanted: &[usize]) {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, name, content);
    assert_imported(&import(&setting, ["--jobs=1", &path]).run());
    let wanted: Vec<_> = wanted.iter().map(|number| on_the_wire(&message(*number))).collect();
    assert!(server.bodies() == wanted, "{:?}", numbers(&server));
}

fn text_of(mbox: Vec<u8>) -> String {
    String::from_utf8(mbox).unwrap()
}

const SEPARATOR: &str = "From a@example.org Thu Jan  1 00:00:00 2026\n";

/// Three customers' mails landed in one conversation.
#[test]
fn messages_are_told_apart_by_whatever_separators_there_are() {
    let usual = text_of(mbox([message(1), message(2), message(3)]));
    for separator in [
        "From - Wed Dec 31 19:00:00 1969\n".to_owned(),
        "From a@example.org Thu Jan  1 00:00:00 26\n".to_owned(),
        "From a@example.org 2026-01-01T00:00:00Z\n".to_owned(),
        "From a@example.org Do Mär 01 00:00:00 2026\n".to_owned(),
        "From a@example.org Thu Jan  1 00: 00:00 2026\n".to_owned(),
        "From a@example.org Thu Jan 32 29:00 2026\n".to_owned(),
        "From a@example.org\n".to_owned(),
        format!("From SRS0={}@example.org Thu Jan  1 00:00:00 2026\n", "x".repeat(700)),
    ] {
        assert_holds("mbox", usual.replace(SEPARATOR, &separator), &[1, 2, 3]);
    }
    assert_holds("mbox", usual.replace(&format!("\n{SEPARATOR}"), SEPARATOR), &[1, 2, 3]);
    for before in ["\u{feff}", "\n", "\r\n\r\n"] {
        assert_holds("mbox", format!("{before}{usual}"), &[1, 2, 3]);
    }
    assert_holds("mbox", usual.replace('\n', "\r"), &[1, 2, 3]);
    assert_holds("one", usual.split("\nFrom ").next().unwrap(), &[1]);
}

#[test]
fn the_marks_of_mmdf_stand_around_messages() {
    const MARK: &str = "\u{1}\u{1}\u{1}\u{1}\n";
    let marked =
        |separator: &str| [1, 2].map(|number| format!("{MARK}{separator}{}{MARK}", message(number))).concat();
    assert_holds("mmdf", marked(""), &[1, 2]);
    assert_holds("mmdf", marked(SEPARATOR), &[1, 2]);
}

/// imap-backup quotes every line that begins with `From`: all senders were lost.
#[test]
fn a_quoted_from_field_is_the_sender() {
    let text = text_of(mbox([message(1), message(2)]));
    assert_holds("mbox", text.replace("\nFrom: ", "\n>From: "), &[1, 2]);
}

#[test]
fn a_message_of_apple_mail_is_what_stands_between_its_length_and_its_properties() {
    let message = message(1);
    let emlx = format!("{:<10}\n{message}<?xml version=\"1.0\"?>\n<plist/>\n", message.len());
    assert_holds("1.emlx", &emlx, &[1]);
    assert_holds("1.partial.emlx", &emlx, &[1]);
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    assert_imported(&import(&setting, ["-"]).stdin(emlx.as_bytes()).run());
    assert_eq!(server.bodies(), [on_the_wire(&message)]);
}

#[test]
fn folders_of_mh_and_cyrus_are_their_numbered_messages() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    write(&setting, "mail/inbox/1", message(1));
    write(&setting, "mail/inbox/,2", message(2));
    write(&setting, "mail/inbox/.mh_sequences", "cur: 1\nunseen: 1\n");
    write(&setting, "mail/user/3.", message(3));
    write(&setting, "mail/user/4.", "X-Nothing-Else: known\n\nhello\n");
    write(&setting, "mail/user/cyrus.header", message(5));
    write(&setting, "mail/user/cyrus.index", b"\0\0\0\x01");
    let ended = import(&setting, ["--jobs=1", &setting.shown("mail")]).run();
    assert_imported(&ended);
    assert_eq!(server.requests().len(), 3);
    assert!(ended.stdout.contains("no mail              4  "), "{}", ended.stdout);
}

#[test]
fn a_folder_without_mail_is_said() {
    let setting = Setting::new(NOBODY, "");
    let folder = setting.shown("folder");
    std::fs::create_dir(&folder).unwrap();
    let complaint = format!("ingress: there is no mail in {folder}\n");
    for words in [vec![folder.as_str()], vec!["--dry-run", folder.as_str()]] {
        let ended = import(&setting, words).run();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), complaint.as_str()));
    }
    let ended = import(&setting, ["-q", folder.as_str()]).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_empty_mbox_is_no_error_and_no_mail() {
    let setting = Setting::new(NOBODY, "");
    for content in ["", "\n\n", "\u{feff}"] {
        let path = write(&setting, "mbox", content);
        let ended = import(&setting, [&path]).run();
        assert_imported(&ended);
        assert!(ended.stdout.starts_with("delivered            0\n"), "{}", ended.stdout);
    }
}

#[test]
fn what_only_other_programs_read_is_named_with_what_converts_it() {
    let setting = Setting::new(NOBODY, "");
    let tar = [&[b'x'; 257][..], b"ustar"].concat();
    for (name, content, program) in [
        ("archive.pst", &b"!BDN\0\0"[..], "readpst"),
        ("mail.msg", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "msgconvert"),
        ("inbox.dbx", b"\xCF\xAD\x12\xFE", "undbx"),
        ("inbox.mbx", b"*mbx*\r\n", "mailutil"),
        ("RMAIL", b"BABYL OPTIONS: -*- rmail -*-\n", "b2m"),
        ("u.1", b"2 M1e C65a1b2c3\n", "doveadm"),
        ("takeout.zip", b"PK\x03\x04", "unpack"),
        ("takeout.tar", &tar, "unpack"),
    ] {
        let path = write(&setting, name, content);
        let ended = import(&setting, [&path]).run();
        assert_eq!(ended.status, Some(65), "{ended:?}");
        assert!(
            ended.stderr.starts_with(&format!("{path}: unreadable: is a")) || ended.stderr.contains("is of"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(program), "{ended:?}");
    }
}
