//! Sendmail, with a mailer of its own.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::folder::{USER, mode};
use crate::support::guard::Guard;
use crate::support::guarded::{Edit, mail_is_kept_because_of};
use crate::support::matrix::matrix;
use crate::support::processes::Processes;
use crate::support::smtp;
use crate::support::syslog::Syslog;
use crate::support::{Caller, Deployment, Mail};
use crate::support::{Later, Port, eventually, unpacked};

struct Sendmail {
    configuration: PathBuf,
    log: PathBuf,
    returned: PathBuf,
    port: Port,
    daemon: Guard,
    _syslog: Syslog,
    folder: tempfile::TempDir,
}

const HOST: &str = "mx.example.net";

impl Sendmail {
    /// Starts it with what `ingress setup` wrote, the script edited.
    fn start_edited(deployment: &Deployment, edit: Edit<'_>) -> Self {
        let setup = deployment.setup("sendmail");
        let script = setup.join("chatwoot.sh");
        fs::write(&script, edit(fs::read_to_string(&script).unwrap())).unwrap();
        // Sendmail trusts no folder below one that everybody can write to, as /tmp is.
        let folder = tempfile::Builder::new().prefix("ingress-e2e-").tempdir_in("/var/lib").unwrap();
        mode(folder.path(), 0o755);
        fs::create_dir(folder.path().join("queue")).unwrap();
        mode(&folder.path().join("queue"), 0o700);
        let returned = deployment.folder().join("returned");
        fs::write(&returned, "").unwrap();
        mode(&returned, 0o666);
        fs::write(folder.path().join("return"), format!("exec cat >>{}\n", returned.display())).unwrap();
        let port = Port::hold();
        let source = folder.path().join("sendmail.mc");
        fs::write(&source, written(&setup, folder.path(), port.number())).unwrap();
        let configuration = folder.path().join("sendmail.cf");
        fs::write(&configuration, made(&source)).unwrap();
        let log = deployment.folder().join("maillog");
        let syslog = Syslog::into_file(&log);
        let mut command = sendmail(&configuration);
        command.args(["-bD", "-q1h"]).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Guard::start(&mut command);
        let address = ("127.0.0.1", port.number());
        eventually(
            format_args!("Sendmail to listen; {}", Later(|| fs::read_to_string(&log).unwrap_or_default())),
            || TcpStream::connect(address).ok(),
        );
        Self { configuration, log, returned, port, daemon, _syslog: syslog, folder }
    }

    fn run(&self, argument: &str) -> String {
        let output = sendmail(&self.configuration).arg(argument).output().unwrap();
        assert!(output.status.success(), "sendmail {argument}: {output:?}; {}", self.log());
        String::from_utf8(output.stdout).unwrap()
    }
}

fn sendmail(configuration: &Path) -> Command {
    let mut command = Command::new(unpacked("usr/libexec/sendmail/sendmail"));
    command.arg("-C").arg(configuration);
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// `sendmail.mc` of a host that takes mail for others alone, and what `ingress setup` wrote.
fn written(setup: &Path, folder: &Path, port: u16) -> String {
    let rules = fs::read_to_string(setup.join("chatwoot.m4")).unwrap();
    let rules = rules.replace("/etc/mail", &setup.display().to_string());
    // Addresses that the administrator's rules keep out, and where the bounces go.
    let more = "R$+ < @ reply.example.com $* >\t$#chatwoot $@ chatwoot $: $1 < @ reply.example.com >\n\
                R$+ < @ example.org $* >\t$#returned $@ returned $: $1 < @ example.org >\n";
    let error = rules.rfind("R$+ < @ reply.example.com . >\t$#error").unwrap();
    let (before, error) = rules.split_at(error);
    let relayed = fs::read_to_string(setup.join("relay-domains")).unwrap();
    let classes: String = relayed.lines().map(|domain| format!("CR{domain}\n")).collect();
    format!(
        "divert(0)dnl\nOSTYPE(`linux')dnl\n\
         define(`QUEUE_DIR', `{folder}/queue')dnl\ndefine(`confPID_FILE', `{folder}/pid')dnl\n\
         define(`HELP_FILE', `/dev/null')dnl\ndefine(`STATUS_FILE', `')dnl\ndefine(`ALIAS_FILE', `')dnl\n\
         define(`confCW_FILE', `/dev/null')dnl\ndefine(`confTO_IDENT', `0')dnl\ndefine(`confDOMAIN_NAME', `{HOST}')dnl\n\
         define(`confQUEUE_LA', `1000')dnl\ndefine(`confREFUSE_LA', `1000')dnl\ndefine(`confMAX_DAEMON_CHILDREN', `200')dnl\n\
         FEATURE(`no_default_msa')dnl\nFEATURE(`nocanonify')dnl\nFEATURE(`accept_unresolvable_domains')dnl\n\
         DAEMON_OPTIONS(`Family=inet, Port={port}, Addr=127.0.0.1, Name=MTA')dnl\n\
         LOCAL_CONFIG\nCRexample.org\n{classes}MAILER(`smtp')dnl\n\
         {before}{more}{error}\
         MAILER_DEFINITIONS\nMreturned,\tP=/bin/sh, F=Phnu, T=DNS/RFC822/X-Unix, U={USER},\n\tA=sh {folder}/return $u\n",
        folder = folder.display(),
    )
}

/// The configuration as m4 makes it of `sendmail.mc`.
fn made(source: &Path) -> Vec<u8> {
    let macros = unpacked("usr/share/sendmail/cf");
    let mut m4 = Command::new("m4");
    m4.arg(format!("-D_CF_DIR_={}/", macros.display())).arg(macros.join("m4/cf.m4")).arg(source);
    let output = m4.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

impl Caller for Sendmail {
    const NAME: &'static str = "Sendmail";
    const DELIVERED: &'static [&'static str] = &["mailer=chatwoot", "dsn=2.0.0, stat=Sent"];
    const DEFERRED: &'static [&'static str] =
        &["mailer=chatwoot", "stat=Deferred", "exited with EX_TEMPFAIL"];
    const REJECTED: &'static [&'static str] = &["mailer=chatwoot", "stat=Data format error"];
    const TOO_LARGE: &'static str = "5.3.4 The message is too large";

    fn start(deployment: &Deployment) -> Self {
        Self::start_edited(deployment, &std::convert::identity)
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit(self.port.number(), &mail.sender, &[&mail.recipient], &mail.text)
    }

    fn turn(&self) {
        self.run("-q");
    }

    fn kept(&self) -> Option<usize> {
        if Processes::of(self.folder.path()).any(|process| process != self.daemon.id()) {
            return None;
        }
        let queue = self.run("-bp");
        let total = queue.rsplit_once("Total requests: ")?.1;
        total.trim().parse().ok()
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn returned(&self) -> String {
        fs::read_to_string(&self.returned).unwrap()
    }
}

impl Drop for Sendmail {
    fn drop(&mut self) {
        Processes::of(self.folder.path()).end();
    }
}

matrix!(Sendmail);

#[test]
fn a_missing_binary_and_a_killed_run_keep_the_mail_because_of_the_case() {
    mail_is_kept_because_of(
        "case $? in 0) exit 0;; 65) exit 65;; *) exit 75;; esac\n",
        "stat=Deferred",
        Sendmail::start_edited,
    );
}
