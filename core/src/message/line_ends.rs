//! Line ends, converted while the message is read: the wire form of a message ends its lines with CRLF.

/// What becomes of a line that ends in several carriage returns and a newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraReturns {
    /// `CR CR LF` becomes `CR LF`: the mail gem sees an empty line there, and the header ends.
    Mend,
    Keep,
}

/// Collects pieces of a message, ending every line with CRLF. A lone CR stays: it is part of the line.
#[derive(Debug)]
pub struct LineEnds {
    bytes: Vec<u8>,
    extra: ExtraReturns,
    mended: bool,
}

/// The message does not fit into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

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
        Ok(Self { bytes, extra, mended: false })
    }

    /// Appends a piece; the result does not depend on where the pieces are cut.
    ///
    /// # Errors
    ///
    /// When the memory cannot be had.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), OutOfMemory> {
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', piece) {
            self.append(piece.get(start..newline).unwrap_or_default())?;
            self.end_line()?;
            start = newline + 1;
        }
        self.append(piece.get(start..).unwrap_or_default())
    }

    fn end_line(&mut self) -> Result<(), OutOfMemory> {
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
            while self.extra == ExtraReturns::Mend && self.bytes.last() == Some(&b'\r') {
                self.bytes.pop();
                self.mended = true;
            }
        }
        self.append(b"\r\n")
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), OutOfMemory> {
        if self.bytes.capacity() - self.bytes.len() < piece.len() {
            let doubled = self.bytes.len().max(1 << 16);
            self.bytes
                .try_reserve(piece.len().max(doubled))
                .or_else(|_| self.bytes.try_reserve_exact(piece.len()))
                .map_err(|_| OutOfMemory)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The message, and whether superfluous carriage returns were taken out.
    ///
    /// # Errors
    ///
    /// When there is no room for what repairs add.
    pub fn finish(mut self) -> Result<(Vec<u8>, bool), OutOfMemory> {
        self.bytes.try_reserve_exact(Self::ROOM).map_err(|_| OutOfMemory)?;
        Ok((self.bytes, self.mended))
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
        assert_eq!(converted(ExtraReturns::Mend, &[b"a\nb\r\n\nc"]), (b"a\r\nb\r\n\r\nc".to_vec(), false));
    }

    #[test]
    fn a_lone_carriage_return_stays() {
        assert_eq!(converted(ExtraReturns::Mend, &[b"a\rb\r"]), (b"a\rb\r".to_vec(), false));
    }

    #[test]
    fn doubled_carriage_returns_are_mended_or_kept() {
        assert_eq!(converted(ExtraReturns::Mend, &[b"a\r\r\n\r\r\r\nb"]), (b"a\r\n\r\nb".to_vec(), true));
        assert_eq!(converted(ExtraReturns::Keep, &[b"a\r\r\nb"]), (b"a\r\r\nb".to_vec(), false));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_input_is_cut(bytes in "[\r\na]{0,40}", cut in 0usize..40) {
            let bytes = bytes.as_bytes();
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            for extra in [ExtraReturns::Mend, ExtraReturns::Keep] {
                prop_assert_eq!(converted(extra, &[left, right]), converted(extra, &[bytes]));
            }
        }

        #[test]
        fn converting_twice_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for extra in [ExtraReturns::Mend, ExtraReturns::Keep] {
                let (once, _) = converted(extra, &[&bytes]);
                let (twice, mended) = converted(extra, &[&once]);
                prop_assert_eq!(&twice, &once);
                prop_assert!(!mended);
            }
        }
    }
}
