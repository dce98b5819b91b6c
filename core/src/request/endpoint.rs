//! The URL that takes messages, and the requests that go there.

use url::Url;

use super::{Request, Secret, mailgun, mandrill, postmark, relay, sendgrid};
use crate::outcome::Failure;
use crate::service::Service;
use crate::wire_message::WireMessage;

/// The URL that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    service: Service,
}

/// Where Action Mailbox mounts its ingresses.
const MOUNT: &str = "/rails/action_mailbox/";

/// A path without what a browser shows behind the base URL (`/app/accounts/1/dashboard`), and whether there was such a thing.
fn without_page(path: &str) -> (&str, bool) {
    let pages = ["/app/accounts", "/app/login", "/super_admin"];
    let page = pages.iter().find_map(|page| path.find(page));
    page.and_then(|at| path.get(..at)).map_or((path, false), |base| (base, true))
}

impl Endpoint {
    /// Completes a base URL with the service's path, and takes a full endpoint as it is. The paths that old documents
    /// show (removed in Rails 6.1) are taken as the relay's, with a notice.
    ///
    /// # Errors
    ///
    /// When the URL is the endpoint of another service.
    pub fn new(mut url: Url, service: Service) -> Result<(Self, Option<String>), &'static str> {
        let path = url.path().trim_end_matches('/').to_owned();
        let notice = match path.split_once(MOUNT) {
            None => {
                let (base, page) = without_page(path.trim_end_matches("/rails/action_mailbox"));
                url.set_path(&format!("{base}{}", service.path()));
                page.then(|| "url is that of a page of Chatwoot: the part before /app is used".to_owned())
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

    /// Where the messages go.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Chatwoot's base URL.
    pub fn base(&self) -> Url {
        let mut base = self.url.clone();
        base.set_path(self.url.path().split_once(MOUNT).map_or("", |(base, _)| base));
        base
    }

    /// Whether this status is the endpoint's own success answer.
    pub fn succeeded(&self, status: u16) -> bool {
        status == self.service.success()
    }

    /// Which ingress it is.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The request that hands over a message. `secret` is what the service's [`Proof`](crate::service::Proof) asks for, `now` the time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the message is larger than the service takes, or memory cannot be had.
    pub fn request<'a>(
        &'a self,
        secret: &'a Secret,
        wire_message: WireMessage,
        now: u64,
    ) -> Result<Request<'a>, Failure> {
        let WireMessage { bytes, recipient, .. } = wire_message;
        let (url, recipient) = (&self.url, recipient.as_deref());
        // It is ASCII for those that want text: nothing is copied.
        let text = || String::from_utf8_lossy(&bytes);
        match self.service {
            Service::Relay => Ok(relay::request(url, secret, bytes.clone())),
            Service::Sendgrid => sendgrid::request(url, secret, &text(), recipient),
            Service::Mailgun => mailgun::request(url, secret, &text(), recipient, now),
            Service::Mandrill => mandrill::request(url, secret, &text()),
            Service::Postmark => postmark::request(url, secret, &text()),
        }
        .map_err(Failure::from)
    }

    /// A request that tells how a message would fare, and stores nothing.
    ///
    /// # Errors
    ///
    /// When memory cannot be had.
    pub fn probe<'a>(&'a self, secret: &'a Secret, now: u64) -> Result<Probe<'a>, Failure> {
        let url = &self.url;
        let (request, healthy) = match self.service {
            Service::Relay => (Ok(relay::probe(url, secret)), relay::PROBED_WELL),
            Service::Sendgrid => (Ok(sendgrid::probe(url, secret)), sendgrid::PROBED_WELL),
            Service::Mailgun => (mailgun::probe(url, secret, now), mailgun::PROBED_WELL),
            Service::Mandrill => (mandrill::probe(url, secret), mandrill::PROBED_WELL),
            Service::Postmark => (Ok(postmark::probe(url, secret)), postmark::PROBED_WELL),
        };
        Ok(Probe { request: request?, healthy })
    }
}

/// A question to the endpoint: would a message be taken?
#[derive(Debug)]
pub struct Probe<'a> {
    /// It can store nothing.
    pub request: Request<'a>,
    /// The status that means yes; it comes after identity was proven, and before anything is stored.
    pub healthy: u16,
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
    fn what_a_browser_shows_is_taken_for_its_base_with_a_notice() {
        for page in ["/app/accounts/1/dashboard", "/app/login", "/super_admin/sign_in"] {
            let (url, notice) = relay(&format!("https://x/desk{page}")).unwrap();
            assert_eq!(url, "https://x/desk/rails/action_mailbox/relay/inbound_emails");
            assert!(notice.unwrap().contains("page of Chatwoot"));
        }
        assert_eq!(relay("https://x/app").unwrap().1, None);
    }

    #[test]
    fn the_base_is_what_the_endpoint_was_made_of() {
        for (url, base) in [
            ("https://x", "https://x/"),
            ("https://x/desk/", "https://x/desk"),
            ("https://x/desk/rails/action_mailbox/relay/inbound_emails", "https://x/desk"),
        ] {
            let (endpoint, _) = Endpoint::new(Url::parse(url).unwrap(), Service::Relay).unwrap();
            assert_eq!(endpoint.base().as_str(), base);
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
