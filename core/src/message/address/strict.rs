//! The strict reader: which fields Ruby's mail gem surely parses, to the addresses that `read` finds. Conservative, so that what
//! it accepts can be left alone, byte for byte.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::Address;
use super::spec::is_atext;

/// Whether the value is a list of addresses in a form that the mail gem parses: names as words, quoted strings, encoded words or raw
/// UTF-8, addresses bare or in brackets, comments, groups, stray separators.
pub fn parses_strictly(value: &[u8]) -> bool {
    items(value)
        .is_some_and(|items| items.iter().all(|item| !matches!(item, Item::Word | Item::WordInBrackets)))
}

/// What the mail gem reads of a field, when it surely reads it.
///
/// A word alone is an address without domain to it: `Smith, Bob <b@x>` has two items. `parses_strictly` leaves such fields to repair.
pub fn gem_reads(value: &[u8]) -> Option<Vec<Item>> {
    Some(items(value)?.into_iter().filter(|item| *item != Item::Group).collect())
}

fn items(value: &[u8]) -> Option<Vec<Item>> {
    let text = std::str::from_utf8(value.get(..=LONGEST).map_or(value, |_| b"\0")).ok()?;
    let unfolded = if text.contains("\r\n") {
        Cow::Owned(text.replace("\r\n ", " ").replace("\r\n\t", "\t"))
    } else {
        Cow::Borrowed(text)
    };
    if unfolded.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    Scanner { rest: unfolded.chars().peekable(), grouped: false, items: Vec::new() }.list()
}

/// What is longer is left to repair; the writer's own form never is.
const LONGEST: usize = 16 << 20;
const MOST_ITEMS: usize = 2 * super::MOST_MAILBOXES;
const MOST_WORDS: usize = 1000;

/// A member of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Address(Address),
    /// A word alone: an address without domain to the mail gem.
    Word,
    /// A word alone in brackets: the same, but Chatwoot raises on it.
    WordInBrackets,
    /// The start of a group.
    Group,
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    grouped: bool,
    items: Vec<Item>,
}

/// What ended an item.
enum Ending {
    Separator,
    End,
}

impl Scanner<'_> {
    fn list(mut self) -> Option<Vec<Item>> {
        while let Ending::Separator = self.item()? {
            if self.items.len() > MOST_ITEMS {
                return None;
            }
        }
        (!self.items.is_empty() && !self.grouped).then_some(self.items)
    }

    /// One mailbox, the start of a group, or nothing between two separators.
    fn item(&mut self) -> Option<Ending> {
        let mut words: Vec<String> = Vec::new();
        let mut quoted = false;
        loop {
            let blanks = self.blanks();
            // The mail gem stumbles over a comment within a name; after an address it is fine.
            if !quoted && words.len() == 1 && words.iter().all(|word| plain_spec(word).is_some()) {
                self.comments()?;
            }
            // After `Bob.` and two blanks it begins another address.
            let wide = blanks > 1 && words.last().is_some_and(|word| word.contains(['.', '@']));
            match self.rest.peek().copied() {
                Some(c) if wide && !matches!(c, ',' | ';') => return None,
                Some('"') => {
                    self.quoted()?;
                    quoted = true;
                }
                Some('<') => {
                    self.rest.next();
                    let item = self.bracketed()?;
                    self.items.push(item);
                    self.comments()?;
                    return self.separator();
                }
                Some(':') => {
                    self.rest.next();
                    let starts_group = !self.grouped
                        && (quoted || !words.is_empty())
                        && words.iter().all(|word| !word.contains(['@', '.']));
                    self.grouped = starts_group.then_some(true)?;
                    self.items.push(Item::Group);
                    return Some(Ending::Separator);
                }
                Some(c) if is_name(c) && words.len() < MOST_WORDS => words.push(self.word()?),
                _ if quoted => return None,
                _ => {
                    self.bare(&words)?;
                    return self.separator();
                }
            }
        }
    }

    /// An item without brackets: an address, a word alone, or nothing.
    fn bare(&mut self, words: &[String]) -> Option<()> {
        let [word] = words else { return words.is_empty().then_some(()) };
        self.items.push(if word.contains('@') { Item::Address(plain_spec(word)?) } else { Item::Word });
        Some(())
    }

    fn separator(&mut self) -> Option<Ending> {
        match self.rest.next() {
            None => Some(Ending::End),
            Some(',') => Some(Ending::Separator),
            Some(';') if self.grouped => {
                self.grouped = false;
                self.after_group()
            }
            Some(';') => Some(Ending::Separator),
            Some(_) => None,
        }
    }

    /// What ends a group is followed by a comma or nothing.
    fn after_group(&mut self) -> Option<Ending> {
        self.blanks();
        match self.rest.next() {
            None => Some(Ending::End),
            Some(',') => Some(Ending::Separator),
            Some(_) => None,
        }
    }

    /// Passes over blanks; says how many.
    fn blanks(&mut self) -> usize {
        std::iter::from_fn(|| self.rest.next_if(|c| matches!(c, ' ' | '\t'))).count()
    }

    /// Blanks and comments.
    fn comments(&mut self) -> Option<()> {
        self.blanks();
        while self.rest.peek() == Some(&'(') {
            self.comment()?;
            self.blanks();
        }
        Some(())
    }

    /// A comment without another inside. With two blanks in a row the mail gem makes it part of the address (`Address#comments`).
    fn comment(&mut self) -> Option<()> {
        self.rest.next();
        loop {
            match self.rest.next()? {
                ')' => return Some(()),
                '(' | '\\' => return None,
                ' ' if self.rest.peek() == Some(&' ') => return None,
                _ => {}
            }
        }
    }

    fn quoted(&mut self) -> Option<()> {
        self.rest.next();
        loop {
            match self.rest.next()? {
                '"' => return Some(()),
                '\\' => drop(self.rest.next().filter(char::is_ascii)?),
                _ => {}
            }
        }
    }

    fn bracketed(&mut self) -> Option<Item> {
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '>' if !text.is_empty() && text.chars().all(is_atext) => return Some(Item::WordInBrackets),
                '>' => return plain_spec(&text).map(Item::Address),
                c => text.push(c),
            }
        }
    }

    /// A word of a name. One with `@` in it must look like an address; one that begins with a dot is read as the end of an address.
    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| is_name(*c)) {
            word.push(c);
        }
        let sound = if word.contains('@') { plain_spec(&word).is_some() } else { !word.starts_with('.') };
        sound.then_some(word)
    }
}

