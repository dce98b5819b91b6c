//! Where the log goes, and how much goes there.

use std::path::PathBuf;

use super::table::setting;
use super::{ConfigError, Sources};

/// Where the log goes and how much; known even when the rest of the settings is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub(crate) target: LogTarget,
    pub(crate) level: tracing::Level,
}

/// Where the log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// syslog(3), facility mail.
    #[default]
    Syslog,
    Stderr,
    Off,
    File(PathBuf),
}

impl LogSettings {
    /// What is wrong with one of them does not hide the other: a fault must be logged somewhere.
    pub(super) fn judge(sources: &Sources<'_>) -> (Self, Option<ConfigError>) {
        let target = sources.parsed(const { setting("log") }, target);
        let level = sources.parsed(const { setting("log_level") }, level);
        let (target, fault) =
            target.map_or_else(|fault| (LogTarget::default(), Some(fault)), |target| (target, None));
        let (level, other) =
            level.map_or_else(|fault| (tracing::Level::INFO, Some(fault)), |level| (level, None));
        (Self { target, level }, fault.or(other))
    }
}

/// `syslog`, `stderr`, `off`, or a path (with a slash in it, so that a mistyped word is no file).
fn target(text: &str) -> Result<LogTarget, &'static str> {
    match text {
        "syslog" => Ok(LogTarget::Syslog),
        "stderr" => Ok(LogTarget::Stderr),
        "off" => Ok(LogTarget::Off),
        path if path.contains('/') => Ok(LogTarget::File(path.into())),
        _ => Err("must be \"syslog\", \"stderr\", \"off\" or a path"),
    }
}

fn level(text: &str) -> Result<tracing::Level, &'static str> {
    match text {
        "error" => Ok(tracing::Level::ERROR),
        "warn" => Ok(tracing::Level::WARN),
        "info" => Ok(tracing::Level::INFO),
        "debug" => Ok(tracing::Level::DEBUG),
        _ => Err("must be \"error\", \"warn\", \"info\" or \"debug\""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::cli::SettingsOptions;
    use chatwoot_mail::environment::Environment;

    #[test]
    fn a_mistyped_log_word_is_no_file() {
        assert_eq!(target("/var/log/ingress.log"), Ok(LogTarget::File("/var/log/ingress.log".into())));
        assert!(target("sislog").is_err());
    }

    #[test]
    fn a_fault_in_the_level_does_not_hide_the_target_nor_the_other_way_round() {
        let none = Environment::default();
        for (text, target, level, key) in [
            ("log = \"off\"\nlog_level = \"loud\"", LogTarget::Off, tracing::Level::INFO, "log_level"),
            ("log = \"on\"\nlog_level = \"warn\"", LogTarget::Syslog, tracing::Level::WARN, "log"),
        ] {
            let sample = Sample::new(text);
            let options = sample.options();
            let (settings, fault) = LogSettings::judge(&Sources::read(&options, &none));
            assert_eq!(settings, LogSettings { target, level });
            assert_eq!(fault.unwrap().key, Some(key));
        }
    }

    #[test]
    fn verbose_goes_over_the_level_of_the_file() {
        let sample = Sample::new("log_level = \"error\"");
        let options = SettingsOptions { verbose: true, ..sample.options() };
        let (settings, fault) = LogSettings::judge(&Sources::read(&options, &Environment::default()));
        assert_eq!((settings.level, fault), (tracing::Level::DEBUG, None));
    }
}
