//! The journal: a run that ended early, by `kill -9` too, goes on where it was.

use std::collections::BTreeMap;
use std::fs;

use ring::digest::{SHA256, digest};

use super::store::{mbox_of, message, write};
use super::{assert_imported, import, numbers};
use crate::run::eventually;
use crate::server::Server;
use crate::setting::{Setting, on_the_wire};

fn lines(setting: &Setting) -> Vec<String> {
    let journal = fs::read_to_string(setting.path("journal")).unwrap_or_default();
    journal.lines().map(str::to_owned).collect()
}

fn journaled(setting: &Setting, path: &str) -> [String; 3] {
    ["--journal".to_owned(), setting.shown("journal"), path.to_owned()]
}

/// The digest of a message as it is sent, in the journal's form.
fn digest_of(message: &str) -> String {
    hex::encode(digest(&SHA256, &on_the_wire(message)))
}

#[test]
fn a_second_run_sends_nothing_again() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..30);
    for _ in 0..2 {
        assert_imported(&import(&setting, journaled(&setting, &path)).run());
        assert_eq!(server.requests().len(), 30);
        let lines = lines(&setting);
        for number in 0..30 {
            let digest = digest_of(&message(number));
            assert_eq!(lines.iter().filter(|line| line.contains(&digest)).count(), 1, "{number}: {lines:?}");
        }
    }
}

/// Elsewhere it lies in another form, and means the same.
#[test]
fn a_message_is_known_by_what_was_sent_not_by_where_it_lies() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, "mail/1.eml", message(1));
    assert_imported(&import(&setting, journaled(&setting, &path)).run());
    let path = mbox_of(&setting, [1, 2]);
    assert_imported(&import(&setting, journaled(&setting, &path)).run());
    assert_eq!(numbers(&server), [1, 2]);
    // For somebody else it is another message.
    let mut words = journaled(&setting, &path).to_vec();
    words.extend(["-r".to_owned(), "else@example.com".to_owned()]);
    assert_imported(&import(&setting, words).run());
    assert_eq!(server.requests().len(), 4);
}

/// Mail readers copy messages from folder to folder.
#[test]
fn a_message_that_lies_in_two_folders_is_sent_once() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    for name in ["mail/new/1767225601.M1P1.host", "mail/.Archive/new/1767225609.M1P9.host"] {
        write(&setting, name, message(1));
    }
    for folder in ["mail/cur", "mail/.Archive/cur"] {
        fs::create_dir(setting.path(folder)).unwrap();
    }
    let run = || {
        let words = ["--jobs=1".to_owned()].into_iter().chain(journaled(&setting, &setting.shown("mail")));
        let ended = import(&setting, words).run();
        assert_imported(&ended);
        ended.stdout
    };
    let first = run();
    let row = "duplicate            1  the same bytes as another message of this run\n";
    assert!(first.contains(row) && !first.contains("known"), "{first}");
    let second = run();
    assert!(second.contains("known                2  accepted before, says the journal\n"), "{second}");
    assert_eq!((numbers(&server), lines(&setting).len()), (vec![1], 1));
}

#[test]
fn only_what_was_taken_is_in_the_journal() {
    let server = Server::serving(|connection, request| match super::store::number(&request.body) {
        3 => connection.refuse(413, ""),
        _ => connection.take(),
    });
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..6);
    assert_eq!(import(&setting, journaled(&setting, &path)).run().status, Some(65));
    assert!(!lines(&setting).iter().any(|line| line.contains(&digest_of(&message(3)))));
    assert_eq!(import(&setting, journaled(&setting, &path)).run().status, Some(65));
    assert_eq!(numbers(&server).iter().filter(|number| **number == 3).count(), 2);
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn killed_five_times_it_still_delivers_everything_and_hardly_anything_twice() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..600);
    for kill in 1..=5 {
        let mut running = import(&setting, journaled(&setting, &path)).start();
        eventually("the run to come further", || {
            assert!(!running.has_ended(), "it ended before it was killed");
            (lines(&setting).len() >= kill * 80).then_some(())
        });
        running.signal("KILL");
        assert_eq!(running.end().status, None);
    }
    assert_imported(&import(&setting, journaled(&setting, &path)).run());
    let mut sent: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for body in server.bodies() {
        *sent.entry(body).or_default() += 1;
    }
    assert_eq!(sent.len(), 600, "every message, and always with the same bytes");
    let twice: usize = sent.values().map(|times| times - 1).sum();
    assert!(twice <= 5 * 4, "only what was under way when it was killed: {twice}");
    let journal = fs::read_to_string(setting.path("journal")).unwrap();
    for number in 0..600 {
        assert!(journal.contains(&digest_of(&message(number))), "{number}");
    }
}

