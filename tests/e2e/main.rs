//! End-to-end tests: a real Action Mailbox, real mail servers, on loopback and in a folder of each test's own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails, and the matrix is shown"
)]

mod by_hand;
mod callers;
mod check;
mod drop_in;
mod import;
mod repairs;
mod services;
mod support;
mod through_postfix;
mod traced;
