//! Black-box tests of the built binary: each states the whole of stdout, stderr and the exit status.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

mod attempts;
mod certificates;
mod check;
mod check_tls;
mod configuration;
mod connections;
mod crowd;
mod documents;
mod envelope;
mod explanation;
mod hanging;
mod import;
mod limits;
mod logs;
mod manual;
mod memory;
mod misconfigured;
mod outcomes;
mod proxy;
mod purity;
mod qmail_and_courier;
mod rehearsal;
mod secrets;
mod services;
mod setup;
mod signals;
mod streams;
mod support;
mod terminal;
mod tls_mismatch;
mod too_large;
mod trace;

use support::{authority, checked, mounts, run, server, setting};
