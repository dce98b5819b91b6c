//! The header section: its fields by byte range, and edits that leave every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

/// How many lines the mail gem reads (`Header.maximum_amount`); it ignores the rest, fields or not (D19).
pub const MOST_LINES: usize = 1000;

/// One line of the header section, folded lines included, with its line end.
#[derive(Clone, Debug)]
struct HeaderLine<'a> {
    /// Empty when the line is no field.
    name: Cow<'a, [u8]>,
    /// What follows the name: the colon, blanks before it, the value and the line end.
    rest: Cow<'a, [u8]>,
}

/// The header section of a message whose lines end in CRLF, in editable form.
///
/// It ends at the first empty line, as in Ruby's mail gem (`Message::HEADER_SEPARATOR`): a line of blanks continues the field
/// before it. Lines that are no fields stay where they are. Of a section with more lines than the mail gem reads, the rest stays
/// one untouched piece: neither time nor memory grow with what a stranger writes there.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    lines: Vec<HeaderLine<'a>>,
    /// What lies beyond the lines.
    tail: Vec<Cow<'a, [u8]>>,
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

    /// Whether it has this name (ASCII case-insensitive).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
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
        // A line of typical length, or two.
        let mut lines = Vec::with_capacity((section.len() / 48).clamp(1, 32));
        let mut ranges = line_ranges(section);
        lines.extend(
            ranges.by_ref().take(MOST_LINES).filter_map(|range| section.get(range)).map(HeaderLine::read),
        );
        let beyond = ranges.next().and_then(|range| section.get(range.start..));
        Self { lines, tail: beyond.into_iter().map(Cow::Borrowed).collect(), changed: false }
    }

    /// All fields that the mail gem reads, from the top.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.lines.iter().enumerate().filter_map(|(at, line)| line.field(at))
    }

    /// The fields of this name (ASCII case-insensitive), from the top.
    pub fn named<'s>(&'s self, name: &'s str) -> impl DoubleEndedIterator<Item = Field<'s>> {
        let is_named = |line: &HeaderLine<'_>| line.name.eq_ignore_ascii_case(name.as_bytes());
        let lines = self.lines.iter().enumerate().filter(move |(_, line)| is_named(line));
        lines.filter_map(|(at, line)| line.field(at))
    }

    /// The field at `at`.
    pub fn field(&self, at: usize) -> Option<Field<'_>> {
        self.lines.get(at)?.field(at)
    }

    /// Whether an edit was made.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Puts a field before all others. `value` must be free of line ends but for folds.
    pub fn prepend(&mut self, name: &str, value: &[u8]) {
        // A fold without a field before it would become part of this one, and other junk could be taken for text after it.
        let at = self.lines.iter().take_while(|line| !line.is_field()).count();
        if let Some(junk) = at.checked_sub(1).and_then(|before| self.lines.get_mut(before)) {
            junk.end();
        }
        self.lines.insert(at, HeaderLine::written(name.as_bytes(), value));
        self.changed = true;
    }

    /// Puts a field before the line at `at`.
    pub fn insert(&mut self, at: usize, name: &str, value: &[u8]) {
        self.lines.insert(at.min(self.lines.len()), HeaderLine::written(name.as_bytes(), value));
        self.changed = true;
    }

    /// The line at `at` as it stands, with its line end.
    pub fn raw(&self, at: usize) -> Vec<u8> {
        self.lines.get(at).map(|line| [line.name.as_ref(), line.rest.as_ref()].concat()).unwrap_or_default()
    }

    /// Whether every byte of the line at `at` passes.
    pub fn all(&self, at: usize, passes: impl Fn(&[u8]) -> bool) -> bool {
        self.lines.get(at).is_none_or(|line| passes(&line.name) && passes(&line.rest))
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
            *line = HeaderLine::written(name.as_bytes(), value);
            self.changed = true;
        }
    }

    /// Gives the field at `at` another name; its value stays where it is, however long.
    pub fn rename(&mut self, at: usize, name: &str) {
        if let Some(line) = self.lines.get_mut(at).filter(|line| line.is_field()) {
            line.name = Cow::Owned(name.as_bytes().to_vec());
            let blanks = line.rest.len() - line.rest.trim_ascii_start().len();
            line.cut(blanks);
            if !matches!(line.rest.get(1), Some(b' ' | b'\t' | b'\r')) {
                let at = line.rest.len().min(1);
                line.rest.to_mut().insert(at, b' ');
            }
            line.end();
            self.changed = true;
        }
    }

    /// How many lines there are, fields or not, but for what lies beyond those that the mail gem reads.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Replaces the line at `at`, whatever it is, by bytes that are no field.
    pub fn overwrite(&mut self, at: usize, raw: Vec<u8>) {
        if let Some(line) = self.lines.get_mut(at) {
            *line = HeaderLine::of_bytes(raw);
            self.changed = true;
        }
    }

    /// What lies beyond the lines, in its order.
    pub fn beyond(&self) -> impl Iterator<Item = &[u8]> {
        self.tail.iter().map(AsRef::as_ref)
    }

    /// Changes what lies beyond the lines, each piece by itself.
    pub fn change_beyond(&mut self, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) {
        for piece in &mut self.tail {
            if let Some(changed) = change(piece) {
                *piece = Cow::Owned(changed);
                self.changed = true;
            }
        }
    }

    /// Brings the first field of each name that `wanted` takes out of what lies beyond the lines, and puts it after them.
    /// `wanted` is asked once for each field there, in their order.
    pub fn take_from_beyond(&mut self, mut wanted: impl FnMut(&[u8]) -> bool) -> bool {
        let mut left = Vec::new();
        let before = self.lines.len();
        for piece in std::mem::take(&mut self.tail) {
            match piece {
                Cow::Borrowed(piece) => self.take_from(piece, &mut wanted, &mut left),
                Cow::Owned(_) => left.push(piece),
            }
        }
        self.tail = left;
        self.changed |= self.lines.len() > before;
        self.lines.len() > before
    }

    fn take_from(
        &mut self,
        piece: &'a [u8],
        wanted: &mut impl FnMut(&[u8]) -> bool,
        left: &mut Vec<Cow<'a, [u8]>>,
    ) {
        let mut done = 0;
        for range in line_ranges(piece) {
            let Some(raw) = piece.get(range.clone()) else { continue };
            if name_length(raw).and_then(|length| raw.get(..length)).is_some_and(&mut *wanted) {
                left.extend(piece.get(done..range.start).map(Cow::Borrowed));
                done = range.end;
                if let Some(last) = self.lines.last_mut() {
                    last.end();
                }
                let mut line = HeaderLine::read(raw);
                line.end();
                self.lines.push(line);
            }
        }
        left.extend(piece.get(done..).map(Cow::Borrowed));
    }

    /// Fills up the lines from what lies beyond, where edits made room that the mail gem would fill; says which lines are new.
    pub fn refill(&mut self) -> Range<usize> {
        let start = self.lines.len();
        while let Some(room) = MOST_LINES.checked_sub(self.lines.len()).filter(|room| *room > 0)
            && !self.tail.is_empty()
        {
            if let Some(last) = self.lines.last_mut() {
                last.end();
            }
            match self.tail.remove(0) {
                Cow::Borrowed(piece) => {
                    let mut ranges = line_ranges(piece);
                    let taken = ranges.by_ref().take(room).filter_map(|range| piece.get(range));
                    self.lines.extend(taken.map(HeaderLine::read));
                    if let Some(rest) = ranges.next().and_then(|range| piece.get(range.start..)) {
                        self.tail.insert(0, Cow::Borrowed(rest));
                    }
                }
                Cow::Owned(piece) => self.lines.push(HeaderLine::of_bytes(piece)),
            }
            self.changed = true;
        }
        start..self.lines.len()
    }

    /// Leaves no more lines than the mail gem reads, those that `counts` gives among them, as long as there is room: others give way,
    /// from the bottom, and lie beyond from now on. Each line is asked with the fields below it not yet seen: from the bottom up.
    ///
    /// Says whether a line had to change its place.
    pub fn keep_within(&mut self, mut counts: impl FnMut(&Field<'_>) -> Standing) -> bool {
        let surplus = self.lines.len().saturating_sub(MOST_LINES);
        if surplus == 0 {
            return false;
        }
        let mut standing: Vec<Standing> = self
            .lines
            .iter()
            .enumerate()
            .rev()
            .map(|(at, line)| line.field(at).map_or(Standing::GivesWay, |field| counts(&field)))
            .collect();
        standing.reverse();
        let mut leaves = vec![false; standing.len()];
        let mut left = surplus;
        for rank in [Standing::GivesWay, Standing::Repeated, Standing::Counts] {
            let of_rank = standing.iter().zip(&mut leaves).rev().filter(|(standing, _)| **standing == rank);
            for (_, leaves) in of_rank.take(left) {
                *leaves = true;
                left -= 1;
            }
        }
        let moved = leaves.iter().take(MOST_LINES).any(|leaves| *leaves);
        self.move_beyond(&leaves);
        moved
    }

    fn move_beyond(&mut self, leaves: &[bool]) {
        if let Some(last) = self.lines.last_mut() {
            last.end();
        }
        let mut leaves = leaves.iter();
        let (gone, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lines).into_iter().partition(|_| leaves.next() == Some(&true));
        self.lines = stay;
        self.tail.splice(..0, gone.into_iter().map(HeaderLine::into_bytes));
        self.changed = true;
    }

    /// The length that `to_bytes` gives.
    pub fn length(&self) -> usize {
        let lines: usize = self.lines.iter().map(|line| line.name.len() + line.rest.len()).sum();
        lines + self.tail.iter().map(|piece| piece.len()).sum::<usize>()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length());
        self.pieces().for_each(|piece| bytes.extend_from_slice(piece));
        bytes
    }

    /// The section as it stands now, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.lines.iter().flat_map(|line| [line.name.as_ref(), line.rest.as_ref()]);
        lines.chain(self.beyond())
    }
}

