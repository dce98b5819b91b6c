//! The reporter of a run: writes down what becomes of the messages, tells it, and says at the end what to do about the rest.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::Level;

use super::backoff::Backoff;
use super::command::Interrupted;
use super::failed::FailedFolder;
use super::index::Index;
use super::json::{MentionJson, ReportJson};
use super::progress::{Progress, ProgressState};
use super::run::{ImportReport, ImportStatus, Job, run};
use super::tally::Tally;
use crate::cli::ImportArgs;
use crate::delivery::level;
use crate::http::Client;
use crate::output::{print, status_after};
use crate::settings::Settings;
use crate::{delivery, log};
use chatwoot_mail::outcome::Exit;

/// What is said of a line that was taken for text.
pub(super) const LOOKS_LIKE_A_BEGINNING: &str =
    "looks like the beginning of a message, and was left in the text";

/// Takes down what becomes of the messages, and tells it.
pub(super) struct ImportReporter<'a> {
    settings: &'a Settings,
    progress: Progress,
    json: bool,
    tally: Tally,
    /// How many were found to be unreadable before the run began.
    unreadable_before: usize,
    /// Whether so many failures in a row have ended the run.
    gave_up: bool,
    /// What to do before the deferred are tried again.
    first: Option<&'static str>,
    /// What would have the rejected taken, and how many of them.
    cures: BTreeMap<&'static str, usize>,
    /// Whether standard output took everything.
    written: io::Result<()>,
}

impl<'a> ImportReporter<'a> {
    pub(super) fn new(settings: &'a Settings, progress: Progress, json: bool) -> Self {
        Self {
            settings,
            progress,
            json,
            tally: Tally::default(),
            unreadable_before: 0,
            gave_up: false,
            first: None,
            cures: BTreeMap::new(),
            written: Ok(()),
        }
    }

    pub(super) fn run(
        &mut self,
        index: Index,
        job: &Job<'_>,
        clients: Vec<Client>,
        interrupted: &Interrupted,
        arguments: &ImportArgs,
    ) -> u8 {
        let started = Instant::now();
        self.tally.foreign = index.foreign;
        self.tally.not_selected = index.not_selected;
        self.tally.passed_over = index.passed_over.len();
        self.unreadable_before = index.unreadable.len();
        self.progress.begin(index.entries.len());
        for (what, why) in &index.unreadable {
            self.unreadable(what, why);
            if let Some(failed) = job.failed {
                failed.list(what, &format!("{}: {why}", ImportStatus::Unreadable.word()));
            }
        }
        index.passed_over.iter().for_each(|line| self.passed_over(line));
        let (sender, reports) = channel();
        let left = std::thread::scope(|scope| {
            let running = scope.spawn(move || run(job, clients, index.entries, &sender));
            self.take_down(&reports, job.backoff, interrupted);
            running.join()
        });
        left.into_iter().flatten().for_each(|report| self.report(&report));
        self.gave_up = job.backoff.gave_up();
        self.progress.end();
        self.conclude(started.elapsed(), arguments, job.failed, interrupted.seen())
    }

