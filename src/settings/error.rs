//! What is wrong with the settings.

use std::fmt;

/// What is wrong with the settings: one line of prose without any secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    pub(crate) what: String,
    /// What to do about it, when that does not go without saying.
    pub(crate) remedy: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: None }
    }

    pub(crate) fn with_hint(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        self.remedy.iter().try_for_each(|remedy| write!(formatter, ": {remedy}"))
    }
}

impl std::error::Error for ConfigError {}
