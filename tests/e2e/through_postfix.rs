//! Postfix pipe(8) to ingress to Action Mailbox: nothing is lost, nothing arrives twice.

use std::collections::BTreeSet;
use std::thread;

use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, PASSWORD};
use crate::support::nginx::Nginx;
use crate::support::postfix::Postfix;

const UUID: &str = "5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f";
const REPLY: &str = "reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com";
const SENDER: &str = "customer@example.org";

fn message(number: usize, to: &str) -> String {
    format!(
        "From: A Customer <{SENDER}>\nTo: {to}\nSubject: Message {number}\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Message-ID: <{number}@example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\
         Hello,\n.a line with a dot\n\nBye\n"
    )
}

#[test]
fn a_message_sent_by_smtp_arrives_as_it_was_sent() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    let sent = message(1, REPLY);
    postfix.send(SENDER, &[REPLY], &sent);
    let routed = server.routed(1);
    assert_eq!(routed.len(), 1);
    assert_eq!(routed[0].route, format!("reply {UUID}"));
    let stored = String::from_utf8(server.stored(routed[0].id)).unwrap();
    let (added, rest) = stored.split_at(stored.find("From: A Customer").unwrap());
    assert_eq!(rest, sent.replace('\n', "\r\n"));
    assert!(
        added.starts_with("Received: from client.example.org") && added.matches("\r\n").count() == 3,
        "{added}"
    );
    postfix.emptied();
    assert_eq!(
        postfix.lines(&["relay=chatwoot", "dsn=2.0.0", "status=sent (delivered via chatwoot service)"]),
        1
    );
    assert_eq!((server.records(), server.posts()), (1, 1));
}

#[test]
fn a_recipient_of_the_envelope_alone_is_handed_on() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    postfix.send(
        "",
        &["support@example.com", "Sales+x@example.com"],
        &message(1, "Somebody Else <else@example.net>"),
    );
    let mut routes: Vec<_> =
        server.routed(2).into_iter().map(|routed| (routed.route, routed.x_original_to)).collect();
    routes.sort();
    let expected = [
        ("inbox sales@example.com".to_owned(), vec!["Sales+x@example.com".to_owned()]),
        ("inbox support@example.com".to_owned(), vec!["support@example.com".to_owned()]),
    ];
    assert_eq!(routes, expected);
    assert!(folder.ingress_log().lines().all(|line| line.contains("sender=<>")), "{}", folder.ingress_log());
}

#[test]
fn a_wrong_password_keeps_the_message_until_it_is_corrected() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), "wrong");
    let postfix = Postfix::start(&folder);
    postfix.send(SENDER, &[REPLY], &message(1, REPLY));
    postfix.logged(1, &["dsn=4.7.0", "status=deferred", "Chatwoot refused the mail gateway"]);
    postfix.put_off(1);
    assert_eq!((server.records(), server.posts()), (0, 1));
    assert!(folder.ingress_log().contains("remedy=\"make the password the same"));
    folder.configure(&server.url(), PASSWORD);
    postfix.flush();
    assert_eq!(server.routed(1)[0].route, format!("reply {UUID}"));
    postfix.emptied();
    assert_eq!((postfix.lines(&["status=sent"]), server.records(), server.posts()), (1, 1, 2));
}

#[test]
fn a_server_that_is_down_keeps_the_message_until_it_is_back() {
    let folder = Folder::new();
    let mut server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    server.stop();
    for number in 1..=3 {
        postfix.send(SENDER, &[REPLY], &message(number, REPLY));
    }
    postfix.logged(3, &["dsn=4.4.1", "status=deferred", "Chatwoot cannot be reached"]);
    postfix.put_off(3);
    server.resume();
    postfix.flush();
    let ids: BTreeSet<String> = server.routed(3).into_iter().map(|routed| routed.message_id).collect();
    assert_eq!(ids, (1..=3).map(|number| format!("{number}@example.org")).collect());
    postfix.emptied();
    assert_eq!((postfix.lines(&["status=sent"]), server.records(), server.posts()), (3, 3, 3));
}

/// Stored twice without its queue, each message is routed once when the queue is back: as another record, which refers to itself.
#[test]
fn what_was_stored_without_a_queue_is_routed_when_the_queue_is_back() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    server.queue(false);
    for (number, to) in [(1, REPLY), (2, "support@example.com"), (3, "sales@example.com")] {
        postfix.send(SENDER, &[to], &message(number, to));
    }
    postfix.logged(3, &["dsn=4.3.0", "status=deferred", "Chatwoot failed to take the message"]);
    postfix.put_off(3);
    assert_eq!(server.records(), 3, "they are stored all the same");
    postfix.flush();
    postfix.logged(6, &["dsn=4.3.0", "status=deferred"]);
    postfix.put_off(3);
    assert_eq!(server.records(), 6, "another record each");
    server.queue(true);
    postfix.flush();
    postfix.emptied();
    let mut ids = server.routed_ids(3);
    ids.sort();
    assert_eq!(ids, ["1@example.org", "2@example.org", "3@example.org"]);
    let forms: Vec<String> = (1..=9).map(|id| String::from_utf8(server.stored(id)).unwrap()).collect();
    for (number, form) in forms.iter().enumerate() {
        let attempt = number / 3;
        assert_eq!(form.contains(&format!("\r\nX-Ingress-Attempt: {attempt}\r\n")), attempt > 0, "{form}");
        assert_eq!(form.contains("\r\nReferences: <"), attempt > 0, "{form}");
    }
    assert_eq!(std::fs::read_dir(folder.join("state")).unwrap().count(), 0, "nothing is remembered");
}

#[test]
fn a_message_over_the_proxy_s_limit_bounces_to_its_sender() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    let nginx = Nginx::start(folder.path(), &server.url(), "64k");
    folder.configure(&nginx.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    postfix.send(SENDER, &[REPLY], &format!("{}{}", message(1, REPLY), "too much\n".repeat(200_000)));
    postfix.logged(1, &["dsn=5.3.4", "status=bounced", "The message is too large"]);
    postfix.send(SENDER, &[REPLY], &message(2, REPLY));
    assert_eq!(server.routed(1)[0].message_id, "2@example.org");
    postfix.emptied();
    let bounce = postfix.returned();
    assert!(bounce.contains("5.3.4") && bounce.contains(REPLY) && !bounce.contains("127.0.0.1:"), "{bounce}");
    assert_eq!(server.records(), 1);
}

#[test]
fn two_hundred_messages_at_once_are_two_hundred_records() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let postfix = Postfix::start(&folder);
    thread::scope(|scope| {
        for number in 0..200 {
            let postfix = &postfix;
            scope.spawn(move || postfix.send(SENDER, &[REPLY], &message(number, REPLY)));
        }
    });
    let ids: BTreeSet<String> = server.routed(200).into_iter().map(|routed| routed.message_id).collect();
    assert_eq!(ids, (0..200).map(|number| format!("{number}@example.org")).collect());
    postfix.emptied();
    assert_eq!((postfix.lines(&["status=sent"]), postfix.lines(&["status=deferred"])), (200, 0));
    assert_eq!((server.records(), server.posts()), (200, 200));
}
