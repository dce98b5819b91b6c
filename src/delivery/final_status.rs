//! How a delivery ends: one line, one status, said once, by whoever claims it first: the delivery itself, the deadline, or a signal.
//! The status is settled before anything is written, for whatever is written to may hang.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;

use crate::http::PhaseCell;
use crate::log::{self, Line};
use crate::patient_write::write_within;
use chatwoot_mail::outcome::remedy;
use chatwoot_mail::outcome::{Exit, Failure, OnTooLarge};
use chatwoot_mail::service::Service;

/// No exit status of a delivery.
const UNCLAIMED: u8 = u8::MAX;

/// The end of one delivery, shared between the delivery and its watcher.
#[derive(Debug)]
pub(crate) struct FinalStatus {
    started: Instant,
    pub(crate) progress: PhaseCell,
    /// [`UNCLAIMED`] until the end is claimed.
    status: AtomicU8,
    context: Mutex<Context>,
}

/// What is known so far about the message: for the log line of an end that comes from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// `message-id=`, `recipient=`, `sender=`, `size=`, as far as they are known.
    pub(crate) message: Line,
    /// What is to be logged of the recipients so far. It waits for the end, lest a log that hangs keep the others from their message.
    pub(crate) lines: Vec<(Level, Line)>,
    /// What the administrator should know though it stopped nothing.
    pub(crate) notices: Vec<String>,
    pub(crate) on_too_large: OnTooLarge,
    pub(crate) service: Service,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Delivered,
    /// Each recipient has a log line of its own.
    FailedByRecipient(Failure),
    Failed(Failure),
}

impl End {
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Delivered => None,
            Self::FailedByRecipient(failure) | Self::Failed(failure) => Some(failure),
        }
    }
}

impl FinalStatus {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            progress: PhaseCell::default(),
            status: AtomicU8::new(UNCLAIMED),
            context: Mutex::new(Context::default()),
        }
    }

    /// The context, to be filled in; also after a panic. Nothing that can hang may be done while it is held.
    pub(crate) fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status to leave with, once the end is claimed.
    pub(crate) fn status(&self) -> Option<u8> {
        Some(self.status.load(Ordering::SeqCst)).filter(|status| *status != UNCLAIMED)
    }

    /// Claims the end for the caller, who then speaks. False when somebody else has it: then the process is about to exit.
    pub(crate) fn claim(&self, failure: Option<&Failure>) -> bool {
        let on_too_large = self.context().on_too_large;
        let exit = failure.map_or(Exit::Delivered, |failure| failure.cause.disposition(on_too_large).exit);
        self.status.compare_exchange(UNCLAIMED, exit.status(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Says how it ended: a failure to the mail server in one line, then everything to the log. Not one byte on either stream after a
    /// success.
    pub(crate) fn speak(&self, end: &End) {
        let context = self.context().clone();
        if let Some(failure) = end.failure() {
            say(failure, &context);
        }
        for (level, line) in &context.lines {
            log::write(*level, line);
        }
        if let End::Failed(failure) = end {
            self.log_failure(&context, failure);
        }
    }

    fn log_failure(&self, context: &Context, failure: &Failure) {
        let disposition = failure.cause.disposition(context.on_too_large);
        let mut line = Line::default();
        line.add("outcome", disposition.exit.word());
        line.add("code", disposition.code);
        line.add("exit", disposition.exit.status());
        line.append(&context.message);
        line.add("ms", self.milliseconds());
        line.add("cause", &failure.detail);
        line.add("remedy", remedy(failure.cause, context.service, context.on_too_large));
        for notice in &context.notices {
            line.add("notice", notice);
        }
        log::write(level(disposition.exit), &line);
    }

    /// Since the process started.
    pub(crate) fn milliseconds(&self) -> u128 {
        self.started.elapsed().as_millis()
    }
}

/// How loud an outcome is in the log.
pub(crate) fn level(exit: Exit) -> Level {
    match exit {
        Exit::Delivered => Level::INFO,
        Exit::Deferred => Level::WARN,
        Exit::Rejected => Level::ERROR,
    }
}

/// How long a stdout that takes nothing is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes the line; the detail to stderr when a person watches. A closed or full stdout changes nothing: the status says the same.
pub(super) fn say(failure: &Failure, context: &Context) {
    let line = failure.cause.disposition(context.on_too_large).line();
    let _ = write_within(PATIENCE, rustix::stdio::stdout(), format!("{line}\n").as_bytes());
    if io::stdout().is_terminal() {
        let detail = log::sanitized(&failure.detail);
        let remedy = remedy(failure.cause, context.service, context.on_too_large);
        let text = format!("ingress: {detail}\ningress: {remedy}\n");
        let _ = write_within(PATIENCE, rustix::stdio::stderr(), text.as_bytes());
    }
}
