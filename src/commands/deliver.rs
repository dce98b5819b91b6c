//! `ingress` as a mail server starts it: every way it can go ends in the outcome table.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::message_file::explain_waiting;
use tracing::Level;

use crate::cli::Options;
use crate::delivery::MemoryReserve;
use crate::delivery::Watcher;
use crate::delivery::stdin;
use crate::delivery::{self, Attempt};
use crate::delivery::{End, FinalStatus, level};
use crate::http::Client;
use crate::log;
use crate::settings::{self, Settings, TIMEOUT};
use chatwoot_mail::envelope::{self, Envelope};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message;
use chatwoot_mail::outcome::{Cause, Exit, Failure, Phase};
use chatwoot_mail::repair::Unrepaired;

/// Runs one delivery. `options` is what is wrong with the command line when there is something wrong with it.
pub(crate) fn run(options: Result<Options, String>, environment: &Environment, started: Instant) -> ExitCode {
    let final_status = Arc::new(FinalStatus::new(started));
    let watcher = Watcher::start(Arc::clone(&final_status), started + TIMEOUT);
    panic::set_hook(Box::new(remember));
    let whole = AssertUnwindSafe(|| deliver(options, environment, started, &final_status, watcher.as_ref()));
    let end = panic::catch_unwind(whole).unwrap_or_else(|_| Err(End::Failed(panicked())));
    let end = end.err().unwrap_or(End::Delivered);
    if !final_status.claim(end.failure()) {
        // The watcher has the last word, and ends the process.
        loop {
            std::thread::park();
        }
    }
    if let Some(watcher) = &watcher {
        watcher.close();
    }
    // It is settled; a panic now must not become the status.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| final_status.speak(&end)));
    ExitCode::from(final_status.status().unwrap_or(Exit::Deferred.status()))
}

fn deliver(
    options: Result<Options, String>,
    environment: &Environment,
    started: Instant,
    final_status: &FinalStatus,
    watcher: Option<&Watcher>,
) -> Result<(), End> {
    let reserve = refuse_after_reading(MemoryReserve::take(), final_status)?;
    let (options, usage) = match options {
        Ok(options) => (options, None),
        Err(complaint) => (Options::default(), Some(Failure::new(Cause::Usage, complaint))),
    };
    let loaded = settings::load(&options.settings, environment);
    if let (Some(watcher), Ok(settings)) = (watcher, &loaded.settings) {
        watcher.set_deadline(started + settings.network.timeout);
    }
    let fault = log::open(&loaded.log);
    final_status.context().notices.extend(fault);
    log::settings(&loaded);
    let settings = match (usage, loaded.settings) {
        (Some(usage), _) => Err(usage),
        (None, settings) => settings.map_err(|fault| Failure::new(Cause::Configuration, fault.to_string())),
    };
    let settings = refuse_after_reading(settings, final_status)?;
    let deadline = started + settings.network.timeout;
    final_status.context().on_too_large = settings.on_too_large;
    final_status.context().service = settings.endpoint.service();
    final_status.context().notices.extend(settings.notices.iter().cloned());
    let progress = &final_status.progress;
    let https = settings.endpoint.url().scheme() == "https";
    let client = Client::telling(progress.clone(), https, &settings.network, environment);
    let client = client.map_err(|fault| Failure::new(Cause::Configuration, fault.to_string()));
    let client = refuse_after_reading(client, final_status)?;
    progress.enter(Phase::Reading);
    let message = received(&settings)?;
    progress.enter(Phase::Preparing);
    reserve.release();
    let envelope = addressed(&options, environment, &message, final_status)?;
    let each = |attempt: &Attempt| log_attempt(attempt, &settings, final_status);
    delivery::deliver(&settings, &client, &envelope, message, deadline, each).map_err(End::FailedByRecipient)
}

/// Reads the message to its end before it lets a failure through.
fn refuse_after_reading<T>(result: Result<T, Failure>, final_status: &FinalStatus) -> Result<T, End> {
    result.map_err(|failure| {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            final_status.progress.enter(Phase::Reading);
            // The failure at hand is the one to report.
            let _ = stdin::drain(stdin.as_fd());
        }
        End::Failed(failure)
    })
}

fn received(settings: &Settings) -> Result<Unrepaired, End> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        explain_waiting();
    }
    stdin::read(stdin.as_fd(), settings.rules.repairs.extra_returns(), settings.max_size).map_err(End::Failed)
}

/// Whom the message is for and from, once it is sure that it is a message.
fn addressed(
    options: &Options,
    environment: &Environment,
    message: &Unrepaired,
    final_status: &FinalStatus,
) -> Result<Envelope, End> {
    let header = message::header_of(&message.bytes);
    let envelope = envelope::read_with(
        &options.envelope.recipient,
        options.envelope.sender.as_deref(),
        environment,
        &header,
    );
    {
        let mut context = final_status.context();
        context.notices.extend(envelope.ignored.iter().cloned());
        context.message =
            delivery::described(&header, message.bytes.len(), envelope.recipients.first(), &envelope.sender);
    }
    provoked_panic(environment);
    if header.fields().next().is_none() {
        return Err(End::Failed(Failure::new(Cause::NoHeader, "the input has no header field")));
    }
    Ok(envelope)
}

/// The log line of one attempt.
fn log_attempt(attempt: &Attempt, settings: &Settings, final_status: &FinalStatus) {
    let failure = attempt.result.as_ref().err();
    let milliseconds = final_status.milliseconds();
    let (exit, mut line) =
        delivery::outcome_line(&attempt.message, attempt.status, failure, settings, milliseconds);
    line.add_some("remedy", failure.map(|failure| delivery::remedy_of(failure, settings)));
    let mut context = final_status.context();
    for notice in &context.notices {
        line.add("notice", notice);
    }
    let level = if exit == Exit::Delivered && !attempt.arrives { Level::WARN } else { level(exit) };
    context.lines.push((level, line));
}

/// What the last panic said; a panic prints nothing, it ends in the log.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn remember(panic: &PanicHookInfo<'_>) {
    *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic.to_string());
}

fn panicked() -> Failure {
    let said = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    Failure::new(Cause::Panic, said.unwrap_or_else(|| "panicked".to_owned()))
}

/// Test builds panic on demand, after the message was read.
#[cfg(debug_assertions)]
fn provoked_panic(environment: &Environment) {
    assert!(environment.raw("INGRESS_TEST_PANIC").is_none(), "provoked by INGRESS_TEST_PANIC");
}

#[cfg(not(debug_assertions))]
fn provoked_panic(_: &Environment) {}
