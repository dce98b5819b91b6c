//! The forms in which the values of options are written.

use std::num::NonZeroUsize;
use std::str::FromStr;

use mail_parser::DateTime;
use wildmatch::WildMatch;

pub(super) fn at_most_64(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= 64)
        .ok_or_else(|| "1 to 64 is wanted".to_owned())
}

/// An address with `*` for any text and `?` for any character, without regard to case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AddressPattern(WildMatch);

impl FromStr for AddressPattern {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(WildMatch::new(&text.to_lowercase())))
    }
}

impl AddressPattern {
    pub(crate) fn matches(&self, address: &str) -> bool {
        self.0.matches(&address.to_lowercase())
    }
}

/// A time, as an operator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A day (`2026-11-23`, UTC) or a second (RFC 3339, `2026-11-23T10:00:00Z`): its first second and the first after it.
    Fixed { begin: i64, end: i64 },
    /// So many seconds ago: `7d`, `12h`.
    Ago(i64),
}

impl Moment {
    /// The first second, and the first after it. `now` is in seconds since 1970.
    pub(crate) fn range(self, now: i64) -> (i64, i64) {
        match self {
            Self::Fixed { begin, end } => (begin, end),
            Self::Ago(seconds) => {
                (now.saturating_sub(seconds), now.saturating_sub(seconds).saturating_add(1))
            }
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DAY: i64 = 24 * 60 * 60;
        let is_day = text.len() == "2026-11-23".len();
        let whole = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
        if let Some(time) = DateTime::parse_rfc3339(&whole).filter(DateTime::is_valid) {
            let begin = time.to_timestamp();
            return Ok(Self::Fixed { begin, end: begin + if is_day { DAY } else { 1 } });
        }
        let ago = humantime::parse_duration(text).ok().and_then(|ago| i64::try_from(ago.as_secs()).ok());
        ago.map(Self::Ago).ok_or(
            "a day such as 2026-11-23, a time such as 2026-11-23T10:00:00Z, or a span such as 7d is wanted",
        )
    }
}

/// What the stand-in of `ingress try` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RehearsedAnswer {
    /// An HTTP status.
    Status(u16),
    /// Takes the message and never answers.
    Hang,
    /// Takes the message and resets the connection.
    Reset,
}

impl FromStr for RehearsedAnswer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hang" => Ok(Self::Hang),
            "reset" => Ok(Self::Reset),
            number => match number.parse() {
                Ok(status @ 200..=599) => Ok(Self::Status(status)),
                _ => Err("must be an HTTP status from 200 to 599, hang, or reset"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        pattern.parse::<AddressPattern>().unwrap().matches(address)
    }

    #[test]
    fn patterns_match_whole_addresses_without_regard_to_case() {
        for (pattern, address) in [
            ("support@example.com", "Support@Example.COM"),
            ("*@example.com", "a.b+c@example.com"),
            ("reply+*@*", "reply+5f2b@reply.example.com"),
            ("s?les@*.com", "sales@a.b.com"),
            ("*", "a@b"),
            ("*a*b*", "xaxbxab"),
        ] {
            assert!(matches(pattern, address), "{pattern} {address}");
        }
        for (pattern, address) in [
            ("example.com", "a@example.com"),
            ("*@example.com", "a@example.com.org"),
            ("", "a@b"),
            ("a?@b", "a@b"),
        ] {
            assert!(!matches(pattern, address), "{pattern} {address}");
        }
    }

    #[test]
    fn a_day_is_wanted_as_a_whole() {
        let range = |text: &str| text.parse().map(|moment: Moment| moment.range(1_800_000_000));
        assert_eq!(range("2026-11-23"), Ok((1_795_392_000, 1_795_478_400)));
        assert_eq!(range("2026-11-23T01:00:00+01:00"), Ok((1_795_392_000, 1_795_392_001)));
        assert_eq!(range("7d"), Ok((1_799_395_200, 1_799_395_201)));
        assert_eq!(range("1h 30m"), Ok((1_799_994_600, 1_799_994_601)));
        for text in ["", "yesterday", "2026-11", "2026-13-01", "23.11.2026", "2026-11-23 10:00", "7", "-7d"] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
