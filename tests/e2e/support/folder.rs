//! A folder of a test's own, that mail servers' users can enter, with the binary and its configuration in it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::support::{Ingress, binary};

/// The password that Action Mailbox and, unless a test spoils it, ingress are given.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The key that Action Mailbox is given for the services that sign.
pub(crate) const SIGNING_KEY: &str = "key-0123456789abcdef";

/// The user that mail servers run ingress as.
pub(crate) const USER: &str = "nobody";
pub(crate) const NOGROUP: u32 = 65534;

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::Builder::new().prefix("ingress-e2e-").tempdir().unwrap());
        mode(folder.path(), 0o755);
        fs::copy(binary(), folder.join("ingress")).unwrap();
        mode(&folder.join("ingress"), 0o755);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The path as text.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.join(name).display().to_string()
    }

    /// Writes `ingress.toml` as an administrator would: readable for the user that ingress runs as, for nobody else.
    /// The log goes to `ingress.log`, and what is remembered to `state`: that user may write both.
    pub(crate) fn configure(&self, url: &str, password: &str) {
        let log = self.join("ingress.log");
        if !log.exists() {
            fs::write(&log, "").unwrap();
            chown(&log, Some(NOGROUP), Some(NOGROUP)).unwrap();
        }
        let state = self.join("state");
        if !state.exists() {
            fs::create_dir(&state).unwrap();
            mode(&state, 0o700);
            chown(&state, Some(NOGROUP), Some(NOGROUP)).unwrap();
        }
        let path = self.join("ingress.toml");
        let (log, state) = (log.display(), state.display());
        let text =
            format!("url = \"{url}\"\npassword = \"{password}\"\nlog = \"{log}\"\nstate_dir = \"{state}\"\n");
        fs::write(&path, text).unwrap();
        mode(&path, 0o640);
        chown(&path, Some(0), Some(NOGROUP)).unwrap();
    }

    /// The folder into which `ingress setup CALLER` writes the files for the program and the configuration in this one.
    pub(crate) fn setup(&self, caller: &str) -> PathBuf {
        let written = self.join("setup");
        let report = Ingress::new(["setup", caller, "--domain", "reply.example.com"])
            .args(&["--inbox", "support@example.com", "--inbox", "sales@example.com", "--user", USER])
            .args(&["--binary", &self.shown("ingress"), "-c", &self.shown("ingress.toml")])
            .args(&["--write", &written.display().to_string()])
            .output("ingress setup");
        let report = String::from_utf8(report).unwrap();
        assert!(
            report.lines().count() > 1 && report.lines().all(|line| Path::new(line).is_file()),
            "{report}"
        );
        written
    }

    pub(crate) fn ingress_log(&self) -> String {
        fs::read_to_string(self.join("ingress.log")).unwrap_or_default()
    }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn append(path: &Path, text: &str) {
    let mut file = fs::File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
