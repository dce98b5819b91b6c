//! Temporary.
use std::fmt;
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    local: String,
    domain: String,
}
impl Address {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
        let (local, domain) = text.rsplit_once('@')?;
        if local.is_empty()
            || domain.is_empty()
            || text.chars().any(|c| c.is_control() || c == ' ' || "<>(),;:\"%{}".contains(c))
            || local.contains('@')
        {
            return None;
        }
        Some(Self { local: local.into(), domain: domain.into() })
    }
    pub(crate) fn same_mailbox(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}
pub(crate) struct Mailbox {
    pub(crate) address: Address,
}
pub(crate) struct AddressList {
    pub(crate) mailboxes: Vec<Mailbox>,
}
pub(crate) fn read(value: &[u8]) -> AddressList {
    let text = String::from_utf8_lossy(value);
    AddressList {
        mailboxes: text
            .split(',')
            .filter_map(|p| {
                Address::parse(p.split('<').nth(1).map_or(p, |a| a.split('>').next().unwrap_or(a)))
            })
            .map(|address| Mailbox { address })
            .collect(),
    }
}
