//! How the endpoint is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::table::setting;
use super::value::{self, UserInfo};
use super::{ConfigError, Sources};

/// How the endpoint is reached.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// For the whole run, from start to exit.
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// A private certificate authority, PEM; none: the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<Url>,
}

/// The default of `timeout`, which holds until the settings are known: under getmail's 180 s, far under Postfix's 1000 s.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);
/// The longest `timeout`: Postfix kills and bounces after 1000 s (`command_time_limit`).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(900);

impl Network {
    pub(super) fn judge(sources: &Sources<'_>) -> Result<Self, ConfigError> {
        let timeout = sources.parsed(const { setting("timeout") }, timeout)?;
        let connect_timeout = sources.parsed(const { setting("connect_timeout") }, value::duration)?;
        let proxy = sources.parsed_if_set(const { setting("proxy") }, proxy)?;
        let ca_file = sources.path(const { setting("ca_file") }).map(Path::to_owned);
        Ok(Self { timeout, connect_timeout: connect_timeout.min(timeout), ca_file, proxy })
    }
}

fn timeout(text: &str) -> Result<Duration, &'static str> {
    match value::duration(text)? {
        timeout if timeout > LONGEST_TIMEOUT => {
            Err("must be at most \"15m\": Postfix bounces what takes 1000 seconds")
        }
        timeout => Ok(timeout),
    }
}

fn proxy(text: &str) -> Result<Url, &'static str> {
    value::web_url(text, UserInfo::Allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_deadline_is_the_default_of_the_table() {
        assert_eq!(timeout(const { setting("timeout") }.default.unwrap()), Ok(TIMEOUT));
    }
}
