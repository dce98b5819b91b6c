//! The laws of repair, over messages put together from lines good and bad, over spoilt ones of the corpus, and over any bytes.

use std::fs;

use proptest::prelude::*;

use super::apply::tests::{read, repaired};
use super::{EnabledRepairs, originals};
use crate::message::header::{self, Header};
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{Part, last};

/// Lines as they come in mail, good and bad, in any order.
const LINES: &[&[u8]] = &[
    b"To: support@example.com",
    b"Cc: Sales <sales@example.com>",
    b"To: Help: Desk <support@example.com>",
    b"To: a@example.com, support@example.com",
    b"Cc: Smith, Bob <b@x.org>",
    b"Cc: reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com",
    b"To: undisclosed recipients",
    b"To: undisclosed-recipients:;",
    b"Bcc: <<a@b>>",
    b"From: J\xfcrgen <j@x.org>",
    b"From: MAILER-DAEMON (x)",
    b"Reply-To: <>",
    b"Sender: s@x.org",
    b"Message-ID: <1@example.org>",
    b"Message-ID:",
    b"Message-ID: <\xe4@b>\0",
    b"References: <a@b> <\xe4@c>",
    b"Subject: \xe4",
    b"X-Original-To: support@example.com",
    b"X-Original-To: <sales@example.com>",
    b"X-Original-To:",
    b"X-Forwarded-For: a b",
    b"Auto-Submitted: no",
    b"Precedence: bulk",
    b"From bob Mon Jan 1",
    b"\xef\xbb\xbfFrom: a@b",
    b"From: =?utf-8?q?=C3=A4?= <a@b>",
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: text/plain",
    b"Content-Type: text/plain; charset=x-odd",
    b"Content-Type: application/pdf",
    b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: odd",
    b"Content-Transfer-Encoding: base64",
    b"Content-Disposition: inline",
    b"--b",
    b"--b--",
    b" folded",
    b"",
    b"\r",
    b"text \xff\0",
    "gr\u{fc}\u{df}e".as_bytes(),
];

fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = proptest::sample::select(LINES);
    let end = prop_oneof![5 => Just(&b"\n"[..]), 5 => Just(&b"\r\n"[..]), 1 => Just(&b"\r\r\n"[..]), 1 => Just(&b""[..])];
    proptest::collection::vec((line, end), 0..16)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect())
}

fn recipient() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        Just(None),
        Just(Some("support@example.com")),
        Just(Some("reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com"))
    ]
}

proptest! {
    #[test]
    fn repairing_twice_changes_nothing(message in message(), recipient in recipient()) {
        let once = repaired(&message, recipient);
        let twice = repaired(&once.bytes, recipient);
        prop_assert_eq!(String::from_utf8_lossy(&twice.bytes), String::from_utf8_lossy(&once.bytes));
        prop_assert_eq!(twice.repairs, Vec::<&str>::new());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), recipient in recipient()) {
        let once = repaired(&bytes, recipient);
        prop_assert_eq!(repaired(&once.bytes, recipient).bytes, once.bytes);
    }

    #[test]
    fn the_body_stays(body in "[a-z\r\n ]{0,60}") {
        let mut message = b"To: c@d\n\n".to_vec();
        message.extend_from_slice(body.as_bytes());
        let unrepaired = read(&message, &EnabledRepairs::default()).bytes;
        let sent = repaired(&message, Some("support@example.com")).bytes;
        let after = |bytes: &[u8]| bytes[header::section_length(bytes)..].to_vec();
        prop_assert_eq!(after(&sent), after(&unrepaired));
    }
}

/// The messages of `tests/mail`.
#[expect(clippy::disallowed_methods, reason = "a test reads its corpus")]
fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/mail");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).filter(|bytes| bytes.len() < 20_000).collect()
}

/// A message of the corpus with a few bytes changed.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let spoiling = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4);
    (proptest::sample::select(corpus()), spoiling).prop_map(|(mut message, spoiling)| {
        for (place, byte) in spoiling {
            let place = place.index(message.len());
            message[place] = byte;
        }
        message
    })
}

