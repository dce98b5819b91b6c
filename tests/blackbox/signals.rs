//! Signals: those that can be caught keep the message.

use crate::run::{Running, at_once, eventually};
use crate::server::Server;
use crate::setting::{INTERRUPTED, MESSAGE, NOBODY, Setting, TOO_LATE};

/// Signals that end a process unless it catches them.
const ENDING: [&str; 12] =
    ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "XCPU", "VTALRM", "PROF", "SYS", "TRAP"];

/// A delivery that waits for its server's answer.
fn waiting_for_the_server(setting: &Setting, server: &Server) -> Running {
    let running = setting.ingress().start();
    eventually("the request", || (!server.requests().is_empty()).then_some(()));
    running
}

/// A delivery that waits for the rest of its message. The log's file tells that signals are caught by now.
fn waiting_for_the_message(setting: &Setting) -> Running {
    let running = setting.ingress().stdin_open(MESSAGE).start();
    running.wait_until_read();
    running
}

#[test]
fn every_ending_signal_keeps_the_message_while_the_server_thinks() {
    at_once(ENDING, |signal| {
        let server = Server::hanging();
        let setting = Setting::new(&server.url(), "");
        let running = waiting_for_the_server(&setting, &server);
        running.signal(signal);
        running.end().assert_deferred(INTERRUPTED);
        let logged = setting.failure_logged();
        assert!(
            logged.starts_with("WARN outcome=deferred code=4.3.0 exit=75 message-id=<1@example.org> "),
            "{logged}"
        );
        assert!(logged.contains(&format!(" cause=\"stopped by SIG{signal}\" ")), "{logged}");
    });
}

#[test]
fn every_ending_signal_keeps_the_message_while_it_comes() {
    at_once(ENDING, |signal| {
        let setting = Setting::new(NOBODY, "");
        let running = waiting_for_the_message(&setting);
        running.signal(signal);
        running.end().assert_deferred(INTERRUPTED);
        assert!(setting.failure_logged().contains(&format!(" cause=\"stopped by SIG{signal}\" ")));
    });
}

/// Signals of Linux that hardly anybody sends; a shell may not know them by name.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn rare_signals_keep_the_message_too() {
    at_once([("16", "SIGSTKFLT"), ("29", "SIGIO"), ("30", "SIGPWR")], |(number, name)| {
        let setting = Setting::new(NOBODY, "");
        let running = waiting_for_the_message(&setting);
        running.signal(number);
        running.end().assert_deferred(INTERRUPTED);
        assert!(setting.failure_logged().contains(&format!(" cause=\"stopped by {name}\" ")));
    });
}

#[test]
fn an_abort_keeps_the_message() {
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "");
    let running = waiting_for_the_server(&setting, &server);
    running.signal("ABRT");
    running.end().assert(75, "", "");
}

#[test]
fn many_signals_are_one_end() {
    for _ in 0..5 {
        let setting = Setting::new(NOBODY, "");
        let running = waiting_for_the_message(&setting);
        for signal in ["TERM", "INT", "HUP"] {
            running.signal(signal);
        }
        running.end().assert_deferred(INTERRUPTED);
        assert_eq!(setting.logged().len(), 1);
    }
}

/// Exim's child ignores SIGTERM, SIGHUP, SIGINT and SIGUSR1.
#[test]
fn signals_that_the_caller_ignored_keep_the_message_too() {
    let setting = Setting::new(NOBODY, "");
    let running = setting.ingress().stdin_open(MESSAGE).after("trap '' TERM HUP INT USR1", "").start();
    running.wait_until_read();
    running.signal("TERM");
    running.end().assert_deferred(INTERRUPTED);
}

#[test]
fn signals_that_end_nothing_are_no_reason_to_stop() {
    at_once(["PIPE", "CHLD", "URG", "WINCH", "CONT", "XFSZ"], |signal| {
        let server = Server::hanging();
        let setting = Setting::new(&server.url(), "timeout = \"2s\"");
        let running = waiting_for_the_server(&setting, &server);
        running.signal(signal);
        running.end().assert_deferred(TOO_LATE);
    });
}

#[test]
fn a_delivery_that_was_stopped_goes_on() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let mut running = waiting_for_the_message(&setting);
    running.signal("TSTP");
    running.signal("CONT");
    running.end_input();
    running.end().assert_delivered();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_signal_while_a_refused_message_is_read_keeps_it() {
    let setting = Setting::new(NOBODY, "");
    let run = setting.with(&["--unknown"]).env("INGRESS_LOG", setting.path("ingress.log"));
    let running = run.stdin_open(MESSAGE).start();
    running.wait_until_read();
    running.signal("TERM");
    running.end().assert_deferred(INTERRUPTED);
}
