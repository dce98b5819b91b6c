//! What proves to Chatwoot who sends: the password, or the key that signs.

use std::path::Path;

use super::file::File;
use super::secret::Kind;
use super::{ChatwootEnv, ConfigError};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::request::Secret;
use chatwoot_mail::service::Service;

/// One source of the password in each layer; the highest layer that names one decides.
pub(super) fn password(
    options: &SettingsOptions,
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
) -> Result<Secret, ConfigError> {
    if let Some(path) = &options.password_file {
        return Kind::Password.read_file(path);
    }
    match (environment.get("INGRESS_PASSWORD"), environment.get("INGRESS_PASSWORD_FILE")) {
        (Some(_), Some(_)) => {
            let both = ConfigError::new("INGRESS_PASSWORD and INGRESS_PASSWORD_FILE are both set");
            return Err(both.with_hint("keep one"));
        }
        (Some(password), None) => return Kind::Password.read_line(password, "INGRESS_PASSWORD"),
        (None, Some(path)) => return Kind::Password.read_file(Path::new(path)),
        (None, None) => {}
    }
    match (&file.password, &file.password_file) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::new("password and password_file are both set").with_hint("keep one"));
        }
        (Some(password), None) => return Kind::Password.read_line(password, "password"),
        (None, Some(path)) => return Kind::Password.read_file(path),
        (None, None) => {}
    }
    match chatwoot.get("RAILS_INBOUND_EMAIL_PASSWORD") {
        Some(password) => Kind::Password.read_line(password, "RAILS_INBOUND_EMAIL_PASSWORD"),
        None => Err(ConfigError::new("no password is set").with_hint(chatwoot.to_set(
            "RAILS_INBOUND_EMAIL_PASSWORD",
            format_args!("password_file in {}, or INGRESS_PASSWORD_FILE", file.place()),
        ))),
    }
}

/// The key that signs the requests; it is not looked for anywhere when the service asks for a password.
pub(super) fn signing_key(
    service: Service,
    file: &File,
    chatwoot: &ChatwootEnv,
) -> Result<Secret, ConfigError> {
    match (&file.signing_key, &file.signing_key_file) {
        (Some(_), Some(_)) => {
            return Err(
                ConfigError::new("signing_key and signing_key_file are both set").with_hint("keep one")
            );
        }
        (Some(key), None) => return Kind::SigningKey.read_line(key, "signing_key"),
        (None, Some(path)) => return Kind::SigningKey.read_file(path),
        (None, None) => {}
    }
    let (name, key) = match service {
        Service::Mandrill => ("MANDRILL_INGRESS_API_KEY", chatwoot.get("MANDRILL_INGRESS_API_KEY")),
        _ => ("MAILGUN_INGRESS_SIGNING_KEY", chatwoot.get("MAILGUN_INGRESS_SIGNING_KEY")),
    };
    match key {
        Some(key) => Kind::SigningKey.read_line(key, name),
        None => Err(ConfigError::new(format!(
            "signing_key is missing: service {} signs its requests with Chatwoot's {name}",
            service.name()
        ))
        .with_hint(chatwoot.to_set(name, format_args!("signing_key_file in {}", file.place())))),
    }
}
