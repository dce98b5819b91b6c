//! Whom Chatwoot takes for the sender of a message.

use crate::message::address::{self, Item};
use crate::message::header::Header;
use crate::message::mime::last;

/// The fields that may name the sender, in Chatwoot's order: the first that the mail gem reads counts, whatever it holds.
const ORDER: [&str; 3] = ["Reply-To", "X-Original-Sender", "From"];

/// The address that Chatwoot takes for the sender's; none when it is not usable.
pub fn sender(header: &Header<'_>) -> Option<String> {
    named_sender(header, &ORDER)
}

/// The sender, were these the only fields that may name one.
pub fn named_sender(header: &Header<'_>, fields: &[&str]) -> Option<String> {
    let named = fields.iter().find_map(|name| first_address(last(header, name)?.value));
    named.filter(|address| is_usable(address))
}

/// What the mail gem takes for the first address of a field, which need not look like one; nothing when it cannot read the field.
pub fn first_address(value: &[u8]) -> Option<String> {
    Some(match address::gem_reads(value)?.into_iter().next()? {
        Item::Address(address) => address.to_string(),
        Item::Quoted(text) => text,
        Item::Word | Item::WordInBrackets | Item::Group => String::new(),
    })
}

/// Chatwoot's own pattern for a sender: one `@`, something on both sides of it, no blanks.
pub fn is_usable(address: &str) -> bool {
    let is_side =
        |side: &str| !side.is_empty() && !side.contains(|c: char| c == '@' || c.is_ascii_whitespace());
    address.split_once('@').is_some_and(|(local, domain)| is_side(local) && is_side(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender_of(section: &str) -> Option<String> {
        sender(&Header::parse(section.replace('\n', "\r\n").as_bytes()))
    }

    #[test]
    fn the_first_field_that_can_be_read_names_the_sender() {
        for (section, expected) in [
            ("From: a@b\nReply-To: c@d\nX-Original-Sender: e@f\n", Some("c@d")),
            ("From: a@b\nX-Original-Sender: e@f\n", Some("e@f")),
            ("From: a@b\nReply-To: [x] <c@d>\n", Some("a@b")),
            ("From: a@b\nX-Original-Sender: junk\n", None),
            ("From: \"a@b\"@c\n", None),
            ("From: a..b.@c\n", Some("a..b.@c")),
            ("From: x@y%z.com\n", Some("x@y%z.com")),
            ("Subject: x\n", None),
        ] {
            assert_eq!(sender_of(section).as_deref(), expected, "{section}");
        }
    }
}
