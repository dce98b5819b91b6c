//! Which configuration file is read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;

/// The file that is read, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// The option or the variable that names it; none when it was looked for.
    pub(crate) named_by: Option<&'static str>,
}

/// Where a file is looked for last, and where a missing setting is to be set.
pub(super) const SYSTEM_FILE: &str = "/etc/ingress.toml";

/// The first of: `--config`, `$INGRESS_CONFIG`, `$XDG_CONFIG_HOME/ingress.toml`, `/etc/ingress.toml`. A named file is not looked for: it
/// must be there.
///
/// A home that is not ours to enter (getmail with `user =` keeps root's HOME) counts as having no file.
pub(crate) fn locate(options: &SettingsOptions, environment: &Environment) -> Option<ConfigFile> {
    let of_option = options.config.clone().map(|path| (path, "--config"));
    let named = of_option.or_else(|| Some((environment.get("INGRESS_CONFIG")?.into(), "INGRESS_CONFIG")));
    if let Some((path, by)) = named {
        return Some(ConfigFile { path, named_by: Some(by) });
    }
    let path = user_file(environment).filter(|path| path.metadata().is_ok()).or_else(system_file)?;
    Some(ConfigFile { path, named_by: None })
}

fn user_file(environment: &Environment) -> Option<PathBuf> {
    let home = || environment.get("HOME").map(|home| Path::new(home).join(".config"));
    let folder = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    folder.or_else(home).filter(|path| path.is_absolute()).map(|path| path.join("ingress.toml"))
}

/// What is there but cannot be looked at counts as there: the reading will say why not.
fn system_file() -> Option<PathBuf> {
    match Path::new(SYSTEM_FILE).metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        _ => Some(SYSTEM_FILE.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_the_option_then_by_the_variable_then_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ingress.toml"), "").unwrap();
        let xdg = folder.path().to_str().unwrap();
        let option = SettingsOptions { config: Some("/option".into()), ..SettingsOptions::default() };
        let none = SettingsOptions::default();
        let both = Environment::from([("INGRESS_CONFIG", "/variable"), ("XDG_CONFIG_HOME", xdg)]);
        let found = |options, environment: &Environment| {
            let file = locate(options, environment).unwrap();
            (file.path.display().to_string(), file.named_by)
        };
        assert_eq!(found(&option, &both), ("/option".to_owned(), Some("--config")));
        assert_eq!(found(&none, &both), ("/variable".to_owned(), Some("INGRESS_CONFIG")));
        let looked_for = Environment::from([("XDG_CONFIG_HOME", xdg)]);
        assert_eq!(found(&none, &looked_for), (format!("{xdg}/ingress.toml"), None));
    }
}
