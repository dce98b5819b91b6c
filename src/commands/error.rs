//! Why a command of the operator's could not do its work.

use std::process::ExitCode;

use crate::exit;
use crate::output::complain;
use crate::settings::ConfigError;
use chatwoot_mail::outcome::Failure;

/// One line for the operator, and the exit status (sysexits(3)) that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    pub(crate) status: u8,
    pub(crate) complaint: String,
}

impl CommandError {
    pub(crate) fn new(status: u8, complaint: impl Into<String>) -> Self {
        Self { status, complaint: complaint.into() }
    }

    /// Says it on standard error; gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        complain(&self.complaint);
        ExitCode::from(self.status)
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::new(exit::CONFIGURATION, error.to_string())
    }
}

/// A message that cannot be read.
impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::new(exit::MESSAGE, failure.detail)
    }
}
