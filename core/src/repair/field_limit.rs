//! Repair of headers with more fields than are read: what counts must stand among the first thousand.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::header::{Field, Header, Standing};
use crate::message::mime::content_type::ContentType;

/// The mail gem reads 1000 fields and forgets the others, whatever they say (D19).
pub(super) const TOO_MANY_FIELDS: Repair = Repair {
    name: "too-many-fields",
    summary: "moves what counts up among the first 1000 header fields: no more are read",
    step: Step::Header(too_many_fields),
};

/// The fields that Chatwoot, the mail gem or a repair looks at.
const COUNTING: [&str; 27] = [
    "To",
    "Cc",
    "Bcc",
    "From",
    "Reply-To",
    "Sender",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Description",
    "X-Original-To",
    "X-Original-Sender",
    "X-Original-From",
    "X-Forwarded-For",
    "Auto-Submitted",
    "X-Autoreply",
    "Precedence",
    "List-Id",
    "X-Auto-Response-Suppress",
    "Return-Path",
];

/// Names of `COUNTING` that were met.
#[derive(Default)]
struct Seen([bool; COUNTING.len()]);

impl Seen {
    /// Notes a name; nothing where it does not count, else whether it was met for the first time.
    fn first(&mut self, name: &[u8]) -> Option<bool> {
        let place = COUNTING.iter().position(|counting| name.eq_ignore_ascii_case(counting.as_bytes()))?;
        let seen = self.0.get_mut(place)?;
        Some(!std::mem::replace(seen, true))
    }

    /// What the lines that are read hold already, or held before a repair set it aside.
    fn in_lines(header: &Header<'_>) -> Self {
        let mut seen = Self::default();
        for field in header.fields() {
            let (prefix, name) = field.name.split_at_checked(originals::PREFIX.len()).unwrap_or_default();
            let is_original = prefix.eq_ignore_ascii_case(originals::PREFIX.as_bytes());
            seen.first(if is_original { name } else { field.name });
        }
        // The fields that describe a content went with it into its part.
        if ContentType::of(header).is_some_and(|kind| kind.is_multipart()) {
            for name in COUNTING.iter().filter(|name| name.starts_with("Content-")) {
                seen.first(name.as_bytes());
            }
        }
        seen
    }
}

fn too_many_fields(draft: &mut Draft<'_>) -> bool {
    let mut seen = Seen::in_lines(&draft.header);
    let taken = draft.header.take_from_beyond(|name| seen.first(name) == Some(true));
    if taken {
        keep_within(&mut draft.header);
    }
    taken
}

/// Sees to it that what the other repairs added pushes nothing that counts out of what is read; says whether something had to give way.
pub(super) fn keep_within(header: &mut Header<'_>) -> bool {
    let mut changed = false;
    for at in header.refill() {
        changed |= set_aside(header, at);
    }
    if changed {
        return true;
    }
    let mut seen = Seen::default();
    // The last field of a name is the one that counts in the mail gem: the first from the bottom.
    header.keep_within(|field: &Field<'_>| match seen.first(field.name) {
        Some(true) => Standing::Counts,
        Some(false) => Standing::Repeated,
        None => Standing::GivesWay,
    })
}

/// What no one read before must not be read because a repair made room for it.
fn set_aside(header: &mut Header<'_>, at: usize) -> bool {
    let is_met = |name: &&&str| header.field(at).is_some_and(|field| field.is(name));
    let name = COUNTING.iter().find(is_met);
    if let Some(name) = name {
        originals::preserve(header, at, name);
    }
    name.is_some()
}

#[cfg(test)]
mod tests {
    use super::super::apply::tests::repaired;
    use crate::message::header::{Header, MOST_LINES, section_length};

    fn many(lines: usize) -> String {
        "Received: from a by b\n".repeat(lines)
    }

    const REST: &str = "From: ann@example.org\nTo: support@example.com\nSubject: far\nMessage-ID: <1@x>\nContent-Type: text/plain\n\nbody\n";

    fn read(message: &[u8]) -> Vec<String> {
        let header = Header::parse(&message[..section_length(message)]);
        ["From", "To", "Subject", "Message-ID", "Content-Type"]
            .iter()
            .filter(|name| header.named(name).next().is_some())
            .map(|name| (*name).to_owned())
            .collect()
    }

    #[test]
    fn what_counts_stands_among_the_first_thousand() {
        for lines in [996, 999, 1000, 1100, 5000] {
            let repaired = repaired(format!("{}{REST}", many(lines)).as_bytes(), None);
            assert_eq!(read(&repaired.bytes).len(), 5, "{lines}");
            assert_eq!(repaired.repairs, ["too-many-fields"], "{lines}");
            assert_eq!(String::from_utf8_lossy(&repaired.bytes).matches("Received").count(), lines);
        }
    }

    #[test]
    fn a_thousand_fields_are_not_too_many() {
        let message = format!("{}{REST}", many(MOST_LINES - 5));
        assert_eq!(repaired(message.as_bytes(), None).repairs, [""; 0]);
    }

    #[test]
    fn what_a_repair_adds_pushes_nothing_out() {
        let message = format!("{}{REST}", many(MOST_LINES - 5));
        let once = repaired(message.as_bytes(), Some("sales@example.com"));
        assert_eq!(once.repairs, ["too-many-fields", "single-x-original-to"]);
        assert_eq!(read(&once.bytes).len(), 5);
        let twice = repaired(&once.bytes, Some("sales@example.com"));
        assert_eq!((twice.bytes, twice.repairs), (once.bytes, vec![]));
    }

    #[test]
    fn a_field_that_is_read_stays_the_one_that_counts() {
        let message = format!("To: a@example.com\n{}{REST}", many(1000));
        let bytes = repaired(message.as_bytes(), None).bytes;
        let header = Header::parse(&bytes);
        let to: Vec<_> = header.named("To").map(|field| field.trimmed().to_vec()).collect();
        assert_eq!(to, [b"a@example.com"]);
    }

    #[test]
    fn hostile_numbers_of_fields_are_repaired_once_and_for_all() {
        for field in [
            "To:",
            "To: a@b",
            "Reply-To:",
            "Reply-To: <",
            "From: a",
            "Date: \u{e4}",
            "Date: 1 \u{e4}",
            "Message-ID:",
            "References: \u{e4}",
            "X-Original-To: a@b",
            "X-Forwarded-For: a b",
            "Auto-Submitted: no",
            "Content-Type: a/b",
            "Content-Disposition: x",
            "Content-Transfer-Encoding: odd",
            "Subject: \u{e4}",
            "junk",
            " fold",
        ] {
            let latin1: Vec<u8> = format!("{field}\n").repeat(3000).chars().map(|c| c as u8).collect();
            for (before, after) in
                [("", REST), (REST, ""), ("From: a@b\n", "\nx\n"), ("", "Content-Type: image/png\n\nx\n")]
            {
                let before = before.split("\n\n").next().unwrap_or_default();
                let message = [before.as_bytes(), b"\n", &latin1, after.as_bytes()].concat();
                let once = repaired(&message, Some("support@example.com"));
                let twice = repaired(&once.bytes, Some("support@example.com"));
                assert_eq!(twice.repairs, [""; 0], "{field} {before} {after}");
                assert!(twice.bytes == once.bytes, "{field} {before} {after}");
            }
        }
    }
}
