//! Child processes that end with the test, and waiting for a condition.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A running child; killed and reaped when dropped.
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn start(command: &mut Command) -> Self {
        match command.spawn() {
            Ok(child) => Self(child),
            Err(error) => {
                panic!("cannot start {command:?}: {error} (tests/run installs what the tests need)")
            }
        }
    }

    /// Stops it as its owner would, and waits for the end.
    pub(crate) fn stop(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    pub(crate) fn has_exited(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)) | Err(_))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(90);

/// Waits until `condition` gives something, and gives it back. Panics with `what` after the deadline.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// A port that was free a moment ago, for servers that cannot take one from the kernel themselves.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