#[test]
fn a_last_line_that_was_cut_off_counts_as_not_written() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..10);
    assert_imported(&import(&setting, journaled(&setting, &path)).run());
    let journal = fs::read(setting.path("journal")).unwrap();
    for cut in [1, 2, 10, 40, 80] {
        fs::write(setting.path("journal"), &journal[..journal.len() - cut]).unwrap();
        let before = server.requests().len();
        assert_imported(&import(&setting, journaled(&setting, &path)).run());
        assert!(server.requests().len() <= before + 1, "{cut}");
        for number in 0..10 {
            let digest = digest_of(&message(number));
            let whole = lines(&setting).iter().filter(|line| line.contains(&digest)).count();
            assert!(whole >= 1, "{cut}: {number}: {:?}", lines(&setting));
        }
        let before = server.requests().len();
        assert_imported(&import(&setting, journaled(&setting, &path)).run());
        assert_eq!(server.requests().len(), before, "{cut}");
    }
}

#[test]
fn two_runs_cannot_share_a_journal() {
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..3);
    let first = import(&setting, journaled(&setting, &path)).start();
    eventually("the first run's request", || (!server.requests().is_empty()).then_some(()));
    let sent = server.requests().len();
    let ended =
        import(&setting, ["--jobs", "1"].map(str::to_owned).into_iter().chain(journaled(&setting, &path)))
            .run();
    assert_eq!(ended.status, Some(73), "{ended:?}");
    assert!(ended.stderr.contains("journal"), "{ended:?}");
    assert!(server.requests().len() <= sent + 3, "the second run sent nothing");
    drop(first);
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..3);
    let precious = write(&setting, "journal", "my diary\n\nDear diary, today\n");
    let ended = import(&setting, journaled(&setting, &path)).run();
    assert_ne!(ended.status, Some(0), "{ended:?}");
    assert_eq!(fs::read_to_string(precious).unwrap(), "my diary\n\nDear diary, today\n");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_journal_that_cannot_be_made_stops_it_before_anything_is_sent() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..3);
    let nowhere = setting.shown("nowhere/journal");
    let ended = import(&setting, ["--journal", &nowhere, &path]).run();
    assert!(ended.status == Some(73) && ended.stderr.contains(&nowhere), "{ended:?}");
    assert_eq!(server.requests().len(), 0);
}

/// A pipe would be waited for, and a device read without end.
#[test]
fn a_journal_that_is_no_regular_file_stops_it_before_anything_is_sent() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..3);
    for journal in [setting.fifo("pipe"), "/dev/null".to_owned()] {
        import(&setting, ["--journal", &journal, &path]).run().assert(
            73,
            "",
            &format!("ingress: --journal {journal}: is not a regular file\n"),
        );
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_full_disk_leaves_whole_lines_in_the_journal() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..20);
    let words = || ["--jobs=1".to_owned()].into_iter().chain(journaled(&setting, &path));
    let ended = import(&setting, words()).after("trap '' XFSZ; ulimit -f 1", "").run();
    assert_eq!(ended.status, Some(75), "{ended:?}");
    assert!(ended.stderr.contains("the journal cannot be written: file too large\n"), "{ended:?}");
    let whole = fs::read_to_string(setting.path("journal")).unwrap();
    assert!(whole.ends_with('\n'), "{whole}");
    let sent = server.requests().len();
    assert_eq!(lines(&setting).len(), sent - 1, "all but the last");
    assert_imported(&import(&setting, words()).run());
    assert_eq!(server.requests().len(), 21, "only the last is sent again");
}
