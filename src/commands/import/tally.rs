//! What a run came to.

use std::time::Duration;

use super::run::ImportStatus;
use crate::exit;

/// How many messages had which status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) delivered: usize,
    /// Accepted before, says the journal.
    pub(crate) known: usize,
    pub(crate) rejected: usize,
    pub(crate) deferred: usize,
    pub(crate) unreadable: usize,
    /// The run ended before their turn.
    pub(crate) left: usize,
    /// What lies among the mail and is none.
    pub(crate) foreign: usize,
    pub(crate) not_selected: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, status: ImportStatus) {
        let counter = match status {
            ImportStatus::Delivered => &mut self.delivered,
            ImportStatus::Known => &mut self.known,
            ImportStatus::Rejected => &mut self.rejected,
            ImportStatus::Deferred => &mut self.deferred,
            ImportStatus::Unreadable => &mut self.unreadable,
            ImportStatus::Left => &mut self.left,
        };
        *counter += 1;
    }

    /// Not delivered, whyever.
    pub(crate) fn failures(&self) -> usize {
        self.rejected + self.deferred + self.unreadable
    }

    /// 0 all delivered; 75 some to be tried again; 65 some rejected or unreadable.
    pub(crate) fn status(&self) -> u8 {
        if self.deferred + self.left > 0 {
            exit::TEMPORARY
        } else if self.rejected + self.unreadable > 0 {
            exit::MESSAGE
        } else {
            0
        }
    }

    /// The final table.
    pub(crate) fn table(&self, took: Duration) -> String {
        let rows = [
            ("delivered", self.delivered, true),
            ("known", self.known, self.known > 0),
            ("rejected", self.rejected, true),
            ("deferred", self.deferred, true),
            ("unreadable", self.unreadable, true),
            ("left", self.left, self.left > 0),
            ("not selected", self.not_selected, self.not_selected > 0),
            ("no mail", self.foreign, self.foreign > 0),
        ];
        let mut table = String::new();
        for (name, count, _) in rows.into_iter().filter(|(_, _, shown)| *shown) {
            table.push_str(&format!("{name:<12} {count:>9}{}\n", meaning(name, count)));
        }
        let seconds = took.as_secs_f64();
        let done = self.delivered + self.known + self.failures();
        table.push_str(&format!("{:<12} {seconds:>9.1}\n", "seconds"));
        if seconds > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = done as f64 / seconds;
            table.push_str(&format!("{:<12} {rate:>9.1}\n", "per second"));
        }
        table
    }
}

/// What the number means, when that does not go without saying.
fn meaning(name: &str, count: usize) -> &'static str {
    match name {
        _ if count == 0 => "",
        "known" => "  accepted before, says the journal",
        "rejected" => "  can never be delivered as they are",
        "deferred" => "  to be tried again",
        "unreadable" => "  could not be read, or are no messages",
        "left" => "  the run ended before their turn",
        "no mail" => "  what lies among the mail and is none",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_tried_again_outweighs_the_rest() {
        let mut tally = Tally { delivered: 3, ..Tally::default() };
        assert_eq!(tally.status(), 0);
        tally.count(ImportStatus::Unreadable);
        assert_eq!(tally.status(), 65);
        tally.count(ImportStatus::Deferred);
        assert_eq!(tally.status(), 75);
        assert_eq!(Tally { left: 1, ..Tally::default() }.status(), 75);
    }

    #[test]
    fn the_table_names_what_there_is() {
        let tally = Tally { delivered: 30, rejected: 1, foreign: 2, ..Tally::default() };
        assert_eq!(
            tally.table(Duration::from_millis(1500)),
            "delivered           30\n\
             rejected             1  can never be delivered as they are\n\
             deferred             0\n\
             unreadable           0\n\
             no mail              2  what lies among the mail and is none\n\
             seconds            1.5\n\
             per second        20.7\n"
        );
    }
}
