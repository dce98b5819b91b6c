//! The strict writer: mailboxes in a form that every reader parses to the same addresses.

use super::Mailbox;
use super::spec::is_atext;
use crate::message::encoded_word;

/// Lines are folded before this column (RFC 5322, section 2.1.1, says 78).
const WIDTH: usize = 76;

/// Writes the body of an address field, folded, with a blank before it. `name` is the field's: it takes room on the first line.
pub fn write(name: &str, mailboxes: &[Mailbox]) -> Vec<u8> {
    let mut text = String::new();
    let mut column = name.len() + 1;
    for (number, mailbox) in mailboxes.iter().enumerate() {
        if number > 0 {
            text.push(',');
            column += 1;
        }
        let item = written(mailbox);
        let first = item.split("\r\n").next().map_or(0, str::len);
        if number > 0 && column + 1 + first > WIDTH {
            text.push_str("\r\n");
            column = 0;
        }
        text.push(' ');
        text.push_str(&item);
        column = item.rsplit_once("\r\n").map_or(column + 1 + item.len(), |(_, last)| last.len());
    }
    text.into_bytes()
}

fn written(mailbox: &Mailbox) -> String {
    match mailbox.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        None => mailbox.address.to_string(),
        Some(name) => format!("{} <{}>", phrase(name), mailbox.address),
    }
}

/// A display name: as words when it is plain, quoted when it is ASCII, else in encoded words.
fn phrase(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii() && (is_atext(c) || c == ' ');
    // What looks like an encoded word would be decoded; long quoted strings cannot be folded.
    if name.contains("=?") || name.len() > 60 || !name.chars().all(|c| matches!(c, ' '..='~')) {
        return encoded_word::encode(name);
    }
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::address::{Address, parses_strictly, read};
    use proptest::prelude::*;

    fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
        Mailbox { name: name.map(str::to_owned), address: Address::parse(address).unwrap() }
    }

    fn text(mailboxes: &[Mailbox]) -> String {
        String::from_utf8(write("To", mailboxes)).unwrap()
    }

    #[test]
    fn names_are_written_as_plainly_as_they_can_be() {
        assert_eq!(text(&[mailbox(None, "a@b")]), " a@b");
        assert_eq!(text(&[mailbox(Some("Bob"), "a@b")]), " Bob <a@b>");
        assert_eq!(text(&[mailbox(Some("Help: \"Desk\""), "a@b")]), " \"Help: \\\"Desk\\\"\" <a@b>");
        assert_eq!(text(&[mailbox(Some("Jürgen"), "a@b")]), " =?utf-8?q?J=C3=BCrgen?= <a@b>");
    }

    #[test]
    fn long_lists_are_folded() {
        let list: Vec<Mailbox> = (0..50)
            .map(|number| mailbox(Some("A Name, Quoted"), &format!("user{number}@example.com")))
            .collect();
        let text = text(&list);
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        assert_eq!(read(text.as_bytes()).mailboxes, list);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_needs_no_repair(
            names in proptest::collection::vec(proptest::option::of("[ -~äß山\u{1F600}]{1,80}"), 1..5),
        ) {
            let tidy = |name: String| Some(name.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty());
            let list: Vec<Mailbox> = names.into_iter().enumerate()
                .map(|(number, name)| mailbox(name.and_then(tidy).as_deref(), &format!("user{number}@example.com")))
                .collect();
            let text = text(&list);
            prop_assert!(parses_strictly(text.as_bytes()), "{}", text);
            prop_assert_eq!(read(text.as_bytes()).mailboxes, list);
        }
    }
}
