//! OpenSMTPD's action mda.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};

use crate::support::folder::{USER, mode};
use crate::support::guard::Guard;
use crate::support::guarded::{Edit, mail_is_kept_because_of};
use crate::support::matrix::matrix;
use crate::support::processes::Processes;
use crate::support::smtp;
use crate::support::{Caller, Deployment, Mail};
use crate::support::{Port, eventually, unpacked};

pub(super) struct OpenSmtpd {
    configuration: PathBuf,
    log: PathBuf,
    returned: PathBuf,
    port: Port,
    _daemon: Guard,
    _queue: Queue,
}

/// The queue, one at a time: its path is built in, as are those that `tests/debian/make` made.
struct Queue {
    _one: File,
}

const LOCK: &str = "/var/lock/opensmtpd";
const QUEUE: &str = "/var/spool/smtpd";

impl Queue {
    /// An empty one, once nobody else has it.
    fn own() -> Self {
        let one = File::create(LOCK).unwrap();
        flock(&one, FlockOperation::LockExclusive).unwrap();
        // A run that was killed left one.
        let _ = fs::remove_dir_all(QUEUE);
        fs::create_dir(QUEUE).unwrap();
        mode(Path::new(QUEUE), 0o711);
        Self { _one: one }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(QUEUE);
    }
}

impl OpenSmtpd {
    /// Starts it with what `ingress setup` wrote, the script edited.
    fn start_edited(deployment: &Deployment, edit: Edit<'_>) -> Self {
        let folder = deployment.folder();
        let setup = deployment.setup("opensmtpd");
        let returned = folder.join("returned");
        fs::write(&returned, "").unwrap();
        mode(&returned, 0o666);
        let port = Port::hold();
        let configuration = folder.join("smtpd.conf");
        let example = fs::read_to_string(setup.join("smtpd.conf")).unwrap();
        let script = setup.join("chatwoot.sh");
        fs::write(&script, edit(fs::read_to_string(&script).unwrap())).unwrap();
        let text = format!(
            "listen on 127.0.0.1 port {port} hostname mx.example.net\nsmtp max-message-size 64M\n{example}\
             action \"returned\" mda \"tee -a {returned}\" user {USER} virtual {{ \"@\" = {USER} }}\n\
             match from any for rcpt-to \"-help@reply.example.com\" action \"chatwoot\"\n\
             match from local for any action \"returned\"\n",
            port = port.number(),
            example = example.replace("/etc/mail", &setup.display().to_string()),
            returned = returned.display(),
        );
        fs::write(&configuration, text).unwrap();
        let queue = Queue::own();
        let log = folder.join("smtpd.log");
        let output = File::create(&log).unwrap();
        let mut command = Command::new(unpacked("usr/sbin/smtpd"));
        command.arg("-d").arg("-f").arg(&configuration).current_dir("/");
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let daemon = Guard::start(&mut command);
        let address = ("127.0.0.1", port.number());
        eventually("OpenSMTPD to listen", || TcpStream::connect(address).ok());
        Self { configuration, log, returned, port, _daemon: daemon, _queue: queue }
    }

    fn control(&self, words: &[&str]) -> String {
        let mut command = Command::new(unpacked("usr/sbin/smtpctl"));
        let output = command.args(words).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "smtpctl {words:?}: {output:?}; {}", self.log());
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Caller for OpenSmtpd {
    const NAME: &'static str = "OpenSMTPD";
    const DELIVERED: &'static [&'static str] = &["mda delivery", "result=Ok stat=Delivered"];
    const DEFERRED: &'static [&'static str] =
        &["mda delivery", "result=TempFail stat=Error (temporary failure: \"4."];
    const REJECTED: &'static [&'static str] =
        &["mda delivery", "result=PermFail", "5.3.4 The message is too large"];
    const TOO_LARGE: &'static str = "5.3.4 The message is too large";
    const REFUSES: &'static [&'static str] =
        &["a recipient with a quote and a blank", "a sender with a quote and a blank"];

    fn start(deployment: &Deployment) -> Self {
        Self::start_edited(deployment, &std::convert::identity)
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit(self.port.number(), &mail.sender, &[&mail.recipient], &mail.text)
    }

    fn turn(&self) {
        self.control(&["schedule", "all"]);
    }

    fn kept(&self) -> Option<usize> {
        let queue = self.control(&["show", "queue"]);
        queue.lines().all(|line| line.contains("|pending|")).then_some(queue.lines().count())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn returned(&self) -> String {
        fs::read_to_string(&self.returned).unwrap()
    }
}

impl Drop for OpenSmtpd {
    fn drop(&mut self) {
        Processes::of(&self.configuration).end();
    }
}

matrix!(OpenSmtpd);

#[test]
fn a_missing_binary_and_a_killed_run_keep_the_mail_because_of_the_case() {
    mail_is_kept_because_of(
        "case $? in 0) exit 0;; 65) exit 65;; *) exit 75;; esac\n",
        "result=TempFail",
        OpenSmtpd::start_edited,
    );
}
