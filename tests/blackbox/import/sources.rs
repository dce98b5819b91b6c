//! Maildir, mbox, single files and folders, told apart by looking.

use std::io::Write;

use super::store::{mbox, mbox_of, message, number, write};
use super::{assert_imported, import, numbers};
use crate::server::Server;
use crate::setting::{Setting, on_the_wire};

#[test]
fn a_maildir_is_imported_with_the_folders_in_it_and_nothing_else() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    for (name, number) in [
        ("mail/new/1767225601.M1P1.host", 1),
        ("mail/cur/1767225602.M1P2.host:2,S", 2),
        ("mail/.Sent/cur/1767225603.M1P3.host:2,RS", 3),
        ("mail/.Sent/new/1767225604.M1P4.host", 4),
        ("mail/.Lists.rust/new/1767225605.M1P5.host", 5),
        ("mail/tmp/1767225606.M1P6.host", 6),
    ] {
        write(&setting, name, message(number));
    }
    write(&setting, "mail/.Lists.rust/cur/.keep", "");
    write(&setting, "mail/dovecot-uidlist", "3 V1767225600 N7 G0\n");
    write(&setting, "mail/subscriptions", "Sent\n");
    std::fs::remove_file(setting.path("mail/.Lists.rust/cur/.keep")).unwrap();
    let ended = import(&setting, [setting.shown("mail")]).run();
    assert_imported(&ended);
    let mut sent = numbers(&server);
    sent.sort_unstable();
    assert_eq!(sent, [1, 2, 3, 4, 5]);
}

#[test]
fn an_mbox_is_imported_by_its_name_and_from_standard_input() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 1..=7);
    assert_imported(&import(&setting, [&path, "--jobs", "1"]).run());
    let content = std::fs::read(&path).unwrap();
    assert_imported(&import(&setting, ["-", "--jobs", "1"]).stdin_in_pieces(&content, 100).run());
    assert_imported(
        &import(&setting, ["--jobs=1", "-"]).stdin_from(std::fs::File::open(&path).unwrap()).run(),
    );
    assert_eq!(numbers(&server), [1, 2, 3, 4, 5, 6, 7].repeat(3));
    let sent: Vec<_> = (1..=7).map(|number| on_the_wire(&message(number))).collect();
    assert_eq!(server.bodies(), [sent.clone(), sent.clone(), sent].concat());
}

#[test]
fn both_ways_of_quoting_in_an_mbox_are_read() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let text = message(1).replace("hello\n", "From here\n\n>From there\n>>From beyond\n> From\n");
    assert_imported(&import(&setting, [write(&setting, "mboxrd", mbox([&text]))]).run());
    let separator = "From a@example.org Thu Jan  1 00:00:00 2026\n";
    let quoted = message(2).replace("hello\n", "\n>From here\nFrom there\n\nFrom now on\n");
    assert_imported(&import(&setting, [write(&setting, "mboxo", format!("{separator}{quoted}\n"))]).run());
    let unquoted = quoted.replace(">From", "From");
    assert_eq!(server.bodies(), [on_the_wire(&text), on_the_wire(&unquoted)]);
}

#[test]
fn an_mbox_of_a_program_for_windows_is_read() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let content = String::from_utf8(mbox([message(1), message(2)])).unwrap().replace('\n', "\r\n");
    assert_imported(&import(&setting, [&write(&setting, "mbox", content), "--jobs", "1"]).run());
    assert_eq!(server.bodies(), [on_the_wire(&message(1)), on_the_wire(&message(2))]);
}

/// Thunderbird writes no sender and no date, others a date of RFC 5322.
#[test]
fn an_mbox_is_read_whatever_its_separators_say() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let usual = "From a@example.org Thu Jan  1 00:00:00 2026\n";
    for separator in ["From \n", "From a@example.org Thu, 01 Jan 2026 00:00:00 +0000\n"] {
        let content = String::from_utf8(mbox([message(1), message(2)])).unwrap().replace(usual, separator);
        assert_imported(&import(&setting, [&write(&setting, "mbox", content), "--jobs", "1"]).run());
    }
    assert_eq!(server.bodies(), [1, 2, 1, 2].map(|number| on_the_wire(&message(number))));
}

/// UW-IMAP, Alpine and Dovecot keep what they know of a folder in its first message.
#[test]
fn the_data_of_a_folder_are_no_message() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let data = "Date: Thu, 01 Jan 2026 00:00:00 +0000\n\
                From: Mail System Internal Data <MAILER-DAEMON@example.org>\n\
                Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\
                Message-ID: <1767225600@example.org>\nX-IMAP: 1767225600 0000000007 NonJunk\nStatus: RO\n\n\
                This text is part of the internal format of your mail folder, and is not\na real message.\n";
    let path = write(&setting, "mbox", mbox([data.to_owned(), message(1)]));
    let ended = import(&setting, [&path]).run();
    assert_imported(&ended);
    assert!(ended.stdout.contains("no mail              1  "), "{}", ended.stdout);
    assert_eq!(server.bodies(), [on_the_wire(&message(1))]);
}

