//! Which form of mailbox a file is that begins so, and how its lines end.

use super::field;
use super::separator::{MARK, Shape, shape};

/// How the messages of a mailbox are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A line `From sender date` begins each.
    Mbox,
    /// A line of four Control-A stands before and after each.
    Mmdf,
}

/// The form of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub family: Family,
    /// Whether lines end in CR, as on old Macs.
    pub returns: bool,
}

impl Form {
    /// The form of a mailbox that begins with these bytes, a byte order mark and blank lines aside.
    pub fn of(head: &[u8]) -> Option<Self> {
        let returns = begins_with_returns(head);
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
        let end = if returns { b'\r' } else { b'\n' };
        let (line, rest) = head.split_at(memchr::memchr(end, head).map_or(head.len(), |at| at + 1));
        let family = if line.trim_ascii_end() == MARK {
            Family::Mmdf
        } else {
            match shape(line)? {
                Shape::Dated(_) | Shape::Bare => Family::Mbox,
                Shape::Undated | Shape::Word => field::quoted_name(rest).map(|_| Family::Mbox)?,
            }
        };
        Some(Self { family, returns })
    }
}

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the lines of a file that begins so end in CR.
pub fn begins_with_returns(head: &[u8]) -> bool {
    memchr::memchr(b'\r', head).is_some() && memchr::memchr(b'\n', head).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_known_by_their_first_line() {
        let mbox = Some(Form { family: Family::Mbox, returns: false });
        for head in [
            "From a@b Mon Nov 23 15:25:56 2026\n",
            "From a@b Mon Nov 23 15:25:56 2026",
            "\u{feff}From \nSubject: x",
            "\n \r\nFrom a@b\nSubject: x",
            "From a@b\n>From: c@d",
        ] {
            assert_eq!(Form::of(head.as_bytes()), mbox, "{head}");
        }
        assert_eq!(Form::of(b"From -\rA: b\r"), Some(Form { family: Family::Mbox, returns: true }));
        assert_eq!(Form::of(b"\x01\x01\x01\x01\r\n"), Some(Form { family: Family::Mmdf, returns: false }));
    }

    #[test]
    fn other_files_are_no_mailboxes() {
        for head in [
            "",
            "From here on\nSubject: x",
            "From memory\nhello",
            "From a@b\nhello",
            "Subject: x\n",
            "\u{1}\u{1}\u{1}\n",
            "From: a@b\n",
        ] {
            assert_eq!(Form::of(head.as_bytes()), None, "{head}");
        }
    }
}
