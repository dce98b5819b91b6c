//! A folder with a configuration and a log of the test's own, and the message that most tests deliver.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::authority::Authority;
use crate::run::{Ended, Ingress};

/// No other text holds it, in clear or in base64.
pub(crate) const PASSWORD: &str = "Xyzzy-Plugh-77-opensesame";

/// Healthy: no repair has anything to do on it.
pub(crate) const MESSAGE: &str = "From: Ann <a@example.org>\nTo: support@example.com\nSubject: hi\n\
    Date: Thu, 01 Jan 2026 10:00:00 +0000\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n\
    Content-Type: text/plain; charset=utf-8\n\nhello\n";

pub(crate) const MISCONFIGURED: &str = "4.3.5 The mail gateway is misconfigured";
pub(crate) const CANNOT_BE_REACHED: &str = "4.4.1 Chatwoot cannot be reached";
pub(crate) const GATEWAY_FAILED: &str = "4.3.0 The mail gateway failed";
pub(crate) const NO_INPUT: &str = "4.3.0 No message was received";
pub(crate) const TOO_LATE: &str = "4.4.7 Chatwoot did not answer in time";
pub(crate) const NOT_STARTED: &str = "4.4.7 The mail gateway did not start in time";
pub(crate) const NOT_RECEIVED: &str = "4.4.7 The message was not received in time";
pub(crate) const INTERRUPTED: &str = "4.3.0 The mail gateway was interrupted";
pub(crate) const TOO_LARGE: &str = "5.3.4 The message is too large";
pub(crate) const LOST: &str = "4.4.2 The connection to Chatwoot was lost";

/// A port of this machine that nothing can listen on: nobody is there.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

/// The message with a body of so many bytes, in lines.
pub(crate) fn message_of(body: usize) -> String {
    let line = "a line of text, as long as the lines of mail are now and then, or so\n";
    let mut text = line.repeat(body / line.len() + 1);
    text.truncate(body.saturating_sub(1));
    format!("{}{text}\n", MESSAGE.trim_end_matches("hello\n"))
}

/// The bytes of a message that needs no repair, as they are sent.
pub(crate) fn on_the_wire(message: &str) -> Vec<u8> {
    message.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

pub(crate) struct Setting {
    folder: tempfile::TempDir,
}

impl Setting {
    /// Configures `url`, the password, a log file, and what `more` adds.
    pub(crate) fn new(url: &str, more: &str) -> Self {
        let setting = Self { folder: tempfile::tempdir().unwrap() };
        let log = setting.shown("ingress.log");
        let text = format!("url = \"{url}\"\npassword = \"{PASSWORD}\"\nlog = \"{log}\"\n{more}\n");
        setting.write("ingress.toml", text, 0o600);
        setting
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure_more(&self, more: &str) {
        let text = fs::read_to_string(self.path("ingress.toml")).unwrap();
        self.write("ingress.toml", format!("{text}{more}\n"), 0o600);
    }

    /// Has this authority's certificates trusted.
    pub(crate) fn trust(&self, authority: &Authority) {
        self.write("ca.pem", authority.pem(), 0o644);
        self.configure_more(&format!("ca_file = \"{}\"", self.shown("ca.pem")));
    }

    /// Makes a FIFO that nobody has open.
    pub(crate) fn fifo(&self, name: &str) -> String {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, self.path(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        self.shown(name)
    }

    /// A delivery of the message with this configuration.
    pub(crate) fn ingress(&self) -> Ingress {
        self.with(&[])
    }

    /// A delivery of the message with this configuration and more arguments.
    pub(crate) fn with(&self, more: &[&str]) -> Ingress {
        Ingress::new().args(["-c", &self.shown("ingress.toml")]).args(more).stdin(MESSAGE)
    }

    pub(crate) fn run(&self) -> Ended {
        self.ingress().run()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("ingress.log")).unwrap_or_default()
    }

    /// The lines of the log without what differs from run to run: the time they begin with, and `ms=`.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.log().lines().map(timeless).collect()
    }

    /// Asserts that the log is one line of a failure with cause and remedy, and gives it as `logged` does.
    #[track_caller]
    pub(crate) fn failure_logged(&self) -> String {
        let logged = self.logged();
        assert_eq!(logged.len(), 1, "{logged:?}");
        for key in ["outcome=", " code=", " exit=", " ms=_ cause=", " remedy="] {
            assert!(logged[0].contains(key), "{key} in {}", logged[0]);
        }
        logged[0].clone()
    }
}

fn timeless(line: &str) -> String {
    let (time, rest) = line.split_once(' ').unwrap_or_default();
    assert!(time.starts_with("20") && time.ends_with('Z') && time.contains('T'), "no time in {line}");
    let blank = |word: &str| if word.starts_with("ms=") { "ms=_".to_owned() } else { word.to_owned() };
    rest.trim_start().split(' ').map(blank).collect::<Vec<_>>().join(" ")
}
