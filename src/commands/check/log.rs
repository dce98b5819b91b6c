//! The log: whether a delivery could write it. Nothing is written, and no file is made: it would belong to the wrong user.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;

use rustix::fs::Access;

use super::access::barring;
use super::account::{ReadingUser, own_group, ownership};
use super::{Finding, Host, Subject};
use crate::io_error::plain;
use crate::log::SOCKETS;
use crate::open::open_without_waiting;
use crate::settings::LogTarget;

const SUBJECT: Subject = Subject::Setting("log");

/// A log that cannot be written stops no delivery: it is worth a warning.
pub(crate) fn finding(target: &LogTarget, origin: &str, reader: ReadingUser) -> Finding {
    match target {
        LogTarget::Off => {
            Finding::warning(SUBJECT, format!("off ({origin}): nothing tells why a delivery failed"))
                .with_remedy(Host::Here, "set log = \"syslog\", or a file")
        }
        LogTarget::Stderr => Finding::note(
            SUBJECT,
            format!("stderr ({origin}): getmail and Exim take any output for a failure"),
        ),
        LogTarget::Syslog => syslog(origin),
        LogTarget::File(path) => file(path, origin, reader),
    }
}

fn syslog(origin: &str) -> Finding {
    let listens = |path: &str| {
        UnixDatagram::unbound().is_ok_and(|socket| socket.connect(path).is_ok())
            || UnixStream::connect(path).is_ok()
    };
    match SOCKETS.into_iter().find(|path| listens(path)) {
        Some(path) => Finding::ok(SUBJECT, format!("syslog at {path}, facility mail ({origin})")),
        None => Finding::warning(
            SUBJECT,
            format!("syslog ({origin}): nothing listens at /dev/log, so no log is written"),
        )
        .with_remedy(
            Host::Here,
            "start systemd-journald or rsyslog, mount /dev/log into the container, or set log to a file",
        ),
    }
}

fn file(path: &Path, origin: &str, reader: ReadingUser) -> Finding {
    let shown = path.display();
    if let Some(folder) = barring(path) {
        let folder = folder.display();
        return Finding::warning(SUBJECT, format!("{shown} cannot be reached: {folder} may not be entered"))
            .with_remedy(
                Host::Here,
                reader.let_in_by(&format!("chmod o+x {folder}, or name a file elsewhere")),
            );
    }
    match path.metadata() {
        Ok(metadata) => {
            let owned = ownership(&metadata);
            let Err(error) = append_to(path) else {
                return Finding::ok(SUBJECT, format!("{shown}, {owned} ({origin})"));
            };
            let what = format!("{shown} cannot be written: {} ({owned})", plain(&error));
            let action = match error.kind() {
                ErrorKind::PermissionDenied => {
                    reader.let_in_by(&format!("chgrp {0} {shown} && chmod g+w {shown}", own_group()))
                }
                _ => "name a file that can be written in log, or syslog".to_owned(),
            };
            Finding::warning(SUBJECT, what).with_remedy(Host::Here, action)
        }
        Err(_) => to_be_made(path, origin, reader),
    }
}

/// A file that is not there yet.
fn to_be_made(path: &Path, origin: &str, reader: ReadingUser) -> Finding {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let folder = folder.display();
        return Finding::warning(
            SUBJECT,
            format!("{shown} cannot be made: there is no folder {folder} ({origin})"),
        )
        .with_remedy(
            Host::Here,
            reader.let_in_by(&format!("install -d -m 0770 -g {} {folder}", own_group())),
        );
    }
    if rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
        return Finding::ok(SUBJECT, format!("{shown}, which the first delivery makes ({origin})"));
    }
    Finding::warning(SUBJECT, format!("{shown} is not there and cannot be made ({origin})")).with_remedy(
        Host::Here,
        reader.let_in_by(&format!("install -m 0660 -g {} /dev/null {shown}", own_group())),
    )
}

/// Opens it as a delivery does, without making it.
fn append_to(path: &Path) -> io::Result<()> {
    open_without_waiting(File::options().append(true), path).map(|_| ())
}
