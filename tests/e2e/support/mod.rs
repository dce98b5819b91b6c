//! What the end-to-end tests share: running the program, waiting for things, holding ports.

mod port;
mod run;
mod unpacked;
mod wait;

pub(crate) use port::Port;
pub(crate) use run::{Ended, Ingress, binary};
pub(crate) use unpacked::unpacked;
pub(crate) use wait::{Later, eventually};
