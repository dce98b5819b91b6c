//! The addr-spec: `local@domain`, checked once and written in one form.

use std::fmt;

/// An addr-spec (RFC 5322, section 3.4.1) without comments, source route or folds.
///
/// The local part is kept unquoted and quoted again where it must be. UTF-8 is allowed in both parts (RFC 6531); control
/// characters are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: String,
}

/// RFC 5321, section 4.5.3.1: 64 bytes, `@`, 255 bytes. Longer local parts exist (VERP) and are taken.
const LONGEST: usize = 512;

impl Address {
    /// Reads the address of an envelope: bare or in angle brackets, with or without source route.
    /// Nothing when it is no address, or holds a blank or control character anywhere.
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        Self::from_spec(without_route(bare))
    }

    /// An address that can belong to nobody (RFC 2606, section 2).
    pub fn of_nobody() -> Self {
        Self { local: "unknown-sender".to_owned(), domain: "ingress.invalid".to_owned() }
    }

    /// Reads an addr-spec; a quoted local part may hold blanks.
    pub(super) fn from_spec(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let local = match local.strip_prefix('"').and_then(|local| local.strip_suffix('"')) {
            Some(quoted) => unquoted(quoted)?,
            None if !local.is_empty() && local.chars().all(|c| is_atext(c) || c == '.') => local.to_owned(),
            None => return None,
        };
        // What stands in brackets could not hold another opening one.
        let is_word = local.chars().any(|c| c != '.') && !local.contains("=?") && !local.contains('<');
        let sound = is_word && is_domain(domain) && text.len() <= LONGEST;
        sound.then(|| Self { local, domain: domain.to_owned() })
    }

    /// Reads what Ruby's mail gem takes for an address and others need not: atoms with dots anywhere, but at the end of the domain.
    pub(super) fn of_atoms(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let is_atoms = |text: &str| {
            text.chars().all(|c| is_atext(c) || c == '.')
                && text.chars().any(|c| c != '.')
                && !text.contains("=?")
        };
        let sound = is_atoms(local) && is_atoms(domain) && !domain.ends_with('.');
        sound.then(|| Self { local: local.to_owned(), domain: domain.to_owned() })
    }

    /// Whether an apostrophe begins or ends it, as of one that was quoted by mistake: `'a@b'`.
    pub fn is_in_apostrophes(&self) -> bool {
        self.local.starts_with('\'') || self.domain.ends_with('\'')
    }

    /// The local part, unquoted.
    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether both name the same mailbox as Chatwoot compares them: without regard to ASCII case.
    pub fn same_mailbox(&self, other: &Self) -> bool {
        self.local.eq_ignore_ascii_case(&other.local) && self.domain.eq_ignore_ascii_case(&other.domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.local.chars().all(|c| is_atext(c) || c == '.') {
            return write!(formatter, "{}@{}", self.local, self.domain);
        }
        formatter.write_str("\"")?;
        for c in self.local.chars() {
            if matches!(c, '"' | '\\') {
                formatter.write_str("\\")?;
            }
            write!(formatter, "{c}")?;
        }
        write!(formatter, "\"@{}", self.domain)
    }
}

/// `@relay,@other:a@b` (RFC 5321, appendix C) without the relays.
pub(super) fn without_route(text: &str) -> &str {
    match text.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => text,
    }
}

fn unquoted(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            c => text.push(c),
        }
    }
    (!text.chars().any(char::is_control)).then_some(text)
}

/// RFC 5322, section 3.2.3, and any character that is not ASCII (RFC 6532, section 3.2).
pub(super) fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_foreign(c)
}

fn is_foreign(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && c != '\u{fffd}'
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        return !literal.is_empty()
            && literal.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-'));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || is_foreign(c))
    };
    domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<String> {
        Address::parse(text).map(|address| address.to_string())
    }

    #[test]
    fn addresses_of_envelopes_are_read_in_each_form() {
        for (text, expected) in [
            ("a@b", "a@b"),
            ("<a@b.example>", "a@b.example"),
            ("<@r,@s:a@b>", "a@b"),
            ("-x@example.com", "-x@example.com"),
            ("reply+5F2B@Example.COM", "reply+5F2B@Example.COM"),
            ("\"support\"@x", "support@x"),
            ("\"a\\\"b\"@x", "\"a\\\"b\"@x"),
            ("\"a@b\"@x", "\"a@b\"@x"),
            ("jürgen@bücher.example", "jürgen@bücher.example"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("a..b.@docomo.example", "a..b.@docomo.example"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "<>",
            "@b",
            "a@",
            "a",
            "MAILER-DAEMON",
            "unknown",
            "a b@c",
            "a@b c",
            "a@b\r\nBcc: x@y",
            "a@b\0",
            "\"a b\"@c",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a@b@",
            "a,b@c",
            "a@b,c@d",
            "<a@b",
            "a(b)@c",
            "%(recipient)",
            "${recipient}",
            "a@b>",
            "a\u{85}@b",
            "a\u{a0}b@c",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed(&format!("{}@b", "a".repeat(600))), None);
    }

    #[test]
    fn case_is_no_difference() {
        let address = |text| Address::parse(text).unwrap();
        assert!(address("Reply+A@B.c").same_mailbox(&address("reply+a@b.C")));
        assert!(!address("a@b").same_mailbox(&address("a+x@b")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-zA-Z0-9\"\\\\@.<>: ü+,()\\[\\]-]{0,30}") {
            if let Some(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()), Some(address));
            }
        }
    }
}
