//! What proves to Chatwoot who sends: the password, or the key that signs.

use std::path::PathBuf;

use super::secret::Kind;
use super::table::{Setting, setting};
use super::{ConfigError, Origin, Sources};
use chatwoot_mail::request::Secret;
use chatwoot_mail::service::{Proof, Service};

/// Where the password stands, or the key that signs: what the service wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialSource {
    /// `password` or `signing_key`.
    pub(crate) key: &'static str,
    /// The file that holds it; none when a variable of the environment does.
    pub(crate) file: Option<PathBuf>,
    /// Who says it, or names the file.
    pub(crate) origin: Origin,
}

/// What the service wants, and the two settings that can give it: itself, or a file that holds it.
fn wanted(service: Service) -> (Kind, &'static Setting, &'static Setting) {
    match service.proof() {
        Proof::Password => {
            (Kind::Password, const { setting("password") }, const { setting("password_file") })
        }
        Proof::Signature => {
            (Kind::SigningKey, const { setting("signing_key") }, const { setting("signing_key_file") })
        }
    }
}

/// The secret that the service wants. The highest layer that says one decides; what the service does not want is looked for nowhere.
pub(super) fn secret(service: Service, sources: &Sources<'_>) -> Result<Secret, ConfigError> {
    let (kind, itself, in_file) = wanted(service);
    if let Some(secret) = either_secret(kind, itself, in_file, sources)? {
        return Ok(secret);
    }
    let found = sources.resolve_in_chatwoot_env(service.variable());
    match found.and_then(|said| Some((said.text()?, said))) {
        Some((text, said)) => kind.read_line(text, said.name(), || sources.origin(&said)),
        None => Err(missing(kind, service, in_file, sources)),
    }
}

/// The secret that one of two settings gives: itself, or a file that holds it.
pub(super) fn either_secret(
    kind: Kind,
    itself: &'static Setting,
    in_file: &'static Setting,
    sources: &Sources<'_>,
) -> Result<Option<Secret>, ConfigError> {
    let Some((setting, said)) = sources.resolve_either(itself, in_file)? else { return Ok(None) };
    if setting.key == in_file.key {
        return said.path().map(|path| kind.read_file(path)).transpose();
    }
    said.text().map(|text| kind.read_line(text, said.name(), || sources.origin(&said))).transpose()
}

fn missing(kind: Kind, service: Service, in_file: &Setting, sources: &Sources<'_>) -> ConfigError {
    let variable = service.variable();
    let what = match service.proof() {
        Proof::Password => "no password is set".to_owned(),
        Proof::Signature => format!(
            "signing_key is missing: service {} signs its requests with Chatwoot's {variable}",
            service.name()
        ),
    };
    ConfigError::of(kind.key(), what).with_hint(sources.to_set(variable, in_file))
}

