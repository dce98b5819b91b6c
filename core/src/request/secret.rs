//! A password or key that nothing prints.

use std::fmt;

/// A password or key. `Debug` shows that there is one, not what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes one line, without its line end.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be put behind its name: nothing at all, several lines, control characters.
    pub fn from_line(text: &str) -> Result<Self, &'static str> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err("is empty");
        }
        if line.contains(['\n', '\r']) {
            return Err("must be one line");
        }
        if line.contains(char::is_control) {
            return Err("holds a control character");
        }
        Ok(Self(line.to_owned()))
    }

    /// The text itself, for the request alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_belong_to_the_password() {
        assert_eq!(Secret::from_line(" a b \n").unwrap().reveal(), " a b ");
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", Secret::from_line("swordfish").unwrap()), "[hidden]");
    }
}
