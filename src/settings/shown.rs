//! The settings as people may see them: with their origin, without what is secret in them.

use url::Url;

use super::sources::{Resolved, Value};
use super::table::{SETTINGS, Setting, SettingForm};
use super::{Origin, Sources};

/// One setting as it stands somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownSetting {
    pub(crate) key: &'static str,
    /// As written, without what is secret in it.
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl Sources<'_> {
    /// What is set somewhere, in the order of the manual; passwords, keys and their files are left out.
    pub(crate) fn shown(&self) -> impl Iterator<Item = ShownSetting> {
        SETTINGS.iter().filter(|setting| !setting.form.is_credential()).filter_map(|setting| {
            let resolved = self.resolve(setting)?;
            let value = shown(setting, &resolved)?;
            Some(ShownSetting { key: setting.key, value, origin: self.origin(&resolved) })
        })
    }

    /// What is set nowhere and has a default.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        SETTINGS
            .iter()
            .filter(|setting| self.resolve(setting).is_none())
            .filter_map(|setting| Some((setting.key, setting.default?)))
    }
}

/// Nothing for a table in which nothing is turned off.
fn shown(setting: &Setting, resolved: &Resolved<'_>) -> Option<String> {
    match resolved.value {
        Value::Text(text) if setting.form == SettingForm::UrlWithLogin => text.to_str().map(without_login),
        Value::Text(text) => Some(text.to_string_lossy().into_owned()),
        Value::Switch(on) => Some(on.to_string()),
        Value::Addresses(addresses) => Some(addresses.join(", ")),
        Value::Repairs(repairs) => {
            let off: Vec<&str> =
                repairs.iter().filter(|(_, on)| !**on).map(|(name, _)| name.as_str()).collect();
            (!off.is_empty()).then(|| format!("off: {}", off.join(", ")))
        }
    }
}

/// A URL without its user and password.
fn without_login(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => url.host_str().map_or_else(String::new, |host| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}", url.scheme())
        }),
        Err(_) => "not a URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use chatwoot_mail::environment::Environment;

    #[test]
    fn what_is_set_is_shown_in_order_with_its_origin_and_without_a_secret() {
        let sample = Sample::new(
            "password = \"hush\"\nproxy = \"http://mail:hush@proxy.test:3128/\"\ninboxes = [\"a@b\", \"c@d\"]\nallow_http = true\n\
             signing_key_file = \"/hush\"\n[repair]\nmissing-to = false\nrecipient-first = true\n",
        );
        let (options, environment) =
            (sample.options(), Environment::from([("URL", "https://x"), ("INGRESS_SERVICE", "relay")]));
        let sources = Sources::read(&options, &environment);
        let shown: Vec<ShownSetting> = sources.shown().collect();
        let values: Vec<(&str, &str)> =
            shown.iter().map(|setting| (setting.key, setting.value.as_str())).collect();
        let expected = [
            ("url", "https://x"),
            ("service", "relay"),
            ("proxy", "http://proxy.test:3128"),
            ("allow_http", "true"),
            ("inboxes", "a@b, c@d"),
            ("repair", "off: missing-to"),
        ];
        assert_eq!(values, expected);
        assert_eq!(shown[0].origin, Origin::Variable("URL"));
        assert_eq!(shown[5].origin.line_prefix(), format!("{}:6: ", sample.shown("ingress.toml")));
        let defaults: Vec<&str> = sources.defaults().map(|(key, _)| key).collect();
        let unset = ["timeout", "connect_timeout", "max_size", "max_attachment", "on_too_large"];
        assert_eq!(defaults[..5], unset);
        assert_eq!(defaults[5..], ["state_dir", "log", "log_level"]);
    }

    #[test]
    fn what_is_no_url_is_not_shown_for_a_proxy() {
        assert_eq!(without_login("hush"), "not a URL");
    }
}
