//! getmail with `MDA_external`.

use std::path::Path;
use std::process::Command;

use crate::support::dovecot::{Dovecot, HOST};
use crate::support::matrix::matrix;
use crate::support::reader::{MailReader, Reader};

pub(super) struct Getmail;

impl MailReader for Getmail {
    const NAME: &'static str = "getmail";
    const DELIVERED: &'static [&'static str] = &["msg ", ") delivered, deleted"];
    const DEFERRED: &'static [&'static str] = &["delivery error (command ingress ", " error (75, "];
    const REJECTED: &'static [&'static str] = &["delivery error (command ingress ", " error (65, "];
    const TOO_LARGE: &'static str = "5.3.4 The message is too large";
    const FILE: &'static str = "getmailrc";

    fn adapted(configuration: &str, dovecot: &Dovecot, password_file: &Path) -> String {
        configuration
            .replace("imap.example.net", &format!("{HOST}\nport = {}", dovecot.imaps()))
            .replace("~nobody/imap.password", &password_file.display().to_string())
            .replace("/etc/ssl/certs/ca-certificates.crt", &dovecot.certificate().display().to_string())
    }

    fn command(configuration: &Path) -> Command {
        let mut command = Command::new("getmail");
        command.arg("--getmaildir").arg(configuration.parent().unwrap()).arg("--verbose");
        command
    }
}

matrix!(Reader<Getmail>);
