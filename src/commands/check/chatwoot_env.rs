//! What Chatwoot's own `.env` says about incoming mail, and what of it is known to go wrong.

use std::net::IpAddr;
use std::path::Path;

use super::{Finding, Host, RESTART, Severity, Subject};
use crate::settings::{ChatwootEnv, Settings};
use chatwoot_mail::service::Service;

const SUBJECT: Subject = Subject::Setting("chatwoot_env");

/// How the running Chatwoot answered: what the file says may not be in force yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    TakesMail,
    Unknown,
}

/// The findings on the file, after those on the network.
pub(crate) fn findings(
    path: &Path,
    env: &ChatwootEnv,
    settings: Option<&Settings>,
    running: Running,
) -> Vec<Finding> {
    let rules = [
        service(env, settings),
        secret(env, settings),
        unquoted(env, settings, running),
        reply_domain(env),
        storage(env),
        smarthost(env),
        own_address(env, settings),
    ];
    let findings = rules.into_iter().flatten().map(|finding| judged(finding, running));
    let mut findings: Vec<Finding> = findings
        .map(|finding| Finding { what: format!("{}: {}", path.display(), finding.what), ..finding })
        .collect();
    if !findings.iter().any(|finding| finding.mark != Severity::Note) {
        findings.insert(
            0,
            Finding::ok(SUBJECT, format!("{}: nothing in it is in the way of mail", path.display())),
        );
    }
    findings
}

/// What Chatwoot does by now outweighs what it will do after its next start.
fn judged(finding: Finding, running: Running) -> Finding {
    match (finding.mark, running) {
        (Severity::Fault, Running::TakesMail) => Finding { mark: Severity::Warning, ..finding },
        _ => finding,
    }
}

fn on_chatwoot(finding: Finding, action: impl AsRef<str>) -> Option<Finding> {
    Some(finding.with_remedy(Host::Chatwoot, action))
}

/// Chatwoot's default is the relay, but an empty variable is not unset to it (`config/initializers/mailer.rb`).
///
/// As long as the settings are faulty, any service that can be spoken is the right one.
fn service(env: &ChatwootEnv, settings: Option<&Settings>) -> Option<Finding> {
    let said = env.said("RAILS_INBOUND_EMAIL_SERVICE").unwrap_or("relay");
    let spoken = settings.map(|settings| settings.endpoint.service()).or_else(|| Service::named(said));
    let wanted = spoken.unwrap_or_default().name();
    if said == wanted {
        return None;
    }
    let said = if said.is_empty() { "is empty".to_owned() } else { format!("is {said}") };
    let fault = Finding::fault(
        SUBJECT,
        format!("RAILS_INBOUND_EMAIL_SERVICE {said}, and mail is sent as to {wanted}"),
    );
    on_chatwoot(fault, format!("set RAILS_INBOUND_EMAIL_SERVICE={wanted}, and {RESTART}"))
}

/// Chatwoot's copy of what proves who sends: the password, or the key that signs.
fn secret(env: &ChatwootEnv, settings: Option<&Settings>) -> Option<Finding> {
    let of_chatwoot = || Service::named(env.get("RAILS_INBOUND_EMAIL_SERVICE")?);
    let service =
        settings.map(|settings| settings.endpoint.service()).or_else(of_chatwoot).unwrap_or_default();
    let variable = service.variable();
    let Some(theirs) = env.get(variable) else {
        let fault = Finding::fault(
            SUBJECT,
            format!("{variable} is not set, which the service {} needs", service.name()),
        );
        return on_chatwoot(fault, format!("set {variable}, and {RESTART}"));
    };
    if settings.is_none_or(|settings| settings.secret.reveal() == theirs) {
        return None;
    }
    let fault = Finding::fault(SUBJECT, format!("{variable} is another than the one in use here"));
    Some(fault.with_remedy(Host::Here, "take it out of the other place, so that Chatwoot's own is used"))
}

