//! A real Postfix, an instance of the test's own, configured with what stands in `examples/postfix`.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::folder::{Folder, USER, mode};
use crate::support::processes::Processes;
use crate::support::smtp;
use crate::support::{Port, eventually};

pub(crate) struct Postfix {
    folder: PathBuf,
    configuration: PathBuf,
    log: PathBuf,
    /// What was sent back to `@example.org`.
    returned: PathBuf,
    port: Port,
}

/// One of the ways in which Postfix hands mail to ingress: which of the files are for it.
pub(crate) struct Way {
    pub(crate) main: Option<&'static str>,
    pub(crate) master: Option<&'static str>,
    pub(crate) tables: &'static [&'static str],
}

/// A service of pipe(8).
pub(crate) const PIPE: Way = Way {
    main: Some("main.cf"),
    master: Some("master.cf"),
    tables: &["chatwoot_virtual", "chatwoot_transport", "chatwoot_domain"],
};

/// An alias that local(8) delivers to.
pub(crate) const ALIAS: Way =
    Way { main: None, master: None, tables: &["chatwoot_aliases", "chatwoot_virtual", "chatwoot_domain"] };

impl Postfix {
    /// Starts an instance that hands mail for reply.example.com and the inboxes to the folder's ingress.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &folder.setup("postfix"), &PIPE)
    }

    /// Starts an instance with the files that `ingress setup postfix` wrote into a folder, those of one way to ingress.
    pub(crate) fn start_with(folder: &Folder, setup: &Path, way: &Way) -> Self {
        let configuration = folder.join("postfix");
        for name in ["postfix", "queue", "data"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        chown(folder.join("data"), Some(uid_of("postfix")), None).unwrap();
        let returned = folder.join("returned");
        fs::write(&returned, "").unwrap();
        mode(&returned, 0o666);
        for name in way.tables {
            fs::copy(setup.join(name), configuration.join(name)).unwrap();
        }
        let log = folder.join("maillog");
        let port = Port::hold();
        fs::write(configuration.join("main.cf"), main_cf(folder, &log, setup, way)).unwrap();
        fs::write(configuration.join("master.cf"), master_cf(folder, port.number(), setup, way)).unwrap();
        put_in_force(folder, setup, &configuration);
        let postfix = Self { folder: folder.path().to_owned(), configuration, log, returned, port };
        postfix.run("postfix", "start");
        let address = ("127.0.0.1", postfix.port.number());
        eventually(format_args!("Postfix to listen; {}", Shown(&postfix.log)), || {
            TcpStream::connect(address).ok()
        });
        postfix
    }

    pub(crate) fn send(&self, sender: &str, recipients: &[&str], message: &str) {
        smtp::send(self.port.number(), sender, recipients, message);
    }

    /// Tries everything that was put off again, once nothing is on its way: a flush passes over what is, and what a delivery agent
    /// has not let go of yet it puts back for a minute.
    pub(crate) fn flush(&self) {
        eventually(format_args!("a queue at rest; {}", Shown(&self.log)), || self.deferred());
        self.run("postqueue", "-f");
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How many lines of the log have all of `words`.
    pub(crate) fn lines(&self, words: &[&str]) -> usize {
        self.log().lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    /// Waits for `count` lines in which all of `words` stand.
    pub(crate) fn logged(&self, count: usize, words: &[&str]) {
        eventually(format_args!("{count} lines with {words:?}; {}", Shown(&self.log)), || {
            (self.lines(words) >= count).then_some(())
        });
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    /// How many messages are put off, when nothing else is in the queue.
    pub(crate) fn deferred(&self) -> Option<usize> {
        let queue = self.queue()?;
        let deferred = |message: &String| message.contains("\"queue_name\": \"deferred\"");
        queue.iter().all(deferred).then_some(queue.len())
    }

    /// Waits until nothing but `count` messages is in the queue, and those are put off: the log says how a delivery ended before the
    /// queue does.
    pub(crate) fn put_off(&self, count: usize) {
        eventually(format_args!("a queue of {count} deferred messages; {}", Shown(&self.log)), || {
            (self.deferred() == Some(count)).then_some(())
        });
    }

    /// Waits until nothing is left in the queue.
    pub(crate) fn emptied(&self) {
        self.put_off(0);
    }

    /// The messages in the queue, as `postqueue -j` shows them; nothing when it can't say.
    fn queue(&self) -> Option<Vec<String>> {
        let output = self.command("postqueue", "-j").stdout(Stdio::piped()).output().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        output.status.success().then_some(lines)
    }

    /// One of Postfix's commands, for this instance. They wait for its daemons without an end.
    fn command(&self, program: &str, argument: &str) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=1", "30", program, "-c"]).arg(&self.configuration).arg(argument);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, argument: &str) {
        let status = self.command(program, argument).status().unwrap();
        let hint = "tests/run has what the tests need";
        assert!(status.success(), "{program} {argument}: {status} ({hint}); {}", Shown(&self.log));
    }

    /// What came back to the sender.
    pub(crate) fn returned(&self) -> String {
        fs::read_to_string(&self.returned).unwrap()
    }
}

/// What a caller does that is a Postfix and nothing else.
macro_rules! by_postfix {
    () => {
        fn submit(&self, mail: &$crate::support::Mail) -> Result<(), String> {
            $crate::support::smtp::submit(self.0.port(), &mail.sender, &[&mail.recipient], &mail.text)
        }

        fn turn(&self) {
            self.0.flush();
        }

        fn kept(&self) -> Option<usize> {
            self.0.deferred()
        }

        fn log(&self) -> String {
            self.0.log()
        }

        fn returned(&self) -> String {
            self.0.returned()
        }
    };
}
pub(crate) use by_postfix;

impl Drop for Postfix {
    fn drop(&mut self) {
        let succeeds =
            |argument| self.command("postfix", argument).status().is_ok_and(|status| status.success());
        succeeds("abort");
        // Its processes write to the folder until they have ended.
        let end = Instant::now() + Duration::from_secs(10);
        while succeeds("status") && Instant::now() < end {
            sleep(Duration::from_millis(20));
        }
        Processes::of(&self.folder).end();
    }
}

/// The log, as it reads when it is shown.
struct Shown<'a>(&'a Path);

impl Display for Shown<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "Postfix's log:\n{}", fs::read_to_string(self.0).unwrap_or_default())
    }
}

