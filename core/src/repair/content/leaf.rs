//! What a part says of itself, and how its own fields are written.

use std::borrow::Cow;

use crate::message::header::Header;
use crate::message::mime::content_type::{ContentType, filename};
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{gem, last};
use crate::repair::draft::Leaf;

pub(super) const CONTENT_TYPE: &str = "Content-Type";
pub(super) const TRANSFER_ENCODING: &str = "Content-Transfer-Encoding";
pub(super) const DISPOSITION: &str = "Content-Disposition";

/// The media type; text/plain where none is said.
pub(super) fn media_type(header: &Header<'_>) -> String {
    ContentType::media_type_of(header)
}

/// Whether a part of this type is shown as text when it has no name.
pub(super) fn is_plain_or_html(media_type: &str) -> bool {
    matches!(media_type, "text/plain" | "text/html")
}

/// Whether a part is taken for text to be shown, or would be once its fields are repaired.
pub(super) fn is_text(leaf: &Leaf<'_, '_>) -> bool {
    is_plain_or_html(&media_type(leaf.header)) && !(leaf.place.is_part() && is_file(leaf.header))
}

/// Whether a part is meant to be a file: by its disposition or by having a name.
pub(super) fn is_file(header: &Header<'_>) -> bool {
    let is_attachment = last(header, DISPOSITION).is_some_and(|field| {
        field.trimmed().get(..10).is_some_and(|word| word.eq_ignore_ascii_case(b"attachment"))
    });
    is_attachment || is_named(header)
}

/// Whether a part has a name, in a form that the mail gem reads or not.
pub(super) fn is_named(header: &Header<'_>) -> bool {
    let named = |name: &str| last(header, name).is_some_and(|field| filename(&field).is_some());
    named(DISPOSITION) || named(CONTENT_TYPE) || gem::file_name(header).is_some()
}

/// How a part is encoded, whatever the encoding is called.
pub(super) fn encoding(header: &Header<'_>) -> TransferEncoding {
    last(header, TRANSFER_ENCODING)
        .map_or(TransferEncoding::Identity, |field| TransferEncoding::intended(field.trimmed()))
}

/// The bytes of a part's content.
pub(super) fn decoded<'b>(header: &Header<'_>, body: &'b [u8]) -> Cow<'b, [u8]> {
    encoding(header).decoded(body)
}

/// A parameter that gives a file its name: quoted where it is ASCII, else as RFC 2231 has it.
pub(super) fn name_parameter(parameter: &str, name: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if name.bytes().all(is_plain) {
        return format!("{parameter}=\"{name}\"");
    }
    let mut escaped = String::new();
    for byte in name.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{parameter}*=utf-8''{escaped}")
}

/// Gives a part a name: in its disposition where that can be read, else in its type, else in a disposition of its own.
pub(super) fn give_name(header: &mut Header<'_>, name: &str) {
    let appended = |header: &Header<'_>, field: &str, parameter: &str| {
        let field = last(header, field)?;
        let value = field.value.trim_ascii_end();
        let value = value.strip_suffix(b";").unwrap_or(value);
        Some((field.at, [value, b"; ", name_parameter(parameter, name).as_bytes()].concat()))
    };
    for (field, parameter) in [(DISPOSITION, "filename"), (CONTENT_TYPE, "name")] {
        if let Some((at, value)) = appended(header, field, parameter)
            && reads_name(field, &value)
        {
            header.replace(at, field, &value);
            return;
        }
    }
    let value = format!("attachment; {}", name_parameter("filename", name));
    match last(header, DISPOSITION).map(|field| field.at) {
        Some(at) => crate::repair::originals::replaced(header, at, DISPOSITION, value.as_bytes()),
        None => header.prepend(DISPOSITION, value.as_bytes()),
    }
}

/// Whether the mail gem finds the name in a field of this value.
fn reads_name(field: &str, value: &[u8]) -> bool {
    let line = [field.as_bytes(), b":", value, b"\r\n"].concat();
    gem::file_name(&Header::parse(&line)).is_some()
}

/// A type with its charset alone.
pub(super) fn with_label(kind: &str, fields: &gem::Fields) -> String {
    match fields.parameter("charset") {
        Some(charset) => format!("{kind}; charset=\"{charset}\""),
        None => kind.to_owned(),
    }
}

pub(super) fn ensure_mime_version(header: &mut Header<'_>) {
    if last(header, "MIME-Version").is_none() {
        header.prepend("MIME-Version", b"1.0");
    }
}
