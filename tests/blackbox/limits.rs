//! Limits that a caller sets for its children: descriptors, sizes of files, stack.

use crate::run::{Ended, Ingress, at_once};
use crate::server::Server;
use crate::setting::{CANNOT_BE_REACHED, NOBODY, Setting, message_of};

/// Asserts that it was delivered in silence, or kept with one line of class 4.
#[track_caller]
fn assert_kept_or_delivered(ended: &Ended, context: &str) {
    match ended.status {
        Some(0) => ended.assert_delivered(),
        Some(75) => {
            assert!(ended.stdout.starts_with("4.") && ended.stdout.ends_with('\n'), "{context}: {ended:?}");
            assert_eq!((ended.stdout.lines().count(), ended.stderr.as_str()), (1, ""), "{context}");
        }
        _ => panic!("{context}: {ended:?}"),
    }
}

/// With fewer the loader gives up before the program can say anything.
fn least_descriptors() -> u32 {
    let starts = |descriptors: &u32| {
        let run =
            Ingress::new().args(["--version"]).after(&format!("ulimit -n {descriptors}"), "2>/dev/null");
        run.run().status == Some(0)
    };
    (3..24).find(starts).expect("it starts with 24 descriptors")
}

#[test]
fn few_descriptors_keep_or_deliver_the_message() {
    let server = Server::answering(204);
    let url = format!("http://localhost:{}", server.port());
    at_once(least_descriptors()..=24, |descriptors| {
        let setting = Setting::new(&url, "");
        let ended = setting.ingress().after(&format!("ulimit -n {descriptors}"), "").run();
        assert_kept_or_delivered(&ended, &format!("{descriptors} descriptors"));
        assert!(descriptors < 24 || ended.status == Some(0), "{descriptors} are enough");
    });
}

/// Postfix's local(8) limits the files that a command writes to `mailbox_size_limit`: a log that reached it must not hold up the mail.
#[test]
fn a_log_that_may_not_grow_stops_nothing() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.ingress().after("ulimit -f 0", "").run().assert_delivered();
    assert_eq!(server.requests().len(), 1);
    Setting::new(NOBODY, "").ingress().after("ulimit -f 0", "").run().assert_deferred(CANNOT_BE_REACHED);
    assert_eq!(setting.log(), "");
}

#[test]
fn a_small_stack_is_enough() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let run = setting.ingress().stdin(message_of(1_000_000));
    run.after("ulimit -s 512", "").run().assert_delivered();
}

/// Sieve leaks its sockets to what it starts.
#[test]
fn descriptors_that_are_open_already_do_no_harm() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.ingress().after("", "3</dev/null 4</dev/zero 5>/dev/null 9</").run().assert_delivered();
}
