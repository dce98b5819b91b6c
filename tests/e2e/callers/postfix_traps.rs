//! What the guards in the configuration for Postfix are for, each with and without.

use std::fs;

use crate::support::Deployment;
use crate::support::mail::reply;
use crate::support::postfix::{PIPE, Postfix};

/// Starts Postfix with one of its files edited.
fn edited(deployment: &Deployment, file: &str, from: &str, to: &str) -> Postfix {
    let setup = deployment.setup("postfix");
    let path = setup.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
    Postfix::start_with(deployment.folder(), &setup, &PIPE)
}

/// The sender that ingress was told of a bounce.
fn sender_of_a_bounce(null_sender: &str) -> String {
    let deployment = Deployment::start();
    let postfix = edited(&deployment, "master.cf", "null_sender=", null_sender);
    postfix.send("", &[&reply(1).recipient], &reply(1).text);
    deployment.server().routed(1);
    postfix.emptied();
    let log = deployment.folder().ingress_log();
    let (_, after) = log.split_once(" sender=").unwrap();
    after.split(' ').next().unwrap().to_owned()
}

/// Without it Postfix says `MAILER-DAEMON`, which ingress takes for the same.
#[test]
fn a_bounce_is_known_as_one_with_null_sender_and_without() {
    assert_eq!(sender_of_a_bounce("null_sender="), "<>");
    assert_eq!(sender_of_a_bounce(""), "<>");
}

/// Lines of one run with two recipients, and how many posts it made.
fn two_recipients(limit: &str) -> (usize, usize) {
    let deployment = Deployment::start();
    let postfix = edited(&deployment, "main.cf", "chatwoot_destination_recipient_limit = 1", limit);
    postfix.send("a@example.org", &["support@example.com", "sales@example.com"], &reply(1).text);
    deployment.server().routed(2);
    postfix.emptied();
    let log = deployment.folder().ingress_log();
    let first = |line: &str| line.contains("recipient=support@example.com");
    let times: Vec<&str> = log.lines().filter(|line| first(line)).collect();
    assert_eq!(times.len(), 1, "{log}");
    let runs = postfix.log().lines().filter(|line| line.contains("postfix/pipe[")).count();
    (runs, deployment.server().posts())
}

/// Each recipient has a line of its own in Postfix's log, also when one run had both: then ingress sends a copy to each.
#[test]
fn both_recipients_get_a_copy_with_the_recipient_limit_and_without() {
    assert_eq!(two_recipients("chatwoot_destination_recipient_limit = 1"), (2, 2));
    assert_eq!(two_recipients(""), (2, 2));
}

/// Whether a message whose run takes three seconds comes back to its sender.
fn comes_back(limit: &str) -> bool {
    let deployment = Deployment::start();
    let postfix = edited(&deployment, "main.cf", "chatwoot_time_limit = 600s", limit);
    deployment.install(b"#!/bin/sh\ncat >/dev/null\nsleep 3\nexit 75\n");
    postfix.send("customer@example.org", &[&reply(1).recipient], &reply(1).text);
    postfix.logged(1, &["relay=chatwoot", "status="]);
    let log = postfix.log();
    assert!(
        log.contains("status=deferred") != log.contains("status=bounced (Command time limit exceeded"),
        "{log}"
    );
    log.contains("status=bounced")
}

#[test]
fn a_slow_run_keeps_its_message_because_of_the_time_limit() {
    assert!(!comes_back("chatwoot_time_limit = 600s"));
    assert!(comes_back("chatwoot_time_limit = 1s"));
}
