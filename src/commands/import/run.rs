//! The run itself: several deliveries at once, each by the path that piped mail takes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::failed::FailedFolder;
use super::index::Entry;
use super::journal::{Acceptance, Journal, digest_of};
use super::schedule::{Schedule, Turn};
use super::source::MessageSource;
use crate::delivery::{self, AttemptCount, Prepared};
use crate::http::Client;
use crate::io_error::plain;
use crate::log::Line;
use crate::settings::Settings;
use chatwoot_mail::envelope::{self, Envelope};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message;
use chatwoot_mail::outcome::{Cause, Exit, Failure, OnTooLarge, Phase, Scope, http_status};
use chatwoot_mail::repair::Unrepaired;

/// What became of a stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportStatus {
    Delivered,
    /// It was accepted before, says the journal.
    Known,
    /// Another message of this run had the same bytes, says the journal.
    Duplicate,
    Rejected,
    Deferred,
    /// Could not be read, or is no message.
    Unreadable,
    /// The run ended before it was tried.
    Left,
}

impl ImportStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Known => "known",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
            Self::Unreadable => "unreadable",
            Self::Left => "left",
        }
    }
}

/// What a run is given.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a Settings,
    /// `-r` and `-f`.
    pub(crate) recipients: &'a [OsString],
    pub(crate) sender: Option<&'a OsString>,
    pub(crate) backoff: &'a Backoff,
    pub(crate) journal: Option<&'a Journal>,
    pub(crate) failed: Option<&'a FailedFolder>,
}

/// One message, settled.
#[derive(Clone, Debug)]
pub(crate) struct ImportReport {
    pub(crate) source: MessageSource,
    pub(crate) status: ImportStatus,
    /// Of the copy that decided: `message-id=` and so on; empty when the message could not be read.
    pub(crate) line: Line,
    pub(crate) message_id: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) repairs: Vec<&'static str>,
    pub(crate) route: String,
    /// Whether Chatwoot will show it, as far as can be foretold.
    pub(crate) arrives: bool,
    /// The last one.
    pub(crate) http_status: Option<u16>,
    pub(crate) failure: Option<Failure>,
    /// What the administrator does about the failure, when that is known.
    pub(crate) remedy: Option<&'static str>,
    pub(crate) tries: u32,
    pub(crate) took: Duration,
    /// Whether the journal has a line of it that may not be on disk yet.
    pub(super) unconfirmed: bool,
    /// What went wrong beside the delivery: the journal or the folder of the failed could not be written.
    pub(crate) notice: Option<String>,
}

impl ImportReport {
    fn of(source: &MessageSource, status: ImportStatus) -> Self {
        Self {
            source: source.clone(),
            status,
            line: Line::default(),
            message_id: "-".to_owned(),
            recipients: Vec::new(),
            repairs: Vec::new(),
            route: String::new(),
            arrives: true,
            http_status: None,
            failure: None,
            remedy: None,
            tries: 0,
            took: Duration::ZERO,
            unconfirmed: false,
            notice: None,
        }
    }

    /// Whether it was taken, and nobody will see it.
    pub(super) fn is_lost(&self) -> bool {
        self.status == ImportStatus::Delivered && !self.arrives
    }
}

/// Delivers all entries with one thread for each client; every report goes to the channel. Gives reports of those
/// that had no turn.
pub(crate) fn run(
    job: &Job<'_>,
    clients: Vec<Client>,
    entries: Vec<Entry>,
    reports: &Channel<ImportReport>,
) -> impl Iterator<Item = ImportReport> + use<> {
    let schedule = Schedule::new(entries);
    std::thread::scope(|scope| {
        let reports = match job.journal {
            Some(journal) => {
                let (unconfirmed, settled) = channel();
                scope.spawn(move || confirm(journal, job.backoff, &settled, reports));
                unconfirmed
            }
            None => reports.clone(),
        };
        for client in clients {
            let (schedule, reports) = (&schedule, reports.clone());
            scope.spawn(move || work(job, &client, schedule, &reports));
        }
    });
    schedule.rest().map(|entry| ImportReport::of(&entry.source, ImportStatus::Left))
}

