//! Repairs of the subject.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::message::encoded_word;
use crate::route::{LONGEST_STORED, shown_length, shown_start};

/// Chatwoot stores no more than 1500 characters of it with a new conversation, and raises (F9).
pub(super) const LONG_SUBJECT: Repair = Repair {
    name: "long-subject",
    summary: "cuts a Subject of more than 1500 characters, and keeps the whole of it in X-Ingress-Original-Subject",
    step: Step::Header(long_subject),
};

/// What stands where the rest was.
const CUT: &str = "...";

fn long_subject(draft: &mut Draft<'_>) -> bool {
    let Some(field) = draft.header.named("Subject").next_back() else { return false };
    if field.value.len() <= LONGEST_STORED || shown_length(field.value) <= LONGEST_STORED {
        return false;
    }
    let (at, shown) = (field.at, shown_start(field.value));
    // More words than characters are not needed.
    let words = shown.split_whitespace().take(LONGEST_STORED).collect::<Vec<_>>().join(" ");
    let cut: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_STORED - CUT.len())
        .chain(CUT.chars())
        .collect();
    originals::replaced(&mut draft.header, at, "Subject", encoded_word::encode(&cut).as_bytes());
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn subject(value: &str) -> Option<String> {
        let section = format!("Subject: {value}\r\n");
        let mut draft = Draft::new(section.as_bytes(), None, &Sender::Unknown);
        long_subject(&mut draft).then(|| {
            assert_eq!(draft.header.named("X-Ingress-Original-Subject").count(), 1);
            let field = draft.header.named("Subject").next().unwrap();
            encoded_word::decode(&encoded_word::raw_text(field.trimmed()))
        })
    }

    #[test]
    fn a_subject_is_cut_where_chatwoot_would_refuse_it() {
        let cut = subject(&format!("ALERT {}", "x".repeat(1600))).unwrap();
        assert_eq!(cut.chars().count(), LONGEST_STORED);
        assert!(cut.starts_with("ALERT xxx") && cut.ends_with("xxx..."));
        assert_eq!(subject(&"x".repeat(1500)), None);
    }

    #[test]
    fn a_subject_of_a_megabyte_is_cut_too() {
        let cut = subject(&"word ".repeat(200_000)).unwrap();
        assert_eq!(cut.chars().count(), LONGEST_STORED);
        assert!(cut.starts_with("word word"));
    }

    #[test]
    fn what_counts_is_what_is_shown() {
        let word = "=?utf-8?q?=C3=9C=C3=9C=C3=9C=C3=9C=C3=9C?=";
        assert_eq!(subject(&[word; 100].join("\r\n ")), None);
        assert!(subject(&[word; 400].join("\r\n ")).unwrap().starts_with("\u{dc}\u{dc}"));
    }
}
