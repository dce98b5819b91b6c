//! What each guard in the configuration for getmail is for.

use std::fs;
use std::time::{Duration, Instant};

use super::getmail::Getmail;
use super::mail::{reply, tricks};
use super::reader::Reader;
use super::{Caller, Deployment, Mail};
use crate::support::{binary, eventually};

fn without(line: &'static str) -> impl Fn(String) -> String {
    replacing(line, "")
}

fn replacing(line: &'static str, other: &'static str) -> impl Fn(String) -> String {
    move |configuration| {
        assert_eq!(configuration.matches(line).count(), 1, "{line} in {configuration}");
        configuration.replace(line, other)
    }
}

fn as_it_is(configuration: String) -> String {
    configuration
}

/// A message to an inbox that only its envelope names.
fn to_an_inbox() -> Mail {
    tricks().swap_remove(0)
}

/// The message as Action Mailbox stored it, and the recipients that were added to it.
fn stored(edit: impl Fn(String) -> String) -> (String, Vec<String>) {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, edit);
    getmail.submit(&to_an_inbox()).unwrap();
    getmail.turn();
    let mut routed = deployment.server().routed(1);
    let record = routed.swap_remove(0);
    (String::from_utf8(deployment.server().stored(record.id)).unwrap(), record.x_original_to)
}

#[test]
fn the_field_that_getmail_adds_misleads_nobody() {
    const GETMAILS: &str = "\r\nDelivered-To: unknown\r\n";
    let (message, recipients) = stored(as_it_is);
    assert!(!message.contains(GETMAILS), "{message}");
    assert_eq!(recipients, ["support@example.com"]);
    let (message, recipients) = stored(without("delivered_to = false\n"));
    assert!(message.contains(GETMAILS), "{message}");
    assert_eq!(recipients, ["support@example.com"]);
}

/// Fetches one message twice, in different seconds, and says how many records that made.
fn records_of_two_runs(edit: impl Fn(String) -> String) -> usize {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, |configuration| {
        replacing("delete = true\n", "delete = false\n")(edit(configuration))
    });
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    let start = Instant::now();
    eventually("another second", || (start.elapsed() > Duration::from_millis(1100)).then_some(()));
    getmail.turn();
    eventually(format_args!("two deliveries; {}", getmail.log()), || {
        (deployment.server().posts() == 2).then_some(())
    });
    deployment.server().records()
}

#[test]
fn a_message_fetched_twice_is_one_record_because_of_received() {
    assert_eq!(records_of_two_runs(as_it_is), 1);
    assert_eq!(records_of_two_runs(without("received = false\n")), 2);
}

/// Runs a delivery that takes three seconds, twice, and says how many there were.
fn slow_deliveries(edit: impl Fn(String) -> String) -> usize {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, edit);
    let program = deployment.folder().shown("ingress.sound");
    fs::copy(binary(), &program).unwrap();
    deployment.install(format!("#!/bin/sh\nsleep 3\nexec {program} \"$@\"\n").as_bytes());
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    eventually(format_args!("the first; {}", getmail.log()), || {
        (deployment.server().posts() == 1).then_some(())
    });
    deployment.mend();
    getmail.turn();
    assert_eq!(getmail.kept(), Some(0), "{}", getmail.log());
    deployment.server().posts()
}

#[test]
fn a_slow_delivery_is_not_repeated_because_of_the_timeout() {
    assert_eq!(slow_deliveries(as_it_is), 1);
    assert_eq!(slow_deliveries(replacing("timeout = 180\n", "timeout = 1\n")), 2);
}

/// With a log that goes to stderr: how many messages were stored, and how many kept.
fn with_a_log_on_stderr(edit: impl Fn(String) -> String) -> (usize, Option<usize>) {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, edit);
    let path = deployment.folder().join("ingress.toml");
    let settings = fs::read_to_string(&path).unwrap();
    let log = format!("log = \"{}\"", deployment.folder().shown("ingress.log"));
    fs::write(&path, settings.replace(&log, "log = \"stderr\"")).unwrap();
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    (deployment.server().records(), getmail.kept())
}

#[test]
fn what_goes_to_stderr_counts_as_a_failure() {
    assert_eq!(with_a_log_on_stderr(as_it_is), (1, Some(0)));
    assert_eq!(with_a_log_on_stderr(without(", \"--log\", \"syslog\"")), (1, Some(1)));
}

/// As root: how many messages getmail kept, and its log.
fn run_by_root(edit: impl Fn(String) -> String) -> (Option<usize>, String) {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, edit);
    getmail.submit(&reply(1)).unwrap();
    getmail.run(&mut getmail.command());
    (getmail.kept(), getmail.log())
}

#[test]
fn root_needs_a_user_and_a_group() {
    let (kept, log) = run_by_root(as_it_is);
    assert!(kept == Some(1) && log.contains("refuse to invoke external commands as root"), "{log}");
    let user = replacing("#user = nobody\n", "user = nobody\n");
    let (kept, log) = run_by_root(&user);
    assert!(kept == Some(1) && log.contains("as root or GID 0"), "{log}");
    let group = replacing("#group = nobody\n", "group = nogroup\n");
    let (kept, log) = run_by_root(|configuration| group(user(configuration)));
    assert_eq!(kept, Some(0), "{log}");
}

/// With a server whose certificate nobody vouches for.
fn at_a_stranger_s(edit: impl Fn(String) -> String) -> (Option<usize>, String) {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::edited(&deployment, |configuration| {
        let line = configuration.lines().find(|line| line.starts_with("ca_certs = ")).unwrap();
        edit(configuration.replace(line, "ca_certs = /etc/ssl/certs/ca-certificates.crt"))
    });
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    (getmail.kept(), getmail.log())
}

#[test]
fn the_password_goes_to_nobody_else_because_of_ca_certs() {
    let (kept, log) = at_a_stranger_s(as_it_is);
    assert!(kept == Some(1) && log.contains("CERTIFICATE_VERIFY_FAILED"), "{log}");
    let (kept, log) = at_a_stranger_s(without("ca_certs = /etc/ssl/certs/ca-certificates.crt\n"));
    assert_eq!(kept, Some(0), "{log}");
}

#[test]
fn a_multidrop_mailbox_hands_over_sender_and_recipient() {
    let deployment = Deployment::start();
    let getmail = Reader::<Getmail>::with_file(&deployment, "getmailrc-multidrop", as_it_is);
    let mut mail = Mail { sender: String::new(), ..to_an_inbox() };
    mail.text = format!("X-Original-To: Sales+shop@example.com\n{}", mail.text);
    getmail.submit(&mail).unwrap();
    getmail.turn();
    let record = deployment.server().routed(1).swap_remove(0);
    assert_eq!(
        (record.route.as_str(), record.x_original_to),
        ("inbox sales@example.com", vec!["Sales+shop@example.com".to_owned()])
    );
    assert_eq!(getmail.kept(), Some(0), "{}", getmail.log());
}