/// The fields that a repair may name, in a message or in a part.
const NAMED: &[&str] = &[
    "To",
    "Cc",
    "Bcc",
    "From",
    "Reply-To",
    "Message-ID",
    "References",
    "In-Reply-To",
    "Date",
    "Resent-Date",
    "Subject",
    "X-Original-To",
    "X-Forwarded-For",
    "X-Original-Sender",
    "X-Original-From",
    "Auto-Submitted",
    "X-Autoreply",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "Content-Location",
    "Content-Language",
    "Content-MD5",
];

/// The fields that no repair names, as they stand.
fn others(message: &[u8]) -> Vec<Vec<u8>> {
    let message = &message[crate::message::preamble_length(message)..];
    let section = Header::parse(&message[..header::section_length(message)]);
    let is_named = |name: &[u8]| {
        let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
        NAMED.iter().any(is)
            || name.to_ascii_lowercase().starts_with(originals::PREFIX.to_ascii_lowercase().as_bytes())
    };
    section
        .fields()
        .filter(|field| !is_named(field.name))
        .map(|field| [field.name, b":", field.value].concat())
        .collect()
}

/// The decoded contents of all parts that are neither text nor made of parts.
fn attachments(message: &[u8]) -> Vec<Vec<u8>> {
    let message = &message[crate::message::preamble_length(message)..];
    let (section, body) = message.split_at(header::section_length(message));
    let whole = Part::of_message(&Header::parse(section), body);
    let is_file = |part: &&Part| {
        part.children.is_empty()
            && part.content_type.as_ref().is_some_and(|kind| !kind.is_text() && !kind.is_multipart())
    };
    let decoded = |part: &Part| {
        let top = Header::parse(section);
        let own = part.fields(body);
        let header = if part.header.is_empty() && part == &whole { &top } else { &own };
        let field = last(header, "Content-Transfer-Encoding");
        let encoding =
            field.map_or(TransferEncoding::Identity, |field| TransferEncoding::intended(field.trimmed()));
        encoding.decoded(&body[part.body.clone()]).trim_ascii().to_vec()
    };
    whole.walk().into_iter().filter(is_file).map(decoded).collect()
}

proptest! {
    #[test]
    fn a_spoilt_message_is_repaired_once_and_for_all(message in spoilt(), recipient in recipient()) {
        let once = repaired(&message, recipient);
        let twice = repaired(&once.bytes, recipient);
        prop_assert_eq!(String::from_utf8_lossy(&twice.bytes), String::from_utf8_lossy(&once.bytes));
    }

    #[test]
    fn no_field_that_a_repair_does_not_name_is_changed(message in spoilt(), recipient in recipient()) {
        let without_nul: Vec<u8> = message.into_iter().filter(|byte| *byte != 0).collect();
        let came = read(&without_nul, &EnabledRepairs::default()).bytes;
        let sent = repaired(&without_nul, recipient);
        // What stands behind an empty line that was missing is text.
        if !sent.repairs.contains(&"missing-blank-line") {
            prop_assert_eq!(others(&sent.bytes), others(&came));
        }
    }
}

#[test]
fn a_charset_that_a_repair_added_changes_no_field_on_the_second_pass() {
    for field in [&b"From: J\xfc <j@x.org>"[..], b"Sender: J\xfc <j@x.org>", b"Cc: J\xfc <j@x.org>"] {
        let message = [field, b"\n", field, b"\n\ntext \xff\n"].concat();
        let once = repaired(&message, None);
        assert_eq!(repaired(&once.bytes, None).bytes, once.bytes);
    }
}

#[test]
fn attachments_stay_what_they_are() {
    for message in corpus() {
        let came = read(&message, &EnabledRepairs::default()).bytes;
        let sent = attachments(&repaired(&message, Some("support@example.com")).bytes);
        for attachment in attachments(&came) {
            // A .zip around it holds it as it is.
            let holds = |file: &Vec<u8>| memchr::memmem::find(file, &attachment).is_some();
            assert!(sent.iter().any(holds), "{}", String::from_utf8_lossy(&message));
        }
    }
}
