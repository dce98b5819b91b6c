//! What settings say about messages alone.

use super::destination::service;
use super::file::{self, File};
use super::load::{MAX_SIZE, chatwoot_env, enabled, find, known, parsed};
use super::{ChatwootEnv, ConfigError, value};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::rules::Rules;

/// What settings say about messages alone: for commands that send nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageSettings {
    pub(crate) rules: Rules,
    /// In bytes.
    pub(crate) max_size: u64,
}

impl MessageSettings {
    /// Reads the rules from where a delivery would. A file that was not named and that this user may not read is left out, with a notice.
    pub(crate) fn load(
        options: &SettingsOptions,
        environment: &Environment,
    ) -> Result<(Self, Option<String>), ConfigError> {
        let path = find(options, environment)?;
        let named = options.config.is_some() || environment.get("INGRESS_CONFIG").is_some();
        let (file, notice) = match path.as_deref().map(file::read) {
            None => (File::default(), None),
            Some(Ok(file)) => (file, None),
            Some(Err(fault))
                if !named && path.as_deref().is_some_and(|path| std::fs::File::open(path).is_err()) =>
            {
                (File::default(), Some(format!("{fault}: defaults are used")))
            }
            Some(Err(fault)) => return Err(fault),
        };
        let (env, unread) = match chatwoot_env(environment, &file).as_deref().map(ChatwootEnv::read) {
            None => (ChatwootEnv::default(), None),
            Some(Ok(env)) => (env, None),
            Some(Err(fault)) => {
                (ChatwootEnv::default(), Some(format!("{fault}: what it says is not known here")))
            }
        };
        let max_size = parsed("max_size", file.max_size.as_deref(), value::size)?.unwrap_or(MAX_SIZE);
        let rules = Rules {
            service: service(environment, &file, &env)?,
            repairs: enabled(&file)?,
            chatwoot: known(&file, &env)?,
            ..Rules::default()
        };
        Ok((Self { rules, max_size }, notice.or(unread)))
    }
}
