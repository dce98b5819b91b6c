//! Where a stored message lies, and reading it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compression::{Compression, Decompressed, MAGIC};
use super::mbox::Unboxed;
use crate::delivery::stdin;
use crate::io_error::plain;
use chatwoot_mail::mbox::{Form, KEPT, Lead, emlx};
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::outcome::{Cause, Failure};
use chatwoot_mail::repair::Unrepaired;

/// A file that holds messages and stays open.
#[derive(Debug)]
pub(crate) struct Mbox {
    pub(super) name: String,
    pub(super) file: File,
    /// Nothing when the whole file is one message.
    pub(super) form: Option<Form>,
}

impl Mbox {
    /// Whether a message that was found there still stands there: a mail reader that rewrites an mbox moves all that comes after what
    /// it deletes. New mail at the end changes nothing.
    fn still_holds(&self, offset: u64, length: u64, lead: Lead) -> io::Result<bool> {
        const ENDS: [&[u8]; 4] = [b"\n", b"\r", b"From ", b"\x01\x01\x01\x01"];
        if lead.length == 0 {
            return Ok(true);
        }
        let lead_length = u64::from(lead.length);
        let mut before = vec![0; usize::try_from(lead_length).map_or(KEPT, |length| length.min(KEPT))];
        match self.file.read_exact_at(&mut before, offset.saturating_sub(lead_length)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            result => result?,
        }
        let mut after = [0; 5];
        let read = self.file.read_at(&mut after, offset + length)?;
        let after = after.get(..read).unwrap_or_default();
        let ends = after.is_empty() || ENDS.iter().any(|end| after.starts_with(end));
        Ok(ends && Lead::of(&before, lead_length) == lead)
    }
}

/// A file that is a message, or a piece of an mbox.
#[derive(Clone, Debug)]
pub(crate) enum MessageSource {
    File(PathBuf),
    Mbox { mbox: Arc<Mbox>, offset: u64, length: u64, lead: Lead },
}

impl fmt::Display for MessageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Mbox { mbox, offset, .. } => {
                if mbox.form.is_some() {
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
/// How much of it is read at once.
const PIECE: u64 = 8 * 1024;

impl MessageSource {
    /// Reads the whole message, of `max_size` bytes at most.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is empty, or too large.
    pub(crate) fn read(&self, extra: ExtraReturns, max_size: u64) -> Result<Unrepaired, Failure> {
        let (reader, length) = self.open(u64::MAX).map_err(|error| unreadable(&error))?;
        stdin::from_reader(reader, length.unwrap_or(PIECE.min(max_size)), extra, max_size)
    }

    /// The beginning of the message, with its header.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) fn head(&self) -> io::Result<Vec<u8>> {
        let (reader, _) = self.open(HEAD)?;
        let mut reader = reader.take(HEAD);
        let mut head = Vec::new();
        while !has_blank_line(head.trim_ascii_start()) {
            if reader.by_ref().take(PIECE).read_to_end(&mut head)? == 0 {
                break;
            }
        }
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

    /// A reader for up to `limit` bytes, and how many the message has, as far as is known.
    fn open(&self, limit: u64) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        match self {
            Self::File(path) => opened(open_or_moved(path)?),
            Self::Mbox { mbox, offset, length, lead } => {
                if !mbox.still_holds(*offset, *length, *lead)? {
                    return Err(io::Error::other("the mbox was changed meanwhile"));
                }
                let range_length = *length.min(&limit);
                let range = FileRange { file: &mbox.file, at: *offset, end: offset + range_length };
                let reader: Box<dyn Read + '_> = match mbox.form {
                    Some(form) => Box::new(Unboxed::new(range, form, range_length)),
                    None => Box::new(range),
                };
                Ok((reader, Some(*length)))
            }
        }
    }
}

/// The message that a file is, and how long it is, as far as is known.
fn opened(mut file: File) -> io::Result<(Box<dyn Read>, Option<u64>)> {
    /// Apple Mail's first line, and a field's name behind it.
    const BEGINNING: usize = 160;
    let mut beginning = [0; BEGINNING];
    let read = file.read_at(&mut beginning, 0)?;
    let beginning = beginning.get(..read).unwrap_or_default();
    if let Some(compression) = Compression::of(beginning.get(..MAGIC).unwrap_or(beginning)) {
        return Ok((Box::new(Decompressed::start(file, compression)?), None));
    }
    if let Some(range) = emlx(beginning) {
        file.seek(SeekFrom::Start(range.start))?;
        let length = range.end - range.start;
        return Ok((Box::new(file.take(length)), Some(length)));
    }
    let length = file.metadata()?.len();
    Ok((Box::new(file), Some(length)))
}

fn has_blank_line(bytes: &[u8]) -> bool {
    let blank =
        |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
    memchr::memchr_iter(b'\n', bytes).any(|newline| blank(newline + 1))
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
struct FileRange<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for FileRange<'_> {
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
