//! Everything a delivery needs to know, judged before the network is touched.

use std::path::{Path, PathBuf};

use super::credentials::secret;
use super::destination::{endpoint, is_clear_text_allowed};
use super::file::SettingsFile;
use super::rules::{max_size, rules};
use super::table::setting;
use super::{ConfigError, LogSettings, Network, Sources, is_this_machine};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::outcome::OnTooLarge;
use chatwoot_mail::request::{Endpoint, Secret};
use chatwoot_mail::rules::Rules;

/// Everything a delivery needs to know, judged.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    /// The password, or the key that signs: what the service wants.
    pub(crate) secret: Secret,
    pub(crate) network: Network,
    /// In bytes, as the mail server hands the message over.
    pub(crate) max_size: u64,
    pub(crate) on_too_large: OnTooLarge,
    /// Where it is remembered which messages may be stored unrouted; nothing for a rehearsal.
    pub(crate) state_dir: Option<PathBuf>,
    /// How messages are repaired, in which form they go, and where they end up.
    pub(crate) rules: Rules,
    /// What the administrator should know though it does not stop a delivery.
    pub(crate) notices: Vec<String>,
}

/// What was found out about the settings. A fault in one part does not hide where to log it.
pub(crate) struct Loaded<'a> {
    pub(crate) log: LogSettings,
    pub(crate) settings: Result<Settings, ConfigError>,
    /// Where each of them comes from.
    pub(crate) sources: Sources<'a>,
}

/// Finds, reads and judges the settings.
pub(crate) fn load<'a>(options: &'a SettingsOptions, environment: &'a Environment) -> Loaded<'a> {
    let sources = Sources::read(options, environment);
    let (log, log_fault) = LogSettings::judge(&sources);
    let fault = sources.file_fault().cloned().or(log_fault).or_else(|| sources.chatwoot_fault().cloned());
    let settings = fault.map_or_else(|| Settings::judge(&sources), Err);
    Loaded { log, settings, sources }
}

/// What a rehearsal takes from no file: how to reach the real Chatwoot.
const CONNECTION: [&str; 4] = ["url", "chatwoot_env", "ca_file", "proxy"];

impl Settings {
    fn judge(sources: &Sources<'_>) -> Result<Self, ConfigError> {
        let (endpoint, notice) = endpoint(sources)?;
        let network = Network::judge(sources)?;
        let proxy_elsewhere = network.proxy.as_ref().is_some_and(|proxy| !is_this_machine(proxy));
        if endpoint.url().scheme() == "http" && proxy_elsewhere && !is_clear_text_allowed(sources) {
            return Err(in_clear_to_the_proxy(sources));
        }
        let service = endpoint.service();
        Ok(Self {
            secret: secret(service, sources)?,
            endpoint,
            network,
            rules: rules(service, sources)?,
            max_size: max_size(sources)?,
            on_too_large: sources.parsed(const { setting("on_too_large") }, on_too_large)?,
            state_dir: Some(sources.parsed(const { setting("state_dir") }, state_dir)?),
            notices: notice.into_iter().collect(),
        })
    }

    /// Settings for a delivery to `base` on this machine: what a file says about messages counts, and of what it says about Chatwoot the
    /// service.
    pub(crate) fn for_rehearsal(
        base: &str,
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let file = file.map(SettingsFile::read).transpose()?.unwrap_or_default();
        let mut file =
            file.without(|setting| CONNECTION.contains(&setting.key) || setting.form.is_credential());
        for secret in [const { setting("password") }, const { setting("signing_key") }] {
            file.set(secret, "rehearsal");
        }
        let options = SettingsOptions { url: Some(base.to_owned()), ..SettingsOptions::default() };
        let service = environment.get("INGRESS_SERVICE");
        let environment =
            service.map(|name| Environment::from([("INGRESS_SERVICE", name)])).unwrap_or_default();
        let settings = Self::judge(&Sources::of(&options, &environment, file))?;
        Ok(Self { state_dir: None, ..settings })
    }
}

