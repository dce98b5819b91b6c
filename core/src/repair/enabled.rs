//! Which repairs are on.

use std::collections::BTreeMap;

use super::preamble;
use super::table::{REPAIRS, Repair};
use crate::message::line_ends::ExtraReturns;

/// Which repairs are on: all, but for those that `[repair]` turns off.
#[derive(Clone, Debug, Default)]
pub struct EnabledRepairs {
    off: Vec<&'static str>,
}

impl EnabledRepairs {
    /// # Errors
    ///
    /// The first name that is no repair's.
    pub fn new(said: &BTreeMap<String, bool>) -> Result<Self, &str> {
        let mut off = Vec::new();
        for (name, on) in said {
            let repair = REPAIRS.iter().find(|repair| repair.name == name).ok_or(name.as_str())?;
            if !on {
                off.push(repair.name);
            }
        }
        Ok(Self { off })
    }

    /// These, with none but the first `count` repairs of the table on.
    pub fn first(&self, count: usize) -> Self {
        let rest = REPAIRS.iter().skip(count).map(|repair| repair.name);
        Self { off: self.off.iter().copied().chain(rest).collect() }
    }

    pub(super) fn is_on(&self, repair: &Repair) -> bool {
        !self.off.contains(&repair.name)
    }

    /// What the reader does about superfluous carriage returns.
    pub fn extra_returns(&self) -> ExtraReturns {
        if self.is_on(&preamble::LINE_ENDS) { ExtraReturns::Repair } else { ExtraReturns::Keep }
    }
}
