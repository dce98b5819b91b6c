//! The configuration: which file, what each setting is and where it came from, whether the files can be read.

use std::path::Path;

use super::access::{fifo, unreadable};
use super::account::{Reader, ownership};
use super::{Finding, Host, Subject};
use crate::http;
use crate::settings::{ConfigError, Provenance, Setting, Settings, is_this_machine, oddity};
use chatwoot_mail::environment::Environment;

/// The findings on the settings, without the log's; `judged` is what [`crate::settings::load`] made of them.
pub(crate) fn findings(
    provenance: &Provenance,
    judged: &Result<Settings, ConfigError>,
    environment: &Environment,
) -> Vec<Finding> {
    let reader = Reader::of(environment);
    let configuration = configuration(provenance, reader);
    if configuration.is_fault() {
        return vec![configuration];
    }
    let mut findings = vec![configuration];
    findings.extend(url(provenance, judged.as_ref().ok()));
    findings.extend(said(provenance, "service", judged.is_ok()));
    findings.extend(secret(provenance, reader));
    findings.extend(odd_secret(provenance, judged.as_ref().ok()));
    findings.extend(chatwoot_env(provenance, reader));
    findings.extend(authorities(provenance, judged.as_ref().ok(), environment));
    let more = provenance.said.iter().filter(|said| !SHOWN_APART.contains(&said.name));
    findings.extend(more.filter_map(|said| self::said(provenance, said.name, judged.is_ok())));
    if !provenance.defaults.is_empty() {
        findings.push(Finding::ok(Subject::Defaults, provenance.defaults.join(", ")));
    }
    // A file that cannot be read is named already, with more to it.
    if let Err(fault) = judged
        && !findings.iter().any(Finding::is_fault)
    {
        let fault = faulty(blamed(provenance, &fault.what), provenance, fault);
        match findings.iter_mut().find(|finding| finding.subject == fault.subject) {
            Some(finding) => *finding = fault,
            None => findings.push(fault),
        }
    }
    findings
}

/// The settings that have a line of their own.
const SHOWN_APART: [&str; 5] = ["url", "service", "log", "chatwoot_env", "ca_file"];

fn configuration(provenance: &Provenance, reader: Reader) -> Finding {
    let subject = Subject::Configuration;
    let Some(path) = provenance.config.as_deref() else {
        return Finding::ok(subject, "no file, and none is needed when options and environment say enough");
    };
    let named_by = provenance.config_named_by.map(|option| format!(" ({option})")).unwrap_or_default();
    let read = || match &provenance.config_fault {
        Some(fault) => faulty(subject, provenance, fault),
        None => Finding::ok(subject, format!("{}{}{named_by}", path.display(), owned(path))),
    };
    unreadable(subject, path, reader).unwrap_or_else(read)
}

/// `, mode 0640, root:ingress`.
fn owned(path: &Path) -> String {
    path.metadata().map(|metadata| format!(", {}", ownership(&metadata))).unwrap_or_default()
}

/// A setting with its value, once that is known to be no misplaced password.
fn said(provenance: &Provenance, name: &'static str, judged_well: bool) -> Option<Finding> {
    let said = provenance.said.iter().find(|said| said.name == name)?;
    let value = if judged_well || said.origin == "default" { said.value.as_str() } else { "set" };
    Some(Finding::ok(Subject::Setting(name), format!("{value} ({})", said.origin)))
}

/// The URL as it is used; until it is judged it could hold a password.
fn url(provenance: &Provenance, settings: Option<&Settings>) -> Vec<Finding> {
    let subject = Subject::Setting("url");
    let Some((settings, origin)) = settings.zip(provenance.origin("url")) else { return Vec::new() };
    let url = settings.endpoint.url();
    let mut findings = vec![Finding::ok(subject, format!("{url} ({origin})"))];
    if url.scheme() == "http" && !is_this_machine(url) {
        let what = "the password and all mail travel in clear (allow_http)";
        findings
            .push(Finding::warning(subject, what).mended(Host::Here, format!("use an https URL: {origin}")));
    }
    for notice in &settings.notices {
        let mended = format!("change {origin} to {}", settings.endpoint.base());
        findings.push(Finding::warning(subject, notice).mended(Host::Here, mended));
    }
    findings
}

fn secret(provenance: &Provenance, reader: Reader) -> Option<Finding> {
    let source = provenance.secret.as_ref()?;
    let subject = Subject::Setting(source.key);
    let Some(path) = source.file.as_deref() else {
        return Some(Finding::ok(subject, format!("set ({})", source.origin)));
    };
    Some(unreadable(subject, path, reader).unwrap_or_else(|| {
        Finding::ok(subject, format!("{}{} ({})", path.display(), owned(path), source.origin))
    }))
}

