//! Writing to what may never take it: a pipe that nobody empties, a terminal that is held.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Writes all of `bytes`, or gives up with [`io::ErrorKind::TimedOut`]. A line of some hundred bytes goes out at once or not at all: a pipe
/// that says it takes more takes a page (pipe(7)). A file on a dead mount is beyond this; the watcher ends the process.
pub(crate) fn write_within(patience: Duration, to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + patience;
    while !bytes.is_empty() {
        wait_until_taken(to, end)?;
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until it takes more, or fails to.
pub(crate) fn wait_until_taken(to: BorrowedFd<'_>, end: Instant) -> io::Result<()> {
    loop {
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).ok();
        match poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], left.as_ref()) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::INTR) => {}
            // An error shows again at the write.
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;

    /// Whatever the pipe holds, the writer is back.
    #[test]
    fn a_pipe_that_nobody_empties_is_given_up() {
        let (mut reader, writer) = io::pipe().unwrap();
        let write = |bytes: &[u8]| write_within(Duration::from_millis(20), writer.as_fd(), bytes);
        let full = std::iter::repeat_with(|| write(&[b'x'; 1000])).take(10_000).find_map(Result::err);
        assert_eq!(full.unwrap().kind(), io::ErrorKind::TimedOut);
        reader.read_exact(&mut [0; 8192]).unwrap();
        write(b"a line\n").unwrap();
    }

    #[test]
    fn a_closed_pipe_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let error = write_within(Duration::from_secs(60), writer.as_fd(), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
