//! Text that grows as it is written; memory that cannot be had is a failure and no abort.

use crate::message::growth::{OutOfMemory, append};

/// The converted message so far.
#[derive(Debug, Default)]
pub(super) struct Sink {
    bytes: Vec<u8>,
}

impl Sink {
    /// `expected` is what the whole will have at least.
    pub(super) fn new(expected: usize) -> Result<Self, OutOfMemory> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(expected).map_err(|_| OutOfMemory)?;
        Ok(Self { bytes })
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), OutOfMemory> {
        // Grows by a quarter: what a message gains by being converted is little, unless it is all 8-bit.
        let quarter = (self.bytes.len() / 4).max(1 << 12);
        append(&mut self.bytes, piece, quarter)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