/// What becomes of a line when there are more than the mail gem reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Counts,
    /// It would count, did not another of its name.
    Repeated,
    GivesWay,
}

impl<'a> HeaderLine<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let (name, rest) = raw.split_at_checked(name_length(raw).unwrap_or(0)).unwrap_or((&[], raw));
        Self { name: Cow::Borrowed(name), rest: Cow::Borrowed(rest) }
    }

    fn of_bytes(mut raw: Vec<u8>) -> Self {
        let rest = raw.split_off(name_length(&raw).unwrap_or(0));
        Self { name: Cow::Owned(raw), rest: Cow::Owned(rest) }
    }

    fn into_bytes(self) -> Cow<'a, [u8]> {
        if self.name.is_empty() { self.rest } else { Cow::Owned([self.name, self.rest].concat()) }
    }

    fn written(name: &[u8], value: &[u8]) -> Self {
        let mut rest = Vec::with_capacity(value.len() + 4);
        rest.push(b':');
        if !matches!(value.first(), None | Some(b' ' | b'\t' | b'\r')) {
            rest.push(b' ');
        }
        let sound = without_stray_line_ends(value);
        rest.extend_from_slice(&sound);
        rest.extend_from_slice(b"\r\n");
        Self { name: Cow::Owned(name.to_vec()), rest: Cow::Owned(rest) }
    }

    fn is_field(&self) -> bool {
        !self.name.is_empty()
    }

    /// Gives it the line end that the last line of a section may lack.
    fn end(&mut self) {
        if !self.rest.ends_with(b"\r\n") {
            let line_end: &[u8] = if self.rest.ends_with(b"\r") { b"\n" } else { b"\r\n" };
            self.rest.to_mut().extend_from_slice(line_end);
        }
    }

    /// Takes the first bytes off what follows the name.
    fn cut(&mut self, length: usize) {
        match &mut self.rest {
            Cow::Borrowed(rest) => *rest = rest.get(length..).unwrap_or_default(),
            Cow::Owned(rest) => drop(rest.drain(..length.min(rest.len()))),
        }
    }

    fn field(&self, at: usize) -> Option<Field<'_>> {
        if !self.is_field() {
            return None;
        }
        let value = self.rest.trim_ascii_start().strip_prefix(b":")?;
        Some(Field { at, name: &self.name, value: value.strip_suffix(b"\r\n").unwrap_or(value) })
    }
}

