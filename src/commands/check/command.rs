//! `ingress check`: would a delivery work now, and if not, which setting on which machine must change? One line a finding, as they
//! come, then one sentence.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use super::account::{self, Account, ReadingUser};
use super::chatwoot_env::{self, Running};
use super::network_check::NetworkCheck;
use super::settings as settings_check;
use super::{Finding, Host, Report, Subject, log as log_check, state};
use crate::cli::{CheckArgs, Options};
use crate::exit;
use crate::io_error::plain;
use crate::output::complain;
use crate::settings::{self, Loaded, setting};
use chatwoot_mail::environment::Environment;

/// Checks; the status is sysexits(3)'s: 0 ready, 69 the endpoint or the way to it, 78 the configuration, 64 usage.
pub(crate) fn run(arguments: &CheckArgs, options: &Options, environment: &Environment) -> ExitCode {
    let mut report = Report::new(arguments.json);
    match arguments.user.as_deref() {
        Some(user) => as_user(user, options, report),
        None => {
            check(options, environment, &mut report);
            ExitCode::from(report.end())
        }
    }
}

/// Runs the whole check as that user; what this process may do proves nothing.
fn as_user(user: &str, options: &Options, mut report: Report) -> ExitCode {
    if !account::is_root() {
        return misused("--as needs root: sudo ingress check --as USER");
    }
    let account = match Account::named(user) {
        Ok(account) => account,
        Err(complaint) => return misused(&complaint),
    };
    ExitCode::from(match account.run(&words(options, report.json)) {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::TEMPORARY),
        Err(error) => {
            let what = format!("{} cannot start this program: {}", account.name(), plain(&error));
            report.add(Finding::fault(Subject::Program, what).with_remedy(
                Host::Here,
                "install ingress where every user may run it, such as /usr/bin/ingress, mode 0755",
            ));
            report.end()
        }
    })
}

fn misused(complaint: &str) -> ExitCode {
    complain(complaint);
    ExitCode::from(exit::USAGE)
}

/// The same command line, with paths that hold in any folder.
fn words(options: &Options, json: bool) -> Vec<OsString> {
    let absolute =
        |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    let options = [
        ("--config", options.settings.config.as_deref().map(absolute)),
        ("--url", options.settings.url.as_ref().map(Into::into)),
        ("--password-file", options.settings.password_file.as_deref().map(absolute)),
        ("--log", options.settings.log.as_ref().map(Into::into)),
    ];
    let given = options.into_iter().filter_map(|(option, value)| Some([option.into(), value?])).flatten();
    let json = json.then(|| OsStr::new("--json").to_owned());
    std::iter::once(OsStr::new("check").to_owned()).chain(given).chain(json).collect()
}

/// Everything, in order.
fn check(options: &Options, environment: &Environment, report: &mut Report) {
    report.add(account::finding());
    let loaded = settings::load(&options.settings, environment);
    report.extend(settings_check::findings(&loaded, environment));
    let Loaded { log, settings, sources } = loaded;
    if !report.blames(Subject::Setting("log")) {
        let origin = sources.origin_of(const { setting("log") }).to_string();
        report.add(log_check::finding(&log.target, &origin, ReadingUser::of(environment)));
    }
    if let Some(folder) = settings.as_ref().ok().and_then(|settings| settings.state_dir.as_deref()) {
        let origin = sources.origin_of(const { setting("state_dir") }).to_string();
        report.add(state::finding(folder, &origin, ReadingUser::of(environment)));
    }
    let settings = settings.ok().filter(|_| !report.has_fault());
    let running = match &settings {
        Some(settings) => NetworkCheck { settings, sources: &sources, environment }.run(report),
        None => Running::Unknown,
    };
    let env = sources.chatwoot();
    if let Some(path) = env.path() {
        report.extend(chatwoot_env::findings(path, env, settings.as_ref(), running));
    }
}
