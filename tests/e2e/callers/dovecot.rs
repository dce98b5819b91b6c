//! A Dovecot of the test's own: mail comes in by LMTP, all of it into one mailbox, and is fetched by IMAP over TLS.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::Mail;
use crate::folder::{Folder, NOGROUP, USER, mode};
use crate::guard::Guard;
use crate::smtp;
use crate::support::{Port, eventually};

/// The name in its certificate.
pub(super) const HOST: &str = "localhost";
/// Of every user of the IMAP server.
pub(super) const PASSWORD: &str = "sesame";

pub(super) struct Dovecot {
    /// Nothing before it was started. Its processes end with it.
    daemon: Option<Guard>,
    folder: PathBuf,
    imaps: Port,
    lmtp: Port,
}

impl Dovecot {
    pub(super) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, "")
    }

    /// Starts one with more in its configuration than the tests need: what a page says.
    pub(super) fn start_with(folder: &Folder, more: &str) -> Self {
        let dovecot =
            Self { daemon: None, folder: folder.join("dovecot"), imaps: Port::hold(), lmtp: Port::hold() };
        fs::create_dir(&dovecot.folder).unwrap();
        fs::create_dir(dovecot.home()).unwrap();
        chown(dovecot.home(), Some(NOGROUP), Some(NOGROUP)).unwrap();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()]).unwrap();
        fs::write(dovecot.certificate(), cert.pem()).unwrap();
        let key = dovecot.folder.join("key.pem");
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        mode(&key, 0o600);
        fs::write(dovecot.configuration(), format!("{}{more}", dovecot.settings())).unwrap();
        dovecot.run()
    }

    fn run(mut self) -> Self {
        let output = File::create(self.folder.join("output")).unwrap();
        let mut command = Command::new("dovecot");
        command.arg("-F").arg("-c").arg(self.configuration()).env("PATH", "/usr/sbin:/usr/bin:/bin");
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut daemon = Guard::start(&mut command);
        for port in [self.imaps.number(), self.lmtp.number()] {
            eventually("Dovecot to listen", || {
                let output = fs::read_to_string(self.folder.join("output")).unwrap();
                assert!(!daemon.has_exited(), "Dovecot ended:\n{output}{}", self.log());
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        self.daemon = Some(daemon);
        self
    }

    fn settings(&self) -> String {
        format!(
            "base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/log\n\
             protocols = imap lmtp\nlisten = 127.0.0.1\nauth_username_chars =\n\
             ssl = required\nssl_cert = <{certificate}\nssl_key = <{folder}/key.pem\n\
             mail_location = maildir:~/Maildir\nmail_uid = {USER}\nmail_gid = nogroup\n\
             passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
             userdb {{\n  driver = static\n  args = home={home} allow_all_users=yes\n}}\n\
             service imap-login {{\n\
             inet_listener imap {{\n  port = 0\n}}\n\
             inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n}}\n}}\n\
             service lmtp {{\n  inet_listener lmtp {{\n    port = {lmtp}\n  }}\n}}\n",
            folder = self.folder.display(),
            certificate = self.certificate().display(),
            home = self.home().display(),
            imaps = self.imaps.number(),
            lmtp = self.lmtp.number(),
        )
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder.join("dovecot.conf")
    }

    /// Its certificate, and the only authority that vouches for it: PEM.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The home of all its users.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The port for IMAP over TLS.
    pub(super) fn imaps(&self) -> u16 {
        self.imaps.number()
    }

    /// Puts a message into the mailbox.
    ///
    /// # Errors
    ///
    /// The answer by which it was refused.
    pub(super) fn deliver(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit_locally(self.lmtp.number(), &mail.sender, &mail.recipient, &mail.text)
    }

    /// How many messages are in the mailbox.
    pub(super) fn messages(&self) -> usize {
        ["new", "cur"].iter().map(|folder| entries(&self.home().join("Maildir").join(folder))).sum()
    }

    /// Marks all messages in the mailbox as read.
    pub(super) fn mark_as_read(&self) {
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(self.configuration()).args(["flags", "add", "-u", "mailbox", "\\Seen"]);
        let output = command.args(["mailbox", "INBOX", "ALL"]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}; {}", self.log());
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
}
