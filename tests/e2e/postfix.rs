//! A real Postfix, an instance of the test's own, configured with what stands in `examples/postfix`.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::folder::{Folder, USER, mode};
use crate::smtp;
use crate::support::{eventually, free_port};

pub(crate) struct Postfix {
    configuration: PathBuf,
    log: PathBuf,
    /// What was sent back to `@example.org`.
    returned: PathBuf,
    port: u16,
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/postfix");

impl Postfix {
    /// Starts an instance that hands mail for reply.example.com and the inboxes to the folder's ingress.
    pub(crate) fn start(folder: &Folder) -> Self {
        let configuration = folder.join("postfix");
        for name in ["postfix", "queue", "data"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        chown(folder.join("data"), Some(uid_of("postfix")), None).unwrap();
        let returned = folder.join("returned");
        fs::write(&returned, "").unwrap();
        mode(&returned, 0o666);
        for name in ["chatwoot_recipients", "chatwoot_transport"] {
            fs::write(configuration.join(name), filled_in(folder, name)).unwrap();
        }
        let log = folder.join("maillog");
        let mut port = 0;
        let started = (0..5).any(|_| {
            port = free_port();
            fs::write(configuration.join("main.cf"), main_cf(folder, &log)).unwrap();
            fs::write(configuration.join("master.cf"), master_cf(folder, port)).unwrap();
            run(&configuration, "postfix", &["start"]) && eventually_listening(port, &log)
        });
        let postfix = Self { configuration, log, returned, port };
        assert!(started, "postfix does not start:\n{}", postfix.log());
        postfix
    }

    pub(crate) fn send(&self, sender: &str, recipients: &[&str], message: &str) {
        smtp::send(self.port, sender, recipients, message);
    }

    /// Tries everything in the queue again, now.
    pub(crate) fn flush(&self) {
        assert!(run(&self.configuration, "postqueue", &["-f"]));
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for `count` lines in which all of `words` stand.
    pub(crate) fn logged(&self, count: usize, words: &[&str]) {
        eventually(&format!("{count} lines of Postfix's log with {words:?} in:\n{}", self.log()), || {
            let lines =
                self.log().lines().filter(|line| words.iter().all(|word| line.contains(word))).count();
            (lines >= count).then_some(())
        });
    }

    /// How many messages wait in the queue.
    pub(crate) fn queued(&self) -> usize {
        let output = Command::new("postqueue").arg("-c").arg(&self.configuration).arg("-j").output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().count()
    }

    /// What came back to the sender.
    pub(crate) fn returned(&self) -> String {
        fs::read_to_string(&self.returned).unwrap()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        run(&self.configuration, "postfix", &["abort"]);
    }
}

fn uid_of(user: &str) -> u32 {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users
        .lines()
        .find(|line| line.starts_with(&format!("{user}:")))
        .expect("the package postfix made its user");
    line.split(':').nth(2).unwrap().parse().unwrap()
}

fn eventually_listening(port: u16, log: &Path) -> bool {
    eventually("Postfix to listen", || {
        let refused = || fs::read_to_string(log).unwrap_or_default().contains("Address already in use");
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(_) => Some(true),
            Err(_) if refused() => Some(false),
            Err(_) => None,
        }
    })
}

fn run(configuration: &Path, program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.arg("-c").arg(configuration).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => panic!("cannot run {program}: {error} (tests/run installs what the tests need)"),
    }
}

/// A file of `examples/postfix` with this folder's paths and user.
fn filled_in(folder: &Folder, name: &str) -> String {
    let text = fs::read_to_string(format!("{EXAMPLES}/{name}")).unwrap();
    text.replace("/usr/bin/ingress", &folder.shown("ingress"))
        .replace("/etc/ingress.toml", &folder.shown("ingress.toml"))
        .replace("/etc/postfix/", &folder.shown("postfix/"))
        .replace("user=ingress", &format!("user={USER}"))
}

fn main_cf(folder: &Folder, log: &Path) -> String {
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {queue}\ndata_directory = {data}\nmaillog_file = {log}\nmaillog_file_prefixes = {root}\n\
         myhostname = mx.example.net\nmydestination =\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         alias_maps =\nalias_database =\nlocal_recipient_maps =\ndefault_transport = returned\nsmtpd_client_connection_count_limit = 0\n\
         notify_classes =\nmessage_size_limit = 0\nmailbox_size_limit = 0\n{example}",
        queue = folder.shown("queue"),
        data = folder.shown("data"),
        log = log.display(),
        root = folder.path().display(),
        example = filled_in(folder, "main.cf"),
    )
}

fn master_cf(folder: &Folder, port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - 250 smtpd\n\
         pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\nshowq unix n - n - - showq\n\
         error unix - - n - - error\nretry unix - - n - - error\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n\
         returned unix - n n - - pipe user={USER} argv=/usr/bin/tee -a {returned}\n{example}",
        returned = folder.shown("returned"),
        example = filled_in(folder, "master.cf"),
    )
}
