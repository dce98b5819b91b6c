//! procmail, and what each guard in its rules is for.

use std::path::Path;

use crate::support::deployment::Fault;
use crate::support::filter::{Fate, Filter, MailFilter};
use crate::support::guarded::KILLED;
use crate::support::mail::reply;
use crate::support::matrix::matrix;
use crate::support::reader::{replacing, without};
use crate::support::{Caller, Deployment};

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

fn started() -> (Deployment, Filter<Procmail>) {
    let deployment = Deployment::start();
    let procmail = Filter::start(&deployment);
    (deployment, procmail)
}

#[test]
fn a_failure_keeps_the_mail_because_of_the_w() {
    let (deployment, procmail) = started();
    deployment.break_with(Fault::ServerDown);
    assert_eq!(procmail.fate(&reply(1)), Fate::Kept);
    procmail.configure(replacing(":0 w\n", ":0\n"));
    assert_eq!(procmail.fate(&reply(2)), Fate::Taken, "and nobody has it");
    assert_eq!((deployment.server().records(), procmail.mailbox()), (0, String::new()));
}

#[test]
fn a_failure_does_not_end_in_the_mailbox_because_of_what_follows_the_recipe() {
    let (deployment, procmail) = started();
    deployment.break_with(Fault::ServerDown);
    assert_eq!(procmail.fate(&reply(1)), Fate::Kept);
    assert_eq!(procmail.mailbox(), "");
    procmail.configure(without("\nHOST\n"));
    assert_eq!(procmail.fate(&reply(2)), Fate::Kept, "and filed at each try");
    procmail.configure(|rules| rules.split_once("# Only a failure").unwrap().0.to_owned());
    assert_eq!(procmail.fate(&reply(3)), Fate::Taken);
    let mailbox = procmail.mailbox();
    assert!(
        mailbox.contains("Subject: Message 2\n") && mailbox.contains("Subject: Message 3\n"),
        "{mailbox}"
    );
}

#[test]
fn a_killed_run_keeps_the_mail_because_of_75() {
    let (deployment, procmail) = started();
    deployment.install(KILLED);
    assert_eq!(procmail.fate(&reply(1)), Fate::Kept);
    procmail.configure(without("  EXITCODE=75\n"));
    assert_eq!(procmail.fate(&reply(2)), Fate::Taken, "and nobody has it");
    assert_eq!((deployment.server().records(), procmail.mailbox()), (0, String::new()));
}

#[test]
fn what_is_delivered_is_delivered_once_because_exitcode_is_set_after_the_failure() {
    let (deployment, procmail) = started();
    assert_eq!(procmail.fate(&reply(1)), Fate::Taken);
    procmail.configure(replacing("SHELL=/bin/sh\n", "SHELL=/bin/sh\nEXITCODE=75\n"));
    assert_eq!(procmail.fate(&reply(2)), Fate::Kept, "although it was delivered");
    assert_eq!(deployment.server().records(), 2);
}
