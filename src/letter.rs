//! A repaired message in the form in which a service carries it. Pure.

use bytes::Bytes;

use crate::endpoint::Service;
use crate::message::address::Address;
use crate::message::header::{self, Header};

/// What is handed to the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The message. For a service that wants ASCII it is nothing else.
    pub(crate) bytes: Bytes,
    /// The envelope recipient, when it goes beside the message; then the message holds no `X-Original-To`, and Action Mailbox adds one.
    pub(crate) recipient: Option<String>,
}

const X_ORIGINAL_TO: &str = "X-Original-To";

impl Letter {
    /// Writes a repaired message for one recipient as the service wants it. Deterministic: what is stored depends on these alone.
    pub(crate) fn write(message: Vec<u8>, recipient: Option<&Address>, service: Service) -> Self {
        let mut message = message;
        let beside = recipient.filter(|_| service.names_recipient());
        if beside.is_some() {
            take_out(&mut message);
        }
        Self { bytes: message.into(), recipient: beside.map(ToString::to_string) }
    }
}

/// Takes every `X-Original-To` out; one that says something else than the envelope's is kept under another name by the repairs.
fn take_out(message: &mut Vec<u8>) {
    let length = header::section_length(message);
    let mut header = Header::parse(message.get(..length).unwrap_or_default());
    let fields: Vec<usize> = header.named(X_ORIGINAL_TO).map(|field| field.at).collect();
    for at in fields.into_iter().rev() {
        header.remove(at);
    }
    if header.is_changed() {
        let section = header.to_bytes();
        drop(message.splice(..length, section));
    }
}
