//! The parts of a message: found by their boundary lines, only their headers read. Attachments are never decoded.

use std::ops::Range;

use memchr::memmem::Finder;

use super::content_type::ContentType;
use crate::message::header::{self, Field, Header};

/// How deep parts are followed into one another; a message that goes deeper is a trap.
const DEEPEST: usize = 16;

/// How many parts of one message are read; what lies beyond stays as it is.
const MOST_PARTS: usize = 10_000;

/// How many lines all their headers may have.
const MOST_LINES: usize = 100_000;

/// One part, or the message itself; ranges count from the start of the body of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its header section, without the empty line; empty for the message itself, whose header is elsewhere.
    pub header: Range<usize>,
    pub body: Range<usize>,
    pub content_type: Option<ContentType>,
    pub children: Vec<Part>,
    /// Whether all parts inside were read: a message with too many is a trap.
    pub complete: bool,
}

/// What may still be read of a message.
struct Budget {
    parts: usize,
    lines: usize,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.parts == 0 || self.lines == 0
    }

    fn spend(&mut self, lines: usize) {
        self.parts = self.parts.saturating_sub(1);
        self.lines = self.lines.saturating_sub(lines);
    }
}

impl Part {
    /// Reads the structure of a message. `body` is all that follows the header section, with the empty line between.
    pub fn of_message(header: &Header<'_>, body: &[u8]) -> Self {
        let start = if body.starts_with(b"\r\n") { 2 } else { 0 };
        let mut budget = Budget { parts: MOST_PARTS, lines: MOST_LINES };
        let mut whole = Self::new(0..0, start..body.len(), ContentType::of(header));
        whole.find_children(body, 0, &mut budget);
        whole
    }

    fn new(header: Range<usize>, body: Range<usize>, content_type: Option<ContentType>) -> Self {
        Self { header, body, content_type, children: Vec::new(), complete: true }
    }

    /// Finds the parts between the boundary lines. What stands before the first and after the closing one is none.
    fn find_children(&mut self, text: &[u8], depth: usize, budget: &mut Budget) {
        let kind = self.content_type.as_ref().filter(|kind| kind.is_multipart() && depth < DEEPEST);
        let Some(boundary) = kind.and_then(|kind| kind.boundary.as_deref()) else { return };
        let needle = [b"--", boundary].concat();
        let finder = Finder::new(&needle);
        let range = self.body.clone();
        let mut lines = delimiters(text, range.clone(), &finder);
        let mut next = lines.next();
        while let Some(line) = next.filter(|line| !line.closes) {
            if budget.is_spent() {
                self.complete = false;
                return;
            }
            next = lines.next();
            // An unclosed last part goes to the end.
            let end = next.as_ref().map_or(range.end, |next| next.start);
            let child = child(text, line.end..end.max(line.end), depth + 1, budget);
            self.complete &= child.complete;
            self.children.push(child);
        }
    }

    /// Whether it is made of parts.
    pub fn is_multipart(&self) -> bool {
        self.content_type.as_ref().is_some_and(ContentType::is_multipart)
    }

    /// This part and all inside it, in the order of the message.
    pub fn walk(&self) -> Vec<&Part> {
        let mut all = vec![self];
        for child in &self.children {
            all.extend(child.walk());
        }
        all
    }

    /// The fields of the part's own header.
    pub fn fields<'a>(&self, body: &'a [u8]) -> Header<'a> {
        Header::parse(body.get(self.header.clone()).unwrap_or_default())
    }
}

fn child(text: &[u8], range: Range<usize>, depth: usize, budget: &mut Budget) -> Part {
    let inside = text.get(range.clone()).unwrap_or_default();
    let length = header::section_length(inside);
    let body_start = (range.start + length + 2).min(range.end);
    let header = range.start..range.start + length;
    let fields = Header::parse(inside.get(..length).unwrap_or_default());
    budget.spend(fields.line_count());
    if fields.fields().next().is_none() {
        // The mail gem takes a part without fields for text (`Part#parse_message`).
        return Part::new(range.start..range.start, range, None);
    }
    let mut part = Part::new(header, body_start..range.end, ContentType::of(&fields));
    drop(fields);
    part.find_children(text, depth, budget);
    part
}

