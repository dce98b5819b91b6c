//! What keeps this process from a file: the folder that bars the way, or the file itself, and the command that lets it in.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::account::{ReadingUser, mode_lets_read, own_group, ownership};
use super::{Finding, Host, Subject};
use crate::open::open_without_waiting;

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Obstacle {
    Missing(PathBuf),
    /// A folder in the place of the file.
    NoFile(PathBuf),
    /// A folder on the way that may not be entered.
    Folder(PathBuf),
    /// The file's own mode.
    Mode(PathBuf),
    /// Something beside the mode: access control lists, a security module of the kernel.
    Policy(PathBuf),
}

/// What keeps this process from reading a file; nothing when it can be opened.
pub(crate) fn unreadable(subject: Subject, path: &Path, reader: ReadingUser) -> Option<Finding> {
    let obstacle = match open(path).map(|file| file.metadata()) {
        Ok(Ok(metadata)) if metadata.is_dir() => Obstacle::NoFile(path.to_owned()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => obstacle(path, FEW),
        Err(error) if error.kind() == ErrorKind::NotFound => Obstacle::Missing(path.to_owned()),
        _ => return None,
    };
    Some(obstacle.finding(subject, path, reader))
}

/// Opens it without waiting: a FIFO that nobody writes to must not hang a check.
fn open(path: &Path) -> io::Result<File> {
    open_without_waiting(File::options().read(true), path)
}

/// What is no file but a FIFO, where a delivery waits for whoever writes to it.
pub(crate) fn fifo(subject: Subject, path: &Path) -> Option<Finding> {
    path.metadata().ok().filter(|metadata| metadata.file_type().is_fifo())?;
    let fault =
        Finding::fault(subject, format!("{} is a FIFO, which a delivery would wait for", path.display()));
    Some(fault.with_remedy(Host::Here, "name a file"))
}

/// How many symbolic links in a row are followed.
const FEW: u8 = 8;

fn obstacle(path: &Path, links: u8) -> Obstacle {
    if let Some(folder) = barring(path) {
        return Obstacle::Folder(folder);
    }
    match fs::read_link(path) {
        Ok(target) if links > 0 => obstacle(&path.parent().unwrap_or(Path::new("/")).join(target), links - 1),
        _ => match path.metadata() {
            Ok(metadata) if mode_lets_read(&metadata) => Obstacle::Policy(path.to_owned()),
            _ => Obstacle::Mode(path.to_owned()),
        },
    }
}

/// The first folder on the way that this process may not enter.
pub(crate) fn barring(path: &Path) -> Option<PathBuf> {
    let mut folders: Vec<&Path> =
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
    folders.reverse();
    let barred =
        |folder: &&Path| rustix::fs::access(*folder, Access::EXEC_OK) == Err(rustix::io::Errno::ACCESS);
    folders.into_iter().find(barred).map(Path::to_owned)
}

impl Obstacle {
    fn finding(&self, subject: Subject, wanted: &Path, reader: ReadingUser) -> Finding {
        let wanted = wanted.display();
        let owned = |path: &Path| {
            path.metadata().map(|metadata| format!(" ({})", ownership(&metadata))).unwrap_or_default()
        };
        match self {
            Self::Missing(path) => Finding::fault(subject, format!("{wanted} is not there"))
                .with_remedy(Host::Here, format!("create {}, or name the right file", path.display())),
            Self::NoFile(path) => {
                let shown = path.display();
                Finding::fault(subject, format!("{shown} is a folder"))
                    .with_remedy(Host::Here, format!("name the file that is meant, such as one in {shown}"))
            }
            Self::Folder(folder) => {
                let shown = folder.display();
                let what = format!("{wanted} cannot be reached: {shown} may not be entered{}", owned(folder));
                Finding::fault(subject, what).with_remedy(
                    Host::Here,
                    reader.let_in_by(&format!("chmod o+x {shown}, or move the file elsewhere")),
                )
            }
            Self::Mode(path) => {
                let (shown, group) = (path.display(), own_group());
                Finding::fault(subject, format!("{shown} may not be read{}", owned(path))).with_remedy(
                    Host::Here,
                    reader.let_in_by(&format!("chgrp {group} {shown} && chmod g+r {shown}")),
                )
            }
            Self::Policy(path) => {
                let shown = path.display();
                let what = format!("{shown} may not be read, though its mode permits it{}", owned(path));
                Finding::fault(subject, what).with_remedy(
                    Host::Here,
                    format!("look for what else forbids it: getfacl {shown}; AppArmor and SELinux in the kernel's log (dmesg)"),
                )
            }
        }
    }
}
