//! Where a stored message lies, and reading it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mbox::{self, Unquoted};
use super::status_fields::Unmarked;
use crate::delivery::stdin;
use crate::io_error::plain;
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::outcome::{Cause, Failure};
use chatwoot_mail::repair::Unrepaired;

/// A file that holds messages and stays open.
#[derive(Debug)]
pub(crate) struct Mbox {
    pub(super) name: String,
    pub(super) file: File,
    /// Whether lines like a separator are quoted in it, and mail readers write into it.
    pub(super) quoted: bool,
}

impl Mbox {
    /// Whether a message that was found there still stands there: a mail reader that rewrites an mbox moves all that comes after what
    /// it deletes. New mail at the end changes nothing.
    fn still_holds(&self, offset: u64, length: u64) -> io::Result<bool> {
        if !self.quoted {
            return Ok(true);
        }
        let mut before = vec![0; usize::try_from(offset).map_or(mbox::LINE, |offset| offset.min(mbox::LINE))];
        let at = offset - before.len() as u64;
        match self.file.read_exact_at(&mut before, at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            result => result?,
        }
        let mut after = [0; 5];
        let read = self.file.read_at(&mut after, offset + length)?;
        let after = after.get(..read).unwrap_or_default();
        let ends =
            after.is_empty() || [&b"\n"[..], b"\r\n", b"From "].iter().any(|end| after.starts_with(end));
        Ok(ends && mbox::ends_with_separator(&before))
    }
}

/// A file that is a message, or a piece of an mbox.
#[derive(Clone, Debug)]
pub(crate) enum MessageSource {
    File(PathBuf),
    Mbox { mbox: Arc<Mbox>, offset: u64, length: u64 },
}

impl fmt::Display for MessageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Mbox { mbox, offset, .. } => {
                if mbox.quoted {
                    write!(formatter, "{}, byte {offset}", mbox.name)
                } else {
                    formatter.write_str(&mbox.name)
                }
            }
        }
    }
}

/// As much of a message as its header may take when it is looked at before it is read.
const HEAD: u64 = 256 * 1024;

impl MessageSource {
    /// Reads the whole message, of `max_size` bytes at most.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is empty, or too large.
    pub(crate) fn read(&self, extra: ExtraReturns, max_size: u64) -> Result<Unrepaired, Failure> {
        let (reader, length) = self.open(u64::MAX).map_err(|error| unreadable(&error))?;
        stdin::from_reader(reader, length, extra, max_size)
    }

    /// The beginning of the message, with its header.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) fn head(&self) -> io::Result<Vec<u8>> {
        let (reader, _) = self.open(HEAD)?;
        let mut head = Vec::new();
        reader.take(HEAD).read_to_end(&mut head)?;
        Ok(head)
    }

    /// The message byte for byte, without what belongs to the mbox.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) fn raw(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(self.open(u64::MAX)?.0)
    }

    /// A reader and how much is to come: up to `limit` bytes.
    fn open(&self, limit: u64) -> io::Result<(Box<dyn Read + '_>, u64)> {
        match self {
            Self::File(path) => {
                let file = open_or_moved(path)?;
                let length = file.metadata()?.len();
                Ok((Box::new(file), length))
            }
            Self::Mbox { mbox, offset, length } => {
                if !mbox.still_holds(*offset, *length)? {
                    return Err(io::Error::other("the mbox was changed meanwhile"));
                }
                let slice_length = *length.min(&limit);
                let slice = Slice { file: &mbox.file, at: *offset, end: offset + slice_length };
                let reader: Box<dyn Read + '_> = if mbox.quoted {
                    Box::new(Unmarked::new(Unquoted::new(slice, slice_length)))
                } else {
                    Box::new(slice)
                };
                Ok((reader, *length))
            }
        }
    }
}

/// Opens a file; in a Maildir also when a mail reader has renamed it meanwhile: what stands before the colon stays
/// (<https://cr.yp.to/proto/maildir.html>).
fn open_or_moved(path: &Path) -> io::Result<File> {
    File::open(path).or_else(|error| match moved(path) {
        Some(now) if error.kind() == io::ErrorKind::NotFound => File::open(now),
        _ => Err(error),
    })
}

fn moved(path: &Path) -> Option<PathBuf> {
    let unique = |name: &OsStr| name.as_bytes().split(|byte| *byte == b':').next().map(<[u8]>::to_vec);
    let own = unique(path.file_name()?)?;
    let maildir =
        path.parent().filter(|folder| folder.ends_with("new") || folder.ends_with("cur"))?.parent()?;
    let files = ["cur", "new"].into_iter().filter_map(|part| fs::read_dir(maildir.join(part)).ok()).flatten();
    files.flatten().find(|file| unique(&file.file_name()).as_ref() == Some(&own)).map(|file| file.path())
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Cause::Input, format!("cannot read it: {}", plain(error)))
}

/// A part of a file that several threads read.
struct Slice<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(rest);
        let read = self.file.read_at(buffer.get_mut(..length).unwrap_or_default(), self.at)?;
        if read == 0 && length > 0 {
            return Err(io::Error::other("the mbox became shorter meanwhile"));
        }
        self.at += read as u64;
        Ok(read)
    }
}
