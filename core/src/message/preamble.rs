//! What stands before the header section in messages that were stored or handed on carelessly.

use super::header::{self, Header};

/// One thing that stands before the header section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preamble {
    ByteOrderMark,
    /// Blank lines and blanks, as the mail gem strips them (`String#lstrip`).
    Blanks,
    /// The `From ` line of an mbox, also quoted as `>From `.
    FromLine,
}

impl Preamble {
    /// What `bytes` (with CRLF line ends) begin with, and how long it is.
    pub fn at_start(bytes: &[u8]) -> Option<(Self, usize)> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Some((Self::ByteOrderMark, 3));
        }
        let blanks = bytes.iter().take_while(|byte| matches!(byte, 0 | b'\t'..=b'\r' | b' ')).count();
        if blanks > 0 {
            return Some((Self::Blanks, blanks));
        }
        let line = memchr::memmem::find(bytes, b"\r\n").map_or(bytes.len(), |end| end + 2);
        let text = bytes.get(..line).unwrap_or_default();
        let rest = text.strip_prefix(b">").unwrap_or(text).strip_prefix(b"From ")?;
        // `From : a@b` is the obsolete form of a field.
        (rest.trim_ascii_start().first() != Some(&b':')).then_some((Self::FromLine, line))
    }
}

/// The length of everything that stands before the header section.
pub fn preamble_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some((_, more)) = bytes.get(length..).and_then(Preamble::at_start) {
        length += more;
    }
    length
}

/// The header section of a message, behind whatever stands before it.
pub fn header_of(bytes: &[u8]) -> Header<'_> {
    let message = bytes.get(preamble_length(bytes)..).unwrap_or_default();
    Header::parse(message.get(..header::section_length(message)).unwrap_or_default())
}

/// Whether there is a single header field: without one, it is no message.
pub fn has_header(bytes: &[u8]) -> bool {
    header_of(bytes).fields().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_behind_every_preamble() {
        for text in [
            "A: b",
            "\u{feff}A: b\r\n",
            "From x y\r\nA: b\r\n\r\n",
            ">From x\r\n\r\n \r\nA: b",
            "junk\r\nA: b\r\n",
        ] {
            assert!(has_header(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn other_things_have_no_header() {
        for text in
            ["", "\r\n", "\u{feff}", "From x y\r\n", "hello\r\nworld", "\r\n\r\nbody", "<html>\r\n\r\nA: b"]
        {
            assert!(!has_header(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn an_obsolete_from_field_is_no_mbox_line() {
        assert_eq!(Preamble::at_start(b"From : a@b\r\n"), None);
        assert_eq!(Preamble::at_start(b"From: a@b\r\n"), None);
        assert_eq!(Preamble::at_start(b"From a@b Mon\r\nx"), Some((Preamble::FromLine, 14)));
    }
}
