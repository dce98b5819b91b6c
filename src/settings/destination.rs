//! Where the messages go: the URL and the service.

use super::file::File;
use super::value::{self, UserInfo};
use super::{ChatwootEnv, ConfigError, is_this_machine};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::request::Endpoint;
use chatwoot_mail::service::Service;

pub(super) fn endpoint(
    options: &SettingsOptions,
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
    notices: &mut Vec<String>,
) -> Result<Endpoint, ConfigError> {
    let sources = [
        ("--url", options.url.as_deref()),
        ("INGRESS_URL", environment.get("INGRESS_URL")),
        ("URL", environment.get("URL")),
        ("url", file.url.as_deref()),
        ("FRONTEND_URL", chatwoot.get("FRONTEND_URL")),
    ];
    let Some((origin, text)) = sources.into_iter().find_map(|(origin, text)| Some((origin, text?))) else {
        let otherwise = format_args!("url in {}, or INGRESS_URL", file.place());
        return Err(ConfigError::new("no URL of Chatwoot is set")
            .with_hint(chatwoot.to_set("FRONTEND_URL", otherwise)));
    };
    let url = value::web_url(text, UserInfo::Refused)
        .map_err(|complaint| ConfigError::new(format!("{origin} {complaint}")))?;
    if url.scheme() == "http" && !is_this_machine(&url) && file.allow_http != Some(true) {
        return Err(ConfigError::new(format!("{origin} would send the password in clear"))
            .with_hint("use https, or set allow_http = true"));
    }
    let service = service(environment, file, chatwoot)?;
    let (endpoint, notice) =
        Endpoint::new(url, service).map_err(|complaint| ConfigError::new(format!("{origin} {complaint}")))?;
    notices.extend(notice);
    Ok(endpoint)
}

pub(super) fn service(
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
) -> Result<Service, ConfigError> {
    let sources = [
        ("INGRESS_SERVICE", environment.get("INGRESS_SERVICE")),
        ("service", file.service.as_deref()),
        ("RAILS_INBOUND_EMAIL_SERVICE", chatwoot.get("RAILS_INBOUND_EMAIL_SERVICE")),
    ];
    match sources.into_iter().find_map(|(origin, name)| Some((origin, name?))) {
        None => Ok(Service::Relay),
        Some((origin, name)) => Service::named(name).ok_or_else(|| no_service(origin, name)),
    }
}

/// What to say of a service that cannot be spoken; a name that is none of Chatwoot's is not repeated, it may be a misplaced password.
fn no_service(origin: &str, name: &str) -> ConfigError {
    if name == "ses" {
        return ConfigError::new(format!("{origin} is \"ses\", which Amazon alone can sign"))
            .with_hint("set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay");
    }
    let names = Service::ALL.map(|service| format!("\"{}\"", service.name()));
    let (last, others) = names
        .split_last()
        .map_or((String::new(), String::new()), |(last, others)| (last.clone(), others.join(", ")));
    ConfigError::new(format!("{origin} must be {others} or {last}"))
}
