//! Where the messages go: the URL and the service.

use super::file::File;
use super::value::{self, UserInfo};
use super::{ChatwootEnv, Fault, is_this_machine};
use crate::cli::Options;
use crate::endpoint::{Endpoint, Service};
use crate::environment::Environment;

pub(super) fn endpoint(
    options: &Options,
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
    notices: &mut Vec<String>,
) -> Result<Endpoint, Fault> {
    let sources = [
        ("--url", options.url.as_deref()),
        ("INGRESS_URL", environment.get("INGRESS_URL")),
        ("URL", environment.get("URL")),
        ("url", file.url.as_deref()),
        ("FRONTEND_URL", chatwoot.get("FRONTEND_URL")),
    ];
    let Some((whence, text)) = sources.into_iter().find_map(|(whence, text)| Some((whence, text?))) else {
        let otherwise = format_args!("url in {}, or INGRESS_URL", file.place());
        return Err(
            Fault::new("no URL of Chatwoot is set").mended_by(chatwoot.to_set("FRONTEND_URL", otherwise))
        );
    };
    let url = value::web_url(text, UserInfo::Refused)
        .map_err(|complaint| Fault::new(format!("{whence} {complaint}")))?;
    if url.scheme() == "http" && !is_this_machine(&url) && file.allow_http != Some(true) {
        return Err(Fault::new(format!("{whence} would send the password in clear"))
            .mended_by("use https, or set allow_http = true"));
    }
    let service = service(environment, file, chatwoot)?;
    let (endpoint, notice) =
        Endpoint::new(url, service).map_err(|complaint| Fault::new(format!("{whence} {complaint}")))?;
    notices.extend(notice);
    Ok(endpoint)
}

pub(super) fn service(
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
) -> Result<Service, Fault> {
    let sources = [
        ("INGRESS_SERVICE", environment.get("INGRESS_SERVICE")),
        ("service", file.service.as_deref()),
        ("RAILS_INBOUND_EMAIL_SERVICE", chatwoot.get("RAILS_INBOUND_EMAIL_SERVICE")),
    ];
    match sources.into_iter().find_map(|(whence, name)| Some((whence, name?))) {
        None => Ok(Service::Relay),
        Some((whence, name)) => Service::named(name).ok_or_else(|| no_service(whence, name)),
    }
}

/// What to say of a service that cannot be spoken; a name that is none of Chatwoot's is not repeated, it may be a misplaced password.
fn no_service(whence: &str, name: &str) -> Fault {
    if name == "ses" {
        return Fault::new(format!("{whence} is \"ses\", which Amazon alone can sign"))
            .mended_by("set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay");
    }
    let names = Service::ALL.map(|service| format!("\"{}\"", service.name()));
    let (last, others) = names
        .split_last()
        .map_or((String::new(), String::new()), |(last, others)| (last.clone(), others.join(", ")));
    Fault::new(format!("{whence} must be {others} or {last}"))
}
