//! Would a delivery work now, and if not, which setting on which machine must change? The parts that `ingress check` is made of: each
//! looks at one thing and gives findings. None of them creates anything anywhere.

mod access;
pub(crate) mod account;
mod answer;
mod api;
mod certificate;
pub(crate) mod chatwoot_env;
mod finding;
pub(crate) mod log;
mod reach;
mod report;
pub(crate) mod settings;
mod tls;
pub(crate) mod way;

pub(crate) use finding::{Finding, Machine, Mark, Remedy, Subject};
pub(crate) use report::Report;
