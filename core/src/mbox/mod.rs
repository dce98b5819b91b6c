//! Mailboxes in one file, as bytes: where each message lies in them, and what it was before it was put there.

mod date;
mod emlx;
mod field;
mod form;
mod separator;
mod splitter;
mod unboxer;

pub use emlx::emlx;
pub use form::{Family, Form, begins_with_returns};
pub use splitter::{KEPT, Lead, MboxEvent, Slice, Splitter};
pub use unboxer::Unboxer;
