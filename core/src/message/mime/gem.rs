//! Content-Type, Content-Disposition and Content-Location as Ruby's mail gem 2.8.1 reads them, its leniencies and its limits included.

use super::last;
use crate::message::header::Header;

/// What the gem gets out of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The media type, or the kind of disposition, in lower case.
    pub kind: String,
    /// Names in lower case.
    pub parameters: Vec<(String, String)>,
}

impl Fields {
    /// The value of a parameter, put together where it comes in pieces (RFC 2231).
    pub fn parameter(&self, name: &str) -> Option<String> {
        let piece = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('*'));
        let mut pieces: Vec<&(String, String)> =
            self.parameters.iter().filter(|(key, _)| piece(key)).collect();
        pieces.sort();
        if !pieces.is_empty() {
            return Some(without_charset(
                &pieces.into_iter().map(|(_, value)| value.as_str()).collect::<String>(),
            ));
        }
        self.parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn file_name(&self) -> Option<String> {
        self.parameter("filename").or_else(|| self.parameter("name"))
    }
}

/// The text of an extended value, `charset'language'text` (RFC 2231), its bytes taken for UTF-8.
fn without_charset(value: &str) -> String {
    let mut pieces = value.splitn(3, '\'');
    let text = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(_), Some(language), Some(text)) if matches!(language.len(), 0 | 2) => text,
        _ => value,
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
        bytes.extend(escaped.unwrap_or_else(|| vec![*first]));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The name that makes a part an attachment (`Message#find_attachment`): without one it is none, whatever else it says.
pub fn file_name(header: &Header<'_>) -> Option<String> {
    let read = |name: &str, parse: fn(&[u8]) -> Option<Fields>| {
        let value = last(header, name)?.value;
        if mentions_name(value) { parse(value)?.file_name() } else { None }
    };
    read("Content-Disposition", disposition)
        .or_else(|| read("Content-Type", |value| Some(content_type(value))))
        .or_else(|| location(last(header, "Content-Location")?.trimmed()))
}

/// Whether a field can give a file name at all: most cannot, and need not be read.
fn mentions_name(value: &[u8]) -> bool {
    memchr::memchr2_iter(b'n', b'N', value)
        .any(|at| value.get(at..at + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"name")))
}

/// Whether a part says that it stands within the text.
pub fn is_inline(header: &Header<'_>) -> bool {
    last(header, "Content-Disposition")
        .and_then(|field| disposition(field.value))
        .is_some_and(|read| read.kind == "inline")
}

/// Whether a part says that it stands apart from the text.
pub fn is_attachment(header: &Header<'_>) -> bool {
    last(header, "Content-Disposition")
        .and_then(|field| disposition(field.value))
        .is_some_and(|read| read.kind == "attachment")
}

/// Reads a Content-Type: by the grammar, else cleaned by guesses, else its type alone, which is text/plain when in doubt.
pub fn content_type(value: &[u8]) -> Fields {
    let value = looked_at(value);
    let plain = || Fields { kind: "text/plain".to_owned(), parameters: Vec::new() };
    let Some(value) = unfolded(value) else {
        let text = String::from_utf8_lossy(value);
        return type_alone(text.trim()).and_then(|kind| by_grammar(kind, true)).unwrap_or_else(plain);
    };
    if value.is_empty() {
        return plain();
    }
    let value = name_quoted(&value);
    by_grammar(&value, true)
        .or_else(|| by_grammar(&sanitized(&value), true))
        .or_else(|| by_grammar(type_alone(&value)?, true))
        .unwrap_or_else(plain)
}

/// Reads a Content-Disposition; nothing when the gem cannot.
pub fn disposition(value: &[u8]) -> Option<Fields> {
    let value = unfolded(looked_at(value))?;
    if value.is_empty() { Some(Fields::default()) } else { by_grammar(&name_quoted(&value), false) }
}

fn location(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .filter(|text| !text.contains(['"', '\\']));
    let is_bare =
        !text.is_empty() && text.bytes().all(|byte| (is_token(byte) && byte != b'"') || byte == b'=');
    inside.or(is_bare.then_some(text)).map(str::to_owned)
}

/// How much of a field is read: nobody means more, and a stranger's takes no more memory.
const MOST_READ: usize = 64 * 1024;

/// The field, or as many of its whole parameters as are read.
fn looked_at(value: &[u8]) -> &[u8] {
    let start = value.get(..MOST_READ).unwrap_or(value);
    let end = memchr::memrchr(b';', start).filter(|_| start.len() < value.len());
    start.get(..end.unwrap_or(start.len())).unwrap_or(start)
}

fn unfolded(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    Some(text.trim().replace("\r\n ", " ").replace("\r\n\t", "\t"))
}

