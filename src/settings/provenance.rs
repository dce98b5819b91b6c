//! Where each setting came from, for whoever looks for the line to change. Judges nothing, shows no secret.

use std::path::{Path, PathBuf};

use url::Url;

use super::file::{self, File};
use super::load::{CONNECT_TIMEOUT, MAX_SIZE, TIMEOUT, chatwoot_env, find};
use super::{ChatwootEnv, ConfigError};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::service::{Proof, Service};

/// One setting as it stands somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The key of `ingress.toml`.
    pub(crate) name: &'static str,
    /// As written, without what is secret in it.
    pub(crate) value: String,
    /// `--url`, `INGRESS_URL`, `url in /etc/ingress.toml`, `FRONTEND_URL in /opt/chatwoot/.env`, `default`.
    pub(crate) origin: String,
}

/// Where the password stands, or the key that signs: what the service wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretSource {
    /// `password` or `signing_key`.
    pub(crate) key: &'static str,
    /// The file that holds it; none when a variable of the environment does.
    pub(crate) file: Option<PathBuf>,
    /// As in [`Setting::origin`].
    pub(crate) origin: String,
}

/// Everything that is known of the settings' origin, even when they are faulty.
#[derive(Default)]
pub(crate) struct Provenance {
    /// The configuration file, there or not.
    pub(crate) config: Option<PathBuf>,
    /// `--config` or `INGRESS_CONFIG`; none when it was looked for.
    pub(crate) config_named_by: Option<&'static str>,
    /// Why the file says nothing.
    pub(crate) config_fault: Option<ConfigError>,
    /// In the order of the manual; those that are set nowhere are missing, but for `url`, `service` and `log`.
    pub(crate) said: Vec<Setting>,
    /// Of the settings with a default that matters, those that are set nowhere: `timeout 2m`.
    pub(crate) defaults: Vec<String>,
    pub(crate) secret: Option<SecretSource>,
    /// Chatwoot's `.env`, and what is in it when it can be read.
    pub(crate) chatwoot_env: Option<(PathBuf, Option<ChatwootEnv>)>,
    pub(crate) ca_file: Option<PathBuf>,
}

impl Provenance {
    /// Looks at the same places in the same order as [`super::load`].
    pub(crate) fn of(options: &SettingsOptions, environment: &Environment) -> Self {
        let config = find(options, environment).ok().flatten();
        let read = config.as_deref().map_or_else(|| Ok(File::default()), file::read);
        let config_fault = read.as_ref().err().cloned();
        let file = read.unwrap_or_default();
        let env = chatwoot_env(environment, &file);
        let chatwoot = env.as_deref().and_then(|path| ChatwootEnv::read(path).ok());
        let named_by = match (&options.config, environment.get("INGRESS_CONFIG")) {
            (Some(_), _) => Some("--config"),
            (None, named) => named.map(|_| "INGRESS_CONFIG"),
        };
        let places = Places { options, environment, file: &file, config: config.as_deref() };
        let found = chatwoot.as_ref().zip(env.as_deref());
        let mut said: Vec<Setting> = places.connection(found).collect();
        let service =
            said.iter().find(|said| said.name == "service").and_then(|said| Service::named(&said.value));
        let secret = match service.map_or(Proof::Password, Service::proof) {
            Proof::Password => places.password(found),
            Proof::Signature => places.signing_key(service, found),
        };
        said.extend(places.rest());
        Self {
            config_named_by: named_by,
            config_fault,
            said,
            defaults: defaults(&file),
            secret,
            ca_file: file.ca_file.clone(),
            chatwoot_env: env.map(|path| (path, chatwoot)),
            config,
        }
    }

    /// Where this setting came from.
    pub(crate) fn origin(&self, name: &str) -> Option<&str> {
        self.said.iter().find(|said| said.name == name).map(|said| said.origin.as_str())
    }
}

/// Where settings can stand.
struct Places<'a> {
    options: &'a SettingsOptions,
    environment: &'a Environment,
    file: &'a File,
    config: Option<&'a Path>,
}

