//! Messages that are not delivered: which stop the run, which are left aside, and where they are kept for another time.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use super::store::{self, files, mbox, mbox_of, message, write};
use super::{assert_imported, complaints, import, numbers};
use crate::run::Ended;
use crate::server::Server;
use crate::setting::{NOBODY, Setting, on_the_wire};

/// Takes all but these: each number gets its status.
fn refusing(statuses: &'static [(usize, u16)]) -> Server {
    Server::serving(|connection, request| {
        match statuses.iter().find(|(number, _)| *number == store::number(&request.body)) {
            Some((_, status)) => connection.refuse(*status, ""),
            None => connection.take(),
        }
    })
}

#[test]
fn what_will_not_get_better_stops_the_run_at_once() {
    for status in [200, 301, 401, 403, 404, 405, 407, 415] {
        let server = Server::serving(move |connection, _| connection.refuse(status, ""));
        let setting = Setting::new(&server.url(), "");
        let ended = import(&setting, ["--jobs", "2", &mbox_of(&setting, 0..50)]).run();
        assert_eq!(ended.status, Some(75), "{status}: {ended:?}");
        assert!(server.requests().len() <= 2, "{status}: {}", server.requests().len());
        let remedy = setting.log().split_once("remedy=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(&remedy), "{status}: {remedy} in {said}");
    }
}

#[test]
fn a_message_that_is_too_large_is_left_aside() {
    let server = refusing(&[(2, 413)]);
    let setting = Setting::new(&server.url(), "max_size = \"2KiB\"");
    let large = message(3).replace("hello\n", &"a long line, and another one\n".repeat(100));
    let path = write(&setting, "mbox", mbox([message(1), message(2), large, message(4)]));
    let ended = import(&setting, [&path]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    let mut sent = numbers(&server);
    sent.sort_unstable();
    assert_eq!(sent, [1, 2, 4]);
}

#[test]
fn what_may_get_better_is_tried_again_and_then_deferred() {
    let server = refusing(&[(7, 500)]);
    let setting = Setting::new(&server.url(), "");
    let ended = import(&setting, [mbox_of(&setting, 0..20)]).run();
    assert_eq!(ended.status, Some(75), "{ended:?}");
    let sent = numbers(&server);
    assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), 20);
    let tries = sent.iter().filter(|number| **number == 7).count();
    assert!((2..=20).contains(&tries), "{tries}");
    assert_eq!(sent.len(), 19 + tries);
}

#[test]
fn so_many_failures_one_after_the_other_end_the_run() {
    let server = Server::serving(|connection, _| connection.refuse(500, ""));
    let setting = Setting::new(&server.url(), "");
    let ended = import(&setting, ["--stop-after", "3", "--jobs", "1", &mbox_of(&setting, 0..50)]).run();
    assert_eq!(ended.status, Some(75), "{ended:?}");
    let sent: BTreeSet<usize> = numbers(&server).into_iter().collect();
    assert!(sent.len() <= 3, "{sent:?}");
    let said = "\nThe run was ended by 3 failures in a row (--stop-after 3).\nFirst: ";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}

/// What a run leaves behind in a folder, imported again.
fn again(setting: &Setting, folder: &str) -> (Ended, Server) {
    let server = Server::taking();
    let ended = import(setting, ["--url", &server.url(), folder]).run();
    (ended, server)
}

/// The messages among these files.
fn stored(files: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let messages = files.iter().filter(|(name, _)| name.ends_with(".eml"));
    messages.map(|(_, content)| content.clone()).collect()
}

