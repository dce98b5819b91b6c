//! fetchmail with `mda`, and what each guard in its configuration is for.

use std::path::Path;
use std::process::Command;

use crate::support::action_mailbox::Routed;
use crate::support::dovecot::{Dovecot, HOST, PASSWORD};
use crate::support::mail::{large, reply};
use crate::support::matrix::matrix;
use crate::support::reader::{MailReader, Reader, another_second, replacing, without};
use crate::support::{Caller, Deployment, Mail};

struct Fetchmail;

impl MailReader for Fetchmail {
    const NAME: &'static str = "fetchmail";
    const DELIVERED: &'static [&'static str] = &["reading message mailbox@", " flushed"];
    const DEFERRED: &'static [&'static str] = &["fetchmail: MDA returned nonzero status 75"];
    const REJECTED: &'static [&'static str] = &["fetchmail: MDA returned nonzero status 65"];
    const TOO_LARGE: &'static str = "5.3.4 The message is too large";
    const FILE: &'static str = "fetchmailrc";

    fn adapted(configuration: &str, dovecot: &Dovecot, _password_file: &Path) -> String {
        configuration
            .replace("imap.example.net", &format!("{HOST} service {}", dovecot.imaps()))
            .replace("password \"secret\"", &format!("password \"{PASSWORD}\""))
    }

    fn command(configuration: &Path) -> Command {
        let mut command = Command::new("fetchmail");
        command.arg("--fetchmailrc").arg(configuration);
        command
    }
}

matrix!(Reader<Fetchmail>);

fn started() -> (Deployment, Reader<Fetchmail>) {
    let deployment = Deployment::start();
    let fetchmail = Reader::start(&deployment);
    (deployment, fetchmail)
}

/// The guard is in the program: it reads five megabytes that it refuses.
#[test]
fn the_mail_behind_a_refused_message_is_fetched_because_that_is_read_to_its_end() {
    let (deployment, fetchmail) = started();
    fetchmail.submit(&large(1)).unwrap();
    fetchmail.submit(&reply(2)).unwrap();
    deployment.install(b"#!/bin/sh\nexit 65\n");
    fetchmail.turn();
    let log = fetchmail.log();
    assert!(log.contains("error writing message text") && !log.contains("2 of 2"), "{log}");
    assert_eq!((fetchmail.kept(), deployment.server().records()), (Some(2), 0), "{log}");
    deployment.restore();
    fetchmail.turn();
    assert_eq!((fetchmail.kept(), deployment.server().records()), (Some(1), 1), "{}", fetchmail.log());
}

#[test]
fn a_message_with_a_broken_header_is_fetched_because_of_bad_header_accept() {
    let (deployment, fetchmail) = started();
    let mail = reply(1);
    let text = format!("Subject: broken\nthis is no field\n{}", mail.text);
    fetchmail.submit(&Mail { text, ..mail }).unwrap();
    fetchmail.turn_edited(without("  bad-header accept\n"));
    assert_eq!((fetchmail.kept(), deployment.server().records()), (Some(1), 0), "{}", fetchmail.log());
    fetchmail.turn_edited(|configuration| configuration);
    assert_eq!((fetchmail.kept(), deployment.server().records()), (Some(0), 1), "{}", fetchmail.log());
}

#[test]
fn a_message_that_was_read_is_fetched_because_of_fetchall() {
    let (_deployment, fetchmail) = started();
    fetchmail.submit(&reply(1)).unwrap();
    fetchmail.mark_as_read();
    fetchmail.turn_edited(without("fetchall "));
    assert_eq!(fetchmail.kept(), Some(1), "{}", fetchmail.log());
    fetchmail.turn_edited(|configuration| configuration);
    assert_eq!(fetchmail.kept(), Some(0), "{}", fetchmail.log());
}

#[test]
fn addresses_stay_as_they_are_because_of_no_rewrite() {
    let (deployment, fetchmail) = started();
    let copied = |number| {
        let mail = reply(number);
        Mail { text: format!("Cc: somebody\n{}", mail.text), ..mail }
    };
    fetchmail.submit(&copied(1)).unwrap();
    fetchmail.turn();
    fetchmail.submit(&copied(2)).unwrap();
    fetchmail.turn_edited(without("  no rewrite\n"));
    let routed = deployment.server().routed(2);
    let expanded = |record: &Routed| {
        let stored = String::from_utf8(deployment.server().stored(record.id)).unwrap();
        stored.contains("Cc: somebody@localhost\r\n")
    };
    assert_eq!(routed.iter().map(expanded).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_message_fetched_twice_is_one_record_because_of_invisible() {
    let (deployment, fetchmail) = started();
    let keeping = replacing("fetchall ", "fetchall keep ");
    fetchmail.submit(&reply(1)).unwrap();
    fetchmail.turn_edited(&keeping);
    fetchmail.turn_edited(&keeping);
    let counts = || (deployment.server().posts(), deployment.server().records());
    assert_eq!(counts(), (2, 1), "{}", fetchmail.log());
    let telling = |configuration| keeping(without("set invisible\n")(configuration));
    fetchmail.turn_edited(telling);
    another_second();
    fetchmail.turn_edited(telling);
    assert_eq!(counts(), (4, 3), "{}", fetchmail.log());
}
