//! A folder with a configuration and a log of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::{Ended, Ingress};

/// No other text holds it, in clear or in base64.
pub(crate) const PASSWORD: &str = "Xyzzy-Plugh-77-opensesame";

pub(crate) const MESSAGE: &str = "From: a@example.org\nTo: support@example.com\nSubject: hi\nMessage-ID: <1@example.org>\nContent-Type: text/plain\n\nhello\n";

pub(crate) struct Setting {
    folder: tempfile::TempDir,
}

impl Setting {
    /// Configures `url`, the password, a log file at level debug, and what `more` adds.
    pub(crate) fn new(url: &str, more: &str) -> Self {
        let setting = Self { folder: tempfile::tempdir().unwrap() };
        let log = setting.path("ingress.log");
        setting.write(
            "ingress.toml",
            &format!("url = \"{url}\"\npassword = \"{PASSWORD}\"\nlog = \"{}\"\n{more}\n", log.display()),
            0o600,
        );
        setting
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure_more(&self, more: &str) {
        let text = fs::read_to_string(self.path("ingress.toml")).unwrap();
        self.write("ingress.toml", &format!("{text}{more}\n"), 0o600);
    }

    /// A run with this configuration.
    pub(crate) fn ingress(&self, more: &[&str]) -> Ingress {
        Ingress::new(["-c", &self.shown("ingress.toml")]).args(more).stdin(MESSAGE)
    }

    pub(crate) fn run(&self) -> Ended {
        self.ingress(&[]).run()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("ingress.log")).unwrap_or_default()
    }

    /// Asserts that the log is one line with cause and remedy, and gives it.
    pub(crate) fn failure_logged(&self) -> String {
        let log = self.log();
        assert_eq!(log.lines().count(), 1, "{log}");
        for key in [" outcome=", " code=", " exit=", " ms=", " cause=\"", " remedy=\""] {
            assert!(log.contains(key), "{key} in {log}");
        }
        log
    }
}
