//! How far an import is: a bar at a terminal, a line now and then elsewhere. On standard error.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::log::sanitized;

/// What is shown of a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Shown {
    pub(in crate::command) done: usize,
    pub(in crate::command) failures: usize,
    /// Everybody waits, for so long.
    pub(in crate::command) waiting: Option<Duration>,
}

/// How often a line is written where there is no terminal.
const LINES: Duration = Duration::from_secs(10);

pub(in crate::command) struct Progress {
    /// Hidden where there is no terminal.
    bar: ProgressBar,
    on_terminal: bool,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    begun: Instant,
    last: Instant,
    total: usize,
}

impl Progress {
    /// `quiet`: what is written is for programs, and only a terminal is told how far it is.
    pub(in crate::command) fn new(quiet: bool) -> Self {
        let on_terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            None,
            if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        let begun = Instant::now();
        let never = if quiet { begun + Duration::from_secs(u64::from(u32::MAX)) } else { begun };
        Self { bar, on_terminal, lines: Mutex::new(Lines { begun, last: never, total: 0 }) }
    }

    pub(in crate::command) fn begin_reading(&self) {
        self.style("reading {pos} messages");
        self.bar.tick();
    }

    pub(in crate::command) fn read(&self, count: usize) {
        self.bar.set_position(count as u64);
    }

    pub(in crate::command) fn begin(&self, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(0);
        self.bar.reset_elapsed();
        self.bar.reset_eta();
        self.style("{wide_bar:.green} {pos}/{len}  {rate} a second  {eta} left  {msg}");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.begun = Instant::now();
        lines.total = total;
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.with_key("rate", rate));
        }
    }

    pub(in crate::command) fn show(&self, shown: &Shown) {
        if self.on_terminal {
            self.bar.set_message(state(shown));
            self.bar.set_position(shown.done as u64);
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.last.elapsed() >= LINES && Instant::now() > lines.last {
            lines.last = Instant::now();
            let _ = writeln!(io::stderr(), "{}", line(shown, lines.total, lines.begun.elapsed()));
        }
    }

    /// A line about one message, above the bar.
    pub(in crate::command) fn say(&self, text: &str) {
        let text = sanitized(text);
        if self.on_terminal {
            self.bar.println(text);
        } else {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    pub(in crate::command) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Messages a second, without digits that mean nothing.
fn rate(state: &ProgressState, to: &mut dyn fmt::Write) {
    let _ = write!(to, "{:.0}", state.per_sec());
}

fn state(shown: &Shown) -> String {
    let failures = match shown.failures {
        0 => "no failures".to_owned(),
        1 => "1 failure".to_owned(),
        many => format!("{many} failures"),
    };
    match shown.waiting {
        Some(rest) => format!("{failures}  waiting {} s for Chatwoot", rest.as_secs() + 1),
        None => failures,
    }
}

fn line(shown: &Shown, total: usize, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = shown.done as f64 / seconds;
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let left = total.saturating_sub(shown.done) as f64 / rate.max(0.001);
    format!("{} of {total}, {rate:.0} a second, {left:.0} s left, {}", shown.done, state(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_takes() {
        let shown = Shown { done: 500, failures: 1, waiting: None };
        assert_eq!(
            line(&shown, 2000, Duration::from_secs(10)),
            "500 of 2000, 50 a second, 30 s left, 1 failure"
        );
        let waiting = Shown { done: 0, failures: 0, waiting: Some(Duration::from_millis(3500)) };
        assert!(
            line(&waiting, 10, Duration::from_secs(1)).ends_with("no failures  waiting 4 s for Chatwoot")
        );
    }
}