impl Sources<'_> {
    /// Where the secret that the service wants stands; nothing when it stands nowhere, or twice at one place.
    pub(crate) fn credential_source(&self) -> Option<CredentialSource> {
        let service = super::destination::service(self).unwrap_or_default();
        let (kind, itself, in_file) = wanted(service);
        let own = self.resolve_either(itself, in_file).ok()?;
        let is_named = own.is_some_and(|(setting, _)| setting.key == in_file.key);
        let said = own.map(|(_, said)| said).or_else(|| self.resolve_in_chatwoot_env(service.variable()))?;
        let origin = self.origin(&said);
        let file = if is_named { said.path().map(Into::into) } else { origin.file().map(Into::into) };
        Some(CredentialSource { key: kind.key(), file, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::cli::SettingsOptions;
    use chatwoot_mail::environment::Environment;

    /// The secret in force, and where it is said to come from.
    fn both(
        service: Service,
        options: &SettingsOptions,
        environment: &Environment,
    ) -> (String, CredentialSource) {
        let sources = Sources::read(options, environment);
        let secret = secret(service, &sources).unwrap().reveal().to_owned();
        (secret, sources.credential_source().unwrap())
    }

    /// The place that is named is the place whose value is in force, in every layer.
    #[test]
    fn the_highest_layer_that_says_a_password_decides() {
        let sample = Sample::new("");
        sample.write("option", "by option\n");
        sample.write("variable", "by variable's file\n");
        sample.write("file", "by file's file\n");
        sample.write(".env", "\nRAILS_INBOUND_EMAIL_PASSWORD='by env'\n");
        let env = format!("chatwoot_env = \"{}\"\n", sample.shown(".env"));
        let option = SettingsOptions { password_file: Some(sample.path("option")), ..sample.options() };
        let shown = sample.shown("variable");
        let none = Environment::default();
        let variable = Environment::from([("INGRESS_PASSWORD", "by variable")]);
        let variable_file = Environment::from([("INGRESS_PASSWORD_FILE", shown.as_str())]);
        let of_file = |key, line| Origin::File { key: Some(key), path: sample.path("ingress.toml"), line };
        let of_env = Origin::ChatwootEnv {
            variable: "RAILS_INBOUND_EMAIL_PASSWORD",
            path: sample.path(".env"),
            line: 2,
        };
        let password = "password = \"by file\"".to_owned();
        let password_file = format!("password_file = \"{}\"", sample.shown("file"));
        for (text, options, environment, secret, file, origin) in [
            (&password, &option, &variable, "by option", Some("option"), Origin::Option("--password-file")),
            (
                &password,
                &sample.options(),
                &variable,
                "by variable",
                None,
                Origin::Variable("INGRESS_PASSWORD"),
            ),
            (
                &password,
                &sample.options(),
                &variable_file,
                "by variable's file",
                Some("variable"),
                Origin::Variable("INGRESS_PASSWORD_FILE"),
            ),
            (
                &password,
                &sample.options(),
                &none,
                "by file",
                Some("ingress.toml"),
                of_file("password", Some(2)),
            ),
            (
                &password_file,
                &sample.options(),
                &none,
                "by file's file",
                Some("file"),
                of_file("password_file", Some(2)),
            ),
            (&String::new(), &sample.options(), &none, "by env", Some(".env"), of_env),
        ] {
            sample.write("ingress.toml", &format!("{env}{text}"));
            let source =
                CredentialSource { key: "password", file: file.map(|name| sample.path(name)), origin };
            assert_eq!(both(Service::Relay, options, environment), (secret.to_owned(), source));
        }
    }

    #[test]
    fn a_service_that_signs_takes_its_own_key_and_no_password() {
        let sample = Sample::new("");
        let env = "MAILGUN_INGRESS_SIGNING_KEY=mailgun's\nMANDRILL_INGRESS_API_KEY=mandrill's\n\
                   RAILS_INBOUND_EMAIL_PASSWORD=other\n";
        sample.write(".env", env);
        sample.write("key", "kept\n");
        let key_file = format!("signing_key_file = \"{}\"", sample.shown("key"));
        for (service, more, secret, file) in [
            (Service::Mailgun, "password = \"x\"", "mailgun's", ".env"),
            (Service::Mandrill, "", "mandrill's", ".env"),
            (Service::Mandrill, "signing_key = \"own\"", "own", "ingress.toml"),
            (Service::Mailgun, &key_file, "kept", "key"),
        ] {
            let lines = format!(
                "chatwoot_env = \"{}\"\nservice = \"{}\"\n{more}",
                sample.shown(".env"),
                service.name()
            );
            sample.write("ingress.toml", &lines);
            let (found, source) = both(service, &sample.options(), &Environment::default());
            assert_eq!((found.as_str(), source.key), (secret, "signing_key"));
            assert_eq!(source.file, Some(sample.path(file)));
        }
    }

    #[test]
    fn what_is_missing_is_to_be_set_where_it_is_read() {
        let sample = Sample::new("");
        sample.write(".env", "RAILS_INBOUND_EMAIL_SERVICE=relay\n");
        sample.write("with-env.toml", &format!("chatwoot_env = \"{}\"", sample.shown(".env")));
        let with_env =
            SettingsOptions { config: Some(sample.path("with-env.toml")), ..SettingsOptions::default() };
        let none = Environment::default();
        let fault = |service, options: &SettingsOptions| {
            let fault = secret(service, &Sources::read(options, &none)).unwrap_err();
            assert_eq!(fault.origin, None);
            (fault.key.unwrap(), fault.to_string().replace(&sample.shown(""), ""))
        };
        assert_eq!(
            fault(Service::Relay, &with_env),
            (
                "password",
                "no password is set: set RAILS_INBOUND_EMAIL_PASSWORD in .env, or password_file in with-env.toml, \
                 or INGRESS_PASSWORD_FILE"
                    .to_owned()
            )
        );
        let (key, text) = fault(Service::Mandrill, &with_env);
        assert_eq!(key, "signing_key");
        assert!(
            text.ends_with(": set MANDRILL_INGRESS_API_KEY in .env, or signing_key_file in with-env.toml")
        );
        assert_eq!(
            fault(Service::Relay, &sample.options()).1,
            "no password is set: set password_file in ingress.toml, or INGRESS_PASSWORD_FILE"
        );
    }

    #[test]
    fn a_password_that_is_none_is_told_with_its_place() {
        let sample = Sample::new("password = \"\"");
        let none = Environment::default();
        let options = sample.options();
        let fault = secret(Service::Relay, &Sources::read(&options, &none)).unwrap_err();
        let origin = Origin::File { key: Some("password"), path: sample.path("ingress.toml"), line: Some(1) };
        assert_eq!((fault.key, fault.origin.as_ref()), (Some("password"), Some(&origin)));
        let shown = sample.shown("ingress.toml");
        assert_eq!(fault.to_string(), format!("{shown}:1: password: the password is empty"));
    }
}
