//! File names that the mail gem cannot read.

use mail_parser::decoders::charsets::map::charset_decoder;

use super::leaf::{CONTENT_TYPE, DISPOSITION, is_plain_or_html, name_parameter};
use crate::message::encoded_word;
use crate::message::header::{Field, Header};
use crate::message::mime::content_type::{ContentType, parameters};
use crate::message::mime::{gem, last};
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// A part whose name cannot be read is no attachment, and gone (C9).
pub(in crate::repair) const UNREADABLE_FILE_NAME: Repair = Repair {
    name: "unreadable-file-name",
    summary: "writes anew a Content-Disposition whose file name Chatwoot would not read",
    step: Step::Content(unreadable_file_name),
};

fn unreadable_file_name(draft: &mut Draft<'_>) -> bool {
    let fallback = charset_of_text(draft);
    draft.each_leaf(|leaf| written_anew(leaf.header, fallback.as_deref()))
}

fn written_anew(header: &mut Header<'_>, fallback: Option<&str>) -> bool {
    let unread = |field: &Field<'_>| gem::disposition(field.value).is_none();
    let Some(field) = last(header, DISPOSITION).filter(unread) else { return false };
    let Some(name) = meant(&field, fallback) else { return false };
    let inline = field.trimmed().get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"inline"));
    let kind = if inline { "inline" } else { "attachment" };
    let value = format!("{kind}; {}", name_parameter("filename", &name));
    originals::replaced(header, field.at, DISPOSITION, value.as_bytes());
    true
}

/// The charset that the message names for its text: the best guess for raw bytes in the names of its files.
pub(super) fn charset_of_text(draft: &mut Draft<'_>) -> Option<String> {
    let is_raw = |header: &Header<'_>, name: &str| {
        last(header, name).is_some_and(|field| std::str::from_utf8(field.value).is_err())
    };
    let mut needed = false;
    draft.each_leaf(|leaf| {
        needed |= is_raw(leaf.header, DISPOSITION) || is_raw(leaf.header, CONTENT_TYPE);
        false
    });
    if !needed {
        return None;
    }
    let mut found = None;
    draft.each_leaf(|leaf| {
        let kind = ContentType::of(leaf.header).filter(|kind| is_plain_or_html(&kind.media_type));
        let charset = kind
            .and_then(|kind| kind.charset)
            .map(|charset| String::from_utf8_lossy(&charset.value).into_owned());
        if found.is_none() {
            found = charset;
        }
        false
    });
    found
}

/// The name that a field is meant to give, decoded.
pub(super) fn meant(field: &Field<'_>, fallback: Option<&str>) -> Option<String> {
    /// Nobody writes more; a stranger's field must take no more memory than it is long.
    const MOST: usize = 1000;
    let is_name = |name: &[u8]| name.starts_with(b"filename") || name.starts_with(b"name");
    let mut pieces: Vec<(Vec<u8>, Vec<u8>)> = parameters(field.value)
        .filter(|(name, _)| is_name(name))
        .take(MOST)
        .map(|(name, parameter)| (name, parameter.value))
        .collect();
    let key: &[u8] =
        if pieces.iter().any(|(name, _)| name.starts_with(b"filename")) { b"filename" } else { b"name" };
    pieces.retain(|(name, _)| {
        name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"*"))
    });
    if pieces.iter().any(|(name, _)| name.len() > key.len()) {
        pieces.retain(|(name, _)| name.len() > key.len());
        pieces.sort();
    }
    let raw = pieces.into_iter().map(|(_, value)| value).collect::<Vec<_>>().concat();
    let text = match std::str::from_utf8(&raw) {
        Ok(text) => text.to_owned(),
        Err(_) => decoded(&raw, fallback),
    };
    let text = encoded_word::decode(&extended(&text));
    let name: String = text.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

fn decoded(raw: &[u8], charset: Option<&str>) -> String {
    let charset = charset.filter(|charset| {
        !charset.eq_ignore_ascii_case("utf-8") && !charset.eq_ignore_ascii_case("us-ascii")
    });
    let decoder = charset.and_then(|charset| charset_decoder(charset.as_bytes()));
    decoder.or_else(|| charset_decoder(b"windows-1252")).map_or_else(String::new, |decode| decode(raw))
}

/// The text of an extended value (RFC 2231).
fn extended(text: &str) -> String {
    let mut pieces = text.splitn(3, '\'');
    let (Some(charset), Some(_), Some(escaped)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return text.to_owned();
    };
    let Some(decode) = charset_decoder(charset.as_bytes()) else { return text.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = escaped.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
        bytes.extend(byte.unwrap_or_else(|| vec![*first]));
    }
    decode(&bytes)
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::{HEAD, repaired, sent};

    fn part(fields: &str) -> String {
        sent(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\n{fields}\n\n%PDF\n--a--\n"
        ))
    }

    #[test]
    fn a_name_that_the_gem_cannot_read_is_written_anew() {
        for (disposition, expected) in [
            ("attachment filename=a.pdf", "attachment; filename=\"a.pdf\""),
            ("attachment; filename=\"a.pdf", "attachment; filename=\"a.pdf\""),
            ("inline;; filename=\"a b.pdf\"", "inline; filename=\"a b.pdf\""),
        ] {
            let text = part(&format!("Content-Disposition: {disposition}"));
            assert!(text.contains(&format!("\nContent-Disposition: {expected}\n")), "{text}");
        }
    }

    #[test]
    fn raw_bytes_are_read_in_the_charset_of_the_text() {
        let mut message = HEAD.as_bytes().to_vec();
        message.extend_from_slice(b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain; charset=koi8-r\n\nhi\n--a\nContent-Disposition: attachment; filename=\"\xe1.pdf\"\n\n%PDF\n--a--\n");
        let text = String::from_utf8(repaired(&message, None).bytes).unwrap();
        assert!(text.contains("filename*=utf-8''%D0%90.pdf\r\n"), "{text}");
    }

    #[test]
    fn raw_utf_8_is_read_by_the_gem_and_stays() {
        assert!(part("Content-Disposition: attachment; filename=\"ä.pdf\"").contains("filename=\"ä.pdf\"\n"));
    }
}