/// A value as it may be written: a line end that no blank follows would end the field, or the header.
fn without_stray_line_ends(value: &[u8]) -> Cow<'_, [u8]> {
    let is_stray = |at: usize| match value.get(at..) {
        Some([b'\r', b'\n', b' ' | b'\t', ..]) => false,
        Some([b'\n', b' ' | b'\t', ..]) => at.checked_sub(1).and_then(|at| value.get(at)) != Some(&b'\r'),
        _ => true,
    };
    let stray: Vec<usize> = memchr::memchr2_iter(b'\r', b'\n', value).filter(|at| is_stray(*at)).collect();
    let mut sound = Cow::Borrowed(value);
    for at in stray {
        if let Some(byte) = sound.to_mut().get_mut(at) {
            *byte = b' ';
        }
    }
    sound
}

/// The ranges of the logical lines: a line that begins with a blank belongs to the one before.
fn line_ranges(section: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    let mut newlines = memchr::memchr_iter(b'\n', section);
    std::iter::from_fn(move || {
        if start >= section.len() {
            return None;
        }
        let ends = |newline: &usize| {
            newline.checked_sub(1).and_then(|at| section.get(at)) == Some(&b'\r')
                && !matches!(section.get(newline + 1), Some(b' ' | b'\t'))
        };
        let end = newlines.find(ends).map_or(section.len(), |newline| newline + 1);
        let range = start..end;
        start = end;
        Some(range)
    })
}

