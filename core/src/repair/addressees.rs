//! Repairs of To, Cc and Bcc: Chatwoot finds the inbox and the conversation by them.

use std::collections::HashSet;

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::address::{self, Address, Mailbox};
use crate::message::header::Header;
use crate::route::reply_uuid;

/// The mail gem takes the last of several To fields and forgets the others (D15).
pub(super) const REPEATED_TO: Repair = Repair {
    name: "repeated-to",
    summary: "merges several To, Cc or Bcc fields into the first: only the last would be read",
    step: Step::Header(repeated_to),
};

/// A To that the mail gem cannot parse is no list of addresses, and the message is dropped (D2).
/// Quotes, apostrophes and source routes that parse make another address of it than the inbox's (D15).
pub(super) const UNPARSABLE_TO: Repair = Repair {
    name: "unparsable-to",
    summary: "rewrites a To that cannot be parsed, keeping every address in it",
    step: Step::Header(unparsable_to),
};

/// The same in Cc or Bcc makes the job raise (F1).
pub(super) const UNPARSABLE_CC: Repair = Repair {
    name: "unparsable-cc",
    summary: "rewrites a Cc or Bcc that cannot be parsed; one without any address is set aside",
    step: Step::Header(unparsable_cc),
};

/// Without To the message is dropped, even when Cc or X-Original-To names the inbox (D1).
pub(super) const MISSING_TO: Repair = Repair {
    name: "missing-to",
    summary: "adds To where there is none: the envelope recipient, else undisclosed-recipients:;",
    step: Step::Header(missing_to),
};

/// The address of a conversation is looked for in To alone (D6).
pub(super) const REPLY_ADDRESS_IN_TO: Repair = Repair {
    name: "reply-address-in-to",
    summary: "puts a conversation's address (reply+UUID@) that stands in Cc or in the envelope alone into To",
    step: Step::Header(reply_address_in_to),
};

/// When a message names two inboxes, the copies for both go to the one that is named first (M1).
pub(super) const RECIPIENT_FIRST: Repair = Repair {
    name: "recipient-first",
    summary: "puts the envelope recipient first in To when another address of its domain stands before it",
    step: Step::Header(recipient_first),
};

fn repeated_to(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["To", "Cc", "Bcc"] {
        changed |= merge(&mut draft.header, name);
    }
    changed
}

fn merge(header: &mut Header<'_>, name: &str) -> bool {
    let places: Vec<usize> = header.named(name).map(|field| field.at).collect();
    let [first, rest @ ..] = places.as_slice() else { return false };
    if rest.is_empty() {
        return false;
    }
    let mut seen = HashSet::new();
    let all = header.named(name).flat_map(|field| address::read(field.value).mailboxes);
    let distinct = all.filter(|mailbox| seen.insert(mailbox.address.to_string().to_ascii_lowercase()));
    let mailboxes: Vec<Mailbox> = distinct.take(address::MOST_MAILBOXES).collect();
    for at in &places {
        originals::preserve(header, *at, name);
    }
    if !mailboxes.is_empty() {
        header.insert(*first, name, &address::write(name, &mailboxes));
    }
    true
}

fn unparsable_to(draft: &mut Draft<'_>) -> bool {
    rewrite(&mut draft.header, "To")
}

fn unparsable_cc(draft: &mut Draft<'_>) -> bool {
    let cc = rewrite(&mut draft.header, "Cc");
    rewrite(&mut draft.header, "Bcc") || cc
}

/// Writes a list anew that the mail gem would not read as a person does. Where no address is left, the field is set aside.
fn rewrite(header: &mut Header<'_>, name: &str) -> bool {
    let Some(field) = header.named(name).next_back() else { return false };
    let is_empty = field.trimmed().is_empty() && name != "To";
    if is_empty || address::is_settled(name, field.value) {
        return false;
    }
    let (at, mailboxes) = (field.at, address::read(field.value).mailboxes);
    if mailboxes.is_empty() {
        originals::preserve(header, at, name);
    } else {
        originals::replaced(header, at, name, &address::write(name, &mailboxes));
    }
    true
}

fn missing_to(draft: &mut Draft<'_>) -> bool {
    if draft.header.named("To").next().is_some() {
        return false;
    }
    match draft.recipient {
        Some(recipient) => draft.header.prepend("To", recipient.to_string().as_bytes()),
        None => draft.header.prepend("To", b"undisclosed-recipients:;"),
    }
    true
}

