//! `ingress check`: would a delivery work now, and if not, which setting on which machine must change? One line a finding, as they
//! come, then one sentence.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::check::account::{self, Account};
use crate::check::answer::{self, Asked};
use crate::check::api::{self, Api};
use crate::check::chatwoot_env::{self, Running};
use crate::check::reach::Target;
use crate::check::{Finding, Machine, Mark, Remedy, Subject, certificate, log, settings};
use crate::cli::{CheckArgs, Options};
use crate::config::{self, Provenance, Settings, plain};
use crate::delivery;
use crate::endpoint::{self, Answer, Client, Probe, shake};
use crate::environment::Environment;
use crate::log::sanitized;
use crate::outcome::{Cause, Failure, TooLarge};

const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;
const IO_ERROR: u8 = 74;
const TEMPORARY: u8 = 75;
const CONFIGURATION: u8 = 78;

/// Checks; the status is sysexits(3)'s: 0 ready, 69 the endpoint or the way to it, 78 the configuration, 64 usage.
pub(crate) fn run(arguments: &CheckArgs, options: &Options, environment: &Environment) -> ExitCode {
    let mut report = Report::new(arguments.json);
    match arguments.user.as_deref() {
        Some(user) => return as_user(user, options, report),
        None => check(options, environment, &mut report),
    }
    report.end()
}

/// Runs the whole check as that user; what this process may do proves nothing.
fn as_user(user: &str, options: &Options, mut report: Report) -> ExitCode {
    if !account::is_root() {
        return misused("--as needs root: sudo ingress check --as USER");
    }
    let account = match Account::named(user) {
        Ok(account) => account,
        Err(complaint) => return misused(&complaint),
    };
    match account.run(words(options, report.json).iter().map(AsRef::as_ref)) {
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(TEMPORARY))
        }
        Err(error) => {
            let what = format!("{} cannot start this program: {}", account.name(), plain(&error));
            report.add(Finding::fault(Subject::Program, what).mended(
                Machine::Here,
                "install ingress where every user may run it, such as /usr/bin/ingress, mode 0755",
            ));
            report.end()
        }
    }
}

fn misused(complaint: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "ingress: {}", sanitized(complaint));
    ExitCode::from(USAGE)
}

/// The same command line, with paths that hold in any folder.
fn words(options: &Options, json: bool) -> Vec<std::ffi::OsString> {
    let absolute =
        |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    let options = [
        ("--config", options.config.as_deref().map(absolute)),
        ("--url", options.url.as_ref().map(Into::into)),
        ("--password-file", options.password_file.as_deref().map(absolute)),
        ("--log", options.log.as_ref().map(Into::into)),
    ];
    let given = options.into_iter().filter_map(|(option, value)| Some([option.into(), value?])).flatten();
    let json = json.then(|| OsStr::new("--json").to_owned());
    std::iter::once(OsStr::new("check").to_owned()).chain(given).chain(json).collect()
}

/// Everything, in order.
fn check(options: &Options, environment: &Environment, report: &mut Report) {
    report.add(account::finding());
    let provenance = Provenance::of(options, environment);
    let loaded = config::load(options, environment);
    report.extend(settings::findings(&provenance, &loaded.settings, environment));
    report.add(log::finding(&loaded.log.target, provenance.whence("log").unwrap_or("default")));
    let settings = loaded.settings.ok().filter(|_| !report.has_fault());
    let running = match &settings {
        Some(settings) => network(settings, &provenance, environment, report),
        None => Running::Unknown,
    };
    if let Some((path, Some(env))) = &provenance.chatwoot_env {
        report.extend(chatwoot_env::findings(path, env, settings.as_ref(), running));
    }
}

/// The way to the endpoint, as far as it goes.
fn network(
    settings: &Settings,
    provenance: &Provenance,
    environment: &Environment,
    report: &mut Report,
) -> Running {
    let whence = provenance.whence("url").unwrap_or("url");
    if !connect(settings, provenance, environment, report) {
        return Running::Unknown;
    }
    let url = settings.endpoint.url();
    let client = match Client::new(url.scheme() == "https", &settings.network, environment) {
        Ok(client) => client,
        Err(fault) => {
            report.add(Finding::fault(Subject::Tls, fault.to_string()).mended(Machine::Here, "mend ca_file"));
            return Running::Unknown;
        }
    };
    let secret = provenance.secret.as_ref().map_or("the password", |source| source.whence.as_str());
    ask(&client, settings, whence, secret, report)
}

/// Name, connection and TLS; whether it is worth going on.
fn connect(
    settings: &Settings,
    provenance: &Provenance,
    environment: &Environment,
    report: &mut Report,
) -> bool {
    let deadline = Instant::now() + settings.network.connect_timeout;
    let url = settings.endpoint.url();
    let whence = provenance.whence("url").unwrap_or("url");
    let target = match &settings.network.proxy {
        Some(proxy) => Target::of(proxy, provenance.whence("proxy").unwrap_or("proxy")),
        None => Target::of(url, whence),
    };
    let Some(target) = target else { return true };
    let (addresses, name) = target.resolve(deadline);
    report.extend(name);
    if addresses.is_empty() {
        return false;
    }
    let (stream, connection) = target.connect(&addresses, deadline);
    report.add(connection);
    let Some(stream) = stream else { return false };
    // Through a proxy the handshake is the probe's.
    if url.scheme() != "https" || settings.network.proxy.is_some() {
        return true;
    }
    let bundle = endpoint::bundle(settings.network.ca_file.as_deref(), environment);
    let host = url.host_str().unwrap_or_default();
    let finding = match shake(stream, host, bundle.as_deref(), deadline) {
        Ok(handshake) => certificate::finding(&handshake, host, whence, bundle.as_deref()),
        Err(fault) => {
            let remedy = fault.remedy.clone().unwrap_or_else(|| "mend ca_file".to_owned());
            Finding::fault(Subject::Tls, fault.what).mended(Machine::Here, remedy)
        }
    };
    let well = !finding.is_fault();
    report.add(finding);
    well
}

