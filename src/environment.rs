//! The process's environment, read once.

use chatwoot_mail::environment::Environment;

/// A copy of this process's environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn of_process() -> Environment {
    std::env::vars_os().collect()
}
