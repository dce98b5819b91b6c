//! Memory that cannot be had: the message is kept.

use crate::server::{Manner, Server};
use crate::setting::{MESSAGE, Setting};

/// Runs under an address space of so many KiB.
fn limited(setting: &Setting, message: &str, kibibytes: u32) -> (Option<i32>, String) {
    let shell = format!("ulimit -v {kibibytes}; exec \"$@\"");
    let ended = setting.ingress(&[]).stdin(message).under(&shell).run();
    (ended.status, ended.stdout + &ended.stderr)
}

/// The smallest address space that the program starts in at all: below, the loader gives up before it can say anything.
fn least(setting: &Setting) -> u32 {
    let starts = |size: &u32| {
        let shell = format!("ulimit -v {size}; exec \"$@\" 2>/dev/null");
        let ended = setting.ingress(&["--version"]).stdin("").under(&shell).run();
        ended.status == Some(0)
    };
    (4_000..200_000).step_by(500).find(starts).expect("it starts with 200 MB")
}

#[test]
fn every_limit_keeps_or_delivers_the_message() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    let message = format!("{MESSAGE}{}", "x".repeat(25_000_000));
    let least = least(&setting) + 1_000;
    for extra in [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 24_000, 32_000, 48_000, 64_000, 128_000] {
        let (status, output) = limited(&setting, &message, least + extra);
        match status {
            Some(0) => assert_eq!(output, "", "{extra}"),
            Some(75) => assert_eq!(output, "4.3.0 The mail gateway failed\n", "{extra}"),
            other => panic!("{extra} KiB more than it starts with: {other:?} {output}"),
        }
    }
    let delivered = server.requests().iter().filter(|request| request.body.len() > 25_000_000).count();
    assert!(delivered > 0, "none of the limits was enough");
}

#[test]
fn the_largest_message_fits_into_what_sieve_allows() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    // 64 MiB as they come; bare newlines make it larger on the way.
    let header = MESSAGE.len();
    let line = format!("{}\n", "x".repeat(76));
    let message = format!("{MESSAGE}{}", line.repeat(((64 << 20) - header) / line.len()));
    assert_eq!(limited(&setting, &message, 256 * 1024), (Some(0), String::new()));
}
