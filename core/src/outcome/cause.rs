//! What became of a message: the one table from causes to exit status, enhanced status code and text.
//! Of a message that was read, it alone decides what is temporary and what is permanent.

use std::borrow::Cow;

use super::http_status::{HttpStatus, http_status};
use super::phase::Phase;

/// The three statuses a delivery leaves with.
///
/// 75 and 65 are the pair that Postfix, Exim, qmail, OpenSMTPD, Sendmail and Courier all understand
/// alike; 69 and 67 are temporary to qmail, 71 and 73 permanent to some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Exit status 0: the endpoint has taken the message.
    Delivered,
    /// 75: the mail server tries again.
    Deferred,
    /// 65: it goes back to its sender.
    Rejected,
}

impl Exit {
    /// The exit status.
    pub fn status(self) -> u8 {
        match self {
            Self::Delivered => 0,
            Self::Deferred => 75,
            Self::Rejected => 65,
        }
    }

    /// The word for it in the log: `outcome=deferred`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Rejected => "rejected",
        }
    }
}

/// What a 413 means to this installation (`on_too_large`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTooLarge {
    /// The sender learns at once.
    #[default]
    Reject,
    /// The mail server keeps it until somebody raised the limit.
    Defer,
}

/// Why a message was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The input is no message.
    NoHeader,
    /// The caller closed its pipe without a byte.
    NoInput,
    /// Than this installation takes.
    LargerThanMaxSize,
    /// The service's form has no room for it; known without asking.
    LargerThanServiceTakes,
    /// In an answer to a conversation that may be a website's: Chatwoot would throw it away.
    AttachmentTooLarge,
    /// The endpoint answered with this HTTP status.
    Answer(u16),
    /// The resolver knows no such host.
    NameNotFound,
    /// Refused, unreachable, or no connection in time.
    CannotConnect,
    /// The same of the proxy that the settings name.
    CannotConnectToProxy,
    /// It was closed before the answer was complete.
    ConnectionLost,
    /// Something else answers there.
    NotHttp,
    /// The time was up in this phase.
    Deadline(Phase),
    /// Expired, made for another name, or by an unknown authority.
    UntrustedCertificate,
    /// No TLS version or cipher that both sides have.
    TlsMismatch,
    /// The server wants a certificate of the client, or refuses to have none.
    ClientCertificateWanted,
    /// The settings, or a file that they name.
    Configuration,
    /// The words on the command line.
    Usage,
    /// A bug of the program.
    Panic,
    /// The process may have no more.
    OutOfMemory,
    /// Reading the message failed.
    Input,
    /// Somebody ended the process.
    Signal,
}

/// What one cause means: to the mail server (exit), to whoever reads the bounce (code, text), to the administrator (remedy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// What the mail server is told.
    pub exit: Exit,
    /// RFC 3463 enhanced status code. Its class agrees with `exit`: Postfix believes the text, not the status
    /// (`dsn_util.c`, `pipe_command.c`).
    pub code: &'static str,
    /// Fixed per cause: it can reach strangers in a bounce.
    pub text: &'static str,
    /// What the administrator does about it; stands in the log.
    pub remedy: &'static str,
}

impl Disposition {
    /// The line on stdout, without its newline.
    pub fn line(&self) -> String {
        format!("{} {}", self.code, self.text)
    }
}

