//! The laws of the core as functions of any bytes: the fuzz targets call them, and so does `core/tests/fuzz.rs`, on stable Rust.

use std::ops::Range;

use chatwoot_mail::envelope::Sender;
use chatwoot_mail::mbox::{Family, Form, MboxEvent, Splitter, Unboxer};
use chatwoot_mail::message::address::{self, Address};
use chatwoot_mail::message::encoded_word;
use chatwoot_mail::message::header::{self, Header};
use chatwoot_mail::message::line_ends::{ExtraReturns, LineEnds};
use chatwoot_mail::message::mime::transfer_encoding::TransferEncoding;
use chatwoot_mail::message::mime::{Part, last};
use chatwoot_mail::message::seven_bit::{converted, is_seven_bit};
use chatwoot_mail::repair::{EnabledRepairs, Repaired, Unrepaired};

/// Whom messages are for: nobody known, an inbox, a conversation.
const RECIPIENTS: [Option<&str>; 3] =
    [None, Some("support@example.com"), Some("reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com")];

/// Repair is idempotent and deterministic, and leaves no line end but CRLF.
pub fn repair(data: &[u8]) {
    for recipient in RECIPIENTS {
        let once = repaired(data, recipient);
        assert!(has_sound_line_ends(&once.bytes), "{}", once.bytes.escape_ascii());
        assert_eq!(repaired(data, recipient), once, "not the same twice");
        let twice = repaired(&once.bytes, recipient);
        assert!(
            twice.bytes == once.bytes,
            "{:?} {:?}: {} became {}",
            once.repairs,
            twice.repairs,
            once.bytes.escape_ascii(),
            twice.bytes.escape_ascii()
        );
    }
}

fn repaired(data: &[u8], recipient: Option<&str>) -> Repaired {
    let enabled = EnabledRepairs::default();
    let (bytes, returns_repaired) = read(enabled.extra_returns(), &[data]);
    let recipient = recipient.and_then(Address::parse);
    let message = Unrepaired { bytes, returns_repaired };
    chatwoot_mail::repair::repair(message, recipient.as_ref(), &Sender::Unknown, &enabled)
}

fn read(extra: ExtraReturns, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut line_ends = LineEnds::new(extra, 0).expect("memory");
    for piece in pieces {
        line_ends.push(piece).expect("memory");
    }
    line_ends.finish().expect("memory")
}

fn has_sound_line_ends(bytes: &[u8]) -> bool {
    let newline = |at: usize| bytes.get(at + 1) == Some(&b'\n');
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'\r' => newline(at),
        b'\n' => at > 0 && bytes.get(at - 1) == Some(&b'\r'),
        _ => true,
    })
}

/// Line ends do not depend on where the input is cut, and are converted once and for all.
pub fn line_ends(data: &[u8]) {
    for extra in [ExtraReturns::Repair, ExtraReturns::Keep] {
        let (whole, _) = read(extra, &[data]);
        assert!(has_sound_line_ends(&whole));
        let cut = data.first().map_or(0, |byte| usize::from(*byte)).min(data.len());
        let (left, right) = data.split_at(cut);
        assert_eq!(read(extra, &[left, right]).0, whole);
        assert_eq!(read(extra, &[&whole]), (whole, false));
    }
}

/// The messages of a mailbox follow each other, do not depend on where it is cut, and leave nothing out but separators and blank lines;
/// nor does what comes out of them.
pub fn mailboxes(data: &[u8]) {
    for family in [Family::Mbox, Family::Mmdf] {
        for returns in [false, true] {
            let form = Form { family, returns };
            let cut = data.first().map_or(0, |byte| usize::from(*byte)).min(data.len());
            let (left, right) = data.split_at(cut);
            let events = split(form, &[data]);
            assert_eq!(split(form, &[left, right]), events);
            assert_eq!(unboxed(form, &[left, right]), unboxed(form, &[data]));
            let mut at = 0;
            for event in events {
                let MboxEvent::Message(slice) = event else { continue };
                let start = usize::try_from(slice.offset).expect("an offset in the data");
                let between = data.get(at..start).expect("messages that follow each other");
                assert!(belongs_to_no_message(between, returns), "{}", between.escape_ascii());
                at = start + usize::try_from(slice.length).expect("a length in the data");
            }
            let rest = data.get(at..).expect("messages that end in the data");
            assert!(belongs_to_no_message(rest, returns), "{}", rest.escape_ascii());
        }
    }
}

