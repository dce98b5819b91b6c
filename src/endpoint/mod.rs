//! Chatwoot's HTTP side: which URL takes the message, what the request looks like, and what its answer means.

mod answer;
mod client;
mod distrust;
mod form;
mod handshake;
mod json;
mod mailgun;
mod mandrill;
mod postmark;
mod relay;
mod retry_after;
mod sendgrid;
mod tls;

use std::borrow::Cow;

use url::Url;

pub(crate) use answer::Answer;
pub(crate) use client::{Client, Reply};
pub(crate) use distrust::Distrust;
pub(crate) use handshake::{Handshake, Refusal, shake};
pub(crate) use tls::bundle;

use crate::config::Secret;
use crate::letter::Letter;
use crate::outcome::{Cause, Failure};

/// Which of Action Mailbox's ingresses Chatwoot is set to (`RAILS_INBOUND_EMAIL_SERVICE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Service {
    #[default]
    Relay,
    Sendgrid,
    Mailgun,
    Mandrill,
    Postmark,
}

/// What a service wants as proof of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Basic auth.
    Password,
    /// An HMAC under a key that both sides know.
    Signature,
}

impl Service {
    pub(crate) const ALL: [Self; 5] =
        [Self::Relay, Self::Sendgrid, Self::Mailgun, Self::Mandrill, Self::Postmark];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Whose endpoint has this path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| path.ends_with(service.path()))
    }

    /// As Chatwoot's `RAILS_INBOUND_EMAIL_SERVICE` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Sendgrid => "sendgrid",
            Self::Mailgun => "mailgun",
            Self::Mandrill => "mandrill",
            Self::Postmark => "postmark",
        }
    }

    pub(crate) fn proof(self) -> Proof {
        match self {
            Self::Relay | Self::Sendgrid | Self::Postmark => Proof::Password,
            Self::Mailgun | Self::Mandrill => Proof::Signature,
        }
    }

    /// Whether it takes the message as text: everything but ASCII is refused by Rails, or cannot be said in JSON.
    pub(crate) fn wants_ascii(self) -> bool {
        self != Self::Relay
    }

    /// Whether it has a field for the envelope recipient, which Action Mailbox makes an `X-Original-To`.
    pub(crate) fn names_recipient(self) -> bool {
        matches!(self, Self::Sendgrid | Self::Mailgun)
    }

    /// Chatwoot's variable for its copy of the secret.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Relay | Self::Sendgrid | Self::Postmark => "RAILS_INBOUND_EMAIL_PASSWORD",
            Self::Mailgun => "MAILGUN_INGRESS_SIGNING_KEY",
            Self::Mandrill => "MANDRILL_INGRESS_API_KEY",
        }
    }

    /// The path below the base URL.
    fn path(self) -> &'static str {
        match self {
            Self::Relay => relay::PATH,
            Self::Sendgrid => sendgrid::PATH,
            Self::Mailgun => mailgun::PATH,
            Self::Mandrill => mandrill::PATH,
            Self::Postmark => postmark::PATH,
        }
    }

    /// The one status that proves that the message is stored.
    pub(crate) fn success(self) -> u16 {
        match self {
            Self::Relay => relay::SUCCESS,
            Self::Sendgrid => sendgrid::SUCCESS,
            Self::Mailgun => mailgun::SUCCESS,
            Self::Mandrill => mandrill::SUCCESS,
            Self::Postmark => postmark::SUCCESS,
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

    /// Chatwoot's base URL.
    pub(crate) fn base(&self) -> Url {
        let mut base = self.url.clone();
        base.set_path(self.url.path().split_once(MOUNT).map_or("", |(base, _)| base));
        base
    }

    /// Whether this status is the endpoint's own success answer.
    pub(crate) fn succeeded(&self, status: u16) -> bool {
        status == self.service.success()
    }

    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// The request that hands over a message. `secret` is what the service's [`Proof`] asks for, `now` the time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the message is larger than the service takes, or memory cannot be had.
    pub(crate) fn request<'a>(
        &'a self,
        secret: &'a Secret,
        letter: Letter,
        now: u64,
    ) -> Result<Request<'a>, Failure> {
        let Letter { bytes, recipient, .. } = letter;
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
    pub(crate) fn probe<'a>(&'a self, secret: &'a Secret, now: u64) -> Result<Probe<'a>, Failure> {
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
pub(crate) struct Probe<'a> {
    pub(crate) request: Request<'a>,
    /// The status that means yes; it comes after identity was proven, and before anything is stored.
    pub(crate) healthy: u16,
}

/// A POST as data: what a service wants, before any HTTP library sees it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    /// Basic auth, user and password.
    pub(crate) basic: Option<(&'static str, &'a Secret)>,
    /// Name and value of a header field that signs the body.
    pub(crate) signature: Option<(&'static str, String)>,
    pub(crate) content_type: Cow<'static, str>,
    /// The kind of answer that is asked for, when it matters.
    pub(crate) accept: Option<&'static str>,
    pub(crate) body: bytes::Bytes,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsendable {
    /// This is how many bytes the form has; that many the service takes.
    TooLarge {
        bytes: usize,
        limit: usize,
    },
    OutOfMemory,
}

impl From<Unsendable> for Failure {
    fn from(unsendable: Unsendable) -> Self {
        match unsendable {
            Unsendable::TooLarge { bytes, limit } => Self::new(
                Cause::LargerThanServiceTakes,
                format!("the form would have {bytes} bytes, Rack takes {limit}"),
            ),
            Unsendable::OutOfMemory => {
                Self::new(Cause::OutOfMemory, "no memory for the form that holds the message")
            }
        }
    }
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
