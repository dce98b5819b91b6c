//! How often a message was answered in a way that may have left it stored but unrouted: one small file for each such message in
//! `state_dir`, there from the first such answer until the message is delivered.
//!
//! The files lie in a folder that is there only while there is one of them: a delivery looks for the folder, and no further when there is
//! none. They are written beside their place and renamed, so that a crash leaves the old number or the new one.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use crate::clock::now;
use crate::io_error::plain;
use crate::open::open_without_waiting;
use crate::settings::Settings;
use chatwoot_mail::wire_message::WireMessage;

/// The folder below `state_dir`.
const FOLDER: &str = "attempts";
/// In seconds: longer than any mail server keeps a message (35 days).
const KEPT: u64 = 35 * 24 * 60 * 60;
/// How many files are looked at to find forgotten ones, each time that there is something to do here.
const SWEPT_AT_ONCE: usize = 32;

/// The count of one message for one recipient at one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct AttemptCount {
    /// Nothing where no state is kept.
    folder: Option<PathBuf>,
    name: Option<String>,
    /// Sent so often before, with an answer after which it may be stored.
    pub(crate) earlier: u32,
    /// Why the count cannot be read or written, and what that risks.
    pub(crate) notice: Option<String>,
}

impl AttemptCount {
    /// Looks the message up, in the form in which it is sent the first time.
    pub(crate) fn look_up(settings: &Settings, message: &WireMessage) -> Self {
        let folder = settings.state_dir.as_ref().map(|state| state.join(FOLDER));
        let mut count = Self { folder, name: None, earlier: 0, notice: None };
        let Some(folder) = &count.folder else { return count };
        match fs::metadata(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return count,
            Err(error) => {
                count.notice = Some(unusable(folder, &error));
                return count;
            }
            Ok(_) => sweep(folder, now()),
        }
        let name = name_of(settings, message);
        match read(&folder.join(&name)) {
            Ok(number) => count.earlier = number,
            Err(error) => count.notice = Some(unusable(folder, &error)),
        }
        count.name = Some(name);
        count
    }

    /// Counts an attempt after which the message may be stored.
    pub(crate) fn add(&mut self, settings: &Settings, message: &WireMessage) {
        self.earlier = self.earlier.saturating_add(1);
        let written = self.write(settings, message);
        if let (Err(error), Some(folder)) = (written, &self.folder) {
            self.notice = Some(unusable(folder, &error));
        }
    }

    /// Forgets a message that was delivered.
    pub(crate) fn forget(&self) {
        if let (Some(folder), Some(name), 1..) = (&self.folder, &self.name, self.earlier) {
            // One that stays is of no harm: nobody sends this message again.
            let _ = fs::remove_file(folder.join(name));
            // Succeeds with the last one.
            let _ = fs::remove_dir(folder);
        }
    }

    fn write(&mut self, settings: &Settings, message: &WireMessage) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let name = self.name.get_or_insert_with(|| name_of(settings, message));
        match write(folder, name, self.earlier) {
            // Another delivery has just removed the folder with its last file.
            Err(error) if error.kind() == ErrorKind::NotFound => write(folder, name, self.earlier),
            written => written,
        }
    }
}

fn unusable(folder: &Path, error: &io::Error) -> String {
    let state = folder.parent().unwrap_or(folder).display();
    format!(
        "state_dir {state} cannot be used ({}): a message that Chatwoot stored without showing it is lost when it is sent again",
        plain(error)
    )
}

/// The SHA-256 of everything that makes a record of the message, in hex.
fn name_of(settings: &Settings, message: &WireMessage) -> String {
    let mut digest = Context::new(&SHA256);
    for part in [settings.endpoint.url().as_str(), message.recipient.as_deref().unwrap_or_default()] {
        digest.update(part.as_bytes());
        digest.update(b"\n");
    }
    digest.update(&message.bytes);
    hex::encode(digest.finish())
}

