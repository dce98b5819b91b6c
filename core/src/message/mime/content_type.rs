//! `Content-Type`, read tolerantly: media type, charset, boundary, name.

use std::ops::Range;

use super::last;
use crate::message::header::Field;
use crate::message::header::Header;

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
        last(header, "Content-Type").map(|field| Self::parse(field.value))
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
        parsed
    }

    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    pub fn is_text(&self) -> bool {
        self.media_type.starts_with("text/")
    }
}

fn media_type(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let word = text
        .trim()
        .split([';', ' ', '\t', '\r', '\n', '(', ','])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match word.split_once('/') {
        Some((kind, subtype)) if !kind.is_empty() && !subtype.is_empty() => word,
        _ => "text/plain".to_owned(),
    }
}

/// The `name=value` pairs after the first semicolon, names in lower case.
pub fn parameters(value: &[u8]) -> impl Iterator<Item = (Vec<u8>, Parameter)> + '_ {
    let mut at = end_of_item(value, 0);
    let items = std::iter::from_fn(move || {
        let start = (at < value.len()).then_some(at + 1)?;
        at = end_of_item(value, start);
        Some(start..at)
    });
    items.filter_map(|range| parameter(value, range))
}

/// The name that a Content-Disposition or Content-Type gives the file.
pub fn filename(field: &Field<'_>) -> Option<Parameter> {
    let named = |name: &[u8]| name.starts_with(b"filename") || name.starts_with(b"name");
    parameters(field.value).find(|(name, _)| named(name)).map(|(_, parameter)| parameter)
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
    let (unquoted, length) = match text.strip_prefix(b"\"") {
        Some(inside) => quoted(inside),
        None => bare(text),
    };
    let name = name.trim_ascii().to_ascii_lowercase();
    (!name.is_empty()).then_some((name, Parameter { value: unquoted, range: start..start + length }))
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
