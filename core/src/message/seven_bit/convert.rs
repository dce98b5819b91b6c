//! A message with 8-bit bytes as one of ASCII alone that says the same: contents get a transfer encoding, header fields encoded words.
//! For ways that cannot carry the bytes themselves. Pure.

use super::sink::Sink;
use super::{encode, fields};
use crate::message::growth::OutOfMemory;
use crate::message::header::{self, Header};
use crate::message::mime::content_type::ContentType;
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{Part, boundary_from, last};

/// How deep attached messages are followed into one another.
const DEEPEST: usize = 8;

/// Whether every byte may stay: ASCII but NUL (RFC 2045, section 2.7).
pub fn is_seven_bit(bytes: &[u8]) -> bool {
    bytes.is_ascii() && memchr::memchr(0, bytes).is_none()
}

pub(super) fn is_safe(byte: u8) -> bool {
    byte.is_ascii() && byte != 0
}

/// Converts a message whose lines end in CRLF; nothing when it is 7-bit already.
///
/// Each part that is 7-bit stays byte for byte, so that a signature over it holds. The decoded content of every other part stays; its
/// signature, if any, is lost: its encoded form was signed. What is in no part (before the first boundary, after the last) and cannot
/// stay becomes question marks.
///
/// # Errors
///
/// When the memory cannot be had.
pub fn converted(message: &[u8]) -> Result<Option<Vec<u8>>, OutOfMemory> {
    if is_seven_bit(message) {
        return Ok(None);
    }
    let mut sink = Sink::new(message.len())?;
    write_message(message, 0, &mut sink)?;
    Ok(Some(sink.finish()))
}

fn write_message(message: &[u8], depth: usize, sink: &mut Sink) -> Result<(), OutOfMemory> {
    let (section, body) = message.split_at_checked(header::section_length(message)).unwrap_or((message, &[]));
    let mut header = Header::parse(section);
    let whole = Part::of_message(&header, body);
    let before = body.get(..whole.body.start).unwrap_or_default();
    let content = body.get(whole.body.clone()).unwrap_or_default();
    let plan = Plan::of(&whole, &header, content, depth);
    if plan.encoding().is_some() && last(&header, "MIME-Version").is_none() {
        header.prepend("MIME-Version", b"1.0");
    }
    write_head(&mut header, &plan, before, sink)?;
    write_content(&plan, &whole, body, depth, sink)?;
    // A last line without its end would run into what follows the message.
    if matches!(plan, Plan::Encode(Encoding::Base64)) { sink.push(b"\r\n") } else { Ok(()) }
}

fn write_part(part: &Part, text: &[u8], depth: usize, sink: &mut Sink) -> Result<(), OutOfMemory> {
    let mut header = part.fields(text);
    let before = text.get(part.header.end..part.body.start).unwrap_or_default();
    let content = text.get(part.body.clone()).unwrap_or_default();
    let plan = Plan::of(part, &header, content, depth);
    let bare = part.header.is_empty();
    if bare && plan.encoding().is_some() {
        header.prepend("Content-Type", b"text/plain");
    }
    // The mail gem takes a part without fields for text; one that has fields now needs the empty line after them.
    let before = if bare && header.is_changed() { b"\r\n" } else { before };
    write_head(&mut header, &plan, before, sink)?;
    write_content(&plan, part, text, depth, sink)
}

/// Writes the header section and what stands between it and the content.
fn write_head(
    header: &mut Header<'_>,
    plan: &Plan,
    before: &[u8],
    sink: &mut Sink,
) -> Result<(), OutOfMemory> {
    if let Some(encoding) = plan.encoding() {
        match last(header, "Content-Transfer-Encoding").map(|field| field.at) {
            Some(at) => header.replace(at, "Content-Transfer-Encoding", encoding),
            None => header.prepend("Content-Transfer-Encoding", encoding),
        }
    }
    let boundary = ContentType::of(header).and_then(|kind| kind.boundary).and_then(|old| new_boundary(&old));
    fields::convert(header, boundary.as_deref());
    sink.push(&header.to_bytes())?;
    encode::masked(before, sink)
}

