//! Black-box tests of the built binary: each states the whole of stdout, stderr and the exit status.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod configuration;
mod envelope;
mod explanation;
mod laws;
mod manual;
mod memory;
mod outcomes;
mod purity;
mod rehearsal;
mod secrets;
mod server;
mod setting;
mod tls;
