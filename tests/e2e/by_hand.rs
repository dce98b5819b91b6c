//! `ingress < message` by hand, to a real Action Mailbox.

use std::collections::BTreeSet;
use std::thread;

use crate::support::Ingress;
use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, PASSWORD};

const MESSAGE: &[u8] = include_bytes!("../../examples/messages/reply.eml");

#[test]
fn a_message_delivered_twice_from_two_hosts_is_one_record() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let configuration = folder.shown("ingress.toml");
    let run = || Ingress::new(["-c", &configuration, "-r", "support@example.com"]).stdin(MESSAGE);
    run()
        .env("TZ", "Asia/Tokyo")
        .env("LANG", "ja_JP.UTF-8")
        .env("HOME", "/nonexistent")
        .run()
        .assert_delivered();
    let again = String::from_utf8_lossy(MESSAGE).replace('\n', "\r\n");
    run().env("PATH", "/").stdin(again).run().assert_delivered();
    assert_eq!(server.routed(1).len(), 1);
    assert_eq!((server.records(), server.posts()), (1, 2));
}

#[test]
fn two_hundred_copies_at_once_all_deliver() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let configuration = folder.shown("ingress.toml");
    thread::scope(|scope| {
        for number in 0..200 {
            let configuration = &configuration;
            let message = String::from_utf8_lossy(MESSAGE).replace("my order", &format!("order {number}"));
            scope.spawn(move || Ingress::new(["-c", configuration]).stdin(message).run().assert_delivered());
        }
    });
    let ids: BTreeSet<String> = server.routed(200).into_iter().map(|routed| routed.message_id).collect();
    assert_eq!((ids.len(), server.records(), server.posts()), (200, 200, 200));
}

#[test]
fn another_service_than_the_relay_keeps_the_message() {
    let folder = Folder::new();
    let server = ActionMailbox::start_as(folder.path(), "sendgrid");
    folder.configure(&server.url(), PASSWORD);
    let configuration = folder.shown("ingress.toml");
    let ended = Ingress::new(["-c", &configuration]).stdin(MESSAGE).run();
    ended.assert_failed(75, "4.3.5 Chatwoot is not set up to take the message");
    assert!(
        folder.ingress_log().contains("remedy=\"set RAILS_INBOUND_EMAIL_SERVICE=relay"),
        "{}",
        folder.ingress_log()
    );
    assert_eq!(server.records(), 0);
}

#[test]
fn the_rails_tasks_environment_is_enough() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    let run = Ingress::new(["--log", "off"]).env("URL", &server.url()).env("INGRESS_PASSWORD", PASSWORD);
    run.env("RECIPIENT", "sales@example.com").stdin(MESSAGE).run().assert_delivered();
    assert_eq!(server.routed(1)[0].x_original_to, ["sales@example.com"]);
}
