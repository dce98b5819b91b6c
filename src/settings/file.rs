//! `ingress.toml` as it is written: what it says for which setting on which line. Errors name file, line and key but never repeat the
//! line, which may be the password.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{SETTINGS, Setting, SettingForm};
use super::{ConfigError, Origin, secret};
use crate::similar::did_you_mean;

/// What the file says. Values are judged later, together with options and environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsFile {
    /// Where it was read.
    path: PathBuf,
    text: String,
    entries: Vec<FileEntry>,
}

/// One setting as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct FileEntry {
    setting: &'static Setting,
    pub(super) value: FileValue,
    /// Where the value begins in the text.
    pub(super) position: usize,
}

/// A value of the form that the setting wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileValue {
    Text(String),
    Switch(bool),
    Addresses(Vec<String>),
    Repairs(BTreeMap<String, bool>),
}

impl SettingsFile {
    /// Reads and parses one file. A file that holds a password and that others can read is refused.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let whole = || Origin::File { key: None, path: path.to_owned(), line: None };
        let (bytes, others_can_read) = secret::read_small(path).map_err(|error| error.at(whole()))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| ConfigError::new(format!("{}: is not UTF-8 text", path.display())).at(whole()))?;
        let entries = parse(&text).map_err(|flaw| flaw.in_file(path, &text))?;
        let file = Self { path: path.to_owned(), text, entries };
        if others_can_read && file.holds_a_secret() {
            return Err(secret::readable_by_others(path).at(whole()));
        }
        Ok(file)
    }

    pub(super) fn entry(&self, setting: &Setting) -> Option<&FileEntry> {
        self.entries.iter().find(|entry| std::ptr::eq(entry.setting, setting))
    }

    pub(super) fn origin(&self, key: &'static str, position: usize) -> Origin {
        let line = Some(line_at(&self.text, position));
        Origin::File { key: Some(key), path: self.path.clone(), line }
    }

    /// Where a repair is turned on or off.
    pub(super) fn origin_of_repair(&self, name: &str) -> Option<Origin> {
        let table = DeTable::parse(&self.text).ok()?.into_inner();
        let repairs = table.get("repair")?.get_ref().as_table()?;
        let (name, _) = repairs.get_key_value(name)?;
        Some(self.origin("repair", name.span().start))
    }

    /// Sets what the file does not say.
    pub(super) fn set(&mut self, setting: &'static Setting, text: &str) {
        self.entries.retain(|entry| !std::ptr::eq(entry.setting, setting));
        self.entries.push(FileEntry { setting, value: FileValue::Text(text.to_owned()), position: 0 });
    }

    /// Forgets some settings.
    pub(super) fn without(mut self, is_forgotten: impl Fn(&Setting) -> bool) -> Self {
        self.entries.retain(|entry| !is_forgotten(entry.setting));
        self
    }

    /// Whether nobody else may read the file: it holds the password, a key, or a proxy's password.
    fn holds_a_secret(&self) -> bool {
        self.entries.iter().any(|entry| match (entry.setting.form, &entry.value) {
            (SettingForm::Secret, _) => true,
            (SettingForm::UrlWithLogin, FileValue::Text(url)) => url.contains('@'),
            _ => false,
        })
    }
}

/// What is wrong with the text itself.
#[derive(Debug)]
struct Flaw {
    position: usize,
    key: Option<&'static str>,
    what: String,
}

impl Flaw {
    fn new(position: usize, key: Option<&'static str>, what: impl Into<String>) -> Self {
        Self { position, key, what: what.into() }
    }

    fn in_file(self, path: &Path, text: &str) -> ConfigError {
        let line = Some(line_at(text, self.position));
        let origin = Origin::File { key: self.key, path: path.to_owned(), line };
        let error = ConfigError::new(self.what).at(origin);
        match self.key {
            Some(key) => error.about(key),
            None => error,
        }
    }
}