/// A mail reader deletes the first message while the second waits.
#[test]
fn an_mbox_that_is_rewritten_meanwhile_sends_no_pieces_of_messages() {
    let of_its_length = |number: usize| message(number).replace("hello\n", &"a line\n".repeat(number));
    let whole = mbox((1..=9).map(of_its_length));
    let cut_short = whole[..whole.len() / 9].to_vec();
    for rest in [mbox((2..=9).map(of_its_length)), mbox((2..=15).map(of_its_length)), cut_short, Vec::new()] {
        let setting = Setting::new("http://127.0.0.1:1", "");
        let path = write(&setting, "mbox", &whole);
        let changed = path.clone();
        let server = Server::serving(move |connection, _| {
            std::fs::write(&changed, &rest)?;
            connection.take()
        });
        let ended = import(&setting, ["--jobs=1", "--url", &server.url(), &path]).run();
        assert_eq!(ended.status, Some(65), "{ended:?}");
        assert!(server.bodies() == [on_the_wire(&of_its_length(1))], "{:?}", numbers(&server));
        assert_eq!(ended.stderr.matches(": unreadable: cannot read it: the mbox ").count(), 8, "{ended:?}");
    }
}

#[test]
fn mail_that_comes_into_an_mbox_meanwhile_disturbs_nothing() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    let path = mbox_of(&setting, 1..=9);
    let grown = path.clone();
    let server = Server::serving(move |connection, _| {
        let mut file = std::fs::File::options().append(true).open(&grown)?;
        file.write_all(&mbox([message(10)]))?;
        connection.take()
    });
    assert_imported(&import(&setting, ["--jobs=1", "--url", &server.url(), &path]).run());
    assert_eq!(server.bodies(), (1..=9).map(|number| on_the_wire(&message(number))).collect::<Vec<_>>());
}

/// A mail reader shows the messages while they are imported.
#[test]
fn a_maildir_in_which_messages_are_read_meanwhile_is_imported() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    for number in 1..=9 {
        write(&setting, &format!("mail/new/176722560{number}.M1P1.host"), message(number));
    }
    std::fs::create_dir(setting.path("mail/cur")).unwrap();
    let folder = setting.path("mail");
    let server = Server::serving(move |connection, request| {
        if number(&request.body) == 1 {
            for number in 2..=9 {
                let name = format!("176722560{number}.M1P1.host");
                std::fs::rename(folder.join("new").join(&name), folder.join("cur").join(name + ":2,S"))?;
            }
        }
        connection.take()
    });
    assert_imported(&import(&setting, ["--jobs=1", "--url", &server.url(), &setting.shown("mail")]).run());
    assert_eq!(numbers(&server), (1..=9).collect::<Vec<_>>());
}

/// Some writers count wrong; what they counted is no part of the message.
#[test]
fn a_content_length_is_not_believed() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let messages = [1, 2].map(|number| super::store::with_fields(number, "Content-Length: 5000\n"));
    assert_imported(&import(&setting, [&write(&setting, "mbox", mbox(&messages)), "--jobs=1"]).run());
    assert_eq!(server.bodies(), [1, 2].map(|number| on_the_wire(&message(number))));
}

#[test]
fn a_folder_is_walked_to_its_leaves() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    write(&setting, "mail/2.eml", message(2));
    write(&setting, "mail/a/b/3.EML", message(3));
    write(&setting, "mail/a/4.msg", message(4));
    write(&setting, "mail/archive", mbox([message(5), message(6)]));
    write(&setting, "mail/box/new/7", message(7));
    write(&setting, "mail/box/cur/8:2,", message(8));
    write(&setting, "mail/a/picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    write(&setting, "mail/a/readme.txt", "nothing but words\n");
    std::os::unix::fs::symlink(setting.path("mail"), setting.path("mail/a/up")).unwrap();
    assert_imported(&import(&setting, [setting.shown("mail")]).run());
    let mut sent = numbers(&server);
    sent.sort_unstable();
    assert_eq!(sent, [2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_imported() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    write(&setting, "mail/1.eml", message(1));
    write(&setting, "mail/2.eml", "");
    write(&setting, "mail/3.eml", "no header at all\n");
    write(&setting, "mail/4.msg", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0");
    std::os::unix::fs::symlink("nowhere", setting.path("mail/5.eml")).unwrap();
    write(&setting, "mail/6.eml", message(6));
    let ended = import(&setting, ["--jobs=1", &setting.shown("mail"), &setting.shown("missing")]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    assert_eq!(numbers(&server), [1, 6]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for name in ["mail/2.eml", "mail/3.eml", "mail/4.msg", "mail/5.eml", "missing"] {
        assert!(said.contains(name), "{name} in {said}");
    }
    assert!(!said.contains("mail/1.eml"), "{said}");
}