type Found<'a> = Option<(&'a ChatwootEnv, &'a Path)>;

impl Places<'_> {
    fn key(&self, name: &str) -> String {
        self.config.map_or_else(|| name.to_owned(), |path| format!("{name} in {}", path.display()))
    }

    /// The first place that says something.
    fn first<const N: usize>(
        &self,
        name: &'static str,
        above: [(&str, Option<&str>); N],
        key: Option<&str>,
        chatwoot: Option<(&str, &str, &Path)>,
        default: &str,
    ) -> Setting {
        let above =
            above.into_iter().find_map(|(origin, value)| Some((value?.to_owned(), origin.to_owned())));
        let found = above.or_else(|| Some((key?.to_owned(), self.key(name)))).or_else(|| {
            chatwoot.map(|(variable, value, path)| {
                (value.to_owned(), format!("{variable} in {}", path.display()))
            })
        });
        let (value, origin) = found.unwrap_or_else(|| (default.to_owned(), "default".to_owned()));
        Setting { name, value, origin }
    }

    /// `url`, `service` and `log`, whatever they are; `chatwoot_env` when it is set.
    fn connection(&self, chatwoot: Found<'_>) -> impl Iterator<Item = Setting> + use<> {
        let (options, environment, file) = (self.options, self.environment, self.file);
        let of_chatwoot = |name: &'static str, value: fn(&ChatwootEnv) -> Option<&str>| {
            chatwoot.and_then(|(chatwoot, path)| Some((name, value(chatwoot)?, path)))
        };
        let env = file.chatwoot_env.as_ref().map(|path| path.to_string_lossy());
        let url = [
            ("--url", options.url.as_deref()),
            ("INGRESS_URL", environment.get("INGRESS_URL")),
            ("URL", environment.get("URL")),
        ];
        let service = [("INGRESS_SERVICE", environment.get("INGRESS_SERVICE"))];
        let log = [("--log", options.log.as_deref()), ("INGRESS_LOG", environment.get("INGRESS_LOG"))];
        let frontend = of_chatwoot("FRONTEND_URL", |chatwoot| chatwoot.get("FRONTEND_URL"));
        let inbound = of_chatwoot("RAILS_INBOUND_EMAIL_SERVICE", |chatwoot| {
            chatwoot.get("RAILS_INBOUND_EMAIL_SERVICE")
        });
        let chatwoot_env = [("INGRESS_CHATWOOT_ENV", environment.get("INGRESS_CHATWOOT_ENV"))];
        [
            self.first("url", url, file.url.as_deref(), frontend, ""),
            self.first("service", service, file.service.as_deref(), inbound, "relay"),
            self.first("log", log, file.log.as_deref(), None, "syslog"),
            self.first("chatwoot_env", chatwoot_env, env.as_deref(), None, ""),
        ]
        .into_iter()
        .filter(|said| !said.value.is_empty())
    }

    /// What only the file can say, as far as it does.
    fn rest(&self) -> impl Iterator<Item = Setting> {
        let file = self.file;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let inboxes = file.inboxes.as_ref().map(|inboxes| inboxes.join(", "));
        let off: Vec<&str> =
            file.repair.iter().filter(|(_, on)| !**on).map(|(name, _)| name.as_str()).collect();
        let said = [
            ("timeout", file.timeout.clone()),
            ("connect_timeout", file.connect_timeout.clone()),
            ("max_size", file.max_size.clone()),
            ("on_too_large", file.on_too_large.clone()),
            ("ca_file", path(&file.ca_file)),
            ("proxy", file.proxy.as_deref().map(without_password)),
            ("allow_http", file.allow_http.map(|allowed| allowed.to_string())),
            ("inboxes", inboxes),
            ("log_level", file.log_level.clone()),
            ("repair", (!off.is_empty()).then(|| format!("off: {}", off.join(", ")))),
        ];
        said.into_iter()
            .filter_map(|(name, value)| Some(Setting { name, value: value?, origin: self.key(name) }))
    }

    fn password(&self, chatwoot: Found<'_>) -> Option<SecretSource> {
        let (options, environment, file) = (self.options, self.environment, self.file);
        let source = |file: Option<PathBuf>, origin: &str| {
            Some(SecretSource { key: "password", file, origin: origin.to_owned() })
        };
        if let Some(path) = &options.password_file {
            return source(Some(path.clone()), "--password-file");
        }
        if environment.get("INGRESS_PASSWORD").is_some() {
            return source(None, "INGRESS_PASSWORD");
        }
        if let Some(path) = environment.get("INGRESS_PASSWORD_FILE") {
            return source(Some(path.into()), "INGRESS_PASSWORD_FILE");
        }
        if file.password.is_some() {
            return source(self.config.map(Path::to_owned), &self.key("password"));
        }
        if let Some(path) = &file.password_file {
            return source(Some(path.clone()), &self.key("password_file"));
        }
        let (chatwoot, path) = chatwoot?;
        chatwoot.get("RAILS_INBOUND_EMAIL_PASSWORD")?;
        source(Some(path.to_owned()), &format!("RAILS_INBOUND_EMAIL_PASSWORD in {}", path.display()))
    }

    fn signing_key(&self, service: Option<Service>, chatwoot: Found<'_>) -> Option<SecretSource> {
        let source = |file: &Path, origin: String| SecretSource {
            key: "signing_key",
            file: Some(file.to_owned()),
            origin,
        };
        if self.file.signing_key.is_some() {
            return Some(source(self.config?, self.key("signing_key")));
        }
        if let Some(path) = &self.file.signing_key_file {
            return Some(source(path, self.key("signing_key_file")));
        }
        let ((chatwoot, path), variable) = (chatwoot?, service?.variable());
        chatwoot.get(variable)?;
        Some(source(path, format!("{variable} in {}", path.display())))
    }
}

