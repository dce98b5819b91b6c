//! `ingress setup CALLER`: the configuration of a mail server or mail reader, ready to paste.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::caller::{CALLERS, Caller};
use super::page::{FilledIn, filled_in};
use super::values::{Given, Values};
use crate::cli::{Options, SetupArgs};
use crate::exit;
use crate::io_error::plain;
use crate::output::{complain, print, status_after};

/// Prints or writes the configuration; the status is sysexits(3)'s: 0, 64 a value that cannot be used, 73 a file that cannot be made.
pub(crate) fn run(arguments: SetupArgs, options: &Options) -> ExitCode {
    let Some(caller) = arguments.caller.as_deref().and_then(Caller::named) else {
        return written(list().as_bytes());
    };
    let given = Given {
        domain: arguments.domain,
        inboxes: arguments.inbox,
        user: arguments.user,
        binary: arguments.binary,
        config: options.settings.config.as_ref().map(|path| path.to_string_lossy().into_owned()),
    };
    let values = match Values::new(given) {
        Ok(values) => values,
        Err(unfit) => return failed(exit::USAGE, &unfit.to_string()),
    };
    if values.user == "root" && caller.refuses_root() {
        let remedy = "starts no program as root: give an account of its own";
        return failed(exit::USAGE, &format!("--user root: {} {remedy}", caller.name));
    }
    let filled_in = filled_in(caller, &values);
    let status = match arguments.write {
        None => written(filled_in.page.as_bytes()),
        Some(folder) => write_to(&folder, &filled_in),
    };
    if !values.samples().is_empty() {
        complain(&format!("sample values stand in it: give {}", values.samples().join(" and ")));
    }
    status
}

fn list() -> String {
    let mut text = "ingress setup CALLER prints its configuration; CALLER is one of\n".to_owned();
    for caller in CALLERS {
        text.push_str(&format!("  {:<15} {}\n", caller.name, caller.title()));
    }
    text.push_str(
        "Say what it is for: --domain reply.example.com --inbox support@example.com; --write DIR writes files.\n",
    );
    text
}

fn written(text: &[u8]) -> ExitCode {
    ExitCode::from(status_after(&print(text), 0))
}

fn failed(status: u8, text: &str) -> ExitCode {
    complain(text);
    ExitCode::from(status)
}

/// Writes the files into a folder, which it makes; nothing is overwritten.
fn write_to(folder: &Path, filled_in: &FilledIn) -> ExitCode {
    let there = |name: &&str| folder.join(name).symlink_metadata().is_ok();
    if let Some(name) = filled_in.files.iter().map(|(name, _)| *name).find(there) {
        let path = folder.join(name);
        return failed(
            exit::CANNOT_CREATE,
            &format!("{}: is there already, nothing was written", path.display()),
        );
    }
    if let Err(error) = fs::create_dir_all(folder) {
        return failed(exit::CANNOT_CREATE, &format!("{}: {}", folder.display(), plain(&error)));
    }
    let mut report = String::new();
    for (name, text) in &filled_in.files {
        let path = folder.join(name);
        let result = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(error) = result {
            return failed(exit::CANNOT_CREATE, &format!("{}: {}", path.display(), plain(&error)));
        }
        report.push_str(&format!("{}\n", path.display()));
    }
    written(report.as_bytes())
}
