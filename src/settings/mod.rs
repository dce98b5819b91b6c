//! The settings of a run: options over environment over file over Chatwoot's own `.env`, each with its origin, judged once, before the
//! network is touched.

mod api;
mod chatwoot_env;
mod credentials;
mod delivery;
mod destination;
mod error;
mod file;
mod locate;
mod log;
mod network;
mod origin;
mod password_shape;
mod rules;
#[cfg(test)]
mod sample;
mod secret;
mod shown;
mod sources;
mod table;
mod value;

pub(crate) use api::ApiSettings;
pub(crate) use chatwoot_env::ChatwootEnv;
pub(crate) use credentials::CredentialSource;
pub(crate) use delivery::{Loaded, Settings, load};
pub(crate) use error::ConfigError;
pub(crate) use log::{LogSettings, LogTarget};
pub(crate) use network::{Network, TIMEOUT};
pub(crate) use origin::Origin;
pub(crate) use password_shape::oddity;
pub(crate) use rules::MessageSettings;
pub(crate) use shown::ShownSetting;
pub(crate) use sources::Sources;
use sources::Value;
pub(crate) use table::{Setting, is_variable, setting};
pub(crate) use value::is_this_machine;
