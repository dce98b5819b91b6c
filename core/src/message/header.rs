//! The header section: its fields by byte range, and edits that leave every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

/// One line of the header section, folded lines included, with its line end.
#[derive(Clone, Debug)]
struct Line<'a> {
    raw: Cow<'a, [u8]>,
    /// Length of the field name; nothing when the line is no field.
    name: Option<usize>,
}

/// The header section of a message whose lines end in CRLF, in editable form.
///
/// It ends at the first empty line, as in Ruby's mail gem (`Message::HEADER_SEPARATOR`): a line of blanks continues the field
/// before it. Lines that are no fields stay where they are.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    lines: Vec<Line<'a>>,
    changed: bool,
}

/// A header field at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its number among the lines, for edits; an edit that inserts or removes makes it stale.
    pub at: usize,
    pub name: &'a [u8],
    /// What stands after the colon, folded as it came, without the last line end.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// The value without the blanks and folds around it.
    pub fn trimmed(&self) -> &[u8] {
        self.value.trim_ascii()
    }
}

/// The length of the header section at the start of `bytes`: up to and without the empty line.
pub fn section_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\r\n") {
        return 0;
    }
    memchr::memmem::find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 2)
}

impl<'a> Header<'a> {
    /// Splits a header section into its lines.
    pub fn parse(section: &'a [u8]) -> Self {
        let lines = line_ranges(section).filter_map(|range| section.get(range)).map(Line::borrowed).collect();
        Self { lines, changed: false }
    }

    /// All fields, from the top.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.lines.iter().enumerate().filter_map(|(at, line)| line.field(at))
    }

    /// The fields of this name (ASCII case-insensitive), from the top.
    pub fn named<'s>(&'s self, name: &'s str) -> impl DoubleEndedIterator<Item = Field<'s>> {
        self.fields().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether an edit was made.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Puts a field at the top: the mail gem reads no more than 1000 fields (`Header.maximum_amount`).
    /// `value` must be free of line ends but for folds.
    pub fn prepend(&mut self, name: &str, value: &[u8]) {
        // A fold without a field before it would become part of this one.
        let at = self.lines.iter().take_while(|line| matches!(line.raw.first(), Some(b' ' | b'\t'))).count();
        if let Some(orphan) = at.checked_sub(1).and_then(|before| self.lines.get_mut(before))
            && !orphan.raw.ends_with(b"\r\n")
        {
            let line_end: &[u8] = if orphan.raw.ends_with(b"\r") { b"\n" } else { b"\r\n" };
            orphan.raw.to_mut().extend_from_slice(line_end);
        }
        self.lines.insert(at, Line::written(name.as_bytes(), value));
        self.changed = true;
    }

    /// Puts a field before the line at `at`.
    pub fn insert(&mut self, at: usize, name: &str, value: &[u8]) {
        self.lines.insert(at.min(self.lines.len()), Line::written(name.as_bytes(), value));
        self.changed = true;
    }

    /// The line at `at` as it stands, with its line end.
    pub fn raw(&self, at: usize) -> &[u8] {
        self.lines.get(at).map(|line| line.raw.as_ref()).unwrap_or_default()
    }

    /// Takes the line at `at` out.
    pub fn remove(&mut self, at: usize) {
        if at < self.lines.len() {
            self.lines.remove(at);
            self.changed = true;
        }
    }

    /// Replaces name and value of the field at `at`.
    pub fn replace(&mut self, at: usize, name: &str, value: &[u8]) {
        if let Some(line) = self.lines.get_mut(at) {
            *line = Line::written(name.as_bytes(), value);
            self.changed = true;
        }
    }

    /// How many lines there are, fields or not.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Replaces the line at `at`, whatever it is, by bytes that are no field.
    pub fn overwrite(&mut self, at: usize, raw: Vec<u8>) {
        if let Some(line) = self.lines.get_mut(at) {
            *line = Line { name: name_length(&raw), raw: Cow::Owned(raw) };
            self.changed = true;
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.lines.iter().map(|line| line.raw.len()).sum());
        for line in &self.lines {
            bytes.extend_from_slice(&line.raw);
        }
        bytes
    }
}

