//! A line of the log: `key=value` pairs, foreign text made harmless.

use std::fmt::{self, Display, Write as _};

/// One line of the log, being put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Line {
    /// Appends `key=value`; the value is quoted when it needs to be.
    pub(crate) fn add(&mut self, key: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(key);
        self.0.push('=');
        self.0.push_str(&quoted(&sanitized(&value.to_string())));
    }

    /// Appends all pairs of another line.
    pub(crate) fn append(&mut self, other: &Line) {
        if !self.0.is_empty() && !other.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&other.0);
    }

    /// Appends `key=value` when there is a value.
    pub(crate) fn add_some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }
}

impl Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The longest value, in characters: a syslog line of 2 KiB holds them all.
const LONGEST: usize = 300;

/// Foreign text fit for a log or a terminal: one line, no control or direction characters, not too long.
pub(crate) fn sanitized(text: &str) -> String {
    let harmless = |c: char| if c.is_control() || is_format(c) { '?' } else { c };
    let mut clean: String = text.chars().take(LONGEST).map(harmless).collect();
    if text.chars().nth(LONGEST).is_some() {
        clean.push_str("...");
    }
    clean
}

/// Characters that show nothing but change how others show: zero width, directions, line and paragraph separators, the byte order mark.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Bare when it is one word without quotes; else in double quotes, `"` and `\` escaped.
fn quoted(text: &str) -> String {
    if !text.is_empty() && !text.contains([' ', '"', '\\']) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        // Writing to a String cannot fail.
        let _ = quoted.write_char(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bare_or_quoted() {
        let mut line = Line::default();
        line.add("outcome", "deferred");
        line.add("cause", "say \"no\" \\ twice");
        line.add("repairs", "");
        line.add_some("status", None::<u16>);
        assert_eq!(line.to_string(), r#"outcome=deferred cause="say \"no\" \\ twice" repairs="""#);
    }

    #[test]
    fn foreign_text_stays_on_its_line_and_in_its_place() {
        assert_eq!(sanitized("a\r\nb\u{1b}[31m\u{202e}\0ü"), "a??b?[31m??ü");
        assert_eq!(sanitized(&"x".repeat(1000)).len(), 303);
    }
}
