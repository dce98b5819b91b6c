//! getmail that waits for mail, as its unit runs it: started again whenever it has ended.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::getmail::Getmail;
use crate::support::deployment::Fault;
use crate::support::folder::NOGROUP;
use crate::support::guard::Guard;
use crate::support::mail::reply;
use crate::support::reader::Reader;
use crate::support::{Caller, Deployment, eventually};

/// Starts what the unit starts, in the home of its user; it is started again a tenth of a second after its end.
fn served(deployment: &Deployment, getmail: &Reader<Getmail>) -> Guard {
    let unit = fs::read_to_string(deployment.folder().join("setup/chatwoot-getmail.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(unit.contains("\nRestart=always\n") && unit.contains("\nWorkingDirectory=~\n"), "{unit}");
    let start = start.replace("--getmaildir .getmail", "--verbose --getmaildir .");
    let as_cron_would = getmail.command();
    let home = as_cron_would.get_current_dir().unwrap();
    chown(home.join("log"), Some(NOGROUP), Some(NOGROUP)).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("while :; do {start} >>log 2>&1; sleep 0.1; done")]);
    for (name, value) in as_cron_would.get_envs() {
        command.env(name, value.unwrap());
    }
    command.current_dir(home).uid(NOGROUP).gid(NOGROUP);
    Guard::start(&mut command)
}

/// Waits until the mailbox is empty and there are so many records.
fn arrived(deployment: &Deployment, getmail: &Reader<Getmail>, count: usize) {
    eventually(format_args!("{count} records; {}", getmail.log()), || {
        (deployment.server().records() == count && getmail.kept() == Some(0)).then_some(())
    });
}

#[test]
fn what_comes_while_it_waits_arrives_once_also_after_a_refusal() {
    let deployment = Deployment::start();
    let getmail: Reader<Getmail> = Reader::start(&deployment);
    getmail.submit(&reply(1)).unwrap();
    let _service = served(&deployment, &getmail);
    arrived(&deployment, &getmail, 1);
    getmail.submit(&reply(2)).unwrap();
    arrived(&deployment, &getmail, 2);
    deployment.break_with(Fault::ServerDown);
    getmail.submit(&reply(3)).unwrap();
    getmail.submit(&reply(4)).unwrap();
    eventually(format_args!("a refusal; {}", getmail.log()), || {
        getmail.log().contains(" error (75, ").then_some(())
    });
    assert_eq!(deployment.server().records(), 2);
    deployment.restore();
    arrived(&deployment, &getmail, 4);
    assert_eq!(deployment.server().posts(), 4);
}
