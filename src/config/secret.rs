//! Passwords and keys: read from where the settings say, refused where others can read them, never shown.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::Fault;

/// A password or key. Nothing prints it: `Debug` and errors show that there is one, not what it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// What a secret is called in complaints about it.
const PASSWORD: &str = "the password";
const KEY: &str = "the signing key";

impl Secret {
    /// Takes a password: one line, without its line end. Refuses nothing at all, several lines, and control characters.
    pub(crate) fn from_line(text: &str, whence: &str) -> Result<Self, Fault> {
        Self::line(text, whence, PASSWORD)
    }

    /// Takes a key, as `from_line` does.
    pub(crate) fn key_from_line(text: &str, whence: &str) -> Result<Self, Fault> {
        Self::line(text, whence, KEY)
    }

    fn line(text: &str, whence: &str, what: &str) -> Result<Self, Fault> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(Fault::new(format!("{whence}: {what} is empty")));
        }
        if line.contains(['\n', '\r']) {
            return Err(Fault::new(format!("{whence}: {what} must be one line")));
        }
        if line.contains(char::is_control) {
            return Err(Fault::new(format!("{whence}: {what} holds a control character")));
        }
        Ok(Self(line.to_owned()))
    }

    /// Reads a password file.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Fault> {
        Self::file(path, PASSWORD)
    }

    /// Reads a key file.
    pub(crate) fn key_from_file(path: &Path) -> Result<Self, Fault> {
        Self::file(path, KEY)
    }

    fn file(path: &Path, what: &str) -> Result<Self, Fault> {
        let (bytes, others_can_read) = read_small(path)?;
        let shown = path.display();
        if others_can_read {
            return Err(readable_by_others(path));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| Fault::new(format!("{shown}: {what} is not UTF-8 text")))?;
        Self::line(&text, &shown.to_string(), what)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

/// What to say of a file that holds a password and that everybody on the machine can read.
pub(crate) fn readable_by_others(path: &Path) -> Fault {
    let shown = path.display();
    Fault::new(format!("{shown} holds a password and others can read it"))
        .mended_by(format!("chmod o-rwx {shown}"))
}

/// The largest file that is read as configuration or password.
const SMALL: u64 = 1024 * 1024;

/// Reads a configuration or password file whole; says whether others than owner and group can read or write it.
///
/// Opens without blocking: a FIFO nobody writes to must not hang a delivery.
pub(crate) fn read_small(path: &Path) -> Result<(Vec<u8>, bool), Fault> {
    let cannot =
        |error: std::io::Error| Fault::new(format!("cannot read {}: {}", path.display(), plain(&error)));
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(nonblocking).open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(SMALL + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > SMALL {
        return Err(Fault::new(format!("cannot read {}: it is larger than 1 MiB", path.display())));
    }
    Ok((bytes, metadata.mode() & 0o006 != 0))
}

/// An I/O error as prose: `permission denied`, without the number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
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
                Secret::from_file(file(0o640, content.as_bytes()).path()).unwrap().reveal(),
                "swordfish"
            );
        }
    }

    #[test]
    fn blanks_belong_to_the_password() {
        assert_eq!(Secret::from_line(" a b \n", "x").unwrap().reveal(), " a b ");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let error = Secret::from_file(file(0o644, b"swordfish").path()).unwrap_err().to_string();
        assert!(error.contains("others can read it") && !error.contains("swordfish"), "{error}");
    }

    #[test]
    fn empty_two_lines_control_characters_and_other_charsets_are_refused_without_being_shown() {
        for content in [&b""[..], b"\n", b"hush\nhush\n", b"hu\0sh", b"hu\xffsh"] {
            let error = Secret::from_file(file(0o600, content).path()).unwrap_err().to_string();
            assert!(!error.contains("hu"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let error = Secret::from_file(Path::new("/nonexistent/password")).unwrap_err().to_string();
        assert_eq!(error, "cannot read /nonexistent/password: no such file or directory");
        let error = Secret::from_file(Path::new("/")).unwrap_err().to_string();
        assert_eq!(error, "cannot read /: is a directory");
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", Secret::from_line("swordfish", "x").unwrap()), "[hidden]");
    }
}
