//! What mail readers and IMAP servers note in the header of a message that lies in an mbox: read or not, which number, how many lines.
//! It changes whenever somebody looks at the message, and is as little part of it as the file name in a Maildir.

use std::io::{self, Read};

/// The fields that Dovecot does not show either, and those of mutt and Thunderbird.
const FIELDS: [&[u8]; 10] = [
    b"Status",
    b"X-Status",
    b"X-Keywords",
    b"X-UID",
    b"X-IMAPbase",
    b"Content-Length",
    b"Lines",
    b"X-Mozilla-Status",
    b"X-Mozilla-Status2",
    b"X-Mozilla-Keys",
];

/// A longer header is handed out as it is from here on.
const LONGEST: usize = 256 * 1024;
/// How much of a header is read at once.
const PIECE: u64 = 8 * 1024;

/// A message without these fields.
#[derive(Debug)]
pub(super) struct Unmarked<R> {
    inner: R,
    /// The header, when it was read, and what came with it of the body.
    head: Option<Vec<u8>>,
    handed: usize,
}

impl<R: Read> Unmarked<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, head: None, handed: 0 }
    }

    fn read_head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        loop {
            let more = self.inner.by_ref().take(PIECE).read_to_end(&mut head)?;
            let end = header_length(&head);
            if end.is_some() || more == 0 || head.len() >= LONGEST {
                let (header, rest) = head.split_at(end.unwrap_or(head.len()));
                return Ok([&unmarked(header), rest].concat());
            }
        }
    }
}

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = match self.head.take() {
            Some(head) => head,
            None => self.read_head()?,
        };
        let mut rest = head.get(self.handed..).unwrap_or_default();
        let length = if rest.is_empty() { self.inner.read(buffer) } else { rest.read(buffer) }?;
        self.handed = head.len().min(self.handed + length);
        self.head = Some(head);
        Ok(length)
    }
}

/// The length of the header with its last line end, when the blank line after it is there.
fn header_length(bytes: &[u8]) -> Option<usize> {
    let blank =
        |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
    memchr::memchr_iter(b'\n', bytes).map(|newline| newline + 1).find(|at| blank(*at))
}

fn unmarked(header: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(header.len());
    let mut drops = false;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            drops = is_mark(line);
        }
        if !drops {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// Whether a field begins in this line that is no part of the message.
fn is_mark(line: &[u8]) -> bool {
    let name = memchr::memchr(b':', line).and_then(|colon| line.get(..colon));
    name.is_some_and(|name| FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> String {
        let mut text = String::new();
        Unmarked::new(message.as_bytes()).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_mail_readers_note_is_left_out_and_nothing_else() {
        assert_eq!(
            read("STATUS: RO\nA: 1\nX-Keywords: a\n  b\n\tc\nX-Status-Of: 2\n d\nX-UID: 7\n\nStatus: RO\n"),
            "A: 1\nX-Status-Of: 2\n d\n\nStatus: RO\n"
        );
        assert_eq!(read("A: 1\r\nStatus: O\r\n\r\nb"), "A: 1\r\n\r\nb");
        assert_eq!(read("Status: O"), "");
        for untouched in ["", "A", "A: 1\n", "A: 1\n\n", " Status: O\n\n", "Status\n\n"] {
            assert_eq!(read(untouched), untouched);
        }
    }

    #[test]
    fn it_does_not_matter_how_long_header_and_body_are() {
        for length in [100, 8_191, 8_192, 300_000] {
            let body = "b\n".repeat(length);
            let field = format!("A: {}\n", "a".repeat(length));
            assert_eq!(
                read(&format!("Status: RO\n{field}Lines: 1\n\n{body}")),
                format!("{field}{}\n{body}", if length > 200_000 { "Lines: 1\n" } else { "" })
            );
        }
    }
}