fn in_clear_to_the_proxy(sources: &Sources<'_>) -> ConfigError {
    let setting = const { setting("proxy") };
    let error = ConfigError::of(setting.key, "proxy would be sent the password in clear");
    error.at(sources.origin_of(setting)).with_hint("use an https URL of Chatwoot, or set allow_http = true")
}

/// The folder from which a mail server starts a program is not known.
fn state_dir(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err("must be a path that begins with /") }
}

fn on_too_large(text: &str) -> Result<OnTooLarge, &'static str> {
    match text {
        "reject" => Ok(OnTooLarge::Reject),
        "defer" => Ok(OnTooLarge::Defer),
        _ => Err("must be \"reject\" or \"defer\""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogTarget;
    use super::super::sample::Sample;
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    const GOOD: &str = "url = \"https://x\"\npassword = \"hush\"\n";

    fn loaded<const N: usize>(
        sample: &Sample,
        environment: [(&str, &str); N],
    ) -> Result<Settings, ConfigError> {
        load(&sample.options(), &Environment::from(environment)).settings
    }

    /// What is wrong, with `FILE` for the configuration's path.
    fn fault(text: &str) -> String {
        let sample = Sample::new(text);
        let text = loaded(&sample, []).unwrap_err().to_string();
        assert!(!text.contains("hush"), "{text}");
        text.replace(&sample.shown("ingress.toml"), "FILE")
    }

    #[test]
    fn options_go_over_environment_over_file() {
        let sample = Sample::new("url = \"https://file\"\npassword = \"hush\"");
        let host = |settings: Settings| settings.endpoint.url().host_str().unwrap().to_owned();
        assert_eq!(host(loaded(&sample, []).unwrap()), "file");
        let rails = ("URL", "https://rails");
        assert_eq!(host(loaded(&sample, [rails]).unwrap()), "rails");
        assert_eq!(host(loaded(&sample, [rails, ("INGRESS_URL", "https://own")]).unwrap()), "own");
        assert_eq!(host(loaded(&sample, [("INGRESS_URL", "")]).unwrap()), "file");
        let options = SettingsOptions { url: Some("https://option".to_owned()), ..sample.options() };
        let settings = load(&options, &Environment::from([rails])).settings.unwrap();
        assert_eq!(host(settings), "option");
    }

    #[test]
    fn the_environment_alone_is_enough() {
        let options = SettingsOptions::default();
        let environment = Environment::from([("URL", "https://rails"), ("INGRESS_PASSWORD", "hush")]);
        let settings = load(&options, &environment).settings.unwrap();
        assert_eq!(settings.secret.reveal(), "hush");
        assert_eq!(settings.network.timeout, Duration::from_secs(120));
        assert_eq!(settings.network.connect_timeout, Duration::from_secs(10));
        assert_eq!((settings.max_size, settings.on_too_large), (64 << 20, OnTooLarge::Reject));
    }

    #[test]
    fn chatwoot_s_own_env_fills_what_is_not_set_otherwise() {
        let sample = Sample::new("");
        sample.write(
            ".env",
            "FRONTEND_URL=http://0.0.0.0:3000\nRAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD=hush\n\
             MAILER_SENDER_EMAIL=Chat <own@x>\n",
        );
        let line = format!("chatwoot_env = \"{}\"\n", sample.shown(".env"));
        sample.write("ingress.toml", &line);
        let settings = loaded(&sample, []).unwrap();
        assert_eq!(
            settings.endpoint.url().as_str(),
            "http://0.0.0.0:3000/rails/action_mailbox/relay/inbound_emails"
        );
        assert_eq!(settings.secret.reveal(), "hush");
        assert_eq!(settings.rules.chatwoot.own_sender.unwrap().to_string(), "own@x");
        sample.write("ingress.toml", &format!("{line}password = \"own\""));
        assert_eq!(loaded(&sample, []).unwrap().secret.reveal(), "own");
    }

    #[test]
    fn a_fault_in_chatwoot_s_env_is_told_with_its_line() {
        let sample = Sample::new(GOOD);
        sample.write(".env", "\nRAILS_INBOUND_EMAIL_SERVICE=hush\n");
        let env = sample.shown(".env");
        let fault = loaded(&sample, [("INGRESS_CHATWOOT_ENV", env.as_str())]).unwrap_err();
        assert_eq!(fault.key, Some("service"));
        let expected = format!("{env}:2: RAILS_INBOUND_EMAIL_SERVICE must be \"relay\", ");
        assert!(fault.to_string().starts_with(&expected), "{fault}");
    }

    #[test]
    fn an_env_file_that_others_can_read_is_refused() {
        let sample = Sample::new(GOOD);
        sample.write(".env", "RAILS_INBOUND_EMAIL_PASSWORD=hush\n");
        std::fs::set_permissions(sample.path(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let fault = loaded(&sample, [("INGRESS_CHATWOOT_ENV", &sample.shown(".env"))]).unwrap_err();
        assert_eq!(fault.key, Some("chatwoot_env"));
        assert!(fault.to_string().contains("others can read it"), "{fault}");
    }

    #[test]
    fn a_named_file_must_exist() {
        let options = SettingsOptions {
            config: Some("/nonexistent/ingress.toml".into()),
            ..SettingsOptions::default()
        };
        let fault = load(&options, &Environment::default()).settings.unwrap_err();
        assert_eq!(fault.key, None);
        assert_eq!(fault.to_string(), "cannot read /nonexistent/ingress.toml: no such file or directory");
    }

    #[test]
    fn a_password_never_travels_in_clear_to_another_machine() {
        let text = "url = \"http://chat.example.com\"\npassword = \"hush\"\n";
        assert_eq!(
            fault(text),
            "FILE:1: url would send the password in clear: use https, or set allow_http = true"
        );
        assert!(loaded(&Sample::new(&format!("{text}allow_http = true")), []).is_ok());
        let here = "url = \"http://127.0.0.1:3000\"\npassword = \"hush\"\n";
        assert!(loaded(&Sample::new(here), []).is_ok());
        assert_eq!(
            fault(&format!("{here}proxy = \"http://proxy.test\"")),
            "FILE:3: proxy would be sent the password in clear: use an https URL of Chatwoot, or set allow_http = true"
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_its_key() {
        for (line, key, expected) in [
            ("timeout = \"soon\"", "timeout", "timeout must be a duration such as \"90s\" or \"2m\""),
            (
                "timeout = \"16m\"",
                "timeout",
                "timeout must be at most \"15m\": Postfix bounces what takes 1000 seconds",
            ),
            ("max_size = \"big\"", "max_size", "max_size must be a size such as \"64MiB\""),
            ("on_too_large = \"drop\"", "on_too_large", "on_too_large must be \"reject\" or \"defer\""),
            ("log = \"sislog\"", "log", "log must be \"syslog\", \"stderr\", \"off\" or a path"),
            (
                "log_level = \"loud\"",
                "log_level",
                "log_level must be \"error\", \"warn\", \"info\" or \"debug\"",
            ),
            (
                "service = \"sendmail\"",
                "service",
                "service must be \"relay\", \"sendgrid\", \"mailgun\", \"mandrill\" or \"postmark\"",
            ),
            (
                "service = \"ses\"",
                "service",
                "service is \"ses\", which Amazon alone can sign: set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay",
            ),
            (
                "service = \"mandrill\"\nsigning_key_file = \"/x\"\nsigning_key = \"hush\"",
                "signing_key",
                "signing_key and signing_key_file are both set: keep one",
            ),
            (
                "signing_key = \"\"\nservice = \"mandrill\"",
                "signing_key",
                "signing_key: the signing key is empty",
            ),
            ("proxy = \"socks5://x\"", "proxy", "proxy must be a URL that begins with https:// or http://"),
            ("inboxes = [\"support\"]", "inboxes", "inboxes must be a list of addresses in quotes"),
            ("password_file = \"/x\"", "password", "password and password_file are both set: keep one"),
            ("repair.misspelt = false", "repair", "unknown repair misspelt in [repair]"),
        ] {
            let sample = Sample::new(&format!("{GOOD}{line}"));
            let fault = loaded(&sample, []).unwrap_err();
            assert_eq!(fault.key, Some(key));
            let text = fault.to_string().replace(&sample.shown("ingress.toml"), "FILE");
            // Of two keys the one to take away is named, wherever it stands.
            let number = if line.contains("\nsigning_key = ") { 4 } else { 3 };
            assert_eq!(text, format!("FILE:{number}: {expected}"));
        }
        assert_eq!(
            fault(&format!("{GOOD}service = \"mailgun\"")),
            "signing_key is missing: service mailgun signs its requests with Chatwoot's MAILGUN_INGRESS_SIGNING_KEY: \
             set signing_key_file in FILE"
        );
        assert!(
            fault("password = \"hush\"")
                .starts_with("no URL of Chatwoot is set: set url in FILE, or INGRESS_URL")
        );
        assert!(fault("url = \"https://x\"").starts_with("no password is set"));
        assert_eq!(
            fault("url = \"https://u:hush@x\"\npassword = \"hush\""),
            "FILE:1: url must not hold a user or password: use password_file"
        );
        assert_eq!(
            fault("url = \"https://x/rails/action_mailbox/sendgrid/inbound_emails\""),
            "FILE:1: url is the endpoint of another service than the configured one"
        );
    }

    #[test]
    fn what_is_wrong_with_an_option_or_a_variable_is_told_by_its_name_alone() {
        let sample = Sample::new(GOOD);
        let options = SettingsOptions { url: Some("nonsense".to_owned()), ..sample.options() };
        let by_option = load(&options, &Environment::default()).settings.unwrap_err();
        assert_eq!(by_option.to_string(), "--url must be a URL such as \"https://chat.example.com\"");
        let by_variable = loaded(&sample, [("URL", "ftp://x")]).unwrap_err();
        assert_eq!(by_variable.to_string(), "URL must be a URL that begins with https:// or http://");
        assert_eq!((by_option.key, by_variable.key), (Some("url"), Some("url")));
    }

    #[test]
    fn the_log_is_known_even_when_the_rest_is_broken() {
        let sample = Sample::new("log = \"/tmp/x.log\"\nurl = \"nonsense\"");
        let (options, none) = (sample.options(), Environment::default());
        let loaded = load(&options, &none);
        assert_eq!(loaded.log.target, LogTarget::File("/tmp/x.log".into()));
        assert!(loaded.settings.is_err());
    }

    #[test]
    fn a_rehearsal_takes_from_a_file_what_is_about_messages() {
        let sample = Sample::new(
            "url = \"https://x\"\npassword_file = \"/nonexistent\"\nchatwoot_env = \"/nonexistent\"\nservice = \"mandrill\"\n\
             proxy = \"http://x\"\nmax_size = \"1KiB\"\ninboxes = [\"a@b\"]\n",
        );
        let file = sample.path("ingress.toml");
        let rehearsed =
            |environment| Settings::for_rehearsal("http://127.0.0.1:1", Some(&file), &environment).unwrap();
        let settings = rehearsed(Environment::default());
        assert_eq!(settings.endpoint.base().as_str(), "http://127.0.0.1:1/");
        assert_eq!((settings.endpoint.service().name(), settings.max_size), ("mandrill", 1024));
        assert_eq!((settings.network.proxy, settings.rules.chatwoot.inboxes.len()), (None, 1));
        let environment = Environment::from([("INGRESS_SERVICE", "relay"), ("INGRESS_PASSWORD_FILE", "/x")]);
        assert_eq!(rehearsed(environment).endpoint.service().name(), "relay");
    }
}
