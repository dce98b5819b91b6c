//! Repairs of whom a message is from: Chatwoot drops what has no sender whose address looks like one.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::envelope::Sender;
use crate::message::address::{self, Address, Mailbox};
use crate::message::encoded_word;
use crate::message::header::Header;
use crate::route;

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
    let mut changed = false;
    // The last one counts; when it is set aside, the one before does.
    while let Some((at, mailboxes)) = last_unusable(header, "Reply-To") {
        changed = true;
        if mailboxes.is_empty() {
            originals::preserve(header, at, "Reply-To");
        } else {
            originals::replaced(header, at, "Reply-To", &address::write("Reply-To", &mailboxes));
        }
    }
    // Of those before it the mail gem may take one with such bytes all the same, and Chatwoot fails on them (F6).
    let is_text = |value: &[u8]| std::str::from_utf8(value).is_ok();
    let spoilt = header.named("Reply-To").filter(|field| !is_text(field.value)).map(|field| field.at);
    for at in spoilt.collect::<Vec<_>>().into_iter().rev() {
        changed = true;
        originals::preserve(header, at, "Reply-To");
    }
    changed
}

/// The place of the last field of this name, and what can be read of it, when the mail gem cannot.
fn last_unusable(header: &Header<'_>, name: &str) -> Option<(usize, Vec<Mailbox>)> {
    let field = header.named(name).next_back().filter(|field| !is_usable(field.value))?;
    Some((field.at, usable_mailboxes(field.value)))
}

/// Whether Chatwoot takes its first address for a sender's.
fn is_usable(value: &[u8]) -> bool {
    route::first_address(value).is_some_and(|address| route::is_usable(&address))
}

/// The mailboxes in a value whose addresses Chatwoot takes for a sender's: a quoted local part with a blank or an at sign is none (D18).
fn usable_mailboxes(value: &[u8]) -> Vec<Mailbox> {
    let mut mailboxes = address::read(value).mailboxes;
    mailboxes.retain(|mailbox| route::is_usable(&mailbox.address.to_string()));
    mailboxes
}

fn unusable_from(draft: &mut Draft<'_>) -> bool {
    let from = draft.header.named("From").next_back();
    let is_text = from.is_none_or(|field| std::str::from_utf8(field.value).is_ok());
    if from.is_some_and(|field| is_usable(field.value)) || (is_text && route::sender(&draft.header).is_some())
    {
        return false;
    }
    let lists = draft.header.named("From").rev().map(|field| usable_mailboxes(field.value));
    let mut mailboxes = lists.into_iter().find(|mailboxes| !mailboxes.is_empty()).unwrap_or_default();
    if mailboxes.is_empty() {
        let name = from.and_then(|field| name_in(field.value));
        mailboxes.push(Mailbox { name, address: substitute(&draft.header, draft.sender) });
    }
    let value = address::write("From", &mailboxes);
    match from.map(|field| field.at) {
        Some(at) => originals::replaced(&mut draft.header, at, "From", &value),
        None => draft.header.prepend("From", value.trim_ascii()),
    }
    true
}

/// The name in a From without a usable address: what stands before the address, else all that it says.
fn name_in(value: &[u8]) -> Option<String> {
    let name = match address::read(value).mailboxes.into_iter().next() {
        Some(mailbox) => mailbox.name.unwrap_or_default(),
        None => shown(value),
    };
    Some(name).filter(|name| !name.is_empty())
}

/// Another address for a From that has none: Sender's, the envelope's, Return-Path's. The last resort is nobody's (RFC 2606): the message is
/// seen, and an answer to it goes nowhere.
fn substitute(header: &Header<'_>, sender: &Sender) -> Address {
    let in_field = |name: &'static str| {
        let field = header.named(name).next_back()?;
        usable_mailboxes(field.value).into_iter().next().map(|mailbox| mailbox.address)
    };
    let of_envelope = match sender {
        Sender::Known(address) if route::is_usable(&address.to_string()) => Some(address.clone()),
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
