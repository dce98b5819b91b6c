//! How far an import is: a bar at a terminal, a line now and then elsewhere. On standard error.
//!
//! The bar is drawn here and not by indicatif, whose estimate calls pow(3): with libm to load, every delivery would start 8 % later
//! and take 0.3 MB more.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log::sanitized;

/// What is shown of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProgressState {
    pub(super) done: usize,
    pub(super) failures: usize,
    /// Everybody waits, for so long.
    pub(super) waiting: Option<Duration>,
}

/// How often a line is written where there is no terminal.
const LINES: Duration = Duration::from_secs(10);
/// How often the bar is drawn.
const DRAWN: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Progress {
    on_terminal: bool,
    audience: Audience,
    drawing: Mutex<Drawing>,
}

/// Who wants to know how far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Anybody,
    /// What is written is for programs, and only a person at a terminal looks on.
    Terminal,
    Nobody,
}

#[derive(Debug)]
struct Drawing {
    begun: Instant,
    total: usize,
    /// When a bar or a line was last written.
    written: Option<Instant>,
    /// What stands on the terminal's last line, to be drawn anew below a message.
    drawn: String,
}

impl Progress {
    pub(super) fn new(audience: Audience) -> Self {
        let drawing = Drawing { begun: Instant::now(), total: 0, written: None, drawn: String::new() };
        let on_terminal = io::stderr().is_terminal() && audience != Audience::Nobody;
        Self { on_terminal, audience, drawing: Mutex::new(drawing) }
    }

    pub(super) fn read(&self, count: usize) {
        let mut drawing = self.drawing();
        if self.on_terminal && drawing.is_due(DRAWN) {
            let plural = if count == 1 { "" } else { "s" };
            drawing.draw(format!("reading {count} message{plural}"));
        }
    }

    pub(super) fn begin(&self, total: usize) {
        let mut drawing = self.drawing();
        drawing.begun = Instant::now();
        drawing.total = total;
        // The first line says more than that nothing is done yet.
        drawing.written = (!self.on_terminal).then_some(drawing.begun);
    }

    pub(super) fn show(&self, shown: &ProgressState) {
        let mut drawing = self.drawing();
        let (total, took) = (drawing.total, drawing.begun.elapsed());
        if self.on_terminal && (drawing.is_due(DRAWN) || shown.done == total) {
            drawing.draw(bar(shown, total, took, columns()));
        } else if !self.on_terminal && self.audience == Audience::Anybody && drawing.is_due(LINES) {
            let _ = writeln!(io::stderr(), "{}", line(shown, total, took));
        }
    }

    /// A line about one message, above the bar.
    pub(super) fn say(&self, text: &str) {
        let mut drawing = self.drawing();
        let bar = drawing.clear();
        let _ = writeln!(io::stderr(), "{}", sanitized(text));
        drawing.draw(bar);
    }

    pub(super) fn end(&self) {
        self.drawing().clear();
    }

    fn drawing(&self) -> MutexGuard<'_, Drawing> {
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawing {
    /// Whether the last writing is so long ago.
    fn is_due(&mut self, interval: Duration) -> bool {
        let due = self.written.is_none_or(|written| written.elapsed() >= interval);
        if due {
            self.written = Some(Instant::now());
        }
        due
    }

    /// Puts this in the place of what stands on the last line. Blanks do what not every terminal has a sequence for.
    fn draw(&mut self, text: String) {
        let rest = width(&self.drawn).saturating_sub(width(&text));
        if rest > 0 || !text.is_empty() {
            let _ = write!(io::stderr(), "\r{text}{:rest$}", "");
        }
        self.drawn = text;
    }

    /// Gives what stood there.
    fn clear(&mut self) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        if !drawn.is_empty() {
            let _ = write!(io::stderr(), "\r{:1$}\r", "", width(&drawn));
        }
        drawn
    }
}

/// Of text in which every character takes one column.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Of the terminal; a serial line does not know.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
    if size == 0 { 80 } else { usize::from(size) }
}

/// A bar that leaves the last column free: there a terminal may begin a new line.
fn bar(shown: &ProgressState, total: usize, took: Duration, columns: usize) -> String {
    let (rate, left) = rate_and_seconds_left(shown, total, took);
    let text = format!("  {}/{total}  {rate:.0} a second  {} left  {}", shown.done, span(left), state(shown));
    let room = columns.saturating_sub(1);
    let length = room.saturating_sub(width(&text));
    let full = (length * shown.done).checked_div(total).unwrap_or(length).min(length);
    let bar = "█".repeat(full) + &"░".repeat(length - full);
    (bar + &text).chars().take(room).collect()
}

fn state(shown: &ProgressState) -> String {
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

fn line(shown: &ProgressState, total: usize, took: Duration) -> String {
    let (rate, left) = rate_and_seconds_left(shown, total, took);
    format!("{} of {total}, {rate:.0} a second, {} left, {}", shown.done, span(left), state(shown))
}

/// Nobody knows how long it takes before the first is done.
#[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
fn rate_and_seconds_left(shown: &ProgressState, total: usize, took: Duration) -> (f64, f64) {
    let rate = shown.done as f64 / took.as_secs_f64().max(0.001);
    (
        rate,
        if shown.done == 0 {
            f64::INFINITY
        } else {
            total.saturating_sub(shown.done) as f64 / rate.max(0.001)
        },
    )
}

/// As exactly as it is worth.
fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        f64::INFINITY => "?".to_owned(),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_takes_the_terminal_s_width_but_one_column() {
        let shown = ProgressState { done: 500, failures: 0, waiting: None };
        let ten = Duration::from_secs(10);
        assert_eq!(
            bar(&shown, 2000, ten, 70),
            "█████░░░░░░░░░░░░░░░░░  500/2000  50 a second  30 s left  no failures"
        );
        assert!(bar(&shown, 100_500, ten, 70).contains("  33 min left  "));
        assert!(bar(&shown, 1_000_500, ten, 70).contains("  6 h left  "));
        assert_eq!(bar(&shown, 2000, ten, 20), "  500/2000  50 a se");
        assert_eq!(bar(&shown, 2000, ten, 0), "");
        let nothing = ProgressState { done: 0, ..shown };
        assert!(bar(&nothing, 0, ten, 70).starts_with("█"));
        assert!(bar(&shown, 50, ten, 70).starts_with("█"));
        assert!(bar(&nothing, 2000, ten, 70).ends_with("  0/2000  0 a second  ? left  no failures"));
    }

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_takes() {
        let shown = ProgressState { done: 500, failures: 1, waiting: None };
        assert_eq!(
            line(&shown, 2000, Duration::from_secs(10)),
            "500 of 2000, 50 a second, 30 s left, 1 failure"
        );
        let waiting = ProgressState { done: 0, failures: 0, waiting: Some(Duration::from_millis(3500)) };
        assert!(
            line(&waiting, 10, Duration::from_secs(1)).ends_with("no failures  waiting 4 s for Chatwoot")
        );
    }
}
