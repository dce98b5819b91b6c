//! A mail reader: it fetches Dovecot's mailbox by IMAP whenever it is run, and starts `ingress` for each message.

use std::fs::{self, File};
use std::marker::PhantomData;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::dovecot::Dovecot;
use super::{Caller, Deployment, Mail};
use crate::folder::{NOGROUP, mode};
use crate::guard::Guard;
use crate::support::eventually;

/// What is particular to one mail reader.
pub(super) trait MailReader: Sync {
    const NAME: &'static str;
    const DELIVERED: &'static [&'static str];
    const DEFERRED: &'static [&'static str];
    const REJECTED: &'static [&'static str];
    const TOO_LARGE: &'static str;
    /// Its configuration, among the files of `ingress setup`.
    const FILE: &'static str;

    /// The configuration, for this server instead of the page's, with the password in a file.
    fn adapted(configuration: &str, dovecot: &Dovecot, password_file: &Path) -> String;

    /// How it is run; `configuration` is the path.
    fn command(configuration: &Path) -> Command;
}

/// A mail reader with its mailbox.
pub(super) struct Reader<R> {
    dovecot: Dovecot,
    /// Of the user who runs it, who is nobody.
    home: PathBuf,
    reader: PhantomData<R>,
}

impl<R: MailReader> Reader<R> {
    /// Sets it up with its own configuration, changed by `edit`.
    pub(super) fn edited(deployment: &Deployment, edit: impl Fn(String) -> String) -> Self {
        Self::with_file(deployment, R::FILE, edit)
    }

    /// Sets it up with one of the files of its page, changed by `edit`.
    pub(super) fn with_file(deployment: &Deployment, file: &str, edit: impl Fn(String) -> String) -> Self {
        let setup = deployment.setup(R::NAME);
        let dovecot = Dovecot::start(deployment.folder());
        let home = deployment.folder().join("reader");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(NOGROUP), Some(NOGROUP)).unwrap();
        let password = home.join("imap.password");
        write(&password, super::dovecot::PASSWORD);
        let configuration = fs::read_to_string(setup.join(file)).unwrap();
        write(&home.join(R::FILE), &edit(R::adapted(&configuration, &dovecot, &password)));
        File::create(home.join("log")).unwrap();
        Self { dovecot, home, reader: PhantomData }
    }

    /// The command that fetches the mail, as cron would start it.
    pub(super) fn command(&self) -> Command {
        let log = File::options().append(true).open(self.home.join("log")).unwrap();
        let mut command = R::command(&self.home.join(R::FILE));
        command.env_clear().env("HOME", &self.home).env("PATH", "/usr/bin:/bin");
        command.env("SSL_CERT_FILE", self.dovecot.certificate()).current_dir(&self.home);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, command: &mut Command) {
        let mut run = Guard::start(command);
        eventually(format_args!("{} to end; {}", R::NAME, self.log()), || run.has_exited().then_some(()));
    }
}

/// A file that nobody but nobody can read.
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    mode(path, 0o600);
    chown(path, Some(NOGROUP), Some(NOGROUP)).unwrap();
}

impl<R: MailReader> Caller for Reader<R> {
    const NAME: &'static str = R::NAME;
    const DELIVERED: &'static [&'static str] = R::DELIVERED;
    const DEFERRED: &'static [&'static str] = R::DEFERRED;
    const REJECTED: &'static [&'static str] = R::REJECTED;
    const TOO_LARGE: &'static str = R::TOO_LARGE;

    fn start(deployment: &Deployment) -> Self {
        Self::edited(deployment, |configuration| configuration)
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        self.dovecot.deliver(mail)
    }

    fn turn(&self) {
        self.run(self.command().uid(NOGROUP).gid(NOGROUP));
    }

    fn kept(&self) -> Option<usize> {
        Some(self.dovecot.messages())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap()
    }

    fn returned(&self) -> String {
        self.log()
    }
}
