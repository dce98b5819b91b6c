//! Dovecot's LMTP with a Sieve script that pipes, and what each guard in its configuration is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::binary;
use crate::support::deployment::Fault;
use crate::support::dovecot::{Dovecot, Version};
use crate::support::folder::{append, mode};
use crate::support::mail::{reply, tricks};
use crate::support::matrix::matrix;
use crate::support::reader::without;
use crate::support::{Caller, Deployment, Mail};

struct DovecotSieve {
    dovecot: Dovecot,
    scripts: PathBuf,
}

/// All addresses are users, and have the same mailbox.
const MAILBOX_USER: &str = "mailbox";

impl DovecotSieve {
    fn edited(deployment: &Deployment, edit: impl Fn(String) -> String) -> Self {
        let scripts = deployment.setup("dovecot-sieve");
        let programs = scripts.join("bin");
        fs::create_dir(&programs).unwrap();
        for program in ["chatwoot", "chatwoot-again"] {
            fs::copy(scripts.join(program), programs.join(program)).unwrap();
            mode(&programs.join(program), 0o755);
        }
        // Addresses that the administrator's scripts leave to their users.
        append(
            &scripts.join("chatwoot.sieve"),
            "if envelope :domain \"to\" \"reply.example.com\" { pipe \"chatwoot\"; stop; }\n",
        );
        append(
            &scripts.join("chatwoot-again.sieve"),
            "if address :domain \"delivered-to\" \"reply.example.com\" { pipe \"chatwoot-again\"; stop; }\n",
        );
        let settings = settings(&scripts).replace("/etc/dovecot/chatwoot", &shown(&scripts));
        let dovecot = Dovecot::start_with(deployment.folder(), &edit(settings));
        let sieve = Self { dovecot, scripts };
        for script in ["chatwoot.sieve", "chatwoot-again.sieve"] {
            sieve.tool("sievec", &[&shown(&sieve.scripts.join(script))]);
        }
        sieve
    }

    /// One of Pigeonhole's tools, with this server's configuration.
    fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.arg("-c").arg(self.dovecot.configuration()).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

/// The settings for the Dovecot that is here. For 2.3 the page has a command.
fn settings(setup: &Path) -> String {
    let path = setup.join("91-chatwoot.conf");
    if Version::installed() == Version::Old {
        let page = fs::read_to_string(setup.join("README.md")).unwrap();
        let command = page.lines().find(|line| line.starts_with("    sed ")).unwrap();
        let command = command.replace("/etc/dovecot/conf.d/91-chatwoot.conf", &shown(&path));
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    }
    fs::read_to_string(&path).unwrap()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Caller for DovecotSieve {
    const NAME: &'static str = "Dovecot Sieve";
    const DELIVERED: &'static [&'static str] = &["pipe action: piped message to program ", "chatwoot'"];
    const DEFERRED: &'static [&'static str] = &["lmtp(", "Terminated with non-zero exit code 75"];
    const REJECTED: &'static [&'static str] = &["lmtp(", "Terminated with non-zero exit code 65"];
    const TOO_LARGE: &'static str = "Terminated with non-zero exit code 65";

    fn start(deployment: &Deployment) -> Self {
        Self::edited(deployment, |settings| settings)
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        self.dovecot.deliver(mail)
    }

    fn turn(&self) {
        let script = shown(&self.scripts.join("chatwoot-again.sieve"));
        let output =
            self.tool("sieve-filter", &["-e", "-W", "-u", MAILBOX_USER, &script, "INBOX", "expunge"]);
        append(&self.dovecot.log_file(), &String::from_utf8_lossy(&output.stderr));
    }

    fn kept(&self) -> Option<usize> {
        Some(self.dovecot.messages())
    }

    fn log(&self) -> String {
        self.dovecot.log()
    }

    fn returned(&self) -> String {
        self.log()
    }
}

matrix!(DovecotSieve);

/// A delivery that takes three seconds.
fn slow(deployment: &Deployment) {
    let program = deployment.folder().shown("ingress.sound");
    fs::copy(binary(), &program).unwrap();
    deployment.install(format!("#!/bin/sh\nsleep 3\nexec {program} \"$@\"\n").as_bytes());
}

/// While it is not handed over as a whole, Dovecot watches the time; of what a pipe holds at once 2.4.1 forgets to, now and then.
fn longer_than_a_pipe() -> Mail {
    let mail = reply(1);
    Mail { text: format!("{}{}", mail.text, "a line of the message\n".repeat(10_000)), ..mail }
}

#[test]
fn a_slow_delivery_is_not_killed_because_of_sieve_pipe_exec_timeout() {
    let with = Deployment::start();
    let sieve = DovecotSieve::start(&with);
    slow(&with);
    sieve.submit(&longer_than_a_pipe()).unwrap();
    assert_eq!((sieve.kept(), with.server().records()), (Some(0), 1), "{}", sieve.log());
    let without = Deployment::start();
    let sieve = DovecotSieve::edited(&without, |settings| {
        assert!(settings.contains("sieve_pipe_exec_timeout = 150s\n"), "{settings}");
        settings.replace("sieve_pipe_exec_timeout = 150s\n", "sieve_pipe_exec_timeout = 1s\n")
    });
    slow(&without);
    sieve.submit(&longer_than_a_pipe()).unwrap();
    assert_eq!(sieve.kept(), Some(1), "{}", sieve.log());
    assert!(sieve.log().contains("Forcibly terminated with signal 15"), "{}", sieve.log());
}

#[test]
fn a_retry_keeps_the_recipient_because_the_made_up_one_is_unset() {
    let deployment = Deployment::start();
    let sieve = DovecotSieve::start(&deployment);
    let to_an_inbox = tricks().swap_remove(0);
    let fail = |fault| {
        deployment.break_with(fault);
        sieve.submit(&to_an_inbox).unwrap();
        deployment.restore();
    };
    fail(Fault::ServerDown);
    sieve.turn();
    let routed = deployment.server().routed(1);
    assert_eq!(routed[0].x_original_to, ["support@example.com"]);
    assert_eq!(routed[0].route, "inbox support@example.com");
    let program = sieve.scripts.join("bin/chatwoot-again");
    let text = fs::read_to_string(&program).unwrap();
    let guard = "unset RECIPIENT ORIG_RECIPIENT\n";
    assert!(text.contains(guard), "{text}");
    fs::write(&program, text.replace(guard, "")).unwrap();
    fail(Fault::ServerDown);
    sieve.turn();
    let routed = deployment.server().routed(2);
    assert_eq!(routed[1].x_original_to, ["recipient@example.com"]);
    assert_eq!(routed[1].route, "dropped");
}

#[test]
fn a_script_without_its_extension_keeps_everything() {
    let deployment = Deployment::start();
    let sieve = DovecotSieve::edited(&deployment, |settings| {
        let extension = match Version::installed() {
            Version::Old => "  sieve_global_extensions = +vnd.dovecot.pipe\n",
            Version::New => "  vnd.dovecot.pipe = yes\n",
        };
        without(extension)(settings)
    });
    sieve.submit(&reply(1)).unwrap();
    assert_eq!((sieve.kept(), deployment.server().posts()), (Some(1), 0), "{}", sieve.log());
}
