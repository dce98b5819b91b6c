//! Where the messages go: the URL and the service.

use super::table::setting;
use super::value::{self, UserInfo};
use super::{ConfigError, Sources, is_this_machine};
use chatwoot_mail::request::Endpoint;
use chatwoot_mail::service::Service;

/// The endpoint, and what the administrator should know about its URL.
pub(super) fn endpoint(sources: &Sources<'_>) -> Result<(Endpoint, Option<String>), ConfigError> {
    let setting = const { setting("url") };
    let Some((text, said)) = sources.text(setting) else {
        return Err(ConfigError::of(setting.key, "no URL of Chatwoot is set")
            .with_hint(sources.to_set("FRONTEND_URL", setting)));
    };
    let wrong = |complaint: &'static str| sources.wrong(setting, &said, complaint);
    let url = value::web_url(text, UserInfo::Refused).map_err(wrong)?;
    if url.scheme() == "http" && !is_this_machine(&url) && !is_clear_text_allowed(sources) {
        return Err(
            wrong("would send the password in clear").with_hint("use https, or set allow_http = true")
        );
    }
    Endpoint::new(url, service(sources)?).map_err(wrong)
}

/// Whether the password may travel unencrypted to another machine.
pub(super) fn is_clear_text_allowed(sources: &Sources<'_>) -> bool {
    sources.is_on(const { setting("allow_http") })
}

pub(super) fn service(sources: &Sources<'_>) -> Result<Service, ConfigError> {
    let setting = const { setting("service") };
    match sources.text(setting) {
        None => Ok(Service::default()),
        Some((name, said)) => Service::named(name).ok_or_else(|| match name {
            "ses" => sources
                .wrong(setting, &said, "is \"ses\", which Amazon alone can sign")
                .with_hint("set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay"),
            _ => sources.wrong(setting, &said, &must_be_a_service()),
        }),
    }
}

/// A name that is none of Chatwoot's services is not repeated: it may be a misplaced password.
fn must_be_a_service() -> String {
    let names = Service::ALL.map(|service| format!("\"{}\"", service.name()));
    let (last, others) = names
        .split_last()
        .map_or((String::new(), String::new()), |(last, others)| (last.clone(), others.join(", ")));
    format!("must be {others} or {last}")
}
