//! What was not delivered, as files that can be imported again.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::source::MessageSource;
use crate::io_error::plain;
use crate::log::sanitized;

/// A folder with a file `NUMBER.eml` for each message that was not delivered, and `list.tsv`, which says of each where it lay and why;
/// of what cannot be copied, too.
#[derive(Debug)]
pub(crate) struct FailedFolder {
    folder: PathBuf,
    list: Mutex<FailedList>,
}

#[derive(Debug)]
struct FailedList {
    next: u64,
    kept: usize,
    /// Of each message that is listed, by where it lay, its copy and why.
    listed: HashMap<String, (String, String)>,
    file: File,
}

impl FailedFolder {
    /// Makes the folder; one that is there is added to.
    ///
    /// # Errors
    ///
    /// When it cannot be written to.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        // Mail is its owner's alone.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let list = made.and_then(|()| FailedList::open(&folder.join("list.tsv")));
        let list = list.map_err(|error| format!("{}: {}", folder.display(), plain(&error)))?;
        Ok(Self { folder: folder.to_owned(), list: Mutex::new(list) })
    }

    fn list_of_failed(&self) -> MutexGuard<'_, FailedList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies a message, byte for byte as it was stored: the whole of it or nothing, for half a message would be imported like a whole.
    /// One that an earlier run has copied is not copied again.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub(super) fn keep(&self, source: &MessageSource, why: &str) -> io::Result<()> {
        let mut list = self.list_of_failed();
        let what = source.to_string();
        let earlier = list.copy_of(&what).filter(|name| self.is_copy(name, source));
        let copied = earlier.map_or_else(|| self.copy(&mut list, source), Ok);
        match copied {
            Ok(name) => {
                list.kept += 1;
                list.note(&name, &what, why)
            }
            Err(error) => {
                let _ = list.note("-", &what, why);
                Err(error)
            }
        }
    }

    /// Lists what is no message that could be copied.
    pub(crate) fn list(&self, what: &str, why: &str) {
        let _ = self.list_of_failed().note("-", what, why);
    }

    /// Gives the name of the copy.
    fn copy(&self, list: &mut FailedList, source: &MessageSource) -> io::Result<String> {
        let mut message = source.raw()?;
        let (name, mut file) = loop {
            let name = format!("{:06}.eml", list.next);
            list.next += 1;
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

    /// Whether a file in the folder holds this message.
    fn is_copy(&self, name: &str, source: &MessageSource) -> bool {
        let same = || {
            let mut copy = BufReader::new(File::open(self.folder.join(name))?);
            let mut message = BufReader::new(source.raw()?);
            loop {
                let (one, other) = (copy.fill_buf()?, message.fill_buf()?);
                let length = one.len().min(other.len());
                if one.get(..length) != other.get(..length) || (length == 0 && one.len() != other.len()) {
                    return io::Result::Ok(false);
                }
                if length == 0 {
                    return Ok(true);
                }
                copy.consume(length);
                message.consume(length);
            }
        };
        same().unwrap_or(false)
    }

    /// How many messages this run has copied.
    pub(crate) fn kept(&self) -> usize {
        self.list_of_failed().kept
    }
}

impl FailedList {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).append(true).create(true).mode(0o600).open(path)?;
        let mut listed = HashMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            let mut columns = line.splitn(3, '\t').map(str::to_owned);
            if let (Some(name), Some(what), Some(why)) = (columns.next(), columns.next(), columns.next()) {
                listed.insert(what, (name, why));
            }
        }
        Ok(Self { next: 1, kept: 0, listed, file })
    }

    /// The name of the copy of what lay there.
    fn copy_of(&self, what: &str) -> Option<String> {
        let (name, _) = self.listed.get(sanitized(what).as_str())?;
        (name != "-").then(|| name.clone())
    }

    /// Writes a line, unless it stands there.
    fn note(&mut self, name: &str, what: &str, why: &str) -> io::Result<()> {
        let (what, why) = (sanitized(what), sanitized(why));
        if self.listed.get(&what).is_some_and(|listed| listed.0 == name && listed.1 == why) {
            return Ok(());
        }
        writeln!(self.file, "{name}\t{what}\t{why}")?;
        self.listed.insert(what, (name.to_owned(), why));
        Ok(())
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

    /// Each run that was resumed copied everything that failed once more.
    #[test]
    fn what_fails_in_two_runs_is_kept_and_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        let message = tempfile::NamedTempFile::new().unwrap();
        let source = MessageSource::File(message.path().to_owned());
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let lines = || fs::read_to_string(folder.path().join("list.tsv")).unwrap().lines().count();
        for (text, why, wanted) in [
            ("A: 1\n", "deferred", (2, 1)),
            ("A: 1\n", "deferred", (2, 1)),
            ("A: 1\n", "rejected", (2, 2)),
            ("A: 2\n", "rejected", (3, 3)),
        ] {
            fs::write(message.path(), text).unwrap();
            let failed = FailedFolder::open(folder.path()).unwrap();
            failed.keep(&source, why).unwrap();
            failed.list("elsewhere\tx", "unreadable");
            assert_eq!((files(), lines() - 1, failed.kept()), (wanted.0, wanted.1, 1), "{text} {why}");
        }
    }
}
