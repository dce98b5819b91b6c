//! When a stored message was written: its Date, else what the places around it say. Seconds since 1970, UTC.

use mail_parser::DateTime;

use chatwoot_mail::message::header::{Field, Header};

/// The time in a field as RFC 5322, section 3.3, writes it.
pub(super) fn of_text(text: &str) -> Option<i64> {
    let date = DateTime::parse_rfc822(text.trim())?;
    date.is_valid().then(|| date.to_timestamp())
}

/// The Date of a header, else the time of its topmost Received, which stands after the last semicolon.
pub(super) fn of_header(header: &Header<'_>) -> Option<i64> {
    let written = header.named("Date").find_map(|field| of_text(&text(&field)));
    written.or_else(|| header.named("Received").find_map(|field| of_text(text(&field).rsplit_once(';')?.1)))
}

fn text(field: &Field<'_>) -> String {
    String::from_utf8_lossy(field.trimmed()).into_owned()
}

/// The time with which the name of a file in a Maildir begins.
pub(super) fn of_maildir_name(name: &str) -> Option<i64> {
    let (seconds, _) = name.split_once('.')?;
    let plausible = (9..=11).contains(&seconds.len()) && seconds.bytes().all(|byte| byte.is_ascii_digit());
    plausible.then(|| seconds.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildir_name_begins_with_the_time() {
        assert_eq!(of_maildir_name("1795447556.M1P2.host:2,S"), Some(1_795_447_556));
        assert_eq!(of_maildir_name("17.eml"), None);
        assert_eq!(of_maildir_name("message.eml"), None);
    }
}