/// What may stand in a name without quotes; the mail gem allows `.` and `@` too.
fn is_name(c: char) -> bool {
    is_atext(c) || matches!(c, '.' | '@')
}

/// An addr-spec without anything that can be read in two ways: no quotes, no apostrophes around it, dots between labels only.
fn plain_spec(text: &str) -> Option<Address> {
    let label = |label: &str| !label.is_empty() && label.chars().all(is_atext);
    Address::from_spec(text).filter(|address| {
        address.to_string() == text
            && !text.starts_with('\'')
            && address.local().split('.').all(label)
            && address.domain().split('.').all(label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::address::read;
    use proptest::prelude::*;

    #[test]
    fn healthy_fields_are_left_alone() {
        for value in [
            " a@b.example",
            " Bob <a@b>",
            " \"Smith, Bob\" <a@b>, c@d",
            " =?utf-8?q?J=C3=BCrgen?= <a@b>",
            " Jürgen Müller <a@b>",
            " John Q. Public <a@b>",
            " bob@x <a@b>",
            " a@b (Bob)",
            " Team: a@b, Carl <c@d>;",
            " undisclosed-recipients:;",
            " a@b; c@d;",
            " ,a@b,,c@d,",
            " A@B,\r\n\tc@d",
            " O'Hara <o'hara@b>",
        ] {
            assert!(parses_strictly(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn every_broken_form_is_seen() {
        for value in [
            &b""[..],
            b" ",
            b" ,",
            b" Help: Desk <a@b>",
            b" Support (EU <a@b>",
            b" [Support] <a@b>",
            b" Support <a@b",
            b" <<a@b>>",
            b" <mailto:a@b>",
            b" <a@b>a@b",
            b" a@b www.x.com",
            b" a@b.",
            b" @acme.test",
            b" undisclosed recipients",
            b" J\xfcrgen <a@b>",
            b" Smith, Bob <a@b>",
            b" =?utf-8?q?Smith,_Bob?= <a@b>",
            b" \"support\"@x",
            b" 'support@x'",
            b" <@r:support@x>",
            b" <>",
            b" root (Cron Daemon)",
            b" a@b\0",
            b" \"open <a@b>",
            b" Team: a@b",
            b" a@b c@d",
            b" \"x\" a@b",
            b" MAILER-DAEMON",
        ] {
            assert!(!parses_strictly(value), "{}", String::from_utf8_lossy(value));
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_holds_an_address_or_a_group(value in "[a-c@<>()\"\\\\,;:. =?']{0,40}") {
            if parses_strictly(value.as_bytes()) && !value.contains(':') {
                prop_assert!(!read(value.as_bytes()).mailboxes.is_empty(), "{}", value);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            parses_strictly(&value);
        }
    }
}
