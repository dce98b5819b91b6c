//! What settings say about messages alone.

use super::destination::service;
use super::file::{self, File};
use super::{ChatwootEnv, Fault, MAX_SIZE, chatwoot_env, find, known, parsed, switches, value};
use crate::cli::Options;
use crate::endpoint::Service;
use crate::environment::Environment;
use crate::repair::Switches;
use crate::route::Chatwoot;

/// What settings say about messages alone: for commands that send nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) service: Service,
    pub(crate) repairs: Switches,
    pub(crate) chatwoot: Chatwoot,
    pub(crate) max_size: u64,
}

impl Rules {
    /// Reads the rules from where a delivery would. A file that was not named and that this user may not read is left out, with a notice.
    pub(crate) fn load(
        options: &Options,
        environment: &Environment,
    ) -> Result<(Self, Option<String>), Fault> {
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
        let rules = Self {
            service: service(environment, &file, &env)?,
            repairs: switches(&file)?,
            chatwoot: known(&file, &env)?,
            max_size,
        };
        Ok((rules, notice.or(unread)))
    }
}
