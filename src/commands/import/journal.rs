//! What was accepted, on disk: so that a second run sends nothing twice, also after a `kill -9`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rustix::fs::{FlockOperation, flock};

use crate::clock::now;
use crate::io_error::plain;
use chatwoot_mail::wire_message::WireMessage;

/// SHA-256 of the bytes sent.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// A file with one line for each accepted message: the digest of the bytes sent, in hex; the seconds since 1970; the endpoint's URL; the
/// Message-ID. Appended to, and on disk before a message is reported as delivered.
#[derive(Debug)]
pub(crate) struct Journal {
    /// What this endpoint had accepted when the journal was opened.
    accepted: HashSet<Digest>,
    endpoint: String,
    file: File,
    written: Mutex<Written>,
}

/// What this run has added.
#[derive(Debug, Default)]
struct Written {
    /// What was accepted: the same message may lie in two folders.
    accepted: HashSet<Digest>,
    /// Of the file.
    length: u64,
}

/// When the same bytes were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceptance {
    Before,
    InThisRun,
}

impl Journal {
    /// Opens a journal, or begins one. A last line that was torn by a crash is cut off.
    ///
    /// # Errors
    ///
    /// When the file cannot be read and written, is no journal, or another run has it.
    pub(crate) fn open(path: &Path, endpoint: &str) -> Result<Self, String> {
        let complain = |error: &io::Error| format!("{}: {}", path.display(), plain(error));
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| complain(&error))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(format!("{}: is not a regular file", path.display()));
        }
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| format!("{}: another run writes to it", path.display()))?;
        let mut accepted = HashSet::new();
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        let mut whole = 0;
        for number in 1_u64.. {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(|error| complain(&error))?;
            if line.last() != Some(&b'\n') {
                break;
            }
            let (digest, of) = read(&line)
                .ok_or_else(|| format!("{}, line {number}: is no line of a journal", path.display()))?;
            if of == endpoint.as_bytes() {
                accepted.insert(digest);
            }
            whole += length as u64;
        }
        if !line.is_empty() {
            // Torn by a crash. What holds no line of a journal is not touched: it could be anything.
            if whole == 0 {
                return Err(format!("{}, line 1: is no line of a journal", path.display()));
            }
            file.set_len(whole).map_err(|error| complain(&error))?;
        }
        Ok(Self {
            accepted,
            endpoint: endpoint.to_owned(),
            file,
            written: Mutex::new(Written { accepted: HashSet::new(), length: whole }),
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an earlier run, or this one, had these bytes accepted.
    pub(super) fn knows(&self, digest: &Digest) -> Option<Acceptance> {
        if self.accepted.contains(digest) {
            return Some(Acceptance::Before);
        }
        self.written().accepted.contains(digest).then_some(Acceptance::InThisRun)
    }

    /// Writes down that the bytes with this digest were accepted: the whole line or nothing, for a full disk may take the beginning, and
    /// room for another line after it. A kill(1) does not lose it any more; a power failure may until [`Journal::sync`] has returned.
    ///
    /// # Errors
    ///
    /// When that cannot be written: then the message may be sent again, which is harmless while Action Mailbox remembers.
    pub(super) fn write(&self, digest: &Digest, message_id: &str) -> io::Result<()> {
        let line = format!("{} {} {} {message_id}\n", hex::encode(digest), now(), self.endpoint);
        let mut written = self.written();
        (&self.file).write_all(line.as_bytes()).inspect_err(|_| {
            let _ = self.file.set_len(written.length);
        })?;
        written.length += line.len() as u64;
        written.accepted.insert(*digest);
        Ok(())
    }

    /// Waits until all that was written is on disk.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The digest of a message as it is sent, and of the recipient, when that goes beside it.
pub(super) fn digest_of(wire_message: &WireMessage) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(&wire_message.bytes);
    if let Some(recipient) = &wire_message.recipient {
        context.update(b"\0");
        context.update(recipient.as_bytes());
    }
    let mut hash = Digest::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Digest and endpoint of a line.
fn read(line: &[u8]) -> Option<(Digest, &[u8])> {
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let mut digest = Digest::default();
    hex::decode_to_slice(words.next()?, &mut digest).ok()?;
    let seconds = words.next()?;
    let endpoint = words.next()?;
    (!seconds.is_empty() && seconds.iter().all(u8::is_ascii_digit)).then_some((digest, endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ENDPOINT: &str = "https://x/rails/action_mailbox/relay/inbound_emails";

    fn wire_message(bytes: &[u8]) -> WireMessage {
        WireMessage { bytes: bytes.to_vec().into(), ..WireMessage::default() }
    }

    fn knows(journal: &Journal, bytes: &[u8]) -> bool {
        journal.knows(&digest_of(&wire_message(bytes))).is_some()
    }

    #[test]
    fn what_was_accepted_is_known_to_the_next_run_and_to_no_other_endpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path, ENDPOINT).unwrap();
        journal.write(&digest_of(&wire_message(b"one")), "<1@x y>").unwrap();
        assert!(knows(&journal, b"one"));
        drop(journal);
        let journal = Journal::open(&path, ENDPOINT).unwrap();
        assert!(knows(&journal, b"one") && !knows(&journal, b"two"));
        drop(journal);
        assert!(!knows(&Journal::open(&path, "https://y").unwrap(), b"one"));
    }

    #[test]
    fn a_torn_last_line_is_repaired_wherever_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        Journal::open(&path, ENDPOINT).unwrap().write(&digest_of(&wire_message(b"one")), "<1@x>").unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 1..whole.len() {
            fs::write(&path, [&whole, &whole[..length]].concat()).unwrap();
            let journal = Journal::open(&path, ENDPOINT).unwrap();
            journal.write(&digest_of(&wire_message(b"two")), "<2@x>").unwrap();
            drop(journal);
            let again = Journal::open(&path, ENDPOINT);
            let journal = again.unwrap();
            assert!(knows(&journal, b"one") && knows(&journal, b"two"), "{length}");
        }
    }

    #[test]
    fn two_runs_cannot_share_a_journal_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let _journal = Journal::open(&path, ENDPOINT).unwrap();
        assert!(Journal::open(&path, ENDPOINT).unwrap_err().ends_with("another run writes to it"));
        let wire_message = folder.path().join("wire_message");
        fs::write(&wire_message, "Dear Sir,\nhello\n").unwrap();
        assert!(
            Journal::open(&wire_message, ENDPOINT).unwrap_err().ends_with("line 1: is no line of a journal")
        );
        assert_eq!(fs::read(&wire_message).unwrap(), b"Dear Sir,\nhello\n");
        fs::write(&wire_message, "cafe01").unwrap();
        assert!(
            Journal::open(&wire_message, ENDPOINT).unwrap_err().ends_with("line 1: is no line of a journal")
        );
        assert_eq!(fs::read(&wire_message).unwrap(), b"cafe01");
    }
}
