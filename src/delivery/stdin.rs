//! The message on standard input, read to its end whatever becomes of it.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::io_error::plain;
use chatwoot_mail::message::growth::OutOfMemory;
use chatwoot_mail::message::line_ends::{ExtraReturns, LineEnds};
use chatwoot_mail::outcome::{Cause, Failure};
use chatwoot_mail::repair::Unrepaired;

/// How much one read(2) takes: what a pipe holds.
const PIECE: usize = 64 * 1024;

/// Reads a message to its end. What exceeds `max_size` bytes, or what memory holds, is read and thrown away: a caller whose pipe breaks
/// takes that for something else (OpenSMTPD, fetchmail, Sieve, maildrop).
pub(crate) fn read(input: BorrowedFd<'_>, extra: ExtraReturns, max_size: u64) -> Result<Unrepaired, Failure> {
    let mut sink = MessageSink::new(extra, expected(input), max_size);
    pump(input, |piece| sink.take(piece))?;
    sink.finish()
}

/// Takes a message that is in memory already.
pub(crate) fn from_bytes(bytes: &[u8], extra: ExtraReturns) -> Result<Unrepaired, Failure> {
    let mut sink = MessageSink::new(extra, bytes.len() as u64, u64::MAX);
    sink.take(bytes);
    sink.finish()
}

/// Takes a stored message from a reader, of which `expected` bytes are to come. What exceeds `max_size` is not read at all: nobody waits at
/// the other end.
pub(crate) fn from_reader(
    mut reader: impl io::Read,
    expected: u64,
    extra: ExtraReturns,
    max_size: u64,
) -> Result<Unrepaired, Failure> {
    let mut sink = MessageSink::new(extra, expected, max_size);
    if expected > max_size {
        sink.received = expected;
        return sink.finish();
    }
    let mut buffer = vec![0; usize::try_from(expected).map_or(PIECE, |expected| expected.clamp(1, PIECE))];
    while sink.received <= max_size {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => sink.take(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failure::new(Cause::Input, format!("cannot read it: {}", plain(&error))));
            }
        }
    }
    sink.finish()
}

/// Reads to the end and keeps nothing; needs no memory.
pub(crate) fn drain(input: BorrowedFd<'_>) -> Result<(), Failure> {
    let mut buffer = [0; 4096];
    while retried(input, || rustix::io::read(input, &mut buffer[..]))? > 0 {}
    Ok(())
}

fn pump(input: BorrowedFd<'_>, mut take: impl FnMut(&[u8])) -> Result<(), Failure> {
    let mut buffer: Vec<u8> = Vec::new();
    if buffer.try_reserve_exact(PIECE).is_err() {
        drain(input)?;
        return Err(out_of_memory());
    }
    loop {
        buffer.clear();
        if retried(input, || rustix::io::read(input, rustix::buffer::spare_capacity(&mut buffer)))? == 0 {
            return Ok(());
        }
        take(&buffer);
    }
}

/// One read(2), tried again where that makes sense; gives its length, zero at the end.
fn retried(
    input: BorrowedFd<'_>,
    mut read: impl FnMut() -> rustix::io::Result<usize>,
) -> Result<usize, Failure> {
    loop {
        match read() {
            Ok(length) => return Ok(length),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait(input),
            Err(error) => {
                let detail = format!("cannot read standard input: {}", std::io::Error::from(error));
                return Err(Failure::new(Cause::Input, detail));
            }
        }
    }
}

/// Somebody left standard input non-blocking: wait until there is more. An error here shows again at the next read.
fn wait(input: BorrowedFd<'_>) {
    let _ = poll(&mut [PollFd::from_borrowed_fd(input, PollFlags::IN)], None);
}

/// The size of the input when it is a regular file (getmail, qmail), else zero.
fn expected(input: BorrowedFd<'_>) -> u64 {
    match fstat(input) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            u64::try_from(stat.st_size).unwrap_or(0)
        }
        _ => 0,
    }
}

fn out_of_memory() -> Failure {
    Failure::new(Cause::OutOfMemory, "the message does not fit into the memory this process may have")
}

/// Keeps what it may keep, counts everything.
struct MessageSink {
    line_ends: Result<LineEnds, OutOfMemory>,
    received: u64,
    max_size: u64,
}

impl MessageSink {
    fn new(extra: ExtraReturns, expected: u64, max_size: u64) -> Self {
        let capacity = usize::try_from(expected.min(max_size)).unwrap_or(0);
        Self { line_ends: LineEnds::new(extra, capacity), received: 0, max_size }
    }

    fn take(&mut self, piece: &[u8]) {
        self.received = self.received.saturating_add(piece.len() as u64);
        if self.received > self.max_size {
            self.line_ends = Err(OutOfMemory);
        }
        if let Ok(line_ends) = &mut self.line_ends
            && line_ends.push(piece).is_err()
        {
            self.line_ends = Err(OutOfMemory);
        }
    }

    fn finish(self) -> Result<Unrepaired, Failure> {
        if self.received == 0 {
            return Err(Failure::new(Cause::NoInput, "standard input ended without a byte"));
        }
        if self.received > self.max_size {
            let detail = format!("the message has {} bytes, max_size is {}", self.received, self.max_size);
            return Err(Failure::new(Cause::LargerThanMaxSize, detail));
        }
        let finished = self.line_ends.and_then(LineEnds::finish);
        let (bytes, returns_repaired) = finished.map_err(|_| out_of_memory())?;
        Ok(Unrepaired { bytes, returns_repaired })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};
    use std::os::fd::AsFd;

    fn of_file(content: &[u8], max_size: u64) -> Result<Unrepaired, Failure> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        read(file.as_fd(), ExtraReturns::Repair, max_size)
    }

    #[test]
    fn a_message_of_just_max_size_is_taken_and_one_byte_more_is_not() {
        assert_eq!(of_file(b"A: b\n", 5).unwrap().bytes, b"A: b\r\n");
        assert_eq!(of_file(b"A: bc\n", 5).unwrap_err().cause, Cause::LargerThanMaxSize);
    }

    #[test]
    fn nothing_is_not_a_message() {
        assert_eq!(of_file(b"", 5).unwrap_err().cause, Cause::NoInput);
    }

    #[test]
    fn a_directory_cannot_be_read() {
        let folder = std::fs::File::open("/").unwrap();
        assert_eq!(read(folder.as_fd(), ExtraReturns::Repair, 5).unwrap_err().cause, Cause::Input);
    }

    #[test]
    fn what_is_too_large_is_read_to_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(&vec![b'x'; 5_000_000]));
        assert_eq!(
            read(reader.as_fd(), ExtraReturns::Repair, 10).unwrap_err().cause,
            Cause::LargerThanMaxSize
        );
        writing.join().unwrap().unwrap();
    }
}
