//! What stands around a caller: a folder, a real Action Mailbox, and an `ingress` that can be broken and restored.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, NOGROUP, PASSWORD, mode};
use crate::support::{Ingress, Port, binary};

pub(crate) struct Deployment {
    folder: Folder,
    server: ActionMailbox,
    /// Where nobody listens.
    closed: Port,
}

/// What an administrator can break, and restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ServerDown,
    WrongPassword,
    BrokenConfiguration,
    /// `ingress` itself panics: a build for tests does on demand.
    Panic,
}

/// The faults that this build can have.
pub(crate) fn faults() -> Vec<Fault> {
    let mut faults = vec![Fault::ServerDown, Fault::WrongPassword, Fault::BrokenConfiguration];
    if panics_on_demand() {
        faults.push(Fault::Panic);
    } else {
        println!("NOT RUN: panic: {} is a release build", binary());
    }
    faults
}

/// Messages are smaller, but for the one that is too large.
const MAX_SIZE: &str = "1MiB";

impl Deployment {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let server = ActionMailbox::start(folder.path());
        let deployment = Self { folder, server, closed: Port::hold() };
        deployment.restore();
        deployment
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn server(&self) -> &ActionMailbox {
        &self.server
    }

    /// The folder into which `ingress setup CALLER` writes the files for this deployment.
    pub(crate) fn setup(&self, caller: &str) -> PathBuf {
        self.folder.setup(caller)
    }

    /// From now on deliveries fail.
    pub(crate) fn break_with(&self, fault: Fault) {
        match fault {
            Fault::ServerDown => {
                self.configure(&format!("http://127.0.0.1:{}", self.closed.number()), PASSWORD, "");
            }
            Fault::WrongPassword => self.configure(&self.server.url(), "wrong", ""),
            Fault::BrokenConfiguration => {
                self.configure(&self.server.url(), PASSWORD, "max_size = \"a lot\"\n");
            }
            Fault::Panic => {
                let program = self.folder.shown("ingress.sound");
                fs::copy(binary(), &program).unwrap();
                self.install(format!("#!/bin/sh\nINGRESS_TEST_PANIC=1 exec {program} \"$@\"\n").as_bytes());
            }
        }
    }

    /// Everything is as it should be.
    pub(crate) fn restore(&self) {
        self.configure(&self.server.url(), PASSWORD, &format!("max_size = \"{MAX_SIZE}\"\n"));
        self.install(&fs::read(binary()).unwrap());
    }

    /// Takes `ingress` away.
    pub(crate) fn uninstall(&self) {
        fs::remove_file(self.folder.join("ingress")).unwrap();
    }

    fn configure(&self, url: &str, password: &str, more: &str) {
        self.folder.configure(url, password);
        let path = self.folder.join("ingress.toml");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(more);
        self.replace(&path, text.as_bytes(), 0o640);
    }

    /// Puts another program in the place of `ingress`.
    pub(crate) fn install(&self, program: &[u8]) {
        self.replace(&self.folder.join("ingress"), program, 0o755);
    }

    /// Puts a file in place as a whole: it may be in use.
    fn replace(&self, path: &Path, content: &[u8], bits: u32) {
        let new = path.with_extension("new");
        fs::write(&new, content).unwrap();
        mode(&new, bits);
        chown(&new, Some(0), Some(NOGROUP)).unwrap();
        fs::rename(&new, path).unwrap();
    }
}

fn panics_on_demand() -> bool {
    let ended =
        Ingress::new(["--url", "http://127.0.0.1:1", "--log", "off", "--config", "/dev/null", "-r", "a@b.c"])
            .env("INGRESS_PASSWORD", "x")
            .env("INGRESS_TEST_PANIC", "1")
            .stdin("Subject: x\n\nx\n")
            .run();
    ended.stdout.starts_with("4.3.0 ")
}
