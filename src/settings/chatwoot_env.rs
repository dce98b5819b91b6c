//! Chatwoot's own `.env`: what it says about its web address and its ingress.

use std::path::{Path, PathBuf};

use super::{ConfigError, Origin, secret};

/// The variables of a `.env` file, in the form that the `dotenv` gem reads: `KEY=value`, `export KEY=value`,
/// single or double quotes, `#` comments. The last of several wins; empty ones count as unset.
#[derive(Debug, Default)]
pub(crate) struct ChatwootEnv {
    variables: Vec<Variable>,
    /// Where they were read; none when no file is named.
    path: Option<PathBuf>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    value: String,
    is_plain: bool,
    /// Counted from 1.
    line: usize,
}

impl ChatwootEnv {
    /// Reads the file. It holds passwords, so one that others can read is refused.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let at_file = |error: ConfigError| error.about("chatwoot_env").at(Origin::NamedFile(path.to_owned()));
        let (bytes, others_can_read) = secret::read_small(path).map_err(at_file)?;
        if others_can_read {
            return Err(at_file(secret::readable_by_others(path)));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| at_file(ConfigError::new(format!("{}: is not UTF-8 text", path.display()))))?;
        Ok(Self { path: Some(path.to_owned()), ..Self::parse(&text) })
    }

    pub(crate) fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().zip(1..);
        Self { variables: lines.filter_map(|(text, line)| variable(text, line)).collect(), path: None }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.said(name).filter(|value| !value.is_empty())
    }

    /// The value even when it is empty: to Chatwoot that is not always the same as unset.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        self.last(name).map(|variable| variable.value.as_str())
    }

    /// Whether whatever reads the file finds the value that is read here. Without quotes `dotenv` ends it at `#` and drops a `\`, Docker does
    /// not; without single quotes both put something in the place of `$` and what follows.
    pub(crate) fn is_plain(&self, name: &str) -> bool {
        self.last(name).is_none_or(|variable| variable.is_plain)
    }

    /// Where the variable that counts stands.
    pub(super) fn origin(&self, name: &'static str) -> Option<Origin> {
        let (line, path) = (self.last(name)?.line, self.path.clone()?);
        Some(Origin::ChatwootEnv { variable: name, path, line })
    }

    /// The file, when one was read.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn last(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().rfind(|variable| variable.name == name)
    }
}

fn variable(text: &str, line: usize) -> Option<Variable> {
    let text = text.trim();
    let text = text.strip_prefix("export ").map_or(text, str::trim_start);
    let (key, value) = text.split_once('=')?;
    let key = key.trim_end();
    let is_name = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let written = value.trim();
    let value = unquoted(written);
    let is_plain = match written.chars().next() {
        Some('\'') => true,
        Some('"') => !value.contains('$'),
        _ => !value.contains(['#', '$', '\\']),
    };
    is_name.then(|| Variable { name: key.to_owned(), value, is_plain, line })
}

fn unquoted(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split('\'').next().unwrap_or(rest).to_owned();
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest);
    }
    let end = value.find(" #").unwrap_or(value.len());
    let value = value.get(..end).unwrap_or(value).trim_end();
    if value.starts_with('#') { String::new() } else { value.to_owned() }
}

/// A backslash takes the next character as it is; the first bare `"` ends the value.
fn double_quoted(rest: &str) -> String {
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_readers_read_otherwise_is_not_plain() {
        let plain = |value: &str| ChatwootEnv::parse(&format!("A={value}\n")).is_plain("A");
        for value in ["a", "a # b", "", "'a#$b\\'", "\"a#b\"", "\"a\" # $b"] {
            assert!(plain(value), "{value}");
        }
        for value in ["a#b", "a$b", "a\\b", "\"a$b\""] {
            assert!(!plain(value), "{value}");
        }
        assert!(ChatwootEnv::default().is_plain("A"));
    }

    #[test]
    fn the_line_is_that_of_the_last_which_counts() {
        let env = ChatwootEnv { path: Some("E".into()), ..ChatwootEnv::parse("A=1\n\n# A=2\nA=3\n") };
        let origin = Origin::ChatwootEnv { variable: "A", path: "E".into(), line: 4 };
        assert_eq!((env.get("A"), env.origin("A")), (Some("3"), Some(origin)));
        assert_eq!(env.origin("B"), None);
    }

    #[test]
    fn a_byte_order_mark_hides_no_variable() {
        assert_eq!(ChatwootEnv::parse("\u{feff}A=b\n").get("A"), Some("b"));
    }

    #[test]
    fn variables_are_read_as_the_dotenv_gem_reads_them() {
        let env = ChatwootEnv::parse(
            "# Chatwoot\nFRONTEND_URL=https://chat.example.com\nexport RAILS_INBOUND_EMAIL_SERVICE=relay # default\n\
             RAILS_INBOUND_EMAIL_PASSWORD=\"s\\\"e # c\"\nSMTP_PASSWORD='x#y'\nMAILER_SENDER_EMAIL=Chat <a@b>\nEMPTY=\n\
             HASH=a#b\nFRONTEND_URL = https://two.example.com\nnot a variable\n",
        );
        assert_eq!(env.get("FRONTEND_URL"), Some("https://two.example.com"));
        assert_eq!(env.get("RAILS_INBOUND_EMAIL_SERVICE"), Some("relay"));
        assert_eq!(env.get("RAILS_INBOUND_EMAIL_PASSWORD"), Some("s\"e # c"));
        assert_eq!(env.get("SMTP_PASSWORD"), Some("x#y"));
        assert_eq!(env.get("MAILER_SENDER_EMAIL"), Some("Chat <a@b>"));
        assert_eq!(env.get("HASH"), Some("a#b"));
        assert_eq!((env.get("EMPTY"), env.said("EMPTY")), (None, Some("")));
        assert_eq!(env.get("MISSING"), None);
    }
}
