//! Repair of the empty line between header and text, where it is missing or holds blanks.

use super::{Repair, Step, originals};
use crate::message::header::{self, Header, is_field_line};
use crate::message::mime::content_type::ContentType;
use crate::message::preamble_length;

/// The mail gem takes the text for broken fields, and Chatwoot shows nothing of it (D21).
pub(super) const MISSING_BLANK_LINE: Repair = Repair {
    name: "missing-blank-line",
    summary: "puts in the empty line after the header where there is none, or one that holds blanks",
    step: Step::Bytes(put_in),
};

/// The fields that a header goes on to where a line in it is mere junk.
const ESSENTIAL: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Reply-To",
];

/// So many lines are considered; the rest of such a header is beyond help.
const MOST_CANDIDATES: usize = 32;

/// A place where the text may begin.
#[derive(Clone, Copy, Debug)]
struct TextStart {
    /// Where its first line begins.
    text: usize,
    /// The line of blanks before it, where there is one.
    blanks: Option<usize>,
    /// The field, folds and all, before it.
    field: (usize, usize),
}

/// What the lines of a header section are.
#[derive(Debug, Default)]
struct SectionLines {
    candidates: Vec<TextStart>,
    /// Where each essential field stands first.
    essential: [Option<usize>; ESSENTIAL.len()],
    last_field: usize,
    /// What a repair set aside was a field of the header.
    last_original: usize,
}

fn put_in(bytes: &mut Vec<u8>) -> bool {
    let start = preamble_length(bytes);
    let message = bytes.get(start..).unwrap_or_default();
    let length = header::section_length(message);
    let (section, rest) = message.split_at_checked(length).unwrap_or((message, &[]));
    let lines = SectionLines::of(section);
    if lines.candidates.is_empty() {
        return false;
    }
    let has_body = !rest.trim_ascii().is_empty();
    let Some(found) =
        lines.candidates.iter().find(|candidate| lines.begins_text(section, candidate, has_body))
    else {
        return false;
    };
    let from = start + found.blanks.unwrap_or(found.text);
    bytes.splice(from..start + found.text, *b"\r\n");
    true
}

impl SectionLines {
    fn of(section: &[u8]) -> Self {
        let mut lines = Self::default();
        let mut at = 0;
        let mut blanks = None;
        let mut field = None;
        for line in section.split_inclusive(|byte| *byte == b'\n') {
            let (start, end) = (at, at + line.len());
            at = end;
            let folds = matches!(line.first(), Some(b' ' | b'\t'));
            if folds && line.trim_ascii().is_empty() {
                blanks = Some(start);
                continue;
            }
            if is_field_line(line) {
                lines.meet(line, start);
                field = Some((start, end));
            } else if folds {
                field = field.map(|(start, _)| (start, end));
            } else if let Some(field) = field.filter(|_| lines.candidates.len() < MOST_CANDIDATES) {
                lines.candidates.push(TextStart { text: start, blanks, field });
            }
            blanks = None;
        }
        lines
    }

    fn meet(&mut self, line: &[u8], at: usize) {
        self.last_field = at;
        if line.starts_with(originals::PREFIX.as_bytes()) {
            self.last_original = at;
        }
        let is = |name: &&str| {
            let (given, rest) = line.split_at_checked(name.len()).unwrap_or_default();
            given.eq_ignore_ascii_case(name.as_bytes()) && matches!(rest.first(), Some(b':' | b' ' | b'\t'))
        };
        let place = ESSENTIAL.iter().position(is);
        if let Some(first) = place.and_then(|place| self.essential.get_mut(place)) {
            first.get_or_insert(at);
        }
    }

    /// Whether the text begins there: the header does not go on behind it.
    fn begins_text(&self, section: &[u8], candidate: &TextStart, has_body: bool) -> bool {
        let text = section.get(candidate.text..).unwrap_or_default();
        let goes_on = self.essential.iter().flatten().any(|first| *first > candidate.text)
            || self.last_original > candidate.text;
        let is_mbox_line = text.strip_prefix(b">").unwrap_or(text).starts_with(b"From ");
        if goes_on || is_mbox_line {
            return false;
        }
        let header = Header::parse(section.get(..candidate.text).unwrap_or_default());
        if let Some(kind) = ContentType::of(&header).filter(ContentType::is_multipart) {
            let rest = text.strip_prefix(b"--");
            return rest.zip(kind.boundary).is_some_and(|(rest, boundary)| rest.starts_with(&boundary));
        }
        if candidate.blanks.is_some() || is_markup(text) {
            return true;
        }
        let before = section.get(candidate.field.0..candidate.field.1).unwrap_or_default().trim_ascii_end();
        if matches!(before.last(), Some(b';' | b',' | b':' | b'=')) {
            return false;
        }
        // Where text is shown already, a line of junk above must not join it.
        !has_body || (self.last_field < candidate.text && is_prose(text) && is_structured(before))
    }
}

fn is_markup(text: &[u8]) -> bool {
    let is = |tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    is(b"<html") || is(b"<!doctype") || is(b"<body") || is(b"<div") || is(b"<p>")
}

/// Whether a line is words rather than the rest of a field.
fn is_prose(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count() > 1 && !line.contains(&b'=')
}

/// Whether a field is one that no words go on.
fn is_structured(field: &[u8]) -> bool {
    ["Content-", "MIME-Version", "Message-ID", "Date", "From", "To", "Cc", "Reply-To", "In-Reply-To"]
        .iter()
        .any(|name| field.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::apply::tests::repaired;

    const HEADER: &str = "From: a@b\nTo: c@d\nSubject: s\nMessage-ID: <1@x>\nContent-Type: text/plain\n";

    /// The text that Rails sees after the header.
    fn body(message: &str) -> String {
        let once = repaired(message.as_bytes(), None);
        assert_eq!(repaired(&once.bytes, None).bytes, once.bytes);
        let text = String::from_utf8(once.bytes).unwrap().replace("\r\n", "\n");
        text.split_once("\n\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }

    #[test]
    fn text_begins_where_the_fields_end() {
        for text in [
            "Hello there.\nNote: two lines\n",
            "Hello there.\n\nA second one.\n",
            "<html>\n\n<p>x</p>\n",
            "One\n",
        ] {
            assert_eq!(body(&format!("{HEADER}{text}")), text);
        }
    }

    #[test]
    fn a_line_of_blanks_before_text_is_the_empty_line() {
        for blanks in [" ", "\t", " \t "] {
            for text in ["Hello.\n", "Hello.\n\nAgain.\nFrom: someone else\n"] {
                assert_eq!(body(&format!("{HEADER}{blanks}\n{text}")), text);
            }
        }
    }

    #[test]
    fn the_first_boundary_line_ends_a_header() {
        let header = HEADER.replace("text/plain", "multipart/mixed; boundary=b");
        let parts = "--b\nContent-Type: text/plain\n\nhello\n--b--\n";
        assert_eq!(body(&format!("{header}{parts}")), parts);
    }

    #[test]
    fn junk_among_fields_stays_there() {
        for (before, junk) in [
            ("", "junk\nTo: c@d\n"),
            ("", "X-Bare\n"),
            ("", ">From a Mon Jan 1\n"),
            ("", " \nX-A: b\n"),
            ("X-Long: words that\n", "go on here\n"),
            ("Content-Disposition: inline;\n", "filename=\"a b\"\n"),
        ] {
            let head = HEADER.replace("To: c@d\n", if junk.contains("To:") { "" } else { "To: c@d\n" });
            let message = format!("{head}{before}{junk}\nbody text\n");
            assert_eq!(body(&message), "body text\n", "{junk}");
        }
    }
}
