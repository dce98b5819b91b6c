//! What was not delivered, as files that can be imported again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Place;
use crate::log::sanitized;

/// A folder with a file `NUMBER.eml` for each message that was not delivered, and `list.tsv`, which says of each where it lay and why.
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
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let list = File::options().append(true).create(true).open(folder.join("list.tsv"))?;
        Ok(Self { folder: folder.to_owned(), state: Mutex::new(State { next: 1, kept: 0, list }) })
    }

    /// Copies a message, byte for byte as it was stored.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub(super) fn keep(&self, place: &Place, why: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, mut file) = loop {
            let name = format!("{:06}.eml", state.next);
            state.next += 1;
            match File::create_new(self.folder.join(&name)) {
                Ok(file) => break (name, file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        io::copy(&mut place.raw()?, &mut file)?;
        state.kept += 1;
        writeln!(state.list, "{name}\t{}\t{}", sanitized(&place.to_string()), sanitized(why))
    }

    /// How many messages this run has copied.
    pub(crate) fn kept(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).kept
    }
}