/// A secret that Chatwoot may know otherwise than it stands there.
fn unquoted(env: &ChatwootEnv, settings: Option<&Settings>, running: Running) -> Option<Finding> {
    let variable = settings?.endpoint.service().variable();
    if running == Running::TakesMail || env.is_plain(variable) {
        return None;
    }
    let warning = Finding::warning(
        SUBJECT,
        format!("{variable} holds #, $ or \\ without single quotes: Chatwoot may read something else"),
    );
    on_chatwoot(warning, format!("put the value into single quotes, and {RESTART}"))
}

fn reply_domain(env: &ChatwootEnv) -> Option<Finding> {
    if env.get("MAILER_INBOUND_EMAIL_DOMAIN").is_some() {
        return None;
    }
    let warning = Finding::warning(
        SUBJECT,
        "MAILER_INBOUND_EMAIL_DOMAIN is not set: customers have no address to reply to",
    );
    on_chatwoot(warning, "set it to the domain of the reply addresses, whose mail comes to this host")
}

/// The worker reads what the web process stored (Action Mailbox keeps the message in Active Storage).
fn storage(env: &ChatwootEnv) -> Option<Finding> {
    if env.get("ACTIVE_STORAGE_SERVICE").is_some_and(|service| service != "local") {
        return None;
    }
    let warning = Finding::warning(
        SUBJECT,
        "ACTIVE_STORAGE_SERVICE is local: a worker on another host or in another container cannot read the mail that the web process stored",
    );
    on_chatwoot(warning, "let web and worker share the volume /app/storage, or use cloud storage")
}

/// Without SASL on the smarthost, Chatwoot must not log in there. An empty name or password counts: it is tried.
fn smarthost(env: &ChatwootEnv) -> Option<Finding> {
    let address = env.get("SMTP_ADDRESS").unwrap_or("localhost");
    if !is_local(address) {
        return None;
    }
    let set = [
        env.get("SMTP_AUTHENTICATION").map(|_| "SMTP_AUTHENTICATION"),
        env.said("SMTP_USERNAME").map(|_| "SMTP_USERNAME"),
        env.said("SMTP_PASSWORD").map(|_| "SMTP_PASSWORD"),
    ];
    let set: Vec<&str> = set.into_iter().flatten().collect();
    if set.is_empty() {
        return None;
    }
    let warning = Finding::warning(
        SUBJECT,
        format!("SMTP_ADDRESS is this host's mail server ({address}), and Chatwoot would log in to it"),
    );
    on_chatwoot(warning, format!("if it takes mail without a login, delete the lines {}", set.join(", ")))
}

/// This machine, or the machine seen from a container on it.
fn is_local(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            // The gateways of Docker's bridges: 172.16.0.0/12, the first address.
            let [first, second, _, last] = address.octets();
            address.is_loopback() || (first == 172 && (16..32).contains(&second) && last == 1)
        }
        Ok(IpAddr::V6(address)) => address.is_loopback(),
        Err(_) => ["localhost", "host.docker.internal", "host.containers.internal"].contains(&address),
    }
}

