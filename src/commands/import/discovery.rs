//! What lies at the paths that were named: Maildirs, mboxes, single messages and folders of them, told apart by looking.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mbox;
use super::source::{Mbox, MessageSource};
use crate::delivery::stdin;
use crate::io_error::plain;
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::{message, route};

/// A message that was found, and what its surroundings say of its time.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) source: MessageSource,
    pub(super) date: Option<i64>,
}

/// What discovery meets.
#[derive(Clone, Debug)]
pub(crate) enum Met {
    Message(Found),
    /// Cannot be read or is no message, although it should be one: what and why.
    Unreadable(String, String),
    /// Lies in a folder, but is no mail.
    Foreign,
}

/// Walks the paths in order; `each` sees what is met. Folders are read in the order of their names. `-` is an mbox, or a message, on
/// standard input.
pub(crate) fn discover(paths: &[PathBuf], mut each: impl FnMut(Met)) {
    let mut walk = Walk { seen: HashSet::new(), each: &mut each };
    for path in paths {
        if path == Path::new("-") {
            walk.standard_input();
        } else {
            walk.path(path, Named::ByTheUser);
        }
    }
}

/// Who named a path: what the user names must be mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByTheUser,
    ByItsFolder,
}

struct Walk<'a> {
    /// Folders that were entered, by device and inode: a symbolic link may lead back.
    seen: HashSet<(u64, u64)>,
    each: &'a mut dyn FnMut(Met),
}

impl Walk<'_> {
    fn path(&mut self, path: &Path, named: Named) {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                if self.seen.insert((metadata.dev(), metadata.ino())) {
                    self.folder(path);
                }
            }
            Ok(metadata) if metadata.is_file() => self.file(path, &metadata, named),
            Ok(_) if named == Named::ByItsFolder => (self.each)(Met::Foreign),
            Ok(_) => self.unreadable(
                path.display().to_string(),
                "is neither a file nor a folder: pipe it in, and name - in its place",
            ),
            Err(error) => self.unreadable(path.display().to_string(), &plain(&error)),
        }
    }

    fn folder(&mut self, path: &Path) {
        let is_maildir = path.join("cur").is_dir() && path.join("new").is_dir();
        match sorted(path) {
            Ok(names) if is_maildir => self.maildir(path, &names),
            Ok(names) => names.iter().for_each(|name| self.path(name, Named::ByItsFolder)),
            Err(error) => self.unreadable(path.display().to_string(), &plain(&error)),
        }
    }

    /// The messages in `new` and `cur`, then the folders below; what else lies there belongs to the mail server.
    fn maildir(&mut self, path: &Path, names: &[PathBuf]) {
        for part in ["new", "cur"] {
            let part = path.join(part);
            match sorted(&part) {
                Ok(messages) => messages.iter().for_each(|message| self.stored(message)),
                Err(error) => self.unreadable(part.display().to_string(), &plain(&error)),
            }
        }
        let own = |name: &&PathBuf| ["new", "cur", "tmp"].iter().any(|part| name.ends_with(part));
        for folder in names.iter().filter(|name| name.is_dir()).filter(|name| !own(name)) {
            self.path(folder, Named::ByItsFolder);
        }
    }

    /// A file in a Maildir: a message whatever it holds.
    fn stored(&mut self, path: &Path) {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => self.message(path, &metadata),
            Ok(_) => (self.each)(Met::Foreign),
            Err(error) => self.unreadable(path.display().to_string(), &plain(&error)),
        }
    }

    fn message(&mut self, path: &Path, metadata: &fs::Metadata) {
        (self.each)(Met::Message(Found {
            source: MessageSource::File(path.to_owned()),
            date: Some(metadata.mtime()),
        }));
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata, named: Named) {
        let name = path.display().to_string();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return self.unreadable(name, &plain(&error)),
        };
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let must_be_mail = named == Named::ByTheUser || extension == "eml" || extension == "msg";
        match kind(&file) {
            Ok(Kind::Mbox) => self.mbox(name, file),
            Ok(Kind::Message) => self.message(path, metadata),
            Ok(Kind::Doubtful) if must_be_mail => self.message(path, metadata),
            Ok(Kind::Outlook) => self.unreadable(name, "is a message of Outlook's own form: save it as .eml"),
            Ok(Kind::Empty) if extension != "eml" && extension != "msg" => {}
            Ok(Kind::Empty) => self.unreadable(name, "is empty"),
            Ok(Kind::Foreign) if must_be_mail => self.unreadable(name, "is neither an mbox nor a message"),
            Ok(Kind::Foreign | Kind::Doubtful) => (self.each)(Met::Foreign),
            Err(error) => self.unreadable(name, &plain(&error)),
        }
    }

    /// Keeps what comes in a file without a name: messages are read from where they lie.
    fn standard_input(&mut self) {
        let name = "standard input".to_owned();
        let spooled = tempfile::tempfile().and_then(|mut file| {
            io::copy(&mut io::stdin().lock(), &mut file)?;
            file.rewind()?;
            Ok(file)
        });
        match spooled.and_then(|file| Ok((kind(&file)?, file))) {
            Ok((Kind::Mbox, file)) => self.mbox(name, file),
            Ok((Kind::Message | Kind::Doubtful, file)) => {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                self.slice(
                    &Arc::new(Mbox { name, file, quoted: false }),
                    mbox::Slice { offset: 0, length, date: None },
                );
            }
            Ok((Kind::Empty, _)) => {}
            Ok((Kind::Foreign | Kind::Outlook, _)) => {
                self.unreadable(name, "is neither an mbox nor a message");
            }
            Err(error) => self.unreadable(name, &plain(&error)),
        }
    }

    fn mbox(&mut self, name: String, file: File) {
        let mbox = Arc::new(Mbox { name, file, quoted: true });
        let reader = BufReader::with_capacity(1 << 18, &mbox.file);
        if let Err(error) = mbox::scan(reader, |slice| self.slice(&mbox, slice)) {
            self.unreadable(mbox.name.clone(), &plain(&error));
        }
    }

    fn slice(&mut self, mbox: &Arc<Mbox>, slice: mbox::Slice) {
        let mbox::Slice { offset, length, date } = slice;
        let source = MessageSource::Mbox { mbox: Arc::clone(mbox), offset, length };
        (self.each)(Met::Message(Found { source, date }));
    }

    fn unreadable(&mut self, what: String, why: &str) {
        (self.each)(Met::Unreadable(what, why.to_owned()));
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Empty,
    Mbox,
    Message,
    /// Has a header, of fields that mail does not have.
    Doubtful,
    /// An OLE compound file.
    Outlook,
    Foreign,
}

