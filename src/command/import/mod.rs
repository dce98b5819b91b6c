//! `ingress import`: stored mail, thousands at a time.

mod clerk;
mod dry_run;
mod shown;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::message_file::explain_waiting;
use super::progress::Progress;
use crate::cli::{ImportArgs, Options};
use crate::config;
use crate::endpoint::Client;
use crate::envelope;
use crate::environment::Environment;
use crate::import::{FailedFolder, Governor, Index, Job, Journal, Selection, index};
use crate::log;
use crate::output::complain;
use clerk::Clerk;

/// Imports; the status is 0 all delivered, 65 some rejected or unreadable, 75 some to be tried again, and sysexits(3)'s: 64, 73, 74, 78.
pub(crate) fn run_command(arguments: &ImportArgs, options: &Options, environment: &Environment) -> ExitCode {
    let result = in_order(arguments).and_then(|()| addressed(options)).and_then(|()| {
        if arguments.dry_run {
            dry_run::rehearse(arguments, options, environment)
        } else {
            import(arguments, options, environment)
        }
    });
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

/// A time that ends before it begins is a slip of the pen.
fn in_order(arguments: &ImportArgs) -> Result<(), Abandoned> {
    match (arguments.since, arguments.until) {
        (Some((begin, _)), Some((_, end))) if begin > end => {
            Err(Abandoned { status: 64, complaint: "--since is later than --until".to_owned() })
        }
        _ => Ok(()),
    }
}

/// A mail server's delivery goes on without a recipient that is no address; here it would be thousands that go astray.
fn addressed(options: &Options) -> Result<(), Abandoned> {
    let envelope = envelope::read(&options.recipient, None, &Environment::default(), &[]);
    match envelope.ignored.into_iter().next() {
        Some(complaint) => Err(Abandoned { status: 64, complaint }),
        None => Ok(()),
    }
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
    if arguments.path.iter().any(|path| path == Path::new("-")) && io::stdin().is_terminal() {
        explain_waiting();
    }
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
    let journal = journal.map_err(|why| Abandoned { status: 73, complaint: format!("--journal {why}") })?;
    let failed = arguments.failed.as_deref().map(FailedFolder::open).transpose();
    let failed = failed.map_err(|why| Abandoned { status: 73, complaint: format!("--failed {why}") })?;
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
    let mut clerk = Clerk::new(&settings, progress, arguments.json);
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