/// Chatwoot takes mail from itself for a loop and drops it.
fn own_address(env: &ChatwootEnv, settings: Option<&Settings>) -> Option<Finding> {
    env.get("MAILER_SENDER_EMAIL")?;
    let own = settings?.rules.chatwoot.own_sender.as_ref()?;
    let text = format!("MAILER_SENDER_EMAIL is {own}: Chatwoot drops mail that comes from that address");
    if settings?.rules.chatwoot.inboxes.contains(own) {
        return on_chatwoot(
            Finding::warning(SUBJECT, format!("{text}, and it is an inbox too")),
            "give MAILER_SENDER_EMAIL an address that is no inbox",
        );
    }
    Some(Finding::note(SUBJECT, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "RAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD=hush\n\
        MAILER_INBOUND_EMAIL_DOMAIN=reply.test\nACTIVE_STORAGE_SERVICE=amazon\nSMTP_ADDRESS=smtp.test\nSMTP_USERNAME=u\n";

    fn found(text: &str, running: Running) -> Vec<(Severity, String)> {
        let findings = findings(Path::new("E"), &ChatwootEnv::parse(text), None, running);
        assert!(findings.iter().all(|finding| finding.remedy.is_some() || finding.mark == Severity::Ok));
        findings.into_iter().map(|finding| (finding.mark, finding.what)).collect()
    }

    /// What is found when a line is added to a file in which nothing is wrong.
    fn only(more: &str) -> (Severity, String) {
        let found = found(&format!("{GOOD}{more}\n"), Running::Unknown);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn a_good_file_is_well() {
        assert_eq!(only(""), (Severity::Ok, "E: nothing in it is in the way of mail".to_owned()));
    }

    #[test]
    fn an_empty_service_is_not_the_default() {
        let (mark, what) = only("RAILS_INBOUND_EMAIL_SERVICE=");
        assert_eq!(mark, Severity::Fault);
        assert!(what.starts_with("E: RAILS_INBOUND_EMAIL_SERVICE is empty"), "{what}");
        let unset = GOOD.replace("RAILS_INBOUND_EMAIL_SERVICE=relay\n", "");
        assert_eq!(found(&unset, Running::Unknown)[0].0, Severity::Ok);
    }

    #[test]
    fn what_a_running_chatwoot_disproves_is_a_warning() {
        let text = format!("{GOOD}RAILS_INBOUND_EMAIL_PASSWORD=\n");
        assert_eq!(found(&text, Running::Unknown)[0].0, Severity::Fault);
        assert_eq!(found(&text, Running::TakesMail)[0].0, Severity::Warning);
    }

    #[test]
    fn local_storage_and_a_missing_reply_domain_are_warnings() {
        for (line, word) in [
            ("ACTIVE_STORAGE_SERVICE=local", "ACTIVE_STORAGE_SERVICE is local"),
            ("ACTIVE_STORAGE_SERVICE=", "ACTIVE_STORAGE_SERVICE is local"),
            ("MAILER_INBOUND_EMAIL_DOMAIN=", "MAILER_INBOUND_EMAIL_DOMAIN is not set"),
        ] {
            let (mark, what) = only(line);
            assert_eq!(mark, Severity::Warning);
            assert!(what.contains(word), "{what}");
        }
    }

    #[test]
    fn a_local_smarthost_without_login_needs_three_lines_less() {
        for address in ["", "localhost", "127.0.0.1", "host.docker.internal", "172.17.0.1"] {
            let (mark, what) = only(&format!("SMTP_ADDRESS={address}"));
            assert_eq!(mark, Severity::Warning);
            assert!(what.contains("would log in to it"), "{what}");
        }
        let text = format!("{}SMTP_ADDRESS=localhost\n", GOOD.replace("SMTP_USERNAME=u\n", ""));
        assert_eq!(found(&text, Running::Unknown)[0].0, Severity::Ok);
        let blank = format!("{text}SMTP_PASSWORD=\n");
        assert_eq!(found(&blank, Running::Unknown)[0].0, Severity::Warning);
    }

    #[test]
    fn each_signing_service_needs_its_key() {
        for (service, key) in
            [("mailgun", "MAILGUN_INGRESS_SIGNING_KEY"), ("mandrill", "MANDRILL_INGRESS_API_KEY")]
        {
            let text = format!("{GOOD}RAILS_INBOUND_EMAIL_SERVICE={service}\n");
            let without = found(&text, Running::Unknown);
            assert!(without.iter().any(|(_, what)| what.contains(key)), "{without:?}");
            assert!(!without.iter().any(|(_, what)| what.contains("mail is sent as to")), "{without:?}");
            let with = found(&format!("{text}{key}=hush\n"), Running::Unknown);
            assert!(!with.iter().any(|(_, what)| what.contains(key)), "{with:?}");
        }
    }
}
