//! `ingress import` into a real Action Mailbox: every message becomes one record, whatever happens on the way.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, PASSWORD};
use crate::support::guard::Guard;
use crate::support::{Ingress, binary, eventually};

const MESSAGES: usize = 2_000;
const KILLS: usize = 5;

/// Writes an mbox of messages that say different things to two inboxes, some of which need a repair.
fn store(folder: &Folder) -> String {
    let mut mbox = String::new();
    for number in 0..MESSAGES {
        let (minutes, seconds) = (number / 60, number % 60);
        let to = ["support@example.com", "Help: Desk <sales@example.com>"][number % 2];
        let body = "a line of the message\n".repeat(1 + number * 7 % 90);
        write!(
            mbox,
            "From a@example.org Thu Jan  1 10:{minutes:02}:{seconds:02} 2026\n\
             From: Ann <a@example.org>\nTo: {to}\nSubject: Message {number}\n\
             Date: Thu, 01 Jan 2026 10:{minutes:02}:{seconds:02} +0000\nMessage-ID: <{number}@example.org>\n\
             MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n>From number {number}\n{body}\n"
        )
        .unwrap();
    }
    fs::write(folder.join("mbox"), mbox).unwrap();
    folder.shown("mbox")
}

fn journaled(folder: &Folder) -> usize {
    fs::read_to_string(folder.join("journal")).unwrap_or_default().lines().count()
}

#[test]
fn two_thousand_messages_and_five_kills_are_two_thousand_records() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let (configuration, journal, mbox) =
        (folder.shown("ingress.toml"), folder.shown("journal"), store(&folder));
    let words = ["-c", &configuration, "import", "--journal", &journal, &mbox];
    for kill in 1..=KILLS {
        let mut command = Command::new(binary());
        command.args(words).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        let mut run = Guard::start(&mut command);
        eventually("the import to come further", || {
            assert!(!run.has_exited(), "it ended before it was killed");
            (journaled(&folder) >= kill * MESSAGES / (KILLS + 1)).then_some(())
        });
        run.stop();
    }
    // On standard error it says how far it is.
    let ended = Ingress::new(words).run();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("deferred             0\n"), "{}", ended.stdout);
    let routed = server.routed(MESSAGES);
    let ids: BTreeSet<&str> = routed.iter().map(|routed| routed.message_id.as_str()).collect();
    assert_eq!((routed.len(), ids.len(), server.records()), (MESSAGES, MESSAGES, MESSAGES));
    for inbox in ["inbox support@example.com", "inbox sales@example.com"] {
        assert_eq!(routed.iter().filter(|routed| routed.route == inbox).count(), MESSAGES / 2);
    }
    let posts = server.posts();
    assert!((MESSAGES..=MESSAGES + KILLS * 4).contains(&posts), "{posts} posts");
}

#[test]
fn a_message_piped_and_imported_is_one_record() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let configuration = folder.shown("ingress.toml");
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/messages");
    let mut files = 0;
    for entry in fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            files += 1;
            Ingress::new(["-c", &configuration]).stdin(fs::read(path).unwrap()).run().assert_delivered();
        }
    }
    assert_eq!(server.routed(files).len(), files);
    let ended = Ingress::new(["-c", &configuration, "import", samples]).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert_eq!((server.routed(files).len(), server.records(), server.posts()), (files, files, 2 * files));
}