fn work(job: &Job<'_>, client: &Client, schedule: &Schedule, reports: &Channel<ImportReport>) {
    while let Some(turn) = schedule.next() {
        let mut report = surviving(&turn.entry.source, || settle(job, client, &turn));
        keep_failed(job, &mut report);
        let mut waiting = VecDeque::new();
        if report.status == ImportStatus::Deferred {
            waiting.extend(schedule.put_off(&turn));
        } else {
            schedule.settled(&turn);
        }
        // Nobody reads the reports any more: the process is about to end.
        let _ = reports.send(report);
        for entry in waiting {
            let mut report = behind(&entry);
            keep_failed(job, &mut report);
            let _ = reports.send(report);
        }
        if job.backoff.is_stopped() {
            schedule.stop();
        }
    }
}

/// A panic is a bug that this message met: the others go on, and nobody waits for a thread that is gone.
fn surviving(source: &MessageSource, settle: impl FnOnce() -> ImportReport) -> ImportReport {
    panic::catch_unwind(AssertUnwindSafe(settle)).unwrap_or_else(|_| {
        let failure = Failure::new(Cause::Panic, "ingress failed on it, as said above");
        let remedy = Some(failure.cause.disposition(OnTooLarge::default()).remedy);
        ImportReport { failure: Some(failure), remedy, ..ImportReport::of(source, ImportStatus::Deferred) }
    })
}

/// The report of a message whose thread waits for an earlier one.
fn behind(entry: &Entry) -> ImportReport {
    let failure = Failure::new(
        Cause::Deadline(Phase::Waiting),
        "an earlier message of its thread is to be tried again first",
    );
    ImportReport { failure: Some(failure), ..ImportReport::of(&entry.source, ImportStatus::Deferred) }
}

fn keep_failed(job: &Job<'_>, report: &mut ImportReport) {
    let (Some(folder), Some(failure)) = (job.failed, &report.failure) else { return };
    if let Err(error) = folder.keep(&report.source, &format!("{}: {}", report.status.word(), failure.detail))
    {
        report.notice = Some(format!("cannot be copied to the folder of the failed: {}", plain(&error)));
    }
}

/// Why something is no message.
pub(super) const NO_HEADER: &str = "it has no header field";

/// Delivers one message to each of its recipients.
fn settle(job: &Job<'_>, client: &Client, turn: &Turn) -> ImportReport {
    let started = Instant::now();
    let source = &turn.entry.source;
    let read =
        source.read(job.settings.rules.repairs.extra_returns(), job.settings.max_size).and_then(|message| {
            if message::has_header(&message.bytes) {
                return Ok(message);
            }
            Err(Failure::new(Cause::NoHeader, NO_HEADER))
        });
    let mut report = match read {
        Ok(message) => {
            let sender = job.sender.map(OsString::as_os_str);
            let envelope = envelope::read(job.recipients, sender, &Environment::default(), &message.bytes);
            deliver(job, client, source, &envelope, message)
        }
        Err(failure) => {
            // What the outcome table advises when a mail server's pipe cannot be read is of no use here.
            let (status, remedy) = match failure.cause {
                Cause::LargerThanMaxSize => {
                    (ImportStatus::Rejected, Some(delivery::remedy_of(&failure, job.settings)))
                }
                Cause::OutOfMemory => (ImportStatus::Deferred, None),
                _ => (ImportStatus::Unreadable, None),
            };
            ImportReport { failure: Some(failure), remedy, ..ImportReport::of(source, status) }
        }
    };
    report.took = started.elapsed();
    report
}

