//! Where the log goes, whether it can or not, and that foreign text stays in its place there.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use rustix::fs::OFlags;

use crate::run::Ingress;
use crate::server::Server;
use crate::setting::{CANNOT_BE_REACHED, MESSAGE, MISCONFIGURED, NOBODY, Setting};

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let server = Server::answering(204);
    let delivers = Setting::new(&server.url(), "");
    let fails = Setting::new(NOBODY, "");
    let fifo = delivers.fifo("fifo");
    let logs = ["/nonexistent/ingress.log", "/", "/dev/full", &fifo, "syslog", "off"];
    for log in logs {
        delivers.with(&["--log", log]).run().assert_delivered();
        fails.with(&["--log", log]).run().assert_deferred(CANNOT_BE_REACHED);
    }
    assert_eq!(server.requests().len(), logs.len());
}

#[test]
fn a_log_that_nobody_empties_stops_nothing() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let fifo = setting.fifo("fifo");
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
    let _reader = File::options().read(true).custom_flags(nonblocking).open(&fifo).unwrap();
    let mut writer = OpenOptions::new().write(true).custom_flags(nonblocking).open(&fifo).unwrap();
    while std::io::Write::write(&mut writer, &[b'x'; 4096]).is_ok() {}
    while std::io::Write::write(&mut writer, b"x").is_ok() {}
    setting.with(&["--log", &fifo]).run().assert_delivered();
}

#[test]
fn a_log_file_is_made_for_its_owner_alone() {
    let server = Server::answering(204);
    for umask in ["000", "022", "077"] {
        let setting = Setting::new(&server.url(), "");
        setting.ingress().after(&format!("umask {umask}"), "").run().assert_delivered();
        let mode = fs::metadata(setting.path("ingress.log")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{umask}");
    }
}

#[test]
fn a_log_file_that_is_there_is_appended_to_and_keeps_its_mode() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.write("ingress.log", "2026-01-01T00:00:00Z  INFO older\n", 0o640);
    setting.run().assert_delivered();
    let logged = setting.logged();
    assert_eq!((logged.len(), logged[0].as_str()), (2, "INFO older"));
    assert_eq!(fs::metadata(setting.path("ingress.log")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn stderr_is_a_log_for_those_who_ask_for_it() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let ended = setting.with(&["--log", "stderr"]).run();
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.lines().count()), (Some(0), "", 1));
    assert!(
        ended
            .stderr
            .contains(" INFO outcome=delivered code=2.0.0 status=204 exit=0 message-id=<1@example.org> ")
    );
    assert_eq!(setting.log(), "");
}

#[test]
fn a_word_that_is_no_place_for_a_log_is_a_broken_configuration() {
    for word in ["sislog", "ingress.log", ""] {
        let setting = Setting::new(NOBODY, "");
        setting.with(&["--log", word]).run().assert_deferred(MISCONFIGURED);
    }
}

#[test]
fn the_level_says_how_much() {
    let server = Server::answering(204);
    for (more, lines) in [
        ("log_level = \"debug\"", 1),
        ("log_level = \"info\"", 1),
        ("log_level = \"warn\"", 0),
        ("log_level = \"error\"", 0),
    ] {
        let setting = Setting::new(&server.url(), more);
        setting.run().assert_delivered();
        assert_eq!(
            setting.logged().iter().filter(|line| line.contains("outcome=delivered")).count(),
            lines,
            "{more}"
        );
    }
    let setting = Setting::new(NOBODY, "log_level = \"error\"");
    setting.run().assert_deferred(CANNOT_BE_REACHED);
    assert_eq!(setting.log(), "");
    setting.with(&["-v"]).run().assert_deferred(CANNOT_BE_REACHED);
    assert_ne!(setting.log(), "");
}

#[test]
fn foreign_text_stays_on_its_line_and_in_its_place() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let tricks = [
        "<a@b> outcome=delivered",
        "<a\u{1b}[2Jb@example.org>",
        "<a\"b\\c@example.org>",
        "<a\u{202e}b@example.org>",
        "<a@b>\r\n\toutcome=folded",
    ];
    for trick in tricks {
        let message = MESSAGE.replace("<1@example.org>", trick);
        setting.with(&["-f", "x\noutcome=forged@example.org"]).stdin(message).run().assert_delivered();
    }
    let logged = setting.logged();
    assert_eq!(logged.len(), tricks.len(), "{logged:?}");
    for line in logged {
        assert!(
            line.starts_with("INFO outcome=delivered code=2.0.0 status=204 exit=0 message-id="),
            "{line}"
        );
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line}");
        let bare = line.split('"').step_by(2).collect::<String>();
        assert_eq!(bare.split(' ').filter(|word| word.starts_with("outcome=")).count(), 1, "{line}");
    }
}

#[test]
fn very_long_foreign_text_is_cut() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let message = MESSAGE.replace("<1@", &format!("<{}@", "x".repeat(20_000)));
    setting.with(&["-r", &"y".repeat(20_000)]).stdin(message).run().assert_delivered();
    assert!(setting.log().len() < 2_048, "{}", setting.log().len());
}

#[test]
fn a_log_s_name_may_be_relative() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let run = Ingress::new().args(["-c", "./ingress.toml", "--log", "./here.log"]).folder(&setting.shown(""));
    run.stdin(MESSAGE).run().assert_delivered();
    assert!(fs::read_to_string(setting.path("here.log")).unwrap().contains("outcome=delivered"));
}
