//! `Content-Type`, read tolerantly: media type, charset, boundary, name.

use std::ops::Range;

use super::{gem, last};
use crate::message::header::Field;
use crate::message::header::Header;

/// What is meant where nothing is said, or nothing that can be read.
const PLAIN: &str = "text/plain";

/// What a Content-Type field says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentType {
    /// `text/plain`, in lower case. Without a subtype that can be read it is `text/plain`, as in the mail gem.
    pub media_type: String,
    pub charset: Option<Parameter>,
    pub boundary: Option<Vec<u8>>,
    pub has_name: bool,
}

/// A parameter's value, unquoted, and where it stands in the field's value, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub value: Vec<u8>,
    pub range: Range<usize>,
}

impl ContentType {
    /// The last Content-Type of a header, which is the one that counts in the mail gem.
    pub fn of(header: &Header<'_>) -> Option<Self> {
        let field = last(header, "Content-Type")?;
        let parsed = Self::parse(field.value);
        if !parsed.is_multipart() || parsed.boundary.is_some() {
            return Some(parsed);
        }
        // A fold that is not indented.
        let stray = header.raw(field.at + 1);
        let is_boundary = stray.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"boundary="));
        Some(if is_boundary {
            Self::parse(&[field.value, b"; ", stray.trim_ascii()].concat())
        } else {
            parsed
        })
    }

    /// The media type alone; text/plain where none is said.
    pub fn media_type_of(header: &Header<'_>) -> String {
        last(header, "Content-Type").map_or_else(|| PLAIN.to_owned(), |field| media_type(field.value))
    }

    pub fn parse(value: &[u8]) -> Self {
        let mut parsed = Self { media_type: media_type(value), ..Self::default() };
        for (name, parameter) in parameters(value) {
            match name.as_slice() {
                b"charset" => parsed.charset = Some(parameter),
                b"boundary" => {
                    parsed.boundary = Some(parameter.value).filter(|boundary| !boundary.is_empty());
                }
                _ if name.starts_with(b"name") => parsed.has_name = true,
                _ => {}
            }
        }
        if parsed.is_multipart() && value.contains(&b'*') {
            parsed.boundary =
                gem::content_type(value).parameter("boundary").map(String::into_bytes).or(parsed.boundary);
        }
        // A fold within the quotes counts as the blank after it.
        parsed.boundary = parsed
            .boundary
            .map(|boundary| boundary.into_iter().filter(|byte| !b"\r\n".contains(byte)).collect());
        parsed
    }

    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    pub fn is_text(&self) -> bool {
        self.media_type.starts_with("text/")
    }
}

/// The type that a value begins with, whatever stands around it.
fn media_type(value: &[u8]) -> String {
    let start = value.iter().position(u8::is_ascii_alphanumeric).unwrap_or(value.len());
    let word = value.get(start..).unwrap_or_default();
    let (main, rest) = run(word, is_type_byte);
    let subtype = rest.strip_prefix(b"/").map(|rest| run(rest, is_type_byte).0).unwrap_or_default();
    if main.is_empty() || subtype.is_empty() {
        return PLAIN.to_owned();
    }
    String::from_utf8_lossy(&[main, b"/", subtype].concat()).to_ascii_lowercase()
}

fn is_type_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.+$&^#!*%|~{}`".contains(&byte)
}

fn run(text: &[u8], is_part: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !is_part(*byte)).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// The `name=value` pairs, names in lower case: after semicolons, and where a semicolon was forgotten.
pub fn parameters(value: &[u8]) -> impl Iterator<Item = (Vec<u8>, Parameter)> + '_ {
    let mut start = end_of_kind(value);
    let mut item: Option<usize> = None;
    std::iter::from_fn(move || {
        while start < value.len() {
            let end = *item.get_or_insert_with(|| end_of_item(value, start));
            if let Some((name, parameter)) = parameter(value, start..end) {
                start = parameter.range.end;
                return Some((name, parameter));
            }
            start = end + 1;
            item = None;
        }
        None
    })
}

/// Where the media type or the kind of disposition ends.
fn end_of_kind(value: &[u8]) -> usize {
    let start = value.iter().position(u8::is_ascii_alphanumeric).unwrap_or(value.len());
    let (kind, rest) = run(value.get(start..).unwrap_or_default(), |byte| is_type_byte(byte) || byte == b'/');
    if rest.starts_with(b"=") && !kind.contains(&b'/') { 0 } else { start + kind.len() }
}

