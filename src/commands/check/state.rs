//! `state_dir`: whether a delivery could note there what Chatwoot may have stored without showing it. Nothing is made.

use std::path::Path;

use rustix::fs::Access;

use super::account::{ReadingUser, own_name, ownership};
use super::{Finding, Host, Subject};

/// A folder that cannot be written stops no delivery: it is worth a warning.
pub(crate) fn finding(folder: &Path, origin: &str, reader: ReadingUser) -> Finding {
    let subject = Subject::Setting("state_dir");
    let shown = folder.display();
    let is_usable = |folder: &Path| {
        folder.is_dir()
            && rustix::fs::access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_ok()
    };
    if is_usable(folder) {
        let owned =
            folder.metadata().map(|metadata| format!(", {}", ownership(&metadata))).unwrap_or_default();
        return Finding::ok(subject, format!("{shown}{owned} ({origin})"));
    }
    let (what, action) = if folder.exists() {
        let owned =
            folder.metadata().map(|metadata| format!(" ({})", ownership(&metadata))).unwrap_or_default();
        (
            format!("{shown} cannot be written{owned}"),
            format!("chown {} {shown} && chmod 700 {shown}", own_name()),
        )
    } else if folder.ancestors().skip(1).find(|folder| folder.exists()).is_some_and(is_usable) {
        return Finding::ok(subject, format!("{shown}, which is made when it is needed ({origin})"));
    } else {
        (
            format!("{shown} is not there and cannot be made"),
            format!("install -d -m 0700 -o {} {shown}", own_name()),
        )
    };
    let risk = "a message that Chatwoot answers with 500 after it stored it is lost when it is sent again";
    Finding::warning(subject, format!("{what} ({origin}): {risk}"))
        .with_remedy(Host::Here, reader.let_in_by(&action))
}
