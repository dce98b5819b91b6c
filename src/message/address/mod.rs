//! Mail addresses: the checked addr-spec, mailboxes, and lists of them.

mod read;
mod spec;

pub(crate) use read::read;
pub(crate) use spec::Address;

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
