//! Back-pressure: when Chatwoot is in trouble, everybody waits, and one at a time tries whether it is over.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chatwoot_mail::outcome::Failure;

/// Shared by all deliveries of a run.
#[derive(Debug)]
pub(crate) struct Backoff {
    state: Mutex<State>,
    changed: Condvar,
    /// So many failures in a row end the run.
    stop_after: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// What everybody waits for.
    trouble: Option<Trouble>,
    /// How many troubles there were.
    troubles: u64,
    /// Somebody tries whether the trouble is over.
    probing: bool,
    /// How many waits there were since Chatwoot was well.
    waits: u32,
    failures: u64,
    /// How many tries went well in the whole run.
    successes: u64,
    stopped: bool,
    /// It was stopped for so many failures in a row.
    gave_up: bool,
}

#[derive(Debug)]
struct Trouble {
    /// Nobody tries before this.
    until: Instant,
    cause: Failure,
    told: bool,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// What a server asks for, but not for ever.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);
/// A shorter wait is not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// Permit to try. It tells which troubles the try knew of: what began before a trouble says nothing about its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "who was let in says what came of it"]
pub(super) struct Permit(u64);

impl Backoff {
    pub(crate) fn new(stop_after: Option<u64>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), stop_after }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this one may try. Nothing when the run is over.
    pub(super) fn admits(&self) -> Option<Permit> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            let permit = Permit(state.troubles);
            let Some(trouble) = &state.trouble else { return Some(permit) };
            let rest = trouble.until.saturating_duration_since(Instant::now());
            if rest.is_zero() && !state.probing {
                state.probing = true;
                return Some(permit);
            }
            let rest = if state.probing { LONGEST } else { rest };
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A try got an answer that tells that Chatwoot is well.
    pub(super) fn succeeded(&self, permit: Permit) {
        let mut state = self.state();
        state.successes += 1;
        if permit.0 == state.troubles {
            state.failures = 0;
            state.waits = 0;
            state.trouble = None;
            state.probing = false;
        }
        self.changed.notify_all();
    }

    /// A try says nothing yet: whoever had a permit asks for it again.
    pub(super) fn undecided(&self, permit: Permit) {
        let mut state = self.state();
        if permit.0 == state.troubles {
            state.probing = false;
        }
        self.changed.notify_all();
    }

    /// A try failed as everybody's would: all wait, as long as the server asks for or longer each time.
    pub(super) fn unavailable(&self, permit: Permit, cause: &Failure, asked: Option<Duration>) {
        let mut state = self.state();
        // Those who were under way together are one failure.
        if permit.0 == state.troubles {
            state.troubles += 1;
            state.waits += 1;
            state.probing = false;
        }
        let wait = SHORTEST.saturating_mul(1 << (state.waits.saturating_sub(1)).min(10)).min(LONGEST);
        let wait = wait.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        let until = Instant::now() + wait;
        state.trouble = Some(match state.trouble.take() {
            Some(before) => Trouble { until: before.until.max(until), ..before },
            None => Trouble { until, cause: cause.clone(), told: false },
        });
        self.count_failure(&mut state);
    }

    /// A try failed, perhaps by this message's own fault: the others go on.
    pub(super) fn failed(&self, permit: Permit) {
        let mut state = self.state();
        if permit.0 == state.troubles {
            state.trouble = None;
            state.probing = false;
        }
        self.count_failure(&mut state);
    }

    fn count_failure(&self, state: &mut State) {
        state.failures += 1;
        if self.stop_after.is_some_and(|most| state.failures >= most) {
            state.gave_up = !state.stopped || state.gave_up;
            state.stopped = true;
        }
        self.changed.notify_all();
    }

