//! What was not delivered, as files that can be imported again.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::source::MessageSource;
use crate::io_error::plain;
use crate::log::sanitized;

/// A folder with a file `NUMBER.eml` for each message that was not delivered, and `list.tsv`, which says of each where it lay and why;
/// of what cannot be copied, too.
#[derive(Debug)]
pub(crate) struct FailedFolder {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    kept: usize,
    list: File,
}

impl FailedFolder {
    /// Makes the folder; one that is there is added to.
    ///
    /// # Errors
    ///
    /// When it cannot be written to.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        // Mail is its owner's alone.
        let list = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let list = list
            .and_then(|()| {
                File::options().append(true).create(true).mode(0o600).open(folder.join("list.tsv"))
            })
            .map_err(|error| format!("{}: {}", folder.display(), plain(&error)))?;
        Ok(Self { folder: folder.to_owned(), state: Mutex::new(State { next: 1, kept: 0, list }) })
    }

    /// Copies a message, byte for byte as it was stored: the whole of it or nothing, for half a message would be imported like a whole.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub(super) fn keep(&self, source: &MessageSource, why: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let what = source.to_string();
        match self.copy(&mut state, source) {
            Ok(name) => {
                state.kept += 1;
                state.note(&name, &what, why)
            }
            Err(error) => {
                let _ = state.note("-", &what, why);
                Err(error)
            }
        }
    }

    /// Lists what is no message that could be copied.
    pub(crate) fn list(&self, what: &str, why: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = state.note("-", what, why);
    }

    /// Gives the name of the copy.
    fn copy(&self, state: &mut State, source: &MessageSource) -> io::Result<String> {
        let mut message = source.raw()?;
        let (name, mut file) = loop {
            let name = format!("{:06}.eml", state.next);
            state.next += 1;
            let options = File::options().write(true).create_new(true).mode(0o600).clone();
            match options.open(self.folder.join(&name)) {
                Ok(file) => break (name, file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        if let Err(error) = io::copy(&mut message, &mut file) {
            let _ = fs::remove_file(self.folder.join(&name));
            return Err(error);
        }
        Ok(name)
    }

    /// How many messages this run has copied.
    pub(crate) fn kept(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).kept
    }
}

impl State {
    fn note(&mut self, name: &str, what: &str, why: &str) -> io::Result<()> {
        writeln!(self.list, "{name}\t{}\t{}", sanitized(what), sanitized(why))
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Mbox;
    use super::*;
    use chatwoot_mail::mbox::Lead;
    use std::sync::Arc;

    /// A message of 20 bytes in a file of so many.
    fn cut_short(bytes: usize) -> MessageSource {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&b"A: a message, whole\n"[..bytes]).unwrap();
        let mbox = Arc::new(Mbox { name: "standard input".to_owned(), file, form: None });
        MessageSource::Mbox { mbox, offset: 0, length: 20, lead: Lead::default() }
    }

    #[test]
    fn half_a_message_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let failed = FailedFolder::open(folder.path()).unwrap();
        assert!(failed.keep(&cut_short(10), "rejected").is_err());
        failed.keep(&cut_short(20), "rejected").unwrap();
        assert_eq!(failed.kept(), 1);
        let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
        let lengths: Vec<u64> = files
            .filter(|file| file.file_name() != "list.tsv")
            .map(|file| file.metadata().unwrap().len())
            .collect();
        assert_eq!(lengths, [20]);
    }
}
