//! The settings of a run: options over environment over file, judged once, before the network is touched.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::credentials::{password, signing_key};
use super::destination::endpoint;
use super::file::{self, File};
use super::value::{self, LogTarget, UserInfo, is_this_machine};
use super::{ChatwootEnv, ConfigError};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::address::{self, Address};
use chatwoot_mail::outcome::OnTooLarge;
use chatwoot_mail::repair::EnabledRepairs;
use chatwoot_mail::request::{Endpoint, Secret};
use chatwoot_mail::route::Chatwoot;
use chatwoot_mail::rules::Rules;
use chatwoot_mail::service::Proof;

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
    /// How messages are repaired, in which form they go, and where they end up.
    pub(crate) rules: Rules,
    /// What the administrator should know though it does not stop a delivery.
    pub(crate) notices: Vec<String>,
}

/// How the endpoint is reached.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// For the whole run, from start to exit.
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// A private certificate authority, PEM; none: the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<Url>,
}

/// Where the log goes and how much; known even when the rest of the settings is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub(crate) target: LogTarget,
    pub(crate) level: tracing::Level,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { target: LogTarget::default(), level: tracing::Level::INFO }
    }
}

/// The default of `timeout`: under getmail's 180 s, far under Postfix's 1000 s.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);
/// The longest `timeout`: Postfix kills and bounces after 1000 s (`command_time_limit`).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(900);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const MAX_SIZE: u64 = 64 << 20;

/// What was found out about the settings. A fault in one part does not hide where to log it.
pub(crate) struct Loaded {
    pub(crate) log: LogSettings,
    pub(crate) settings: Result<Settings, ConfigError>,
}

impl Settings {
    /// Settings for a delivery to `base` on this machine: what a file says about messages counts, and of what it says about Chatwoot the
    /// service.
    pub(crate) fn for_rehearsal(
        base: &str,
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let said = file.map(file::read).transpose()?.unwrap_or_default();
        let file = File {
            url: Some(base.to_owned()),
            service: environment.get("INGRESS_SERVICE").map(str::to_owned).or(said.service),
            password: Some("rehearsal".to_owned()),
            signing_key: Some("rehearsal".to_owned()),
            timeout: said.timeout,
            connect_timeout: said.connect_timeout,
            max_size: said.max_size,
            on_too_large: said.on_too_large,
            inboxes: said.inboxes,
            repair: said.repair,
            ..File::default()
        };
        judge(&SettingsOptions::default(), &Environment::default(), &file)
    }
}

/// Finds, reads and judges the settings.
pub(crate) fn load(options: &SettingsOptions, environment: &Environment) -> Loaded {
    let file = find(options, environment).and_then(|path| match path {
        Some(path) => file::read(&path),
        None => Ok(File::default()),
    });
    let said = file.as_ref().ok();
    let (log, log_fault) = log_settings(options, environment, said);
    let settings = match (file, log_fault) {
        (Err(fault), _) | (Ok(_), Some(fault)) => Err(fault),
        (Ok(file), None) => judge(options, environment, &file),
    };
    Loaded { log, settings }
}

/// The first of: `--config`, `$INGRESS_CONFIG`, `$XDG_CONFIG_HOME/ingress.toml`, `/etc/ingress.toml`. A named file is not looked for: it must be there.
///
/// A home that is not ours to enter (getmail with `user =` keeps root's HOME) counts as having no file.
pub(super) fn find(
    options: &SettingsOptions,
    environment: &Environment,
) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(path) =
        options.config.clone().or_else(|| environment.get("INGRESS_CONFIG").map(PathBuf::from))
    {
        return Ok(Some(path));
    }
    if let Some(path) = user_file(environment).filter(|path| path.metadata().is_ok()) {
        return Ok(Some(path));
    }
    let system = Path::new("/etc/ingress.toml");
    match system.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => Ok(Some(system.to_owned())),
    }
}

fn user_file(environment: &Environment) -> Option<PathBuf> {
    let home = || environment.get("HOME").map(|home| Path::new(home).join(".config"));
    let folder = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    folder.or_else(home).filter(|path| path.is_absolute()).map(|path| path.join("ingress.toml"))
}

