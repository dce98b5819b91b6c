//! The time in an mbox separator, in whatever way its writer wrote it. Seconds since 1970; a zone is not looked at.

/// By their first letters, in English, German, French, Spanish, Italian, Dutch and Portuguese.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz", "mrt", "maa"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mag", "mei"],
    &["jun", "juin", "giu"],
    &["jul", "juil", "lug"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];

const WEEKDAYS: [&str; 37] = [
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so", "lun", "mar",
    "mer", "jeu", "ven", "sam", "dim", "mié", "mie", "jue", "vie", "sáb", "sab", "dom", "gio", "ma", "wo",
    "vr", "za", "zo", "seg", "sex", "qua",
];

/// What the words of a line say about a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dating {
    /// A time, and nothing behind it; how many words stand before it.
    Whole {
        seconds: i64,
        before: usize,
    },
    /// Something of a time, broken or among other words.
    Pieces,
    Nothing,
}

/// The time in the words behind `From `.
pub(super) fn of_words(words: &[&str]) -> Dating {
    // The sender is the first word, as a rule: there may be several, or none.
    let starts = 0..words.len().min(MOST_WORDS_BEFORE + 1);
    for before in [1].into_iter().chain(starts) {
        if let Some(seconds) = words.get(before..).and_then(whole) {
            return Dating::Whole { seconds, before };
        }
    }
    if words.iter().skip(1).any(|word| is_piece(word)) { Dating::Pieces } else { Dating::Nothing }
}

/// A sender in quotation marks has blanks in it.
const MOST_WORDS_BEFORE: usize = 16;

/// Whether a word may belong to a time.
pub(super) fn is_piece(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
        || month(word).is_some()
        || is_weekday(word)
        || is_zone(word)
}

/// All words as one time.
fn whole(words: &[&str]) -> Option<i64> {
    let words =
        words.iter().position(|word| *word == "remote").map_or(words, |remote| words.split_at(remote).0);
    let words = match words.split_first() {
        Some((first, rest)) if is_weekday(first) && !rest.is_empty() => rest,
        _ => words,
    };
    iso(words).or_else(|| with_name(words))
}

/// `Nov 23 15:25:56 2026`, `23 Nov 2026 15:25:56`, with a zone anywhere behind the day.
fn with_name(words: &[&str]) -> Option<i64> {
    let mut rest = words.iter();
    let (first, second) = (rest.next()?, rest.next()?);
    let (month, day) = match (month(first), month(second)) {
        (Some(month), _) => (month, number(second)?),
        (None, Some(month)) => (month, number(first)?),
        (None, None) => return None,
    };
    let (mut time, mut written_year) = (None, None);
    let mut afternoon = 0;
    for word in rest {
        if word.contains(':') && time.is_none() {
            time = Some(clock(word)?);
        } else if word.eq_ignore_ascii_case("pm") {
            afternoon = 12;
        } else if let (Some(year), None) = (year(word), written_year) {
            written_year = Some(year);
        } else if !is_zone(word) {
            return None;
        }
    }
    let time = time?;
    let time = if time < 12 * HOUR { time + afternoon * HOUR } else { time };
    seconds(written_year?, month, day, time)
}

/// `2026-11-23 15:25:56`, `2026-11-23T15:25:56Z`, `23.11.2026 15:25:56`.
fn iso(words: &[&str]) -> Option<i64> {
    let (first, rest) = words.split_first()?;
    let (date, time, rest) = match first.split_once('T') {
        Some((date, time)) => (date, time, rest),
        None => (*first, *rest.first()?, rest.get(1..)?),
    };
    let mut numbers = date.split(['-', '/', '.']);
    let (one, two, three) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (written_year, day) = if one.len() == 4 { (one, three) } else { (three, one) };
    let usual = numbers.next().is_none() && written_year.len() == 4 && rest.iter().all(|word| is_zone(word));
    let time = time.trim_end_matches('Z').split(['+', '.', ',']).next()?;
    // A zone behind the time: 15:25:56-05:00.
    let time = time.split('-').next()?;
    if !usual {
        return None;
    }
    seconds(year(written_year)?, number(two)?, number(day)?, clock(time)?)
}

const HOUR: i64 = 60 * 60;

/// `15:25`, `15:25:56`, in seconds.
fn clock(word: &str) -> Option<i64> {
    let mut numbers = word.trim_end_matches(',').splitn(3, ':').map(number);
    let (hours, minutes) = (numbers.next()??, numbers.next()??);
    let seconds = numbers.next().map_or(Some(0), |seconds| seconds)?;
    (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * HOUR + minutes * 60 + seconds)
}

