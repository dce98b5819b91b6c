//! Repairs of whom a message is for: the envelope recipient, which Chatwoot reads from one bare `X-Original-To`.

use super::draft::Draft;
use super::{EnabledRepairs, Repair, Step, originals};
use crate::message::address::{self, Address};
use crate::message::header::{self, Field, Header};

const X_ORIGINAL_TO: &str = "X-Original-To";

/// Of all the fields that carry an envelope recipient Chatwoot reads `X-Original-To` alone (D3), only when there is one (D4), and
/// compares it as plain text (D5). An empty one makes the job raise (F4).
pub(super) const SINGLE_X_ORIGINAL_TO: Repair = Repair {
    name: "single-x-original-to",
    summary: "keeps exactly one bare X-Original-To, the envelope recipient's, unless To or Cc already names it",
    step: Step::Header(single_x_original_to),
};

fn single_x_original_to(draft: &mut Draft<'_>) -> bool {
    let present: Vec<(usize, bool)> =
        draft.header.named(X_ORIGINAL_TO).map(|field| (field.at, is_bare(&field))).collect();
    match draft.recipient {
        None => single_without_envelope(&mut draft.header, &present),
        Some(recipient) => {
            let healthy = match present.as_slice() {
                [] => is_addressed(&draft.header, recipient),
                [(at, true)] => {
                    names(&draft.header, *at, recipient) || is_addressed(&draft.header, recipient)
                }
                _ => false,
            };
            if !healthy {
                keep_only(&mut draft.header, &present, recipient);
            }
            !healthy
        }
    }
}

/// Takes every `X-Original-To` out of a repaired message: for an endpoint that is told the recipient beside the message, and then writes
/// one itself. What says something else than the recipient is set aside.
///
/// False, and nothing changed, where this repair is off.
pub fn taken_out(message: &mut Vec<u8>, recipient: &Address, enabled: &EnabledRepairs) -> bool {
    if !enabled.is_on(&SINGLE_X_ORIGINAL_TO) {
        return false;
    }
    let length = header::section_length(message);
    let mut header = Header::parse(message.get(..length).unwrap_or_default());
    let fields: Vec<usize> = header.named(X_ORIGINAL_TO).map(|field| field.at).collect();
    for at in fields.into_iter().rev() {
        if names(&header, at, recipient) {
            header.remove(at);
        } else {
            originals::preserve(&mut header, at, X_ORIGINAL_TO);
        }
    }
    if header.is_changed() {
        let section = header.to_bytes();
        drop(message.splice(..length, section));
    }
    true
}

/// Keeps the topmost field that says just the recipient, or writes one; sets the others aside.
fn keep_only(header: &mut Header<'_>, present: &[(usize, bool)], recipient: &Address) {
    let keeper = present.iter().find(|(at, bare)| *bare && names(header, *at, recipient)).map(|(at, _)| *at);
    for (at, _) in present.iter().filter(|(at, _)| Some(*at) != keeper) {
        originals::preserve(header, *at, X_ORIGINAL_TO);
    }
    if keeper.is_none() {
        header.prepend(X_ORIGINAL_TO, recipient.to_string().as_bytes());
    }
}

/// Without an envelope recipient the topmost bare one stays; what is empty or unreadable goes.
fn single_without_envelope(header: &mut Header<'_>, present: &[(usize, bool)]) -> bool {
    let keeper = present.iter().find(|(_, bare)| *bare).map(|(at, _)| *at);
    let spare: Vec<usize> = present.iter().map(|(at, _)| *at).filter(|at| Some(*at) != keeper).collect();
    for at in &spare {
        originals::preserve(header, *at, X_ORIGINAL_TO);
    }
    !spare.is_empty()
}

/// Whether the field holds an address and nothing else.
fn is_bare(field: &Field<'_>) -> bool {
    address_in(field).is_some_and(|address| address.to_string().as_bytes() == field.trimmed())
}

fn address_in(field: &Field<'_>) -> Option<Address> {
    std::str::from_utf8(field.trimmed()).ok().and_then(Address::parse)
}

fn names(header: &Header<'_>, at: usize, recipient: &Address) -> bool {
    header
        .field(at)
        .and_then(|field| address_in(&field))
        .is_some_and(|address| address.same_mailbox(recipient))
}

