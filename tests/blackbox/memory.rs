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

/// Runs with a message of 25 MB under limits in KiB; gives whether each delivered it. What does neither is a failure.
struct Tight {
    setting: Setting,
    message: String,
    least: u32,
    _server: Server,
}

impl Tight {
    fn new(url_of: impl Fn(&Server) -> String) -> Self {
        let server = Server::acting(|connection| {
            let length = connection.head()?;
            connection.skip(length)?;
            connection.answer(204)
        });
        let setting = Setting::new(&url_of(&server), "");
        // It needs a repair, which makes it larger.
        let header = MESSAGE.replace("Content-Type: text/plain; charset=utf-8\n", "");
        let message = format!("{header}{}", "x".repeat(25_000_000));
        let least = least(&setting) + 1_000;
        Self { setting, message, least, _server: server }
    }

    fn delivers(&self, kibibytes: u32) -> bool {
        let ended = limited(&self.setting, &self.message, kibibytes);
        match ended.status {
            Some(75) if kibibytes < SIEVE => ended.assert_deferred(GATEWAY_FAILED),
            Some(0) => ended.assert_delivered(),
            _ => panic!("{kibibytes} KiB, {} more than the least: {ended:?}", kibibytes - self.least),
        }
        ended.status == Some(0)
    }
}

fn every_limit_keeps_or_delivers(url_of: impl Fn(&Server) -> String) {
    let tight = Tight::new(url_of);
    few_at_once(sweep(tight.least), |kibibytes| {
        tight.delivers(kibibytes);
    });
    // Page by page where the message begins to fit: what is missing there may be the last page of a stack.
    let (mut keeps, mut delivers) = (tight.least, SIEVE);
    while delivers - keeps > 4 {
        let middle = keeps.midpoint(delivers);
        if tight.delivers(middle) { delivers = middle } else { keeps = middle }
    }
    few_at_once((keeps - 200..delivers + 200).step_by(4), |kibibytes| {
        tight.delivers(kibibytes);
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
