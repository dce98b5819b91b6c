//! Repairs of the characters in Subject and names.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::mime::content_type::ContentType;
use crate::message::{address, encoded_word};

/// The reader must guess at raw bytes; the charset that the message names is the best guess (C13).
pub(super) const RAW_BYTES_IN_BODY_CHARSET: Repair = Repair {
    name: "raw-bytes-in-body-charset",
    summary: "reads raw 8-bit Subject and names in the charset that the text of the message names",
    step: Step::Header(raw_bytes_in_body_charset),
};

/// Each encoded word is decoded by itself, and marks stand where a character was cut.
pub(super) const SPLIT_ENCODED_WORD: Repair = Repair {
    name: "split-encoded-word",
    summary: "joins encoded words of Subject, From and Reply-To between which a character was cut in two",
    step: Step::Header(split_encoded_word),
};

fn raw_bytes_in_body_charset(draft: &mut Draft<'_>) -> bool {
    const FIELDS: [&str; 6] = ["Subject", "From", "Reply-To", "Sender", "To", "Cc"];
    let is_raw = |value: &[u8]| std::str::from_utf8(value).is_err();
    let spoilt = |name: &&str| draft.header.named(name).any(|field| is_raw(field.value));
    let fields: Vec<&str> = FIELDS.into_iter().filter(spoilt).collect();
    let Some(charset) = (!fields.is_empty()).then(|| text_charset(draft)).flatten() else { return false };
    let mut changed = false;
    for name in fields {
        // Of several the last one counts, and the others keep what they have: the guess of another repair may name a charset by the next pass.
        let Some(field) = draft.header.named(name).next_back().filter(|field| is_raw(field.value)) else {
            continue;
        };
        let at = field.at;
        let read = encoded_word::read_in(&charset, field.value).and_then(|text| written(name, &text));
        if let Some(value) = read {
            changed = true;
            originals::replaced(&mut draft.header, at, name, &value);
        }
    }
    changed
}

/// The charset of the first text in the message.
fn text_charset(draft: &mut Draft<'_>) -> Option<String> {
    let mut found = None;
    draft.each_leaf(|leaf| {
        let kind = ContentType::of(leaf.header).filter(ContentType::is_text);
        found = found.take().or_else(|| Some(String::from_utf8_lossy(&kind?.charset?.value).into_owned()));
        false
    });
    // The last guess anyway, and perhaps the label that `missing-charset` gave: it must not count on the second pass alone.
    found.filter(|charset| !charset.eq_ignore_ascii_case("windows-1252"))
}

/// The value in ASCII; nothing for a list of addresses without any.
fn written(name: &str, text: &str) -> Option<Vec<u8>> {
    if name == "Subject" {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        return Some(encoded_word::encode(&words).into_bytes());
    }
    let mailboxes = address::read(text.as_bytes()).mailboxes;
    (!mailboxes.is_empty()).then(|| address::write(name, &mailboxes))
}

fn split_encoded_word(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["Subject", "From", "Reply-To"] {
        let Some(field) = draft.header.named(name).next_back() else { continue };
        let joined = std::str::from_utf8(field.value).ok().and_then(encoded_word::rejoined);
        let at = field.at;
        if let Some(value) = joined {
            changed = true;
            originals::replaced(&mut draft.header, at, name, value.as_bytes());
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn subject(section: &[u8]) -> Option<String> {
        let mut draft = Draft::new(section, None, &Sender::Unknown);
        let changed = raw_bytes_in_body_charset(&mut draft);
        changed.then(|| String::from_utf8(draft.header.to_bytes()).unwrap())
    }

    #[test]
    fn the_charset_of_the_text_is_that_of_the_subject() {
        let text =
            subject(b"Subject: \xc3\xe4\xe5\r\nContent-Type: text/plain; charset=windows-1251\r\n").unwrap();
        assert!(text.starts_with("Subject: =?utf-8?b?0JPQtNC1?=\r\nX-Ingress-Original-Subject: "), "{text}");
        let text =
            subject(b"From: \xc0\xed\xed\xe0 <a@b>\r\nContent-Type: text/plain; charset=windows-1251\r\n")
                .unwrap();
        assert!(text.starts_with("From: =?utf-8?b?0JDQvdC90LA=?= <a@b>\r\n"), "{text}");
    }

    #[test]
    fn bytes_that_the_charset_cannot_mean_are_left_to_the_last_guess() {
        assert_eq!(subject(b"Subject: \xe4\r\nContent-Type: text/plain; charset=utf-8\r\n"), None);
        assert_eq!(subject(b"Subject: \xe4\r\n"), None);
        assert_eq!(subject("Subject: ä\r\nContent-Type: text/plain; charset=koi8-r\r\n".as_bytes()), None);
    }
}