/// How long an answer is waited for, when `timeout` does not end sooner: a check is watched by somebody.
const PATIENCE: Duration = Duration::from_secs(30);

/// The probe, and what Chatwoot tells of itself.
fn ask(client: &Client, settings: &Settings, url: &str, secret: &str, report: &mut Report) -> Running {
    let patience = settings.network.timeout.min(PATIENCE);
    let endpoint = &settings.endpoint;
    let asked = endpoint.probe(&settings.secret, delivery::now()).and_then(|Probe { request, healthy }| {
        Ok((client.probe(&request, Instant::now() + patience)?, healthy))
    });
    let (answer, healthy) = match asked {
        Ok(answered) => answered,
        Err(failure) => {
            report.add(unanswered(&failure, patience));
            return Running::Unknown;
        }
    };
    if endpoint.url().scheme() == "https" && settings.network.proxy.is_some() {
        report.add(Finding::ok(
            Subject::Tls,
            "the certificate is trusted; the handshake went through the proxy",
        ));
    }
    let told = client.get(&api_of(endpoint.base()), Instant::now() + settings.network.connect_timeout).ok();
    let api = told.as_ref().and_then(Api::read);
    let finding = answer::finding(&answer, &Asked { endpoint, healthy, url, secret, api: api.as_ref() });
    let well = !finding.is_fault();
    report.add(finding);
    match api {
        Some(api) => report.add(api.finding()),
        None if well => report.add(api::untold(told.as_ref().map(|told: &Answer| told.status))),
        None => {}
    }
    if well { Running::TakesMail } else { Running::Unknown }
}

fn api_of(mut base: url::Url) -> url::Url {
    base.set_path(&format!("{}/api", base.path().trim_end_matches('/')));
    base
}

/// No answer at all, in the words that a delivery has for it.
fn unanswered(failure: &Failure, patience: Duration) -> Finding {
    let (subject, what) = match failure.cause {
        Cause::Deadline => {
            (Subject::Endpoint, format!("no answer within {}", humantime::format_duration(patience)))
        }
        Cause::NameNotFound => (Subject::Name, failure.detail.to_string()),
        Cause::CannotConnect => (Subject::Connection, failure.detail.to_string()),
        Cause::UntrustedCertificate => (Subject::Tls, failure.detail.to_string()),
        _ => (Subject::Endpoint, failure.detail.to_string()),
    };
    let machine = match failure.cause {
        Cause::Deadline | Cause::ConnectionLost => Machine::Chatwoot,
        _ => Machine::Here,
    };
    Finding::fault(subject, what).mended(machine, failure.cause.verdict(TooLarge::Reject).remedy)
}

/// The findings so far, printed as they come unless they are to be JSON.
struct Report {
    json: bool,
    findings: Vec<Finding>,
    written: io::Result<()>,
}

/// What programs get.
#[derive(Serialize)]
struct Whole<'a> {
    version: &'static str,
    findings: &'a [Finding],
    ready: bool,
    /// The first thing to do.
    next: Option<String>,
    exit: u8,
}

impl Report {
    fn new(json: bool) -> Self {
        Self { json, findings: Vec::new(), written: Ok(()) }
    }

    fn add(&mut self, finding: Finding) {
        if !self.json {
            self.write(&shown(&finding));
        }
        self.findings.push(finding);
    }

    fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    fn write(&mut self, text: &str) {
        if self.written.is_ok() {
            let mut stdout = io::stdout();
            self.written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        }
    }

    fn fault(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_fault())
    }

    fn has_fault(&self) -> bool {
        self.fault().is_some()
    }

    fn status(&self) -> u8 {
        match self.fault() {
            None => 0,
            Some(fault) if fault.subject.is_configuration() => CONFIGURATION,
            Some(_) => UNAVAILABLE,
        }
    }

    /// Ends the report with the one sentence.
    fn end(mut self) -> ExitCode {
        let status = self.status();
        let next = self
            .fault()
            .map(|fault| fault.remedy.as_ref().map_or_else(|| fault.what.clone(), Remedy::sentence));
        let text = if self.json { self.whole(status, next) } else { self.sentence(next) };
        self.write(&text);
        ExitCode::from(if self.written.is_ok() { status } else { IO_ERROR })
    }

    fn sentence(&self, next: Option<String>) -> String {
        let warnings = self.findings.iter().filter(|finding| finding.mark == Mark::Warning).count();
        match (next, warnings) {
            (Some(next), _) => format!("\nNot ready. First, {next}\n"),
            (None, 0) => "\nReady: a delivery would work now.\n".to_owned(),
            (None, 1) => "\nReady: a delivery would work now; mind the warning.\n".to_owned(),
            (None, _) => "\nReady: a delivery would work now; mind the warnings.\n".to_owned(),
        }
    }

    fn whole(&self, exit: u8, next: Option<String>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let whole = Whole { version, findings: &self.findings, ready: exit == 0, next, exit };
        // Text and numbers alone: there is nothing in it that JSON could not write.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }
}

/// `FAIL  endpoint       401: ...`, and the remedy below it.
fn shown(finding: &Finding) -> String {
    let mut text = format!("{:<5} {:<15} {}\n", finding.mark.word(), finding.subject.word(), finding.what);
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("{:<21} {}\n", "", remedy.sentence()));
    }
    text
}