/// Puts quotes around the first file name that has blanks and no quotes.
fn name_quoted(value: &str) -> String {
    let mut from = 0;
    while let Some(at) = value.get(from..).and_then(|rest| rest.find("name=")).map(|at| at + from) {
        let start = at + "name=".len();
        let before = value.get(..at).unwrap_or_default();
        let before = before.strip_suffix("file").unwrap_or(before);
        let is_word_start = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = value.get(start..).unwrap_or_default();
        let run = rest.split([';', '"', '\r', '\n']).next().unwrap_or_default();
        let inner = run.char_indices().skip(1).any(|(at, c)| c.is_ascii_whitespace() && at + 1 < run.len());
        if is_word_start && inner {
            let after = rest.get(run.len()..).unwrap_or_default();
            return format!("{}\"{run}\"{after}", value.get(..start).unwrap_or_default());
        }
        // A run without blanks has none further on.
        from = start + if inner { 0 } else { run.len() };
    }
    value.to_owned()
}

/// The grammar of RFC 2045 and 2183, as far as the gem has it.
fn by_grammar(value: &str, is_type: bool) -> Option<Fields> {
    let value = value.trim_end();
    let value = value.strip_suffix(';').unwrap_or(value);
    let mut cursor = Cursor { text: value.as_bytes(), at: 0 };
    let mut fields = Fields { kind: cursor.token()?, parameters: Vec::new() };
    if is_type {
        cursor.byte(b'/')?;
        fields.kind = format!("{}/{}", fields.kind, cursor.token()?);
    }
    fields.kind.make_ascii_lowercase();
    while cursor.at < cursor.text.len() {
        let start = cursor.at;
        if is_type {
            cursor.blanks()?;
        }
        let semicolons = cursor.run(|byte| byte == b';').len();
        let enough = if is_type { cursor.at > start } else { semicolons == 1 };
        if !enough {
            return None;
        }
        fields.parameters.push(cursor.parameter()?);
        cursor.trailing_blanks();
    }
    Some(fields)
}

struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn token(&mut self) -> Option<String> {
        let token = self.run(is_token);
        (!token.is_empty()).then(|| String::from_utf8_lossy(token).into_owned())
    }

    /// Blanks and comments; nothing when a comment is not closed.
    fn blanks(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' => {}
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                _ if depth > 0 => {}
                _ => return Some(()),
            }
            self.at += 1;
        }
        (depth == 0 && self.at <= self.text.len()).then_some(())
    }

    /// Blanks at the very end, which no parameter follows.
    fn trailing_blanks(&mut self) {
        let start = self.at;
        if self.blanks().is_none() || self.at < self.text.len() {
            self.at = start;
        }
    }

    fn parameter(&mut self) -> Option<(String, String)> {
        self.blanks()?;
        let name = self.token()?.to_ascii_lowercase();
        self.byte(b'=')?;
        let start = self.at;
        self.blanks()?;
        if self.peek() == Some(b'"') {
            return Some((name, self.quoted()?));
        }
        self.at = start;
        let bare = self.run(|byte| (is_token(byte) && byte != b'"') || byte == b'=');
        (!bare.is_empty()).then(|| (name, String::from_utf8_lossy(bare).into_owned()))
    }

    fn quoted(&mut self) -> Option<String> {
        self.byte(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    // The gem leaves the backslash where it is.
                    text.push(b'\\');
                    self.at += 1;
                    text.push(self.peek().filter(u8::is_ascii)?);
                }
                0 | b'\r' | b'\n' => return None,
                byte => text.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

fn is_token(byte: u8) -> bool {
    matches!(byte, b'!'..=b'\'' | b'*'..=b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
}

/// The gem's guesses at what a field that breaks the grammar was meant to be (`ContentTypeField#sanitize`).
fn sanitized(value: &str) -> String {
    let value = lowered(&separated(&without_blanks_at_equals(value)));
    if let Some(charset) = bare_iso(&value) {
        return charset;
    }
    if matches!(value.as_str(), "text" | "text;") {
        return "text/plain;".to_owned();
    }
    if let Some((word, parameters)) = value.split_once("; ")
        && !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return format!("text/plain; {parameters}");
    }
    requoted(&value).unwrap_or(value)
}

fn without_blanks_at_equals(value: &str) -> String {
    value.split('=').map(str::trim).collect::<Vec<_>>().join("=")
}

/// Separators in one form, none at the end.
fn separated(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find([';', ' ']) {
        text.push_str(rest.get(..at).unwrap_or_default());
        text.push_str("; ");
        rest = rest.get(at..).unwrap_or_default().trim_start_matches([';', ' ']);
    }
    text.push_str(rest);
    let bare = text.trim_end();
    bare.strip_suffix(';').unwrap_or(&text).to_owned()
}

/// All in lower case but the value of the first boundary or name.
fn lowered(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let first = ["boundary=", "filename=", "name="]
        .iter()
        .filter_map(|key| Some((lower.find(key)?, key.len())))
        .min();
    let Some((start, length)) = first else { return lower };
    let start = start + length;
    let kept = value.get(start..).unwrap_or_default();
    let kept = kept.split(char::is_whitespace).next().unwrap_or_default();
    let (before, after) = (lower.get(..start), lower.get(start + kept.len()..));
    [before.unwrap_or_default(), kept, after.unwrap_or_default()].concat()
}

/// `text/plain; iso-8859-1`
fn bare_iso(value: &str) -> Option<String> {
    let (kind, charset) = value.split_once(';')?;
    let charset = charset.trim_start();
    let is_charset = charset.starts_with("iso") && charset.bytes().all(is_word);
    (is_charset && is_simple_type(kind.trim())).then(|| format!("{}; charset={charset}", kind.trim()))
}

/// Every value in quotes of its own.
fn requoted(value: &str) -> Option<String> {
    let (kind, parameters) = value.split_once("; ")?;
    let start = kind.rfind(|c: char| !c.is_ascii() || !(is_word_or_slash(c))).map_or(0, |at| at + 1);
    let kind = kind.get(start..).filter(|kind| is_simple_type(kind))?;
    let quoted = |item: &str| {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        let value = value.strip_suffix(';').unwrap_or(value);
        let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        format!("{name}=\"{}\"", inside.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let items: Vec<String> = parameters.split_whitespace().map(quoted).collect();
    Some(format!("{kind}; {}", items.join("; ")))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_word_or_slash(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/')
}

fn is_simple_type(kind: &str) -> bool {
    kind.split_once('/').is_some_and(|(main, sub)| {
        !main.is_empty() && !sub.is_empty() && main.bytes().chain(sub.bytes()).all(is_word)
    })
}

/// What is left of a field that no guess helps: the type before the first semicolon.
fn type_alone(value: &str) -> Option<&str> {
    let (kind, rest) = value.split_once(';')?;
    (is_simple_type(kind) && !rest.is_empty()).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &str) -> (String, Option<String>, Option<String>) {
        let fields = content_type(value.as_bytes());
        (fields.kind.clone(), fields.parameter("charset"), fields.file_name())
    }

    #[test]
    fn the_grammar_is_read() {
        let some = |text: &str| Some(text.to_owned());
        for (value, kind, charset, name) in [
            ("text/html; charset=utf-8", "text/html", some("utf-8"), None),
            ("Text/HTML;\r\n\tCharset=\"UTF-8\" (c)", "text/html", some("UTF-8"), None),
            ("image/png; name=\"a b.png\";", "image/png", None, some("a b.png")),
            ("image/png; name=a b.png", "image/png", None, some("a b.png")),
            ("image/png; name*=utf-8''b%20a", "image/png", None, some("b a")),
            ("multipart/mixed\r\n\tcharset=x", "multipart/mixed", some("x"), None),
            ("text/plain; charset = utf-8", "text/plain", some("utf-8"), None),
            ("text/plain;; charset=utf-8;;", "text/plain", some("utf-8"), None),
            ("text", "text/plain", None, None),
            ("", "text/plain", None, None),
        ] {
            assert_eq!(read(value), (kind.to_owned(), charset, name), "{value}");
        }
    }

    #[test]
    fn what_it_cannot_read_is_plain_text_without_parameters() {
        for value in ["text/html:charset=utf-8", "text/html>", "text/plain=utf-8"] {
            assert_eq!(content_type(value.as_bytes()).parameters, [], "{value}");
        }
        assert_eq!(read("text/html:charset=utf-8").0, "text/plain");
    }

    #[test]
    fn a_disposition_has_no_guesses() {
        let name = |value: &str| disposition(value.as_bytes()).and_then(|read| read.file_name());
        assert_eq!(name("attachment; filename=\"a.pdf\"").unwrap(), "a.pdf");
        assert_eq!(name("attachment; filename=a b.pdf").unwrap(), "a b.pdf");
        for value in
            ["attachment filename=a.pdf", "attachment; filename=\"a.pdf", "attachment;; filename=a.pdf"]
        {
            assert_eq!(name(value), None, "{value}");
        }
        assert_eq!(disposition(b"attachment; filename=\"L\xf6.pdf\""), None);
    }

    proptest! {
        #[test]
        fn what_mentions_no_name_gives_none(value in "[a-z]{1,4}/?[a-z]{0,3}[a-zN;=\"'*<>%\\\\() \r\n\t.:]{0,40}") {
            let value = value.as_bytes();
            prop_assume!(!mentions_name(value));
            prop_assert_eq!(content_type(value).file_name(), None);
            prop_assert_eq!(disposition(value).and_then(|read| read.file_name()), None);
        }
    }
}
