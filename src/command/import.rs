//! `ingress import`: stored mail, thousands at a time.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use tracing::Level;

use super::progress::{Progress, Shown};
use crate::cli::{ImportArgs, Options};
use crate::config::{self, Rules, Settings};
use crate::endpoint::Client;
use crate::environment::Environment;
use crate::import::{
    FailedFolder, Fate, Governor, Index, Job, Journal, Preview, Report, Selection, Tally, index, preview, run,
};
use crate::last_words::level;
use crate::log::{self, sanitized};
use crate::remedy::remedy;
use crate::{delivery, outcome};

/// Imports; the status is 0 all delivered, 65 some rejected or unreadable, 75 some to be tried again, and sysexits(3)'s: 64, 73, 74, 78.
pub(crate) fn run_command(arguments: &ImportArgs, options: &Options, environment: &Environment) -> ExitCode {
    let result = if arguments.dry_run {
        rehearse(arguments, options, environment)
    } else {
        import(arguments, options, environment)
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(Abandoned { status, complaint }) => {
            complain(&complaint);
            ExitCode::from(status)
        }
    }
}

/// Why nothing was begun.
struct Abandoned {
    status: u8,
    complaint: String,
}

impl From<config::Fault> for Abandoned {
    fn from(fault: config::Fault) -> Self {
        Self { status: 78, complaint: fault.to_string() }
    }
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "ingress: {}", sanitized(text));
}

fn selection(arguments: &ImportArgs) -> Selection {
    Selection {
        since: arguments.since.map(|(begin, _)| begin),
        until: arguments.until.map(|(_, end)| end),
        to: arguments.to.clone(),
    }
}

/// Looks at what there is.
fn found(arguments: &ImportArgs, progress: &Progress) -> Index {
    progress.begin_reading();
    index(&arguments.path, &selection(arguments), |count| progress.read(count))
}

fn import(arguments: &ImportArgs, options: &Options, environment: &Environment) -> Result<u8, Abandoned> {
    let loaded = config::load(options, environment);
    if let Some(notice) = log::open(&loaded.log) {
        complain(&notice);
    }
    let settings = loaded.settings?;
    for notice in &settings.notices {
        complain(notice);
    }
    let endpoint = settings.endpoint.url();
    let clients = (0..arguments.jobs.get())
        .map(|_| Client::new(endpoint.scheme() == "https", &settings.network, environment))
        .collect::<Result<Vec<_>, _>>()?;
    let journal = arguments.journal.as_deref().map(|path| Journal::open(path, endpoint.as_str())).transpose();
    let journal = journal.map_err(|complaint| Abandoned { status: 73, complaint })?;
    let failed = arguments.failed.as_deref().map(FailedFolder::open).transpose();
    let failed = failed.map_err(|error| Abandoned {
        status: 73,
        complaint: format!("cannot write to the folder of --failed: {error}"),
    })?;
    let progress = Progress::new(arguments.json);
    let index = found(arguments, &progress);
    let interrupted = Interrupted::watch();
    let governor = Governor::new(Some(arguments.stop_after).filter(|most| *most > 0));
    let job = Job {
        settings: &settings,
        recipients: &options.recipient,
        sender: options.sender.as_ref(),
        governor: &governor,
        journal: journal.as_ref(),
        failed: failed.as_ref(),
    };
    let mut clerk =
        Clerk { settings: &settings, progress, json: arguments.json, tally: Tally::default(), stop: None };
    Ok(clerk.run(index, &job, clients, &interrupted, arguments))
}

/// Ctrl-C and kill(1): the first ends the run in order, the second at once. Before the first message is sent there is nothing to put in order.
struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    fn watch() -> Self {
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let at_once = flag::register_conditional_shutdown(signal, 75, Arc::clone(&seen));
            // Without its handler a signal ends the run at once: the journal is made for that.
            let _ = at_once.and_then(|_| flag::register(signal, Arc::clone(&seen)));
        }
        Self(seen)
    }

    fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Takes down what becomes of the messages, and tells it.
struct Clerk<'a> {
    settings: &'a Settings,
    progress: Progress,
    json: bool,
    tally: Tally,
    /// What ended the run before its time.
    stop: Option<String>,
}