fn defaults(file: &File) -> Vec<String> {
    let unset = [
        (file.timeout.is_none(), format!("timeout {}", humantime::format_duration(TIMEOUT))),
        (
            file.connect_timeout.is_none(),
            format!("connect_timeout {}", humantime::format_duration(CONNECT_TIMEOUT)),
        ),
        (file.max_size.is_none(), format!("max_size {}MiB", MAX_SIZE >> 20)),
        (file.on_too_large.is_none(), "on_too_large reject".to_owned()),
    ];
    unset.into_iter().filter_map(|(unset, text)| unset.then_some(text)).collect()
}

/// A proxy's URL without its user and password.
fn without_password(text: &str) -> String {
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
    use super::*;
    use crate::settings::{Settings, load};
    use std::os::unix::fs::PermissionsExt;

    /// A folder with Chatwoot's `.env` in it and a configuration that names it.
    struct Sample(tempfile::TempDir);

    impl Sample {
        fn new(more: &str) -> Self {
            let sample = Self(tempfile::tempdir().unwrap());
            sample.write(
                ".env",
                "FRONTEND_URL=https://env.test\nRAILS_INBOUND_EMAIL_PASSWORD=hush-env\nRAILS_INBOUND_EMAIL_SERVICE=relay\n",
            );
            sample.write("ingress.toml", &format!("chatwoot_env = \"{}\"\n{more}", sample.shown(".env")));
            sample
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.0.path().join(name), text).unwrap();
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(self.0.path().join(name), private).unwrap();
        }

        fn shown(&self, name: &str) -> String {
            self.0.path().join(name).display().to_string()
        }

        fn options(&self) -> SettingsOptions {
            SettingsOptions { config: Some(self.0.path().join("ingress.toml")), ..SettingsOptions::default() }
        }

        /// What is in force, and where it is said to come from.
        fn both(&self, options: &SettingsOptions, environment: &Environment) -> (Settings, Provenance) {
            (load(options, environment).settings.unwrap(), Provenance::of(options, environment))
        }
    }

    /// The place that is named is the place whose value is in force, in every layer.
    #[test]
    fn what_is_named_is_what_is_in_force() {
        let sample = Sample::new("url = \"https://file.test\"\npassword = \"hush-file\"");
        sample.write("option.password", "hush-option\n");
        let variables = [("INGRESS_URL", "https://variable.test"), ("INGRESS_PASSWORD", "hush-variable")];
        let with_option = SettingsOptions {
            url: Some("https://option.test".to_owned()),
            password_file: Some(sample.shown("option.password").into()),
            ..sample.options()
        };
        let in_file = |key: &str| format!("{key} in {}", sample.shown("ingress.toml"));
        for (options, environment, url, password, host, secret) in [
            (
                &with_option,
                Environment::from(variables),
                "--url".to_owned(),
                "--password-file".to_owned(),
                "option.test",
                "hush-option",
            ),
            (
                &sample.options(),
                Environment::from(variables),
                "INGRESS_URL".to_owned(),
                "INGRESS_PASSWORD".to_owned(),
                "variable.test",
                "hush-variable",
            ),
            (
                &sample.options(),
                Environment::default(),
                in_file("url"),
                in_file("password"),
                "file.test",
                "hush-file",
            ),
        ] {
            let (settings, provenance) = sample.both(options, &environment);
            assert_eq!(settings.endpoint.url().host_str(), Some(host));
            assert_eq!(settings.secret.reveal(), secret);
            assert_eq!(provenance.origin("url"), Some(url.as_str()));
            assert_eq!(provenance.secret.as_ref().unwrap().origin, password);
            assert!(!format!("{:?}", provenance.said).contains("hush"));
        }
    }

    #[test]
    fn chatwoot_s_env_is_named_with_its_variables() {
        let sample = Sample::new("");
        let (settings, provenance) = sample.both(&sample.options(), &Environment::default());
        assert_eq!(settings.endpoint.url().host_str(), Some("env.test"));
        let env = sample.shown(".env");
        assert_eq!(provenance.origin("url"), Some(format!("FRONTEND_URL in {env}").as_str()));
        assert_eq!(
            provenance.origin("service"),
            Some(format!("RAILS_INBOUND_EMAIL_SERVICE in {env}").as_str())
        );
        assert_eq!(provenance.origin("log"), Some("default"));
        let password = provenance.secret.unwrap();
        assert_eq!(password.origin, format!("RAILS_INBOUND_EMAIL_PASSWORD in {env}"));
        assert_eq!(password.file, Some(env.into()));
    }

    #[test]
    fn a_service_that_signs_has_a_key_for_a_password() {
        let sample = Sample::new("service = \"mailgun\"\npassword = \"hush\"");
        let secret =
            |sample: &Sample| Provenance::of(&sample.options(), &Environment::default()).secret.unwrap();
        let text = "FRONTEND_URL=https://env.test\nMAILGUN_INGRESS_SIGNING_KEY=hush-env\n";
        sample.write(".env", text);
        let env = sample.shown(".env");
        let of_chatwoot = secret(&sample);
        assert_eq!(of_chatwoot.origin, format!("MAILGUN_INGRESS_SIGNING_KEY in {env}"));
        assert_eq!((of_chatwoot.key, of_chatwoot.file), ("signing_key", Some(env.into())));
        let sample = Sample::new("service = \"mandrill\"\nsigning_key_file = \"/x\"");
        let of_file = secret(&sample);
        let config = sample.shown("ingress.toml");
        assert_eq!(
            (of_file.origin, of_file.file),
            (format!("signing_key_file in {config}"), Some("/x".into()))
        );
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let sample =
            Sample::new("proxy = \"http://mail:hush@proxy.test:3128/\"\n[repair]\nmissing-to = false");
        let provenance = Provenance::of(&sample.options(), &Environment::default());
        let shown = |name| provenance.said.iter().find(|said| said.name == name).map(|said| &*said.value);
        assert_eq!(shown("proxy"), Some("http://proxy.test:3128"));
        assert_eq!(shown("repair"), Some("off: missing-to"));
        assert_eq!(without_password("hush"), "not a URL");
    }
}