    /// Why everybody waits, told once, when the wait is worth a word; and for how long.
    pub(crate) fn news(&self) -> Option<(Failure, Duration)> {
        let mut state = self.state();
        if state.stopped {
            return None;
        }
        let trouble = state.trouble.as_mut().filter(|trouble| !trouble.told)?;
        let rest = trouble.until.saturating_duration_since(Instant::now());
        if rest + Duration::from_millis(500) < WORTH_TELLING {
            return None;
        }
        trouble.told = true;
        Some((trouble.cause.clone(), rest))
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
        let state = self.state();
        Some(state.trouble.as_ref()?.until.saturating_duration_since(Instant::now()))
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

    /// Whether so many failures in a row have ended the run, and nothing else.
    pub(crate) fn gave_up(&self) -> bool {
        self.state().gave_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatwoot_mail::outcome::Cause;

    fn busy() -> Failure {
        Failure::new(Cause::Answer(503), "the endpoint answered 503")
    }

    fn over(backoff: &Backoff) {
        if let Some(trouble) = &mut backoff.state().trouble {
            trouble.until = Instant::now();
        }
    }

    #[test]
    fn so_many_failures_in_a_row_end_the_run_and_a_success_begins_anew() {
        let backoff = Backoff::new(Some(3));
        let permit = backoff.admits().unwrap();
        for _ in 0..2 {
            backoff.failed(permit);
        }
        backoff.succeeded(permit);
        for _ in 0..2 {
            backoff.failed(permit);
        }
        assert!(backoff.admits().is_some());
        backoff.failed(permit);
        assert!(backoff.admits().is_none() && backoff.is_stopped());
    }

    #[test]
    fn waits_grow_and_are_as_long_as_the_server_asks_for() {
        let backoff = Backoff::new(None);
        let waits = |asked: Option<u64>| {
            over(&backoff);
            backoff.unavailable(backoff.admits().unwrap(), &busy(), asked.map(Duration::from_secs));
            backoff.waiting().unwrap().as_secs_f64().round()
        };
        assert_eq!([waits(None), waits(None), waits(None), waits(Some(30))], [1.0, 2.0, 4.0, 30.0]);
        for _ in 0..50 {
            waits(None);
        }
        assert_eq!((waits(None), waits(Some(86_400))), (60.0, 900.0));
        over(&backoff);
        backoff.succeeded(backoff.admits().unwrap());
        assert_eq!((backoff.waiting(), waits(None)), (None, 1.0));
    }

    #[test]
    fn those_who_fail_together_make_the_wait_longer_once() {
        let backoff = Backoff::new(None);
        let permits = [(); 4].map(|()| backoff.admits().unwrap());
        for permit in permits {
            backoff.unavailable(permit, &busy(), None);
        }
        let state = backoff.state();
        assert_eq!((state.waits, state.troubles), (1, 1));
    }

    #[test]
    fn a_success_that_was_under_way_before_the_trouble_does_not_end_it() {
        let backoff = Backoff::new(None);
        let (refused, under_way) = (backoff.admits().unwrap(), backoff.admits().unwrap());
        backoff.unavailable(refused, &busy(), Some(Duration::from_secs(30)));
        backoff.succeeded(under_way);
        backoff.failed(under_way);
        assert!(backoff.waiting().unwrap() > Duration::from_secs(20));
        assert_eq!(backoff.successes(), 1);
    }

    #[test]
    fn one_at_a_time_tries_whether_it_is_over() {
        let backoff = Backoff::new(None);
        backoff.unavailable(backoff.admits().unwrap(), &busy(), None);
        over(&backoff);
        let permit = backoff.admits().unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| backoff.admits());
            std::thread::yield_now();
            assert!(!other.is_finished());
            backoff.succeeded(permit);
            assert!(other.join().unwrap().is_some());
        });
    }

    #[test]
    fn a_try_that_says_nothing_lets_the_next_one_in() {
        let backoff = Backoff::new(None);
        backoff.unavailable(backoff.admits().unwrap(), &busy(), None);
        over(&backoff);
        backoff.undecided(backoff.admits().unwrap());
        assert!(backoff.admits().is_some());
    }

    #[test]
    fn a_long_wait_is_told_once() {
        let backoff = Backoff::new(None);
        backoff.unavailable(backoff.admits().unwrap(), &busy(), None);
        assert!(backoff.news().is_none());
        over(&backoff);
        backoff.unavailable(backoff.admits().unwrap(), &busy(), None);
        assert_eq!(backoff.news().unwrap().0, busy());
        assert!(backoff.news().is_none());
    }

    #[test]
    fn nobody_waits_after_the_end() {
        let backoff = Backoff::new(Some(1));
        backoff.unavailable(backoff.admits().unwrap(), &busy(), Some(Duration::from_secs(30)));
        assert!(backoff.is_stopped() && backoff.news().is_none());
    }
}
