//! Users: whom this process runs as, whom a mail server would run it as, and who owns a file.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};

use nix::unistd::{Gid, Group, Uid, User};

use super::{Finding, Host, Subject};
use chatwoot_mail::environment::Environment;

/// A user with the one group that a mail server gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// Looks up `user` or `user:group`, as Postfix's `user=` writes it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as prose.
    pub(crate) fn named(text: &str) -> Result<Self, String> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let unknown = |what: &str, name: &str| format!("--as {text}: there is no {what} {name}");
        let user = User::from_name(user).ok().flatten().ok_or_else(|| unknown("user", user))?;
        let gid = match group {
            Some(name) => Group::from_name(name).ok().flatten().ok_or_else(|| unknown("group", name))?.gid,
            None => user.gid,
        };
        Ok(Self { name: user.name, uid: user.uid, gid })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs this program with these words as a mail server would: as this user with this group alone (Postfix's pipe(8) gives no
    /// others), no environment, in `/`. What root has open is not for that user, nor is a way back to root.
    pub(crate) fn run(&self, words: &[OsString]) -> io::Result<ExitStatus> {
        close_inherited();
        #[cfg(target_os = "linux")]
        rustix::thread::set_no_new_privs(true)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words).env_clear().current_dir("/").stdin(Stdio::null());
        command.uid(self.uid.as_raw()).gid(self.gid.as_raw()).status()
    }
}

/// Closes what whoever started this left open. Nothing of this process's own is open while it only starts another.
fn close_inherited() {
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return };
    let numbers: Vec<i32> =
        open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // That of the folder itself is closed already.
        let _ = nix::unistd::close(number);
    }
}

pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Whom this process runs as.
pub(crate) fn finding() -> Finding {
    if is_root() {
        return Finding::note(Subject::User, "root, who may read everything")
            .with_remedy(Host::Here, "see what the mail server's user sees: ingress check --as USER");
    }
    let (uid, gid) = (Uid::effective(), Gid::effective());
    Finding::ok(Subject::User, format!("{}, group {}", user_name(uid), group_name(gid)))
}

/// Whom this process speaks for, when a file is not its own to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadingUser {
    /// The user that a mail server would run it as: `--as` started it, without environment.
    MailServers,
    /// Whoever looks. To give a file to this user's group could take it from that of the mail server's user.
    Whoever,
}

impl ReadingUser {
    pub(crate) fn of(environment: &Environment) -> Self {
        if environment.is_empty() { Self::MailServers } else { Self::Whoever }
    }

    /// What lets this user at a file, said to somebody who may not be the one it is for.
    pub(crate) fn let_in_by(self, command: &str) -> String {
        match self {
            Self::MailServers => command.to_owned(),
            Self::Whoever => format!(
                "sudo ingress check --as USER, with the mail server's user; if that is {}: {command}",
                user_name(Uid::effective())
            ),
        }
    }
}

/// Name of the user of this process.
pub(crate) fn own_name() -> String {
    user_name(Uid::effective())
}

/// Name of the group of this process.
pub(crate) fn own_group() -> String {
    group_name(Gid::effective())
}

/// `mode 0640, root:ingress`.
pub(crate) fn ownership(metadata: &Metadata) -> String {
    format!(
        "mode {:04o}, {}:{}",
        metadata.mode() & 0o7777,
        user_name(Uid::from_raw(metadata.uid())),
        group_name(Gid::from_raw(metadata.gid()))
    )
}

fn user_name(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn group_name(gid: Gid) -> String {
    Group::from_gid(gid).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name)
}

/// Whether a file's mode alone would let this process read it.
pub(crate) fn mode_lets_read(metadata: &Metadata) -> bool {
    let groups = rustix::process::getgroups().unwrap_or_default();
    let is_ours =
        |gid: u32| gid == Gid::effective().as_raw() || groups.iter().any(|group| group.as_raw() == gid);
    let bit = if metadata.uid() == Uid::effective().as_raw() {
        0o400
    } else if is_ours(metadata.gid()) {
        0o040
    } else {
        0o004
    };
    metadata.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `chgrp` to the group of an administrator who looks would lock out the mail server's user.
    #[test]
    fn only_the_mail_server_s_user_is_let_in_without_a_question() {
        let by = |reader: ReadingUser| reader.let_in_by("chgrp x y");
        assert_eq!(by(ReadingUser::of(&Environment::default())), "chgrp x y");
        let whoever = by(ReadingUser::of(&Environment::from([("PATH", "/bin")])));
        assert!(whoever.starts_with("sudo ingress check --as USER, "), "{whoever}");
        assert!(whoever.ends_with(": chgrp x y"), "{whoever}");
    }

    #[test]
    fn users_and_groups_are_looked_up_as_postfix_writes_them() {
        let root = Account::named("root").unwrap();
        assert_eq!((root.name(), root.uid.as_raw(), root.gid.as_raw()), ("root", 0, 0));
        assert_eq!(Account::named("root:root").unwrap(), root);
        assert_eq!(
            Account::named("no-such-user").unwrap_err(),
            "--as no-such-user: there is no user no-such-user"
        );
        assert_eq!(
            Account::named("root:no-such-group").unwrap_err(),
            "--as root:no-such-group: there is no group no-such-group"
        );
    }
}
