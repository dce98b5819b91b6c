//! `--since`, `--until`, `--to`.

use super::store::{mbox, mbox_of, with_fields, write};
use super::{assert_imported, import, numbers};
use crate::server::Server;
use crate::setting::{NOBODY, Setting};

/// The numbers that these words select of 0 to 59, which are seconds of 2026's first minute.
fn selected(words: &[&str]) -> Vec<usize> {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 0..60);
    assert_imported(&import(&setting, ["--jobs", "1", &path].iter().chain(words)).run());
    numbers(&server)
}

#[test]
fn since_and_until_are_days_or_instants() {
    let all: Vec<usize> = (0..60).collect();
    assert_eq!(selected(&["--since", "2026-01-01"]), all);
    assert_eq!(selected(&["--since", "2026-01-02"]), [0; 0]);
    assert_eq!(selected(&["--until", "2025-12-31"]), [0; 0]);
    assert_eq!(selected(&["--until", "2026-01-02"]), all);
    assert_eq!(selected(&["--since", "2026-01-01T00:00:30Z"]), all[30..]);
    assert_eq!(selected(&["--since", "2026-01-01T01:00:30+01:00"]), all[30..]);
    assert_eq!(
        selected(&["--since", "2026-01-01T00:00:30Z", "--until", "2026-01-01T00:00:40Z"]).first(),
        Some(&30)
    );
    assert_eq!(selected(&["--until", "2026-01-01T00:00:40Z"]), all[..=40]);
    assert_eq!(selected(&["--since", "2026-01-01T00:00:40Z", "--until", "2026-01-01T00:00:40Z"]), [40]);
}

#[test]
fn since_and_until_may_be_so_long_ago() {
    let all: Vec<usize> = (0..60).collect();
    assert_eq!(selected(&["--since", "200y"]), all);
    assert_eq!(selected(&["--until", "200y"]), [0; 0]);
    let setting = Setting::new(NOBODY, "");
    let path = mbox_of(&setting, 0..3);
    let ended = import(&setting, ["--since=7d", "--until=8d", &path]).run();
    ended.assert(64, "", "ingress: --since is later than --until\n");
}

#[test]
fn a_time_that_ends_before_it_begins_is_wrong_usage() {
    let setting = Setting::new(NOBODY, "");
    let path = mbox_of(&setting, 0..3);
    for more in [&[][..], &["--dry-run"]] {
        let words = ["--since", "2026-01-03", "--until", "2026-01-01", &path];
        let ended = import(&setting, words.iter().chain(more)).run();
        ended.assert(64, "", "ingress: --since is later than --until\n");
    }
}

#[test]
fn to_is_a_pattern_of_the_envelope_recipient_and_of_to_and_cc() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let of = |number: usize, to: &str, fields: &str| {
        with_fields(number, fields).replace("To: support@example.com\n", &format!("To: {to}\n"))
    };
    let path = write(
        &setting,
        "mbox",
        mbox([
            of(1, "Sales <sales@example.com>", ""),
            of(2, "support@example.org, info@example.net", ""),
            of(3, "x@y.example", "Cc: Else <else@z.example>, Team <TEAM@Example.COM>\n"),
            of(4, "x@y.example", "Delivered-To: sales@example.com\n"),
            of(5, "not-sales@example.com.example", ""),
        ]),
    );
    let mut asked = 0;
    let mut matching = |pattern: &str| {
        assert_imported(&import(&setting, ["--jobs", "1", "--to", pattern, &path]).run());
        let sent = numbers(&server).split_off(asked);
        asked += sent.len();
        sent
    };
    assert_eq!(matching("sales@example.com"), [1, 4]);
    assert_eq!(matching("*@example.com"), [1, 3, 4]);
    assert_eq!(matching("team@*"), [3]);
    assert_eq!(matching("*@example.*"), [1, 2, 3, 4, 5]);
    assert_eq!(matching("nobody@*"), [0; 0]);
}
