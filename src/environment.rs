//! The process's environment, read once.

use std::ffi::OsStr;

use crate::settings;
use chatwoot_mail::envelope;
use chatwoot_mail::environment::Environment;

/// A copy of this process's environment. Test builds see nothing but what stands in a list of variables that are read, so that what is
/// missing there, and so in the manual, fails the tests of whatever reads it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn of_process() -> Environment {
    Environment::keeping(std::env::vars_os(), |name| !cfg!(debug_assertions) || is_read(name))
}

/// `INGRESS_TEST_...` is read by test builds alone.
fn is_read(name: &OsStr) -> bool {
    let listed = |name| settings::is_variable(name) || envelope::VARIABLES.contains(&name);
    name.to_str().is_some_and(|name| listed(name) || name.starts_with("INGRESS_TEST_"))
}
