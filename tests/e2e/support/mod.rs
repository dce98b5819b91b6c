//! What the end-to-end tests share: the servers, the judge of messages, running the program, waiting for things.

pub(crate) mod action_mailbox;
mod caller;
pub(crate) mod corpus;
pub(crate) mod deployment;
pub(crate) mod dovecot;
pub(crate) mod filter;
pub(crate) mod folder;
mod fork_server;
pub(crate) mod guard;
pub(crate) mod guarded;
pub(crate) mod mail;
pub(crate) mod matrix;
pub(crate) mod nginx;
pub(crate) mod oracle;
mod port;
pub(crate) mod postfix;
pub(crate) mod processes;
pub(crate) mod reader;
mod run;
pub(crate) mod smtp;
pub(crate) mod syslog;
mod unpacked;
mod wait;

pub(crate) use caller::Caller;
pub(crate) use deployment::Deployment;
pub(crate) use mail::Mail;
pub(crate) use port::Port;
pub(crate) use run::{Ended, Ingress, binary};
pub(crate) use unpacked::unpacked;
pub(crate) use wait::{Later, eventually};