fn number(word: &str) -> Option<i64> {
    let digits = word.trim_end_matches([',', '.']);
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Of four digits, or of two: those before 70 are of this century.
fn year(word: &str) -> Option<i64> {
    let digits = word.trim_end_matches([',', '.']);
    match (digits.len(), number(digits)?) {
        (4, year @ 1800..) => Some(year),
        (2, year) => Some(if year < 70 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

fn month(word: &str) -> Option<i64> {
    let word = word.trim_end_matches(['.', ',']).to_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
    let at = MONTHS.iter().position(|names| word.chars().count() <= 9 && named(names))?;
    i64::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',']).to_lowercase();
    WEEKDAYS.contains(&word.as_str())
}

/// `+0100`, `UTC`, `(CET)`, `AM`.
fn is_zone(word: &str) -> bool {
    let inner = word.trim_start_matches('(').trim_end_matches(')');
    let offset = inner.strip_prefix(['+', '-']).is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
    });
    offset || ((1..=5).contains(&inner.len()) && inner.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Days by Howard Hinnant's `days_from_civil`, which holds before 1970 too.
fn seconds(year: i64, month: i64, day: i64, time: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 24 * HOUR + time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Dating {
        of_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn a_time_is_read_in_every_writer_s_form() {
        for line in [
            "a@b Mon Nov 23 15:25:56 2026",
            "MAILER-DAEMON Mon Nov 23 15:25:56 2026",
            "- Mon Nov 23 15:25:56 2026",
            "a@b Mon Nov 23 15:25:56 UTC 2026",
            "a@b Mon Nov 23 15:25:56 2026 +0100",
            "a@b Mon Nov 23 15:25:56 +0000 2026",
            "a@b Mon, 23 Nov 2026 15:25:56 +0100 (CET)",
            "a@b 23 Nov 2026 15:25:56",
            "a@b Mon Nov 23 15:25:56 26",
            "a@b 23 Nov 26 15:25:56 GMT",
            "a@b 2026-11-23 15:25:56",
            "a@b 2026-11-23T15:25:56Z",
            "a@b 2026-11-23T15:25:56.123+01:00",
            "a@b 23.11.2026 15:25:56",
            "a@b Mo Nov 23 15:25:56 2026",
            "a@b lun. nov. 23 15:25:56 2026",
            "a@b Mon Nov 23 03:25:56 PM 2026",
            "a@b Mon Nov 23 15:25:56 2026 remote from host",
        ] {
            assert_eq!(of(line), Dating::Whole { seconds: 1_795_447_556, before: 1 }, "{line}");
        }
        assert_eq!(of("a@b Mon Nov  3 15:25 2026"), Dating::Whole { seconds: 1_793_719_500, before: 1 });
        assert_eq!(of("Nov 23 15:25:56 2026"), Dating::Whole { seconds: 1_795_447_556, before: 0 });
    }

    #[test]
    fn there_was_a_time_before_1970() {
        assert_eq!(of("- Wed Dec 31 19:00:00 1969"), Dating::Whole { seconds: -18_000, before: 1 });
        assert_eq!(of("- Thu Jan 01 00:00:00 1970"), Dating::Whole { seconds: 0, before: 1 });
        assert_eq!(of("- Mon Jan 1 00:00:00 1900"), Dating::Whole { seconds: -2_208_988_800, before: 1 });
    }

    #[test]
    fn months_have_names_in_other_languages() {
        let november = 1_795_447_556;
        let day = 24 * HOUR;
        for (line, seconds) in [
            ("a@b Mi Dez 23 15:25:56 2026", november + 30 * day),
            ("a@b Fr 23 Okt 2026 15:25:56", november - 31 * day),
            ("a@b Mär 23 15:25:56 2026", november - 245 * day),
            ("a@b sam. 23 mai 2026 15:25:56", november - 184 * day),
            ("a@b dic 23 15:25:56 2026", november + 30 * day),
        ] {
            assert_eq!(of(line), Dating::Whole { seconds, before: 1 }, "{line}");
        }
    }

    #[test]
    fn a_broken_time_is_pieces_of_one() {
        for line in [
            "a@b Mon Nov 23 25:61:00 2026",
            "a@b Mon Nov 2026",
            "a@b Mon",
            "a@b 2026",
            "a@b Mon Nov 23 15:25:56",
        ] {
            assert_eq!(of(line), Dating::Pieces, "{line}");
        }
        for line in ["", "a@b", "here on it is easy"] {
            assert_eq!(of(line), Dating::Nothing, "{line}");
        }
    }

    #[test]
    fn words_around_a_time_make_it_none() {
        for line in ["3 May 2026 12:00 to 14:00 we are closed", "May 3 to June 4 2026", "3 May 2026 to June"]
        {
            assert_eq!(of(line), Dating::Pieces, "{line}");
        }
    }
}
