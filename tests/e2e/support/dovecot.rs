//! A Dovecot of the test's own: mail comes in by LMTP, all of it into one mailbox, and is fetched by IMAP over TLS.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::Mail;
use crate::support::folder::{Folder, NOGROUP, USER, mode};
use crate::support::guard::Guard;
use crate::support::smtp;
use crate::support::{Port, eventually};

/// The name in its certificate.
pub(crate) const HOST: &str = "localhost";
/// Of every user of the IMAP server.
pub(crate) const PASSWORD: &str = "sesame";

pub(crate) struct Dovecot {
    /// Nothing before it was started. Its processes end with it.
    daemon: Option<Guard>,
    folder: PathBuf,
    imaps: Port,
    lmtp: Port,
}

/// Which settings it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// 2.3, as in Debian 12.
    Old,
    /// 2.4, as in Debian 13.
    New,
}

impl Version {
    pub(crate) fn installed() -> Self {
        let output = Command::new("dovecot").arg("--version").stdin(Stdio::null()).output().unwrap();
        match output.stdout.get(..4) {
            Some(b"2.3.") => Self::Old,
            Some(b"2.4.") => Self::New,
            _ => panic!("{output:?}"),
        }
    }
}

impl Dovecot {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, "")
    }

    /// Starts one with more in its configuration than the tests need: what a page says.
    pub(crate) fn start_with(folder: &Folder, more: &str) -> Self {
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
        let (folder, certificate, home) = (self.folder.display(), self.certificate(), self.home());
        let (certificate, home) = (certificate.display(), home.display());
        let version = match Version::installed() {
            Version::Old => format!(
                "ssl_cert = <{certificate}\nssl_key = <{folder}/key.pem\nmail_location = maildir:~/Maildir\n\
                 passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
                 userdb {{\n  driver = static\n  args = home={home} allow_all_users=yes\n}}\n"
            ),
            // It would take ten messages at once for one user, and tell the mail server before it to come back with the others.
            Version::New => format!(
                "lmtp_user_concurrency_limit = unlimited\nssl_server_cert_file = {certificate}\nssl_server_key_file = {folder}/key.pem\n\
                 mail_driver = maildir\nmail_path = ~/Maildir\n\
                 passdb static {{\n  password = {PASSWORD}\n}}\n\
                 userdb static {{\n  userdb_static_allow_all_users = yes\n  fields {{\n    home = {home}\n  }}\n}}\n"
            ),
        };
        let first = match Version::installed() {
            Version::Old => "",
            Version::New => "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n",
        };
        format!(
            "{first}base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/log\n\
             protocols = imap lmtp\nlisten = 127.0.0.1\nauth_username_chars =\n\
             ssl = required\nmail_uid = {USER}\nmail_gid = nogroup\n{version}\
             service imap-login {{\n\
             inet_listener imap {{\n  port = 0\n}}\n\
             inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n}}\n}}\n\
             service lmtp {{\n  inet_listener lmtp {{\n    port = {lmtp}\n  }}\n}}\n",
            imaps = self.imaps.number(),
            lmtp = self.lmtp.number(),
        )
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("dovecot.conf")
    }

    /// Its certificate, and the only authority that vouches for it: PEM.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The home of all its users.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The port for IMAP over TLS.
    pub(crate) fn imaps(&self) -> u16 {
        self.imaps.number()
    }

    /// Puts a message into the mailbox.
    ///
    /// # Errors
    ///
    /// The answer by which it was refused.
    pub(crate) fn deliver(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit_locally(self.lmtp.number(), &mail.sender, &mail.recipient, &mail.text)
    }

    /// How many messages are in the mailbox.
    pub(crate) fn messages(&self) -> usize {
        ["new", "cur"].iter().map(|folder| entries(&self.home().join("Maildir").join(folder))).sum()
    }

    /// Marks all messages in the mailbox as read.
    pub(crate) fn mark_as_read(&self) {
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(self.configuration()).args(["flags", "add", "-u", "mailbox", "\\Seen"]);
        let output = command.args(["mailbox", "INBOX", "ALL"]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}; {}", self.log());
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
}
