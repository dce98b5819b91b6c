//! What is sent depends on the message and its envelope recipient alone.

use crate::server::{Manner, Server};
use crate::setting::Setting;

const NEEDS_REPAIR: &str = "From x Mon Jan  1 00:00:00 2026\nFrom: a@example.org\nTo: else@example.net\nX-Original-To: <b@x>\nContent-Type: text/plain\n\nhello\n";

#[test]
fn two_hosts_send_the_same_bytes() {
    let server = Server::start(Manner::Answer(204));
    let one = Setting::new(&server.url(), "");
    let other = Setting::new(&server.url(), "");
    one.ingress(&["-r", "a@example.com"]).stdin(NEEDS_REPAIR).run().assert_delivered();
    let run = other
        .ingress(&["-v"])
        .env("RECIPIENT", "a@example.com")
        .env("TZ", "Asia/Tokyo")
        .env("LANG", "ja_JP")
        .env("HOME", "/");
    run.stdin(NEEDS_REPAIR.replace('\n', "\r\n")).run().assert_delivered();
    let other_date = NEEDS_REPAIR.replace("00:00:00", "11:22:33");
    one.ingress(&["-r", "a@example.com", "-f", "someone@example.org"])
        .stdin(other_date)
        .run()
        .assert_delivered();
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:?}");
}

#[test]
fn repairs_are_listed_in_the_log_and_can_be_turned_off() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.ingress(&["-r", "a@example.com"]).stdin(NEEDS_REPAIR).run().assert_delivered();
    assert!(
        setting.log().contains(" repairs=mbox-from-line,missing-message-id,single-x-original-to "),
        "{}",
        setting.log()
    );
    let off = Setting::new(
        &server.url(),
        "[repair]\nmbox-from-line = false\nmissing-message-id = false\nsingle-x-original-to = false",
    );
    off.ingress(&["-r", "a@example.com"]).stdin(NEEDS_REPAIR).run().assert_delivered();
    assert!(off.log().contains(" repairs=\"\" "), "{}", off.log());
    assert_eq!(server.bodies()[1], NEEDS_REPAIR.replace('\n', "\r\n"));
}

#[test]
fn what_was_sent_is_sent_again_as_it_is() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.ingress(&["-r", "a@example.com"]).stdin(NEEDS_REPAIR).run().assert_delivered();
    let once = server.bodies()[0].clone();
    setting.ingress(&["-r", "a@example.com"]).stdin(once.clone()).run().assert_delivered();
    assert_eq!(server.bodies()[1], once);
}
