//! `ingress.toml`: the keys, and errors that name file, line and key but never repeat the line, which may be the password.

use std::collections::BTreeMap;
use std::path::{Display, Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, secret};

/// What the file says; every key may be missing. Values are judged later, together with options and environment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) url: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) signing_key: Option<String>,
    pub(crate) signing_key_file: Option<PathBuf>,
    pub(crate) chatwoot_env: Option<PathBuf>,
    pub(crate) timeout: Option<String>,
    pub(crate) connect_timeout: Option<String>,
    pub(crate) max_size: Option<String>,
    pub(crate) on_too_large: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) allow_http: Option<bool>,
    pub(crate) inboxes: Option<Vec<String>>,
    pub(crate) log: Option<String>,
    pub(crate) log_level: Option<String>,
    #[serde(default)]
    pub(crate) repair: BTreeMap<String, bool>,
    /// Where it was read.
    #[serde(skip)]
    pub(super) path: Option<PathBuf>,
}

impl File {
    /// The file in which a missing key is to be set: only one is read.
    pub(super) fn place(&self) -> Display<'_> {
        self.path.as_deref().unwrap_or(Path::new("/etc/ingress.toml")).display()
    }

    /// Whether nobody else may read the file: it holds the password, a key, or a proxy's password.
    fn holds_a_secret(&self) -> bool {
        self.password.is_some()
            || self.signing_key.is_some()
            || self.proxy.as_deref().is_some_and(|url| url.contains('@'))
    }
}

/// Every key of the file.
const KEYS: &[&str] = &[
    "url",
    "service",
    "password",
    "password_file",
    "signing_key",
    "signing_key_file",
    "chatwoot_env",
    "timeout",
    "connect_timeout",
    "max_size",
    "on_too_large",
    "ca_file",
    "proxy",
    "allow_http",
    "inboxes",
    "log",
    "log_level",
    "repair",
];

/// Reads and parses one file. A file that holds a password and that others can read is refused.
pub(crate) fn read(path: &Path) -> Result<File, ConfigError> {
    let (bytes, others_can_read) = secret::read_small(path)?;
    let shown = path.display();
    let text =
        String::from_utf8(bytes).map_err(|_| ConfigError::new(format!("{shown}: is not UTF-8 text")))?;
    let file = parse(&text).map_err(|error| ConfigError::new(format!("{shown}:{error}")))?;
    if others_can_read && file.holds_a_secret() {
        return Err(secret::readable_by_others(path));
    }
    Ok(File { path: Some(path.to_owned()), ..file })
}

/// Parses the text; the error is `LINE: what is wrong`.
fn parse(text: &str) -> Result<File, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
        let at = text.get(span).unwrap_or("");
        format!("{line}: {}", complaint(error.message(), at, text.lines().nth(line - 1).unwrap_or("")))
    })
}

/// Says what is wrong in words of our own: the parser's message can repeat the value.
fn complaint(message: &str, at: &str, line: &str) -> String {
    let key = known_key(line);
    if message.starts_with("unknown field") {
        // The span is the key itself. A line that is all secret is no key, and fails to parse before this.
        let name: String =
            at.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').take(40).collect();
        return format!("unknown key {name}");
    }
    match key {
        Some(key) if message.starts_with("invalid type") => format!("{key}: {}", expected(key)),
        Some(key) if message.starts_with("duplicate") => format!("{key}: stands twice"),
        Some(key) => format!("{key}: is not valid TOML"),
        None if message.starts_with("invalid type") => "must be true or false".to_owned(),
        None => "is not valid TOML".to_owned(),
    }
}

/// The key a line sets, if it is one of ours: anything else could be part of a value.
fn known_key(line: &str) -> Option<&'static str> {
    let name = line.split('=').next()?.trim().trim_matches(['[', ']', '"']);
    KEYS.iter().find(|key| **key == name).copied()
}

fn expected(key: &str) -> &'static str {
    match key {
        "allow_http" => "must be true or false",
        "inboxes" => "must be a list of addresses in quotes",
        "repair" => "must be a table of repairs set to true or false",
        _ => "must be text in quotes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        assert_eq!(parse("url = \"https://x\"\npasword = \"hush\"\n").unwrap_err(), "2: unknown key pasword");
    }

    #[test]
    fn no_error_repeats_what_stands_in_the_file() {
        let wrong = [
            "password = hush",
            "password = \"hush",
            "password = 1234hush",
            "hush",
            "password \"hush\"",
            "password = \"\"\"\nhush = \\q\"\"\"",
            "password = [\"hush\"]",
            "password = { a = \"hush\" }",
            "password = \"hush\"\npassword = \"hush\"",
            "allow_http = \"hush\"",
            "[repair]\nx = \"hush\"",
            "[repair\nhush",
            "repair = \"hush\"",
            "timeout = 778899",
        ];
        for text in wrong {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("hush") && !error.contains("778899"), "{text}: {error}");
        }
    }

    #[test]
    fn a_wrong_type_says_which_is_right() {
        assert_eq!(parse("\ntimeout = 5").unwrap_err(), "2: timeout: must be text in quotes");
        assert_eq!(parse("allow_http = \"yes\"").unwrap_err(), "1: allow_http: must be true or false");
        assert_eq!(parse("[repair]\nmissing-to = 1").unwrap_err(), "2: must be true or false");
    }

    #[test]
    fn the_list_of_keys_is_the_struct_s() {
        for key in KEYS.iter().filter(|key| **key != "repair") {
            let value = match *key {
                "allow_http" => "true",
                "inboxes" => "[\"a@b\"]",
                _ => "\"x\"",
            };
            assert!(parse(&format!("{key} = {value}")).is_ok(), "{key}");
        }
    }
}