/// Whether a line begins with a field's name and its colon.
pub fn is_field_line(line: &[u8]) -> bool {
    name_length(line).is_some()
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

    fn long(lines: usize, last: &str) -> Vec<u8> {
        format!("{}{last}\r\n", "Received: by a\r\n".repeat(lines)).into_bytes()
    }

    #[test]
    fn lines_beyond_those_that_the_mail_gem_reads_are_none() {
        let section = long(MOST_LINES, "To: a@b");
        let header = Header::parse(&section);
        assert_eq!(header.line_count(), MOST_LINES);
        assert!(named(&header, "To").is_empty());
        assert_eq!(header.to_bytes(), section);
    }

    #[test]
    fn a_field_from_beyond_takes_the_place_of_one_that_gives_way() {
        let section = long(MOST_LINES + 5, "To: a@b");
        let mut header = Header::parse(&section);
        assert!(header.take_from_beyond(|name| name == b"To"));
        let standing = |field: &Field<'_>| if field.is("To") { Standing::Counts } else { Standing::GivesWay };
        assert!(header.keep_within(standing));
        assert_eq!(header.line_count(), MOST_LINES);
        assert_eq!(named(&header, "To"), ["a@b"]);
        let bytes = header.to_bytes();
        assert_eq!(bytes.len(), section.len());
        assert_eq!(named(&Header::parse(&bytes), "To"), ["a@b"]);
    }

    #[test]
    fn a_field_keeps_its_value_when_it_is_renamed() {
        for (line, expected) in [
            ("To: a\r\n b\r\n", "X-To: a\r\n b\r\n"),
            ("To  :a\r\n", "X-To: a\r\n"),
            ("To:\r\n", "X-To:\r\n"),
            ("To:", "X-To: \r\n"),
            ("To: a", "X-To: a\r\n"),
        ] {
            let mut header = Header::parse(line.as_bytes());
            header.rename(0, "X-To");
            assert_eq!(String::from_utf8(header.to_bytes()).unwrap(), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_written_ends_no_line_but_its_own() {
        let mut header = Header::parse(b"A: b\r\n");
        header.replace(0, "A", b" c\r\r\n d\ne\r\nf\r\n\r\n g\r");
        assert_eq!(header.to_bytes(), b"A: c \r\n d e  f  \r\n g \r\n");
    }

    proptest! {
        #[test]
        fn parsing_and_writing_any_section_gives_it_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Header::parse(&bytes).to_bytes(), bytes);
        }
    }
}
