//! A bar for a person at a terminal, plain lines for everybody else.

use std::io::Read;
use std::thread;
use std::time::Duration;

use super::import;
use super::store::mbox_of;
use crate::run::{Ended, Ingress};
use crate::server::Server;
use crate::setting::Setting;
use crate::terminal::terminal;

/// Slow enough for a bar to be seen.
fn slow() -> Server {
    Server::serving(|connection, _| {
        thread::sleep(Duration::from_millis(20));
        connection.take()
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

const CLEARED: &str = "\u{1b}[2K";

#[test]
fn a_terminal_shows_a_bar_with_count_rate_time_left_and_failures() {
    let server = slow();
    let setting = Setting::new(&server.url(), "");
    let run = import(&setting, [mbox_of(&setting, 0..100)]).env("TERM", "xterm");
    let (ended, seen) = at_a_terminal(run);
    assert_eq!(ended.status, Some(0), "{seen}");
    assert!(seen.contains(CLEARED), "{seen}");
    let states: Vec<&str> = seen.split('\r').filter(|state| state.contains("/100")).collect();
    assert!(states.len() > 3, "{seen}");
}

#[test]
fn a_pipe_shows_no_bar() {
    let server = slow();
    let setting = Setting::new(&server.url(), "");
    let ended = import(&setting, [mbox_of(&setting, 0..100)]).env("TERM", "xterm").run();
    super::assert_imported(&ended);
    assert!(!ended.stdout.contains(['\r', '\u{1b}']), "{}", ended.stdout);
}