/// A password that was probably not meant so.
fn odd_secret(provenance: &Provenance, settings: Option<&Settings>) -> Option<Finding> {
    let (source, oddity) = (provenance.secret.as_ref()?, oddity(&settings?.secret)?);
    let what = format!("what is set {oddity}");
    let action = format!("if Chatwoot has it without, take that away ({})", source.origin);
    Some(Finding::note(Subject::Setting(source.key), what).mended(Host::Here, action))
}

fn chatwoot_env(provenance: &Provenance, reader: Reader) -> Option<Finding> {
    let (path, _) = provenance.chatwoot_env.as_ref()?;
    let subject = Subject::Setting("chatwoot_env");
    let origin = provenance.origin("chatwoot_env").unwrap_or_default();
    Some(
        unreadable(subject, path, reader)
            .unwrap_or_else(|| Finding::ok(subject, format!("{}{} ({origin})", path.display(), owned(path)))),
    )
}

/// The file of trusted authorities, when there is anything to trust.
fn authorities(
    provenance: &Provenance,
    settings: Option<&Settings>,
    environment: &Environment,
) -> Option<Finding> {
    let named = provenance.ca_file.as_deref();
    if named.is_none() && settings?.endpoint.url().scheme() != "https" {
        return None;
    }
    let path = http::bundle(named, environment)?;
    let origin = match (provenance.origin("ca_file"), environment.get("SSL_CERT_FILE")) {
        (Some(origin), _) => origin,
        (None, Some(_)) => "SSL_CERT_FILE",
        (None, None) => "default",
    };
    let subject = Subject::Setting("ca_file");
    Some(
        unreadable(subject, &path, Reader::of(environment))
            .or_else(|| fifo(subject, &path))
            .unwrap_or_else(|| Finding::ok(subject, format!("{} ({origin})", path.display()))),
    )
}

fn faulty(subject: Subject, provenance: &Provenance, fault: &ConfigError) -> Finding {
    let remedy = fault.remedy.clone().unwrap_or_else(|| format!("mend {}", place(subject, provenance)));
    Finding::fault(subject, &fault.what).mended(Host::Here, remedy)
}

/// Where a faulty setting stands: `that in /etc/ingress.toml`, `INGRESS_URL`, `FRONTEND_URL in /opt/chatwoot/.env`.
fn place(subject: Subject, provenance: &Provenance) -> String {
    let that_in = |path: &Path| format!("that in {}", path.display());
    let secret = provenance.secret.as_ref().filter(|source| subject == Subject::Setting(source.key));
    let env = provenance.chatwoot_env.as_ref().filter(|_| subject == Subject::Setting("chatwoot_env"));
    let file = secret.and_then(|source| source.file.as_deref()).or(env.map(|(path, _)| path.as_path()));
    if let Some(path) = file {
        return that_in(path);
    }
    let origin = secret.map(|source| source.origin.as_str()).or_else(|| provenance.origin(subject.word()));
    let config = provenance.config.as_deref();
    let is_in_config =
        |origin: &str| config.is_some_and(|path| origin.ends_with(&format!(" in {}", path.display())));
    match (origin, config) {
        (Some(origin), _) if origin != "default" && !is_in_config(origin) => origin.to_owned(),
        (_, Some(path)) => that_in(path),
        (_, None) => "that in the environment or the options".to_owned(),
    }
}

/// The setting that a fault is about, by the key, the variable or the file that it names first.
fn blamed(provenance: &Provenance, what: &str) -> Subject {
    let first = what.split([' ', ':']).next().unwrap_or_default();
    let named = |said: &&Setting| said.name == first || said.origin.split(' ').next() == Some(first);
    if let Some(said) = provenance.said.iter().find(named) {
        return Subject::Setting(said.name);
    }
    let names = |path: Option<&Path>| path.is_some_and(|path| what.contains(&*path.to_string_lossy()));
    if names(provenance.chatwoot_env.as_ref().map(|(path, _)| path.as_path())) {
        return Subject::Setting("chatwoot_env");
    }
    let secret = provenance.secret.as_ref();
    if let Some(source) = secret.filter(|source| names(source.file.as_deref())) {
        return Subject::Setting(source.key);
    }
    if let Some(name) =
        ["password", "signing_key"].into_iter().find(|name| what.to_ascii_lowercase().contains(name))
    {
        return Subject::Setting(name);
    }
    if what.contains("URL") { Subject::Setting("url") } else { Subject::Configuration }
}
