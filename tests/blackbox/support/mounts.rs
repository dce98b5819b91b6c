//! A mount namespace of the test's own: what is mounted in it is seen by the program under test alone, and nothing of the host is touched.

use std::process::{Command, Stdio};

/// The command that enters one; nothing, and said so, where this user may not.
#[allow(clippy::print_stderr, reason = "a test that cannot be run says so")]
pub(crate) fn private() -> Option<&'static str> {
    let possible = ["unshare --mount", "unshare --map-root-user --mount"].into_iter().find(|enter| {
        let mount = format!("exec {enter} sh -c 'mount -t tmpfs none /mnt'");
        Command::new("/bin/sh")
            .args(["-c", &mount])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if possible.is_none() {
        eprintln!("NOT TESTED: this user may have no mount namespace (unshare --mount)");
    }
    possible
}
