//! Chatwoot's HTTP side: which URL takes the message, what the request looks like, and what its answer means.

mod client;
mod relay;
mod tls;

use url::Url;

pub(crate) use client::{Client, Reply};

use crate::config::Secret;

/// Which of Action Mailbox's ingresses Chatwoot is set to (`RAILS_INBOUND_EMAIL_SERVICE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Relay,
}

impl Service {
    pub(crate) fn named(name: &str) -> Option<Self> {
        (name == "relay").then_some(Self::Relay)
    }

    /// The path below the base URL.
    fn path(self) -> &'static str {
        match self {
            Self::Relay => relay::PATH,
        }
    }

    /// The one status that proves that the message is stored.
    fn success(self) -> u16 {
        match self {
            Self::Relay => relay::SUCCESS,
        }
    }
}

/// The URL that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    url: Url,
    service: Service,
}

/// Where Action Mailbox mounts its ingresses.
const MOUNT: &str = "/rails/action_mailbox/";

impl Endpoint {
    /// Completes a base URL with the service's path, and takes a full endpoint as it is. The paths that old documents
    /// show (removed in Rails 6.1) are taken as the relay's, with a notice.
    ///
    /// # Errors
    ///
    /// When the URL is the endpoint of another service.
    pub(crate) fn new(mut url: Url, service: Service) -> Result<(Self, Option<String>), &'static str> {
        let path = url.path().trim_end_matches('/').to_owned();
        let notice = match path.split_once(MOUNT) {
            None => {
                let base = path.trim_end_matches("/rails/action_mailbox");
                url.set_path(&format!("{base}{}", service.path()));
                None
            }
            Some((base, rest)) => {
                let old =
                    matches!(rest, "postfix/inbound_emails" | "exim/inbound_emails" | "qmail/inbound_emails");
                let own = service.path().strip_prefix(MOUNT).unwrap_or_default();
                if !(old && service == Service::Relay) && rest != own {
                    return Err("is the endpoint of another service than the configured one");
                }
                url.set_path(&format!("{base}{}", service.path()));
                old.then(|| format!("url ends in {rest}, which Rails no longer has: {own} is used"))
            }
        };
        Ok((Self { url, service }, notice))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether this status is the endpoint's own success answer.
    pub(crate) fn succeeded(&self, status: u16) -> bool {
        status == self.service.success()
    }

    /// The request that hands over a message.
    pub(crate) fn request<'a>(&'a self, password: &'a Secret, message: bytes::Bytes) -> Request<'a> {
        match self.service {
            Service::Relay => relay::request(&self.url, password, message),
        }
    }
}

/// A POST as data: what a service wants, before any HTTP library sees it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    /// Basic auth, user and password.
    pub(crate) basic: Option<(&'static str, &'a Secret)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: bytes::Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(url: &str) -> Result<(String, Option<String>), &'static str> {
        let (endpoint, notice) = Endpoint::new(Url::parse(url).unwrap(), Service::Relay)?;
        Ok((endpoint.url().to_string(), notice))
    }

    #[test]
    fn the_path_is_added_when_it_is_missing() {
        for base in [
            "https://x",
            "https://x/",
            "https://x/rails/action_mailbox",
            "https://x/rails/action_mailbox/relay/inbound_emails/",
        ] {
            let (url, notice) = relay(base).unwrap();
            assert_eq!(url, "https://x/rails/action_mailbox/relay/inbound_emails", "{base}");
            assert_eq!(notice, None);
        }
        assert_eq!(
            relay("https://x/desk/").unwrap().0,
            "https://x/desk/rails/action_mailbox/relay/inbound_emails"
        );
    }

    #[test]
    fn the_paths_of_old_documents_are_the_relay_s_with_a_notice() {
        for old in ["postfix", "exim", "qmail"] {
            let (url, notice) =
                relay(&format!("https://x/rails/action_mailbox/{old}/inbound_emails")).unwrap();
            assert_eq!(url, "https://x/rails/action_mailbox/relay/inbound_emails");
            assert!(notice.unwrap().contains(old));
        }
    }

    #[test]
    fn another_service_s_endpoint_is_refused() {
        assert!(relay("https://x/rails/action_mailbox/sendgrid/inbound_emails").is_err());
        assert!(relay("https://x/rails/action_mailbox/relay").is_err());
    }

    #[test]
    fn only_204_is_the_relay_s_success() {
        let (endpoint, _) = Endpoint::new(Url::parse("https://x").unwrap(), Service::Relay).unwrap();
        let successes: Vec<u16> = (0..=999).filter(|status| endpoint.succeeded(*status)).collect();
        assert_eq!(successes, [204]);
    }
}
