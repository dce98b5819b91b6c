//! Every setting there is: its key, the other places that can set it, its default. Pure data: the resolver, `check` and the test of the
//! manual all go by it.

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name in `ingress.toml`.
    pub(crate) key: &'static str,
    pub(crate) option: Option<&'static str>,
    /// Environment variables; an earlier one goes before a later one.
    pub(crate) variables: &'static [&'static str],
    /// Variables of Chatwoot's `.env`. Of several, the service decides which counts.
    pub(crate) chatwoot_variables: &'static [&'static str],
    /// As it would be written in the file.
    pub(crate) default: Option<&'static str>,
    pub(crate) form: SettingForm,
}

/// What the file may say for a setting. Option and variables can only say text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingForm {
    Text,
    /// Text that nobody may see.
    Secret,
    /// Path of a file that holds a secret.
    SecretFile,
    /// A URL that may hold `user:password@`.
    UrlWithLogin,
    Switch,
    Addresses,
    Repairs,
}

impl SettingForm {
    /// What to say when the file says something else.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::Secret | Self::SecretFile | Self::UrlWithLogin => "must be text in quotes",
            Self::Switch => "must be true or false",
            Self::Addresses => "must be a list of addresses in quotes",
            Self::Repairs => "must be a table of repairs set to true or false",
        }
    }

    /// Whether the value is, or names, what proves to Chatwoot who sends.
    pub(crate) fn is_credential(self) -> bool {
        matches!(self, Self::Secret | Self::SecretFile)
    }
}

/// A setting that the file alone can set.
const IN_FILE: Setting = Setting {
    key: "",
    option: None,
    variables: &[],
    chatwoot_variables: &[],
    default: None,
    form: SettingForm::Text,
};

/// Every setting, in the order of the manual.
pub(crate) static SETTINGS: [Setting; 22] = [
    Setting {
        key: "url",
        option: Some("--url"),
        variables: &["INGRESS_URL", "URL"],
        chatwoot_variables: &["FRONTEND_URL"],
        ..IN_FILE
    },
    Setting {
        key: "service",
        variables: &["INGRESS_SERVICE"],
        chatwoot_variables: &["RAILS_INBOUND_EMAIL_SERVICE"],
        default: Some("relay"),
        ..IN_FILE
    },
    Setting {
        key: "password_file",
        option: Some("--password-file"),
        variables: &["INGRESS_PASSWORD_FILE"],
        form: SettingForm::SecretFile,
        ..IN_FILE
    },
    Setting {
        key: "password",
        variables: &["INGRESS_PASSWORD"],
        chatwoot_variables: &["RAILS_INBOUND_EMAIL_PASSWORD"],
        form: SettingForm::Secret,
        ..IN_FILE
    },
    Setting { key: "signing_key_file", form: SettingForm::SecretFile, ..IN_FILE },
    Setting {
        key: "signing_key",
        chatwoot_variables: &["MAILGUN_INGRESS_SIGNING_KEY", "MANDRILL_INGRESS_API_KEY"],
        form: SettingForm::Secret,
        ..IN_FILE
    },
    Setting { key: "chatwoot_env", variables: &["INGRESS_CHATWOOT_ENV"], ..IN_FILE },
    Setting { key: "timeout", default: Some("2m"), ..IN_FILE },
    Setting { key: "connect_timeout", default: Some("10s"), ..IN_FILE },
    Setting { key: "max_size", default: Some("64MiB"), ..IN_FILE },
    Setting { key: "max_attachment", default: Some("40MiB"), ..IN_FILE },
    Setting { key: "on_too_large", default: Some("reject"), ..IN_FILE },
    Setting { key: "ca_file", ..IN_FILE },
    Setting { key: "proxy", form: SettingForm::UrlWithLogin, ..IN_FILE },
    Setting { key: "allow_http", default: Some("false"), form: SettingForm::Switch, ..IN_FILE },
    Setting {
        key: "state_dir",
        variables: &["INGRESS_STATE_DIR"],
        default: Some("/var/lib/ingress"),
        ..IN_FILE
    },
    Setting { key: "api_token_file", form: SettingForm::SecretFile, ..IN_FILE },
    Setting { key: "api_token", form: SettingForm::Secret, ..IN_FILE },
    Setting { key: "inboxes", form: SettingForm::Addresses, ..IN_FILE },
    Setting {
        key: "log",
        option: Some("--log"),
        variables: &["INGRESS_LOG"],
        default: Some("syslog"),
        ..IN_FILE
    },
    Setting { key: "log_level", option: Some("--verbose"), default: Some("info"), ..IN_FILE },
    Setting { key: "repair", form: SettingForm::Repairs, ..IN_FILE },
];

/// Variable of Chatwoot's `.env` that is read beside those that set something: Chatwoot drops mail from its own address.
pub(crate) const CHATWOOT_SENDER: &str = "MAILER_SENDER_EMAIL";

/// Environment variables that are read beside those that set something: where the file is, whom the system trusts, whether colours are wanted.
pub(crate) const OTHER_VARIABLES: [&str; 5] =
    ["INGRESS_CONFIG", "XDG_CONFIG_HOME", "HOME", "SSL_CERT_FILE", "NO_COLOR"];

/// Whether an environment variable sets something, or is read beside those that do.
pub(crate) fn is_variable(name: &str) -> bool {
    OTHER_VARIABLES.contains(&name) || SETTINGS.iter().any(|setting| setting.variables.contains(&name))
}

/// The setting with this key. Called in `const { }`, so that a key that is not in the table does not compile.
#[expect(clippy::panic, reason = "while compiling")]
pub(crate) const fn setting(key: &str) -> &'static Setting {
    let mut rest: &'static [Setting] = &SETTINGS;
    while let [first, others @ ..] = rest {
        if is_same(first.key.as_bytes(), key.as_bytes()) {
            return first;
        }
        rest = others;
    }
    panic!("no setting has this key")
}

/// `==`, which cannot be called while compiling.
const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}
