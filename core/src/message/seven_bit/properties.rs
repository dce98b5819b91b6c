//! The laws of conversion, over messages put together from lines good and bad, and over any bytes.

use proptest::prelude::*;

use super::{converted, is_seven_bit};
use crate::message::header::{self, Header};
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{Part, last};

/// Lines as they come in mail, good and bad, in any order.
const LINES: &[&[u8]] = &[
    b"From: J\xfcrgen <j@x.org>",
    b"Subject: gr\xc3\xbc\xc3\x9fe an =?utf-8?q?alle?=",
    b"X-T\xf6n: x",
    b"T\xf6n: x",
    b"To: \"M\xc3\xbcller, J\" <j@x.org>, \xfc@y.org",
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: multipart/mixed; boundary=\"b\xfc\"",
    b"Content-Type: multipart/alternative; boundary=c",
    b"Content-Type: multipart/mixed; boundary=\"b?\"",
    b"Content-Type: text/plain; charset=utf-8",
    b"Content-Type: application/pdf; name=\"r\xc3\xa4um.pdf\"",
    b"Content-Type: message/rfc822",
    b"Content-Disposition: attachment; filename=r\xe4um",
    b"Content-Transfer-Encoding: 8bit",
    b"Content-Transfer-Encoding: binary",
    b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: x-uuencode",
    b"Content-Transfer-Encoding: odd",
    b"--b",
    b"--b--",
    b"--b?",
    b"--b\xfc",
    b"--b\xfc--",
    b"--c",
    b"--c--",
    b"--",
    b" folded \xfc",
    b" ",
    b"",
    b"",
    b"",
    b"\r",
    b"text \xff\0",
    b"text = plain. \t",
    b"a long line, a long line, a long line, a long line, a long line, a long line, a long l--b\xfc",
    "gr\u{fc}\u{df}e".as_bytes(),
];

fn message() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![9 => Just(&b"\r\n"[..]), 1 => Just(&b""[..])];
    proptest::collection::vec((proptest::sample::select(LINES), end), 0..20)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect())
}

fn sent(message: &[u8]) -> Vec<u8> {
    converted(message).unwrap().unwrap_or_else(|| message.to_vec())
}

/// The decoded contents of all parts that are not made of parts, in order, and whether they must stay.
fn leaves(message: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let (section, body) = message.split_at(header::section_length(message));
    let top = Header::parse(section);
    let whole = Part::of_message(&top, body);
    let walk = whole.walk();
    let leaf = |(number, part): (usize, &&Part)| {
        let own = part.fields(body);
        let header = if number == 0 { &top } else { &own };
        let content = &body[part.body.clone()];
        let said =
            last(header, "Content-Transfer-Encoding").map(|field| TransferEncoding::read(field.trimmed()));
        let encoding = said.unwrap_or(TransferEncoding::Identity);
        let is_message = part.content_type.as_ref().is_some_and(|kind| kind.media_type == "message/rfc822");
        let sound = is_seven_bit(content) || encoding == TransferEncoding::Identity;
        (encoding.decoded(content).into_owned(), sound && !is_message)
    };
    walk.iter().enumerate().filter(|(_, part)| part.children.is_empty()).map(leaf).collect()
}

fn assert_same_contents(message: &[u8]) {
    let (before, after) = (leaves(message), leaves(&sent(message)));
    assert_eq!(before.len(), after.len(), "{}", String::from_utf8_lossy(&sent(message)));
    for ((before, must_stay), (after, _)) in before.into_iter().zip(after) {
        assert!(
            !must_stay || before == after,
            "{:?} became {:?} in {}",
            String::from_utf8_lossy(&before),
            String::from_utf8_lossy(&after),
            String::from_utf8_lossy(&sent(message))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn only_ascii_leaves(message in message()) {
        prop_assert!(is_seven_bit(&sent(&message)));
    }

    #[test]
    fn converting_twice_changes_nothing(message in message()) {
        prop_assert_eq!(converted(&sent(&message)), Ok(None));
    }

    #[test]
    fn contents_stay(message in message()) {
        assert_same_contents(&message);
    }

    #[test]
    fn any_bytes_become_ascii(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(is_seven_bit(&sent(&bytes)));
    }
}

fn text(message: &str) -> String {
    String::from_utf8(sent(message.replace('\n', "\r\n").as_bytes())).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_7_bit_message_stays_byte_for_byte() {
    let message = b"From: a@b\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\r\nlone \r return, long, \x01, no end";
    assert_eq!(converted(message), Ok(None));
}

#[test]
fn raw_text_is_quoted() {
    assert_eq!(
        text("From: J\u{fc}rgen <j@x.org>\nContent-Type: text/plain; charset=utf-8\n\nGr\u{fc}\u{df}e \n"),
        "Content-Transfer-Encoding: quoted-printable\nMIME-Version: 1.0\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@x.org>\n\
         Content-Type: text/plain; charset=utf-8\n\nGr=C3=BC=C3=9Fe=20\n"
    );
}

#[test]
fn only_the_parts_that_need_it_are_encoded() {
    let message = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npre\u{e4}mble\n--b\n\
        Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\u{fc} \n--b\nContent-Type: text/plain\n\nas it is \n--b\n\
        Content-Type: application/octet-stream\n\nbin\u{e4}ry\n--b--\n";
    assert_eq!(
        text(message),
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npre??mble\n--b\n\
         Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC=20\n--b\nContent-Type: text/plain\n\nas it is \n--b\n\
         Content-Transfer-Encoding: base64\nContent-Type: application/octet-stream\n\nYmluw6RyeQ==\n--b--\n"
    );
}

#[test]
fn an_attached_message_is_converted_within() {
    let message = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\
        Subject: \u{fc}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\u{fc}\n--b--\n";
    assert_eq!(
        text(message),
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\
         Content-Transfer-Encoding: quoted-printable\nSubject: =?utf-8?b?w7w=?=\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\n\n=C3=BC\n--b--\n"
    );
}

#[test]
fn a_boundary_that_is_not_ascii_is_replaced_everywhere() {
    let message =
        "Content-Type: multipart/mixed; boundary=\u{fc}\n\n--\u{fc}\n\none\n--\u{fc}\n\ntwo\n--\u{fc}--\n";
    let sent = text(message);
    let boundary = sent.split('"').nth(1).unwrap();
    assert_eq!(
        sent,
        format!(
            "Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}\n\none\n--{boundary}\n\ntwo\n--{boundary}--\n"
        )
    );
}
