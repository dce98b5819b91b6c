//! The settings of a run: options over environment over file, judged once, before the network is touched.

mod chatwoot_env;
mod credentials;
mod destination;
mod error;
mod file;
mod load;
mod password_shape;
mod provenance;
mod rules;
mod secret;
mod value;

pub(crate) use chatwoot_env::ChatwootEnv;
pub(crate) use error::ConfigError;
pub(crate) use load::*;
pub(crate) use password_shape::oddity;
pub(crate) use provenance::{Provenance, Setting};
pub(crate) use rules::MessageSettings;
pub(crate) use value::{LogTarget, is_this_machine};
