//! Where a value was said.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `--url`.
    Option(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// The configuration file; without a key, the line or the file as a whole.
    File {
        key: Option<&'static str>,
        path: PathBuf,
        line: Option<usize>,
    },
    /// A variable of Chatwoot's own `.env`.
    ChatwootEnv {
        variable: &'static str,
        path: PathBuf,
        line: usize,
    },
    /// A file that a setting names.
    NamedFile(PathBuf),
    Default,
}

impl Origin {
    /// The file that holds the value itself.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } | Self::ChatwootEnv { path, .. } | Self::NamedFile(path) => Some(path),
            Self::Option(_) | Self::Variable(_) | Self::Default => None,
        }
    }

    /// `/etc/ingress.toml:3: `, to stand before a complaint; nothing where there is no line to look up.
    pub(super) fn line_prefix(&self) -> String {
        match self {
            Self::File { path, line: Some(line), .. } | Self::ChatwootEnv { path, line, .. } => {
                format!("{}:{line}: ", path.display())
            }
            _ => String::new(),
        }
    }

    /// As [`Display`](fmt::Display) has it, and the line where it is known: `url in /etc/ingress.toml:3`.
    pub(crate) fn with_line(&self) -> String {
        match self {
            Self::File { line: Some(line), .. } | Self::ChatwootEnv { line, .. } => format!("{self}:{line}"),
            _ => self.to_string(),
        }
    }

    /// What is to be corrected: `--url`, `line 3 of /etc/ingress.toml`, `FRONTEND_URL in /opt/chatwoot/.env`.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File { path, line: Some(line), .. } => format!("line {line} of {}", path.display()),
            Self::File { path, line: None, .. } | Self::NamedFile(path) => {
                format!("that in {}", path.display())
            }
            other => other.to_string(),
        }
    }
}

/// `--url`, `INGRESS_URL`, `url in /etc/ingress.toml`, `FRONTEND_URL in /opt/chatwoot/.env`, `default`.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) | Self::Variable(name) => formatter.write_str(name),
            Self::File { key: Some(name), path, .. } | Self::ChatwootEnv { variable: name, path, .. } => {
                write!(formatter, "{name} in {}", path.display())
            }
            Self::File { key: None, path, .. } | Self::NamedFile(path) => {
                write!(formatter, "{}", path.display())
            }
            Self::Default => formatter.write_str("default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_is_named_and_corrected_at_its_place() {
        let file = |key, line| Origin::File { key, path: "/f".into(), line };
        let env = Origin::ChatwootEnv { variable: "FRONTEND_URL", path: "/e".into(), line: 7 };
        assert_eq!(env.with_line(), "FRONTEND_URL in /e:7");
        assert_eq!(file(Some("url"), Some(3)).with_line(), "url in /f:3");
        for (origin, shown, prefix, place) in [
            (Origin::Option("--url"), "--url", "", "--url"),
            (Origin::Variable("URL"), "URL", "", "URL"),
            (file(Some("url"), Some(3)), "url in /f", "/f:3: ", "line 3 of /f"),
            (file(None, None), "/f", "", "that in /f"),
            (env, "FRONTEND_URL in /e", "/e:7: ", "FRONTEND_URL in /e"),
            (Origin::NamedFile("/p".into()), "/p", "", "that in /p"),
            (Origin::Default, "default", "", "default"),
        ] {
            assert_eq!(origin.to_string(), shown);
            assert!(origin.with_line().starts_with(shown));
            assert_eq!((origin.line_prefix().as_str(), origin.place().as_str()), (prefix, place));
        }
    }
}