fn line_at(text: &str, position: usize) -> usize {
    text.get(..position).unwrap_or(text).matches('\n').count() + 1
}

fn parse(text: &str) -> Result<Vec<FileEntry>, Flaw> {
    let table = DeTable::parse(text)
        .map_err(|error| not_toml(error.span().unwrap_or(0..0), error.message(), text))?;
    table.into_inner().into_iter().map(|(key, value)| entry(key.span(), key.get_ref(), value)).collect()
}

fn entry(at: Range<usize>, key: &str, value: Spanned<DeValue<'_>>) -> Result<FileEntry, Flaw> {
    let setting = SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| {
        let key = harmless(key);
        let hint = did_you_mean(&key, SETTINGS.iter().map(|setting| setting.key));
        Flaw::new(at.start, None, format!("unknown key {key}{hint}"))
    })?;
    let position = value.span().start;
    let value = match (setting.form, value.into_inner()) {
        (SettingForm::Repairs, DeValue::Table(repairs)) => Some(FileValue::Repairs(switches(repairs)?)),
        (form, value) => of_form(form, value),
    };
    let wrong =
        || Flaw::new(position, Some(setting.key), format!("{}: {}", setting.key, setting.form.expected()));
    Ok(FileEntry { setting, value: value.ok_or_else(wrong)?, position })
}

