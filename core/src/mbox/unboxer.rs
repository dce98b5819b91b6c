//! Takes off a message what belongs to the mailbox it lay in: quoting, the notes of mail readers, line ends of old Macs.

use super::field;
use super::form::{Family, Form};

/// What mail readers and IMAP servers note in the header of a message that lies in an mbox: read or not, which number, how many lines.
/// It changes whenever somebody looks at the message, and is as little part of it as the file name in a Maildir. Dovecot does not show
/// these either; the last three are Thunderbird's.
const NOTES: [&str; 10] = [
    "Status",
    "X-Status",
    "X-Keywords",
    "X-UID",
    "X-IMAPbase",
    "Content-Length",
    "Lines",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Mozilla-Keys",
];

/// How much of a line in the header tells which field begins in it.
const FIELD: usize = 256;
/// How many `>` are held until it is known what comes after them.
const MARKS: usize = 64 * 1024;

/// Gives a message as it was before it was put into a mailbox; takes it in pieces of any size.
///
/// One `>` goes off every `>From `, `>>From ` and so on (mboxrd; what mboxo quotes reads the same); in the header every `>` before a field;
/// and where a writer quoted `From:` there, one `>` off every line that begins with `From`, for it quoted those in the text as well.
#[derive(Debug)]
pub struct Unboxer {
    form: Form,
    /// Read, but not yet judged: the beginning of a line.
    held: Vec<u8>,
    /// A CR that came last, when lines end in CR: it may belong to a CRLF.
    held_return: bool,
    section: Section,
    /// What becomes of the rest of the line at hand.
    line: LineState,
    /// Whether the field at hand goes, and its folds with it.
    drops: bool,
    /// Whether the writer quoted `From:` in the header.
    loose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    /// Blank lines before the header.
    Start,
    Header,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineState {
    /// The line has not begun.
    Open,
    Kept,
    Dropped,
}

/// What a line begins with that is to go.
enum Judgement {
    Keep {
        marks: usize,
    },
    Drop,
    /// Too short to tell.
    Unknown,
}

impl Unboxer {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            held: Vec::new(),
            held_return: false,
            section: Section::Start,
            line: LineState::Open,
            drops: false,
            loose: false,
        }
    }

    /// Takes a piece; what is decided of the message is appended to `to`.
    pub fn push(&mut self, piece: &[u8], to: &mut Vec<u8>) {
        if self.form.returns {
            let piece = self.with_newlines(piece);
            self.take(&piece, false, to);
        } else {
            self.take(piece, false, to);
        }
    }

    /// The message ends here.
    pub fn finish(mut self, to: &mut Vec<u8>) {
        let last: &[u8] = if self.held_return { b"\n" } else { b"" };
        self.take(last, true, to);
    }

    /// CR becomes a newline, CRLF stays.
    fn with_newlines(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(piece.len() + 1);
        for byte in piece {
            if std::mem::take(&mut self.held_return) {
                bytes.push(if *byte == b'\n' { b'\r' } else { b'\n' });
            }
            match byte {
                b'\r' => self.held_return = true,
                other => bytes.push(*other),
            }
        }
        bytes
    }

    fn take(&mut self, piece: &[u8], last: bool, to: &mut Vec<u8>) {
        if self.held.is_empty() {
            self.lines(piece, last, to);
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(piece);
            self.lines(&held, last, to);
        }
    }

    fn lines(&mut self, bytes: &[u8], last: bool, to: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.line == LineState::Open {
                match self.judge(rest, last) {
                    Judgement::Unknown if !last && rest.len() < MARKS => {
                        self.held = rest.to_vec();
                        return;
                    }
                    Judgement::Unknown => self.line = LineState::Kept,
                    Judgement::Drop => self.line = LineState::Dropped,
                    Judgement::Keep { marks } => {
                        rest = rest.get(marks..).unwrap_or_default();
                        self.line = LineState::Kept;
                    }
                }
            }
            let (line, after) = rest.split_at(self.run(rest));
            if self.line == LineState::Kept {
                to.extend_from_slice(line);
            }
            if line.ends_with(b"\n") {
                self.line = LineState::Open;
            }
            rest = after;
        }
    }

    /// How far what was judged of the line at hand holds: to its end, in the body to the next line that may be quoted.
    fn run(&self, bytes: &[u8]) -> usize {
        let end = match self.section {
            Section::Body => memchr::memmem::find(bytes, b"\n>"),
            Section::Start | Section::Header => memchr::memchr(b'\n', bytes),
        };
        end.map_or(bytes.len(), |newline| newline + 1)
    }

    /// How a line begins.
    fn judge(&mut self, line: &[u8], last: bool) -> Judgement {
        if self.section == Section::Body {
            return self.judge_text(line);
        }
        let line = match memchr::memchr(b'\n', line) {
            Some(end) => line.get(..=end).unwrap_or(line),
            None if line.len() < FIELD && !last => return Judgement::Unknown,
            None => line,
        };
        match (line, self.section) {
            (b"\n" | b"\r\n", Section::Header) => self.section = Section::Body,
            (b"\n" | b"\r\n", _) => {}
            _ => self.section = Section::Header,
        }
        self.judge_field(line)
    }

    fn judge_field(&mut self, line: &[u8]) -> Judgement {
        let is_fold = matches!(line.first(), Some(b' ' | b'\t'));
        let text = field::without_marks(line);
        let marks = line.len() - text.len();
        // `>From : a@b` is quoted like every line that begins with `From `.
        let name = field::name(text).filter(|name| field::is_known(name) || starts_with_from(name));
        let name = name.filter(|_| marks == 0 || !text.starts_with(b"From "));
        if !is_fold {
            self.drops = name.is_some_and(is_note);
        }
        if self.drops {
            return Judgement::Drop;
        }
        match name {
            Some(name) if !is_fold => {
                self.loose |= marks > 0 && starts_with_from(name);
                Judgement::Keep { marks }
            }
            _ => self.judge_text(line),
        }
    }

    fn judge_text(&self, line: &[u8]) -> Judgement {
        let rest = field::without_marks(line);
        let quoted: &[u8] = if self.loose { b"From" } else { b"From " };
        if rest.len() == line.len() || self.form.family == Family::Mmdf {
            Judgement::Keep { marks: 0 }
        } else if rest.starts_with(quoted) {
            Judgement::Keep { marks: 1 }
        } else if quoted.starts_with(rest) {
            Judgement::Unknown
        } else {
            Judgement::Keep { marks: 0 }
        }
    }
}

