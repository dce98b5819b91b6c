//! mbox: messages in one file, each after a line that begins with `From `; read as a stream, however large.

use std::io::{self, BufRead, Read};

use super::date;

/// Where a message of an mbox lies: from after its separator to before the blank line that precedes the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Of the separator.
    pub(super) date: Option<i64>,
}

/// A line that begins a message, and its date when it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Separator(Option<i64>);

impl Separator {
    /// The line's, when it is one: it ends in a date, or is a bare `From `, as Thunderbird writes it.
    fn of(line: &[u8]) -> Option<Self> {
        let bare = || line.strip_prefix(b"From ").is_some_and(|rest| rest.trim_ascii().is_empty());
        match date::of_separator(line) {
            None => bare().then_some(Self(None)),
            date => Some(Self(date)),
        }
    }
}

/// How much of a line is kept to tell a separator by: a sender of 320 bytes, and a date.
pub(super) const LINE: usize = 512;

/// Finds the messages. A separator stands at the beginning or after a blank line, and ends in a date or after
/// `From `; `Content-Length` is not believed.
///
/// Needs memory for one line of the file at most, whatever it holds.
///
/// # Errors
///
/// When the file cannot be read.
pub(super) fn scan(mut reader: impl BufRead, mut each: impl FnMut(Slice)) -> io::Result<()> {
    let mut scanner = Scanner::default();
    loop {
        let piece = match reader.fill_buf() {
            Ok([]) => break,
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let length = piece.len();
        let mut rest = piece;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(newline + 1);
            scanner.more_of_line(line);
            scanner.end_line(&mut each);
            rest = after;
        }
        scanner.more_of_line(rest);
        reader.consume(length);
    }
    scanner.end_file(&mut each);
    Ok(())
}

#[derive(Debug)]
struct Scanner {
    /// The beginning of the line at hand, its length, and where it begins.
    line: Vec<u8>,
    length: u64,
    offset: u64,
    /// The length of the line before, when it is blank.
    blank: Option<u64>,
    /// Where the message at hand begins, and the date of its separator.
    message: Option<(u64, Option<i64>)>,
}

impl Default for Scanner {
    fn default() -> Self {
        // The beginning of the file is as good as a blank line.
        Self { line: Vec::with_capacity(LINE), length: 0, offset: 0, blank: Some(0), message: None }
    }
}

impl Scanner {
    fn more_of_line(&mut self, piece: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend(piece.iter().take(room));
        self.length += piece.len() as u64;
    }

    fn end_line(&mut self, each: &mut impl FnMut(Slice)) {
        let end = self.offset + self.length;
        match self.blank.and_then(|blank| Some((blank, Separator::of(&self.line)?))) {
            Some((blank, Separator(date))) => {
                self.end_message(self.offset - blank, each);
                self.message = Some((end, date));
                self.blank = None;
            }
            None => {
                let is_blank = matches!(self.line.as_slice(), b"\n" | b"\r\n");
                self.blank = is_blank.then_some(self.length);
            }
        }
        self.offset = end;
        self.length = 0;
        self.line.clear();
    }

    fn end_message(&mut self, end: u64, each: &mut impl FnMut(Slice)) {
        if let Some((offset, date)) = self.message.take() {
            each(Slice { offset, length: end.saturating_sub(offset), date });
        }
    }

    fn end_file(mut self, each: &mut impl FnMut(Slice)) {
        if self.length > 0 {
            self.end_line(each);
        }
        let end = self.offset - self.blank.unwrap_or(0);
        self.end_message(end, each);
    }
}

/// Whether a file that begins so is an mbox.
pub(super) fn begins(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Separator::of(line).is_some()
}

/// Whether the last line of this is a separator. A line that is longer than this, or than what a scan looks at, is one when it says so.
pub(super) fn ends_with_separator(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"\n") else { return false };
    match memchr::memrchr(b'\n', text) {
        Some(newline) => Separator::of(text.get(newline + 1..).unwrap_or_default()).is_some(),
        None => text.len() + 1 >= LINE || Separator::of(text).is_some(),
    }
}

/// A message of an mbox without the `>` that its writer put before lines like a separator: one `>` off every `>From `, `>>From ` and so
/// on (mboxrd; what mboxo quotes reads the same).
#[derive(Debug)]
pub(super) struct Unquoted<R> {
    inner: R,
    /// How much is read at once, in bytes.
    piece: usize,
    /// Read, but not yet judged: the beginning of a line that may be quoted.
    held: Vec<u8>,
    /// What was judged and is to be handed out.
    ready: Vec<u8>,
    handed: usize,
    at_line_start: bool,
    ended: bool,
}

/// How much is read at once of a large message.
const PIECE: usize = 64 * 1024;

impl<R: Read> Unquoted<R> {
    /// Of a message of so many bytes.
    pub(super) fn new(inner: R, length: u64) -> Self {
        let piece = usize::try_from(length).map_or(PIECE, |length| length.clamp(1, PIECE));
        Self {
            inner,
            piece,
            held: Vec::new(),
            ready: Vec::new(),
            handed: 0,
            at_line_start: true,
            ended: false,
        }
    }

