//! What tests of the whole program share: running it, and waiting for things.

mod run;
mod wait;

pub(crate) use run::{Ended, Ingress, binary};
pub(crate) use wait::{eventually, free_port};