/// A boundary line: where the line end before it begins, where the line after it begins.
#[derive(Debug, PartialEq, Eq)]
struct Delimiter {
    start: usize,
    end: usize,
    closes: bool,
}

/// Boundary lines as the mail gem finds them (`Body#extract_parts`): at the start of a line, followed by blanks alone.
fn delimiters<'t>(
    text: &'t [u8],
    range: Range<usize>,
    finder: &'t Finder<'_>,
) -> impl Iterator<Item = Delimiter> + 't {
    let inside = text.get(range.clone()).unwrap_or_default();
    finder.find_iter(inside).filter_map(move |at| delimiter(inside, at, finder.needle().len())).map(
        move |found| Delimiter { start: found.start + range.start, end: found.end + range.start, ..found },
    )
}

fn delimiter(inside: &[u8], at: usize, length: usize) -> Option<Delimiter> {
    let before = inside.get(..at)?;
    let start = if at == 0 { 0 } else { before.strip_suffix(b"\r\n")?.len() };
    let rest = inside.get(at + length..)?;
    let closes = rest.starts_with(b"--");
    let after = if closes { rest.get(2..)? } else { rest };
    let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line_end = after.get(blanks..)?;
    let end = at + length + if closes { 2 } else { 0 } + blanks;
    match line_end {
        [] => Some(Delimiter { start, end, closes }),
        [b'\r', b'\n', ..] => Some(Delimiter { start, end: end + 2, closes }),
        _ => None,
    }
}

/// The last field of a name, which is the one that counts in the mail gem.
pub fn last<'h>(header: &'h Header<'_>, name: &'h str) -> Option<Field<'h>> {
    header.named(name).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(text: &str) -> (Part, Vec<u8>) {
        let text = text.replace('\n', "\r\n").into_bytes();
        let length = header::section_length(&text);
        let header = Header::parse(&text[..length]);
        (Part::of_message(&header, &text[length..]), text[length..].to_vec())
    }

    fn bodies(text: &str) -> Vec<String> {
        let (part, body) = structure(text);
        let leaves = part.walk().into_iter().filter(|part| !part.is_multipart());
        leaves.map(|part| String::from_utf8_lossy(&body[part.body.clone()]).replace("\r\n", "\n")).collect()
    }

    #[test]
    fn a_plain_message_is_one_part() {
        assert_eq!(bodies("Subject: x\n\nhello\n"), ["hello\n"]);
        assert_eq!(bodies("Subject: x\n"), [""]);
    }

    #[test]
    fn parts_are_found_between_boundary_lines_and_nowhere_else() {
        let text = "Content-Type: multipart/mixed; boundary=\"b\"\n\npreamble --b\n--b\nContent-Type: text/plain\n\none --b\n--bb\n--b \n\ntwo\n--b--\n--b\nepilogue\n";
        assert_eq!(bodies(text), ["one --b\n--bb", "\ntwo"]);
    }

    #[test]
    fn parts_nest() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\nA: b\n\ntext\n--b\nA: b\n\nhtml\n--b--\n\n--a\nContent-Type: image/png\n\npng\n--a--\n";
        assert_eq!(bodies(text), ["text", "html", "png"]);
    }

    #[test]
    fn an_unclosed_part_goes_to_the_end() {
        assert_eq!(bodies("Content-Type: multipart/mixed; boundary=a\n\n--a\nA: b\n\ntext\n"), ["text\n"]);
    }

    #[test]
    fn of_too_many_parts_the_first_are_read() {
        let head = "Content-Type: multipart/mixed; boundary=a\n\n";
        let (few, _) = structure(&format!("{head}{}", "--a\n\nx\n".repeat(MOST_PARTS)));
        assert!(few.complete && few.children.len() == MOST_PARTS);
        let (many, _) = structure(&format!("{head}{}", "--a\n\nx\n".repeat(MOST_PARTS + 1)));
        assert!(!many.complete && many.children.len() == MOST_PARTS);
    }

    #[test]
    fn parts_in_parts_without_end_are_not_followed() {
        let (part, _) = structure(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n{}",
            "--a\nContent-Type: multipart/mixed; boundary=a\n\n".repeat(200)
        ));
        assert!(part.walk().len() < 1000);
    }
}
