//! `ingress explain`.

mod command;

pub(crate) use command::run;
