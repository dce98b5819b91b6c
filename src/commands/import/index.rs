//! All messages that were found, with what decides their order; less than a hundred bytes each, and the names of files.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use super::date;
use super::discovery::{Discovered, FoundMessage, discover};
use super::selection::Selection;
use super::source::MessageSource;
use crate::delivery::stdin;
use chatwoot_mail::envelope::{self, Envelope};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::address::{self, Address};
use chatwoot_mail::message::header::Header;
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::route;

/// A message to be imported.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) source: MessageSource,
    /// Seconds since 1970, UTC.
    pub(super) date: i64,
    /// Entries of the same thread have the same.
    pub(super) thread: u32,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Oldest first.
    pub(crate) entries: Vec<Entry>,
    /// What and why.
    pub(crate) unreadable: Vec<(String, String)>,
    /// Files in folders that are no mail, and what mail servers keep among the mail.
    pub(crate) foreign: usize,
    /// Messages that were not selected.
    pub(crate) not_selected: usize,
    /// Lines of mboxes that look like the beginning of a message, and were taken for text.
    pub(crate) passed_over: Vec<String>,
}

impl Index {
    /// Whether there was nothing that is, or could be, a message.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unreadable.is_empty() && self.not_selected == 0
    }
}

/// Looks at the header of every message at these paths. `progress` is told how many have been looked at.
pub(crate) fn read(paths: &[PathBuf], selection: &Selection, mut progress: impl FnMut(usize)) -> Index {
    let mut index = Index::default();
    let mut threads = Threads::default();
    discover(paths, |discovered| {
        match discovered {
            Discovered::Unreadable(what, why) => index.unreadable.push((what, why)),
            Discovered::PassedOver(what) => index.passed_over.push(what),
            Discovered::Foreign => index.foreign += 1,
            Discovered::Message(found) => match look(&found, selection, &mut threads) {
                Ok(Looked::Wanted(entry)) => index.entries.push(entry),
                Ok(Looked::NotSelected) => index.not_selected += 1,
                Ok(Looked::Foreign) => index.foreign += 1,
                Err(why) => index.unreadable.push((found.source.to_string(), why)),
            },
        }
        progress(index.entries.len() + index.not_selected);
    });
    // Until here each is its own thread, counted in the order in which they were found: equal dates stay in it.
    index.entries.sort_unstable_by_key(|entry| (entry.date, entry.thread));
    for entry in &mut index.entries {
        entry.thread = threads.root(entry.thread);
    }
    index
}

/// What a look at a header says.
enum Looked {
    Wanted(Entry),
    NotSelected,
    Foreign,
}

fn look(found: &FoundMessage, selection: &Selection, threads: &mut Threads) -> Result<Looked, String> {
    let FoundMessage { source, date } = found;
    let head = source.head().map_err(|error| crate::io_error::plain(&error))?;
    if head.is_empty() {
        return Err("is empty".to_owned());
    }
    let head = stdin::from_reader(head.as_slice(), head.len() as u64, ExtraReturns::Repair, u64::MAX)
        .map_err(|failure| failure.detail.into_owned())?;
    let header = route::header_of(&head.bytes);
    if is_folder_data(&header) {
        return Ok(Looked::Foreign);
    }
    let name = match source {
        MessageSource::File(path) => path.file_name().and_then(|name| date::of_maildir_name(name.to_str()?)),
        MessageSource::Mbox { .. } => None,
    };
    let date = date::of_header(&header).or(name).or(*date).unwrap_or_default();
    let envelope = envelope::read_with(&[], None, &Environment::default(), &header);
    if !selection.takes(date, || addresses(&header, &envelope)) {
        return Ok(Looked::NotSelected);
    }
    let thread = threads.of(keys(&header, &envelope));
    Ok(Looked::Wanted(Entry { source: source.clone(), date, thread }))
}

/// Whether it is the first message of an mbox, in which UW-IMAP, Alpine and Dovecot keep what they know of the folder: `DON'T DELETE THIS
/// MESSAGE -- FOLDER INTERNAL DATA`.
fn is_folder_data(header: &Header<'_>) -> bool {
    let mut subjects = header.named("Subject");
    header.named("X-IMAP").next().is_some()
        && subjects.any(|field| field.trimmed().ends_with(b"FOLDER INTERNAL DATA"))
}

/// All addresses that the message names as its recipients.
fn addresses(header: &Header<'_>, envelope: &Envelope) -> Vec<Address> {
    let named = ["To", "Cc"].into_iter().flat_map(|name| header.named(name));
    let in_fields = named.flat_map(|field| address::read(field.value).mailboxes);
    envelope.recipients.iter().cloned().chain(in_fields.map(|mailbox| mailbox.address)).collect()
}

