//! What was found, as data: a mark, what it is about, the finding itself, and what to do about it on which machine.

use serde::{Serialize, Serializer};

use crate::log::sanitized;
use chatwoot_mail::outcome::Host;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Ok,
    /// Worth knowing.
    Note,
    /// Mail is delivered, but something should be corrected.
    Warning,
    /// Mail is not delivered.
    Fault,
}

impl Severity {
    /// The first word of a line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warn",
            Self::Fault => "FAIL",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Whom this runs as.
    User,
    /// This program's own file.
    Program,
    Configuration,
    /// A setting, by its key.
    Setting(&'static str),
    Defaults,
    Name,
    Connection,
    Tls,
    Endpoint,
    Chatwoot,
}

impl Subject {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Program => "program",
            Self::Configuration => "configuration",
            Self::Setting(key) => key,
            Self::Defaults => "defaults",
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "TLS",
            Self::Endpoint => "endpoint",
            Self::Chatwoot => "chatwoot",
        }
    }

    /// Whether files and settings are to blame, or else what the network brought to light.
    pub(crate) fn is_configuration(self) -> bool {
        match self {
            Self::User | Self::Program | Self::Configuration | Self::Setting(_) | Self::Defaults => true,
            Self::Name | Self::Connection | Self::Tls | Self::Endpoint | Self::Chatwoot => false,
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How Chatwoot is made to read its environment anew. `docker compose restart` does not.
pub(crate) const RESTART: &str =
    "restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)";

/// What to do, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Remedy {
    pub(crate) machine: Host,
    pub(crate) action: String,
}

impl Remedy {
    /// `on Chatwoot's host: restart it`.
    pub(crate) fn sentence(&self) -> String {
        let place = match self.machine {
            Host::Here => "here",
            Host::Chatwoot => "on Chatwoot's host",
            Host::Proxy => "on the proxy before Chatwoot",
        };
        format!("{place}: {}", self.action)
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) mark: Severity,
    pub(crate) subject: Subject,
    /// Holds no secret; foreign text in it is made harmless.
    pub(crate) what: String,
    pub(crate) remedy: Option<Remedy>,
}

impl Finding {
    fn new(mark: Severity, subject: Subject, what: &str) -> Self {
        Self { mark, subject, what: sanitized(what), remedy: None }
    }

    pub(crate) fn ok(subject: Subject, what: impl AsRef<str>) -> Self {
        Self::new(Severity::Ok, subject, what.as_ref())
    }

    pub(crate) fn note(subject: Subject, what: impl AsRef<str>) -> Self {
        Self::new(Severity::Note, subject, what.as_ref())
    }

    pub(crate) fn warning(subject: Subject, what: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, subject, what.as_ref())
    }

    pub(crate) fn fault(subject: Subject, what: impl AsRef<str>) -> Self {
        Self::new(Severity::Fault, subject, what.as_ref())
    }

    /// What to do about it.
    pub(crate) fn with_remedy(self, machine: Host, action: impl AsRef<str>) -> Self {
        Self { remedy: Some(Remedy { machine, action: sanitized(action.as_ref()) }), ..self }
    }

    pub(crate) fn is_fault(&self) -> bool {
        self.mark == Severity::Fault
    }
}
