//! A mail reader: it fetches Dovecot's mailbox by IMAP whenever it is run, and starts `ingress` for each message.

use std::fs::{self, File};
use std::marker::PhantomData;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::dovecot::{Dovecot, PASSWORD};
use super::{Caller, Deployment, Mail};
use crate::support::eventually;
use crate::support::folder::{NOGROUP, mode};
use crate::support::guard::Guard;

/// What is particular to one mail reader.
pub(crate) trait MailReader: Sync {
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

const PASSWORD_FILE: &str = "imap.password";

/// A mail reader with its mailbox.
pub(crate) struct Reader<R> {
    dovecot: Dovecot,
    /// Where the files of its page are.
    setup: PathBuf,
    /// Of the user who runs it, who is nobody.
    home: PathBuf,
    reader: PhantomData<R>,
}

impl<R: MailReader> Reader<R> {
    /// Gives it a configuration of its page, changed by `edit`, instead of the one it has.
    pub(crate) fn configure(&self, file: &str, edit: impl Fn(String) -> String) {
        let configuration = fs::read_to_string(self.setup.join(file)).unwrap();
        let adapted = R::adapted(&configuration, &self.dovecot, &self.home.join(PASSWORD_FILE));
        write(&self.home.join(R::FILE), &edit(adapted));
    }

    /// Fetches with its own configuration, changed by `edit`.
    pub(crate) fn turn_edited(&self, edit: impl Fn(String) -> String) {
        self.configure(R::FILE, edit);
        self.turn();
    }

    /// The command that fetches the mail, as cron would start it.
    pub(crate) fn command(&self) -> Command {
        let log = File::options().append(true).open(self.home.join("log")).unwrap();
        let mut command = R::command(&self.home.join(R::FILE));
        command.env_clear().env("HOME", &self.home).env("PATH", "/usr/bin:/bin");
        command.env("SSL_CERT_FILE", self.dovecot.certificate()).current_dir(&self.home);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// Marks all messages as read.
    pub(crate) fn mark_as_read(&self) {
        self.dovecot.mark_as_read();
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &mut Command) {
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
        let setup = deployment.setup(R::NAME);
        let dovecot = Dovecot::start(deployment.folder());
        let home = deployment.folder().join("reader");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(NOGROUP), Some(NOGROUP)).unwrap();
        write(&home.join(PASSWORD_FILE), PASSWORD);
        File::create(home.join("log")).unwrap();
        let reader = Self { dovecot, setup, home, reader: PhantomData };
        reader.configure(R::FILE, |configuration| configuration);
        reader
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

/// An edit that puts something else in the place of what must be there.
pub(crate) fn replacing(text: &'static str, other: &'static str) -> impl Fn(String) -> String {
    move |configuration| {
        assert_eq!(configuration.matches(text).count(), 1, "{text} in {configuration}");
        configuration.replace(text, other)
    }
}

/// An edit that takes out what must be there.
pub(crate) fn without(text: &'static str) -> impl Fn(String) -> String {
    replacing(text, "")
}

/// Waits until the time that goes into a Received field is another one.
pub(crate) fn another_second() {
    let start = Instant::now();
    eventually("another second", || (start.elapsed() > Duration::from_millis(1100)).then_some(()));
}
