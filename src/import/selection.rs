//! Which of the stored messages are wanted.

use std::str::FromStr;

use crate::message::address::Address;

/// A range of time, and whom the messages are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Seconds since 1970, UTC.
    pub(crate) since: Option<i64>,
    /// The first second that is no longer wanted.
    pub(crate) until: Option<i64>,
    /// Any of them; none: for anybody.
    pub(crate) to: Vec<Pattern>,
}

impl Selection {
    /// Whether a message of this date, for these addresses, is wanted.
    pub(super) fn takes(&self, date: i64, addresses: impl FnOnce() -> Vec<Address>) -> bool {
        let in_time =
            self.since.is_none_or(|since| date >= since) && self.until.is_none_or(|until| date < until);
        let for_one = || {
            let addresses: Vec<String> = addresses().iter().map(ToString::to_string).collect();
            self.to.iter().any(|pattern| addresses.iter().any(|address| pattern.matches(address)))
        };
        in_time && (self.to.is_empty() || for_one())
    }
}

/// An address with `*` for any text and `?` for any character, without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<char>);

impl FromStr for Pattern {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_lowercase().chars().collect()))
    }
}

impl Pattern {
    fn matches(&self, address: &str) -> bool {
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
pub(crate) fn day_or_instant(text: &str) -> Result<(i64, i64), String> {
    const DAY: i64 = 24 * 60 * 60;
    let is_day = text.len() == "2026-11-23".len();
    let whole = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = mail_parser::DateTime::parse_rfc3339(&whole).filter(mail_parser::DateTime::is_valid);
    let begin = time.map(|time| time.to_timestamp()).ok_or_else(|| {
        "a day such as 2026-11-23, or a time such as 2026-11-23T10:00:00Z, is wanted".to_owned()
    })?;
    Ok((begin, begin + if is_day { DAY } else { 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(address)
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
