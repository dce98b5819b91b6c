//! maildrop, and what each guard in its rules is for.

use std::path::Path;

use super::postfix_local::PostfixLocal;
use crate::support::filter::{Fate, Filter, MailFilter};
use crate::support::guarded::{KILLED, MISSING};
use crate::support::mail::reply;
use crate::support::matrix::matrix;
use crate::support::reader::without;
use crate::support::{Caller, Deployment};

struct Maildrop;

impl MailFilter for Maildrop {
    const NAME: &'static str = "maildrop";
    const DEFERRED: &'static str = "status=deferred (";
    const REJECTED: &'static str = "dsn=5.3.4, status=bounced (";
    const TOO_LARGE: &'static str = "5.3.4";
    const FILE: &'static str = "mailfilter";

    /// The filter leaves the environment as it is when it is told the file.
    fn told(recipient: &str) -> Option<String> {
        PostfixLocal::told(recipient)
    }

    fn adapted(rules: &str, home: &Path) -> String {
        format!("DEFAULT=\"{}/mailbox\"\n{rules}", home.display())
    }

    fn command(rules: &Path) -> String {
        format!("/usr/bin/maildrop {}", rules.display())
    }
}

matrix!(Filter<Maildrop>);

#[test]
fn an_account_without_a_shell_delivers_because_of_shell() {
    let deployment = Deployment::start();
    let maildrop = Filter::<Maildrop>::start(&deployment);
    assert_eq!(maildrop.fate(&reply(1)), Fate::Taken);
    assert_eq!(deployment.server().records(), 1);
    maildrop.configure(without("SHELL=\"/bin/sh\"\n"));
    assert_eq!(maildrop.fate(&reply(2)), Fate::Returned);
    assert!(maildrop.log().contains("This account is currently not available."), "{}", maildrop.log());
}

#[test]
fn a_missing_binary_and_a_killed_run_keep_the_mail_because_of_the_case() {
    let deployment = Deployment::start();
    let maildrop = Filter::<Maildrop>::start(&deployment);
    let bare = without("; case $? in 0) exit 0;; 65) exit 65;; *) exit 75;; esac");
    for program in [KILLED, MISSING] {
        deployment.install(program);
        maildrop.configure(|rules| rules);
        assert_eq!(maildrop.fate(&reply(1)), Fate::Kept);
        maildrop.configure(&bare);
        assert_eq!(maildrop.fate(&reply(2)), Fate::Returned);
    }
    deployment.uninstall();
    maildrop.configure(|rules| rules);
    assert_eq!(maildrop.fate(&reply(3)), Fate::Kept);
}
