//! Bytes that grow as far as there is memory: what cannot be had is a failure and no abort.

/// The message does not fit into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Appends `piece`. When there is no room, as much more as `spare` is asked for, and where that cannot be had, what `piece` needs.
pub(super) fn append(bytes: &mut Vec<u8>, piece: &[u8], spare: usize) -> Result<(), OutOfMemory> {
    if bytes.capacity() - bytes.len() < piece.len() {
        bytes
            .try_reserve_exact(piece.len().max(spare))
            .or_else(|_| bytes.try_reserve_exact(piece.len()))
            .map_err(|_| OutOfMemory)?;
    }
    bytes.extend_from_slice(piece);
    Ok(())
}
