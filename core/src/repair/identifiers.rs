//! Repairs of what tells one message from another, and ties it to others: `Message-ID`, `References`, and the bytes in them.

use ring::digest::{Context, SHA256};

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::encoded_word;
use crate::message::header::{Field, Header};
use crate::route::{LONGEST_STORED, conversation_of, stored_length};

/// A Message-ID with bytes that are not UTF-8, or NUL, makes the endpoint answer 500 for ever (P1); an empty one gets a random value on every parse
/// (M11), so that nothing is ever deduplicated. The last one of several is the one that counts in the mail gem.
pub(super) const UNUSABLE_MESSAGE_ID: Repair = Repair {
    name: "unusable-message-id",
    summary: "replaces an empty Message-ID, or one with control characters or bytes that are not UTF-8, by one derived from the content",
    step: Step::Header(unusable_message_id),
};

/// Without one, a reply can count as already there (D12).
pub(super) const MISSING_MESSAGE_ID: Repair = Repair {
    name: "missing-message-id",
    summary: "adds a Message-ID derived from the content where there is none",
    step: Step::Header(missing_message_id),
};

/// Bytes that are no UTF-8 make the job raise (F6).
pub(super) const UNREADABLE_BYTES: Repair = Repair {
    name: "unreadable-bytes",
    summary: "encodes or takes out bytes that are not UTF-8 in Subject, Date, References and In-Reply-To",
    step: Step::Header(unreadable_bytes),
};

fn unusable_message_id(draft: &mut Draft<'_>) -> bool {
    let unusable: Vec<usize> =
        draft.header.named("Message-ID").filter(|field| !is_usable(field)).map(|field| field.at).collect();
    if unusable.is_empty() {
        return false;
    }
    let derived = derived(draft);
    let usable_remains = draft.header.named("Message-ID").any(|field| is_usable(&field));
    for at in unusable {
        originals::preserve(&mut draft.header, at, "Message-ID");
    }
    if !usable_remains {
        draft.header.prepend("Message-ID", derived.as_bytes());
    }
    true
}

fn missing_message_id(draft: &mut Draft<'_>) -> bool {
    if draft.header.named("Message-ID").next().is_some() {
        return false;
    }
    let derived = derived(draft);
    draft.header.prepend("Message-ID", derived.as_bytes());
    true
}

/// Chatwoot stores no more than 1500 characters of it with a new conversation, and raises (F9).
pub(super) const LONG_IN_REPLY_TO: Repair = Repair {
    name: "long-in-reply-to",
    summary: "shortens an In-Reply-To of more than 1500 characters to the ids of Chatwoot's own and the last ones",
    step: Step::Header(long_in_reply_to),
};

fn long_in_reply_to(draft: &mut Draft<'_>) -> bool {
    let Some(field) = draft.header.named("In-Reply-To").next_back() else { return false };
    if stored_length(field.value) <= LONGEST_STORED {
        return false;
    }
    let (at, kept) = (field.at, shortened(&String::from_utf8_lossy(field.value)));
    replace_or_drop(&mut draft.header, at, "In-Reply-To", kept.as_bytes());
    true
}

/// The ids that fit, in their order: those that name a conversation before others, later ones before earlier ones.
fn shortened(value: &str) -> String {
    let ids: Vec<&str> = value.split_whitespace().collect();
    let leads = |id: &str| conversation_of(id.trim_matches(['<', '>'])).is_some();
    let mut kept = vec![false; ids.len()];
    let mut room = LONGEST_STORED;
    for first in [true, false] {
        for (id, kept) in ids.iter().zip(&mut kept).rev().filter(|(id, _)| leads(id) == first) {
            match room.checked_sub(id.chars().count() + 1) {
                Some(rest) => (room, *kept) = (rest, true),
                None => break,
            }
        }
    }
    let kept = ids.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(id, _)| *id);
    kept.collect::<Vec<_>>().join("\r\n ")
}

fn unreadable_bytes(draft: &mut Draft<'_>) -> bool {
    let header = &mut draft.header;
    let mut changed = false;
    for name in ["References", "In-Reply-To", "Date", "Subject", "Content-Description"] {
        let unreadable = |field: &Field<'_>| std::str::from_utf8(field.value).is_err();
        let found: Vec<(usize, Vec<u8>)> =
            header.named(name).filter(unreadable).map(|field| (field.at, field.value.to_vec())).collect();
        // From the bottom: what is kept moves the lines below.
        for (at, value) in found.into_iter().rev() {
            changed = true;
            match name {
                "References" | "In-Reply-To" => replace_or_drop(header, at, name, &message_ids_in(&value)),
                "Date" => replace_or_drop(header, at, name, &ascii_of(&value)),
                _ => header.replace(at, name, encoded_word::encode(&one_line(&value)).as_bytes()),
            }
        }
    }
    changed
}

fn replace_or_drop(header: &mut Header<'_>, at: usize, name: &str, value: &[u8]) {
    if value.trim_ascii().is_empty() {
        originals::preserve(header, at, name);
    } else {
        originals::replaced(header, at, name, value);
    }
}

/// The message ids in a field, those with unreadable bytes left out.
fn message_ids_in(value: &[u8]) -> Vec<u8> {
    let words = value.split(u8::is_ascii_whitespace);
    let readable = words.filter(|word| {
        word.starts_with(b"<") && word.ends_with(b">") && word.iter().all(u8::is_ascii_graphic)
    });
    readable.collect::<Vec<_>>().join(&b"\r\n "[..])
}

fn ascii_of(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(u8::is_ascii).collect()
}

