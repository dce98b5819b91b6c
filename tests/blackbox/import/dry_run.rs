//! `--dry-run`: `explain`'s verdict on the whole, and nothing sent.

use super::import;
use super::store::{mbox, message, with_fields, write};
use crate::server::Server;
use crate::setting::{NOBODY, Setting};

#[test]
fn a_dry_run_sends_nothing_and_writes_nothing() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "inboxes = [\"support@example.com\"]");
    let path = write(&setting, "mbox", mbox([message(1), message(2)]));
    let (journal, failed) = (setting.shown("journal"), setting.shown("failed"));
    let run = import(&setting, ["--dry-run", "--journal", &journal, "--failed", &failed, &path]).run();
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert_eq!((server.requests().len(), server.connections()), (0, 0));
    assert!(!setting.path("journal").exists() && !setting.path("failed").exists());
    assert_eq!(setting.log(), "");
}

/// One of each: a reply, a new conversation, one that nobody will see, and repairs.
fn varied() -> Vec<u8> {
    let reply = with_fields(1, "").replace(
        "To: support@example.com",
        "To: reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com",
    );
    let stray = with_fields(3, "").replace("To: support@example.com", "To: somebody@example.net");
    let broken =
        with_fields(4, "").replace("To: support@example.com", "To: Help: Desk <support@example.com>");
    let plain = with_fields(5, "").replace("Message-ID: <5@example.org>\n", "");
    mbox([reply, message(2), stray, broken, plain])
}

/// What is said of the one that nobody will see.
fn lost(path: &str) -> String {
    let offset =
        String::from_utf8(varied()).unwrap().find("From: Ann <a@example.org>\nTo: somebody").unwrap();
    format!("{path}, byte {offset}: lost: dropped: no inbox has one of its addresses\n")
}

#[test]
fn the_sums_of_a_dry_run_agree() {
    let setting = Setting::new(NOBODY, "max_size = \"1KiB\"");
    let large = message(6).replace("hello\n", &"a long line\n".repeat(200));
    let mail = [varied(), mbox([large, "no header\n".to_owned()])].concat();
    let path = write(&setting, "mail/mbox", mail);
    write(&setting, "mail/empty.eml", "");
    let inbox = "--inbox=support@example.com";
    let run = import(&setting, ["--dry-run", inbox, &setting.shown("mail")]).run();
    assert_eq!(run.status, Some(65), "{run:?}");
    assert!(run.stderr.contains(&lost(&path)), "{run:?}");
    let table = "messages             8\n\
                 too large            1  exceed max_size\n\
                 unreadable           2  could not be read, or are no messages\n\
                 replies              1  go to their conversations\n\
                 inbox                3  go to an inbox, most as new conversations\n\
                 lost                 1  Chatwoot would not show them\n\
                 \u{20}                    1  dropped: no inbox has one of its addresses\n\
                 repairs              2\n";
    assert!(run.stdout.starts_with(table), "{}", run.stdout);
    let run = import(&setting, ["--dry-run", "--json", inbox, &setting.shown("mail")]).run();
    let preview: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&preview["messages"], &preview["copies"]), (&8.into(), &5.into()));
    assert_eq!(preview["lost"].as_array().unwrap().len(), 1);
}

#[test]
fn an_inbox_must_be_an_address() {
    let setting = Setting::new(NOBODY, "");
    let path = write(&setting, "mbox", varied());
    for more in [&[][..], &["--dry-run"]] {
        let run = import(&setting, ["--inbox=support", &path].iter().chain(more)).run();
        run.assert(64, "", "ingress: --inbox support is no address: it must look like support@example.com\n");
    }
}

#[test]
fn a_dry_run_counts_routes_and_repairs() {
    let setting = Setting::new(NOBODY, "inboxes = [\"support@example.com\"]");
    let path = write(&setting, "mbox", varied());
    let run = import(&setting, ["--dry-run", &path]).run();
    let lost = lost(&path);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), lost.as_str()), "{}", run.stdout);
    for said in ["unparsable-to", "missing-message-id"] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
}

#[test]
fn a_dry_run_names_what_would_not_be_sent() {
    let setting = Setting::new(NOBODY, "max_size = \"1KiB\"");
    let large = message(1).replace("hello\n", &"a long line\n".repeat(200));
    let path = write(&setting, "mbox", mbox([large.clone(), "no header\n".to_owned(), message(3)]));
    let run = import(&setting, ["--dry-run", "--jobs=1", &path]).run();
    assert_eq!(run.status, Some(65), "{}", run.stdout);
    let (second, size) = (44 + large.len() + 1 + 44, large.len());
    assert_eq!(
        run.stderr,
        format!(
            "{path}, byte {second}: unreadable: it has no header field\n\
             {path}, byte 44: too large: the message has {size} bytes, max_size is 1024\n"
        )
    );
}