fn log_settings(
    options: &SettingsOptions,
    environment: &Environment,
    file: Option<&File>,
) -> (LogSettings, Option<ConfigError>) {
    let mut settings = LogSettings::default();
    let mut fault = None;
    let from_file = file.and_then(|file| file.log.as_deref());
    let (said, origin) = match (options.log.as_deref(), environment.get("INGRESS_LOG"), from_file) {
        (Some(log), _, _) => (Some(log), "--log"),
        (None, Some(log), _) => (Some(log), "INGRESS_LOG"),
        (None, None, log) => (log, "log"),
    };
    match said.map(value::log_target) {
        Some(Ok(target)) => settings.target = target,
        Some(Err(complaint)) => fault = Some(ConfigError::new(format!("{origin} {complaint}"))),
        None => {}
    }
    match file.and_then(|file| file.log_level.as_deref()).map(value::log_level) {
        Some(Ok(level)) => settings.level = level,
        Some(Err(complaint)) => fault = Some(ConfigError::new(format!("log_level {complaint}"))),
        None => {}
    }
    if options.verbose {
        settings.level = tracing::Level::DEBUG;
    }
    (settings, fault)
}

fn judge(options: &SettingsOptions, environment: &Environment, file: &File) -> Result<Settings, ConfigError> {
    let chatwoot =
        chatwoot_env(environment, file).as_deref().map(ChatwootEnv::read).transpose()?.unwrap_or_default();
    let mut notices = Vec::new();
    let endpoint = endpoint(options, environment, file, &chatwoot, &mut notices)?;
    let network = network(file)?;
    let proxy_elsewhere = network.proxy.as_ref().is_some_and(|proxy| !is_this_machine(proxy));
    if endpoint.url().scheme() == "http" && proxy_elsewhere && file.allow_http != Some(true) {
        return Err(ConfigError::new("proxy would be sent the password in clear")
            .with_hint("use an https URL of Chatwoot, or set allow_http = true"));
    }
    let secret = match endpoint.service().proof() {
        Proof::Password => password(options, environment, file, &chatwoot)?,
        Proof::Signature => signing_key(endpoint.service(), file, &chatwoot)?,
    };
    let rules = Rules {
        service: endpoint.service(),
        repairs: enabled(file)?,
        chatwoot: known(file, &chatwoot)?,
        ..Rules::default()
    };
    Ok(Settings {
        endpoint,
        secret,
        network,
        max_size: parsed("max_size", file.max_size.as_deref(), value::size)?.unwrap_or(MAX_SIZE),
        on_too_large: on_too_large(file.on_too_large.as_deref())?,
        rules,
        notices,
    })
}

pub(super) fn enabled(file: &File) -> Result<EnabledRepairs, ConfigError> {
    EnabledRepairs::new(&file.repair)
        .map_err(|name| ConfigError::new(format!("unknown repair {name} in [repair]")))
}

/// What the settings say about Chatwoot itself.
pub(super) fn known(file: &File, chatwoot: &ChatwootEnv) -> Result<Chatwoot, ConfigError> {
    let inboxes = file.inboxes.iter().flatten().map(|text| {
        Address::parse(text).ok_or_else(|| ConfigError::new("inboxes must be a list of addresses in quotes"))
    });
    let own = chatwoot.get("MAILER_SENDER_EMAIL").map(|text| address::read(text.as_bytes()).mailboxes);
    Ok(Chatwoot {
        inboxes: inboxes.collect::<Result<_, _>>()?,
        own_sender: own.and_then(|mailboxes| mailboxes.into_iter().next()).map(|mailbox| mailbox.address),
    })
}

pub(super) fn chatwoot_env(environment: &Environment, file: &File) -> Option<PathBuf> {
    environment.get("INGRESS_CHATWOOT_ENV").map(PathBuf::from).or_else(|| file.chatwoot_env.clone())
}

