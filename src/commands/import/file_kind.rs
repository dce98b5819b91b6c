//! What a file is, told by how it begins.

use crate::delivery::stdin;
use chatwoot_mail::mbox::{Form, emlx};
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::{message, route};

/// How much of a file is looked at.
pub(super) const LOOK: u64 = 16 * 1024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Nothing, or nothing but blank lines.
    Empty,
    Mailbox(Form),
    Message,
    /// Has a header, of fields that mail does not have.
    Doubtful,
    /// Mail in a form that is not read here: what it is, and what converts it.
    Elsewhere(&'static str),
    /// A form that mail comes in among others.
    Container(&'static str),
    Foreign,
}

/// Forms of mail stores that other programs convert.
const ELSEWHERE: [(&[u8], &str); 4] = [
    (b"!BDN", "is a mail store of Outlook: readpst -o DIR FILE makes mboxes of it, to be imported from DIR"),
    (
        b"\xCF\xAD\x12\xFE",
        "is a folder of Outlook Express: undbx FILE DIR makes .eml files of it, to be imported from DIR",
    ),
    (
        b"*mbx*\r\n",
        "is a folder of UW-IMAP's form mbx: mailutil copy FILE '#driver.unix/MBOX' makes an mbox of it",
    ),
    (b"BABYL OPTIONS:", "is a folder of Emacs' Rmail: b2m makes an mbox of it"),
];
const DBOX: &str = "is of Dovecot's form dbox: doveadm backup -u USER maildir:DIR makes a Maildir of it";

const CONTAINERS: [(&[u8], &str); 2] = [
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "is a message of Outlook's own form: msgconvert FILE makes an .eml of it",
    ),
    (b"PK\x03\x04", "is a ZIP archive: unpack it, and import the folder"),
];

/// Where tar(1) writes what it is.
const TAR: (usize, &[u8]) = (257, b"ustar");

impl FileKind {
    /// Of a file that begins so; it is not compressed.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii().is_empty() {
            return Self::Empty;
        }
        if let Some(form) = Form::of(head) {
            return Self::Mailbox(form);
        }
        if let Some((_, advice)) = ELSEWHERE.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Self::Elsewhere(advice);
        }
        if is_dbox(head) {
            return Self::Elsewhere(DBOX);
        }
        if let Some((_, advice)) = CONTAINERS.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Self::Container(advice);
        }
        if head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
            return Self::Container("is a tar archive: unpack it, and import the folder");
        }
        Self::of_text(head)
    }

    fn of_text(head: &[u8]) -> Self {
        const FIELDS: [&str; 8] =
            ["From", "To", "Subject", "Date", "Received", "Message-ID", "Return-Path", "Delivered-To"];
        let start = emlx(head).and_then(|range| usize::try_from(range.start).ok()).unwrap_or(0);
        let head = head.get(start..).unwrap_or_default();
        let Ok(head) = stdin::from_reader(head, head.len() as u64, ExtraReturns::Repair, u64::MAX) else {
            return Self::Foreign;
        };
        let header = route::header_of(&head.bytes);
        if FIELDS.iter().any(|name| header.named(name).next().is_some()) {
            Self::Message
        } else if message::has_header(&head.bytes) {
            Self::Doubtful
        } else {
            Self::Foreign
        }
    }
}

/// Dovecot's dbox begins with a version, the length of what stands before each message, and the time of its making: `2 M1e C4f5d1a2b`.
fn is_dbox(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let hexadecimal = |word: &[u8], letter| {
        word.strip_prefix(&[letter]).is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit))
    };
    matches!(words.as_slice(), [b"1" | b"2", length, made] if hexadecimal(length, b'M') && hexadecimal(made, b'C'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatwoot_mail::mbox::Family;

    #[test]
    fn files_are_told_apart_by_how_they_begin() {
        let mbox = FileKind::Mailbox(Form { family: Family::Mbox, returns: false });
        for (head, kind) in [
            (&b""[..], FileKind::Empty),
            (b"\xef\xbb\xbf\r\n\n", FileKind::Empty),
            (b"\xef\xbb\xbfFrom a@b\nTo: c", mbox),
            (b"Subject: x\n", FileKind::Message),
            (b"20\nSubject: x\n", FileKind::Message),
            (b"Colour: red\n", FileKind::Doubtful),
            (b"\x89PNG\r\n", FileKind::Foreign),
            (b"nothing but words\n", FileKind::Foreign),
        ] {
            assert_eq!(FileKind::of(head), kind, "{head:?}");
        }
        assert!(matches!(FileKind::of(b"!BDN\0"), FileKind::Elsewhere(_)));
        assert!(matches!(FileKind::of(b"2 M1e C4f5d1a2b\n"), FileKind::Elsewhere(_)));
        assert_eq!(FileKind::of(b"2 More words C\n"), FileKind::Foreign);
        assert!(matches!(FileKind::of(b"PK\x03\x04"), FileKind::Container(_)));
        let tar = [&[b'x'; 257][..], b"ustar"].concat();
        assert!(matches!(FileKind::of(&tar), FileKind::Container(_)));
    }
}
