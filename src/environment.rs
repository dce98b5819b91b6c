//! The process's environment, read once, as far as it means something here.

use std::ffi::OsStr;

use crate::settings;
use chatwoot_mail::envelope;
use chatwoot_mail::environment::Environment;

/// A copy of those variables that stand in a list of variables: what the manual does not name has no effect.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn of_process() -> Environment {
    Environment::keeping(std::env::vars_os(), has_a_meaning)
}

fn has_a_meaning(name: &OsStr) -> bool {
    let known = |name| settings::is_variable(name) || envelope::VARIABLES.contains(&name);
    name.to_str().is_some_and(|name| known(name) || is_for_tests(name))
}

/// Test builds do as `INGRESS_TEST_...` says.
fn is_for_tests(name: &str) -> bool {
    cfg!(debug_assertions) && name.starts_with("INGRESS_TEST_")
}
