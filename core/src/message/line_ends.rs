//! Line ends, converted while the message is read: the wire form of a message ends its lines with CRLF.

use super::growth::{OutOfMemory, append};

/// What becomes of a line that ends in several carriage returns and a newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraReturns {
    /// `CR CR LF` becomes `CR LF`: the mail gem sees an empty line there, and the header ends.
    Repair,
    /// The line end and the empty lines that Rails makes of it (`Mail::Utilities.binary_unsafe_to_crlf`).
    Keep,
}

/// Collects pieces of a message, ending every line with CRLF. A lone CR is a line end, as it is to Rails (D20).
#[derive(Debug)]
pub struct LineEnds {
    bytes: Vec<u8>,
    extra: ExtraReturns,
    repaired: bool,
    /// Carriage returns, and NULs among them, of which the byte after them says what they are.
    pending: Vec<u8>,
    /// How the first line ended.
    first: Option<LineEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    Return,
    Newline,
}

impl LineEnds {
    /// What is kept free behind a message: for what repairs add, so that they need no memory that cannot be had.
    const ROOM: usize = 16 * 1024;

    /// `expected` is the size of the input, when it is known.
    ///
    /// # Errors
    ///
    /// When the memory cannot be had.
    pub fn new(extra: ExtraReturns, expected: usize) -> Result<Self, OutOfMemory> {
        let mut bytes = Vec::new();
        // Typical lines of 64 bytes and more grow by one byte each.
        if expected > 0 {
            let capacity = expected.saturating_add(expected / 64).saturating_add(Self::ROOM);
            bytes.try_reserve_exact(capacity).map_err(|_| OutOfMemory)?;
        }
        Ok(Self { bytes, extra, repaired: false, pending: Vec::new(), first: None })
    }

