//! What is particular to an installation, judged before it goes into files of a dozen syntaxes.

use std::fmt::{self, Display, Formatter};

/// The sample values, of which the examples are made.
const DOMAIN: &str = "reply.example.com";
const INBOX_LOCAL: &str = "support";
const INBOX_DOMAIN: &str = "example.com";
const USER: &str = "ingress";
const BINARY: &str = "/usr/bin/ingress";
const CONFIG: &str = "/etc/ingress.toml";

/// What the operator gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) domain: Option<String>,
    pub(crate) inboxes: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) binary: Option<String>,
    pub(crate) config: Option<String>,
}

/// A value that could mean something else in one of the files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    option: &'static str,
    value: String,
    wanted: &'static str,
}

impl Display for Unfit {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.option, self.value, self.wanted)
    }
}

/// What is filled in. Every value is made of characters that are plain in each of the files' syntaxes.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(super) domain: String,
    /// Local part and domain.
    pub(super) inboxes: Vec<(String, String)>,
    pub(super) user: String,
    pub(super) binary: String,
    pub(super) config: String,
    /// The sample values that nobody replaced, as options.
    samples: Vec<&'static str>,
}

impl Values {
    /// Judges what was given; the rest are the sample values. Without `--domain` and `--inbox` those stand for both, so that the
    /// examples come out as they are; with `--domain` alone there is no inbox.
    ///
    /// # Errors
    ///
    /// When a value holds what is more than plain text in one of the files, or is not of its kind.
    pub(crate) fn new(given: Given) -> Result<Self, Unfit> {
        let mut samples = Vec::new();
        if given.domain.is_none() {
            samples.push("--domain");
            if given.inboxes.is_empty() {
                samples.push("--inbox");
            }
        }
        let inboxes = if samples.contains(&"--inbox") {
            vec![(INBOX_LOCAL.to_owned(), INBOX_DOMAIN.to_owned())]
        } else {
            given.inboxes.into_iter().map(inbox).collect::<Result<_, _>>()?
        };
        Ok(Self {
            domain: or_sample("--domain", given.domain, DOMAIN, is_host_name, HOST_NAME)?
                .to_ascii_lowercase(),
            inboxes,
            user: or_sample("--user", given.user, USER, is_user_name, USER_NAME)?,
            binary: or_sample("--binary", given.binary, BINARY, is_plain_path, PLAIN_PATH)?,
            config: or_sample("--config", given.config, CONFIG, is_plain_path, PLAIN_PATH)?,
            samples,
        })
    }

    /// The options that were not given although the files need them.
    pub(crate) fn samples(&self) -> &[&'static str] {
        &self.samples
    }
}

const HOST_NAME: &str =
    "a domain is made of the letters a to z, digits, hyphens and dots; write others as xn--...";
const USER_NAME: &str =
    "a user name is made of small letters, digits, hyphens and underscores, and begins with no digit";
const PLAIN_PATH: &str = "give an absolute path of letters, digits and . _ + -";
const INBOX: &str =
    "give local@domain; in the local part letters, digits and . _ = - can be written into every file";
const TAG: &str = "give it without +tag: Chatwoot takes that off an address before it looks for the inbox";

fn or_sample(
    option: &'static str,
    value: Option<String>,
    sample: &str,
    fits: fn(&str) -> bool,
    wanted: &'static str,
) -> Result<String, Unfit> {
    match value {
        None => Ok(sample.to_owned()),
        Some(value) if fits(&value) => Ok(value),
        Some(value) => Err(Unfit { option, value, wanted }),
    }
}

fn inbox(address: String) -> Result<(String, String), Unfit> {
    match address.split_once('@') {
        Some((local, _)) if local.contains('+') => {
            Err(Unfit { option: "--inbox", value: address, wanted: TAG })
        }
        Some((local, domain)) if is_plain_local_part(local) && is_host_name(domain) => {
            Ok((local.to_owned(), domain.to_ascii_lowercase()))
        }
        _ => Err(Unfit { option: "--inbox", value: address, wanted: INBOX }),
    }
}

fn is_plain_local_part(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=-".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.len() <= 64 && text.chars().all(plain)
}

fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_user_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(plain)
}

fn is_plain_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    text.starts_with('/') && !text.ends_with('/') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(given: Given) -> Result<Values, String> {
        Values::new(given).map_err(|unfit| unfit.to_string())
    }

    #[test]
    fn nothing_given_is_the_samples() {
        let values = judged(Given::default()).unwrap();
        assert_eq!(values.samples(), ["--domain", "--inbox"]);
        assert_eq!(values.inboxes, [("support".to_owned(), "example.com".to_owned())]);
    }

    #[test]
    fn a_domain_alone_means_no_inbox() {
        let values =
            judged(Given { domain: Some("reply.acme.test".to_owned()), ..Given::default() }).unwrap();
        assert!(values.inboxes.is_empty() && values.samples().is_empty());
    }

    /// OpenSMTPD compares its regular expressions with addresses in small letters.
    #[test]
    fn domains_are_written_in_small_letters() {
        let (domain, inbox) = ("Reply.ACME.test".to_owned(), "Help@ACME.test".to_owned());
        let values =
            judged(Given { domain: Some(domain), inboxes: vec![inbox], ..Given::default() }).unwrap();
        assert_eq!(values.domain, "reply.acme.test");
        assert_eq!(values.inboxes, [("Help".to_owned(), "acme.test".to_owned())]);
    }

    #[test]
    fn what_could_mean_more_than_itself_is_refused() {
        for domain in [
            "",
            "b\u{fc}cher.test",
            ".",
            "a..b",
            "-a.test",
            "a b",
            "a/b",
            "a@b",
            "reply.acme.test.",
            "a\nb",
            "${x}",
        ] {
            assert!(
                judged(Given { domain: Some(domain.to_owned()), ..Given::default() }).is_err(),
                "{domain}"
            );
        }
        for inbox in
            ["", "@", "a@", "@b", "a b@c", "-a@b", "\"a\"@b", "a@b@c", "$x@b", "a'@b", "a|b@c", "a\\@b"]
        {
            let error = judged(Given { inboxes: vec![inbox.to_owned()], ..Given::default() }).unwrap_err();
            assert!(error.starts_with(&format!("--inbox {inbox}: ")), "{error}");
        }
        for user in ["", "0", "a b", "Root", "a:b", "-x"] {
            assert!(judged(Given { user: Some(user.to_owned()), ..Given::default() }).is_err(), "{user}");
        }
        for path in ["", "ingress", "./ingress", "/", "/usr/bin/", "/a b", "/a\"b", "/a$b", "/a\n"] {
            assert!(judged(Given { binary: Some(path.to_owned()), ..Given::default() }).is_err(), "{path}");
            assert!(judged(Given { config: Some(path.to_owned()), ..Given::default() }).is_err(), "{path}");
        }
    }
}