fn write_content(
    plan: &Plan,
    part: &Part,
    text: &[u8],
    depth: usize,
    sink: &mut Sink,
) -> Result<(), OutOfMemory> {
    let content = text.get(part.body.clone()).unwrap_or_default();
    match plan {
        Plan::Keep => sink.push(content),
        Plan::Parts => write_parts(part, text, depth, sink),
        Plan::Message => write_message(content, depth + 1, sink),
        Plan::Encode(Encoding::QuotedPrintable) => encode::quoted_printable(content, sink),
        Plan::Encode(Encoding::Base64) => encode::base64(content, sink),
        Plan::Repair(TransferEncoding::QuotedPrintable) => encode::repaired_quoted_printable(content, sink),
        Plan::Repair(TransferEncoding::Base64) => encode::repaired_base64(content, sink),
        Plan::Repair(_) => encode::masked(content, sink),
    }
}

/// The parts, and between them the boundary lines.
fn write_parts(part: &Part, text: &[u8], depth: usize, sink: &mut Sink) -> Result<(), OutOfMemory> {
    let old = part.content_type.as_ref().and_then(|kind| kind.boundary.as_deref()).unwrap_or_default();
    let new = new_boundary(old);
    let mut done = part.body.start;
    for child in &part.children {
        write_between(text.get(done..child.header.start).unwrap_or_default(), old, new.as_deref(), sink)?;
        write_part(child, text, depth, sink)?;
        done = child.body.end;
    }
    write_between(text.get(done..part.body.end).unwrap_or_default(), old, new.as_deref(), sink)
}

fn write_between(text: &[u8], old: &[u8], new: Option<&str>, sink: &mut Sink) -> Result<(), OutOfMemory> {
    let mut rest = text;
    while let Some(new) = new
        && let Some(at) = memchr::memmem::find(rest, old)
    {
        encode::masked(rest.get(..at).unwrap_or_default(), sink)?;
        sink.push(new.as_bytes())?;
        rest = rest.get(at + old.len()..).unwrap_or_default();
    }
    encode::masked(rest, sink)
}

/// What takes the place of a boundary that is not ASCII: derived from it, so that the content can hardly name it.
fn new_boundary(old: &[u8]) -> Option<String> {
    if is_seven_bit(old) {
        return None;
    }
    Some(boundary_from(old))
}

/// What becomes of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// It is 7-bit.
    Keep,
    /// It is made of parts: each for itself.
    Parts,
    /// It is a message: as a message of its own, since it may have no transfer encoding (RFC 2046, section 5.2.1).
    Message,
    Encode(Encoding),
    /// It claims this encoding, and holds bytes that do not belong there.
    Repair(TransferEncoding),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    QuotedPrintable,
    Base64,
}

impl Plan {
    fn of(part: &Part, header: &Header<'_>, content: &[u8], depth: usize) -> Self {
        if is_seven_bit(content) {
            return Self::Keep;
        }
        if !part.children.is_empty() {
            return Self::Parts;
        }
        let said = last(header, "Content-Transfer-Encoding")
            .map(|field| TransferEncoding::intended(field.trimmed()));
        match said {
            None | Some(TransferEncoding::Identity | TransferEncoding::Unknown) => {}
            Some(encoding) => return Self::Repair(encoding),
        }
        let kind = part.content_type.as_ref();
        let is_text = kind.is_none_or(|kind| kind.is_text() || kind.is_multipart());
        match kind {
            Some(kind) if kind.media_type == "message/rfc822" && depth < DEEPEST => Self::Message,
            _ if is_text && is_lines(content) => Self::Encode(Encoding::QuotedPrintable),
            _ => Self::Encode(Encoding::Base64),
        }
    }

    /// The Content-Transfer-Encoding that is to be said.
    fn encoding(&self) -> Option<&'static [u8]> {
        match self {
            Self::Encode(Encoding::QuotedPrintable) => Some(b"quoted-printable"),
            Self::Encode(Encoding::Base64) => Some(b"base64"),
            _ => None,
        }
    }
}

/// Whether it is text in lines: no NUL, and carriage returns and newlines in line ends alone.
fn is_lines(content: &[u8]) -> bool {
    memchr::memchr3_iter(0, b'\r', b'\n', content).all(|at| {
        let around = |at: Option<usize>| at.and_then(|at| content.get(at)).copied();
        match content.get(at) {
            Some(b'\r') => around(at.checked_add(1)) == Some(b'\n'),
            Some(b'\n') => around(at.checked_sub(1)) == Some(b'\r'),
            _ => false,
        }
    })
}
