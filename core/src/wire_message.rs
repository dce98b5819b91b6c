//! A repaired message in the form in which a service carries it. Pure.

use bytes::Bytes;

use crate::message::address::Address;
use crate::message::growth::OutOfMemory;
use crate::message::seven_bit;
use crate::repair::{EnabledRepairs, recipient_taken_out};
use crate::service::Service;

/// What is handed to the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireMessage {
    /// The message; nothing but ASCII for a service that wants it so.
    pub bytes: Bytes,
    /// Whether it had to be made ASCII.
    pub converted: bool,
    /// The envelope recipient, when it goes beside the message; then the message holds no `X-Original-To`, and Action Mailbox adds one.
    pub recipient: Option<String>,
}

impl WireMessage {
    /// Writes a repaired message for one recipient as the service wants it. Deterministic: what is stored depends on these alone.
    ///
    /// # Errors
    ///
    /// When the memory for a converted message cannot be had.
    pub fn write(
        message: Vec<u8>,
        recipient: Option<&Address>,
        service: Service,
        enabled: &EnabledRepairs,
    ) -> Result<Self, OutOfMemory> {
        let mut message = message;
        let beside = recipient.filter(|address| {
            service.names_recipient() && recipient_taken_out(&mut message, address, enabled)
        });
        let ascii = if service.wants_ascii() { seven_bit::converted(&message)? } else { None };
        Ok(Self {
            converted: ascii.is_some(),
            bytes: ascii.unwrap_or(message).into(),
            recipient: beside.map(ToString::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "X-Original-To: a@b\r\nSubject: \u{fc}\r\n\r\nbody\r\n";

    fn written(service: Service) -> WireMessage {
        let recipient = Address::parse("a@b");
        WireMessage::write(MESSAGE.into(), recipient.as_ref(), service, &EnabledRepairs::default()).unwrap()
    }

    #[test]
    fn the_relay_takes_the_message_as_it_is() {
        let expected = WireMessage { bytes: MESSAGE.into(), converted: false, recipient: None };
        assert_eq!(written(Service::Relay), expected);
    }

    #[test]
    fn the_others_take_ascii_and_two_of_them_the_recipient_beside_it() {
        for (service, expected, recipient) in [
            (Service::Postmark, "X-Original-To: a@b\r\nSubject: =?utf-8?b?w7w=?=\r\n\r\nbody\r\n", None),
            (Service::Mandrill, "X-Original-To: a@b\r\nSubject: =?utf-8?b?w7w=?=\r\n\r\nbody\r\n", None),
            (Service::Sendgrid, "Subject: =?utf-8?b?w7w=?=\r\n\r\nbody\r\n", Some("a@b".to_owned())),
            (Service::Mailgun, "Subject: =?utf-8?b?w7w=?=\r\n\r\nbody\r\n", Some("a@b".to_owned())),
        ] {
            assert_eq!(
                written(service),
                WireMessage { bytes: expected.into(), converted: true, recipient },
                "{service:?}"
            );
        }
    }

    #[test]
    fn without_a_recipient_the_message_keeps_what_it_has() {
        let wire_message =
            WireMessage::write(MESSAGE.into(), None, Service::Mailgun, &EnabledRepairs::default()).unwrap();
        assert_eq!(wire_message.recipient, None);
        assert!(wire_message.bytes.starts_with(b"X-Original-To: a@b\r\n"));
    }
}
