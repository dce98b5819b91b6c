//! The relay ingress: the raw message, Basic auth.

use url::Url;

use super::{Request, Secret};

/// The user of Basic auth, here as at the other ingresses that want a password (`ActionMailbox::BaseController`).
pub(super) const USER: &str = "actionmailbox";

/// `ActionMailbox::Ingresses::Relay::InboundEmailsController`: media type `message/rfc822`, else 415.
pub(super) fn request<'a>(url: &'a Url, password: &'a Secret, message: bytes::Bytes) -> Request<'a> {
    Request {
        url,
        basic: Some((USER, password)),
        signature: None,
        content_type: "message/rfc822".into(),
        accept: None,
        body: message,
    }
}

/// What Action Mailbox says to [`probe`] when the ingress is on and the password right: it looks at the media type last.
pub(super) const PROBED_WELL: u16 = 415;

/// A request that stores nothing, whatever comes of it: the right password, and a media type that is refused.
pub(super) fn probe<'a>(url: &'a Url, password: &'a Secret) -> Request<'a> {
    Request { content_type: "text/plain".into(), ..request(url, password, bytes::Bytes::new()) }
}
