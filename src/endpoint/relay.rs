//! The relay ingress: the raw message, Basic auth.

use url::Url;

use super::Request;
use crate::config::Secret;

pub(super) const PATH: &str = "/rails/action_mailbox/relay/inbound_emails";
pub(super) const SUCCESS: u16 = 204;

/// `ActionMailbox::Ingresses::Relay::InboundEmailsController`: user always `actionmailbox`, media type `message/rfc822`, else 415.
pub(super) fn request<'a>(url: &'a Url, password: &'a Secret, message: bytes::Bytes) -> Request<'a> {
    Request { url, basic: Some(("actionmailbox", password)), content_type: "message/rfc822", body: message }
}
