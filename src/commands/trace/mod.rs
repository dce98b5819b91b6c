//! `ingress trace`: asks Chatwoot's Application API what became of a message. It reads, and changes nothing.

mod api;
mod command;
mod report;
mod search;
mod wanted;

pub(crate) use command::run;
