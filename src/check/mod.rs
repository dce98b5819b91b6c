//! Would a delivery work now, and if not, which setting on which machine must change? The parts that `ingress check` is made of: each
//! looks at one thing and gives findings. None of them creates anything anywhere.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod answer;
pub(crate) mod api;
pub(crate) mod certificate;
pub(crate) mod chatwoot_env;
mod finding;
pub(crate) mod log;
pub(crate) mod reach;
pub(crate) mod settings;

pub(crate) use finding::{Finding, Machine, Mark, Remedy, Subject};
