//! Repairs of what a message contains: types, charsets and encodings without which Chatwoot shows nothing, or raises.

use super::draft::{Draft, Wrapping};
use super::{Repair, Step, originals};
use crate::message::header::{Field, Header};
use crate::message::mime::content_type::{ContentType, Parameter, filename};
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{charset, last};

/// The mail gem raises when it decodes such a part (F5).
pub(super) const UNKNOWN_TRANSFER_ENCODING: Repair = Repair {
    name: "unknown-transfer-encoding",
    summary: "replaces a Content-Transfer-Encoding that does not exist by the one it resembles, else by 8bit",
    step: Step::Header(unknown_transfer_encoding),
};

/// Without the field Chatwoot shows a blank message (C1): cron, `mail`, PHP.
pub(super) const MISSING_CONTENT_TYPE: Repair = Repair {
    name: "missing-content-type",
    summary: "adds Content-Type: text/plain with the right charset where there is none",
    step: Step::Header(missing_content_type),
};

/// Every 8-bit character of text without a charset becomes a question mark (C2).
pub(super) const MISSING_CHARSET: Repair = Repair {
    name: "missing-charset",
    summary: "adds the charset to 8-bit text that names none: utf-8 when the bytes are, else windows-1252",
    step: Step::Header(missing_charset),
};

/// The same happens under a label that is unknown or wrong (C7).
pub(super) const WRONG_CHARSET: Repair = Repair {
    name: "wrong-charset",
    summary: "replaces a charset that is unknown, or that the bytes disprove",
    step: Step::Header(wrong_charset),
};

/// Of a forwarded message attached as message/rfc822 nothing is left (C4).
pub(super) const ATTACHED_MESSAGE: Repair = Repair {
    name: "attached-message",
    summary: "makes an attached message (message/rfc822) a file, name.eml",
    step: Step::Header(attached_message),
};

/// A message that is one PDF or image, from a scanner or fax, loses it (C3): the mail gem knows attachments as parts only.
pub(super) const LONE_ATTACHMENT: Repair = Repair {
    name: "lone-attachment",
    summary: "wraps a message that is nothing but a file into multipart/mixed",
    step: Step::Header(lone_attachment),
};

const CONTENT_TYPE: &str = "Content-Type";
const TRANSFER_ENCODING: &str = "Content-Transfer-Encoding";
const DISPOSITION: &str = "Content-Disposition";

fn unknown_transfer_encoding(draft: &mut Draft<'_>) -> bool {
    let top = draft.is_multipart() && mend_transfer_encoding(&mut draft.header);
    draft.each_leaf(|header, _| mend_transfer_encoding(header)) || top
}

fn mend_transfer_encoding(header: &mut Header<'_>) -> bool {
    let Some(field) = last(header, TRANSFER_ENCODING) else { return false };
    if TransferEncoding::read(field.trimmed()) != TransferEncoding::Unknown {
        return false;
    }
    let (at, (_, meant)) = (field.at, TransferEncoding::meant(field.value));
    originals::replaced(header, at, TRANSFER_ENCODING, meant.as_bytes());
    true
}

fn missing_content_type(draft: &mut Draft<'_>) -> bool {
    let multipart = draft.is_multipart();
    let mended = draft.each_leaf(|header, body| {
        if last(header, CONTENT_TYPE).is_some() || (multipart && header.fields().next().is_none()) {
            return false;
        }
        let text = decoded(header, body);
        let charset = charset::mended(None, &text).unwrap_or("utf-8");
        header.prepend(CONTENT_TYPE, format!("text/plain; charset={charset}").as_bytes());
        true
    });
    if mended && !multipart {
        ensure_mime_version(&mut draft.header);
    }
    mended
}

fn missing_charset(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|header, body| {
        let Some((at, value, kind)) = shown_text(header) else { return false };
        if kind.charset.as_ref().is_some_and(|charset| !charset.value.is_empty()) {
            return false;
        }
        let Some(label) = charset::mended(None, &decoded(header, body)) else { return false };
        let value = with_charset(&value, kind.charset.as_ref(), label);
        header.replace(at, CONTENT_TYPE, &value);
        true
    })
}

fn wrong_charset(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|header, body| {
        let Some((at, value, kind)) = shown_text(header) else { return false };
        let Some(charset) = kind.charset.filter(|charset| !charset.value.is_empty()) else { return false };
        let Some(label) = charset::mended(Some(&charset.value), &decoded(header, body)) else { return false };
        let value = with_charset(&value, Some(&charset), label);
        originals::replaced(header, at, CONTENT_TYPE, &value);
        true
    })
}

/// The Content-Type of a part that is shown as text: not of an attachment.
fn shown_text(header: &Header<'_>) -> Option<(usize, Vec<u8>, ContentType)> {
    let field = last(header, CONTENT_TYPE)?;
    let kind = ContentType::parse(field.value);
    let shown = kind.is_text() && !kind.has_name && !is_attachment(header);
    shown.then(|| (field.at, field.value.to_vec(), kind))
}

fn is_attachment(header: &Header<'_>) -> bool {
    last(header, DISPOSITION).is_some_and(|field| {
        let attachment =
            field.trimmed().get(..10).is_some_and(|word| word.eq_ignore_ascii_case(b"attachment"));
        attachment || filename(&field).is_some()
    })
}

