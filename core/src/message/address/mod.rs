//! Mail addresses: the checked addr-spec, mailboxes, and lists of them.

mod mailbox;
mod read;
mod spec;
mod strict;
mod write;

pub use mailbox::{AddressList, Mailbox, is_settled};
pub use read::{MOST_MAILBOXES, read};
pub use spec::Address;
pub use strict::{Item, gem_reads, parses_strictly};
pub use write::write;