fn is_note(name: &[u8]) -> bool {
    NOTES.iter().any(|note| name.eq_ignore_ascii_case(note.as_bytes()))
}

fn starts_with_from(name: &[u8]) -> bool {
    name.starts_with(b"From")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBOX: Form = Form { family: Family::Mbox, returns: false };

    /// The same however it comes.
    fn read_as(form: Form, message: &str) -> String {
        let in_pieces = |size: usize| {
            let mut unboxer = Unboxer::new(form);
            let mut bytes = Vec::new();
            message.as_bytes().chunks(size).for_each(|piece| unboxer.push(piece, &mut bytes));
            unboxer.finish(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        let whole = in_pieces(message.len().max(1));
        for size in [1, 2, 3, 7, 100] {
            assert_eq!(in_pieces(size), whole, "{size}");
        }
        whole
    }

    fn read(message: &str) -> String {
        read_as(MBOX, message)
    }

    #[test]
    fn what_mail_readers_note_is_left_out_and_nothing_else() {
        assert_eq!(
            read("STATUS: RO\nA: 1\nX-Keywords: a\n  b\n\tc\nX-Status-Of: 2\n d\nX-UID: 7\n\nStatus: RO\n"),
            "A: 1\nX-Status-Of: 2\n d\n\nStatus: RO\n"
        );
        assert_eq!(read("A: 1\r\nStatus: O\r\n\r\nb"), "A: 1\r\n\r\nb");
        assert_eq!(read("Status: O"), "");
        for untouched in
            ["", "A", "A: 1\n", "A: 1\n\n", " Status: O\n\n", "Status\n\n", "\n\nA: 1\n\nStatus: O\n"]
        {
            assert_eq!(read(untouched), untouched);
        }
    }

    #[test]
    fn it_does_not_matter_how_long_header_and_body_are() {
        for length in [100, 8_191, 300_000] {
            let body = "b\n".repeat(length);
            let field = format!("A: {}\n", "a".repeat(length));
            let notes = format!("X-Keywords: {}\n k\n", "k".repeat(length));
            assert_eq!(read(&format!("Status: RO\n{field}{notes}\n{body}")), format!("{field}\n{body}"));
        }
    }

    #[test]
    fn one_mark_is_taken_off_a_quoted_line() {
        let text = "A: 1\n\n>From x\n>>From y\n> From z\n>Fromm\n>From: z\n>\n>>\n>Fro";
        assert_eq!(read(text), "A: 1\n\nFrom x\n>From y\n> From z\n>Fromm\n>From: z\n>\n>>\n>Fro");
        let mmdf = Form { family: Family::Mmdf, ..MBOX };
        assert_eq!(read_as(mmdf, text), text);
    }

    /// imap-backup quotes every line that begins with `From`: each message lost its sender.
    #[test]
    fn a_quoted_from_field_is_a_from_field() {
        assert_eq!(
            read("To: c@d\n>From: a@b\n\n>Fromage\n>>From:\n>f\n"),
            "To: c@d\nFrom: a@b\n\nFromage\n>From:\n>f\n"
        );
        assert_eq!(read(">>From: a@b\n>Subject: x\n>no field\n\n"), "From: a@b\nSubject: x\n>no field\n\n");
        assert_eq!(read(">From a@b Mon\nA: 1\n\n"), "From a@b Mon\nA: 1\n\n");
    }

    #[test]
    fn returns_become_newlines() {
        let mac = Form { returns: true, ..MBOX };
        assert_eq!(read_as(mac, "A: 1\rStatus: O\r\r>From x\r\ny\r"), "A: 1\n\nFrom x\r\ny\n");
    }
}
