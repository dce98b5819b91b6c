//! What is wrong with the settings: with which one, where it was said, and what to do about it.

use std::fmt;

use super::Origin;

/// What is wrong with the settings. No text in it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// The setting that must change, when it is one of them.
    pub(crate) key: Option<&'static str>,
    /// Where it was said, when it was.
    pub(crate) origin: Option<Origin>,
    /// Without the line where it was said.
    what: String,
    /// What to do about it, when that does not go without saying.
    pub(crate) remedy: Option<String>,
}

impl ConfigError {
    /// What is wrong with no setting in particular.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { key: None, origin: None, what: what.into(), remedy: None }
    }

    /// What is wrong with a setting, which was said nowhere or in more than one place.
    pub(super) fn of(key: &'static str, what: impl Into<String>) -> Self {
        Self::new(what).about(key)
    }

    pub(super) fn about(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(super) fn at(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    pub(crate) fn with_hint(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// With file and line, without the remedy.
    pub(crate) fn complaint(&self) -> String {
        let prefix = self.origin.as_ref().map(Origin::line_prefix).unwrap_or_default();
        prefix + &self.what
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.complaint())?;
        self.remedy.iter().try_for_each(|remedy| write!(formatter, ": {remedy}"))
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_its_line_and_its_remedy() {
        let origin = Origin::File { key: Some("url"), path: "/f".into(), line: Some(3) };
        let error = ConfigError::of("url", "url is wrong").at(origin).with_hint("correct it");
        assert_eq!(error.to_string(), "/f:3: url is wrong: correct it");
        assert_eq!(error.complaint(), "/f:3: url is wrong");
        assert_eq!(ConfigError::new("all is wrong").to_string(), "all is wrong");
    }
}
