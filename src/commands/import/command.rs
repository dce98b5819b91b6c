//! `ingress import`: stored mail, thousands at a time.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::backoff::Backoff;
use super::dry_run;
use super::failed::FailedFolder;
use super::index::{Index, read as index};
use super::journal::Journal;
use super::progress::{Audience, Progress};
use super::reporter::ImportReporter;
use super::run::Job;
use super::selection::Selection;
use crate::cli::{ImportArgs, Options};
use crate::clock::now;
use crate::commands::error::CommandError;
use crate::commands::message_file::explain_waiting;
use crate::exit;
use crate::http::Client;
use crate::log;
use crate::output::complain;
use crate::settings;
use chatwoot_mail::envelope;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::address::Address;
use chatwoot_mail::rules::Rules;

/// Imports; the status is 0 all delivered, 65 some rejected or unreadable, 75 some to be tried again, and sysexits(3)'s: 64, 73, 74, 78.
pub(crate) fn run(arguments: &ImportArgs, options: &Options, environment: &Environment) -> ExitCode {
    let result = in_order(arguments).and_then(|()| addressed(options)).and_then(|()| {
        if arguments.dry_run {
            dry_run::rehearse(arguments, options, environment)
        } else {
            import(arguments, options, environment)
        }
    });
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => error.report(),
    }
}

/// A time that ends before it begins is a slip of the pen.
fn in_order(arguments: &ImportArgs) -> Result<(), CommandError> {
    let Selection { since, until, .. } = selection(arguments);
    match (since, until) {
        (Some(since), Some(until)) if since > until => {
            Err(CommandError::new(exit::USAGE, "--since is later than --until"))
        }
        _ => Ok(()),
    }
}

/// A mail server's delivery goes on without a recipient that is no address; here it would be thousands that go astray.
fn addressed(options: &Options) -> Result<(), CommandError> {
    let envelope = envelope::read(&options.envelope.recipient, None, &Environment::default(), &[]);
    match envelope.ignored.into_iter().next() {
        Some(complaint) => Err(CommandError::new(exit::USAGE, complaint)),
        None => Ok(()),
    }
}

fn selection(arguments: &ImportArgs) -> Selection {
    let now = i64::try_from(now()).unwrap_or(i64::MAX);
    Selection {
        since: arguments.since.map(|moment| moment.range(now).0),
        until: arguments.until.map(|moment| moment.range(now).1),
        to: arguments.to.clone(),
    }
}

/// Who wants to know how far the run is.
pub(super) fn audience(arguments: &ImportArgs) -> Audience {
    match (arguments.quiet, arguments.json) {
        (true, _) => Audience::Nobody,
        (false, true) => Audience::Terminal,
        (false, false) => Audience::Anybody,
    }
}

/// Adds the inboxes that are named for this run to those that the settings name.
pub(super) fn add_inboxes(arguments: &ImportArgs, rules: &mut Rules) -> Result<(), CommandError> {
    for inbox in &arguments.inbox {
        let address = Address::parse(inbox).ok_or_else(|| {
            CommandError::new(
                exit::USAGE,
                format!("--inbox {inbox} is no address: it must look like support@example.com"),
            )
        })?;
        rules.chatwoot.inboxes.push(address);
    }
    Ok(())
}

/// Looks at what there is.
pub(super) fn found(arguments: &ImportArgs, progress: &Progress) -> Index {
    if arguments.path.iter().any(|path| path == Path::new("-")) && io::stdin().is_terminal() {
        explain_waiting();
    }
    let index = index(&arguments.path, &selection(arguments), |count| progress.read(count));
    // An empty mbox is a mailbox without mail; a folder without any is probably a slip of the pen.
    let folders: Vec<String> =
        arguments.path.iter().filter(|path| !path.is_file()).map(|path| path.display().to_string()).collect();
    if index.is_empty() && !folders.is_empty() && !arguments.quiet {
        complain(&format!("there is no mail in {}", folders.join(", ")));
    }
    index
}

fn import(arguments: &ImportArgs, options: &Options, environment: &Environment) -> Result<u8, CommandError> {
    let loaded = settings::load(&options.settings, environment);
    if let Some(notice) = log::open(&loaded.log) {
        complain(&notice);
    }
    log::settings(&loaded);
    let mut settings = loaded.settings?;
    add_inboxes(arguments, &mut settings.rules)?;
    for notice in &settings.notices {
        complain(notice);
    }
    let endpoint = settings.endpoint.url();
    let clients = (0..arguments.jobs.get())
        .map(|_| Client::new(endpoint.scheme() == "https", &settings.network, environment))
        .collect::<Result<Vec<_>, _>>()?;
    let journal = arguments.journal.as_deref().map(|path| Journal::open(path, endpoint.as_str())).transpose();
    let journal =
        journal.map_err(|why| CommandError::new(exit::CANNOT_CREATE, format!("--journal {why}")))?;
    let failed = arguments.failed.as_deref().map(FailedFolder::open).transpose();
    let failed = failed.map_err(|why| CommandError::new(exit::CANNOT_CREATE, format!("--failed {why}")))?;
    let progress = Progress::new(audience(arguments));
    let index = found(arguments, &progress);
    let interrupted = Interrupted::watch();
    let backoff = Backoff::new(Some(arguments.stop_after).filter(|most| *most > 0));
    let job = Job {
        settings: &settings,
        recipients: &options.envelope.recipient,
        sender: options.envelope.sender.as_ref(),
        backoff: &backoff,
        journal: journal.as_ref(),
        failed: failed.as_ref(),
    };
    let mut reporter = ImportReporter::new(&settings, progress, arguments.json);
    Ok(reporter.run(index, &job, clients, &interrupted, arguments))
}

/// Ctrl-C and kill(1): the first ends the run in order, the second at once. Before the first message is sent there is nothing to put in order.
pub(super) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    fn watch() -> Self {
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let at_once =
                flag::register_conditional_shutdown(signal, i32::from(exit::TEMPORARY), Arc::clone(&seen));
            // Without its handler a signal ends the run at once: the journal is made for that.
            let _ = at_once.and_then(|_| flag::register(signal, Arc::clone(&seen)));
        }
        Self(seen)
    }

    pub(super) fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
