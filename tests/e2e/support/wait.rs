//! Waiting for a condition, never for luck.

use std::fmt::{self, Display, Formatter};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(90);

/// A text that is made when it is shown.
pub(crate) struct Later<F: Fn() -> String>(pub(crate) F);

impl<F: Fn() -> String> Display for Later<F> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&(self.0)())
    }
}

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
