//! `ingress check`: would a delivery work now, and if not, which setting on which host must change? Each file looks at one thing and
//! gives findings. None of them creates anything anywhere.

mod access;
mod account;
mod answer;
mod api;
mod certificate;
mod chatwoot_env;
mod command;
mod finding;
mod limit;
mod log;
mod network_check;
mod reach;
mod report;
mod settings;
mod state;
mod tls;

pub(crate) use command::run;
use finding::{Finding, RESTART, Remedy, Severity, Subject};
use report::Report;

use chatwoot_mail::outcome::Host;
