//! One copy of a message for each envelope recipient.

use std::ops::ControlFlow;

use chatwoot_mail::envelope::Envelope;
use chatwoot_mail::message::address::Address;
use chatwoot_mail::outcome::{Cause, Failure};
use chatwoot_mail::repair::Unrepaired;

/// A message that could not be copied for one of its recipients.
#[derive(Debug)]
pub(crate) struct Uncopied<'a> {
    pub(crate) message: &'a Unrepaired,
    pub(crate) failure: Failure,
}

/// Gives `each` a copy for every recipient, or one for nobody when the envelope names none. The last one is the message itself, so that
/// a message to a single recipient is never copied. `Break` ends the round.
pub(crate) fn each_copy(
    envelope: &Envelope,
    message: Unrepaired,
    mut each: impl FnMut(Option<&Address>, Result<Unrepaired, Uncopied<'_>>) -> ControlFlow<()>,
) {
    let Some((last, others)) = envelope.recipients.split_last() else {
        let _ = each(None, Ok(message));
        return;
    };
    for recipient in others {
        let copy = copied(&message).map_err(|failure| Uncopied { message: &message, failure });
        if each(Some(recipient), copy).is_break() {
            return;
        }
    }
    let _ = each(Some(last), Ok(message));
}

/// Memory that cannot be had is no reason to abort.
fn copied(message: &Unrepaired) -> Result<Unrepaired, Failure> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(message.bytes.len()).map_err(|_| {
        Failure::new(Cause::OutOfMemory, "no memory for a copy of the message for each recipient")
    })?;
    bytes.extend_from_slice(&message.bytes);
    Ok(Unrepaired { bytes, returns_repaired: message.returns_repaired })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(recipients: &[&str], breaks: bool) -> Vec<(Option<String>, Vec<u8>)> {
        let recipients = recipients.iter().map(|text| Address::parse(text).unwrap()).collect();
        let envelope = Envelope { recipients, ..Envelope::default() };
        let message = Unrepaired { bytes: b"A: b\r\n".to_vec(), returns_repaired: false };
        let mut given = Vec::new();
        each_copy(&envelope, message, |recipient, copy| {
            given.push((recipient.map(ToString::to_string), copy.unwrap().bytes));
            if breaks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        given
    }

    #[test]
    fn everybody_gets_the_whole_message_and_nobody_named_gets_it_once() {
        let whole = b"A: b\r\n".to_vec();
        assert_eq!(given(&[], false), [(None, whole.clone())]);
        let two = ["a@x.org", "b@x.org"].map(|address| (Some(address.to_owned()), whole.clone()));
        assert_eq!(given(&["a@x.org", "b@x.org"], false), two);
    }

    #[test]
    fn a_break_ends_the_round() {
        assert_eq!(given(&["a@x.org", "b@x.org"], true).len(), 1);
    }
}
