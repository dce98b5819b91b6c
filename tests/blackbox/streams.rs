//! Standard input and output in every state that a caller can leave them in.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::run::Ended;
use crate::server::Server;
use crate::setting::{
    CANNOT_BE_REACHED, GATEWAY_FAILED, MESSAGE, NO_INPUT, NOBODY, NOT_RECEIVED, Setting, TOO_LARGE,
    message_of, on_the_wire,
};

#[test]
fn a_stdout_that_cannot_be_written_to_changes_nothing() {
    let server = Server::answering(204);
    let delivers = Setting::new(&server.url(), "");
    let fails = Setting::new(NOBODY, "");
    for redirection in [">&-", ">/dev/full", "2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full 2>&1", "<&0 >&0"]
    {
        delivers.ingress().after("", redirection).run().assert_delivered();
        let ended = fails.ingress().after("", redirection).run();
        let says = redirection.starts_with('2');
        let line = if says { format!("{CANNOT_BE_REACHED}\n") } else { String::new() };
        assert_eq!(ended, Ended { status: Some(75), stdout: line, stderr: String::new() }, "{redirection}");
    }
}

#[test]
fn a_stdout_that_nobody_reads_any_more_changes_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Setting::new(NOBODY, "").ingress().stdout_to(writer).run().assert(75, "", "");
}

/// Postfix gives one pipe for both.
#[test]
fn both_streams_may_be_one() {
    Setting::new(NOBODY, "").ingress().after("", "2>&1").run().assert_deferred(CANNOT_BE_REACHED);
}

#[test]
fn a_stdin_that_is_closed_or_empty_is_no_message() {
    let setting = Setting::new(NOBODY, "");
    for redirection in ["<&-", "</dev/null", "<&- >&-", "<&- 2>&-"] {
        let ended = setting.ingress().stdin("").after("", redirection).run();
        let line = if redirection.contains(">&-") && !redirection.contains('2') {
            String::new()
        } else {
            format!("{NO_INPUT}\n")
        };
        assert_eq!(ended, Ended { status: Some(75), stdout: line, stderr: String::new() }, "{redirection}");
    }
}

#[test]
fn a_stdin_that_cannot_be_read_keeps_the_message() {
    let setting = Setting::new(NOBODY, "");
    setting.ingress().stdin_from(File::open("/").unwrap()).run().assert_deferred(GATEWAY_FAILED);
    let logged = setting.failure_logged();
    assert!(logged.contains(" cause=\"cannot read standard input: "), "{logged}");
    let write_only = OpenOptions::new().write(true).open("/dev/null").unwrap();
    setting.ingress().stdin_from(write_only).run().assert_deferred(GATEWAY_FAILED);
}

#[test]
fn what_is_read_is_the_same_from_a_pipe_a_file_and_a_socket() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.write("message.eml", MESSAGE, 0o600);
    let file = File::open(setting.path("message.eml")).unwrap();
    setting.ingress().stdin_from(file).run().assert_delivered();
    for nonblocking in [false, true] {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        reader.set_nonblocking(nonblocking).unwrap();
        let running = setting.ingress().stdin_from(std::os::fd::OwnedFd::from(reader)).start();
        for piece in MESSAGE.as_bytes().chunks(50) {
            writer.write_all(piece).unwrap();
        }
        drop(writer);
        running.end().assert_delivered();
    }
    setting.ingress().stdin_in_pieces(MESSAGE.as_bytes(), 7).run().assert_delivered();
    let expected = on_the_wire(MESSAGE);
    assert_eq!(server.bodies(), [expected.clone(), expected.clone(), expected.clone(), expected]);
}

/// qmail hands over its queue file, getmail a temporary one: neither need stand at its start.
#[test]
fn a_file_is_read_from_where_it_stands() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.write("spool", format!("an envelope\n{MESSAGE}"), 0o600);
    let mut file = File::open(setting.path("spool")).unwrap();
    file.seek(SeekFrom::Start(12)).unwrap();
    setting.ingress().stdin_from(file.try_clone().unwrap()).run().assert_delivered();
    assert_eq!(server.bodies(), [on_the_wire(MESSAGE)]);
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "the file is read to its end");
}

#[test]
fn a_caller_that_never_ends_its_message_meets_the_deadline() {
    let setting = Setting::new(NOBODY, "timeout = \"1s\"");
    setting.ingress().stdin_open(MESSAGE).run().assert_deferred(NOT_RECEIVED);
    let logged = setting.failure_logged();
    assert_eq!(
        logged,
        "WARN outcome=deferred code=4.4.7 exit=75 ms=_ cause=\"the message did not come to its end within timeout\" remedy=\"find out why the mail server does not end the message, or raise timeout in ingress.toml\""
    );
    setting.ingress().stdin_open("").run().assert_deferred(NOT_RECEIVED);
}

#[test]
fn an_endless_message_meets_the_deadline() {
    let setting = Setting::new(NOBODY, "timeout = \"1s\"\nmax_size = \"1MiB\"");
    setting.ingress().stdin_from(File::open("/dev/zero").unwrap()).run().assert_deferred(NOT_RECEIVED);
}

#[test]
fn what_is_too_large_is_read_to_its_end() {
    let setting = Setting::new(NOBODY, "max_size = \"1KiB\"");
    setting.ingress().stdin(message_of(5_000_000)).run().assert_rejected(TOO_LARGE);
    let no_header = "no header\n".repeat(500_000);
    Setting::new(NOBODY, "")
        .ingress()
        .stdin(no_header)
        .run()
        .assert_rejected("5.6.0 The message has no header");
}

/// A daemon that closed everything hands its sockets on as 0, 1 and 2.
#[test]
fn a_socket_may_be_everything() {
    let server = Server::answering(204);
    let (mut here, there) = UnixStream::pair().unwrap();
    let there = std::os::fd::OwnedFd::from(there);
    let setting = Setting::new(&server.url(), "");
    let running =
        setting.ingress().stdout_to(there.try_clone().unwrap()).stdin_from(Stdio::from(there)).start();
    here.write_all(MESSAGE.as_bytes()).unwrap();
    here.shutdown(std::net::Shutdown::Write).unwrap();
    running.end().assert_delivered();
    let mut said = String::new();
    here.read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}