impl Cause {
    /// Every cause, with every status that an endpoint can answer.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [
            Self::NoHeader,
            Self::NoInput,
            Self::LargerThanMaxSize,
            Self::LargerThanServiceTakes,
            Self::AttachmentTooLarge,
            Self::NameNotFound,
            Self::CannotConnect,
            Self::CannotConnectToProxy,
            Self::ConnectionLost,
            Self::NotHttp,
            Self::UntrustedCertificate,
            Self::TlsMismatch,
            Self::ClientCertificateWanted,
            Self::Configuration,
            Self::Usage,
            Self::Panic,
            Self::OutOfMemory,
            Self::Input,
            Self::Signal,
        ];
        others.into_iter().chain(Phase::ALL.map(Self::Deadline)).chain((100..=999).map(Self::Answer))
    }

    /// Whether Action Mailbox may have stored the message and queued no job for it, when the whole of it was sent: docs/chatwoot.md,
    /// "Stored, but never queued". 520 is what Cloudflare makes of a lost connection.
    pub fn may_have_stored(self) -> bool {
        matches!(self, Self::Answer(500 | 502 | 520) | Self::ConnectionLost)
    }

    /// Looks the cause up in the table. Whatever is not proven to be the message's own fault is temporary.
    pub fn disposition(self, on_too_large: OnTooLarge) -> Disposition {
        match self {
            Self::NoHeader => rejected(
                "5.6.0",
                "The message has no header",
                "find out who pipes this in: the input is not an e-mail message",
            ),
            Self::LargerThanMaxSize => rejected(
                "5.3.4",
                "The message is too large",
                "raise max_size in ingress.toml, if Chatwoot's proxy takes as much",
            ),
            Self::LargerThanServiceTakes => rejected(
                "5.3.4",
                "The message is too large",
                "set Chatwoot to RAILS_INBOUND_EMAIL_SERVICE=relay and service to \"relay\": that takes any size",
            ),
            Self::AttachmentTooLarge => rejected(
                "5.3.4",
                "An attachment is too large",
                "raise MAXIMUM_FILE_UPLOAD_SIZE in Chatwoot's environment, and max_attachment in ingress.toml with it",
            ),
            Self::NoInput => deferred(
                "4.3.0",
                "No message was received",
                "the caller closed its pipe without a byte: check the command in its configuration",
            ),
            Self::Answer(status) => answered(status, on_too_large),
            Self::NameNotFound => unresolved(),
            Self::CannotConnect => unreachable(),
            Self::CannotConnectToProxy => deferred(
                "4.4.1",
                "Chatwoot cannot be reached",
                "check that the proxy runs, and its address and port in proxy",
            ),
            Self::ConnectionLost => deferred(
                "4.4.2",
                "The connection to Chatwoot was lost",
                "look into the log of Chatwoot's proxy and web server: one of them closed the connection before it answered",
            ),
            Self::NotHttp => deferred(
                "4.4.2",
                "The connection to Chatwoot was lost",
                "check scheme and port in url: what answers there speaks another protocol",
            ),
            Self::Deadline(phase) => too_late(phase),
            Self::UntrustedCertificate => deferred(
                "4.7.5",
                "Chatwoot's certificate cannot be trusted",
                "renew the server's certificate, use the host name it is made for, or name its authority in ca_file",
            ),
            Self::TlsMismatch => deferred(
                "4.7.5",
                "No encryption is common to Chatwoot and the mail gateway",
                "let the web server before Chatwoot offer TLS 1.2 or 1.3 with the usual ciphers (ECDHE with AES-GCM or ChaCha20)",
            ),
            Self::ClientCertificateWanted => deferred(
                "4.7.5",
                "Chatwoot asks the mail gateway for a certificate",
                "let the web server before Chatwoot ask for no client certificate here (nginx: ssl_verify_client): ingress has none to show",
            ),
            Self::Configuration | Self::Usage => deferred(
                "4.3.5",
                "The mail gateway is misconfigured",
                "correct what the cause names, then let the mail server try again",
            ),
            Self::Panic => deferred(
                "4.3.0",
                "The mail gateway failed",
                "this is a bug in ingress: please report the cause, with the message if you may",
            ),
            Self::OutOfMemory => deferred(
                "4.3.0",
                "The mail gateway failed",
                "raise the memory limit of the mail server's processes, or lower how many run at once",
            ),
            Self::Input => deferred(
                "4.3.0",
                "The mail gateway failed",
                "the message could not be read from the mail server: look into its log",
            ),
            Self::Signal => deferred(
                "4.3.0",
                "The mail gateway was interrupted",
                "none: the mail server tries again by itself",
            ),
        }
    }
}

