//! What each guard in the configuration for getmail is for: with it first, then without.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::getmail::Getmail;
use crate::support::guard::Guard;
use crate::support::mail::{reply, tricks};
use crate::support::reader::{MailReader, Reader, another_second, replacing, without};
use crate::support::{Caller, Deployment, Mail};
use crate::support::{binary, eventually};

fn started() -> (Deployment, Reader<Getmail>) {
    let deployment = Deployment::start();
    let getmail = Reader::start(&deployment);
    (deployment, getmail)
}

/// A message to an inbox that only its envelope names.
fn to_an_inbox() -> Mail {
    tricks().swap_remove(0)
}

#[test]
fn the_field_that_getmail_adds_misleads_nobody() {
    const GETMAILS: &str = "\r\nDelivered-To: unknown\r\n";
    let (deployment, getmail) = started();
    getmail.submit(&to_an_inbox()).unwrap();
    getmail.turn();
    getmail.submit(&to_an_inbox()).unwrap();
    getmail.turn_edited(without("delivered_to = false\n"));
    let routed = deployment.server().routed(2);
    let stored = |id| String::from_utf8(deployment.server().stored(id)).unwrap();
    assert!(routed.iter().all(|record| record.x_original_to == ["support@example.com"]), "{routed:?}");
    assert_eq!(routed.iter().map(|record| stored(record.id).contains(GETMAILS)).max(), Some(true));
    assert_eq!(routed.iter().map(|record| stored(record.id).contains(GETMAILS)).min(), Some(false));
}

#[test]
fn a_message_fetched_twice_is_one_record_because_of_received() {
    let (deployment, getmail) = started();
    let keeping = replacing("delete = true\n", "delete = false\n");
    let records_after = |runs: usize| {
        let posted = || (deployment.server().posts() == runs).then_some(());
        eventually(format_args!("{runs} deliveries; {}", getmail.log()), posted);
        deployment.server().records()
    };
    getmail.submit(&reply(1)).unwrap();
    getmail.turn_edited(&keeping);
    getmail.turn_edited(&keeping);
    assert_eq!(records_after(2), 1);
    let telling = |configuration| keeping(without("received = false\n")(configuration));
    getmail.turn_edited(telling);
    another_second();
    getmail.turn_edited(telling);
    assert_eq!(records_after(4), 3);
}

#[test]
fn a_slow_delivery_is_not_repeated_because_of_the_timeout() {
    let (deployment, getmail) = started();
    let program = deployment.folder().shown("ingress.sound");
    fs::copy(binary(), &program).unwrap();
    deployment.install(format!("#!/bin/sh\nsleep 3\nexec {program} \"$@\"\n").as_bytes());
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    assert_eq!((getmail.kept(), deployment.server().posts()), (Some(0), 1));
    getmail.submit(&reply(2)).unwrap();
    getmail.turn_edited(replacing("timeout = 180\n", "timeout = 1\n"));
    assert_eq!((getmail.kept(), deployment.server().posts()), (Some(1), 1), "{}", getmail.log());
    eventually("the delivery without getmail", || (deployment.server().posts() == 2).then_some(()));
    getmail.turn_edited(|configuration| configuration);
    assert_eq!((getmail.kept(), deployment.server().posts()), (Some(0), 3));
}

#[test]
fn what_goes_to_stderr_counts_as_a_failure() {
    let (deployment, getmail) = started();
    let path = deployment.folder().join("ingress.toml");
    let settings = fs::read_to_string(&path).unwrap();
    let log = format!("log = \"{}\"", deployment.folder().shown("ingress.log"));
    fs::write(&path, settings.replace(&log, "log = \"stderr\"")).unwrap();
    getmail.submit(&reply(1)).unwrap();
    getmail.turn();
    assert_eq!((getmail.kept(), deployment.server().records()), (Some(0), 1));
    getmail.submit(&reply(2)).unwrap();
    getmail.turn_edited(without(", \"--log\", \"syslog\""));
    assert_eq!((getmail.kept(), deployment.server().records()), (Some(1), 2));
}

/// Runs it with a command that it refuses to start. getmail 6.18 may miss that its child has left already, and then waits for three
/// minutes: it is stopped sooner.
fn refused_run(getmail: &Reader<Getmail>) {
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut run = Guard::start(&mut getmail.command());
    let end = Instant::now() + PATIENCE;
    while !run.has_exited() && Instant::now() < end {
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn root_needs_a_user_and_a_group() {
    let (_deployment, getmail) = started();
    let user = replacing("#user = nobody\n", "user = nobody\n");
    let group = replacing("#group = nobody\n", "group = nogroup\n");
    getmail.submit(&reply(1)).unwrap();
    eventually(format_args!("getmail to refuse; {}", getmail.log()), || {
        refused_run(&getmail);
        getmail.log().contains("refuse to invoke external commands as root").then_some(())
    });
    getmail.configure(Getmail::FILE, &user);
    refused_run(&getmail);
    assert_eq!(getmail.kept(), Some(1), "{}", getmail.log());
    getmail.configure(Getmail::FILE, |configuration| group(user(configuration)));
    getmail.run(&mut getmail.command());
    assert_eq!(getmail.kept(), Some(0), "{}", getmail.log());
}

#[test]
fn a_server_for_which_nobody_vouches_gets_no_password_because_of_ca_certs() {
    const SYSTEM: &str = "ca_certs = /etc/ssl/certs/ca-certificates.crt\n";
    let (_deployment, getmail) = started();
    let at_a_stranger_s = |configuration: String| {
        let vouching = configuration.lines().find(|line| line.starts_with("ca_certs = ")).unwrap();
        configuration.replace(&format!("{vouching}\n"), SYSTEM)
    };
    getmail.submit(&reply(1)).unwrap();
    getmail.turn_edited(at_a_stranger_s);
    assert!(getmail.log().contains("CERTIFICATE_VERIFY_FAILED"), "{}", getmail.log());
    assert_eq!(getmail.kept(), Some(1));
    getmail.turn_edited(|configuration| without(SYSTEM)(at_a_stranger_s(configuration)));
    assert_eq!(getmail.kept(), Some(0), "{}", getmail.log());
}

#[test]
fn a_multidrop_mailbox_hands_over_sender_and_recipient() {
    let (deployment, getmail) = started();
    getmail.configure("getmailrc-multidrop", |configuration| configuration);
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