/// The bytes of a part's text, whatever its encoding is called.
fn decoded<'b>(header: &Header<'_>, body: &'b [u8]) -> std::borrow::Cow<'b, [u8]> {
    let encoding = last(header, TRANSFER_ENCODING).map_or(TransferEncoding::Identity, |field| {
        match TransferEncoding::read(field.trimmed()) {
            TransferEncoding::Unknown => TransferEncoding::meant(field.value).0,
            known => known,
        }
    });
    encoding.decoded(body)
}

fn with_charset(value: &[u8], present: Option<&Parameter>, label: &str) -> Vec<u8> {
    if let Some(charset) = present
        && let (Some(before), Some(after)) =
            (value.get(..charset.range.start), value.get(charset.range.end..))
    {
        let is_quoted = value.get(charset.range.start) == Some(&b'"');
        let label = if is_quoted { format!("\"{label}\"") } else { label.to_owned() };
        return [before, label.as_bytes(), after].concat();
    }
    let bare = value.trim_ascii_end();
    let bare = bare.strip_suffix(b";").unwrap_or(bare);
    let bare = if bare.trim_ascii().is_empty() { b" text/plain" } else { bare };
    [bare, b"; charset=", label.as_bytes()].concat()
}

fn ensure_mime_version(header: &mut Header<'_>) {
    if last(header, "MIME-Version").is_none() {
        header.prepend("MIME-Version", b"1.0");
    }
}

fn attached_message(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|header, _| {
        let Some(field) = last(header, CONTENT_TYPE) else { return false };
        let media_type = ContentType::parse(field.value).media_type;
        if media_type != "message/rfc822" && media_type != "message/global" {
            return false;
        }
        let at = field.at;
        let name = eml_name(header);
        originals::replaced(
            header,
            at,
            CONTENT_TYPE,
            format!("application/octet-stream; name=\"{name}\"").as_bytes(),
        );
        set_aside_name(header);
        name_attachment(header, &name);
        true
    })
}

/// The name of an attached message, ending in `.eml`.
fn eml_name(header: &Header<'_>) -> String {
    let fields = [DISPOSITION, CONTENT_TYPE];
    let given = fields.iter().find_map(|name| last(header, name).and_then(|field| filename(&field)));
    let text: String =
        given.map(|name| String::from_utf8_lossy(&name.value).into_owned()).unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || " ._-".contains(*c);
    let stem: String = text.chars().filter(plain).take(60).collect();
    let stem = stem.trim().trim_end_matches(".eml").trim();
    if stem.is_empty() { "message.eml".to_owned() } else { format!("{stem}.eml") }
}

/// A disposition whose file name does not end in `.eml` gives way.
fn set_aside_name(header: &mut Header<'_>) {
    let Some(field) = last(header, DISPOSITION) else { return };
    let ends_well = |name: &Parameter| name.value.to_ascii_lowercase().ends_with(b".eml");
    if filename(&field).is_some_and(|name| !ends_well(&name)) {
        let at = field.at;
        originals::preserve(header, at, DISPOSITION);
    }
}

/// Makes sure that a part is an attachment with a name: without one the mail gem takes it for none (`Message#find_attachment`).
fn name_attachment(header: &mut Header<'_>, name: &str) {
    let value = format!("attachment; filename=\"{name}\"");
    match last(header, DISPOSITION).map(|field| (field.at, filename(&field).is_some())) {
        Some((_, true)) => {}
        Some((at, false)) => header.replace(at, DISPOSITION, value.as_bytes()),
        None => header.prepend(DISPOSITION, value.as_bytes()),
    }
}

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
    let is_file = !kind.is_multipart() && !matches!(kind.media_type.as_str(), "text/plain" | "text/html");
    if !is_file || draft.content().trim_ascii().is_empty() {
        return false;
    }
    let boundary = boundary(draft.content());
    let part = part_header(&mut draft.header, &kind);
    let before = [b"--", boundary.as_bytes(), b"\r\n", &part, b"\r\n"].concat();
    // A return at the very end becomes part of the line end.
    let line_end = if draft.body.ends_with(b"\r") { "\n" } else { "\r\n" };
    let after = format!("{line_end}--{boundary}--\r\n").into_bytes();
    draft.header.prepend(CONTENT_TYPE, format!("multipart/mixed; boundary=\"{boundary}\"").as_bytes());
    ensure_mime_version(&mut draft.header);
    draft.wrap(Wrapping { before, after });
    true
}

/// Moves the fields that describe the content out of the header, into the header of a part.
fn part_header(header: &mut Header<'_>, kind: &ContentType) -> Vec<u8> {
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
    if !kind.has_name {
        let extension = extension(&kind.media_type);
        name_attachment(&mut part, &format!("attachment.{extension}"));
    }
    part.to_bytes()
}

fn extension(media_type: &str) -> String {
    let subtype = media_type.split('/').nth(1).unwrap_or_default();
    let known = match subtype {
        "jpeg" | "pjpeg" => "jpg",
        "tiff" => "tif",
        "calendar" => "ics",
        "octet-stream" => "bin",
        "pkcs7-mime" | "x-pkcs7-mime" => "p7m",
        "svg+xml" => "svg",
        "mpeg" => "mp3",
        "vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "msword" => "doc",
        subtype
            if !subtype.is_empty()
                && subtype.len() <= 5
                && subtype.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            subtype
        }
        _ => "bin",
    };
    known.to_owned()
}

/// A boundary from the content: the first 12 bytes of its SHA-256 in hex. Nothing that is in the content can name it.
fn boundary(content: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    format!("=_ingress_{}", hex::encode(digest.as_ref().get(..12).unwrap_or_default()))
}
