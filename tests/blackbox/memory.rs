//! Memory that cannot be had: the message is kept.

use crate::run::few_at_once;
use crate::server::Server;
use crate::setting::{GATEWAY_FAILED, MESSAGE, Setting};

/// What Sieve allows, in KiB (Pigeonhole's default `vsz_limit`), for address space and data alike.
const SIEVE: u32 = 256 * 1024;

/// Runs under an address space of so many KiB.
fn limited(setting: &Setting, message: &str, kibibytes: u32) -> crate::run::Ended {
    setting.ingress().stdin(message).after(&format!("ulimit -v {kibibytes}"), "").run()
}

/// The smallest address space in KiB that the program starts in at all: below, the loader gives up before it can say anything.
fn least(setting: &Setting) -> u32 {
    let starts = |size: &u32| {
        let run = setting.with(&["--version"]).stdin("");
        run.after(&format!("ulimit -v {size}"), "2>/dev/null").run().status == Some(0)
    };
    (4_000..200_000).step_by(500).find(starts).expect("it starts with 200 MB")
}

/// Every 250 KiB where the program barely runs, every 1 MiB while the message does not fit, and so on up to Sieve's limit.
fn sweep(least: u32) -> impl Iterator<Item = u32> {
    let bottom = (0..8_000).step_by(250);
    let middle = (8_000..96_000).step_by(1_000);
    bottom
        .chain(middle)
        .map(move |more| least + more)
        .chain((least + 96_000..SIEVE).step_by(16_000))
        .chain([SIEVE])
}

fn every_limit_keeps_or_delivers(url_of: impl Fn(&Server) -> String) {
    let server = Server::acting(|connection| {
        let length = connection.head()?;
        connection.skip(length)?;
        connection.answer(204)
    });
    let setting = Setting::new(&url_of(&server), "");
    let message = format!("{MESSAGE}{}", "x".repeat(25_000_000));
    let least = least(&setting) + 1_000;
    few_at_once(sweep(least), |kibibytes| {
        let ended = limited(&setting, &message, kibibytes);
        match ended.status {
            Some(75) if kibibytes < SIEVE => ended.assert_deferred(GATEWAY_FAILED),
            Some(0) => ended.assert_delivered(),
            _ => panic!("{kibibytes} KiB, {} more than the least: {ended:?}", kibibytes - least),
        }
    });
}

#[test]
fn every_limit_keeps_or_delivers_the_message() {
    every_limit_keeps_or_delivers(Server::url);
}

/// A name is looked up in a thread of its own.
#[test]
fn every_limit_keeps_or_delivers_the_message_to_a_named_host() {
    every_limit_keeps_or_delivers(|server| format!("http://localhost:{}", server.port()));
}

#[test]
fn the_largest_message_fits_into_what_sieve_allows() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    // 64 MiB as they come; bare newlines make it larger on the way.
    let line = format!("{}\n", "x".repeat(76));
    let message = format!("{MESSAGE}{}", line.repeat(((64 << 20) - MESSAGE.len()) / line.len()));
    let limits = format!("ulimit -v {SIEVE}; ulimit -d {SIEVE}");
    setting.ingress().stdin(message.clone()).after(&limits, "").run().assert_delivered();
    assert_eq!(server.request().body.len(), message.len() + message.matches('\n').count());
}
