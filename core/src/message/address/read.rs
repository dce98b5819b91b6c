//! The tolerant reader: gets the mailboxes out of address fields as people and programs really write them. Linear in the length,
//! and bounded: no field that a person or program means has a megabyte or ten thousand addresses.

use std::iter::Peekable;
use std::str::Chars;

use super::spec::without_route;
use super::{Address, AddressList, Mailbox};
use crate::message::encoded_word;

/// Reads the body of a To, Cc, Bcc, From, Reply-To or Sender field, folded or not, in whatever bytes.
///
/// Where the grammar is broken, what looks like an address is one, and what stands before it is its name:
/// `Smith, Bob <b@x>`, `Help: Desk <a@b>`, `<<a@b>>`, `<mailto:a@b>`, `Support (EU <a@b>`.
pub fn read(value: &[u8]) -> AddressList {
    let text = encoded_word::raw_text(within_bounds(value));
    let mut reader = Reader::default();
    for token in Tokens::new(&text) {
        reader.take(token);
        if reader.mailboxes.len() >= MOST_MAILBOXES {
            return AddressList { mailboxes: reader.mailboxes };
        }
    }
    reader.end_item(true);
    AddressList { mailboxes: reader.mailboxes }
}

/// How many bytes of a field are read.
const LONGEST: usize = 1 << 20;

/// How many mailboxes are read of a field, or of several that become one.
pub const MOST_MAILBOXES: usize = 10_000;

/// The longest name, in characters.
const LONGEST_NAME: usize = 1000;

/// What is read of a value: all, or up to the last separator before the bound.
fn within_bounds(value: &[u8]) -> &[u8] {
    match value.get(..LONGEST) {
        Some(start) => memchr::memrchr(b',', start).and_then(|comma| start.get(..comma)).unwrap_or(start),
        None => value,
    }
}

/// A piece of an address field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A run without blanks or specials.
    Word(String),
    /// A quoted string, unescaped.
    Quoted(String),
    Comment(String),
    /// What stands in angle brackets.
    Angle(String),
    Comma,
    /// A semicolon, or the colon of a group.
    End,
    Blank,
}

/// Cuts a field into tokens. What is never closed is text.
struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many closing characters are still to come: what cannot be closed is not opened.
    quotes: usize,
    parentheses: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        let count = |wanted: u8| memchr::memchr_iter(wanted, text.as_bytes()).count();
        Self { rest: text.chars().peekable(), quotes: count(b'"'), parentheses: count(b')') }
    }

    fn quoted(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => {
                    self.quotes = self.quotes.saturating_sub(1);
                    break;
                }
                '\\' => text.extend(
                    self.rest.next().inspect(|c| self.quotes -= usize::from(*c == '"' && self.quotes > 0)),
                ),
                '\r' | '\n' => {}
                c => text.push(c),
            }
        }
        text
    }

    /// A comment, nested ones included; ends at the latest with the last closing parenthesis of the field.
    fn comment(&mut self) -> String {
        let mut text = String::new();
        let mut depth = 1;
        while self.parentheses > 0 {
            let Some(c) = self.rest.next() else { break };
            match c {
                ')' => {
                    self.parentheses -= 1;
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                '(' => depth += 1,
                '"' => self.quotes = self.quotes.saturating_sub(1),
                '\\' => {
                    let escaped = self.rest.next();
                    self.parentheses -= usize::from(escaped == Some(')') && self.parentheses > 0);
                    text.extend(escaped);
                    continue;
                }
                '\r' | '\n' => continue,
                _ => {}
            }
            text.push(c);
        }
        text
    }

    /// What stands in angle brackets. A list separator ends an unclosed one, unless it belongs to a source route.
    fn angle(&mut self) -> String {
        let mut text = String::new();
        if self.begins_with_quoted_local_part() {
            self.rest.next();
            self.quotes = self.quotes.saturating_sub(1);
            text.push('"');
            text.push_str(&escaped(&self.quoted()));
            text.push('"');
        }
        let mut routed = self.rest.peek() == Some(&'@') && text.is_empty();
        while let Some(c) = self.rest.next_if(|c| routed || !matches!(c, ',' | ';')) {
            match c {
                '>' => break,
                ':' => routed = false,
                '"' => self.quotes = self.quotes.saturating_sub(1),
                _ => {}
            }
            text.push(c);
        }
        text
    }

    /// Whether `"local part"@` comes next: what separates a list elsewhere does not within it.
    fn begins_with_quoted_local_part(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('"') {
            return false;
        }
        loop {
            match ahead.next() {
                None | Some('<') => return false,
                Some('"') => return ahead.next() == Some('@'),
                Some('\\') => drop(ahead.next()),
                Some(_) => {}
            }
        }
    }

    fn word(&mut self, first: char) -> String {
        let mut text = String::from(first);
        while let Some(c) =
            self.rest.next_if(|c| !c.is_whitespace() && !matches!(c, '"' | '(' | '<' | '>' | ',' | ';'))
        {
            text.push(c);
        }
        text
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let c = self.rest.next()?;
        Some(match c {
            c if c.is_whitespace() => Token::Blank,
            '"' => {
                self.quotes = self.quotes.saturating_sub(1);
                if self.quotes > 0 { Token::Quoted(self.quoted()) } else { Token::Blank }
            }
            '(' if self.parentheses > 0 => Token::Comment(self.comment()),
            '<' => Token::Angle(self.angle()),
            ',' => Token::Comma,
            ';' => Token::End,
            '>' => Token::Blank,
            c => Token::Word(self.word(c)),
        })
    }
}

