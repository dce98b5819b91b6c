//! Memory made sure of before it is needed: libraries abort when it cannot be had, and a stack that cannot grow is a SIGSEGV; then
//! there is no line for the mail server, and no reading to the end.

use std::hint::black_box;

use chatwoot_mail::outcome::{Cause, Failure};

/// What the libraries take until the message is there: configuration, TLS with a few hundred authorities.
const BEFORE_THE_MESSAGE: usize = 4 << 20;
/// What they take to send it, whatever its size, and the stack with them.
const FOR_SENDING: usize = 8 << 20;

/// Address space that is kept free while the message is read into what is left. Nothing is written to it.
#[derive(Debug)]
pub(crate) struct MemoryReserve(Vec<u8>);

impl MemoryReserve {
    /// Takes memory for everything but the message.
    ///
    /// # Errors
    ///
    /// When there is too little memory for it.
    pub(crate) fn take() -> Result<Self, Failure> {
        let mut reserve = Vec::new();
        reserve
            .try_reserve_exact(BEFORE_THE_MESSAGE + FOR_SENDING)
            .map_err(|_| Failure::new(Cause::OutOfMemory, "there is too little memory to send a message"))?;
        // In place. Freed and taken anew, it would teach glibc's malloc to keep the message, as it grows, where nothing goes back to
        // the kernel (mallopt(3), M_MMAP_THRESHOLD): 8 MB more at the peak.
        reserve.shrink_to(FOR_SENDING);
        black_box(&mut reserve);
        Ok(Self(reserve))
    }

    /// Gives way to what it was taken for.
    pub(crate) fn release(self) {
        drop(self.0);
    }
}
