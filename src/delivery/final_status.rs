//! How a delivery ends: one line, one status, said once, by whoever comes first: the delivery itself, the deadline, or a signal.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::Level;

use crate::log::{self, Line};
use chatwoot_mail::outcome::remedy;
use chatwoot_mail::outcome::{Exit, Failure, OnTooLarge};
use chatwoot_mail::service::Service;

/// The end of one delivery, shared between the delivery and its watcher.
#[derive(Debug)]
pub(crate) struct FinalStatus {
    started: Instant,
    said: AtomicBool,
    status: AtomicU8,
    context: Mutex<Context>,
}

/// What is known so far about the message: for the log line of an end that comes from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// `message-id=`, `recipient=`, `sender=`, `size=`, as far as they are known.
    pub(crate) message: Line,
    /// What the administrator should know though it stopped nothing.
    pub(crate) notices: Vec<String>,
    pub(crate) on_too_large: OnTooLarge,
    pub(crate) service: Service,
}

impl FinalStatus {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            said: AtomicBool::new(false),
            status: AtomicU8::new(Exit::Deferred.status()),
            context: Mutex::new(Context::default()),
        }
    }

    /// The context, to be filled in; also after a panic.
    pub(crate) fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the end has been said, and its status.
    pub(crate) fn said(&self) -> Option<u8> {
        self.said.load(Ordering::SeqCst).then(|| self.status.load(Ordering::SeqCst))
    }

    /// Claims the end for the caller with this outcome. False when somebody else has it: then the process is about to exit.
    fn claim(&self, exit: Exit) -> bool {
        let first = self.said.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if first {
            self.status.store(exit.status(), Ordering::SeqCst);
        }
        first
    }

    /// Ends a delivery that succeeded: not one byte on either stream.
    pub(crate) fn delivered(&self) -> bool {
        self.claim(Exit::Delivered)
    }

    /// Ends a delivery that failed: one line on stdout; the detail on stderr when a person watches. `logged` failures have their line.
    pub(crate) fn failed(&self, failure: &Failure, logged: bool) -> bool {
        let context = self.context().clone();
        let disposition = failure.cause.disposition(context.on_too_large);
        if !self.claim(disposition.exit) {
            return false;
        }
        say(&disposition.line(), failure, remedy(failure.cause, context.service, context.on_too_large));
        if !logged {
            self.log_failure(&context, failure);
        }
        true
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

/// Writes the line. A closed or full stdout changes nothing: the status says the same.
fn say(line: &str, failure: &Failure, remedy: &str) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
    if stdout.is_terminal() {
        let detail = log::sanitized(&failure.detail);
        let _ = io::stderr().write_all(format!("ingress: {detail}\ningress: {remedy}\n").as_bytes());
    }
}