fn one_line(value: &[u8]) -> String {
    encoded_word::raw_text(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The most characters that Chatwoot stores of one.
const LONGEST: usize = 20_000;

/// UTF-8 (RFC 6532) without control characters, with at least one letter or digit: `<>` would make every such message the same one.
fn is_usable(field: &Field<'_>) -> bool {
    let Ok(text) = std::str::from_utf8(field.trimmed()) else { return false };
    let printable = text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'));
    printable && text.len() <= LONGEST && text.chars().any(char::is_alphanumeric)
}

/// A Message-ID from the content: the first 20 bytes of its SHA-256 in hex, at a domain that nobody can own (RFC 2606).
///
/// Fields that the way through the mail servers adds do not count, so that the same message piped by one server and imported
/// from another's mailbox gets the same one.
fn derived(draft: &Draft<'_>) -> String {
    let mut digest = Context::new(&SHA256);
    for field in draft.header.fields().filter(|field| !is_trace(field)) {
        digest.update(&field.name.to_ascii_lowercase());
        digest.update(b":");
        digest.update(field.trimmed());
        digest.update(b"\r\n");
    }
    digest.update(b"\r\n");
    digest.update(draft.body.trim_ascii());
    let digest = digest.finish();
    let hex = hex::encode(digest.as_ref().get(..20).unwrap_or_default());
    format!("<{hex}@ingress.invalid>")
}

/// Fields that mail servers, and this program, write on the way.
const TRACE: [&str; 8] = [
    "Return-Path",
    "Received",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "Delivery-Date",
    "X-getmail-retrieved-from-mailbox",
    "X-Ingress-Original-X-Original-To",
];

fn is_trace(field: &Field<'_>) -> bool {
    TRACE.iter().any(|name| field.name.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn draft(section: &[u8]) -> Draft<'_> {
        let mut draft = Draft::new(section, None, &Sender::Unknown);
        draft.body = b"\r\nhello\r\n";
        draft
    }

    fn message_ids(draft: &Draft<'_>) -> Vec<String> {
        draft
            .header
            .named("Message-ID")
            .map(|field| String::from_utf8_lossy(field.trimmed()).into_owned())
            .collect()
    }

    #[test]
    fn a_usable_one_stays_whatever_its_form() {
        for value in ["<a@b>", "a@b", "<a b@c>", "\r\n <long@fold>", "<a@b> (comment)", "<\u{e4}@b>"] {
            let section = format!("Message-Id: {value}\r\n");
            let mut draft = draft(section.as_bytes());
            assert!(!unusable_message_id(&mut draft) && !missing_message_id(&mut draft), "{value}");
            assert!(!draft.header.is_changed());
        }
    }

    #[test]
    fn a_missing_one_is_derived_from_the_content_alone() {
        let mut one = draft(b"From: a@b\r\nSubject: hi\r\n");
        let mut routed = draft(b"Received: by x; today\r\nReturn-Path: <a@b>\r\nX-Original-To: c@d\r\nFROM:  a@b\r\nSubject: hi\r\n");
        let mut other = draft(b"From: a@b\r\nSubject: ho\r\n");
        for draft in [&mut one, &mut routed, &mut other] {
            assert!(missing_message_id(draft));
        }
        assert_eq!(message_ids(&one), ["<238edf130def9990322f050d396600dc1cd260e3@ingress.invalid>"]);
        assert_eq!(message_ids(&routed), message_ids(&one));
        assert_ne!(message_ids(&other), message_ids(&one));
    }

    #[test]
    fn an_unusable_one_is_replaced_and_kept() {
        for (value, kept) in
            [(&b""[..], ""), (b" <>", "<>"), (b" <\xe4@b>", "=?utf-8?"), (b" <a\0@b>", "=?utf-8?")]
        {
            let section = [b"Message-ID:", value, b"\r\n"].concat();
            let mut draft = draft(&section);
            assert!(unusable_message_id(&mut draft));
            let ids = message_ids(&draft);
            assert!(ids.len() == 1 && ids[0].ends_with("@ingress.invalid>"), "{ids:?}");
            let original = draft.header.named("X-Ingress-Original-Message-ID").next().unwrap();
            assert!(
                String::from_utf8_lossy(original.trimmed()).to_lowercase().starts_with(kept),
                "{original:?}"
            );
        }
    }

    #[test]
    fn a_long_in_reply_to_keeps_what_leads_to_a_conversation_and_the_last_ids() {
        let ours = "<conversation/5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f/messages/7@x>";
        let others: Vec<String> = (0..100).map(|number| format!("<{number}.part@list.example>")).collect();
        let section = format!("In-Reply-To: {ours}\r\n {}\r\n", others.join("\r\n "));
        let mut draft = draft(section.as_bytes());
        assert!(long_in_reply_to(&mut draft) && !long_in_reply_to(&mut draft));
        let field = draft.header.named("In-Reply-To").next().unwrap();
        let value = String::from_utf8_lossy(field.trimmed());
        assert!(value.starts_with(ours) && value.ends_with("<99.part@list.example>") && value.len() > 1400);
    }

    #[test]
    fn an_in_reply_to_of_one_endless_id_is_set_aside() {
        let section = format!("In-Reply-To: <{}@x>\r\n", "a".repeat(1600));
        let mut draft = draft(section.as_bytes());
        assert!(long_in_reply_to(&mut draft));
        assert_eq!(draft.header.named("In-Reply-To").count(), 0);
        assert_eq!(draft.header.named("X-Ingress-Original-In-Reply-To").count(), 1);
    }

    #[test]
    fn a_usable_one_beside_an_unusable_one_is_the_one_that_counts() {
        let mut draft = draft(b"Message-ID: <good@x>\r\nMessage-ID:\r\n");
        assert!(unusable_message_id(&mut draft));
        assert_eq!(message_ids(&draft), ["<good@x>"]);
    }
}
