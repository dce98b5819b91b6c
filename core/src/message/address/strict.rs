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
    let sound = |item: &Item| match item {
        Item::Address(address) => !address.is_in_apostrophes(),
        Item::Group => true,
        Item::Quoted(_) | Item::Word | Item::WordInBrackets => false,
    };
    items(value).is_some_and(|items| items.iter().all(sound))
}

/// What the mail gem reads of a field, when it surely reads it.
///
/// A word alone is an address without domain to it: `Smith, Bob <b@x>` has two items. `parses_strictly` leaves such fields to repair.
pub fn gem_reads(value: &[u8]) -> Option<Vec<Item>> {
    Some(items(value)?.into_iter().filter(|item| *item != Item::Group).collect())
}

fn items(value: &[u8]) -> Option<Vec<Item>> {
    let value = value.trim_ascii_start();
    let text = std::str::from_utf8(value.get(..=LONGEST).map_or(value, |_| b"\0")).ok()?;
    let unfolded = if text.contains("\r\n") {
        Cow::Owned(text.replace("\r\n ", " ").replace("\r\n\t", "\t"))
    } else {
        Cow::Borrowed(text)
    };
    if unfolded.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    let rest = unfolded.chars().peekable();
    Scanner { rest, grouped: false, begun: false, items: Vec::new() }.list()
}

/// What is longer is left to repair; the writer's own form never is.
const LONGEST: usize = 16 << 20;
const MOST_ITEMS: usize = 2 * super::MOST_MAILBOXES;
const MOST_WORDS: usize = 1000;

/// A member of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Address(Address),
    /// An address whose local part is a quoted string, as it stands: the mail gem keeps the quotes.
    Quoted(String),
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
    /// Whether a separator stood before.
    begun: bool,
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
            self.begun = true;
            if self.items.len() > MOST_ITEMS {
                return None;
            }
        }
        (!self.items.is_empty() && !self.grouped).then_some(self.items)
    }

    /// One mailbox, the start of a group, or nothing between two separators.
    fn item(&mut self) -> Option<Ending> {
        let mut words: Vec<String> = Vec::new();
        let (mut quoted, mut commented) = (false, false);
        loop {
            let blanks = self.blanks();
            // After `Bob.` and two blanks the mail gem begins another address.
            let another = blanks > 1 && matches!(words.as_slice(), [word] if word.ends_with('.'));
            let first = words.is_empty() && !quoted;
            match self.rest.peek().copied() {
                Some(c) if another && !matches!(c, ',' | ';') => return None,
                Some('.' | '@') if first && (self.begun || commented || blanks > 0) => return None,
                // Behind a separator the mail gem does not look for one.
                Some('(') if self.begun && first => return None,
                Some('(') => {
                    self.comment()?;
                    commented = true;
                }
                Some('.') if quoted => return None,
                Some('"') => {
                    let text = self.quoted()?;
                    if self.rest.peek() == Some(&'@') && first {
                        self.quoted_address(&text)?;
                        return self.separator();
                    }
                    quoted = true;
                }
                Some('<') => {
                    self.rest.next();
                    let item = self.bracketed()?;
                    if item == Item::WordInBrackets && words.iter().any(|word| word.contains('@')) {
                        return None;
                    }
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
                Some(c) if is_name(c) && words.len() < MOST_WORDS => words.push(self.word()),
                _ if quoted => return None,
                _ => {
                    self.bare(&words, commented)?;
                    return self.separator();
                }
            }
        }
    }

    /// An item without brackets: an address, a word alone, or nothing. The last two have no comment.
    fn bare(&mut self, words: &[String], commented: bool) -> Option<()> {
        match words {
            [] => return (!commented).then_some(()),
            [word] if word.contains('@') => self.items.push(Item::Address(spec(word)?)),
            [word] if !commented && word.contains(|c| c != '.') => self.items.push(Item::Word),
            _ => return None,
        }
        Some(())
    }

    /// The domain behind a quoted local part.
    fn quoted_address(&mut self, local: &str) -> Option<()> {
        let text = format!("\"{local}\"{}", self.word());
        self.items.push(Item::Quoted(quoted_spec(&text)?));
        self.comments()
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
        self.comments()?;
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

    /// A quoted string, as it stands between its quotes.
    fn quoted(&mut self) -> Option<String> {
        self.rest.next();
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.extend(['\\', self.rest.next().filter(char::is_ascii)?]),
                c => text.push(c),
            }
        }
    }

    fn bracketed(&mut self) -> Option<Item> {
        let mut text = if self.rest.peek() == Some(&'"') { self.quoted_local_part()? } else { String::new() };
        loop {
            match self.rest.next()? {
                '>' if !text.is_empty() && text.chars().all(is_atext) => return Some(Item::WordInBrackets),
                '>' => {
                    return spec(text.trim_matches([' ', '\t']))
                        .map(Item::Address)
                        .or_else(|| quoted_spec(&text).map(Item::Quoted));
                }
                c => text.push(c),
            }
        }
    }

    /// A quoted local part as it stands, quotes and escapes included: what ends an address elsewhere does not within it.
    fn quoted_local_part(&mut self) -> Option<String> {
        let mut text: String = self.rest.next().into_iter().collect();
        loop {
            let c = self.rest.next()?;
            text.push(c);
            match c {
                '"' => return Some(text),
                '\\' => text.push(self.rest.next().filter(char::is_ascii)?),
                _ => {}
            }
        }
    }

    /// A word of a name, or an address.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| is_name(*c)) {
            word.push(c);
        }
        word
    }
}

/// What may stand in a name without quotes; the mail gem allows `.` and `@` too.
fn is_name(c: char) -> bool {
    is_atext(c) || matches!(c, '.' | '@' | '\u{fffd}')
}

/// An address without quotes. The mail gem takes dots and apostrophes wherever they stand, but at the end of the domain.
fn spec(text: &str) -> Option<Address> {
    Address::from_spec(text).filter(|address| address.to_string() == text).or_else(|| Address::of_atoms(text))
}

/// An address with a quoted local part, as it stands: behind it atoms and dots.
fn quoted_spec(text: &str) -> Option<String> {
    let (local, domain) = text.strip_prefix('"')?.rsplit_once("\"@")?;
    let sound = !local.is_empty() && is_escaped(local) && Address::of_atoms(&format!("a@{domain}")).is_some();
    sound.then(|| text.to_owned())
}

/// Whether each quote within a quoted string is escaped, and each escape has its character.
fn is_escaped(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '"' || (c == '\\' && characters.next().is_none()) {
            return false;
        }
    }
    true
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
        /// Of pieces, because the mail gem also takes domains that no host can have, such as `=` and `.a`.
        #[test]
        fn what_is_accepted_holds_an_address_or_a_group(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec!["a@b", "a.b@c.d", "<", ">", "(", ")", "\"", "\\", ",", ";", ":", " ", "ab", " b"]),
                0..12,
            ),
        ) {
            let value = pieces.concat();
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
