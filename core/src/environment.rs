//! The environment as a value, so that settings and envelopes can be judged without reading it.

use std::ffi::{OsStr, OsString};

/// A copy of the environment variables. Lookups see only valid UTF-8 that is not empty: mail servers set
/// variables to nothing where they have nothing to say.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// Whether there are more, which were left out.
    has_more: bool,
}

impl Environment {
    /// Those of the variables whose name is wanted.
    pub fn keeping(
        all: impl Iterator<Item = (OsString, OsString)>,
        is_wanted: impl Fn(&OsStr) -> bool,
    ) -> Self {
        let mut environment = Self { variables: Vec::with_capacity(all.size_hint().0), has_more: false };
        for (name, value) in all {
            if is_wanted(&name) {
                environment.variables.push((name, value));
            } else {
                environment.has_more = true;
            }
        }
        environment
    }

    /// Whether there was none at all: no shell starts a program so.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && !self.has_more
    }

    /// The value when it is text and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).and_then(OsStr::to_str).filter(|value| !value.is_empty())
    }

    /// The value whatever its bytes; present though empty counts.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        Self { variables: variables.into_iter().collect(), has_more: false }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        variables.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_is_not_seen_but_was_there() {
        let all = || [("A", "1"), ("B", "2")].map(|(name, value)| (name.into(), value.into())).into_iter();
        let environment = Environment::keeping(all(), |name| name == "B");
        assert_eq!((environment.get("A"), environment.get("B")), (None, Some("2")));
        assert!(!Environment::keeping(all(), |_| false).is_empty());
        assert!(Environment::keeping(std::iter::empty(), |_| true).is_empty());
    }
}
