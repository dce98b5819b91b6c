//! What each guard in the configuration for Exim is for: with it the message is kept, without it the sender gets it back.

use std::process::{Command, Stdio};

use super::exim::Exim;
use crate::support::guarded::KILLED;
use crate::support::mail::reply;
use crate::support::{Caller, Deployment};
use crate::support::{Later, eventually, unpacked};

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Returned,
}

/// Sends one message through a transport that is edited, by a program that is spoilt.
fn fate(spoil: impl Fn(&Deployment), edit: impl Fn(String) -> String) -> Fate {
    let deployment = Deployment::start();
    let exim = Exim::start_edited(&deployment, edit);
    spoil(&deployment);
    exim.submit(&reply(1)).unwrap();
    eventually(format_args!("an end of the delivery; {}", Later(|| exim.log())), || {
        let log = exim.log();
        if exim.returned().contains("reply+") {
            Some(Fate::Returned)
        } else if log.contains(" == ") || log.contains("Frozen") {
            (exim.kept() == Some(1)).then_some(Fate::Kept)
        } else {
            None
        }
    })
}

fn without(guard: &'static str) -> impl Fn(String) -> String {
    move |transport| {
        let line = format!("  {guard}\n");
        assert!(transport.contains(&line), "{transport}");
        transport.replace(&line, "")
    }
}

fn as_it_is(transport: String) -> String {
    transport
}

#[test]
fn a_missing_binary_keeps_the_mail_because_of_freeze_exec_fail() {
    let spoil = |deployment: &Deployment| deployment.uninstall();
    assert_eq!(fate(spoil, as_it_is), Fate::Kept);
    assert_eq!(fate(spoil, without("freeze_exec_fail")), Fate::Returned);
}

#[test]
fn a_killed_run_keeps_the_mail_because_of_freeze_signal() {
    let spoil = |deployment: &Deployment| deployment.install(KILLED);
    assert_eq!(fate(spoil, as_it_is), Fate::Kept);
    assert_eq!(fate(spoil, without("freeze_signal")), Fate::Returned);
}

#[test]
fn a_run_that_takes_too_long_keeps_the_mail_because_of_timeout_defer() {
    let spoil = |deployment: &Deployment| {
        deployment.install(b"#!/bin/sh\ncat >/dev/null\nexec sleep 60\n");
    };
    let short = |transport: String| transport.replace("timeout = 10m", "timeout = 1s");
    assert_eq!(fate(spoil, short), Fate::Kept);
    assert_eq!(fate(spoil, |transport| without("timeout_defer")(short(transport))), Fate::Returned);
}

#[test]
fn return_output_returns_what_is_to_be_tried_again() {
    let spoil =
        |deployment: &Deployment| deployment.break_with(crate::support::deployment::Fault::WrongPassword);
    assert_eq!(fate(spoil, as_it_is), Fate::Kept);
    let with = |transport: String| transport.replace("  return_fail_output\n", "  return_output\n");
    assert_eq!(fate(spoil, with), Fate::Returned);
}

#[test]
fn an_address_on_the_command_line_is_tainted_and_returns_the_mail() {
    let tainted =
        |transport: String| transport.replace("/ingress.toml\n", "/ingress.toml -r $local_part@$domain\n");
    assert_eq!(fate(|_| {}, tainted), Fate::Returned);
}

/// Debian's configuration in many files, made by its own tool, with the files where the page says.
#[test]
fn debian_s_split_configuration_takes_the_files() {
    let deployment = Deployment::start();
    let folder = deployment.folder();
    let setup = deployment.setup("exim");
    let shell = format!(
        "set -e; cp -r {etc} conf; sed -i 's|/etc/exim4|{setup}|' {setup}/chatwoot_*; \
         install -m 644 {setup}/chatwoot_main conf/conf.d/main/000_chatwoot; \
         install -m 644 {setup}/chatwoot_router conf/conf.d/router/160_chatwoot; \
         install -m 644 {setup}/chatwoot_transport conf/conf.d/transport/30_chatwoot; \
         printf '%s\\n' dc_eximconfig_configtype=internet dc_other_hostnames=mx.example.net dc_local_interfaces=127.0.0.1 \
         dc_use_split_config=true dc_localdelivery=mail_spool CFILEMODE=644 >conf/update-exim4.conf.conf; \
         sh {tool} -d $PWD/conf -o $PWD/generated",
        etc = unpacked("etc/exim4").display(),
        setup = setup.display(),
        tool = unpacked("usr/sbin/update-exim4.conf").display(),
    );
    let made = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let asked = |address: &str| {
        let mut exim = Command::new(unpacked("usr/sbin/exim4"));
        exim.arg("-C").arg(folder.join("generated")).args(["-bt", address]).stdin(Stdio::null());
        String::from_utf8(exim.output().unwrap().stdout).unwrap()
    };
    let transport = "transport = chatwoot\n";
    for address in [reply(1).recipient.as_str(), "support@example.com", "Sales+shop@example.com"] {
        assert!(asked(address).contains(transport), "{address}: {}", asked(address));
    }
    for address in ["nobody@reply.example.com", "nobody@example.com"] {
        assert!(asked(address).contains("Chatwoot has no such address"), "{address}: {}", asked(address));
    }
}
