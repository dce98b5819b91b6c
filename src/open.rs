//! Opening files that somebody else named.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file without waiting: a FIFO that nobody reads or writes must not hang the process (open(2), `O_NONBLOCK`). One that is to be
/// written and has no reader is an error.
pub(crate) fn open_without_waiting(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    options.custom_flags(nonblocking).open(path)
}
