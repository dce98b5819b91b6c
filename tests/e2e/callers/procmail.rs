//! procmail, and what each guard in its rules is for.

use std::path::Path;

use super::Deployment;
use super::deployment::Fault;
use super::filter::{Fate, Filter, MailFilter};
use super::mail::reply;
use super::matrix::matrix;
use super::reader::{replacing, without};

struct Procmail;

impl MailFilter for Procmail {
    const NAME: &'static str = "procmail";
    const DEFERRED: &'static str = "dsn=4.3.0, status=deferred (temporary failure";
    const REJECTED: &'static str = "dsn=5.6.0, status=bounced (data format error";
    const TOO_LARGE: &'static str = "5.6.0";
    const FILE: &'static str = "procmailrc";

    fn told(recipient: &str) -> Option<String> {
        (!recipient.contains(' ')).then(|| recipient.to_owned())
    }

    fn adapted(rules: &str, home: &Path) -> String {
        let home = home.display();
        format!("DEFAULT={home}/mailbox\n{}", rules.replace("$HOME", &home.to_string()))
    }

    fn command(rules: &Path) -> String {
        format!("/usr/bin/procmail {}", rules.display())
    }
}

matrix!(Filter<Procmail>);

/// What becomes of a message that fails, and whether it is in the account's mailbox then.
fn fate_of_a_failure(spoil: impl Fn(&Deployment), edit: impl Fn(String) -> String) -> (Fate, bool) {
    let deployment = Deployment::start();
    let procmail = Filter::<Procmail>::edited(&deployment, edit);
    spoil(&deployment);
    let fate = procmail.fate(&reply(1));
    assert_eq!(deployment.server().records(), 0);
    (fate, procmail.mailbox().contains("Subject: Message 1\n"))
}

fn server_down(deployment: &Deployment) {
    deployment.break_with(Fault::ServerDown);
}

fn killed(deployment: &Deployment) {
    deployment.install(b"#!/bin/sh\ncat >/dev/null\nkill -KILL $$\n");
}

fn as_it_is(rules: String) -> String {
    rules
}

#[test]
fn a_failure_keeps_the_mail_because_of_the_w() {
    assert_eq!(fate_of_a_failure(server_down, as_it_is), (Fate::Kept, false));
    assert_eq!(fate_of_a_failure(server_down, replacing(":0 w\n", ":0\n")), (Fate::Taken, false));
}

#[test]
fn a_failure_does_not_end_in_the_mailbox_because_of_what_follows_the_recipe() {
    assert_eq!(fate_of_a_failure(server_down, as_it_is), (Fate::Kept, false));
    assert_eq!(fate_of_a_failure(server_down, without("\nHOST\n")), (Fate::Kept, true));
    let recipe = |rules: String| rules.split_once("# Only a failure").unwrap().0.to_owned();
    assert_eq!(fate_of_a_failure(server_down, recipe), (Fate::Taken, true));
}

#[test]
fn a_killed_run_keeps_the_mail_because_of_75() {
    assert_eq!(fate_of_a_failure(killed, as_it_is), (Fate::Kept, false));
    assert_eq!(fate_of_a_failure(killed, without("  EXITCODE=75\n")), (Fate::Taken, false));
}

#[test]
fn what_is_delivered_is_delivered_once_because_exitcode_is_set_after_the_failure() {
    let deployment = Deployment::start();
    let early = |rules| replacing("SHELL=/bin/sh\n", "SHELL=/bin/sh\nEXITCODE=75\n")(rules);
    let procmail = Filter::<Procmail>::edited(&deployment, early);
    assert_eq!(procmail.fate(&reply(1)), Fate::Kept);
    assert_eq!(deployment.server().records(), 1);
}
