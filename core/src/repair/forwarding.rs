//! Repairs of the fields by which groups and forwarders say who wrote.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::{address, encoded_word};
use crate::route::{first_address, is_usable, named_sender};

/// Their values reach a JSON column, which takes nothing but UTF-8 (F6b).
pub(super) const UNREADABLE_FORWARDING_FIELD: Repair = Repair {
    name: "unreadable-forwarding-field",
    summary: "encodes bytes that are not UTF-8 in X-Original-From, X-Original-Sender and X-Forwarded-For",
    step: Step::Header(unreadable_forwarding_field),
};

/// It goes before From, whatever it holds (D17, D18).
pub(super) const UNUSABLE_ORIGINAL_SENDER: Repair = Repair {
    name: "unusable-original-sender",
    summary: "sets an X-Original-Sender aside that hides the sender and holds no usable address",
    step: Step::Header(unusable_original_sender),
};

fn unreadable_forwarding_field(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["X-Original-From", "X-Original-Sender", "X-Forwarded-For"] {
        let found: Vec<(usize, Vec<u8>)> = draft
            .header
            .named(name)
            .filter(|field| std::str::from_utf8(field.value).is_err())
            .map(|field| (field.at, readable(name, field.value)))
            .collect();
        for (at, value) in found.into_iter().rev() {
            changed = true;
            originals::replaced(&mut draft.header, at, name, &value);
        }
    }
    changed
}

/// The value as addresses where it holds some, else its words, those that are not ASCII encoded.
fn readable(name: &str, value: &[u8]) -> Vec<u8> {
    let mailboxes = address::read(value).mailboxes;
    if name != "X-Forwarded-For" && !mailboxes.is_empty() {
        return address::write(name, &mailboxes);
    }
    let word = |word: &[u8]| match word.is_ascii() {
        true => word.to_vec(),
        false => encoded_word::encode(&encoded_word::raw_text(word)).into_bytes(),
    };
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(word).collect::<Vec<_>>().join(&b"\r\n "[..])
}

fn unusable_original_sender(draft: &mut Draft<'_>) -> bool {
    let header = &draft.header;
    let Some(field) = header.named("X-Original-Sender").next_back() else { return false };
    let unusable = first_address(field.value).is_some_and(|address| !is_usable(&address));
    if !unusable || named_sender(header, &["Reply-To"]).is_some() {
        return false;
    }
    let at = field.at;
    originals::preserve(&mut draft.header, at, "X-Original-Sender");
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn repaired(section: &[u8], repair: fn(&mut Draft<'_>) -> bool) -> Option<String> {
        let mut draft = Draft::new(section, None, &Sender::Unknown);
        repair(&mut draft).then(|| String::from_utf8(draft.header.to_bytes()).unwrap())
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_encoded() {
        let text = repaired(b"X-Original-From: J\xfcrgen <j@x>\r\n", unreadable_forwarding_field).unwrap();
        assert!(text.starts_with("X-Original-From: =?utf-8?q?J=C3=BCrgen?= <j@x>\r\n"), "{text}");
        let text = repaired(b"X-Forwarded-For: b\xfcro@x s@y\r\n", unreadable_forwarding_field).unwrap();
        assert!(text.starts_with("X-Forwarded-For: =?utf-8?b?YsO8cm9AeA==?=\r\n s@y\r\n"), "{text}");
        assert_eq!(
            repaired("X-Original-From: Jürgen <j@x>\r\n".as_bytes(), unreadable_forwarding_field),
            None
        );
    }

    #[test]
    fn an_original_sender_that_hides_a_good_from_is_set_aside() {
        for value in ["junk", "\"a@b\"@c"] {
            let section = format!("From: a@b\r\nX-Original-Sender: {value}\r\n");
            assert_eq!(
                repaired(section.as_bytes(), unusable_original_sender).unwrap(),
                format!("From: a@b\r\nX-Ingress-Original-X-Original-Sender: {value}\r\n")
            );
        }
        for section in [
            "X-Original-Sender: a@b\r\n",
            "Reply-To: a@b\r\nX-Original-Sender: junk\r\n",
            "X-Original-Sender: [x] y\r\n",
        ] {
            assert_eq!(repaired(section.as_bytes(), unusable_original_sender), None, "{section}");
        }
    }
}
