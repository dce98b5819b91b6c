//! What lies at the paths that were named: Maildirs, mboxes, single messages and folders of them, told apart by looking.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compression::{Compression, Decompressed, MAGIC};
use super::file_kind::{FileKind, LOOK};
use super::mbox;
use super::source::{Mbox, MessageSource};
use crate::io_error::plain;
use chatwoot_mail::mbox::{Form, Lead, MboxEvent, Slice, emlx};

/// A message that was found, and what its surroundings say of its time.
#[derive(Clone, Debug)]
pub(crate) struct FoundMessage {
    pub(crate) source: MessageSource,
    pub(super) date: Option<i64>,
}

/// What discovery meets.
#[derive(Clone, Debug)]
pub(crate) enum Discovered {
    Message(FoundMessage),
    /// A line in an mbox that looks like the beginning of a message, and was taken for text.
    PassedOver(String),
    /// Cannot be read or is no message, although it should be one: what and why.
    Unreadable(String, String),
    /// Lies in a folder, but is no mail.
    Foreign,
}

/// Walks the paths in order; `each` sees what is met. Folders are read in the order of their names. `-` is an mbox, or a message, on
/// standard input.
pub(crate) fn discover(paths: &[PathBuf], mut each: impl FnMut(Discovered)) {
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
    each: &'a mut dyn FnMut(Discovered),
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
            Ok(_) if named == Named::ByItsFolder => (self.each)(Discovered::Foreign),
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
            Ok(_) => (self.each)(Discovered::Foreign),
            Err(error) => self.unreadable(path.display().to_string(), &plain(&error)),
        }
    }

    fn message(&mut self, path: &Path, metadata: &fs::Metadata) {
        (self.each)(Discovered::Message(FoundMessage {
            source: MessageSource::File(path.to_owned()),
            date: Some(metadata.mtime()),
        }));
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata, named: Named) {
        if named == Named::ByItsFolder && is_kept_by_a_mail_server(path) {
            return (self.each)(Discovered::Foreign);
        }
        let must_be_mail = named == Named::ByTheUser || is_named_like_a_message(path);
        let name = path.display().to_string();
        let (kind, file) = match File::open(path).and_then(looked_at) {
            Ok(looked) => looked,
            Err(error) => return self.unreadable(name, &plain(&error)),
        };
        match kind {
            FileKind::Mailbox(form) => match file.decompressed() {
                Ok(file) => self.mbox(name, file, form),
                Err(error) => self.unreadable(name, &plain(&error)),
            },
            FileKind::Message => self.message(path, metadata),
            FileKind::Doubtful if must_be_mail => self.message(path, metadata),
            FileKind::Elsewhere(advice) => self.unreadable(name, advice),
            FileKind::Container(advice) if must_be_mail => self.unreadable(name, advice),
            FileKind::Empty if !has_extension_of_a_message(path) => {}
            FileKind::Empty => self.unreadable(name, "is empty"),
            FileKind::Foreign if must_be_mail => self.unreadable(name, NO_MAIL),
            FileKind::Foreign | FileKind::Doubtful | FileKind::Container(_) => {
                (self.each)(Discovered::Foreign);
            }
        }
    }

    /// Keeps what comes in a file without a name: messages are read from where they lie.
    fn standard_input(&mut self) {
        let name = "standard input".to_owned();
        let looked = spooled(&mut io::stdin().lock()).and_then(looked_at);
        match looked.and_then(|(kind, file)| Ok((kind, file.decompressed()?))) {
            Ok((FileKind::Mailbox(form), file)) => self.mbox(name, file, form),
            Ok((FileKind::Message | FileKind::Doubtful, file)) => {
                let (offset, length) = range_of_message(&file);
                let lead = Lead::default();
                let slice = Slice { offset, length, date: None, lead };
                self.slice(&Arc::new(Mbox { name, file, form: None }), slice);
            }
            Ok((FileKind::Empty, _)) => {}
            Ok((FileKind::Elsewhere(advice) | FileKind::Container(advice), _)) => {
                self.unreadable(name, advice);
            }
            Ok((FileKind::Foreign, _)) => self.unreadable(name, NO_MAIL),
            Err(error) => self.unreadable(name, &plain(&error)),
        }
    }

    fn mbox(&mut self, name: String, file: File, form: Form) {
        let mbox = Arc::new(Mbox { name, file, form: Some(form) });
        let reader = BufReader::with_capacity(1 << 18, &mbox.file);
        let scanned = mbox::scan(reader, form, |event| match event {
            MboxEvent::Message(slice) => self.slice(&mbox, slice),
            MboxEvent::PassedOver(offset) => {
                (self.each)(Discovered::PassedOver(format!("{}, byte {offset}", mbox.name)));
            }
        });
        if let Err(error) = scanned {
            self.unreadable(mbox.name.clone(), &plain(&error));
        }
    }

    fn slice(&mut self, mbox: &Arc<Mbox>, slice: Slice) {
        let Slice { offset, length, date, lead } = slice;
        let source = MessageSource::Mbox { mbox: Arc::clone(mbox), offset, length, lead };
        (self.each)(Discovered::Message(FoundMessage { source, date }));
    }

    fn unreadable(&mut self, what: String, why: &str) {
        (self.each)(Discovered::Unreadable(what, why.to_owned()));
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

const NO_MAIL: &str = "is neither an mbox nor a message";

/// What mail servers and readers keep among the messages of MH and Cyrus folders; a comma stands before what was deleted.
fn is_kept_by_a_mail_server(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.starts_with(b",") || name.starts_with(b"cyrus.") || name == b".mh_sequences"
}

/// `.eml` and its like, and the numbers of MH (`12`) and Cyrus (`12.`).
fn is_named_like_a_message(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let number = name.strip_suffix(b".").unwrap_or(name);
    has_extension_of_a_message(path) || (!number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn has_extension_of_a_message(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["eml", "emlx", "msg"].iter().any(|known| extension == *known)
}

/// A file that stands at its beginning.
struct Rewound {
    file: File,
    compression: Option<Compression>,
}

impl Rewound {
    /// The file itself, or what is compressed in it, kept in a file without a name.
    fn decompressed(self) -> io::Result<File> {
        match self.compression {
            Some(compression) => spooled(&mut Decompressed::start(self.file, compression)?),
            None => Ok(self.file),
        }
    }
}

/// Looks at the beginning of a file, or of what is compressed in it, and goes back to it.
fn looked_at(mut file: File) -> io::Result<(FileKind, Rewound)> {
    let mut head = Vec::new();
    (&file).take(LOOK).read_to_end(&mut head)?;
    file.rewind()?;
    let compression = Compression::of(head.get(..MAGIC).unwrap_or(&head));
    if let Some(compression) = compression {
        head.clear();
        Decompressed::start(file.try_clone()?, compression)?.take(LOOK).read_to_end(&mut head)?;
        file.rewind()?;
    }
    Ok((FileKind::of(&head), Rewound { file, compression }))
}

fn spooled(from: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Where the message lies in a file that is one: the whole, but for what Apple Mail writes around it.
fn range_of_message(file: &File) -> (u64, u64) {
    let mut head = [0; 160];
    let read = file.read_at(&mut head, 0).unwrap_or(0);
    let whole = file.metadata().map_or(0, |metadata| metadata.len());
    emlx(head.get(..read).unwrap_or_default())
        .map_or((0, whole), |range| (range.start, range.end.min(whole).saturating_sub(range.start)))
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
                Discovered::Message(found) => found.source.to_string().replace(&root, ""),
                Discovered::Unreadable(what, why) => format!("{}: {why}", what.replace(&root, "")),
                Discovered::PassedOver(what) => format!("passed over: {}", what.replace(&root, "")),
                Discovered::Foreign => "foreign".to_owned(),
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
                "outlook.msg: is a message of Outlook's own form: msgconvert FILE makes an .eml of it",
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