/// Whether To or Cc names the recipient.
fn is_addressed(header: &Header<'_>, recipient: &Address) -> bool {
    let fields = header.named("To").chain(header.named("Cc"));
    fields
        .flat_map(|field| address::read(field.value).mailboxes)
        .any(|mailbox| mailbox.address.same_mailbox(recipient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn repaired(section: &str, recipient: Option<&str>) -> (String, bool) {
        let recipient = recipient.map(|text| Address::parse(text).unwrap());
        let section = section.replace('\n', "\r\n");
        let mut draft = Draft::new(section.as_bytes(), recipient.as_ref(), &Sender::Unknown);
        let changed = single_x_original_to(&mut draft);
        assert_eq!(changed, draft.header.is_changed());
        (String::from_utf8(draft.header.to_bytes()).unwrap().replace("\r\n", "\n"), changed)
    }

    fn unchanged(section: &str, recipient: Option<&str>) {
        assert_eq!(repaired(section, recipient), (section.to_owned(), false));
    }

    #[test]
    fn nothing_is_added_when_to_or_cc_names_the_recipient() {
        unchanged("To: Support <SUPPORT@example.com>\n", Some("support@example.com"));
        unchanged("To: x@y\nCc: a@b, support@example.com\n", Some("support@example.com"));
        unchanged("To: support@example.com\nX-Original-To: alias@example.com\n", Some("support@example.com"));
    }

    #[test]
    fn the_recipient_of_the_envelope_alone_is_added() {
        let (text, _) = repaired("To: x@y\nDelivered-To: support@example.com\n", Some("support@example.com"));
        assert_eq!(text, "X-Original-To: support@example.com\nTo: x@y\nDelivered-To: support@example.com\n");
    }

    #[test]
    fn of_several_the_envelope_s_is_kept() {
        let (text, _) = repaired("X-Original-To: a@b\nX-Original-To: c@d\nX-Original-To: c@d\n", Some("c@d"));
        assert_eq!(
            text,
            "X-Ingress-Original-X-Original-To: a@b\nX-Original-To: c@d\nX-Ingress-Original-X-Original-To: c@d\n"
        );
    }

    #[test]
    fn brackets_names_and_lists_become_bare() {
        for value in ["<a@b>", "Bob <a@b>", "a@b, c@d", ""] {
            let (text, _) = repaired(&format!("X-Original-To: {value}\n"), Some("a@b"));
            assert_eq!(
                text,
                format!("X-Original-To: a@b\nX-Ingress-Original-X-Original-To: {value}\n")
                    .replace(": \n", ":\n")
                    .replace(":\n", if value.is_empty() { ": \n" } else { ":\n" }),
                "{value}"
            );
        }
    }

    #[test]
    fn another_address_than_the_envelope_s_gives_way() {
        let (text, _) = repaired("X-Original-To: old@x\nTo: y@z\n", Some("a@b"));
        assert_eq!(text, "X-Original-To: a@b\nX-Ingress-Original-X-Original-To: old@x\nTo: y@z\n");
    }

    #[test]
    fn without_an_envelope_one_bare_field_stays() {
        unchanged("X-Original-To: a@b\n", None);
        unchanged("To: a@b\n", None);
        let (text, _) = repaired("X-Original-To:\nX-Original-To: a@b\nX-Original-To: c@d\n", None);
        assert_eq!(
            text,
            "X-Ingress-Original-X-Original-To:\nX-Original-To: a@b\nX-Ingress-Original-X-Original-To: c@d\n"
        );
    }

    #[test]
    fn for_an_endpoint_that_writes_the_field_itself_none_stays() {
        let recipient = Address::parse("a@b").unwrap();
        let mut message = b"To: x@y\r\nX-Original-To: a@b\r\nX-Original-To: c@d\r\n\r\nbody".to_vec();
        assert!(taken_out(&mut message, &recipient, &EnabledRepairs::default()));
        let expected = "To: x@y\r\nX-Ingress-Original-X-Original-To: c@d\r\n\r\nbody";
        assert_eq!(String::from_utf8(message.clone()).unwrap(), expected);
        assert!(taken_out(&mut message, &recipient, &EnabledRepairs::default()));
        assert_eq!(message, expected.as_bytes());
        let off = std::collections::BTreeMap::from([("single-x-original-to".to_owned(), false)]);
        let mut message = b"X-Original-To: a@b\r\n".to_vec();
        assert!(!taken_out(&mut message, &recipient, &EnabledRepairs::new(&off).unwrap()));
        assert_eq!(message, b"X-Original-To: a@b\r\n");
    }
}
