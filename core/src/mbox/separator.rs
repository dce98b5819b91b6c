//! Which lines may separate the messages of a mailbox, and how sure that is.

use super::date::{self, Dating};

/// The line that stands before and after a message of an MMDF mailbox.
pub(super) const MARK: &[u8] = b"\x01\x01\x01\x01";

/// A line that may be a separator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `From`, a sender and a time.
    Dated(i64),
    /// `From`, and a sender or what is left of a time: a separator when a field that mail has comes next.
    Undated,
    /// `From` and a blank, as Thunderbird writes it.
    Bare,
    /// `From` and one word, which may be a user's name or prose: a separator when a field that mail has comes next.
    Word,
}

/// What a line looks like; nothing when it is text.
pub(super) fn shape(line: &[u8]) -> Option<Shape> {
    let rest = line.strip_prefix(b"From ")?;
    if rest.trim_ascii().is_empty() {
        return Some(Shape::Bare);
    }
    let text = String::from_utf8_lossy(rest);
    // Some writers pad a time of one digit: `09: 13:44`.
    let text = text.replace(": ", ":").replace(" :", ":");
    let words: Vec<&str> = text.split_whitespace().collect();
    match date::of_words(&words) {
        Dating::Whole { seconds, before } if is_sender(words.get(..before).unwrap_or_default()) => {
            Some(Shape::Dated(seconds))
        }
        Dating::Whole { .. } => Some(Shape::Undated),
        Dating::Pieces if words.first().is_some_and(|word| is_address(word)) => Some(Shape::Undated),
        Dating::Pieces if words.len() > 3 && words.iter().skip(1).all(|word| date::is_piece(word)) => {
            Some(Shape::Undated)
        }
        Dating::Nothing if words.len() == 1 => Some(if words.first().is_some_and(|word| is_address(word)) {
            Shape::Undated
        } else {
            Shape::Word
        }),
        Dating::Pieces | Dating::Nothing => None,
    }
}

/// One word, or several in quotation marks.
fn is_sender(words: &[&str]) -> bool {
    words.len() <= 1 || words.first().is_some_and(|word| word.starts_with(['"', '<']))
}

fn is_address(word: &str) -> bool {
    word == "-" || word.contains('@') || word.eq_ignore_ascii_case("MAILER-DAEMON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_and_a_time_make_a_separator() {
        for line in [
            "From a@b Mon Nov 23 15:25:56 2026\r\n",
            "From - Mon Nov 23 15:25:56 2026",
            "From \"a b\"@c  Mon Nov 23 15:25:56 UTC 2026",
            "From ???@??? Mon Nov 23 15:25:56 2026",
            "From a@b  Mon Nov 23 15: 25:56 2026",
        ] {
            assert_eq!(shape(line.as_bytes()), Some(Shape::Dated(1_795_447_556)), "{line}");
        }
    }

    #[test]
    fn without_a_time_it_may_be_one() {
        for line in [
            "From a@b",
            "From -",
            "From MAILER-DAEMON",
            "From a@b Mon Nov 23 25:61:00 2026",
            "From bob Mon Nov 23 25:61:00 2026",
            "From what I saw on Mon Nov 23 15:25:56 2026",
        ] {
            assert_eq!(shape(line.as_bytes()), Some(Shape::Undated), "{line}");
        }
        assert_eq!(shape(b"From \r\n"), Some(Shape::Bare));
        assert_eq!(shape(b"From memory"), Some(Shape::Word));
    }

    #[test]
    fn prose_is_no_separator() {
        for line in [
            "From here on it is easy",
            "From May 3 to June 4 2026",
            "From 3 May 2026 to June",
            "From 3 May 2026 12:00 to 14:00 we are closed",
            "From Monday to Friday 2026 we are closed.",
            "From",
            "From:",
            "from a Mon Nov 23 15:25:56 2026",
            "From ann@example.org we heard nothing",
        ] {
            assert_eq!(shape(line.as_bytes()), None, "{line}");
        }
    }
}
