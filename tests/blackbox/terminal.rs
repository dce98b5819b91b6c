//! A person at a terminal learns what a mail server reads in the log.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::run::{Ended, Ingress};
use crate::server::Server;
use crate::setting::{CANNOT_BE_REACHED, MESSAGE, MISCONFIGURED, NOBODY, Setting};

const WAITING: &str =
    "ingress: waiting for a message on standard input; end it with Ctrl-D (ingress --help says more)\n";

/// Both sides of a new terminal: the person's and the program's.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let program = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    (File::from(person), program)
}

/// Runs it with standard output at a terminal; what the person sees stands in for it.
fn shown(run: Ingress) -> Ended {
    let (mut person, program) = terminal();
    let mut end = File::from(program.try_clone().unwrap());
    let ended = run.stdout_to(program).run();
    end.write_all(b"$").unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"$") {
        let mut byte = [0];
        person.read_exact(&mut byte).unwrap();
        seen.extend_from_slice(&byte);
    }
    let stdout = String::from_utf8(seen).unwrap().trim_end_matches('$').to_owned();
    Ended { stdout, ..ended }
}

#[test]
fn cause_and_remedy_are_told_at_a_terminal() {
    let setting = Setting::new("ftp://x", "");
    let ended = shown(setting.ingress());
    let file = setting.shown("ingress.toml");
    let stderr = format!(
        "ingress: {file}:1: url must be a URL that begins with https:// or http://\n\
         ingress: correct what the cause names, then let the mail server try again\n"
    );
    ended.assert(75, &format!("{MISCONFIGURED}\r\n"), &stderr);
    let ended = shown(Setting::new(NOBODY, "").ingress());
    assert_eq!((ended.status, ended.stdout), (Some(75), format!("{CANNOT_BE_REACHED}\r\n")));
    assert!(ended.stderr.contains("refused") && ended.stderr.lines().count() == 2, "{}", ended.stderr);
    shown(Setting::new(&Server::answering(204).url(), "").ingress()).assert_delivered();
}

#[test]
fn a_person_is_told_what_is_waited_for() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let (mut person, program) = terminal();
    let running = setting.ingress().stdin_from(program).start();
    person.write_all(MESSAGE.as_bytes()).unwrap();
    person.write_all(b"\x04").unwrap();
    running.end().assert(0, "", WAITING);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_person_whose_configuration_is_broken_need_not_type_first() {
    let (_person, program) = terminal();
    let setting = Setting::new("nonsense", "");
    setting.ingress().stdin_from(Stdio::from(program)).run().assert_deferred(MISCONFIGURED);
}

#[test]
fn a_rehearsal_at_a_terminal_takes_the_sample() {
    let (_person, program) = terminal();
    let ended = Ingress::new().args(["try"]).stdin_from(program).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("Message    the built-in sample, "), "{}", ended.stdout);
}
