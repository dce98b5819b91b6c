//! What Chatwoot would lose is repaired before it is sent.

mod addressees;
mod apply;
mod automatic;
mod blank_line;
mod charset_of_fields;
mod content;
mod date;
mod draft;
mod enabled;
mod envelope_recipient;
mod field_limit;
mod forwarding;
mod identifiers;
mod originals;
mod preamble;
#[cfg(test)]
mod properties;
mod sender;
mod subject;
mod table;

use table::Step;

pub use apply::{Repaired, Unrepaired, repair, repair_and_look};
pub use enabled::EnabledRepairs;
pub use envelope_recipient::taken_out as recipient_taken_out;
pub use table::{REPAIRS, Repair};
