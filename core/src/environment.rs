//! The environment as a value, so that settings and envelopes can be judged without reading it.

use std::ffi::{OsStr, OsString};

/// A copy of the environment variables. Lookups see only valid UTF-8 that is not empty: mail servers set
/// variables to nothing where they have nothing to say.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// Whether there is none at all: no shell starts a program so.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value when it is text and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).and_then(OsStr::to_str).filter(|value| !value.is_empty())
    }

    /// The value whatever its bytes; present though empty counts.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        variables.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    }
}
