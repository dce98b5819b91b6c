//! Mailboxes and lists of them.

use super::{Address, parses_strictly, read, write};

/// Whether a field may stay as it is: it parses strictly, or it is in the writer's own form already.
pub fn is_settled(name: &str, value: &[u8]) -> bool {
    parses_strictly(value) || {
        let mailboxes = read(value).mailboxes;
        !mailboxes.is_empty() && write(name, &mailboxes) == value
    }
}

/// An address with the name it is shown by, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: Address,
}

/// What could be read of a list of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// In the order in which they stand; groups flattened.
    pub mailboxes: Vec<Mailbox>,
}
