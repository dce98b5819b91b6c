//! A process that dies leaves no picture of its memory behind: the password is in it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core files. Where a program takes them (core(5), `core_pattern` with a pipe) the limit alone does not count.
pub(crate) fn forbid() {
    // Whoever may not even lower a limit runs without.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