    /// Until all workers have gone.
    fn take_down(&mut self, reports: &Receiver<ImportReport>, backoff: &Backoff, interrupted: &Interrupted) {
        loop {
            match reports.recv_timeout(Duration::from_millis(100)) {
                Ok(report) => self.report(&report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if interrupted.seen() && !backoff.is_stopped() {
                backoff.stop();
                self.progress.say("ending: what is under way is finished, a second Ctrl-C ends at once");
            }
            if let Some((failure, wait)) = backoff.news() {
                let remedy = delivery::remedy_of(&failure, self.settings);
                let seconds = wait.as_secs_f64();
                self.progress.say(&format!("waiting {seconds:.0} s: {}; {remedy}", failure.detail));
            }
            self.progress.show(&ProgressState {
                done: self.tally.done() - self.unreadable_before,
                failures: self.tally.failures(),
                waiting: backoff.waiting().filter(|_| !backoff.is_stopped()),
            });
        }
    }

    fn report(&mut self, report: &ImportReport) {
        self.tally.count(report.status);
        self.tally.lost += usize::from(report.is_lost());
        if !matches!(report.status, ImportStatus::Known | ImportStatus::Duplicate | ImportStatus::Left) {
            self.log(report);
        }
        if self.json {
            self.write_json(&ReportJson::of(report, self.settings));
        }
        if let Some(failure) = &report.failure {
            let disposition = failure.cause.disposition(self.settings.on_too_large);
            let text = match report.status {
                ImportStatus::Unreadable => format!("{}: unreadable: {}", report.source, failure.detail),
                status => {
                    format!("{}: {} {}: {}", report.source, status.word(), disposition.code, failure.detail)
                }
            };
            self.progress.say(&text);
            match (report.status, report.remedy) {
                (ImportStatus::Deferred, Some(remedy)) => {
                    self.first.get_or_insert(remedy);
                }
                (ImportStatus::Rejected, Some(remedy)) => *self.cures.entry(remedy).or_default() += 1,
                _ => {}
            }
        }
        if let Some(notice) = &report.notice {
            self.progress.say(&format!("{}: {notice}", report.source));
        }
    }

    fn unreadable(&mut self, what: &str, why: &str) {
        self.tally.count(ImportStatus::Unreadable);
        self.progress.say(&format!("{what}: unreadable: {why}"));
        if self.json {
            self.write_json(&MentionJson {
                source: what,
                outcome: ImportStatus::Unreadable.word(),
                cause: why,
            });
        }
    }

    fn passed_over(&mut self, line: &str) {
        self.progress.say(&format!("{line}: {LOOKS_LIKE_A_BEGINNING}"));
        if self.json {
            self.write_json(&MentionJson {
                source: line,
                outcome: "passed over",
                cause: LOOKS_LIKE_A_BEGINNING,
            });
        }
    }

    fn log(&self, report: &ImportReport) {
        let milliseconds = report.took.as_millis();
        let (exit, mut line) = delivery::outcome_line(
            &report.line,
            report.http_status,
            report.failure.as_ref(),
            self.settings,
            milliseconds,
        );
        line.add_some("remedy", report.remedy);
        line.add("source", &report.source);
        log::write(if exit == Exit::Delivered && !report.arrives { Level::WARN } else { level(exit) }, &line);
    }

    fn write_json(&mut self, value: &impl Serialize) {
        if let Ok(mut text) = serde_json::to_vec(value) {
            text.push(b'\n');
            if self.written.is_ok() {
                self.written = print(&text);
            }
        }
    }

    /// The table, and what to do about the rest.
    fn conclude(
        &mut self,
        took: Duration,
        arguments: &ImportArgs,
        failed: Option<&FailedFolder>,
        interrupted: bool,
    ) -> u8 {
        let mut text = if arguments.quiet { String::new() } else { self.tally.table(took) };
        for line in self.advice(arguments, failed, interrupted) {
            text.push_str(&line);
            text.push('\n');
        }
        if self.json {
            let _ = io::stderr().write_all(text.as_bytes());
        } else {
            self.written = print(text.as_bytes());
        }
        status_after(&self.written, self.tally.status())
    }

    fn advice(
        &self,
        arguments: &ImportArgs,
        failed: Option<&FailedFolder>,
        interrupted: bool,
    ) -> Vec<String> {
        let mut advice = Vec::new();
        let again = self.tally.deferred + self.tally.left > 0;
        if self.gave_up && self.tally.left > 0 {
            let most = arguments.stop_after;
            advice.push(format!("The run was ended by {most} failures in a row (--stop-after {most})."));
        }
        if again && let (Some(first), false) = (self.first, interrupted) {
            advice.push(format!("First: {first}."));
        }
        if again && arguments.journal.is_some() {
            advice.push("Run the same command again: the journal knows what was delivered.".to_owned());
        } else if again {
            advice.push(
                "Run the same command again, within 30 days: Action Mailbox stores the same bytes once."
                    .to_owned(),
            );
        }
        for (cure, count) in &self.cures {
            advice.push(format!("To have {count} of the rejected delivered: {cure}."));
        }
        let folder = arguments.failed.as_deref().map(Path::display);
        let kept = failed.map_or(0, FailedFolder::kept);
        match folder {
            Some(folder) if kept > 0 => {
                let what = if kept < self.tally.failures() { "and could be copied " } else { "" };
                advice.push(format!("What failed {what}is in {folder}, the reasons in {folder}/list.tsv."));
            }
            Some(folder) if self.tally.failures() > 0 => {
                advice.push(format!("The reasons are in {folder}/list.tsv."));
            }
            None if self.tally.rejected + self.tally.unreadable > 0 => {
                advice.push("The lines above say why; --failed DIR keeps what fails in a folder.".to_owned());
            }
            _ => {}
        }
        advice
    }
}