fn reply_address_in_to(draft: &mut Draft<'_>) -> bool {
    let header = &draft.header;
    if addresses(header, "To").iter().any(is_reply_address) {
        return false;
    }
    let elsewhere = addresses(header, "Cc").into_iter().chain(addresses(header, "X-Original-To"));
    let Some(address) = draft.recipient.cloned().into_iter().chain(elsewhere).find(is_reply_address) else {
        return false;
    };
    put_first(&mut draft.header, &address)
}

fn recipient_first(draft: &mut Draft<'_>) -> bool {
    let Some(recipient) = draft.recipient.filter(|recipient| !is_reply_address(recipient)) else {
        return false;
    };
    let to = addresses(&draft.header, "To");
    let cc = addresses(&draft.header, "Cc");
    let mut before = to.iter().chain(&cc).take_while(|address| !address.same_mailbox(recipient));
    let is_named = to.iter().chain(&cc).any(|address| address.same_mailbox(recipient));
    let is_rival = |address: &Address| address.domain().eq_ignore_ascii_case(recipient.domain());
    if !is_named || !before.any(is_rival) || to.iter().any(is_reply_address) {
        return false;
    }
    put_first(&mut draft.header, recipient)
}

/// Writes an address before all others in To; the text of the others stays.
fn put_first(header: &mut Header<'_>, first: &Address) -> bool {
    let Some(field) = header.named("To").next_back() else { return false };
    let at = field.at;
    let address = first.to_string();
    if address::read(field.value).mailboxes.is_empty() {
        originals::replaced(header, at, "To", address.as_bytes());
    } else {
        let before = [address.as_bytes(), b",\r\n ", field.value.trim_ascii_start()].concat();
        // What was settled by being in the writer's form must stay in it.
        let value = if address::is_settled("To", &before) { before } else { rewritten(first, field.value) };
        header.replace(at, "To", &value);
    }
    true
}

fn rewritten(first: &Address, value: &[u8]) -> Vec<u8> {
    let mut mailboxes = vec![Mailbox { name: None, address: first.clone() }];
    mailboxes.extend(address::read(value).mailboxes);
    mailboxes.truncate(address::MOST_MAILBOXES);
    address::write("To", &mailboxes)
}

fn addresses(header: &Header<'_>, name: &str) -> Vec<Address> {
    let mailboxes = header.named(name).flat_map(|field| address::read(field.value).mailboxes);
    mailboxes.map(|mailbox| mailbox.address).collect()
}

/// `reply+UUID@`: the address of a conversation.
fn is_reply_address(address: &Address) -> bool {
    reply_uuid(address.local()).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::apply::tests::repaired;

    const REST: &str = "Subject: s\nMessage-ID: <1@x>\nContent-Type: text/plain\n\nx\n";

    fn assert_repaired_once_and_for_all(head: &str, expected: &str) {
        let recipient = Some("support@example.com");
        let once = repaired(format!("{head}{REST}").as_bytes(), recipient);
        let text = String::from_utf8_lossy(&once.bytes).replace("\r\n", "\n");
        assert!(text.contains(expected), "{text}");
        let twice = repaired(&once.bytes, recipient);
        assert_eq!(
            (String::from_utf8_lossy(&twice.bytes).replace("\r\n", "\n"), twice.repairs),
            (text, vec![])
        );
    }

    #[test]
    fn the_recipient_put_first_leaves_the_list_in_a_form_that_stays() {
        let head = "From: a@b\nTo: sales@example.com, a..b@docomo.example, support@example.com\n";
        assert_repaired_once_and_for_all(
            head,
            "To: support@example.com,\n sales@example.com, a..b@docomo.example, ",
        );
        let quoted = "From: a@b\nTo: sales@example.com, \"a b\"@x.example, support@example.com\n";
        assert_repaired_once_and_for_all(quoted, "To: support@example.com,");
    }

    #[test]
    fn a_sender_with_a_comma_in_a_quoted_local_part_is_not_lost_on_the_second_pass() {
        let head = "From: Bob \"b,o\"@x.org\nTo: support@example.com\n";
        assert_repaired_once_and_for_all(head, "From: Bob <\"b,o\"@x.org>\n");
    }

    #[test]
    fn separators_in_quoted_local_parts_separate_nothing() {
        for local in ["a,b", "a;b", "a>b", "a b", "a:b", "a\\\"b"] {
            let head = format!(
                "From: Ann <\"{local}\"@x.org>\nTo: Help: Desk <support@example.com>, \"{local}\"@y.org\n"
            );
            assert_repaired_once_and_for_all(&head, &format!("\"{local}\"@y.org\n"));
        }
    }
}
