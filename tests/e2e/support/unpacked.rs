//! Programs of packages that are unpacked and not installed.

use std::path::{Path, PathBuf};

/// The path of a file of those packages; `tests/run` unpacks them by `tests/e2e/unpack-servers`.
pub(crate) fn unpacked(path: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers/root").join(path);
    assert!(file.exists(), "{} is missing (tests/run unpacks what the tests need)", file.display());
    file
}
