//! A message on its way: from standard input to the exit status.

mod attempt;
mod attempts;
mod copies;
mod deadline;
mod final_status;
mod memory_reserve;
pub(crate) mod stdin;

pub(crate) use attempt::{
    Attempt, Prepared, deliver, described, message_id, outcome_line, post, prepare, remedy_of,
};
pub(crate) use attempts::AttemptCount;
pub(crate) use copies::each_copy;
pub(crate) use deadline::Watcher;
pub(crate) use final_status::{End, FinalStatus, level};
pub(crate) use memory_reserve::MemoryReserve;