/// The disposition when the time was up: only what waited for Chatwoot is Chatwoot's fault.
fn too_late(phase: Phase) -> Disposition {
    match phase {
        Phase::Starting => deferred(
            LATE,
            "The mail gateway did not start in time",
            "find out which of the files that the configuration names hangs, or why this machine is so slow",
        ),
        Phase::Reading => deferred(
            LATE,
            "The message was not received in time",
            "find out why the mail server does not end the message, or raise timeout in ingress.toml",
        ),
        Phase::Preparing => deferred(
            LATE,
            "The message could not be prepared in time",
            "look at the load of this machine; when it idles the message is to blame: please report it as a bug in ingress",
        ),
        Phase::Resolving => unresolved(),
        Phase::Connecting => unreachable(),
        Phase::Sending | Phase::Waiting => deferred(
            LATE,
            "Chatwoot did not answer in time",
            "find out why Chatwoot is slow, or raise timeout in ingress.toml",
        ),
    }
}

fn unresolved() -> Disposition {
    deferred(
        "4.4.3",
        "Chatwoot's host name cannot be resolved",
        "check the host name in url and this machine's resolver (getent hosts NAME)",
    )
}

fn unreachable() -> Disposition {
    deferred(
        "4.4.1",
        "Chatwoot cannot be reached",
        "check that Chatwoot's web server runs, its address and port in url, and the firewall between",
    )
}

const LATE: &str = "4.4.7";

/// The disposition on an answer that is not the endpoint's success.
fn answered(status: u16, on_too_large: OnTooLarge) -> Disposition {
    let HttpStatus { code, text, remedy, .. } = http_status(status);
    match (status, on_too_large) {
        (413, OnTooLarge::Reject) => rejected(code, text, remedy),
        (413, OnTooLarge::Defer) => deferred("4.3.4", "The message is too large at present", remedy),
        _ => deferred(code, text, remedy),
    }
}

fn deferred(code: &'static str, text: &'static str, remedy: &'static str) -> Disposition {
    Disposition { exit: Exit::Deferred, code, text, remedy }
}

fn rejected(code: &'static str, text: &'static str, remedy: &'static str) -> Disposition {
    Disposition { exit: Exit::Rejected, code, text, remedy }
}

/// Why a message was not delivered, with what only the log may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Decides exit status, code and text.
    pub cause: Cause,
    /// Prose for the administrator: what was tried, on what, why it failed. Holds no secret.
    pub detail: Cow<'static, str>,
}

impl Failure {
    /// A cause with its detail.
    pub fn new(cause: Cause, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { cause, detail: detail.into() }
    }

    /// The time was up in this phase.
    pub fn late(phase: Phase) -> Self {
        Self::new(Cause::Deadline(phase), phase.unfinished())
    }

