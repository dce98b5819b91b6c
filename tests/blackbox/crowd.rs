//! Many at once, and nothing but the program itself around it: no home, no path, odd places.

use crate::run::at_once;
use crate::server::Server;
use crate::setting::{GATEWAY_FAILED, MESSAGE, PASSWORD, Setting, on_the_wire};

#[test]
fn a_hundred_copies_at_once_are_a_hundred_deliveries() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    at_once(0..100, |number| {
        let message = MESSAGE.replace("<1@", &format!("<{number}@"));
        setting.ingress().stdin(message).run().assert_delivered();
    });
    let mut bodies = server.bodies();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 100);
    let mut logged = setting.logged();
    assert_eq!(logged.len(), 100);
    for line in &logged {
        assert!(
            line.starts_with("INFO outcome=delivered code=2.0.0 status=204 exit=0 ")
                && line.ends_with("ms=_"),
            "{line}"
        );
    }
    logged.sort();
    logged.dedup();
    assert_eq!(logged.len(), 100, "each line is whole, and of one message");
}

#[test]
fn an_empty_environment_and_an_odd_one_are_enough() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_delivered();
    setting
        .ingress()
        .envs(&[("HOME", ""), ("PATH", ""), ("TMPDIR", "/nonexistent")])
        .run()
        .assert_delivered();
    setting
        .ingress()
        .envs(&[("HOME", "/root/nonexistent"), ("XDG_CONFIG_HOME", "relative")])
        .run()
        .assert_delivered();
    setting
        .ingress()
        .envs(&[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "1"), ("SSLKEYLOGFILE", "/dev/stderr")])
        .run()
        .assert_delivered();
    setting.ingress().after("umask 077; cd /proc", "").run().assert_delivered();
    assert_eq!(server.bodies(), vec![on_the_wire(MESSAGE); 5]);
}

#[test]
fn a_folder_that_is_gone_is_no_obstacle() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let gone = setting.shown("gone");
    let run = setting.ingress().after(&format!("mkdir {gone}; cd {gone}; /bin/rmdir {gone}"), "");
    run.run().assert_delivered();
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_keeps_the_message() {
    let setting = Setting::new(crate::setting::NOBODY, "");
    let run = setting.ingress().stdin(crate::setting::message_of(5_000_000)).env("INGRESS_TEST_PANIC", "1");
    run.run().assert_deferred(GATEWAY_FAILED);
    let logged = setting.failure_logged();
    assert!(
        logged.contains("provoked by INGRESS_TEST_PANIC") && logged.contains("please report"),
        "{logged}"
    );
    assert!(!logged.contains(PASSWORD));
}