/// What ties a message to others: Message-IDs, its own and those it refers to, and the conversation it replies to.
fn keys(header: &Header<'_>, envelope: &Envelope) -> Vec<u32> {
    let fields = ["Message-ID", "In-Reply-To", "References"].into_iter().flat_map(|name| header.named(name));
    let mut keys: Vec<u32> = fields.flat_map(|field| ids(field.value)).collect();
    let conversations =
        addresses(header, envelope).into_iter().filter_map(|address| route::reply_uuid(address.local()));
    keys.extend(conversations.map(|uuid| hashed(uuid.as_bytes())));
    keys
}

/// What stands between angle brackets.
fn ids(value: &[u8]) -> Vec<u32> {
    let after = value.split(|byte| *byte == b'<').skip(1);
    after.filter_map(|rest| Some(hashed(rest.get(..memchr::memchr(b'>', rest)?)?))).collect()
}

/// Half of a hash, for there may be millions: two that are equal by chance make two threads wait for each other, and nothing worse.
fn hashed(bytes: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// Which messages belong together: a union of all that share a key.
#[derive(Debug, Default)]
struct Threads {
    /// The parent of each message; a root is its own.
    parents: Vec<u32>,
    by_key: HashMap<u32, u32>,
}

impl Threads {
    /// The thread of the next message, which has these keys.
    fn of(&mut self, keys: Vec<u32>) -> u32 {
        let own = u32::try_from(self.parents.len()).unwrap_or(u32::MAX);
        self.parents.push(own);
        for key in keys {
            let other = *self.by_key.entry(key).or_insert(own);
            let (one, other) = (self.root(own), self.root(other));
            if let Some(parent) = self.parents.get_mut(one as usize) {
                *parent = other;
            }
        }
        own
    }

    fn root(&mut self, of: u32) -> u32 {
        let mut at = of;
        while let Some(&parent) = self.parents.get(at as usize) {
            if parent == at {
                break;
            }
            let grandparent = self.parents.get(parent as usize).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(at as usize) {
                *slot = grandparent;
            }
            at = parent;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn indexed(messages: &[&str]) -> (Vec<String>, Vec<u32>) {
        let folder = tempfile::tempdir().unwrap();
        for (number, message) in messages.iter().enumerate() {
            fs::write(folder.path().join(format!("{number}.eml")), message).unwrap();
        }
        let index = read(&[folder.path().to_owned()], &Selection::default(), |_| {});
        let name = |entry: &Entry| entry.source.to_string().rsplit('/').next().unwrap().to_owned();
        (index.entries.iter().map(name).collect(), index.entries.iter().map(|entry| entry.thread).collect())
    }

    #[test]
    fn the_oldest_comes_first_and_equal_dates_stay_in_order() {
        let dated = |date: &str| format!("Date: {date}\n\n");
        let messages = [
            dated("Mon, 23 Nov 2026 10:00:00 +0000"),
            dated("Mon, 23 Nov 2026 10:30:00 +0100"),
            dated("Mon, 23 Nov 2026 10:00:00 +0000"),
            "Received: from a by b; Sun, 22 Nov 2026 10:00:00 +0000\nDate: nonsense\n\n".to_owned(),
        ];
        let (names, _) = indexed(&messages.each_ref().map(String::as_str));
        assert_eq!(names, ["3.eml", "1.eml", "0.eml", "2.eml"]);
    }

    #[test]
    fn messages_that_refer_to_each_other_are_a_thread() {
        const UUID: &str = "5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f";
        let to = format!("Date: Thu, 05 Nov 2026 10:00:00 +0000\nTo: reply+{UUID}@x\nMessage-ID: <e@x>\n\n");
        let in_capitals = format!(
            "Date: Fri, 06 Nov 2026 10:00:00 +0000\nX-Original-To: REPLY+{}@x\n\n",
            UUID.to_uppercase()
        );
        let (names, threads) = indexed(&[
            "Date: Sun, 01 Nov 2026 10:00:00 +0000\nMessage-ID: <a@x>\n\n",
            "Date: Mon, 02 Nov 2026 10:00:00 +0000\nMessage-ID: <b@x>\n\n",
            "Date: Tue, 03 Nov 2026 10:00:00 +0000\nMessage-ID: <c@x>\nReferences: <z@x>\n <a@x>\n\n",
            "Date: Wed, 04 Nov 2026 10:00:00 +0000\nIn-Reply-To: <c@x>\n\n",
            &to,
            &in_capitals,
        ]);
        assert_eq!(names.len(), 6);
        assert_eq!((threads[0], threads[2]), (threads[2], threads[3]));
        assert_ne!(threads[0], threads[1]);
        assert_eq!(threads[4], threads[5]);
        assert_ne!(threads[4], threads[0]);
    }
}
