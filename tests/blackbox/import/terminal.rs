//! A bar for a person at a terminal, plain lines for everybody else.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use super::import;
use super::store::{mbox, mbox_of, message, number, write};
use crate::run::{Ended, Ingress};
use crate::server::Server;
use crate::setting::Setting;
use crate::terminal::terminal;

/// Slow enough for a bar to be seen; message 2 is too large.
fn slow() -> Server {
    Server::serving(|connection, request| {
        thread::sleep(Duration::from_millis(20));
        match number(&request.body) {
            2 => connection.refuse(413, ""),
            _ => connection.take(),
        }
    })
}

/// Runs it with standard output and standard error at a terminal; gives what the person sees.
fn at_a_terminal(run: Ingress) -> (Ended, String) {
    let (mut person, program) = terminal();
    let reading = thread::spawn(move || {
        let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
        // The terminal ends with an error when its other side is closed.
        while let Ok(length @ 1..) = person.read(&mut piece) {
            seen.extend_from_slice(&piece[..length]);
        }
        seen
    });
    let ended = run.stdout_to(program.try_clone().unwrap()).stderr_to(program).run();
    (ended, String::from_utf8(reading.join().unwrap()).unwrap())
}

#[test]
fn a_terminal_shows_a_bar_with_count_rate_time_left_and_failures() {
    let server = slow();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..100);
    let (ended, seen) = at_a_terminal(import(&setting, [&path]));
    assert_eq!(ended.status, Some(65), "{seen}");
    let states: Vec<&str> = seen.split(['\r', '\n']).filter(|state| state.contains("/100  ")).collect();
    assert!(states.len() > 3, "{seen}");
    let last = states.last().unwrap();
    for part in ["█", " a second  ", " s left  ", "1 failure"] {
        assert!(last.contains(part), "{part} in {last}");
    }
    // The line about the failure stays above the bar; the bar goes, and the table comes.
    let (bars, table) = seen.rsplit_once(" \r").unwrap();
    assert!(bars.contains(&format!("{path}, byte 534: rejected 5.3.4: the endpoint answered 413")), "{seen}");
    assert!(table.contains("delivered           99\r\nrejected             1"), "{table}");
}

#[test]
fn what_cannot_be_read_is_no_part_of_what_is_done() {
    let server = slow();
    let setting = Setting::new(&server.url(), "");
    for number in 0..9 {
        write(&setting, &format!("mail/{number}.eml"), "no header\n");
    }
    write(&setting, "mail/mbox", mbox([message(10), message(11)]));
    let (ended, seen) = at_a_terminal(import(&setting, [setting.shown("mail")]));
    assert_eq!(ended.status, Some(65), "{seen}");
    let done: Vec<&str> = seen.split_whitespace().filter(|word| word.ends_with("/2")).collect();
    assert!(done.iter().all(|done| ["0/2", "1/2", "2/2"].contains(done)), "{seen}");
    assert_eq!(done.last(), Some(&"2/2"), "{seen}");
    assert!(seen.contains("9 failures"), "{seen}");
}

#[test]
fn a_pipe_shows_no_bar() {
    let server = slow();
    let setting = Setting::new(&server.url(), "");
    let ended = import(&setting, [mbox_of(&setting, 10..60)]).env("TERM", "xterm").run();
    super::assert_imported(&ended);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(['\r', '\u{1b}']), "{ended:?}");
}

#[test]
fn a_person_is_told_that_an_mbox_is_waited_for() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let (mut person, program) = terminal();
    let running = import(&setting, ["-"]).stdin_from(program).start();
    person.write_all(b"A: b\n\x04").unwrap();
    let ended = running.end();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stderr.starts_with("ingress: waiting for a message on standard input; "), "{ended:?}");
}