/// Puts mailboxes together from tokens.
#[derive(Default)]
struct Reader {
    mailboxes: Vec<Mailbox>,
    /// Names, words and comments before an address in brackets, `Smith,` of `Smith, Bob <b@x>` included.
    phrase: String,
    comment: Option<String>,
    /// An address that stood without brackets.
    bare: Option<Address>,
    bracketed: Option<Address>,
    /// A quoted string that may be a local part, and whether a blank stood since.
    quoted: Option<String>,
}

impl Reader {
    fn take(&mut self, token: Token) {
        if let Some(quoted) = self.quoted.take() {
            match token {
                Token::Word(word) if word.starts_with('@') => {
                    return self.word(&format!("\"{}\"{word}", escaped(&quoted)));
                }
                _ => self.say(&quoted),
            }
        }
        match token {
            Token::Blank => {}
            Token::Word(word) => self.word(&word),
            Token::Quoted(text) => self.quoted = Some(text),
            Token::Comment(text) => self.comment = Some(text),
            Token::Angle(text) => self.angle(&text),
            Token::Comma => self.end_item(false),
            Token::End => self.end_item(true),
        }
    }

    /// A word is an address when it can be one, after junk around it is taken off.
    fn word(&mut self, word: &str) {
        let (name, rest) = without_encoded(word);
        let candidate = rest.contains('@').then(|| address_in(rest)).flatten();
        match candidate {
            Some(address) if self.bare.is_none() => {
                if let Some(name) = name {
                    self.say(name);
                }
                self.bare = Some(address);
            }
            _ => self.say(word),
        }
    }

    /// Adds a word to the phrase.
    fn say(&mut self, word: &str) {
        if !self.phrase.is_empty() {
            self.phrase.push(' ');
        }
        self.phrase.push_str(word);
    }

    /// The address that stands in the comment behind a name: `Bob (b@x)`.
    fn commented(&mut self) -> Option<Address> {
        let comment = self.comment.as_deref().filter(|_| !self.phrase.is_empty())?;
        let address = comment.contains('@').then(|| address_in(comment)).flatten()?;
        self.comment = None;
        Some(address)
    }

    fn angle(&mut self, text: &str) {
        match address_in(text) {
            Some(address) if self.bracketed.is_none() => self.bracketed = Some(address),
            _ => {}
        }
    }

    /// Ends an item at a separator. One without an address, before a comma, is the start of the next one's name.
    fn end_item(&mut self, ends_list: bool) {
        if let Some(quoted) = self.quoted.take() {
            self.say(&quoted);
        }
        let found = self.bracketed.take().or(self.bare.take()).or_else(|| self.commented());
        let Some(address) = found else {
            if ends_list {
                self.phrase.clear();
                self.comment = None;
            } else if !self.phrase.is_empty() && !self.phrase.ends_with(',') {
                self.phrase.push(',');
            }
            return;
        };
        self.bare = None;
        let phrase = std::mem::take(&mut self.phrase);
        let comment = self.comment.take();
        let name = Some(phrase).filter(|phrase| !phrase.is_empty()).or(comment);
        let name = name.map(|name| shown(&name)).filter(|name| !name.is_empty());
        self.mailboxes.push(Mailbox { name, address });
    }
}

/// The encoded words that are glued to an address, `=?utf-8?q?Bob?=b@x`, and the address.
fn without_encoded(word: &str) -> (Option<&str>, &str) {
    let glued = word.starts_with("=?").then(|| word.rfind("?=")).flatten().map(|at| at + 2);
    match glued.and_then(|at| word.split_at_checked(at)) {
        Some((name, rest)) if rest.contains('@') => (Some(name), rest),
        _ => (None, word),
    }
}

fn escaped(quoted: &str) -> String {
    quoted.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A name as people see it: decoded, on one line, without control characters.
fn shown(name: &str) -> String {
    let decoded = encoded_word::decode(name);
    let clean: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut shown = String::new();
    for word in clean.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    match shown.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => shown.get(..end).unwrap_or_default().trim_end().to_owned(),
        None => shown,
    }
}

