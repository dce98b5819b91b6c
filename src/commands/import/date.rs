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

/// The time of an mbox separator, `From sender Mon Nov 23 15:25:56 2026`, as asctime(3) writes it, or RFC 5322: `23 Nov 2026 15:25:56`;
/// without a zone or with one, which is not looked at. Nothing when there is no such time.
pub(super) fn of_separator(line: &[u8]) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let line = std::str::from_utf8(line.strip_prefix(b"From ")?).ok()?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().rposition(|word| MONTHS.contains(word))?;
    let month = MONTHS.iter().position(|month| Some(month) == words.get(at))?;
    let day_of = |at: usize| words.get(at)?.parse().ok();
    let day = day_of(at + 1).or_else(|| day_of(at.checked_sub(1)?))?;
    let mut time = words.get(at + 2)?.split(':');
    let mut next = || time.next().map_or(Some(0), |number| number.parse::<u8>().ok());
    let (hour, minute, second) = (next()?, next()?, next()?);
    let year =
        words.get(at + 1..)?.iter().find_map(|word| word.parse::<u16>().ok().filter(|year| *year >= 1970))?;
    let date = DateTime {
        year,
        month: u8::try_from(month + 1).ok()?,
        day,
        hour,
        minute,
        second,
        tz_before_gmt: false,
        tz_hour: 0,
        tz_minute: 0,
    };
    (words.get(at + 2)?.contains(':') && date.is_valid()).then(|| date.to_timestamp())
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
    fn separators_of_all_writers_have_a_time() {
        for line in [
            "From a@b Mon Nov 23 15:25:56 2026",
            "From MAILER-DAEMON Mon Nov 23 15:25:56 2026",
            "From - Mon Nov 23 15:25:56 2026",
            "From \"a b\"@c  Mon Nov 23 15:25:56 UTC 2026",
            "From a@b Mon Nov 23 15:25:56 2026 +0100",
            "From a@b Mon Nov 23 15:25:56 +0000 2026",
            "From a@b Mon, 23 Nov 2026 15:25:56 +0100",
            "From a@b 23 Nov 2026 15:25:56",
        ] {
            assert_eq!(of_separator(line.as_bytes()), Some(1_795_447_556), "{line}");
        }
        assert_eq!(of_separator(b"From a@b Mon Nov  3 15:25 2026"), Some(1_793_719_500));
    }

    #[test]
    fn prose_is_no_separator() {
        for line in [
            "From here on it is easy",
            "From May 3 to June 4 2026",
            "From 3 May 2026 to June",
            "From ",
            "from a Mon Nov 23 15:25:56 2026",
        ] {
            assert_eq!(of_separator(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_maildir_name_begins_with_the_time() {
        assert_eq!(of_maildir_name("1795447556.M1P2.host:2,S"), Some(1_795_447_556));
        assert_eq!(of_maildir_name("17.eml"), None);
        assert_eq!(of_maildir_name("message.eml"), None);
    }
}
