//! Programs of packages that are unpacked and not installed.

use std::path::{Path, PathBuf};

/// The path of a file of those packages; `tests/debian/make` unpacks them.
pub(crate) fn unpacked(path: &str) -> PathBuf {
    let file = Path::new("/opt/servers").join(path);
    assert!(file.exists(), "{} is missing: run the tests by tests/run", file.display());
    file
}
