//! A message that is nothing but a file.

use super::leaf::{
    CONTENT_TYPE, DISPOSITION, TRANSFER_ENCODING, ensure_mime_version, give_name, is_plain_or_html,
};
use super::nameless;
use crate::message::header::{Field, Header};
use crate::message::mime::content_type::ContentType;
use crate::message::mime::{boundary_from, gem};
use crate::repair::draft::{Draft, Wrapping};
use crate::repair::{Repair, Step, originals};

/// A message that is one PDF or image, from a scanner or fax, loses it (C3): the mail gem knows attachments as parts only.
pub(in crate::repair) const LONE_ATTACHMENT: Repair = Repair {
    name: "lone-attachment",
    summary: "wraps a message that is nothing but a file into multipart/mixed",
    step: Step::Content(lone_attachment),
};

/// Fields that describe the content, and go with it into its part.
const CONTENT_FIELDS: [&str; 8] = [
    CONTENT_TYPE,
    TRANSFER_ENCODING,
    DISPOSITION,
    "Content-ID",
    "Content-Description",
    "Content-Location",
    "Content-Language",
    "Content-MD5",
];

fn lone_attachment(draft: &mut Draft<'_>) -> bool {
    let Some(kind) = ContentType::of(&draft.header) else { return false };
    let is_file = !kind.is_multipart() && !is_plain_or_html(&kind.media_type);
    if !is_file || draft.content().trim_ascii().is_empty() {
        return false;
    }
    let boundary = boundary_from(draft.new_content());
    let body = draft.new_content();
    // A return at the very end becomes part of the line end.
    let line_end = if body.ends_with(b"\r") { "\n" } else { "\r\n" };
    let after = format!("{line_end}--{boundary}--\r\n").into_bytes();
    let name = format!("attachment.{}", nameless::extension(&draft.header, body, &kind.media_type));
    let part = part_header(&mut draft.header, &name);
    let before = [b"--", boundary.as_bytes(), b"\r\n", &part, b"\r\n"].concat();
    draft.header.prepend(CONTENT_TYPE, format!("multipart/mixed; boundary=\"{boundary}\"").as_bytes());
    ensure_mime_version(&mut draft.header);
    draft.wrap(Wrapping { before, after });
    true
}

/// Moves the fields that describe the content out of the header, into the header of a part, which is named where it was not.
fn part_header(header: &mut Header<'_>, name: &str) -> Vec<u8> {
    for name in CONTENT_FIELDS {
        // Of several the last one counts.
        let mut repeated: Vec<usize> = header.named(name).map(|field| field.at).collect();
        repeated.pop();
        repeated.into_iter().for_each(|at| originals::preserve(header, at, name));
    }
    let is_moved = |field: &Field<'_>| CONTENT_FIELDS.iter().any(|name| field.is(name));
    let moved: Vec<usize> = header.fields().filter(is_moved).map(|field| field.at).collect();
    let mut section = Vec::new();
    for at in &moved {
        section.extend(header.raw(*at));
    }
    for at in moved.into_iter().rev() {
        header.remove(at);
    }
    let mut part = Header::parse(&section);
    if gem::file_name(&part).is_none() {
        give_name(&mut part, name);
    }
    part.to_bytes()
}
