//! Repairs of whom a message is from: Chatwoot drops what has no sender whose address looks like one.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::envelope::Sender;
use crate::message::address::{self, Address, Mailbox};
use crate::message::encoded_word;
use crate::message::header::Header;

/// Reply-To goes before From; one that cannot be parsed hides a good From (D8).
pub(super) const UNUSABLE_REPLY_TO: Repair = Repair {
    name: "unusable-reply-to",
    summary: "rewrites a Reply-To that cannot be parsed; one without any address is set aside",
    step: Step::Header(unusable_reply_to),
};

/// The first address must look like one (D7): `MAILER-DAEMON (..)`, `Smith, Bob <b@x>`, Latin-1 names, no From at all.
pub(super) const UNUSABLE_FROM: Repair = Repair {
    name: "unusable-from",
    summary: "rewrites a From that is missing or cannot be parsed: from its own address, else Sender, else the envelope sender",
    step: Step::Header(unusable_from),
};

fn unusable_reply_to(draft: &mut Draft<'_>) -> bool {
    let header = &mut draft.header;
    let mut mended = false;
    // The last one counts; when it is set aside, the one before does.
    while let Some((at, mailboxes)) = last_unusable(header, "Reply-To") {
        mended = true;
        if mailboxes.is_empty() {
            originals::preserve(header, at, "Reply-To");
        } else {
            originals::replaced(header, at, "Reply-To", &address::write("Reply-To", &mailboxes));
        }
    }
    mended
}

/// The place of the last field of this name, and what can be read of it, when the mail gem cannot.
fn last_unusable(header: &Header<'_>, name: &str) -> Option<(usize, Vec<Mailbox>)> {
    let field = header.named(name).next_back().filter(|field| !is_usable(name, field.value))?;
    Some((field.at, address::read(field.value).mailboxes))
}

/// Whether the mail gem reads an address in it: a group alone is none.
fn is_usable(name: &str, value: &[u8]) -> bool {
    address::is_settled(name, value) && !address::read(value).mailboxes.is_empty()
}

fn unusable_from(draft: &mut Draft<'_>) -> bool {
    let from = draft.header.named("From").next_back();
    if from.is_some_and(|field| is_usable("From", field.value)) {
        return false;
    }
    let lists = draft.header.named("From").rev().map(|field| address::read(field.value).mailboxes);
    let mut mailboxes = lists.into_iter().find(|mailboxes| !mailboxes.is_empty()).unwrap_or_default();
    if mailboxes.is_empty() {
        let name = from.map(|field| shown(field.value)).filter(|name| !name.is_empty());
        mailboxes.push(Mailbox { name, address: substitute(&draft.header, draft.sender) });
    }
    let value = address::write("From", &mailboxes);
    match from.map(|field| field.at) {
        Some(at) => originals::replaced(&mut draft.header, at, "From", &value),
        None => draft.header.prepend("From", value.trim_ascii()),
    }
    true
}

/// Another address for a From that has none: Sender's, the envelope's, Return-Path's. The last resort is nobody's (RFC 2606): the message is
/// seen, and an answer to it goes nowhere.
fn substitute(header: &Header<'_>, sender: &Sender) -> Address {
    let in_field = |name: &'static str| {
        let field = header.named(name).next_back()?;
        address::read(field.value).mailboxes.into_iter().next().map(|mailbox| mailbox.address)
    };
    let of_envelope = match sender {
        Sender::Known(address) => Some(address.clone()),
        _ => None,
    };
    in_field("Sender").or(of_envelope).or_else(|| in_field("Return-Path")).unwrap_or_else(Address::of_nobody)
}

/// What a field without an address says, for people: decoded, on one line, comments without their parentheses.
fn shown(value: &[u8]) -> String {
    let text = encoded_word::decode(&encoded_word::raw_text(value));
    let clean: String =
        text.chars().map(|c| if c.is_control() || "<>()\"".contains(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}