fn of_form(form: SettingForm, value: DeValue<'_>) -> Option<FileValue> {
    match (form, value) {
        (
            SettingForm::Text | SettingForm::Secret | SettingForm::SecretFile | SettingForm::UrlWithLogin,
            DeValue::String(text),
        ) => Some(FileValue::Text(text.into_owned())),
        (SettingForm::Switch, DeValue::Boolean(on)) => Some(FileValue::Switch(on)),
        (SettingForm::Addresses, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            Some(FileValue::Addresses(texts.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn switches(repairs: DeTable<'_>) -> Result<BTreeMap<String, bool>, Flaw> {
    let switch = |(name, on): (Spanned<Cow<'_, str>>, Spanned<DeValue<'_>>)| {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == name.get_ref()) {
            let what =
                format!("{} stands below [repair], and is no repair: move it above that line", setting.key);
            return Err(Flaw::new(name.span().start, Some("repair"), what));
        }
        match on.get_ref().as_bool() {
            Some(on) => Ok((name.into_inner().into_owned(), on)),
            None => Err(Flaw::new(on.span().start, Some("repair"), "must be true or false")),
        }
    };
    repairs.into_iter().map(switch).collect()
}

/// Says what is wrong in words of our own: the parser's message can repeat the value.
fn not_toml(span: Range<usize>, message: &str, text: &str) -> Flaw {
    let line = text.lines().nth(line_at(text, span.start) - 1).unwrap_or("");
    let what = if message.starts_with("duplicate") { "stands twice" } else { "is not valid TOML" };
    match known_key(line) {
        Some(key) if is_unquoted(line) => {
            Flaw::new(span.start, Some(key), format!("{key}: text must be in quotes"))
        }
        Some(key) => Flaw::new(span.start, Some(key), format!("{key}: {what}")),
        None => Flaw::new(span.start, None, "is not valid TOML"),
    }
}

/// The key a line sets, if it is one of ours: anything else could be part of a value.
fn known_key(line: &str) -> Option<&'static str> {
    let name = line.split('=').next()?.trim().trim_matches(['[', ']', '"']);
    SETTINGS.iter().map(|setting| setting.key).find(|key| *key == name)
}

/// Whether what stands behind the `=` begins as a bare word does.
fn is_unquoted(line: &str) -> bool {
    let value = line.split_once('=').map(|(_, value)| value.trim_start());
    value
        .is_some_and(|value| value.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '~' | '.')))
}

/// As much of an unknown key as can be a key. A line that is all secret is no key, and fails to parse before this.
fn harmless(key: &str) -> String {
    key.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &str) -> String {
        let error = parse(text).unwrap_err().in_file(Path::new("F"), text);
        let complaint = error.complaint();
        complaint.strip_prefix("F:").unwrap_or(&complaint).to_owned()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        assert_eq!(
            flaw("url = \"https://x\"\npasword = \"hush\"\n"),
            "2: unknown key pasword: did you mean password?"
        );
        assert_eq!(flaw("[frobnicate]\nhush = 1\n"), "1: unknown key frobnicate");
    }

    #[test]
    fn no_error_repeats_what_stands_in_the_file() {
        let wrong = [
            "password = hush",
            "password = \"hush",
            "password = 1234hush",
            "hush",
            "password \"hush\"",
            "password = \"\"\"\nhush = \\q\"\"\"",
            "password = [\"hush\"]",
            "password = { a = \"hush\" }",
            "password = \"hush\"\npassword = \"hush\"",
            "allow_http = \"hush\"",
            "[repair]\nx = \"hush\"",
            "[repair\nhush",
            "repair = \"hush\"",
            "timeout = 778899",
        ];
        for text in wrong {
            let error = flaw(text);
            assert!(!error.contains("hush") && !error.contains("778899"), "{text}: {error}");
        }
    }

    #[test]
    fn a_setting_that_slipped_under_the_repairs_is_named() {
        for line in ["timeout = \"3s\"", "allow_http = true"] {
            let key = line.split(' ').next().unwrap();
            let expected =
                format!("3: {key} stands below [repair], and is no repair: move it above that line");
            assert_eq!(flaw(&format!("[repair]\nmissing-to = false\n{line}")), expected);
        }
    }

    #[test]
    fn a_wrong_form_says_which_is_right() {
        assert_eq!(flaw("\ntimeout = 5"), "2: timeout: must be text in quotes");
        assert_eq!(flaw("allow_http = \"yes\""), "1: allow_http: must be true or false");
        assert_eq!(flaw("inboxes = [\n1]"), "1: inboxes: must be a list of addresses in quotes");
        assert_eq!(flaw("[repair]\nmissing-to = 1"), "2: must be true or false");
        assert_eq!(flaw("timeout = 2m"), "1: timeout: text must be in quotes");
        assert_eq!(flaw("url = \"x\"\nurl = \"y\""), "2: url: stands twice");
    }

    /// `key = value`, in the form that the setting wants.
    fn line_for(setting: &Setting) -> String {
        let value = match setting.form {
            SettingForm::Text | SettingForm::Secret | SettingForm::SecretFile | SettingForm::UrlWithLogin => {
                "\"x\""
            }
            SettingForm::Switch => "true",
            SettingForm::Addresses => "[\"a@b\"]",
            SettingForm::Repairs => "{ missing-to = false }",
        };
        format!("{} = {value}\n", setting.key)
    }

    #[test]
    fn every_setting_of_the_table_can_stand_in_the_file_and_is_found_with_its_line() {
        let text: String = SETTINGS.iter().map(line_for).collect();
        let file = SettingsFile { path: "F".into(), entries: parse(&text).unwrap(), text };
        for (number, setting) in SETTINGS.iter().enumerate() {
            let entry = file.entry(setting).unwrap();
            let line = Some(number + 1);
            let origin = Origin::File { key: Some(setting.key), path: "F".into(), line };
            assert_eq!(file.origin(setting.key, entry.position), origin);
        }
    }

    #[test]
    fn a_setting_of_another_form_is_named_with_its_key_as_data() {
        for setting in &SETTINGS {
            let text = format!("\n{} = 5\n", setting.key);
            let error = parse(&text).unwrap_err().in_file(Path::new("F"), &text);
            assert_eq!(error.key, Some(setting.key));
            let origin = Origin::File { key: Some(setting.key), path: "F".into(), line: Some(2) };
            assert_eq!(error.origin, Some(origin));
        }
    }
}
