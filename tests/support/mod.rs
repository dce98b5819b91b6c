//! What tests of the whole program share: running it, waiting for things, and stopping whatever was started.

mod process;
mod run;

pub(crate) use process::{Guard, eventually, free_port};
pub(crate) use run::{Ended, Ingress, binary};