/// The address in a text that may have junk around it: `mailto:`, a group's name, a source route, brackets, quotes, a full stop.
fn address_in(text: &str) -> Option<Address> {
    let text = text.trim();
    if let Some(address) = Address::from_spec(text) {
        return Some(address);
    }
    let inner = text.trim_matches(|c: char| c.is_whitespace() || "<>[]'.,;".contains(c));
    let inner = without_route(inner);
    let after_colon = inner.rsplit_once(':').map_or(inner, |(_, rest)| rest);
    let folded: String = after_colon.split_whitespace().collect();
    Address::from_spec(after_colon).or_else(|| Address::from_spec(&folded)).or_else(|| {
        let unquoted = folded.trim_matches(|c: char| "'\"[]<>".contains(c));
        Address::from_spec(unquoted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_as(value: &[u8]) -> Vec<String> {
        let shown = |mailbox: Mailbox| match mailbox.name {
            Some(name) => format!("{name} | {}", mailbox.address),
            None => mailbox.address.to_string(),
        };
        read(value).mailboxes.into_iter().map(shown).collect()
    }

    #[test]
    fn healthy_lists_are_read() {
        assert_eq!(read_as(b"a@b"), ["a@b"]);
        assert_eq!(read_as(b" Bob <a@b>,\r\n\t\"Smith, Ann\" <c@d>"), ["Bob | a@b", "Smith, Ann | c@d"]);
        assert_eq!(read_as(b"a@b (Bob (Acme)), c@d"), ["Bob (Acme) | a@b", "c@d"]);
        assert_eq!(read_as(b"=?utf-8?q?Smith,_B=C3=B6b?= <b@x>"), ["Smith, B\u{f6}b | b@x"]);
        assert_eq!(read_as(b"Team: a@b, Carl <c@d>;, e@f"), ["Team: | a@b", "Carl | c@d", "e@f"]);
        assert_eq!(read_as(b"undisclosed-recipients:;"), [""; 0]);
        assert_eq!(read_as(b"a@b; c@d;"), ["a@b", "c@d"]);
        assert_eq!(read_as(b",a@b,,c@d,"), ["a@b", "c@d"]);
    }

    #[test]
    fn broken_ones_give_what_a_person_would_read() {
        for (value, expected) in [
            (&b"Help: Desk <a@b>"[..], "Help: Desk | a@b"),
            (b"Support (EU <a@b>", "Support (EU | a@b"),
            (b"[Support] <a@b>", "[Support] | a@b"),
            (b"Support <a@b", "Support | a@b"),
            (b"<<a@b>>", "a@b"),
            (b"<mailto:a@b>", "a@b"),
            (b"<a@b>a@b", "a@b"),
            (b"'a@b'", "a@b"),
            (b"a@b www.x.com", "www.x.com | a@b"),
            (b"a@b.", "a@b"),
            (b"Smith, Bob <b@x>", "Smith, Bob | b@x"),
            (b"\"Smith, Bob <b@x>", "Smith, Bob | b@x"),
            (b"J\xfcrgen <j@x>", "J\u{fc}rgen | j@x"),
            (b"\"support\"@x", "support@x"),
            (b"\"a b\"@x", "\"a b\"@x"),
            (b"<@r,@s:support@x>", "support@x"),
            (b"< a@b >", "a@b"),
            (b"Bob <a @ b>", "Bob | a@b"),
            (b"Bob \"a,b\"@x", "Bob | \"a,b\"@x"),
            (b"Bob <\"a,b;c>\"@x>", "Bob | \"a,b;c>\"@x"),
            (b"Bob <\"a, b@x", "Bob, | b@x"),
        ] {
            assert_eq!(read_as(value), [expected], "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn what_holds_no_address_gives_none() {
        for value in [
            &b""[..],
            b"<>",
            b"MAILER-DAEMON (Mail Delivery System)",
            b"root (Cron Daemon)",
            b"@acme.test",
            b"undisclosed recipients",
            b"a@",
        ] {
            assert_eq!(read_as(value), [""; 0], "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn hostile_fields_are_read_in_one_pass() {
        for piece in ["(", "\"", "<", "a@b,", "\\", "(\"", "=?utf-8?q?", "<@", "a:", "'", "((\")"] {
            let value = piece.repeat(200_000);
            read(value.as_bytes());
        }
    }

    #[test]
    fn no_field_has_more_than_so_many_addresses_or_so_long_a_name() {
        assert_eq!(read(b"a@b,".repeat(200_000).as_slice()).mailboxes.len(), MOST_MAILBOXES);
        let long = read(format!("{} <a@b>", "n ".repeat(100_000)).as_bytes()).mailboxes;
        assert!(long[0].name.as_ref().unwrap().len() <= LONGEST_NAME);
    }

    #[test]
    fn five_thousand_recipients_are_five_thousand() {
        let list: Vec<String> =
            (0..5000).map(|number| format!("\"User {number}\" <user{number}@example.com>")).collect();
        assert_eq!(read(list.join(",\r\n ").as_bytes()).mailboxes.len(), 5000);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&value);
        }

        #[test]
        fn no_likely_text_makes_it_panic(value in "[a-c@<>()\"\\\\,;:. \r\n=?']{0,60}") {
            for mailbox in read(value.as_bytes()).mailboxes {
                prop_assert!(!mailbox.address.to_string().contains(['\r', '\n', '\0']));
            }
        }
    }
}
