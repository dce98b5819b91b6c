//! A table of numbers for people: a label, a number, and what it means where that does not go without saying.

use std::fmt::Display;

/// Rows, one below the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table(String);

impl Table {
    /// Appends a row.
    pub(crate) fn row(&mut self, label: &str, number: impl Display, meaning: &str) {
        let number = number.to_string();
        let line = format!("{label:<12} {number:>9}  {meaning}");
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    /// Appends a row that needs no mention when its number is zero.
    pub(crate) fn row_if_any(&mut self, label: &str, number: usize, meaning: &str) {
        if number > 0 {
            self.row(label, number, meaning);
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let mut table = Table::default();
        table.row("delivered", 30, "");
        table.row_if_any("nothing", 0, "is not worth a row");
        table.row("per second", format_args!("{:.1}", 1.25), "as it was");
        assert_eq!(
            table.into_text(),
            "delivered           30\n\
             per second         1.2  as it was\n"
        );
    }
}
