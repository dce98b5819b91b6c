//! A folder with a configuration of a test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::cli::SettingsOptions;

/// A folder with an `ingress.toml` in it.
pub(super) struct Sample(tempfile::TempDir);

impl Sample {
    pub(super) fn new(text: &str) -> Self {
        let sample = Self(tempfile::tempdir().unwrap());
        sample.write("ingress.toml", text);
        sample
    }

    /// Writes a file that others cannot read.
    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Options that name the configuration.
    pub(super) fn options(&self) -> SettingsOptions {
        SettingsOptions { config: Some(self.path("ingress.toml")), ..SettingsOptions::default() }
    }
}