/// Looks at the beginning of a file, and goes back to it.
fn kind(mut file: &File) -> io::Result<Kind> {
    const LOOK: u64 = 16 * 1024;
    let mut head = Vec::new();
    file.take(LOOK).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(kind_of(&head))
}

fn kind_of(head: &[u8]) -> Kind {
    const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    if head.is_empty() {
        Kind::Empty
    } else if mbox::begins(head) {
        Kind::Mbox
    } else if head.starts_with(OLE) {
        Kind::Outlook
    } else {
        kind_of_text(head)
    }
}

fn kind_of_text(head: &[u8]) -> Kind {
    const FIELDS: [&str; 8] =
        ["From", "To", "Subject", "Date", "Received", "Message-ID", "Return-Path", "Delivered-To"];
    let Ok(head) = stdin::from_reader(head, head.len() as u64, ExtraReturns::Mend, u64::MAX) else {
        return Kind::Foreign;
    };
    let header = route::header_of(&head.bytes);
    if FIELDS.iter().any(|name| header.named(name).next().is_some()) {
        Kind::Message
    } else if message::has_header(&head.bytes) {
        Kind::Doubtful
    } else {
        Kind::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// What was met, in order.
    fn met(folder: &tempfile::TempDir, name: &str) -> Vec<String> {
        let mut met = Vec::new();
        let root = format!("{}/", folder.path().display());
        discover(&[folder.path().join(name)], |what| {
            met.push(match what {
                Met::Message(found) => found.source.to_string().replace(&root, ""),
                Met::Unreadable(what, why) => format!("{}: {why}", what.replace(&root, "")),
                Met::Foreign => "foreign".to_owned(),
            });
        });
        met
    }

    const MESSAGE: &str = "From: a@b\nSubject: x\n\nhello\n";

    #[test]
    fn a_maildir_is_its_messages_and_its_folders() {
        let folder = tree(&[
            ("m/cur/2:2,S", MESSAGE),
            ("m/new/1", MESSAGE),
            ("m/tmp/0", MESSAGE),
            ("m/dovecot-uidlist", "3 V1\n"),
            ("m/.Sent/cur/3:2,", MESSAGE),
            ("m/.Sent/new/4", MESSAGE),
            ("m/nested/cur/5", MESSAGE),
            ("m/nested/new/6", MESSAGE),
        ]);
        assert_eq!(
            met(&folder, "m"),
            [
                "m/new/1",
                "m/cur/2:2,S",
                "m/.Sent/new/4",
                "m/.Sent/cur/3:2,",
                "m/nested/new/6",
                "m/nested/cur/5"
            ]
        );
    }

    #[test]
    fn a_folder_is_walked_in_the_order_of_names() {
        let mbox = format!(
            "From a@b Mon Nov 23 15:25:56 2026\n{MESSAGE}\nFrom a@b Mon Nov 23 15:25:57 2026\n{MESSAGE}"
        );
        let folder = tree(&[
            ("b.eml", MESSAGE),
            ("a/c.EML", MESSAGE),
            ("a/1", MESSAGE),
            ("notes.txt", "buy: milk\n"),
            ("broken.eml", "no header here\n"),
            ("empty.eml", ""),
            ("empty", ""),
            ("inbox", &mbox),
            ("outlook.msg", "\u{0}"),
        ]);
        fs::write(folder.path().join("outlook.msg"), b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        assert_eq!(
            met(&folder, ""),
            [
                "a/1",
                "a/c.EML",
                "b.eml",
                "broken.eml: is neither an mbox nor a message",
                "empty.eml: is empty",
                "inbox, byte 34",
                "inbox, byte 97",
                "foreign",
                "outlook.msg: is a message of Outlook's own form: save it as .eml",
            ]
        );
    }

    #[test]
    fn what_the_user_names_must_be_there_and_be_mail() {
        let folder = tree(&[("notes.txt", "buy milk\n"), ("message", MESSAGE)]);
        assert_eq!(met(&folder, "message"), ["message"]);
        assert_eq!(met(&folder, "notes.txt"), ["notes.txt: is neither an mbox nor a message"]);
        assert_eq!(met(&folder, "nothing"), ["nothing: no such file or directory"]);
    }
}
