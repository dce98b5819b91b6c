//! fdm with a pipe action, and what each guard in its configuration is for.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::support::dovecot::{Dovecot, HOST, PASSWORD};
use crate::support::folder::NOGROUP;
use crate::support::mail::{large, reply};
use crate::support::matrix::matrix;
use crate::support::reader::{MailReader, Reader, another_second, replacing, without};
use crate::support::{Caller, Deployment};

struct Fdm;

impl MailReader for Fdm {
    const NAME: &'static str = "fdm";
    const DELIVERED: &'static [&'static str] = &["chatwoot: message ", " delivered (rule 0, pipe)"];
    const DEFERRED: &'static [&'static str] = &["ingress.toml: command returned 75"];
    const REJECTED: &'static [&'static str] = &["ingress.toml: command returned 65"];
    const TOO_LARGE: &'static str = "command returned 65";
    const FILE: &'static str = "fdm.conf";

    fn adapted(configuration: &str, dovecot: &Dovecot, password_file: &Path) -> String {
        // Its place is the home of nobody, who has none.
        let lock = password_file.with_file_name("lock");
        configuration
            .replace("\naccount ", &format!("\nset lock-file \"{}\"\naccount ", lock.display()))
            .replace("\"imap.example.net\" port 993", &format!("\"{HOST}\" port {}", dovecot.imaps()))
            .replace("pass \"secret\"", &format!("pass \"{PASSWORD}\""))
    }

    fn command(configuration: &Path) -> Command {
        let mut command = Command::new("fdm");
        command.arg("-v").arg("-f").arg(configuration).arg("fetch");
        command
    }
}

matrix!(Reader<Fdm>);

fn started() -> (Deployment, Reader<Fdm>) {
    let deployment = Deployment::start();
    let fdm = Reader::start(&deployment);
    (deployment, fdm)
}

#[test]
fn the_mail_behind_a_refused_message_is_fetched_because_of_ignore_errors() {
    let (deployment, fdm) = started();
    fdm.submit(&large(1)).unwrap();
    for number in 2..=9 {
        fdm.submit(&reply(number)).unwrap();
    }
    fdm.turn_edited(without("set ignore-errors\n"));
    assert!(fdm.log().contains("chatwoot: fetching error. aborted"), "{}", fdm.log());
    assert!(fdm.kept().is_some_and(|kept| kept > 1), "{}", fdm.log());
    fdm.turn_edited(|configuration| configuration);
    assert_eq!(fdm.kept(), Some(1), "{}", fdm.log());
    assert_eq!(deployment.server().routed(8).len(), 8);
}

#[test]
fn a_large_message_does_not_end_the_run_because_of_maximum_size() {
    let (deployment, fdm) = started();
    fdm.submit(&large(1)).unwrap();
    fdm.submit(&reply(2)).unwrap();
    fdm.turn_edited(replacing("set maximum-size 100M\n", "set maximum-size 4M\nset timeout 2\n"));
    assert_eq!((fdm.kept(), deployment.server().records()), (Some(2), 0), "{}", fdm.log());
    fdm.turn_edited(|configuration| configuration);
    assert_eq!((fdm.kept(), deployment.server().records()), (Some(1), 1), "{}", fdm.log());
}

#[test]
fn a_message_fetched_twice_is_one_record_because_of_no_received() {
    let (deployment, fdm) = started();
    let keeping = replacing("pass \"sesame\"\n", "pass \"sesame\" keep\n");
    fdm.submit(&reply(1)).unwrap();
    fdm.turn_edited(&keeping);
    fdm.turn_edited(&keeping);
    assert_eq!((deployment.server().posts(), deployment.server().records()), (2, 1), "{}", fdm.log());
    let telling = |configuration| keeping(without("set no-received\n")(configuration));
    fdm.turn_edited(telling);
    another_second();
    fdm.turn_edited(telling);
    assert_eq!((deployment.server().posts(), deployment.server().records()), (4, 3), "{}", fdm.log());
}

#[test]
fn a_server_for_which_nobody_vouches_gets_no_password_because_of_verify_certificates() {
    let (_deployment, fdm) = started();
    let at_a_stranger_s = || fdm.run(fdm.command().env_remove("SSL_CERT_FILE").uid(NOGROUP).gid(NOGROUP));
    fdm.submit(&reply(1)).unwrap();
    at_a_stranger_s();
    assert_eq!(fdm.kept(), Some(1), "{}", fdm.log());
    fdm.configure(Fdm::FILE, without("set verify-certificates\n"));
    at_a_stranger_s();
    assert_eq!(fdm.kept(), Some(0), "{}", fdm.log());
}

/// What fdm does with a message that it only matches: it takes the folds out of the header, or it does not.
#[test]
fn an_action_hands_over_the_message_as_it_is() {
    let (deployment, fdm) = started();
    for number in 1..=9 {
        fdm.submit(&reply(number)).unwrap();
    }
    fdm.turn();
    for record in deployment.server().routed(9) {
        let stored = String::from_utf8(deployment.server().stored(record.id)).unwrap();
        assert!(stored.contains("\r\n\tby ") && stored.contains("\r\n\tfor <reply+"), "{stored}");
    }
}
