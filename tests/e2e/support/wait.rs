//! Waiting for a condition, never for luck.

use std::fmt::Display;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(90);

/// Waits until `condition` gives something, and gives it back. Panics after the deadline with `what`, as it reads then.
pub(crate) fn eventually<T>(what: impl Display, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}");
        sleep(Duration::from_millis(20));
    }
}