    /// The failure that stands for the whole when a message goes to several recipients: what is worth
    /// trying again wins, because a retry repeats nothing.
    pub fn weightier(self, other: Self, on_too_large: OnTooLarge) -> Self {
        let deferred = |failure: &Self| failure.cause.disposition(on_too_large).exit == Exit::Deferred;
        if !deferred(&self) && deferred(&other) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_cause() -> Vec<Cause> {
        let fixed = [
            Cause::NoHeader,
            Cause::NoInput,
            Cause::LargerThanMaxSize,
            Cause::LargerThanServiceTakes,
            Cause::AttachmentTooLarge,
            Cause::NameNotFound,
            Cause::CannotConnect,
            Cause::CannotConnectToProxy,
            Cause::ConnectionLost,
            Cause::NotHttp,
            Cause::UntrustedCertificate,
            Cause::TlsMismatch,
            Cause::ClientCertificateWanted,
            Cause::Configuration,
            Cause::Usage,
            Cause::Panic,
            Cause::OutOfMemory,
            Cause::Input,
            Cause::Signal,
        ];
        fixed.into_iter().chain(Phase::ALL.map(Cause::Deadline)).chain((0..=999).map(Cause::Answer)).collect()
    }

    fn every_verdict() -> impl Iterator<Item = Disposition> {
        every_cause()
            .into_iter()
            .flat_map(|cause| [cause.disposition(OnTooLarge::Reject), cause.disposition(OnTooLarge::Defer)])
    }

    #[test]
    fn only_75_and_65_ever_leave_a_failed_delivery() {
        for disposition in every_verdict() {
            assert!(matches!(disposition.exit.status(), 75 | 65), "{disposition:?}");
        }
    }

    #[test]
    fn the_class_of_the_code_agrees_with_the_exit_status() {
        for disposition in every_verdict() {
            let class = if disposition.exit == Exit::Deferred { "4." } else { "5." };
            assert!(disposition.code.starts_with(class), "{disposition:?}");
        }
    }

    #[test]
    fn the_line_is_short_printable_ascii_with_a_blank_after_the_code() {
        for disposition in every_verdict() {
            let line = disposition.line();
            assert!(line.len() < 100 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
            let (code, text) = line.split_once(' ').unwrap();
            assert_eq!(code.split('.').count(), 3);
            assert!(!text.is_empty());
        }
    }

    #[test]
    fn every_verdict_names_a_remedy() {
        assert!(every_verdict().all(|disposition| !disposition.remedy.is_empty()));
    }

    #[test]
    fn only_a_message_s_own_fault_is_permanent() {
        let permanent: Vec<_> = every_cause()
            .into_iter()
            .filter(|cause| cause.disposition(OnTooLarge::Reject).exit == Exit::Rejected)
            .collect();
        assert_eq!(
            permanent,
            [
                Cause::NoHeader,
                Cause::LargerThanMaxSize,
                Cause::LargerThanServiceTakes,
                Cause::AttachmentTooLarge,
                Cause::Answer(413)
            ]
        );
    }

    #[test]
    fn the_deadline_is_chatwoot_s_fault_only_when_chatwoot_was_waited_for() {
        for phase in Phase::ALL {
            let disposition = Cause::Deadline(phase).disposition(OnTooLarge::Reject);
            let is_ours = matches!(phase, Phase::Starting | Phase::Reading | Phase::Preparing);
            assert_eq!(disposition.text.contains("Chatwoot"), !is_ours, "{disposition:?}");
            let code = match phase {
                Phase::Resolving => "4.4.3",
                Phase::Connecting => "4.4.1",
                _ => "4.4.7",
            };
            assert_eq!(disposition.code, code, "{disposition:?}");
        }
    }

    #[test]
    fn the_statuses_of_the_contract_have_their_codes() {
        let table: &[(u16, &str)] = &[
            (200, "4.3.5"),
            (201, "4.3.5"),
            (301, "4.3.5"),
            (308, "4.3.5"),
            (400, "4.3.5"),
            (401, "4.7.0"),
            (403, "4.7.0"),
            (404, "4.3.5"),
            (405, "4.3.5"),
            (407, "4.7.0"),
            (408, "4.3.0"),
            (413, "5.3.4"),
            (415, "4.3.5"),
            (422, "4.3.5"),
            (429, "4.3.2"),
            (500, "4.3.0"),
            (502, "4.3.0"),
            (503, "4.3.2"),
            (504, "4.3.0"),
        ];
        for (status, code) in table {
            assert_eq!(Cause::Answer(*status).disposition(OnTooLarge::Reject).code, *code, "{status}");
        }
        assert_eq!(Cause::Answer(413).disposition(OnTooLarge::Defer).code, "4.3.4");
    }

    #[test]
    fn only_what_reached_the_store_may_be_stored() {
        for cause in every_cause() {
            let expected = matches!(cause, Cause::Answer(500 | 502 | 520) | Cause::ConnectionLost);
            assert_eq!(cause.may_have_stored(), expected, "{cause:?}");
        }
    }

    #[test]
    fn what_can_be_tried_again_outweighs_what_cannot() {
        let gone = Failure::new(Cause::Answer(413), "");
        let later = Failure::new(Cause::CannotConnect, "");
        assert_eq!(gone.clone().weightier(later.clone(), OnTooLarge::Reject), later);
        assert_eq!(later.clone().weightier(gone, OnTooLarge::Reject), later);
    }
}
