//! `ingress setup`: the configuration of each caller.

mod caller;
mod command;
mod fill;
mod page;
mod values;

pub(crate) use command::run;
