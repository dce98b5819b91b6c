//! How large a message may be for whatever stands before Chatwoot: nginx takes 1 MiB unless it is told otherwise, and what is larger bounces.

use std::time::Duration;

use super::{Finding, Subject};
use crate::http::Client;
use chatwoot_mail::outcome::{Host, OnTooLarge};
use url::Url;

/// How long a server that judges by the length alone may take to say 413. One that would take the message waits for it meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

const MIB: u64 = 1 << 20;

/// Limits that are set in practice, in bytes. Below the smallest no exact limit is looked for.
const USUAL: [u64; 14] = [
    100 * MIB,
    64 * MIB,
    50 * MIB,
    40 * MIB,
    32 * MIB,
    25 * MIB,
    20 * MIB,
    16 * MIB,
    10 * MIB,
    8 * MIB,
    5 * MIB,
    2 * MIB,
    MIB,
    MIB / 2,
];

/// What is found out about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// At least `max_size`, as far as the header alone tells.
    Enough,
    Exactly(u64),
    /// The first size is taken, the second is not.
    Between(u64, u64),
}

/// A warning when messages that `max_size` lets through are too large for the server. Nothing is stored: of each question only the header
/// is sent.
pub(crate) fn finding(
    client: &Client,
    url: &Url,
    max_size: u64,
    on_too_large: OnTooLarge,
) -> Option<Finding> {
    let takes = |size: u64| client.answer_to_length(url, size, PATIENCE) != Some(413);
    let limit = match limit(max_size, takes) {
        Limit::Enough => return None,
        Limit::Exactly(size) => shown(size),
        Limit::Between(0, size) => format!("less than {}", shown(size)),
        Limit::Between(size, more) => format!("between {} and {}", shown(size), shown(more)),
    };
    let consequence = match on_too_large {
        OnTooLarge::Reject => "larger messages bounce",
        OnTooLarge::Defer => "larger messages wait in the mail server's queue",
    };
    let what = format!(
        "the server before Chatwoot takes {limit}, and max_size is {}: {consequence}",
        shown(max_size)
    );
    let action = format!(
        "raise its limit: client_max_body_size {}m (nginx), LimitRequestBody {max_size} (Apache)",
        max_size.div_ceil(MIB)
    );
    Some(Finding::warning(Subject::Setting("max_size"), what).with_remedy(Host::Proxy, action))
}

/// Asks from `max_size` downwards: a refusal comes at once, and the first size that is taken is waited for once.
fn limit(max_size: u64, takes: impl Fn(u64) -> bool) -> Limit {
    if takes(max_size) {
        return Limit::Enough;
    }
    let mut refused = max_size;
    for size in USUAL.into_iter().filter(|size| *size < max_size) {
        if takes(size) {
            return if takes(size + 1) { Limit::Between(size, refused) } else { Limit::Exactly(size) };
        }
        refused = size;
    }
    Limit::Between(0, refused)
}

fn shown(size: u64) -> String {
    match size {
        _ if size.is_multiple_of(MIB) => format!("{} MiB", size / MIB),
        _ if size.is_multiple_of(1024) => format!("{} KiB", size / 1024),
        _ => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(max_size: u64, limit_of_the_server: u64) -> Limit {
        limit(max_size, |size| size <= limit_of_the_server)
    }

    #[test]
    fn a_usual_limit_is_found_exactly() {
        assert_eq!(found(64 * MIB, MIB), Limit::Exactly(MIB));
        assert_eq!(found(64 * MIB, 20 * MIB), Limit::Exactly(20 * MIB));
        assert_eq!(found(64 * MIB, 64 * MIB), Limit::Enough);
        assert_eq!(found(64 * MIB, u64::MAX), Limit::Enough);
    }

    #[test]
    fn another_is_found_between_two() {
        assert_eq!(found(64 * MIB, 30 * MIB), Limit::Between(25 * MIB, 32 * MIB));
        assert_eq!(found(64 * MIB, 60_000_000), Limit::Between(50 * MIB, 64 * MIB));
        assert_eq!(found(64 * MIB, 1000), Limit::Between(0, MIB / 2));
        assert_eq!(found(1000, 999), Limit::Between(0, 1000));
    }
}
