//! Whether a line begins a header field: what follows a separator, and tells one from a line of text.

/// Fields that mail has, beside those that begin like [`FAMILIES`].
const KNOWN: [&str; 33] = [
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "delivered-to",
    "envelope-to",
    "reply-to",
    "sender",
    "in-reply-to",
    "references",
    "status",
    "lines",
    "organization",
    "user-agent",
    "importance",
    "priority",
    "precedence",
    "comments",
    "keywords",
    "errors-to",
    "auto-submitted",
    "authentication-results",
    "dkim-signature",
    "domainkey-signature",
    "received-spf",
    "disposition-notification-to",
    "apparently-to",
];

const FAMILIES: [&str; 6] = ["content-", "x-", "resent-", "list-", "arc-", "thread-"];

/// The longest name that is looked for.
const LONGEST: usize = 128;

/// The name of the field that begins in this line.
pub(super) fn name(line: &[u8]) -> Option<&[u8]> {
    let head = line.get(..LONGEST).unwrap_or(line);
    let name = head.get(..memchr::memchr(b':', head)?)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'))).then_some(name)
}

/// The same, without the `>` that careless writers put before `From:`.
pub(super) fn quoted_name(line: &[u8]) -> Option<&[u8]> {
    name(without_marks(line))
}

/// Whether mail has a field of this name.
pub(super) fn is_known(name: &[u8]) -> bool {
    let begins = |family: &str| {
        name.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family.as_bytes()))
    };
    KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || FAMILIES.iter().any(|family| begins(family))
}

/// A line without the `>` that it begins with.
pub(super) fn without_marks(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    line.get(marks..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_name_and_a_colon() {
        for (line, wanted) in
            [(&b"Subject: x"[..], "Subject"), (b"X-A : b", "X-A"), (b"From:", "From"), (b"http://x", "http")]
        {
            assert_eq!(name(line), Some(wanted.as_bytes()));
        }
        for line in [&b"no field"[..], b": x", b"two words: x", b"", b"T\xc3\xb6: x", b" To: x"] {
            assert_eq!(name(line), None, "{line:?}");
        }
        assert_eq!(quoted_name(b">>From: a@b"), Some(&b"From"[..]));
    }

    #[test]
    fn mail_has_its_fields() {
        for known in ["FROM", "x-anything", "Content-Type", "list-id"] {
            assert!(is_known(known.as_bytes()), "{known}");
        }
        for other in ["http", "Note", "x", "", "Fromage"] {
            assert!(!is_known(other.as_bytes()), "{other}");
        }
    }
}
