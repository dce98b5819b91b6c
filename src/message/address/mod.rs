//! Mail addresses: the checked addr-spec, mailboxes, and lists of them.

mod read;
mod spec;
mod strict;
mod write;

pub(crate) use read::read;
pub(crate) use spec::Address;
pub(crate) use strict::{Item, gem_reads, parses_strictly};
pub(crate) use write::write;

/// Whether a field may stay as it is: it parses strictly, or it is in the writer's own form already.
pub(crate) fn is_settled(name: &str, value: &[u8]) -> bool {
    parses_strictly(value) || {
        let mailboxes = read(value).mailboxes;
        !mailboxes.is_empty() && write(name, &mailboxes) == value
    }
}

/// An address with the name it is shown by, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: Address,
}

/// What could be read of a list of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddressList {
    /// In the order in which they stand; groups flattened.
    pub(crate) mailboxes: Vec<Mailbox>,
}
