//! The forms that settings are written in: durations, sizes, what a URL may be.

use std::net::IpAddr;
use std::time::Duration;

use url::{Host, Url};

/// `"2m"`, `"90s"`, `"1m 30s"`. Zero is refused.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be a duration such as \"90s\" or \"2m\""),
    }
}

/// `"64MiB"`, `"512KiB"`, `"1.5M"`, `"10MB"` (decimal), or plain bytes.
pub(crate) fn size(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "must be a size such as \"64MiB\"";
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(WRONG),
    };
    let (whole, thousandths) = match number.split_once('.') {
        Some((whole, part)) if factor > 1 && (1..=3).contains(&part.len()) => (whole, format!("{part:0<3}")),
        Some(_) => return Err(WRONG),
        None => (number, "0".to_owned()),
    };
    let parse = |digits: &str| digits.parse::<u64>().map_err(|_| WRONG);
    let part = parse(&thousandths)? * factor / 1000;
    let size = parse(whole)?.checked_mul(factor).and_then(|size| size.checked_add(part));
    size.filter(|size| *size > 0).ok_or(WRONG)
}

/// An absolute http or https URL without query or fragment. A password in it is refused unless `userinfo` allows one.
pub(crate) fn web_url(text: &str, userinfo: UserInfo) -> Result<Url, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "must be a URL such as \"https://chat.example.com\"")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("must be a URL that begins with https:// or http://");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be a URL without ? or #");
    }
    if userinfo == UserInfo::Refused && (!url.username().is_empty() || url.password().is_some()) {
        return Err("must not hold a user or password: use password_file");
    }
    Ok(url)
}

/// Whether a URL may hold `user:password@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserInfo {
    Refused,
    Allowed,
}

/// Whether a password may travel to this host unencrypted: it does not leave the machine.
/// `0.0.0.0` (as in Chatwoot's sample `FRONTEND_URL`) reaches this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped).is_loopback(),
            None => address.is_loopback() || address.is_unspecified(),
        },
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_their_unit() {
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["", "2", "0s", "soon", "-1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_binary_or_decimal() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("10 MB"), Ok(10_000_000));
        assert_eq!(size("1g"), Ok(1 << 30));
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("1.5M"), Ok(3 << 19));
        assert_eq!(size("0.25 kb"), Ok(250));
        for wrong in ["", "MiB", "64XB", "-1", "0", "99999999999GiB", "1.5", ".5M", "1.M", "1.2.3M", "0.0M"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn urls_hold_no_password_query_or_other_scheme() {
        for wrong in [
            "chat.example.com",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x/?a",
            "https://x/#a",
            "http:///x y",
        ] {
            if let Ok(url) = web_url(wrong, UserInfo::Refused) {
                assert_eq!(wrong, "http:///x y", "{url}");
            }
        }
        assert!(web_url("http://u:p@proxy:3128", UserInfo::Allowed).is_ok());
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        let here = |text| is_this_machine(&web_url(text, UserInfo::Refused).unwrap());
        for url in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:3000",
            "http://0.0.0.0:3000",
        ] {
            assert!(here(url), "{url}");
        }
        for url in
            ["http://localhost.example.com", "http://10.0.0.1", "http://[fe80::1]", "http://127.example.com"]
        {
            assert!(!here(url), "{url}");
        }
    }
}
