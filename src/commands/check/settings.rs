//! The configuration: which file, what each setting is and where it came from, whether the files can be read.

use std::path::Path;

use super::access::{fifo, unreadable};
use super::account::{ReadingUser, ownership};
use super::{Finding, Host, Subject};
use crate::http;
use crate::settings::{
    ConfigError, CredentialSource, Loaded, Origin, Settings, ShownSetting, Sources, is_this_machine, oddity,
    setting,
};
use chatwoot_mail::environment::Environment;

/// The findings on the settings, without the log's.
pub(crate) fn findings(loaded: &Loaded<'_>, environment: &Environment) -> Vec<Finding> {
    let Loaded { sources, settings: judged, .. } = loaded;
    let reader = ReadingUser::of(environment);
    let configuration = configuration(sources, reader);
    if configuration.is_fault() {
        return vec![configuration];
    }
    let shown: Vec<ShownSetting> = sources.shown().collect();
    let rest = shown.iter().filter(|setting| !SHOWN_APART.contains(&setting.key));
    let mut findings = vec![configuration];
    findings.extend(judged.iter().flat_map(|settings| url(sources, settings)));
    findings.push(service(&shown, judged.is_ok()));
    if let Some(source) = sources.credential_source() {
        findings.push(credential(&source, reader));
        findings.extend(odd_credential(&source, judged.as_ref().ok()));
    }
    findings.extend(chatwoot_env(&shown, reader));
    findings.extend(authorities(sources, judged.as_ref().ok(), environment));
    findings.extend(rest.map(|setting| as_set(setting, judged.is_ok())));
    findings.extend(defaults(sources));
    // A file that cannot be read is named already, with more to it.
    if let Err(fault) = judged
        && !findings.iter().any(Finding::is_fault)
    {
        let fault = faulty(fault);
        match findings.iter_mut().find(|finding| finding.subject == fault.subject) {
            Some(finding) => *finding = fault,
            None => findings.push(fault),
        }
    }
    findings
}

/// The settings that have a line of their own.
const SHOWN_APART: [&str; 6] = ["url", "service", "log", "state_dir", "chatwoot_env", "ca_file"];

fn configuration(sources: &Sources<'_>, reader: ReadingUser) -> Finding {
    let subject = Subject::Configuration;
    let Some(config) = sources.config() else {
        return Finding::ok(subject, "no file, and none is needed when options and environment say enough");
    };
    let path = config.path.as_path();
    let named_by = config.named_by.map(|option| format!(" ({option})")).unwrap_or_default();
    let read = || match sources.file_fault() {
        Some(fault) => Finding { subject, ..faulty(fault) },
        None => Finding::ok(subject, format!("{}{}{named_by}", path.display(), owned(path))),
    };
    unreadable(subject, path, reader).unwrap_or_else(read)
}

/// `, mode 0640, root:ingress`.
fn owned(path: &Path) -> String {
    path.metadata().map(|metadata| format!(", {}", ownership(&metadata))).unwrap_or_default()
}

/// A setting with its value, once that is known to be no misplaced password.
fn as_set(setting: &ShownSetting, judged_well: bool) -> Finding {
    let value = if judged_well { setting.value.as_str() } else { "set" };
    Finding::ok(Subject::Setting(setting.key), format!("{value} ({})", setting.origin))
}

/// The URL as it is used; until it is judged it could hold a password.
fn url(sources: &Sources<'_>, settings: &Settings) -> Vec<Finding> {
    let subject = Subject::Setting("url");
    let origin = sources.origin_of(const { setting("url") });
    let url = settings.endpoint.url();
    let mut findings = vec![Finding::ok(subject, format!("{url} ({origin})"))];
    if url.scheme() == "http" && !is_this_machine(url) {
        let what = "the password and all mail travel in clear (allow_http)";
        findings.push(
            Finding::warning(subject, what).with_remedy(Host::Here, format!("use an https URL: {origin}")),
        );
    }
    for notice in &settings.notices {
        let action = format!("change {origin} to {}", settings.endpoint.base());
        findings.push(Finding::warning(subject, notice).with_remedy(Host::Here, action));
    }
    findings
}

fn service(shown: &[ShownSetting], judged_well: bool) -> Finding {
    let default = || Finding::ok(Subject::Setting("service"), "relay (default)");
    find("service", shown).map_or_else(default, |setting| as_set(setting, judged_well))
}

fn find<'a>(key: &str, shown: &'a [ShownSetting]) -> Option<&'a ShownSetting> {
    shown.iter().find(|setting| setting.key == key)
}

fn credential(source: &CredentialSource, reader: ReadingUser) -> Finding {
    match source.file.as_deref() {
        Some(path) => readable(source.key, path, &source.origin, reader),
        None => Finding::ok(Subject::Setting(source.key), format!("set ({})", source.origin)),
    }
}

/// A password that was probably not meant so.
fn odd_credential(source: &CredentialSource, settings: Option<&Settings>) -> Option<Finding> {
    let what = format!("what is set {}", oddity(&settings?.secret)?);
    let action = format!("if Chatwoot has it without, take that away ({})", source.origin);
    Some(Finding::note(Subject::Setting(source.key), what).with_remedy(Host::Here, action))
}

fn chatwoot_env(shown: &[ShownSetting], reader: ReadingUser) -> Option<Finding> {
    let setting = find("chatwoot_env", shown)?;
    Some(readable(setting.key, Path::new(&setting.value), &setting.origin, reader))
}

/// A file that a setting names.
fn readable(key: &'static str, path: &Path, origin: &Origin, reader: ReadingUser) -> Finding {
    let subject = Subject::Setting(key);
    unreadable(subject, path, reader)
        .unwrap_or_else(|| Finding::ok(subject, format!("{}{} ({origin})", path.display(), owned(path))))
}

/// The file of trusted authorities, when there is anything to trust.
fn authorities(
    sources: &Sources<'_>,
    settings: Option<&Settings>,
    environment: &Environment,
) -> Option<Finding> {
    let key = const { setting("ca_file") };
    let named = sources.path(key);
    if named.is_none() && settings?.endpoint.url().scheme() != "https" {
        return None;
    }
    let path = http::bundle(named, environment)?;
    let origin = match (named, environment.get("SSL_CERT_FILE")) {
        (None, Some(_)) => Origin::Variable("SSL_CERT_FILE"),
        _ => sources.origin_of(key),
    };
    let subject = Subject::Setting(key.key);
    Some(
        unreadable(subject, &path, ReadingUser::of(environment))
            .or_else(|| fifo(subject, &path))
            .unwrap_or_else(|| Finding::ok(subject, format!("{} ({origin})", path.display()))),
    )
}

/// The defaults in force, but for those of settings that have a line of their own.
fn defaults(sources: &Sources<'_>) -> Option<Finding> {
    let unset = sources.defaults().filter(|(key, _)| !SHOWN_APART.contains(key));
    let unset: Vec<String> = unset.map(|(key, value)| format!("{key} {value}")).collect();
    (!unset.is_empty()).then(|| Finding::ok(Subject::Defaults, unset.join(", ")))
}

fn faulty(fault: &ConfigError) -> Finding {
    let subject = fault.key.map_or(Subject::Configuration, Subject::Setting);
    let place = fault.origin.as_ref().map(Origin::place);
    let place = place.unwrap_or_else(|| "that in the environment or the options".to_owned());
    let remedy = fault.remedy.clone().unwrap_or_else(|| format!("correct {place}"));
    Finding::fault(subject, fault.complaint()).with_remedy(Host::Here, remedy)
}
