//! Back-pressure: when Chatwoot is in trouble, everybody waits, and one at a time tries whether it is over.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by all deliveries of a run.
#[derive(Debug)]
pub(crate) struct Governor {
    state: Mutex<State>,
    changed: Condvar,
    /// So many failures in a row end the run.
    stop_after: Option<u64>,
}

#[derive(Debug)]
struct State {
    /// In trouble: nobody tries before this.
    until: Option<Instant>,
    /// Somebody tries whether the trouble is over.
    probing: bool,
    /// How long the next failure makes everybody wait.
    wait: Duration,
    failures: u64,
    /// How many tries went well in the whole run.
    successes: u64,
    stopped: bool,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// What a server asks for, but not for ever.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

/// What a failure says about the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Everybody would meet it: wait, as long as the server asks for or longer each time.
    Shared(Option<Duration>),
    /// Perhaps this message's alone: the others go on.
    Own,
}

impl Governor {
    pub(crate) fn new(stop_after: Option<u64>) -> Self {
        let state =
            State { until: None, probing: false, wait: SHORTEST, failures: 0, successes: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), stop_after }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this one may try. False when the run is over.
    pub(super) fn admits(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.stopped {
                return false;
            }
            let Some(until) = state.until else { return true };
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() && !state.probing {
                state.probing = true;
                return true;
            }
            let rest = if state.probing { LONGEST } else { rest };
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A try got an answer that tells that Chatwoot is well.
    pub(super) fn well(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.successes += 1;
        state.wait = SHORTEST;
        state.until = None;
        state.probing = false;
        self.changed.notify_all();
    }

    /// A try failed.
    pub(super) fn failed(&self, trouble: Trouble) {
        let mut state = self.state();
        state.failures += 1;
        state.probing = false;
        match trouble {
            Trouble::Shared(asked) => {
                let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
                let until = Instant::now() + state.wait.max(asked);
                // Those who were under way together are one failure.
                let first = state.until.is_none_or(|before| before <= Instant::now());
                state.until = Some(state.until.map_or(until, |before| before.max(until)));
                if first {
                    state.wait = (state.wait * 2).min(LONGEST);
                }
            }
            Trouble::Own => state.until = None,
        }
        if self.stop_after.is_some_and(|most| state.failures >= most) {
            state.stopped = true;
        }
        self.changed.notify_all();
    }

    /// How many tries went well so far.
    pub(super) fn successes(&self) -> u64 {
        self.state().successes
    }

    /// Ends the run: nobody tries any more.
    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// How long everybody still waits.
    pub(crate) fn waiting(&self) -> Option<Duration> {
        let until = self.state().until?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    /// Waits for a while, or until the run is over.
    pub(super) fn pause(&self, duration: Duration) {
        let end = Instant::now() + duration;
        let mut state = self.state();
        while !state.stopped {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_failures_in_a_row_end_the_run_and_a_success_begins_anew() {
        let governor = Governor::new(Some(3));
        for _ in 0..2 {
            governor.failed(Trouble::Own);
        }
        governor.well();
        for _ in 0..2 {
            governor.failed(Trouble::Own);
        }
        assert!(governor.admits());
        governor.failed(Trouble::Own);
        assert!(!governor.admits() && governor.is_stopped());
    }

    #[test]
    fn waits_grow_and_are_as_long_as_the_server_asks_for() {
        let governor = Governor::new(None);
        let waits = |asked: Option<u64>| {
            governor.state().until = None;
            governor.failed(Trouble::Shared(asked.map(Duration::from_secs)));
            governor.waiting().unwrap().as_secs_f64().round()
        };
        assert_eq!([waits(None), waits(None), waits(None), waits(Some(30))], [1.0, 2.0, 4.0, 30.0]);
        for _ in 0..5 {
            waits(None);
        }
        assert_eq!((waits(None), waits(Some(86_400))), (60.0, 900.0));
        governor.well();
        assert_eq!((governor.waiting(), waits(None)), (None, 1.0));
    }

    #[test]
    fn those_who_fail_together_make_the_wait_longer_once() {
        let governor = Governor::new(None);
        for _ in 0..4 {
            governor.failed(Trouble::Shared(None));
        }
        assert_eq!(governor.state().wait, 2 * SHORTEST);
    }

    #[test]
    fn one_at_a_time_tries_whether_it_is_over() {
        let governor = Governor::new(None);
        governor.failed(Trouble::Shared(None));
        governor.state().until = Some(Instant::now());
        assert!(governor.admits());
        std::thread::scope(|scope| {
            let other = scope.spawn(|| governor.admits());
            std::thread::yield_now();
            assert!(!other.is_finished());
            governor.well();
            assert!(other.join().unwrap());
        });
    }
}
