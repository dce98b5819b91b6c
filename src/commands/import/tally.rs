//! What a run came to.

use std::time::Duration;

use super::run::ImportStatus;
use crate::exit;
use crate::table::Table;

/// How many messages had which status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) delivered: usize,
    /// Delivered, and not to be seen in Chatwoot.
    pub(crate) lost: usize,
    /// Accepted before, says the journal.
    pub(crate) known: usize,
    /// The same bytes as another message of this run.
    pub(crate) duplicate: usize,
    pub(crate) rejected: usize,
    pub(crate) deferred: usize,
    pub(crate) unreadable: usize,
    /// The run ended before their turn.
    pub(crate) left: usize,
    /// What lies among the mail and is none.
    pub(crate) foreign: usize,
    pub(crate) not_selected: usize,
    /// Lines that look like the beginning of a message, and were taken for text.
    pub(crate) passed_over: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, status: ImportStatus) {
        let counter = match status {
            ImportStatus::Delivered => &mut self.delivered,
            ImportStatus::Known => &mut self.known,
            ImportStatus::Duplicate => &mut self.duplicate,
            ImportStatus::Rejected => &mut self.rejected,
            ImportStatus::Deferred => &mut self.deferred,
            ImportStatus::Unreadable => &mut self.unreadable,
            ImportStatus::Left => &mut self.left,
        };
        *counter += 1;
    }

    /// Those that had their turn.
    pub(crate) fn done(&self) -> usize {
        self.delivered + self.known + self.duplicate + self.failures()
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
        let mut table = Table::default();
        let mut row = |label, count, meaning| table.row(label, count, if count > 0 { meaning } else { "" });
        row("delivered", self.delivered, "");
        if self.lost > 0 {
            row("lost", self.lost, "of these Chatwoot will not show; the log names them");
        }
        if self.known > 0 {
            row("known", self.known, "accepted before, says the journal");
        }
        if self.duplicate > 0 {
            row("duplicate", self.duplicate, "the same bytes as another message of this run");
        }
        row("rejected", self.rejected, "can never be delivered as they are");
        row("deferred", self.deferred, "to be tried again");
        row("unreadable", self.unreadable, "could not be read, or are no messages");
        table.row_if_any("left", self.left, "the run ended before their turn");
        table.row_if_any("not selected", self.not_selected, "");
        table.row_if_any("passed over", self.passed_over, PASSED_OVER);
        table.row_if_any("no mail", self.foreign, "what lies among the mail and is none");
        let seconds = took.as_secs_f64();
        table.row("seconds", format_args!("{seconds:.1}"), "");
        if seconds > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = self.done() as f64 / seconds;
            table.row("per second", format_args!("{rate:.1}"), "");
        }
        table.into_text()
    }
}

/// What it means that a line was passed over.
pub(super) const PASSED_OVER: &str =
    "lines that look like the beginning of a message, and were left in a text";

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