fn split(form: Form, pieces: &[&[u8]]) -> Vec<MboxEvent> {
    let mut events = Vec::new();
    let mut splitter = Splitter::new(form);
    pieces.iter().for_each(|piece| splitter.push(piece, |event| events.push(event)));
    splitter.finish(|event| events.push(event));
    events
}

fn unboxed(form: Form, pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut unboxer = Unboxer::new(form);
    pieces.iter().for_each(|piece| unboxer.push(piece, &mut bytes));
    unboxer.finish(&mut bytes);
    bytes
}

fn belongs_to_no_message(bytes: &[u8], returns: bool) -> bool {
    let end = if returns { b'\r' } else { b'\n' };
    bytes.split(|byte| *byte == end).all(|line| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let text = line.trim_ascii();
        text.is_empty() || text == b"\x01\x01\x01\x01" || line.starts_with(b"From ")
    })
}

/// What is read of an address field is read again when it was written, and needs no repair then.
pub fn addresses(data: &[u8]) {
    let mailboxes = address::read(data).mailboxes;
    address::gem_reads(data);
    if mailboxes.is_empty() {
        return;
    }
    let written = address::write("To", &mailboxes);
    assert_eq!(address::read(&written).mailboxes, mailboxes, "{}", written.escape_ascii());
    assert!(address::is_settled("To", &written), "{}", written.escape_ascii());
}

/// The parts lie within the message, in their order, and a part's own parts within it.
pub fn parts(data: &[u8]) {
    let (message, _) = read(ExtraReturns::Repair, &[data]);
    let (section, body) = message.split_at(header::section_length(&message));
    let whole = Part::of_message(&Header::parse(section), body);
    assert_within(&whole, &(0..body.len()));
}

fn assert_within(part: &Part, outer: &Range<usize>) {
    assert!(part.body.start <= part.body.end && part.body.end <= outer.end, "{part:?} in {outer:?}");
    assert!(part.header.end <= part.body.start || part.header.is_empty());
    let mut done = part.body.start;
    for child in &part.children {
        assert!(child.header.start >= done, "{child:?} begins before {done}");
        assert_within(child, &part.body);
        done = child.body.end;
    }
}

/// The 7-bit form is ASCII, final, and holds the same contents.
pub fn seven_bit(data: &[u8]) {
    let (message, _) = read(ExtraReturns::Repair, &[data]);
    let Some(ascii) = converted(&message).expect("memory") else { return };
    assert!(is_seven_bit(&ascii));
    assert_eq!(converted(&ascii), Ok(None));
    let (before, after) = (leaves(&message), leaves(&ascii));
    assert_eq!(before.len(), after.len(), "{}", ascii.escape_ascii());
    for ((before, must_stay), (after, _)) in before.into_iter().zip(after) {
        assert!(!must_stay || before == after, "{} became {}", before.escape_ascii(), after.escape_ascii());
    }
}

/// The decoded contents of all parts that are not made of parts, and whether they must stay.
fn leaves(message: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let (section, body) = message.split_at(header::section_length(message));
    let top = Header::parse(section);
    let whole = Part::of_message(&top, body);
    let leaf = |(number, part): (usize, &Part)| {
        let own = part.fields(body);
        let header = if number == 0 { &top } else { &own };
        let content = body.get(part.body.clone()).unwrap_or_default();
        let said =
            last(header, "Content-Transfer-Encoding").map(|field| TransferEncoding::read(field.trimmed()));
        let encoding = said.unwrap_or(TransferEncoding::Identity);
        let is_message = part.content_type.as_ref().is_some_and(|kind| kind.media_type == "message/rfc822");
        let sound = is_seven_bit(content) || encoding == TransferEncoding::Identity;
        (encoding.decoded(content).into_owned(), sound && !is_message)
    };
    let walk = whole.walk().into_iter().enumerate();
    walk.filter(|(_, part)| part.children.is_empty()).map(leaf).collect()
}

/// Any bytes are decoded, and what is encoded is decoded to the same text.
pub fn encoded_words(data: &[u8]) {
    let text = encoded_word::raw_text(data);
    encoded_word::decode(&text);
    let encoded = encoded_word::encode(&text);
    assert!(encoded.is_ascii());
    assert_eq!(encoded_word::decode(&encoded), text);
}
