//! End-to-end tests: a real Action Mailbox, real mail servers, on loopback and in a folder of each test's own.

#[path = "../support/mod.rs"]
mod support;

mod action_mailbox;
mod by_hand;
mod folder;
mod nginx;
mod postfix;
mod smtp;
mod through_postfix;
