//! Which of the stored messages are wanted.

use chatwoot_mail::message::address::Address;

use crate::cli::AddressPattern;

/// A range of time, and whom the messages are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Seconds since 1970, UTC.
    pub(crate) since: Option<i64>,
    /// The first second that is no longer wanted.
    pub(crate) until: Option<i64>,
    /// Any of them; none: for anybody.
    pub(crate) to: Vec<AddressPattern>,
}

impl Selection {
    /// Whether a message of this date, for these addresses, is wanted.
    pub(super) fn takes(&self, date: i64, addresses: impl FnOnce() -> Vec<Address>) -> bool {
        let in_time =
            self.since.is_none_or(|since| date >= since) && self.until.is_none_or(|until| date < until);
        let for_one = || {
            let addresses: Vec<String> = addresses().iter().map(ToString::to_string).collect();
            self.to.iter().any(|pattern| addresses.iter().any(|address| pattern.matches(address)))
        };
        in_time && (self.to.is_empty() || for_one())
    }
}