impl Clerk<'_> {
    fn run(
        &mut self,
        index: Index,
        job: &Job<'_>,
        clients: Vec<Client>,
        interrupted: &Interrupted,
        arguments: &ImportArgs,
    ) -> u8 {
        let started = Instant::now();
        self.tally.foreign = index.foreign;
        self.tally.passed_over = index.passed_over;
        self.progress.begin(index.entries.len());
        for (what, why) in &index.unreadable {
            self.unreadable(what, why);
        }
        let (sender, reports) = channel();
        let left = std::thread::scope(|scope| {
            let running = scope.spawn(move || run(job, clients, index.entries, &sender));
            self.take_down(&reports, job.governor, interrupted);
            running.join().unwrap_or_default()
        });
        self.tally.left += left;
        self.progress.end();
        self.conclude(started.elapsed(), arguments, job.failed, interrupted.seen())
    }

    /// Until all workers have gone.
    fn take_down(&mut self, reports: &Receiver<Report>, governor: &Governor, interrupted: &Interrupted) {
        loop {
            match reports.recv_timeout(Duration::from_millis(100)) {
                Ok(report) => self.report(&report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if interrupted.seen() && !governor.is_stopped() {
                governor.stop();
                self.progress.say("ending: what is under way is finished, a second Ctrl-C ends at once");
            }
            if let Some((failure, wait)) = governor.news() {
                let settings = self.settings;
                let remedy = remedy(failure.cause, settings.endpoint.service(), settings.on_too_large);
                let seconds = wait.as_secs_f64();
                self.progress.say(&format!("waiting {seconds:.0} s: {}; {remedy}", failure.detail));
            }
            self.progress.show(&Shown {
                done: self.tally.delivered + self.tally.known + self.tally.failures(),
                failures: self.tally.failures(),
                waiting: governor.waiting().filter(|_| !governor.is_stopped()),
            });
        }
    }

    fn report(&mut self, report: &Report) {
        self.tally.count(report.fate);
        if !matches!(report.fate, Fate::Known | Fate::Left) {
            self.log(report);
        }
        if self.json {
            self.write_json(&ReportShown::of(report, self.settings));
        }
        if let Some(failure) = &report.failure {
            let verdict = failure.cause.verdict(self.settings.on_too_large);
            let text = match report.fate {
                Fate::Unreadable => format!("{}: unreadable: {}", report.place, failure.detail),
                fate => format!("{}: {} {}: {}", report.place, fate.word(), verdict.code, failure.detail),
            };
            self.progress.say(&text);
            if matches!(report.fate, Fate::Deferred) && self.stop.is_none() && report.status.is_some() {
                self.stop = Some(
                    remedy(failure.cause, self.settings.endpoint.service(), self.settings.on_too_large)
                        .to_owned(),
                );
            }
        }
        if let Some(notice) = &report.notice {
            self.progress.say(&format!("{}: {notice}", report.place));
        }
    }

    fn unreadable(&mut self, what: &str, why: &str) {
        self.tally.count(Fate::Unreadable);
        self.progress.say(&format!("{what}: unreadable: {why}"));
        if self.json {
            self.write_json(&UnreadableShown { source: what, outcome: Fate::Unreadable.word(), cause: why });
        }
    }

    fn log(&self, report: &Report) {
        let milliseconds = report.took.as_millis();
        let (exit, mut line) = delivery::outcome_line(
            &report.line,
            report.status,
            report.failure.as_ref(),
            self.settings,
            milliseconds,
        );
        line.add("source", &report.place);
        log::write(
            if exit == outcome::Exit::Delivered && !report.arrives { Level::WARN } else { level(exit) },
            &line,
        );
    }

    fn write_json(&self, value: &impl Serialize) {
        if let Ok(mut text) = serde_json::to_vec(value) {
            text.push(b'\n');
            let _ = io::stdout().write_all(&text);
        }
    }

    /// The table, and what to do about the rest.
    fn conclude(
        &self,
        took: Duration,
        arguments: &ImportArgs,
        failed: Option<&FailedFolder>,
        interrupted: bool,
    ) -> u8 {
        let mut text = self.tally.table(took);
        for line in self.advice(arguments, failed, interrupted) {
            text.push_str(&line);
            text.push('\n');
        }
        let written = if self.json {
            io::stderr().write_all(text.as_bytes())
        } else {
            io::stdout().write_all(text.as_bytes())
        };
        match self.tally.status() {
            0 if written.is_err() => 74,
            status => status,
        }
    }

    fn advice(
        &self,
        arguments: &ImportArgs,
        failed: Option<&FailedFolder>,
        interrupted: bool,
    ) -> Vec<String> {
        let mut advice = Vec::new();
        let again = self.tally.deferred + self.tally.left > 0;
        if again && let (Some(first), false) = (&self.stop, interrupted) {
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
        if let (Some(folder), true) = (&arguments.failed, failed.is_some_and(|failed| failed.kept() > 0)) {
            let folder = folder.display();
            advice.push(format!("What failed is in {folder}, the reasons in {folder}/list.tsv."));
        } else if self.tally.rejected + self.tally.unreadable > 0 {
            advice.push("The lines above say why; --failed DIR keeps what fails in a folder.".to_owned());
        }
        advice
    }
}

/// One line of `--json`.
#[derive(Serialize)]
struct ReportShown<'a> {
    source: String,
    message_id: &'a str,
    recipients: &'a [String],
    outcome: &'static str,
    code: Option<&'static str>,
    status: Option<u16>,
    cause: Option<&'a str>,
    remedy: Option<&'static str>,
    route: &'a str,
    repairs: &'a [&'static str],
    tries: u32,
    ms: u128,
}

