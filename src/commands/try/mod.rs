//! `ingress try`.

mod command;
mod stand_in;

pub(crate) use command::run;
