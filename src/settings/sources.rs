//! The resolver: the places that can set something, each read once, and the one ladder of precedence that finds a value with its origin.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::file::{FileValue, SettingsFile};
use super::locate::{ConfigFile, SYSTEM_FILE, locate};
use super::table::{Setting, setting};
use super::{ChatwootEnv, ConfigError, Origin};
use crate::cli::SettingsOptions;
use crate::similar::did_you_mean;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::repair::REPAIRS;

/// The places that can set something. What cannot be read says nothing; why not is kept.
pub(crate) struct Sources<'a> {
    options: &'a SettingsOptions,
    environment: &'a Environment,
    config: Option<ConfigFile>,
    file: SettingsFile,
    file_fault: Option<ConfigError>,
    chatwoot: ChatwootEnv,
    chatwoot_fault: Option<ConfigError>,
}

/// What a place says, and which place that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved<'a> {
    pub(super) value: Value<'a>,
    place: FoundIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(&'a OsStr),
    Switch(bool),
    Addresses(&'a [String]),
    Repairs(&'a BTreeMap<String, bool>),
}

/// An [`Origin`] that costs nothing: paths and lines are looked up for those who ask.
#[derive(Clone, Copy, Debug)]
enum FoundIn {
    Option(&'static str),
    Variable(&'static str),
    File { key: &'static str, position: usize },
    ChatwootEnv(&'static str),
}

impl<'a> Sources<'a> {
    /// Finds and reads the configuration file, and Chatwoot's `.env` when something names it.
    pub(crate) fn read(options: &'a SettingsOptions, environment: &'a Environment) -> Self {
        let config = locate(options, environment);
        let read = config
            .as_ref()
            .map_or_else(|| Ok(SettingsFile::default()), |config| SettingsFile::read(&config.path));
        let (file, file_fault) = or_fault(read);
        let sources = Self { config, file_fault, ..Self::of(options, environment, file) };
        let path = sources.path(const { setting("chatwoot_env") });
        let (chatwoot, chatwoot_fault) =
            or_fault(path.map_or_else(|| Ok(ChatwootEnv::default()), ChatwootEnv::read));
        Self { chatwoot, chatwoot_fault, ..sources }
    }

    /// Options, environment, and a file that was read already.
    pub(super) fn of(options: &'a SettingsOptions, environment: &'a Environment, file: SettingsFile) -> Self {
        Self {
            options,
            environment,
            config: None,
            file,
            file_fault: None,
            chatwoot: ChatwootEnv::default(),
            chatwoot_fault: None,
        }
    }

    /// The configuration file, there or not.
    pub(crate) fn config(&self) -> Option<&ConfigFile> {
        self.config.as_ref()
    }

    /// Why the configuration file says nothing.
    pub(crate) fn file_fault(&self) -> Option<&ConfigError> {
        self.file_fault.as_ref()
    }

    /// Chatwoot's `.env`; empty when it is not named or cannot be read.
    pub(crate) fn chatwoot(&self) -> &ChatwootEnv {
        &self.chatwoot
    }

    /// Why Chatwoot's `.env` says nothing.
    pub(super) fn chatwoot_fault(&self) -> Option<&ConfigError> {
        self.chatwoot_fault.as_ref()
    }

    /// How to set what nobody says: in Chatwoot's `.env` when there is one, else in the file that is read, or in the environment.
    pub(super) fn to_set(&self, chatwoot_variable: &str, setting: &Setting) -> String {
        let in_env = self
            .chatwoot
            .path()
            .map(|path| format!("{chatwoot_variable} in {}, or ", path.display()))
            .unwrap_or_default();
        let variable = setting.variables.first().map(|name| format!(", or {name}")).unwrap_or_default();
        format!("set {in_env}{}{variable}", self.in_file_that_is_read(setting))
    }

    /// `api_token in /etc/ingress.toml`
    pub(super) fn in_file_that_is_read(&self, setting: &Setting) -> String {
        let file = self.config.as_ref().map_or(Path::new(SYSTEM_FILE), |config| &config.path);
        format!("{} in {}", setting.key, file.display())
    }

    /// The first that anybody says about a setting: this is the order of precedence.
    pub(super) fn resolve(&self, setting: &'static Setting) -> Option<Resolved<'_>> {
        self.in_options(setting)
            .or_else(|| self.in_environment(setting))
            .or_else(|| self.in_file(setting))
            .or_else(|| self.in_chatwoot_env(setting))
    }

    /// The first place that says one of two settings, which must not both be said there. Chatwoot's `.env` is not asked.
    pub(super) fn resolve_either(
        &self,
        one: &'static Setting,
        other: &'static Setting,
    ) -> Result<Option<(&'static Setting, Resolved<'_>)>, ConfigError> {
        for place in [Self::in_options, Self::in_environment, Self::in_file] {
            match (place(self, one), place(self, other)) {
                (Some(first), Some(second)) => return Err(self.both_set(one, &first, &second)),
                (Some(resolved), None) => return Ok(Some((one, resolved))),
                (None, Some(resolved)) => return Ok(Some((other, resolved))),
                (None, None) => {}
            }
        }
        Ok(None)
    }

    fn both_set(&self, setting: &'static Setting, one: &Resolved<'_>, other: &Resolved<'_>) -> ConfigError {
        let what = format!("{} and {} are both set", one.name(), other.name());
        ConfigError::of(setting.key, what).at(self.origin(other)).with_hint("keep one")
    }

    fn in_options(&self, setting: &'static Setting) -> Option<Resolved<'_>> {
        let option = setting.option?;
        let value = Value::Text(option_value(self.options, option)?);
        Some(Resolved { value, place: FoundIn::Option(option) })
    }

    fn in_environment(&self, setting: &'static Setting) -> Option<Resolved<'_>> {
        setting.variables.iter().find_map(|variable| {
            let value = Value::Text(self.environment.get(variable)?.as_ref());
            Some(Resolved { value, place: FoundIn::Variable(variable) })
        })
    }

    fn in_file(&self, setting: &'static Setting) -> Option<Resolved<'_>> {
        let entry = self.file.entry(setting)?;
        let place = FoundIn::File { key: setting.key, position: entry.position };
        Some(Resolved { value: entry.value.borrowed(), place })
    }

    fn in_chatwoot_env(&self, setting: &'static Setting) -> Option<Resolved<'_>> {
        setting.chatwoot_variables.iter().find_map(|variable| self.resolve_in_chatwoot_env(variable))
    }

    /// What Chatwoot's `.env` says.
    pub(super) fn resolve_in_chatwoot_env(&self, variable: &'static str) -> Option<Resolved<'_>> {
        let text = self.chatwoot.get(variable)?;
        Some(Resolved { value: Value::Text(text.as_ref()), place: FoundIn::ChatwootEnv(variable) })
    }

    /// The text of a setting that has one, when anybody says it.
    pub(super) fn text(&self, setting: &'static Setting) -> Option<(&str, Resolved<'_>)> {
        let resolved = self.resolve(setting)?;
        Some((resolved.text()?, resolved))
    }

    pub(crate) fn path(&self, setting: &'static Setting) -> Option<&Path> {
        self.resolve(setting)?.path()
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, setting: &'static Setting) -> bool {
        matches!(self.resolve(setting), Some(Resolved { value: Value::Switch(true), .. }))
    }

    /// The value of a setting, or its default.
    pub(super) fn parsed<T>(
        &self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<T, ConfigError> {
        match self.parsed_if_set(setting, &parse)? {
            Some(value) => Ok(value),
            None => parse(setting.default.unwrap_or_default())
                .map_err(|complaint| ConfigError::of(setting.key, format!("{} {complaint}", setting.key))),
        }
    }

    /// The value of a setting that has no default.
    pub(super) fn parsed_if_set<T>(
        &self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((text, resolved)) = self.text(setting) else { return Ok(None) };
        parse(text).map(Some).map_err(|complaint| self.wrong(setting, &resolved, complaint))
    }

    /// What is wrong with a value, said with its name: `--url must be ...`.
    pub(super) fn wrong(
        &self,
        setting: &'static Setting,
        resolved: &Resolved<'_>,
        complaint: &str,
    ) -> ConfigError {
        let what = format!("{} {complaint}", resolved.name());
        ConfigError::of(setting.key, what).at(self.origin(resolved))
    }

    /// A repair that does not exist.
    pub(super) fn unknown_repair(&self, name: &str) -> ConfigError {
        let hint = did_you_mean(name, REPAIRS.iter().map(|repair| repair.name));
        let error = ConfigError::of("repair", format!("unknown repair {name} in [repair]{hint}"));
        match self.file.origin_of_repair(name) {
            Some(origin) => error.at(origin),
            None => error,
        }
    }

    pub(super) fn origin(&self, resolved: &Resolved<'_>) -> Origin {
        match resolved.place {
            FoundIn::Option(name) => Origin::Option(name),
            FoundIn::Variable(name) => Origin::Variable(name),
            FoundIn::File { key, position } => self.file.origin(key, position),
            FoundIn::ChatwootEnv(name) => self.chatwoot.origin(name).unwrap_or(Origin::Default),
        }
    }

    /// Where the value of a setting comes from.
    pub(crate) fn origin_of(&self, setting: &'static Setting) -> Origin {
        self.resolve(setting).map_or(Origin::Default, |resolved| self.origin(&resolved))
    }
}

impl<'a> Resolved<'a> {
    /// What the value is called where it was said: the key, the option or the variable.
    pub(super) fn name(&self) -> &'static str {
        match self.place {
            FoundIn::Option(name)
            | FoundIn::Variable(name)
            | FoundIn::ChatwootEnv(name)
            | FoundIn::File { key: name, .. } => name,
        }
    }

    /// Text is UTF-8 but for paths in options.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => text.to_str(),
            _ => None,
        }
    }

    pub(super) fn path(&self) -> Option<&'a Path> {
        match self.value {
            Value::Text(text) => Some(Path::new(text)),
            _ => None,
        }
    }
}

impl FileValue {
    fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_ref()),
            Self::Switch(on) => Value::Switch(*on),
            Self::Addresses(addresses) => Value::Addresses(addresses),
            Self::Repairs(repairs) => Value::Repairs(repairs),
        }
    }
}

/// What an option of the table says on this command line.
fn option_value<'a>(options: &'a SettingsOptions, option: &str) -> Option<&'a OsStr> {
    match option {
        "--url" => options.url.as_ref().map(OsStr::new),
        "--password-file" => options.password_file.as_ref().map(OsStr::new),
        "--log" => options.log.as_ref().map(OsStr::new),
        "--verbose" => options.verbose.then_some(OsStr::new("debug")),
        _ => None,
    }
}

/// What was read, or nothing and why.
fn or_fault<T: Default>(read: Result<T, ConfigError>) -> (T, Option<ConfigError>) {
    match read {
        Ok(value) => (value, None),
        Err(fault) => (T::default(), Some(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::table::{SETTINGS, SettingForm};
    use super::*;

    /// Every option of the table, said.
    fn all_options(sample: &Sample) -> SettingsOptions {
        SettingsOptions {
            url: Some("from --url".to_owned()),
            password_file: Some("from --password-file".into()),
            log: Some("from --log".to_owned()),
            verbose: true,
            ..sample.options()
        }
    }

    fn is_text(setting: &Setting) -> bool {
        !matches!(setting.form, SettingForm::Switch | SettingForm::Addresses | SettingForm::Repairs)
    }

    /// A configuration file that says every setting which is text, and names an `.env` that says every variable of the table.
    fn full() -> Sample {
        let sample = Sample::new("");
        let variables = SETTINGS.iter().flat_map(|setting| setting.chatwoot_variables);
        let env: String = variables.map(|variable| format!("\n{variable}=from {variable}\n")).collect();
        sample.write(".env", &env);
        let lines = SETTINGS.iter().filter(|setting| is_text(setting)).map(|setting| match setting.key {
            "chatwoot_env" => format!("chatwoot_env = \"{}\"\n", sample.shown(".env")),
            key => format!("{key} = \"from {key}\"\n"),
        });
        sample.write("ingress.toml", &lines.collect::<String>());
        sample
    }

    /// A value and where it comes from.
    fn resolved(sources: &Sources<'_>, setting: &'static Setting) -> Option<(String, Origin)> {
        let (text, resolved) = sources.text(setting)?;
        Some((text.to_owned(), sources.origin(&resolved)))
    }

    #[test]
    fn every_option_of_the_table_goes_over_everything_else() {
        let sample = full();
        let options = all_options(&sample);
        let environment: Environment = SETTINGS
            .iter()
            .flat_map(|setting| setting.variables)
            .filter(|variable| **variable != "INGRESS_CHATWOOT_ENV")
            .map(|variable| ((*variable).into(), format!("from {variable}").into()))
            .collect();
        let sources = Sources::read(&options, &environment);
        for setting in &SETTINGS {
            let Some(option) = setting.option else { continue };
            let value = if option == "--verbose" { "debug".to_owned() } else { format!("from {option}") };
            assert_eq!(resolved(&sources, setting), Some((value, Origin::Option(option))));
        }
    }

    #[test]
    fn every_variable_of_the_table_goes_over_the_later_ones_and_the_file() {
        let sample = full();
        let options = sample.options();
        for setting in &SETTINGS {
            for (number, variable) in setting.variables.iter().enumerate() {
                let environment: Environment = setting.variables[number..]
                    .iter()
                    .map(|variable| ((*variable).into(), format!("from {variable}").into()))
                    .collect();
                let sources = Sources::read(&options, &environment);
                let expected = (format!("from {variable}"), Origin::Variable(variable));
                assert_eq!(resolved(&sources, setting), Some(expected));
            }
        }
    }

    #[test]
    fn every_key_of_the_file_goes_over_chatwoot_s_env_and_is_known_by_its_line() {
        let sample = full();
        let options = sample.options();
        let none = Environment::default();
        let sources = Sources::read(&options, &none);
        for (setting, line) in SETTINGS.iter().filter(|setting| is_text(setting)).zip(1..) {
            let (text, origin) = resolved(&sources, setting).unwrap();
            assert!(setting.key == "chatwoot_env" || text == format!("from {}", setting.key), "{text}");
            let path = sample.path("ingress.toml");
            assert_eq!(origin, Origin::File { key: Some(setting.key), path, line: Some(line) });
        }
    }

    #[test]
    fn every_variable_of_chatwoot_s_env_fills_what_is_not_set_otherwise() {
        let sample = full();
        sample.write("ingress.toml", &format!("chatwoot_env = \"{}\"", sample.shown(".env")));
        let options = sample.options();
        let none = Environment::default();
        let sources = Sources::read(&options, &none);
        let variables = SETTINGS.iter().flat_map(|setting| setting.chatwoot_variables);
        for (variable, number) in variables.zip(1..) {
            let resolved = sources.resolve_in_chatwoot_env(variable).unwrap();
            assert_eq!(resolved.text().unwrap(), format!("from {variable}"));
            let origin = Origin::ChatwootEnv { variable, path: sample.path(".env"), line: 2 * number };
            assert_eq!(sources.origin(&resolved), origin);
        }
        for setting in SETTINGS.iter().filter(|setting| setting.chatwoot_variables.len() == 1) {
            let (text, _) = resolved(&sources, setting).unwrap();
            assert_eq!(text, format!("from {}", setting.chatwoot_variables[0]));
        }
    }

    #[test]
    fn what_is_set_nowhere_has_its_default() {
        let options = SettingsOptions::default();
        let environment = Environment::from([("INGRESS_CONFIG", "/nonexistent"), ("INGRESS_URL", "")]);
        let sources = Sources::read(&options, &environment);
        for setting in &SETTINGS {
            assert_eq!(sources.origin_of(setting), Origin::Default);
            assert!(resolved(&sources, setting).is_none());
            let text = sources.parsed(setting, |text| Ok(text.to_owned())).unwrap();
            assert_eq!(text, setting.default.unwrap_or_default());
        }
        assert_eq!(sources.file_fault().unwrap().key, None);
    }

    /// Options and variables can only say text: nobody would hear them.
    #[test]
    fn what_is_no_text_stands_in_the_file_alone() {
        for setting in SETTINGS.iter().filter(|setting| !is_text(setting)) {
            assert!(setting.option.is_none() && setting.variables.is_empty(), "{}", setting.key);
            assert!(setting.chatwoot_variables.is_empty(), "{}", setting.key);
        }
    }

    #[test]
    fn two_of_a_pair_in_one_place_are_one_too_many_but_not_in_two() {
        let sample = Sample::new("password = \"x\"\npassword_file = \"/y\"");
        let (options, none) = (sample.options(), Environment::default());
        let (text, file) = (const { setting("password") }, const { setting("password_file") });
        let error = Sources::read(&options, &none).resolve_either(text, file).unwrap_err();
        assert_eq!(error.key, Some("password"));
        let shown = sample.shown("ingress.toml");
        assert_eq!(
            error.to_string(),
            format!("{shown}:2: password and password_file are both set: keep one")
        );
        let environment = Environment::from([("INGRESS_PASSWORD", "z")]);
        let sources = Sources::read(&options, &environment);
        let (setting, resolved) = sources.resolve_either(text, file).unwrap().unwrap();
        assert_eq!((setting.key, resolved.text()), ("password", Some("z")));
    }

    #[test]
    fn a_wrong_value_is_told_with_its_key_and_its_origin_as_data() {
        let sample = Sample::new("\n\ntimeout = \"soon\"");
        let (options, none) = (sample.options(), Environment::default());
        let sources = Sources::read(&options, &none);
        let fault = sources.parsed(const { setting("timeout") }, |_| Err::<(), _>("is wrong")).unwrap_err();
        let path = sample.path("ingress.toml");
        let origin = Origin::File { key: Some("timeout"), path, line: Some(3) };
        assert_eq!((fault.key, &fault.origin), (Some("timeout"), &Some(origin)));
        assert_eq!(fault.to_string(), format!("{}:3: timeout is wrong", sample.shown("ingress.toml")));
    }
}