    /// Appends a piece; the result does not depend on where the pieces are cut.
    ///
    /// # Errors
    ///
    /// When the memory cannot be had.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), OutOfMemory> {
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', piece) {
            self.line(piece.get(start..newline).unwrap_or_default())?;
            start = newline + 1;
        }
        self.text(piece.get(start..).unwrap_or_default())
    }

    /// A line, or what is still to come of it, that a newline ends.
    fn line(&mut self, line: &[u8]) -> Result<(), OutOfMemory> {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        if self.pending.is_empty() && memchr::memchr(b'\r', text).is_none() {
            self.first.get_or_insert(LineEnd::Newline);
            self.append(text)?;
            return self.append(b"\r\n");
        }
        self.text(line)?;
        self.end_line()
    }

    /// Text without a newline.
    fn text(&mut self, text: &[u8]) -> Result<(), OutOfMemory> {
        let mut rest = text;
        while !rest.is_empty() {
            let belongs = |byte: &u8| *byte == b'\r' || (*byte == 0 && !self.pending.is_empty());
            match rest.split_first().filter(|(byte, _)| belongs(byte)) {
                Some((byte, after)) => {
                    self.pend(*byte)?;
                    rest = after;
                }
                None => {
                    self.settle()?;
                    let (piece, after) = rest
                        .split_at_checked(memchr::memchr(b'\r', rest).unwrap_or(rest.len()))
                        .unwrap_or((rest, &[]));
                    self.append(piece)?;
                    rest = after;
                }
            }
        }
        Ok(())
    }

    fn pend(&mut self, byte: u8) -> Result<(), OutOfMemory> {
        /// More than any program writes before one newline.
        const MOST: usize = 64;
        if self.pending.len() == MOST {
            self.settle()?;
            if byte == 0 {
                return self.append(&[byte]);
            }
        }
        self.pending.push(byte);
        Ok(())
    }

    /// Writes the returns as the line ends that they turned out to be.
    fn settle(&mut self) -> Result<(), OutOfMemory> {
        for byte in std::mem::take(&mut self.pending) {
            if byte == b'\r' {
                self.first.get_or_insert(LineEnd::Return);
            }
            self.append(if byte == b'\r' { b"\r\n" } else { b"\0" })?;
        }
        Ok(())
    }

    /// A newline, with the returns before it.
    fn end_line(&mut self) -> Result<(), OutOfMemory> {
        // Where returns end the lines, `CR CR LF` is the end of one and an empty one.
        if self.extra == ExtraReturns::Repair && self.first != Some(LineEnd::Return) {
            self.first = Some(LineEnd::Newline);
            self.repaired |= self.pending.len() > 1;
            // NUL is for another repair to take out; the returns around it are one line end even so.
            self.pending.retain(|byte| *byte == 0);
        } else if self.pending.last() == Some(&b'\r') {
            self.pending.pop();
        }
        self.settle()?;
        self.append(b"\r\n")
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), OutOfMemory> {
        let doubled = self.bytes.len().max(1 << 16);
        append(&mut self.bytes, piece, doubled)
    }

    /// The message, and whether superfluous carriage returns were taken out.
    ///
    /// # Errors
    ///
    /// When there is no room for what repairs add.
    pub fn finish(mut self) -> Result<(Vec<u8>, bool), OutOfMemory> {
        self.settle()?;
        self.bytes.try_reserve_exact(Self::ROOM).map_err(|_| OutOfMemory)?;
        Ok((self.bytes, self.repaired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn converted(extra: ExtraReturns, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut line_ends = LineEnds::new(extra, 0).unwrap();
        for piece in pieces {
            line_ends.push(piece).unwrap();
        }
        line_ends.finish().unwrap()
    }

    #[test]
    fn a_newline_becomes_crlf_and_crlf_stays() {
        assert_eq!(converted(ExtraReturns::Repair, &[b"a\nb\r\n\nc"]), (b"a\r\nb\r\n\r\nc".to_vec(), false));
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        assert_eq!(converted(ExtraReturns::Repair, &[b"a\rb\r"]), (b"a\r\nb\r\n".to_vec(), false));
        assert_eq!(converted(ExtraReturns::Repair, &[b"A: b\r\rc"]), (b"A: b\r\n\r\nc".to_vec(), false));
        let lines_of_returns = converted(ExtraReturns::Repair, &[b"A: b\rC: d\r\r\ntext\n"]);
        assert_eq!(lines_of_returns, (b"A: b\r\nC: d\r\n\r\ntext\r\n".to_vec(), false));
    }

    #[test]
    fn doubled_carriage_returns_are_repaired_or_kept() {
        assert_eq!(converted(ExtraReturns::Repair, &[b"a\r\r\n\r\r\r\nb"]), (b"a\r\n\r\nb".to_vec(), true));
        assert_eq!(converted(ExtraReturns::Keep, &[b"a\r\r\nb"]), (b"a\r\n\r\nb".to_vec(), false));
    }

    #[test]
    fn a_nul_between_returns_makes_no_empty_line() {
        assert_eq!(converted(ExtraReturns::Repair, &[b"a\r\r\0\nb"]), (b"a\0\r\nb".to_vec(), true));
        assert_eq!(converted(ExtraReturns::Repair, &[b"a\r\0b"]), (b"a\r\n\0b".to_vec(), false));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_input_is_cut(bytes in "[\r\na\0]{0,40}", cut in 0usize..40) {
            let bytes = bytes.as_bytes();
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            for extra in [ExtraReturns::Repair, ExtraReturns::Keep] {
                prop_assert_eq!(converted(extra, &[left, right]), converted(extra, &[bytes]));
            }
        }

        #[test]
        fn converting_twice_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for extra in [ExtraReturns::Repair, ExtraReturns::Keep] {
                let (once, _) = converted(extra, &[&bytes]);
                let (twice, repaired) = converted(extra, &[&once]);
                prop_assert_eq!(&twice, &once);
                prop_assert!(!repaired);
                prop_assert!(memchr::memmem::find(&once, b"\r\r").is_none());
            }
        }
    }
}
