//! Passwords and keys: read from where the settings say, refused where others can read them, never shown.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{ConfigError, Origin};
use crate::io_error::plain;
use crate::open::open_without_waiting;
use chatwoot_mail::request::Secret;

/// What proves to Chatwoot who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Password,
    SigningKey,
    /// Of a user of Chatwoot's, for its API.
    ApiToken,
}

impl Kind {
    /// The setting that holds it; a file that holds it is named by another.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SigningKey => "signing_key",
            Self::ApiToken => "api_token",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Password => "the password",
            Self::SigningKey => "the signing key",
            Self::ApiToken => "the API token",
        }
    }

    /// Takes one line, without its line end; `place` is what the line stands in.
    pub(super) fn read_line(
        self,
        text: &str,
        place: impl Display,
        origin: impl Fn() -> Origin,
    ) -> Result<Secret, ConfigError> {
        Secret::from_line(text).map_err(|what| {
            ConfigError::of(self.key(), format!("{place}: {} {what}", self.name())).at(origin())
        })
    }

    /// Reads a file that holds it and nothing else.
    pub(super) fn read_file(self, path: &Path) -> Result<Secret, ConfigError> {
        let origin = || Origin::NamedFile(path.to_owned());
        let fault = |error: ConfigError| error.about(self.key()).at(origin());
        let (bytes, others_can_read) = read_small(path).map_err(fault)?;
        if others_can_read {
            return Err(fault(readable_by_others(path)));
        }
        let shown = path.display();
        let text = String::from_utf8(bytes)
            .map_err(|_| fault(ConfigError::new(format!("{shown}: {} is not UTF-8 text", self.name()))))?;
        self.read_line(&text, shown, origin)
    }
}

/// What to say of a file that holds a password and that everybody on the machine can read.
pub(super) fn readable_by_others(path: &Path) -> ConfigError {
    let shown = path.display();
    ConfigError::new(format!("{shown} holds a password and others can read it"))
        .with_hint(format!("chmod o-rwx {shown}"))
}

/// The largest file that is read as configuration or password.
const SMALL: u64 = 1024 * 1024;

/// Reads a configuration or password file whole; says whether others than owner and group can read or write it.
///
/// Opens without blocking: a FIFO nobody writes to must not hang a delivery.
pub(super) fn read_small(path: &Path) -> Result<(Vec<u8>, bool), ConfigError> {
    let cannot = |error: std::io::Error| {
        let error = ConfigError::new(format!("cannot read {}: {}", path.display(), plain(&error)));
        if path.starts_with("~") {
            error.with_hint("~ is not expanded here, so write the whole path")
        } else {
            error
        }
    };
    let file = open_without_waiting(File::options().read(true), path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    let expected = metadata.len().min(SMALL) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    file.take(SMALL + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > SMALL {
        return Err(ConfigError::new(format!("cannot read {}: it is larger than 1 MiB", path.display())));
    }
    Ok((bytes, metadata.mode() & 0o006 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(mode: u32, content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn one_line_with_or_without_its_end_is_a_password() {
        for content in ["swordfish", "swordfish\n", "swordfish\r\n"] {
            assert_eq!(
                Kind::Password.read_file(file(0o640, content.as_bytes()).path()).unwrap().reveal(),
                "swordfish"
            );
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let error = Kind::Password.read_file(file(0o644, b"swordfish").path()).unwrap_err().to_string();
        assert!(error.contains("others can read it") && !error.contains("swordfish"), "{error}");
    }

    #[test]
    fn empty_two_lines_control_characters_and_other_charsets_are_refused_without_being_shown() {
        for content in [&b""[..], b"\n", b"hush\nhush\n", b"hu\0sh", b"hu\xffsh"] {
            let file = file(0o600, content);
            let error = Kind::Password.read_file(file.path()).unwrap_err();
            assert!(!error.to_string().contains("hu"), "{error}");
            let place = Some(Origin::NamedFile(file.path().to_owned()));
            assert_eq!((error.key, error.origin), (Some("password"), place));
        }
    }

    #[test]
    fn a_home_folder_s_short_form_is_no_path() {
        let error = Kind::Password.read_file(Path::new("~/password")).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot read ~/password: no such file or directory: ~ is not expanded here, so write the whole path"
        );
    }

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let error = Kind::Password.read_file(Path::new("/nonexistent/password")).unwrap_err().to_string();
        assert_eq!(error, "cannot read /nonexistent/password: no such file or directory");
        let error = Kind::Password.read_file(Path::new("/")).unwrap_err().to_string();
        assert_eq!(error, "cannot read /: is a directory");
    }
}
