//! Running `ingress check`, and its report without what differs from run to run.

use crate::run::Ingress;
use crate::server::Server;
use crate::setting::{PASSWORD, Setting};

/// How a check ended.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) status: Option<i32>,
    /// Without the lines on the user who ran the test; folder, port, owners and milliseconds are blanked out.
    pub(crate) text: String,
}

impl Checked {
    /// Checks with the setting's configuration.
    pub(crate) fn of(setting: &Setting, port: u16) -> Self {
        Self::run(setting, port, Ingress::new().args(["-c", &setting.shown("ingress.toml")]))
    }

    /// Checks with what `ingress` is given. Nothing may be said on standard error, and the password nowhere.
    pub(crate) fn run(setting: &Setting, port: u16, ingress: Ingress) -> Self {
        let ended = ingress.args(["check"]).run();
        assert_eq!(ended.stderr, "", "{}", ended.stdout);
        assert!(!ended.stdout.contains(PASSWORD), "{}", ended.stdout);
        let text = ended.stdout.replace(&setting.shown(""), "DIR/");
        let text = text.replace(&format!(":{port}"), ":PORT").replace(&format!("port {port}"), "port PORT");
        // Every test has one, and one test looks at it.
        let is_state = |line: &&str| line.contains(" state_dir ");
        let lines: Vec<String> = text.lines().filter(|line| !is_state(line)).map(blanked).collect();
        let user =
            lines.iter().take_while(|line| line.contains(" user ") || line.contains("--as USER")).count();
        assert!(user > 0, "whom it runs as: {text}");
        Self { status: ended.status, text: lines[user..].join("\n") }
    }

    /// Asserts the whole report but for the lines that every report on `Setting::new` begins with.
    #[track_caller]
    pub(crate) fn assert(&self, status: i32, more: &str) {
        self.assert_whole(status, &format!("{OPENING}{more}"));
    }

    #[track_caller]
    pub(crate) fn assert_whole(&self, status: i32, text: &str) {
        assert_eq!(self.text, text);
        assert_eq!(self.status, Some(status));
    }
}

/// What is said of a configuration by `Setting::new` without more, at `http://127.0.0.1`.
pub(crate) const OPENING: &str = "\
ok    configuration   DIR/ingress.toml, mode 0600, OWNER (--config)
ok    url             http://127.0.0.1:PORT/rails/action_mailbox/relay/inbound_emails (url in DIR/ingress.toml)
ok    service         relay (default)
ok    password        DIR/ingress.toml, mode 0600, OWNER (password in DIR/ingress.toml)
ok    defaults        timeout 2m, connect_timeout 10s, max_size 64MiB, max_attachment 40MiB, on_too_large reject, allow_http false, log_level info
ok    log             DIR/ingress.log, which the first delivery makes (log in DIR/ingress.toml)
";

/// `mode 0600, root:root` as `mode 0600, OWNER`, `12 ms` as `_ ms`.
fn blanked(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let blank = |at: usize| {
        let word = words[at];
        if at > 1 && words[at - 2] == "mode" {
            let end = word.trim_start_matches(|c: char| !matches!(c, ',' | ')'));
            return format!("OWNER{end}");
        }
        match words.get(at + 1) {
            Some(next) if next.starts_with("ms") => "_".to_owned(),
            _ => word.to_owned(),
        }
    };
    (0..words.len()).map(blank).collect::<Vec<_>>().join(" ")
}

/// A server whose first connection is only looked at; then it answers the probe, and everything after that with what Chatwoot says of
/// itself, when it is Chatwoot.
pub(crate) fn answering(probe: &str, api: Option<&str>) -> Server {
    let probe = response(probe);
    let api = api.map_or_else(|| response("404 Not Found"), |json| response(&format!("200 OK\n\n{json}")));
    Server::acting(move |connection| {
        connection.request()?;
        connection.say(if connection.number == 1 { &probe } else { &api })
    })
}

/// `401 Unauthorized`, header fields, an empty line and a body, as HTTP.
fn response(text: &str) -> String {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let head = head.replace('\n', "\r\n");
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

pub(crate) const CHATWOOT: &str =
    r#"{"version":"4.14.2","timestamp":"2026-01-01 10:00:00","queue_services":"ok","data_services":"ok"}"#;
