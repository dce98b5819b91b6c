//! A message on its way: from standard input to the exit status.

mod attempt;
mod deadline;
mod final_status;
mod memory_reserve;
pub(crate) mod stdin;

pub(crate) use attempt::*;
pub(crate) use deadline::Watcher;
pub(crate) use final_status::{End, FinalStatus, level};
pub(crate) use memory_reserve::MemoryReserve;