#[test]
fn what_failed_is_kept_as_files_that_can_be_imported() {
    let server = refusing(&[(2, 413), (4, 500)]);
    let setting = Setting::new(&server.url(), "");
    let text = message(4).replace("hello\n", "From here\n\n>From there\n");
    let path = write(&setting, "mbox", mbox([message(1), message(2), message(3), text.clone(), message(5)]));
    let failed = setting.shown("failed");
    let ended = import(&setting, ["--failed", &failed, &path]).run();
    assert_eq!(ended.status, Some(75), "{ended:?}");
    let kept: Vec<Vec<u8>> = stored(&files(&setting.path("failed")));
    assert_eq!(kept.iter().map(|content| store::number(content)).collect::<BTreeSet<_>>(), [2, 4].into());
    let (ended, server) = again(&setting, &failed);
    assert_imported(&ended);
    let sent: BTreeSet<Vec<u8>> = server.bodies().into_iter().collect();
    assert_eq!(sent, [on_the_wire(&message(2)), on_the_wire(&text)].into());
}

#[test]
fn what_cannot_be_read_is_listed_with_what_failed() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let (broken, failed) = (write(&setting, "broken.eml", "no header\n"), setting.shown("failed"));
    let ended = import(&setting, ["--failed", &failed, &broken]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    assert!(
        ended.stdout.ends_with(&format!("\nThe reasons are in {failed}/list.tsv.\n")),
        "{}",
        ended.stdout
    );
    let list = format!("-\t{broken}\tunreadable: is neither an mbox nor a message\n");
    assert_eq!(files(&setting.path("failed")), [("list.tsv".to_owned(), list.into_bytes())]);
    let (first, away) = (write(&setting, "1.eml", message(1)), ["--url", NOBODY, "--stop-after=1"]);
    let ended = import(&setting, ["--failed", &failed, &broken, &first].iter().chain(&away)).run();
    let said =
        format!("\nWhat failed and could be copied is in {failed}, the reasons in {failed}/list.tsv.\n");
    assert!(ended.stdout.ends_with(&said), "{}", ended.stdout);
}

#[test]
fn a_folder_of_the_failed_that_cannot_be_made_stops_it_before_anything_is_sent() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..3);
    let under_a_file = format!("{path}/failed");
    let complaint = format!("ingress: --failed {under_a_file}: not a directory\n");
    import(&setting, ["--failed", &under_a_file, &path]).run().assert(73, "", &complaint);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_recipient_that_is_no_address_stops_it_before_anything_is_sent() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let ended = import(&setting, ["-r", "support", &mbox_of(&setting, 0..3)]).run();
    ended.assert(64, "", "ingress: -r support is no address\n");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_configuration_that_is_wrong_and_words_that_are_end_it_before_it_begins() {
    let setting = Setting::new("ftp://x", "");
    let path = mbox_of(&setting, 0..3);
    assert_eq!(import(&setting, [&path]).run().status, Some(78));
    let setting = Setting::new(NOBODY, "");
    for words in [
        &[][..],
        &["--jobs", "0", "x"],
        &["--jobs", "many", "x"],
        &["--since", "yesterday", "x"],
        &["--until", "2026-13-01", "x"],
        &["--stop-after", "-1", "x"],
        &["--journal"],
    ] {
        let ended = import(&setting, words).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(64), ""), "{words:?}: {ended:?}");
        assert!(!ended.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn nothing_to_import_is_no_failure_but_said() {
    let setting = Setting::new(NOBODY, "");
    std::fs::create_dir(setting.path("empty")).unwrap();
    for path in [setting.shown("empty"), "-".to_owned()] {
        let ended = import(&setting, [&path]).run();
        assert_eq!(complaints(&ended), [format!("ingress: there is no mail in {path}")]);
        assert_eq!(ended.status, Some(0));
    }
}

/// Mail of others lies in it, whatever the mask.
#[test]
fn what_is_kept_is_its_owner_s_alone() {
    let server = refusing(&[(1, 413)]);
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, "1.eml", message(1));
    let (failed, journal) = (setting.shown("failed"), setting.shown("journal"));
    let run = import(&setting, ["--failed", &failed, "--journal", &journal, &path]);
    run.after("umask 000", "").run();
    let mode = |path: &str| std::fs::metadata(setting.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("failed"), 0o700);
    assert_eq!([mode("failed/list.tsv"), mode("failed/000001.eml"), mode("journal")], [0o600; 3]);
}
