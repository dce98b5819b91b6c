//! What a look into Chatwoot's Application API needs: where it is, and the token of one of its users.

use url::Url;

use super::credentials::either_secret;
use super::destination::endpoint;
use super::secret::Kind;
use super::table::setting;
use super::{ConfigError, Network, Sources};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::request::Secret;

/// How Chatwoot's API is reached. The ingress password is not needed for it.
#[derive(Clone, Debug)]
pub(crate) struct ApiSettings {
    /// Chatwoot's base URL.
    pub(crate) base: Url,
    pub(crate) network: Network,
    /// Of a user: it sees what that user sees.
    pub(crate) token: Secret,
}

impl ApiSettings {
    /// Reads them from where a delivery reads its own.
    ///
    /// # Errors
    ///
    /// When the URL or the token is missing or wrong.
    pub(crate) fn load(options: &SettingsOptions, environment: &Environment) -> Result<Self, ConfigError> {
        let sources = Sources::read(options, environment);
        if let Some(fault) = sources.file_fault().or(sources.chatwoot_fault()) {
            return Err(fault.clone());
        }
        let (endpoint, _) = endpoint(&sources)?;
        let in_file = const { setting("api_token_file") };
        let token = either_secret(Kind::ApiToken, const { setting("api_token") }, in_file, &sources)?;
        let token = token.ok_or_else(|| {
            ConfigError::of(in_file.key, "no API token is set").with_hint(format!(
                "set {}; Chatwoot shows yours under Profile settings",
                sources.in_file_that_is_read(in_file)
            ))
        })?;
        Ok(Self { base: endpoint.base(), network: Network::judge(&sources)?, token })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    const URL: &str = "url = \"https://chat.test/desk\"\n";

    fn loaded(sample: &Sample) -> Result<ApiSettings, ConfigError> {
        ApiSettings::load(&sample.options(), &Environment::default())
    }

    #[test]
    fn a_token_and_a_url_are_enough() {
        let sample = Sample::new(&format!("{URL}api_token = \"abc\""));
        let settings = loaded(&sample).unwrap();
        assert_eq!((settings.base.as_str(), settings.token.reveal()), ("https://chat.test/desk", "abc"));
        sample.write("token", "def\n");
        sample.write("ingress.toml", &format!("{URL}api_token_file = \"{}\"", sample.shown("token")));
        assert_eq!(loaded(&sample).unwrap().token.reveal(), "def");
    }

    #[test]
    fn a_missing_token_is_told_with_the_place_to_set_it() {
        let sample = Sample::new(URL);
        let text = loaded(&sample).unwrap_err().to_string().replace(&sample.shown(""), "");
        assert_eq!(
            text,
            "no API token is set: set api_token_file in ingress.toml; Chatwoot shows yours under Profile settings"
        );
    }

    #[test]
    fn a_token_is_not_sent_in_clear() {
        let sample = Sample::new("url = \"http://chat.test\"\napi_token = \"abc\"");
        assert!(loaded(&sample).unwrap_err().to_string().contains("in clear"));
    }
}