/// The name that a Content-Disposition or Content-Type gives the file.
pub fn filename(field: &Field<'_>) -> Option<Parameter> {
    parameters(field.value).find(|(name, _)| is_file_name(name)).map(|(_, parameter)| parameter)
}

/// The next semicolon outside quotes, or the end. A quote that nothing closes is none.
fn end_of_item(value: &[u8], start: usize) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in value.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if quoted => quoted = false,
            b'"' => quoted = value.get(at + 1..).is_some_and(|rest| memchr::memchr(b'"', rest).is_some()),
            b';' if !quoted => return at,
            _ => {}
        }
    }
    value.len()
}

fn parameter(value: &[u8], range: Range<usize>) -> Option<(Vec<u8>, Parameter)> {
    let item = value.get(range.clone())?;
    let equals = memchr::memchr(b'=', item)?;
    let (name, rest) = item.split_at_checked(equals)?;
    let rest = rest.get(1..)?;
    let text = rest.trim_ascii_start();
    let start = range.start + equals + 1 + (rest.len() - text.len());
    // Of several words the last is the name.
    let name = name.trim_ascii_end().rsplit(|byte| !is_name_byte(*byte)).next()?.to_ascii_lowercase();
    let (unquoted, length) = match text.strip_prefix(b"\"") {
        Some(inside) => quoted(inside),
        None if is_file_name(&name) => (text.trim_ascii_end().to_vec(), text.len()),
        None => bare(text),
    };
    Some((name, Parameter { value: unquoted, range: start..start + length.min(text.len()) }))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte)
}

fn is_file_name(name: &[u8]) -> bool {
    name.starts_with(b"filename") || name.starts_with(b"name")
}

/// The text of a quoted string after its opening quote, and the length with both quotes.
fn quoted(inside: &[u8]) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut bytes = inside.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return (text, at + 2),
            b'\\' => text.extend(bytes.next().map(|(_, byte)| *byte)),
            _ => text.push(*byte),
        }
    }
    (text, inside.len() + 1)
}

/// A token ends at a blank, a control character or a comment.
fn bare(text: &[u8]) -> (Vec<u8>, usize) {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || *byte == b'(';
    let length = text.iter().position(ends).unwrap_or(text.len());
    (text.get(..length).unwrap_or_default().to_vec(), length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charset(value: &str) -> Option<String> {
        ContentType::parse(value.as_bytes()).charset.map(|charset| String::from_utf8(charset.value).unwrap())
    }

    #[test]
    fn the_media_type_is_lower_case_and_text_when_unreadable() {
        for (value, expected) in [
            (" TEXT/Html; x", "text/html"),
            ("multipart/mixed", "multipart/mixed"),
            ("text", "text/plain"),
            ("", "text/plain"),
            ("text/plain,text/html", "text/plain"),
            ("image/png(x)", "image/png"),
            ("\"text/html\"; x", "text/html"),
            ("text/html:charset=utf-8", "text/html"),
            ("text/html>", "text/html"),
        ] {
            assert_eq!(ContentType::parse(value.as_bytes()).media_type, expected, "{value}");
        }
    }

    #[test]
    fn parameters_are_found_quoted_bare_folded_and_last() {
        assert_eq!(charset("text/plain; charset=utf-8").unwrap(), "utf-8");
        assert_eq!(
            charset("text/plain;\r\n\tformat=flowed; Charset = \"iso-8859-1\" (x)").unwrap(),
            "iso-8859-1"
        );
        assert_eq!(charset("text/plain; name=\"a; charset=no\"; charset=yes").unwrap(), "yes");
        assert_eq!(charset("text/plain; charset=a; charset=b").unwrap(), "b");
        assert_eq!(charset("text/plain; name=x"), None);
        assert_eq!(charset("text/html:charset=utf-8").unwrap(), "utf-8");
        assert_eq!(charset("text/plain charset=utf-8 format=flowed").unwrap(), "utf-8");
        assert_eq!(charset("charset=utf-8").unwrap(), "utf-8");
        assert_eq!(charset("text/plain; name=\"open; charset=utf-8").unwrap(), "utf-8");
    }

    #[test]
    fn a_parameter_knows_where_it_stands() {
        let value = b" text/plain; charset=\"utf-8\"; x=y";
        let range = ContentType::parse(value).charset.unwrap().range;
        assert_eq!(&value[range], b"\"utf-8\"");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..100)) {
            for (_, parameter) in parameters(&value) {
                prop_assert!(value.get(parameter.range).is_some());
            }
            ContentType::parse(&value);
        }
    }
}