pub(super) fn parsed<T>(
    key: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, ConfigError> {
    text.map(parse).transpose().map_err(|complaint| ConfigError::new(format!("{key} {complaint}")))
}

fn network(file: &File) -> Result<Network, ConfigError> {
    let timeout = parsed("timeout", file.timeout.as_deref(), value::duration)?.unwrap_or(TIMEOUT);
    if timeout > LONGEST_TIMEOUT {
        return Err(ConfigError::new(
            "timeout must be at most \"15m\": Postfix bounces what takes 1000 seconds",
        ));
    }
    let connect = parsed("connect_timeout", file.connect_timeout.as_deref(), value::duration)?
        .unwrap_or(CONNECT_TIMEOUT);
    let proxy = parsed("proxy", file.proxy.as_deref(), |text| value::web_url(text, UserInfo::Allowed))?;
    Ok(Network { timeout, connect_timeout: connect.min(timeout), ca_file: file.ca_file.clone(), proxy })
}

fn on_too_large(said: Option<&str>) -> Result<OnTooLarge, ConfigError> {
    match said {
        None | Some("reject") => Ok(OnTooLarge::Reject),
        Some("defer") => Ok(OnTooLarge::Defer),
        Some(_) => Err(ConfigError::new("on_too_large must be \"reject\" or \"defer\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn written(name: &str, text: &str, folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn loaded<const N: usize>(file: &str, environment: [(&str, &str); N]) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let options = SettingsOptions {
            config: Some(written("ingress.toml", file, &folder)),
            ..SettingsOptions::default()
        };
        load(&options, &Environment::from(environment)).settings
    }

    fn fault(file: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = written("ingress.toml", file, &folder);
        let shown = path.display().to_string();
        let options = SettingsOptions { config: Some(path), ..SettingsOptions::default() };
        let text = load(&options, &Environment::default()).settings.unwrap_err().to_string();
        let text = text.replace(&shown, "FILE");
        assert!(!text.contains("hush"), "{text}");
        text
    }

    #[test]
    fn options_go_over_environment_over_file() {
        let file = "url = \"https://file\"\npassword = \"hush\"";
        let url = |settings: Settings| settings.endpoint.url().host_str().unwrap().to_owned();
        assert_eq!(url(loaded(file, []).unwrap()), "file");
        assert_eq!(url(loaded(file, [("URL", "https://rails")]).unwrap()), "rails");
        assert_eq!(
            url(loaded(file, [("URL", "https://rails"), ("INGRESS_URL", "https://own")]).unwrap()),
            "own"
        );
        assert_eq!(url(loaded(file, [("INGRESS_URL", "")]).unwrap()), "file");
    }

    #[test]
    fn the_environment_alone_is_enough() {
        let options = SettingsOptions::default();
        let environment = Environment::from([("URL", "https://rails"), ("INGRESS_PASSWORD", "hush")]);
        let settings = load(&options, &environment).settings.unwrap();
        assert_eq!(settings.secret.reveal(), "hush");
        assert_eq!(settings.network.timeout, Duration::from_secs(120));
        assert_eq!(settings.max_size, 64 << 20);
    }

    #[test]
    fn chatwoot_s_own_env_fills_what_is_not_set_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let env = "FRONTEND_URL=http://0.0.0.0:3000\nRAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD=hush\n";
        let env = written(".env", env, &folder);
        let line = format!("chatwoot_env = \"{}\"", env.display());
        let settings = loaded(&line, []).unwrap();
        assert_eq!(
            settings.endpoint.url().as_str(),
            "http://0.0.0.0:3000/rails/action_mailbox/relay/inbound_emails"
        );
        assert_eq!(settings.secret.reveal(), "hush");
        let settings = loaded(&format!("{line}\npassword = \"own\""), []).unwrap();
        assert_eq!(settings.secret.reveal(), "own");
    }

    #[test]
    fn what_is_missing_is_to_be_set_where_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let env = written(".env", "RAILS_INBOUND_EMAIL_SERVICE=relay\n", &folder);
        let line = format!("chatwoot_env = \"{}\"", env.display());
        let of = |more: &str| fault(&format!("{line}\n{more}")).replace(&env.display().to_string(), "ENV");
        assert_eq!(
            of(""),
            "no URL of Chatwoot is set: set FRONTEND_URL in ENV, or url in FILE, or INGRESS_URL"
        );
        assert_eq!(
            of("url = \"https://x\""),
            "no password is set: set RAILS_INBOUND_EMAIL_PASSWORD in ENV, or password_file in FILE, or INGRESS_PASSWORD_FILE"
        );
        assert!(
            of("url = \"https://x\"\nservice = \"mandrill\"")
                .ends_with(": set MANDRILL_INGRESS_API_KEY in ENV, or signing_key_file in FILE")
        );
        let environment = Environment::from([("INGRESS_URL", "https://x")]);
        assert_eq!(
            judge(&SettingsOptions::default(), &environment, &File::default()).unwrap_err().to_string(),
            "no password is set: set password_file in /etc/ingress.toml, or INGRESS_PASSWORD_FILE"
        );
    }

    #[test]
    fn a_service_that_signs_takes_its_key_and_wants_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let env = "FRONTEND_URL=https://x\nRAILS_INBOUND_EMAIL_SERVICE=mailgun\nMAILGUN_INGRESS_SIGNING_KEY=hush\n\
                   MANDRILL_INGRESS_API_KEY=other\n";
        let line = format!("chatwoot_env = \"{}\"", written(".env", env, &folder).display());
        let secret = |more: &str| loaded(&format!("{line}\n{more}"), []).unwrap().secret.reveal().to_owned();
        assert_eq!(secret(""), "hush");
        assert_eq!(secret("service = \"mandrill\""), "other");
        assert_eq!(secret("signing_key = \"own\""), "own");
        let file = written("key", "kept\n", &folder);
        assert_eq!(secret(&format!("signing_key_file = \"{}\"", file.display())), "kept");
    }

    #[test]
    fn an_env_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let env = written(".env", "RAILS_INBOUND_EMAIL_PASSWORD=hush\n", &folder);
        std::fs::set_permissions(&env, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(fault(&format!("chatwoot_env = \"{}\"", env.display())).contains("others can read it"));
    }

    #[test]
    fn a_named_file_must_exist() {
        let options = SettingsOptions {
            config: Some("/nonexistent/ingress.toml".into()),
            ..SettingsOptions::default()
        };
        let text = load(&options, &Environment::default()).settings.unwrap_err().to_string();
        assert_eq!(text, "cannot read /nonexistent/ingress.toml: no such file or directory");
    }

    #[test]
    fn a_password_never_travels_in_clear_to_another_machine() {
        let file = "url = \"http://chat.example.com\"\npassword = \"hush\"";
        assert!(fault(file).contains("in clear"));
        assert!(loaded(&format!("{file}\nallow_http = true"), []).is_ok());
        assert!(loaded("url = \"http://127.0.0.1:3000\"\npassword = \"hush\"", []).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        let base = "url = \"https://x\"\npassword = \"hush\"\n";
        for (line, expected) in [
            ("timeout = \"soon\"", "timeout must be a duration such as \"90s\" or \"2m\""),
            ("timeout = \"16m\"", "timeout must be at most \"15m\": Postfix bounces what takes 1000 seconds"),
            ("max_size = \"big\"", "max_size must be a size such as \"64MiB\""),
            ("on_too_large = \"drop\"", "on_too_large must be \"reject\" or \"defer\""),
            ("log = \"sislog\"", "log must be \"syslog\", \"stderr\", \"off\" or a path"),
            ("log_level = \"loud\"", "log_level must be \"error\", \"warn\", \"info\" or \"debug\""),
            (
                "service = \"sendmail\"",
                "service must be \"relay\", \"sendgrid\", \"mailgun\", \"mandrill\" or \"postmark\"",
            ),
            (
                "service = \"ses\"",
                "service is \"ses\", which Amazon alone can sign: set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay",
            ),
            (
                "service = \"mailgun\"",
                "signing_key is missing: service mailgun signs its requests with Chatwoot's MAILGUN_INGRESS_SIGNING_KEY: set signing_key_file in FILE",
            ),
            (
                "service = \"mandrill\"\nsigning_key = \"hush\"\nsigning_key_file = \"/x\"",
                "signing_key and signing_key_file are both set: keep one",
            ),
            ("service = \"mandrill\"\nsigning_key = \"\"", "signing_key: the signing key is empty"),
            ("proxy = \"socks5://x\"", "proxy must be a URL that begins with https:// or http://"),
            ("inboxes = [\"support\"]", "inboxes must be a list of addresses in quotes"),
            ("password_file = \"/x\"", "password and password_file are both set: keep one"),
            ("[repair]\nmisspelt = false", "unknown repair misspelt in [repair]"),
        ] {
            assert_eq!(fault(&format!("{base}{line}")), expected);
        }
        assert!(fault("password = \"hush\"").starts_with("no URL of Chatwoot is set"));
        assert!(fault("url = \"https://x\"").starts_with("no password is set"));
        assert_eq!(
            fault("url = \"https://u:hush@x\"\npassword = \"hush\""),
            "url must not hold a user or password: use password_file"
        );
    }

    #[test]
    fn the_log_is_known_even_when_the_rest_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let config = written("ingress.toml", "log = \"/tmp/x.log\"\nurl = \"nonsense\"", &folder);
        let loaded = load(
            &SettingsOptions { config: Some(config), ..SettingsOptions::default() },
            &Environment::default(),
        );
        assert_eq!(loaded.log.target, LogTarget::File("/tmp/x.log".into()));
        assert!(loaded.settings.is_err());
    }
}