fn uid_of(user: &str) -> u32 {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users
        .lines()
        .find(|line| line.starts_with(&format!("{user}:")))
        .unwrap_or_else(|| panic!("there is no user {user} (tests/run has what the tests need)"));
    line.split(':').nth(2).unwrap().parse().unwrap()
}

/// Runs the commands of the page that change this instance's configuration, which is in a folder of its own.
fn put_in_force(folder: &Folder, setup: &Path, configuration: &Path) {
    let page = written(folder, setup, "README.md");
    let (_, section) = page.split_once("\n## Put in force\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let commands = section.lines().filter_map(|line| line.strip_prefix("    "));
    for command in commands.filter(|command| !command.starts_with("postfix ")) {
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", command])
            .env("MAIL_CONFIG", configuration)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let output = shell.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

/// A file of `ingress setup postfix`, with its tables in this folder.
fn written(folder: &Folder, setup: &Path, name: &str) -> String {
    fs::read_to_string(setup.join(name)).unwrap().replace("/etc/postfix/", &folder.shown("postfix/"))
}

fn main_cf(folder: &Folder, log: &Path, setup: &Path, way: &Way) -> String {
    each_once(&format!(
        "compatibility_level = 3.6\n\
         queue_directory = {queue}\ndata_directory = {data}\nmaillog_file = {log}\nmaillog_file_prefixes = {root}\n\
         myhostname = mx.example.net\nmydestination = $myhostname, localhost\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         alias_maps =\nalias_database =\nlocal_recipient_maps =\ndefault_transport = returned\nsmtpd_client_connection_count_limit = 0\n\
         notify_classes =\nmessage_size_limit = 0\nmailbox_size_limit = 0\n{example}",
        queue = folder.shown("queue"),
        data = folder.shown("data"),
        log = log.display(),
        root = folder.path().display(),
        example = way.main.map(|name| written(folder, setup, name)).unwrap_or_default(),
    ))
}

/// The settings without those that are made again further down. Every process warns of them when it starts, by way of postlogd, and
/// so does postlogd: when its socket is full by then, it waits for itself for ever.
fn each_once(settings: &str) -> String {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in settings.lines() {
        match entries.last_mut() {
            Some((_, entry)) if line.starts_with(' ') => entry.push_str(&format!("{line}\n")),
            _ => {
                let name = line.split_once('=').map_or("", |(name, _)| name.trim());
                entries.retain(|(earlier, _)| name.is_empty() || *earlier != name);
                entries.push((name, format!("{line}\n")));
            }
        }
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// The queue manager looks every second for what a flush has put back.
fn master_cf(folder: &Folder, port: u16, setup: &Path, way: &Way) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - 250 smtpd\n\
         pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 1 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\nshowq unix n - n - - showq\n\
         error unix - - n - - error\nretry unix - - n - - error\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         local unix - n n - - local\n\
         postlog unix-dgram n - n - 1 postlogd\n\
         returned unix - n n - - pipe user={USER} argv=/usr/bin/tee -a {returned}\n{example}",
        returned = folder.shown("returned"),
        example = way.master.map(|name| written(folder, setup, name)).unwrap_or_default(),
    )
}
