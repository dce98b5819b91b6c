//! What tests of the whole program share: running it, waiting for things, holding ports.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]

mod port;
mod run;
mod wait;

pub(crate) use port::Port;
pub(crate) use run::{Ended, Ingress, binary};
pub(crate) use wait::{eventually, free_port};
