//! The forms in which the values of options are written.

use std::num::NonZeroUsize;
use std::str::FromStr;

pub(super) fn at_most_64(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= 64)
        .ok_or_else(|| "1 to 64 is wanted".to_owned())
}

/// An address with `*` for any text and `?` for any character, without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressPattern(Vec<char>);

impl FromStr for AddressPattern {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_lowercase().chars().collect()))
    }
}

impl AddressPattern {
    pub(crate) fn matches(&self, address: &str) -> bool {
        let address: Vec<char> = address.to_lowercase().chars().collect();
        let (mut in_pattern, mut in_address) = (0, 0);
        // Where to go back to: after the last `*`, and one character further in the address.
        let mut back: Option<(usize, usize)> = None;
        while let Some(character) = address.get(in_address) {
            match self.0.get(in_pattern) {
                Some('*') => {
                    back = Some((in_pattern + 1, in_address));
                    in_pattern += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == character => {
                    in_pattern += 1;
                    in_address += 1;
                }
                _ => match &mut back {
                    Some((pattern, address)) => {
                        *address += 1;
                        (in_pattern, in_address) = (*pattern, *address);
                    }
                    None => return false,
                },
            }
        }
        self.0.get(in_pattern..).unwrap_or_default().iter().all(|wanted| *wanted == '*')
    }
}

/// A day (`2026-11-23`, UTC) or a second (RFC 3339, `2026-11-23T10:00:00Z`): its first second and the first after it.
///
/// # Errors
///
/// When the text is neither.
pub(super) fn day_or_instant(text: &str) -> Result<(i64, i64), String> {
    const DAY: i64 = 24 * 60 * 60;
    let is_day = text.len() == "2026-11-23".len();
    let whole = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = mail_parser::DateTime::parse_rfc3339(&whole).filter(mail_parser::DateTime::is_valid);
    let begin = time.map(|time| time.to_timestamp()).ok_or_else(|| {
        "a day such as 2026-11-23, or a time such as 2026-11-23T10:00:00Z, is wanted".to_owned()
    })?;
    Ok((begin, begin + if is_day { DAY } else { 1 }))
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
        assert_eq!(day_or_instant("2026-11-23"), Ok((1_795_392_000, 1_795_478_400)));
        assert_eq!(day_or_instant("2026-11-23T01:00:00+01:00"), Ok((1_795_392_000, 1_795_392_001)));
        for text in ["", "yesterday", "2026-11", "2026-13-01", "23.11.2026", "2026-11-23 10:00"] {
            assert!(day_or_instant(text).is_err(), "{text}");
        }
    }
}
