//! A mail filter that Postfix's local(8) starts for an account, with `ingress` in its rules.

use std::fs;
use std::marker::PhantomData;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use super::{Caller, Deployment, Mail};
use crate::support::folder::{NOGROUP, USER, append, mode};
use crate::support::postfix::{Postfix, Way};
use crate::support::smtp;
use crate::support::{Later, eventually};

/// What is particular to one filter.
pub(crate) trait MailFilter: Sync {
    const NAME: &'static str;
    /// What Postfix's log says when it was deferred, and when it was bounced.
    const DEFERRED: &'static str;
    const REJECTED: &'static str;
    /// The status in the bounce of a message that is too large.
    const TOO_LARGE: &'static str;
    /// Its rules, among the files of `ingress setup`.
    const FILE: &'static str;

    /// The envelope recipient as `ingress` finds it.
    fn told(recipient: &str) -> Option<String>;

    /// The rules, for an account with this home.
    fn adapted(rules: &str, home: &Path) -> String;

    /// The command with which Postfix delivers to the account.
    fn command(rules: &Path) -> String;
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The filter said that it is delivered.
    Taken,
    Kept,
    Returned,
}

/// A filter, and the mail server before it.
pub(crate) struct Filter<F> {
    postfix: Postfix,
    /// Where the files of its page are.
    setup: PathBuf,
    /// Of the account.
    home: PathBuf,
    filter: PhantomData<F>,
}

/// All addresses are those of one account.
const FILTERED: Way =
    Way { main: Some("main.cf"), master: None, tables: &["chatwoot_virtual", "chatwoot_domain"] };

impl<F: MailFilter> Filter<F> {
    /// Gives the account the rules of the page, changed by `edit`, instead of those it has.
    pub(crate) fn configure(&self, edit: impl Fn(String) -> String) {
        write_rules::<F>(&self.setup, &self.home, edit);
    }

    /// What becomes of a message, as Postfix sees it.
    pub(crate) fn fate(&self, mail: &Mail) -> Fate {
        let before = self.log().len();
        self.submit(mail).unwrap();
        eventually(format_args!("an end of the delivery; {}", Later(|| self.log())), || {
            let log = self.log();
            let line = log.get(before..)?.lines().find(|line| line.contains("relay=local, "))?;
            [
                ("status=sent", Fate::Taken),
                ("status=deferred", Fate::Kept),
                ("status=bounced", Fate::Returned),
            ]
            .into_iter()
            .find_map(|(word, fate)| line.contains(word).then_some(fate))
        })
    }

    /// The mailbox of the account, where no message belongs.
    pub(crate) fn mailbox(&self) -> String {
        fs::read_to_string(self.home.join("mailbox")).unwrap_or_default()
    }
}

fn write_rules<F: MailFilter>(setup: &Path, home: &Path, edit: impl Fn(String) -> String) -> PathBuf {
    let text = fs::read_to_string(setup.join(F::FILE)).unwrap();
    let rules = home.join(F::FILE);
    fs::write(&rules, edit(F::adapted(&text, home))).unwrap();
    mode(&rules, 0o600);
    chown(&rules, Some(NOGROUP), Some(NOGROUP)).unwrap();
    rules
}

impl<F: MailFilter> Caller for Filter<F> {
    const NAME: &'static str = F::NAME;
    const DELIVERED: &'static [&'static str] =
        &["relay=local", "dsn=2.0.0, status=sent (delivered to command: "];
    const DEFERRED: &'static [&'static str] = &["relay=local", F::DEFERRED];
    const REJECTED: &'static [&'static str] = &["relay=local", F::REJECTED];
    const TOO_LARGE: &'static str = F::TOO_LARGE;

    const WRITES_X_ORIGINAL_TO: bool = true;

    fn told(recipient: &str) -> Option<String> {
        F::told(recipient)
    }

    fn start(deployment: &Deployment) -> Self {
        let setup = deployment.setup(F::NAME);
        let home = deployment.folder().join("account");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(NOGROUP), Some(NOGROUP)).unwrap();
        let rules = write_rules::<F>(&setup, &home, |rules| rules);
        // An address that the administrator's table keeps out, rules that are in no home, and less patience.
        append(&setup.join("chatwoot_virtual"), &format!("/@reply\\.example\\.com$/ {USER}@localhost\n"));
        let main = format!(
            "mailbox_command_maps = inline:{{ {{{USER} = {}}} }}\nlocal_destination_concurrency_limit = 20\nallow_min_user = yes\n",
            F::command(&rules)
        );
        append(&setup.join("main.cf"), &main);
        let postfix = Postfix::start_with(deployment.folder(), &setup, &FILTERED);
        Self { postfix, setup, home, filter: PhantomData }
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit(self.postfix.port(), &mail.sender, &[&mail.recipient], &mail.text)
    }

    fn turn(&self) {
        self.postfix.flush();
    }

    fn kept(&self) -> Option<usize> {
        self.postfix.deferred()
    }

    fn log(&self) -> String {
        self.postfix.log()
    }

    fn returned(&self) -> String {
        self.postfix.returned()
    }
}
