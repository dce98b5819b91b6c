//! 413, the one answer of the endpoint that is for ever: seen as what it is even when it comes before the body was read.

use std::io;

use crate::server::{Connection, Server};
use crate::setting::{LOST, Setting, TOO_LARGE, message_of};

/// Sizes of bodies, and how often each is sent: fewer bytes than a socket holds, more, and far more.
const BODIES: [(usize, usize); 4] = [(1_000, 20), (100_000, 20), (3_000_000, 8), (25_000_000, 4)];

fn rejects_every_body(act: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static) {
    let server = Server::acting(act);
    let setting = Setting::new(&server.url(), "");
    let mut sent = 0;
    for (body, times) in BODIES {
        let message = message_of(body);
        for _ in 0..times {
            setting.ingress().stdin(message.clone()).run().assert_rejected(TOO_LARGE);
            sent += 1;
        }
    }
    let logged = setting.logged();
    assert_eq!(logged.len(), sent);
    for line in logged {
        assert!(line.starts_with("ERROR outcome=rejected code=5.3.4 "), "{line}");
        assert!(
            line.contains(" cause=\"the endpoint answered 413") && line.contains("client_max_body_size"),
            "{line}"
        );
    }
}

#[test]
fn after_the_body() {
    rejects_every_body(|connection| {
        connection.request()?;
        connection.answer(413)
    });
}

#[test]
fn before_the_body_and_then_closed() {
    rejects_every_body(|connection| {
        connection.head()?;
        connection.answer(413)
    });
}

#[test]
fn before_the_body_and_then_reset() {
    rejects_every_body(|connection| {
        connection.head()?;
        connection.answer(413)?;
        connection.reset()
    });
}

/// nginx closes lingeringly: it answers, and reads on for a while what it throws away.
#[test]
fn before_the_body_which_is_then_thrown_away() {
    rejects_every_body(|connection| {
        connection.head()?;
        connection.answer(413)?;
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
}

/// A server that counts what comes, and closes lingeringly.
#[test]
fn amid_the_body_whose_rest_is_thrown_away() {
    rejects_every_body(|connection| {
        let length = connection.head()?;
        connection.skip(length / 2)?;
        connection.answer(413)?;
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
}

#[test]
fn it_can_be_deferred_instead() {
    let server = Server::answering(413);
    let setting = Setting::new(&server.url(), "on_too_large = \"defer\"");
    setting.run().assert_deferred("4.3.4 The message is too large at present");
    assert!(setting.failure_logged().starts_with("WARN outcome=deferred code=4.3.4 status=413 exit=75 "));
    let early = Server::acting(|connection| {
        connection.head()?;
        connection.answer(413)?;
        connection.reset()
    });
    let setting = Setting::new(&early.url(), "on_too_large = \"defer\"");
    setting
        .ingress()
        .stdin(message_of(3_000_000))
        .run()
        .assert_deferred("4.3.4 The message is too large at present");
}

/// A refusal is believed whenever it comes; a success only for the whole message.
#[test]
fn a_204_before_the_body_was_read_is_no_delivery() {
    let server = Server::acting(|connection| {
        connection.head()?;
        connection.answer(204)
    });
    let setting = Setting::new(&server.url(), "");
    for _ in 0..5 {
        setting.ingress().stdin(message_of(25_000_000)).run().assert_deferred(LOST);
    }
}

#[test]
fn other_refusals_before_the_body_was_read_are_themselves() {
    for (status, line) in [
        (401, "4.7.0 Chatwoot refused the mail gateway"),
        (404, "4.3.5 Chatwoot is not set up to take the message"),
        (503, "4.3.2 Chatwoot takes no messages at present"),
    ] {
        let server = Server::acting(move |connection| {
            connection.head()?;
            connection.answer(status)
        });
        let setting = Setting::new(&server.url(), "");
        for _ in 0..5 {
            setting.ingress().stdin(message_of(3_000_000)).run().assert_deferred(line);
        }
    }
}