impl<'a> Line<'a> {
    fn borrowed(raw: &'a [u8]) -> Self {
        Self { raw: Cow::Borrowed(raw), name: name_length(raw) }
    }

    fn written(name: &[u8], value: &[u8]) -> Self {
        let mut raw = Vec::with_capacity(name.len() + value.len() + 4);
        raw.extend_from_slice(name);
        raw.push(b':');
        if !matches!(value.first(), None | Some(b' ' | b'\t' | b'\r')) {
            raw.push(b' ');
        }
        raw.extend_from_slice(value);
        raw.extend_from_slice(b"\r\n");
        Self { raw: Cow::Owned(raw), name: Some(name.len()) }
    }

    fn field(&self, at: usize) -> Option<Field<'_>> {
        let (name, rest) = self.raw.split_at_checked(self.name?)?;
        let colon = memchr::memchr(b':', rest)?;
        let value = rest.get(colon + 1..)?;
        Some(Field { at, name, value: value.strip_suffix(b"\r\n").unwrap_or(value) })
    }
}

/// The ranges of the logical lines: a line that begins with a blank belongs to the one before.
fn line_ranges(section: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = section.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memmem::find_iter(rest, b"\r\n")
            .map(|at| at + 2)
            .find(|end| !matches!(rest.get(*end), Some(b' ' | b'\t')))
            .unwrap_or(rest.len());
        start += end;
        Some(start - end..start)
    })
}

/// The length of the field name a line begins with: printable ASCII but the colon (RFC 5322, section 3.6.8), then
/// blanks (the obsolete syntax of section 4.5), then a colon.
fn name_length(line: &[u8]) -> Option<usize> {
    let length = line.iter().position(|byte| !matches!(byte, b'!'..=b'9' | b';'..=b'~'))?;
    let rest = line.get(length..)?.trim_ascii_start();
    (length > 0 && rest.first() == Some(&b':')).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &[u8] = b"Received: by a\r\n\tfor b\r\nSubject : old\r\njunk\r\nTo:\r\nsubject: new\r\n";

    fn named(header: &Header<'_>, name: &str) -> Vec<String> {
        header.named(name).map(|field| String::from_utf8_lossy(field.trimmed()).into_owned()).collect()
    }

    #[test]
    fn fields_are_found_in_any_case_with_their_folds_and_obsolete_blanks() {
        let header = Header::parse(SAMPLE);
        assert_eq!(named(&header, "SUBJECT"), ["old", "new"]);
        assert_eq!(named(&header, "received"), ["by a\r\n\tfor b"]);
        assert_eq!(named(&header, "to"), [""]);
        assert_eq!(header.fields().count(), 4);
    }

    #[test]
    fn an_edit_changes_nothing_else() {
        let mut header = Header::parse(SAMPLE);
        let at = header.named("To").next().unwrap().at;
        header.replace(at, "To", b"a@b");
        header.prepend("X-New", b"1");
        assert_eq!(
            header.to_bytes(),
            b"X-New: 1\r\nReceived: by a\r\n\tfor b\r\nSubject : old\r\njunk\r\nTo: a@b\r\nsubject: new\r\n"
        );
    }

    #[test]
    fn a_fold_without_a_field_stays_apart_from_what_is_added() {
        let mut header = Header::parse(b" orphan");
        header.prepend("A", b"b");
        assert_eq!(header.to_bytes(), b" orphan\r\nA: b\r\n");
    }

    #[test]
    fn the_section_ends_at_the_first_empty_line() {
        assert_eq!(section_length(b"A: b\r\n\r\nbody\r\n\r\n"), 6);
        assert_eq!(section_length(b"A: b\r\n \r\n\r\nbody"), 9);
        assert_eq!(section_length(b"A: b"), 4);
        assert_eq!(section_length(b"\r\nbody"), 0);
    }

    #[test]
    fn what_is_no_field_is_none() {
        for line in [
            &b"<!DOCTYPE html>\r\n"[..],
            b": empty\r\n",
            b"From bob Mon\r\n",
            b"a b: c\r\n",
            b"\0To: x\r\n",
            b"T\xc3\xb6: x",
        ] {
            assert_eq!(Header::parse(line).fields().count(), 0, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_and_writing_any_section_gives_it_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Header::parse(&bytes).to_bytes(), bytes);
        }
    }
}