impl<'a> ReportShown<'a> {
    fn of(report: &'a Report, settings: &Settings) -> Self {
        let failure = report.failure.as_ref();
        let on_too_large = settings.on_too_large;
        Self {
            source: report.place.to_string(),
            message_id: &report.message_id,
            recipients: &report.recipients,
            outcome: report.fate.word(),
            code: failure.map(|failure| failure.cause.verdict(on_too_large).code),
            status: report.status,
            cause: failure.map(|failure| &*failure.detail),
            remedy: failure.map(|failure| remedy(failure.cause, settings.endpoint.service(), on_too_large)),
            route: &report.route,
            repairs: &report.repairs,
            tries: report.tries,
            ms: report.took.as_millis(),
        }
    }
}

#[derive(Serialize)]
struct UnreadableShown<'a> {
    source: &'a str,
    outcome: &'static str,
    cause: &'a str,
}

/// `--dry-run`: the summary of what would happen.
fn rehearse(arguments: &ImportArgs, options: &Options, environment: &Environment) -> Result<u8, Abandoned> {
    let (rules, notice) = Rules::load(options, environment)?;
    if let Some(notice) = notice {
        complain(&notice);
    }
    let progress = Progress::new(arguments.json);
    let index = found(arguments, &progress);
    progress.begin(index.entries.len());
    for (what, why) in &index.unreadable {
        progress.say(&format!("{what}: unreadable: {why}"));
    }
    let mut preview = preview(
        &index.entries,
        &options.recipient,
        options.sender.as_ref(),
        &rules,
        arguments.jobs.get(),
        |done| progress.show(&Shown { done, failures: 0, waiting: None }),
    );
    progress.end();
    preview.unreadable += index.unreadable.len();
    let text = if arguments.json {
        serde_json::to_string_pretty(&preview).map_or_else(|_| String::new(), |text| text + "\n")
    } else {
        summary(&preview, &index)
    };
    let written = io::stdout().write_all(text.as_bytes());
    Ok(match written {
        Err(_) => 74,
        Ok(()) if preview.unreadable + preview.too_large > 0 => 65,
        Ok(()) => 0,
    })
}

fn summary(preview: &Preview, index: &Index) -> String {
    let mut text = String::new();
    let mut row = |label: &str, count: usize, what: &str| {
        text.push_str(&format!("{label:<12} {count:>9}  {what}\n"));
    };
    let of = |route: &str| preview.routes.get(route).copied().unwrap_or_default();
    row("messages", preview.messages, "");
    if preview.copies > preview.messages {
        row("copies", preview.copies, "one for each recipient");
    }
    row("replies", of("reply"), "go to their conversations");
    row("inbox", of("inbox"), "go to an inbox, most as new conversations");
    if of("unknown") > 0 {
        row("unknown", of("unknown"), "go to the inbox with their address, if there is one: set inboxes");
    }
    row("lost", preview.losses.values().sum(), "Chatwoot would not show them");
    for (why, count) in &preview.losses {
        row("", *count, why);
    }
    row("too large", preview.too_large, "exceed max_size");
    row("unreadable", preview.unreadable, "could not be read, or are no messages");
    if index.passed_over > 0 {
        row("not selected", index.passed_over, "");
    }
    if index.foreign > 0 {
        row("no mail", index.foreign, "files in the folders that are no mail");
    }
    row("repairs", preview.repairs.values().sum(), "");
    for (name, count) in &preview.repairs {
        row("", *count, name);
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