/// The number in a file, 0 when there is none. One that is no number says at least that there was an attempt.
fn read(path: &Path) -> io::Result<u32> {
    let file = match open_without_waiting(File::options().read(true), path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(16).read_to_end(&mut text)?;
    let number = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
    Ok(number.unwrap_or(1))
}

fn write(folder: &Path, name: &str, number: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    sweep(folder, now());
    let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(folder)?;
    writeln!(file, "{number}")?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Removes files of messages that no mail server has any more.
fn sweep(folder: &Path, now: u64) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.take(SWEPT_AT_ONCE).flatten() {
        let modified = entry.metadata().ok().and_then(|metadata| u64::try_from(metadata.mtime()).ok());
        if modified.is_some_and(|modified| modified.saturating_add(KEPT) < now) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatwoot_mail::environment::Environment;

    fn settings(state: &Path) -> Settings {
        let mut settings =
            Settings::for_rehearsal("http://127.0.0.1:1", None, &Environment::default()).unwrap();
        settings.state_dir = Some(state.to_owned());
        settings
    }

    fn message(text: &str) -> WireMessage {
        WireMessage { bytes: text.to_owned().into(), converted: false, recipient: None }
    }

    /// The count that a further run finds after one more attempt that may have stored it.
    fn added(settings: &Settings, text: &str) -> u32 {
        let message = message(text);
        let mut count = AttemptCount::look_up(settings, &message);
        count.add(settings, &message);
        assert_eq!(count.notice, None);
        AttemptCount::look_up(settings, &message).earlier
    }

    #[test]
    fn what_may_be_stored_is_counted_from_run_to_run_until_it_is_delivered() {
        let state = tempfile::tempdir().unwrap();
        let settings = settings(state.path());
        assert_eq!([added(&settings, "a"), added(&settings, "a"), added(&settings, "b")], [1, 2, 1]);
        for text in ["a", "b"] {
            AttemptCount::look_up(&settings, &message(text)).forget();
            assert_eq!(AttemptCount::look_up(&settings, &message(text)).earlier, 0);
        }
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn other_recipients_and_endpoints_have_counts_of_their_own() {
        let state = tempfile::tempdir().unwrap();
        let settings = settings(state.path());
        let beside = |recipient: &str| WireMessage { recipient: Some(recipient.to_owned()), ..message("a") };
        let mut count = AttemptCount::look_up(&settings, &beside("a@x"));
        count.add(&settings, &beside("a@x"));
        assert_eq!(AttemptCount::look_up(&settings, &beside("a@x")).earlier, 1);
        assert_eq!(AttemptCount::look_up(&settings, &beside("b@x")).earlier, 0);
    }

    #[test]
    fn only_the_user_itself_can_read_it() {
        let state = tempfile::tempdir().unwrap();
        let settings = settings(&state.path().join("made"));
        assert_eq!(added(&settings, "a"), 1);
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        let folder = state.path().join("made").join(FOLDER);
        assert_eq!((mode(&state.path().join("made")), mode(&folder)), (0o700, 0o700));
        for entry in fs::read_dir(folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_file_that_is_no_number_counts_as_one_attempt() {
        let state = tempfile::tempdir().unwrap();
        let settings = settings(state.path());
        added(&settings, "a");
        let file = state.path().join(FOLDER).join(name_of(&settings, &message("a")));
        for content in ["", "nonsense", "-5", "99999999999999999999"] {
            fs::write(&file, content).unwrap();
            assert_eq!(AttemptCount::look_up(&settings, &message("a")).earlier, 1, "{content}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let state = tempfile::NamedTempFile::new().unwrap();
        let settings = settings(state.path());
        let mut count = AttemptCount::look_up(&settings, &message("a"));
        count.add(&settings, &message("a"));
        assert!(count.notice.is_some_and(|notice| notice.contains("cannot be used (")));
        assert_eq!(count.earlier, 1, "within the run it counts");
    }

    #[test]
    fn old_files_are_removed_and_young_ones_stay() {
        let state = tempfile::tempdir().unwrap();
        for number in 0..3 {
            fs::write(state.path().join(number.to_string()), "1\n").unwrap();
        }
        sweep(state.path(), now() + KEPT - 60);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 3);
        sweep(state.path(), now() + KEPT + 60);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
