//! What proves to Chatwoot who sends: the password, or the key that signs.

use std::path::Path;

use super::file::File;
use super::{ChatwootEnv, Fault, Secret};
use crate::cli::Options;
use crate::endpoint::Service;
use crate::environment::Environment;

/// One source of the password in each layer; the highest layer that names one decides.
pub(super) fn password(
    options: &Options,
    environment: &Environment,
    file: &File,
    chatwoot: &ChatwootEnv,
) -> Result<Secret, Fault> {
    if let Some(path) = &options.password_file {
        return Secret::from_file(path);
    }
    match (environment.get("INGRESS_PASSWORD"), environment.get("INGRESS_PASSWORD_FILE")) {
        (Some(_), Some(_)) => {
            let both = Fault::new("INGRESS_PASSWORD and INGRESS_PASSWORD_FILE are both set");
            return Err(both.mended_by("keep one"));
        }
        (Some(password), None) => return Secret::from_line(password, "INGRESS_PASSWORD"),
        (None, Some(path)) => return Secret::from_file(Path::new(path)),
        (None, None) => {}
    }
    match (&file.password, &file.password_file) {
        (Some(_), Some(_)) => {
            return Err(Fault::new("password and password_file are both set").mended_by("keep one"));
        }
        (Some(password), None) => return Secret::from_line(password, "password"),
        (None, Some(path)) => return Secret::from_file(path),
        (None, None) => {}
    }
    match chatwoot.get("RAILS_INBOUND_EMAIL_PASSWORD") {
        Some(password) => Secret::from_line(password, "RAILS_INBOUND_EMAIL_PASSWORD"),
        None => Err(Fault::new("no password is set").mended_by(chatwoot.to_set(
            "RAILS_INBOUND_EMAIL_PASSWORD",
            format_args!("password_file in {}, or INGRESS_PASSWORD_FILE", file.place()),
        ))),
    }
}

/// The key that signs the requests; it is not looked for anywhere when the service asks for a password.
pub(super) fn signing_key(service: Service, file: &File, chatwoot: &ChatwootEnv) -> Result<Secret, Fault> {
    match (&file.signing_key, &file.signing_key_file) {
        (Some(_), Some(_)) => {
            return Err(Fault::new("signing_key and signing_key_file are both set").mended_by("keep one"));
        }
        (Some(key), None) => return Secret::key_from_line(key, "signing_key"),
        (None, Some(path)) => return Secret::key_from_file(path),
        (None, None) => {}
    }
    let (name, key) = match service {
        Service::Mandrill => ("MANDRILL_INGRESS_API_KEY", chatwoot.get("MANDRILL_INGRESS_API_KEY")),
        _ => ("MAILGUN_INGRESS_SIGNING_KEY", chatwoot.get("MAILGUN_INGRESS_SIGNING_KEY")),
    };
    match key {
        Some(key) => Secret::key_from_line(key, name),
        None => Err(Fault::new(format!(
            "signing_key is missing: service {} signs its requests with Chatwoot's {name}",
            service.name()
        ))
        .mended_by(chatwoot.to_set(name, format_args!("signing_key_file in {}", file.place())))),
    }
}