    /// Reads more, and hands out what is decided.
    fn refill(&mut self) -> io::Result<()> {
        let mut piece = vec![0; self.piece];
        let length = self.inner.read(&mut piece)?;
        self.ended = length == 0;
        self.held.extend_from_slice(piece.get(..length).unwrap_or_default());
        self.ready.clear();
        self.handed = 0;
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            if self.at_line_start {
                match quoting(rest) {
                    Quoting::Unknown if !self.ended && rest.len() < PIECE => {
                        self.held = rest.to_vec();
                        return Ok(());
                    }
                    Quoting::Quoted => rest = rest.get(1..).unwrap_or_default(),
                    Quoting::Unknown | Quoting::Plain => {}
                }
            }
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let (line, after) = rest.split_at(end);
            self.ready.extend_from_slice(line);
            self.at_line_start = line.ends_with(b"\n");
            rest = after;
        }
        Ok(())
    }
}

enum Quoting {
    Quoted,
    Plain,
    /// Too short to tell.
    Unknown,
}

/// How a line begins.
fn quoting(line: &[u8]) -> Quoting {
    const FROM: &[u8] = b"From ";
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    let rest = line.get(marks..).unwrap_or_default();
    match rest.get(..FROM.len()) {
        _ if marks == 0 && !rest.is_empty() => Quoting::Plain,
        Some(word) if word == FROM => Quoting::Quoted,
        None if FROM.starts_with(rest) => Quoting::Unknown,
        _ => Quoting::Plain,
    }
}

impl<R: Read> Read for Unquoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed == self.ready.len() && !(self.ended && self.held.is_empty()) {
            self.refill()?;
        }
        let rest = self.ready.get(self.handed..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.handed += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    const SEPARATOR: &str = "From a@b Mon Nov 23 15:25:56 2026";

    fn read(mbox: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut slices = Vec::new();
        scan(BufReader::with_capacity(piece, mbox), |slice| slices.push(slice)).unwrap();
        let bytes = |slice: &Slice| {
            let start = usize::try_from(slice.offset).unwrap();
            let end = start + usize::try_from(slice.length).unwrap();
            let mut message = Vec::new();
            Unquoted::new(Pieces(&mbox[start..end], piece), slice.length).read_to_end(&mut message).unwrap();
            message
        };
        slices.iter().map(bytes).collect()
    }

    /// Reads a few bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(self.1).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn texts(mbox: &str) -> Vec<String> {
        read(mbox.as_bytes(), 7).into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
    }

    #[test]
    fn messages_are_what_stands_between_the_separators() {
        let mbox =
            format!("{SEPARATOR}\nA: 1\n\nx\n\n{SEPARATOR}\nA: 2\n\ny\n\n\n{SEPARATOR}\n{SEPARATOR}\nA: 3\n");
        assert_eq!(
            texts(&mbox),
            ["A: 1\n\nx\n", "A: 2\n\ny\n\n", "From a@b Mon Nov 23 15:25:56 2026\nA: 3\n"]
        );
        let with_returns = mbox.replace('\n', "\r\n");
        assert_eq!(texts(&with_returns)[..2], ["A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\ny\r\n\r\n"]);
    }

    #[test]
    fn a_separator_may_be_bare() {
        let mbox = "From \r\nA: 1\r\n\r\nx\r\n\r\nFrom \r\nA: 2\r\n\r\nFrom\r\n\r\n";
        assert_eq!(texts(mbox), ["A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\nFrom\r\n"]);
        assert!(begins(mbox.as_bytes()) && !begins(b"From\nA: 1\n"));
    }

    #[test]
    fn what_is_no_separator_stays_in_the_message() {
        let mbox = format!("{SEPARATOR}\nA: 1\n\nFrom here on\n\nFrom there\n{SEPARATOR}\nx\n");
        assert_eq!(texts(&mbox), [mbox.split_once('\n').unwrap().1]);
    }

    #[test]
    fn one_mark_is_taken_off_a_quoted_line() {
        let mbox = format!("{SEPARATOR}\nA: 1\n\n>From x\n>>From y\n> From z\n>Fromm\n>\n>>\n>Fro");
        assert_eq!(texts(&mbox), ["A: 1\n\nFrom x\n>From y\n> From z\n>Fromm\n>\n>>\n>Fro"]);
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        assert!(texts("").is_empty() && !begins(b"") && begins(SEPARATOR.as_bytes()));
    }

    fn quoted(message: &[u8]) -> Vec<u8> {
        let mut quoted = Vec::new();
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            let marks = line.iter().take_while(|byte| **byte == b'>').count();
            if line[marks..].starts_with(b"From ") {
                quoted.push(b'>');
            }
            quoted.extend_from_slice(line);
        }
        quoted
    }

    /// Lines that are hard to tell from separators.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(b"".to_vec()),
            Just(SEPARATOR.as_bytes().to_vec()),
            ">{0,3}From .{0,9}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>().prop_filter("no newline", |byte| *byte != b'\n'), 0..20),
        ]
    }

    proptest! {
        #[test]
        fn what_an_mbox_was_made_of_comes_out_of_it(
            messages in proptest::collection::vec(proptest::collection::vec(line(), 1..9), 0..5),
            piece in 1_usize..40,
        ) {
            let messages: Vec<Vec<u8>> =
                messages.into_iter().map(|lines| [lines.join(&b'\n'), b"\n".to_vec()].concat()).collect();
            let mut mbox = Vec::new();
            for message in &messages {
                mbox.extend_from_slice(format!("{SEPARATOR}\n").as_bytes());
                mbox.extend_from_slice(&quoted(message));
                mbox.push(b'\n');
            }
            prop_assert_eq!(read(&mbox, piece), messages);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), piece in 1_usize..9) {
            read(&bytes, piece);
        }
    }
}