fn deliver(
    job: &Job<'_>,
    client: &Client,
    source: &MessageSource,
    envelope: &Envelope,
    message: Unrepaired,
) -> ImportReport {
    let mut whole = ImportReport::of(source, ImportStatus::Known);
    whole.recipients = envelope.recipients.iter().map(ToString::to_string).collect();
    delivery::each_copy(envelope, message, |recipient, copy| {
        match copy {
            Ok(copy) => {
                let prepared = delivery::prepare(copy, recipient, &envelope.sender, &job.settings.rules);
                hand_over(job, client, &prepared, &mut whole);
            }
            Err(uncopied) => {
                whole.status = ImportStatus::Deferred;
                whole.failure = Some(uncopied.failure);
            }
        }
        match whole.status {
            ImportStatus::Deferred | ImportStatus::Left => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    whole
}

/// Sends one copy, unless the journal knows it, and adds what came of it to the report of the whole.
fn hand_over(job: &Job<'_>, client: &Client, prepared: &Prepared, whole: &mut ImportReport) {
    whole.line = prepared.line.clone();
    whole.repairs.clone_from(&prepared.repairs);
    whole.route = prepared.route.to_string();
    whole.arrives = prepared.route.arrives();
    let wire_message = prepared.wire_message.as_ref().ok();
    whole.message_id =
        wire_message.map_or_else(|| "-".to_owned(), |wire_message| delivery::message_id(&wire_message.bytes));
    let digest =
        job.journal.zip(wire_message).map(|(journal, wire_message)| (journal, digest_of(wire_message)));
    match digest.and_then(|(journal, digest)| journal.knows(&digest)) {
        Some(Acceptance::Before) => return,
        Some(Acceptance::InThisRun) => {
            if whole.status == ImportStatus::Known {
                whole.status = ImportStatus::Duplicate;
            }
            return;
        }
        None => {}
    }
    match persist(job, client, prepared, whole) {
        Ok(()) => {
            if matches!(whole.status, ImportStatus::Known | ImportStatus::Duplicate) {
                whole.status = ImportStatus::Delivered;
            }
            let written = digest
                .map(|(journal, digest)| journal.write(&digest, &crate::log::sanitized(&whole.message_id)));
            whole.unconfirmed |= matches!(written, Some(Ok(())));
            if let Some(Err(error)) = written {
                whole.notice = Some(unwritten(&error));
                job.backoff.stop();
            }
        }
        Err(_) if whole.tries == 0 && job.backoff.is_stopped() => whole.status = ImportStatus::Left,
        Err(failure) => {
            let exit = failure.cause.disposition(job.settings.on_too_large).exit;
            whole.status =
                if exit == Exit::Rejected { ImportStatus::Rejected } else { ImportStatus::Deferred };
            whole.remedy =
                (failure.cause != Cause::Signal).then(|| delivery::remedy_of(&failure, job.settings));
            whole.failure = Some(failure);
        }
    }
}

/// Hands reports on as soon as what they say stands in the journal on disk. While one fdatasync(2) is under way the deliveries go on, and
/// the next serves all that were settled meanwhile.
fn confirm(
    journal: &Journal,
    backoff: &Backoff,
    settled: &Receiver<ImportReport>,
    reports: &Channel<ImportReport>,
) {
    while let Ok(first) = settled.recv() {
        let mut batch: Vec<ImportReport> = std::iter::once(first).chain(settled.try_iter()).collect();
        if batch.iter().any(|report| report.unconfirmed)
            && let Err(error) = journal.sync()
        {
            backoff.stop();
            batch.iter_mut().filter(|report| report.unconfirmed).for_each(|report| {
                report.notice = Some(unwritten(&error));
            });
        }
        // Nobody reads the reports any more: the process is about to end.
        batch.into_iter().for_each(|report| drop(reports.send(report)));
    }
}

fn unwritten(error: &io::Error) -> String {
    format!("the journal cannot be written: {}", plain(error))
}

/// How often a message is tried whose failure may be its own.
const TRIES: u32 = 5;
/// How often a message is tried that meets trouble while others get through: a lossy network, or something that drops this one.
const TRIES_AMONG_SUCCESSES: u32 = 10;

/// Sends a copy until it is taken, refused for ever, or given up. The bytes are the same each time, and Action Mailbox stores them once; but
/// after an answer that may have left them unrouted they take the form of another attempt.
fn persist(
    job: &Job<'_>,
    client: &Client,
    prepared: &Prepared,
    whole: &mut ImportReport,
) -> Result<(), Failure> {
    let message = prepared.wire_message.as_ref().map_err(Clone::clone)?;
    let mut count = AttemptCount::look_up(job.settings, message);
    let mut own_failures = 0;
    let mut failures_among_successes = 0;
    let mut successes = job.backoff.successes();
    let mut last = None;
    loop {
        let Some(permit) = job.backoff.admits() else {
            return Err(last.unwrap_or_else(|| {
                Failure::new(Cause::Signal, "the run was ended before it was delivered")
            }));
        };
        whole.tries += 1;
        let deadline = Instant::now() + job.settings.network.timeout;
        let (status, result, asked) = delivery::post(job.settings, client, message, &mut count, deadline);
        whole.http_status = status;
        whole.notice = whole.notice.take().or(count.notice.take());
        let failure = match result {
            Ok(()) => {
                count.forget();
                job.backoff.succeeded(permit);
                return Ok(());
            }
            Err(failure) => failure,
        };
        match response(failure.cause, job) {
            Response::Refused => {
                job.backoff.succeeded(permit);
                return Err(failure);
            }
            Response::Stop => {
                job.backoff.stop();
                return Err(failure);
            }
            // A connection that was kept alive may have been closed meanwhile: that says nothing.
            Response::Wait if failure.cause == Cause::ConnectionLost && whole.tries == 1 => {
                job.backoff.undecided(permit);
                last = Some(failure);
            }
            Response::Wait => {
                job.backoff.unavailable(permit, &failure, asked);
                let now = job.backoff.successes();
                failures_among_successes += u32::from(now > successes);
                successes = now;
                if failures_among_successes >= TRIES_AMONG_SUCCESSES {
                    return Err(failure);
                }
                last = Some(failure);
            }
            Response::TryAgain => {
                job.backoff.failed(permit);
                own_failures += 1;
                if own_failures >= TRIES {
                    return Err(failure);
                }
                job.backoff.pause(Duration::from_secs(1 << (own_failures - 1)));
                last = Some(failure);
            }
        }
    }
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    /// This message is refused for ever; the others go on.
    Refused,
    /// Every message would fail so until somebody corrects the setup.
    Stop,
    /// The server or the network is in trouble: everybody waits.
    Wait,
    /// Perhaps this message alone.
    TryAgain,
}

fn response(cause: Cause, job: &Job<'_>) -> Response {
    if cause.disposition(job.settings.on_too_large).exit == Exit::Rejected {
        return Response::Refused;
    }
    match cause {
        Cause::Answer(status) => match http_status(status).scope {
            Scope::Message => Response::TryAgain,
            Scope::Server => Response::Wait,
            Scope::Setup => Response::Stop,
        },
        Cause::NameNotFound
        | Cause::CannotConnect
        | Cause::CannotConnectToProxy
        | Cause::ConnectionLost
        | Cause::Deadline(_) => Response::Wait,
        Cause::OutOfMemory => Response::TryAgain,
        _ => Response::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_message_s_failure() {
        let source = MessageSource::File("1.eml".into());
        let report = surviving(&source, || panic!("provoked"));
        assert_eq!((report.status, report.failure.unwrap().cause), (ImportStatus::Deferred, Cause::Panic));
        assert_eq!(
            surviving(&source, || ImportReport::of(&source, ImportStatus::Known)).status,
            ImportStatus::Known
        );
    }
}
