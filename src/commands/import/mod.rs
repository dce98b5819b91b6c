//! `ingress import`: stored mail, where it lies, in which order it goes to Chatwoot, and what became of it.

mod backoff;
mod command;
mod compression;
mod date;
mod discovery;
mod dry_run;
mod failed;
mod file_kind;
mod index;
mod journal;
mod json;
mod mbox;
mod preview;
mod progress;
mod reporter;
mod run;
mod schedule;
mod selection;
mod source;
mod tally;

pub(crate) use command::run;
