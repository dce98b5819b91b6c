//! Exim's pipe transport.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::folder::{USER, append, mode};
use crate::support::guard::Guard;
use crate::support::matrix::matrix;
use crate::support::processes::Processes;
use crate::support::smtp;
use crate::support::{Caller, Deployment, Mail};
use crate::support::{Port, eventually, unpacked};

pub(super) struct Exim {
    daemon: Guard,
    /// All of Exim's processes name it.
    configuration: PathBuf,
    log: PathBuf,
    returned: PathBuf,
    port: Port,
}

impl Exim {
    /// Starts one whose transport is as `edited` makes it.
    pub(super) fn start_edited(deployment: &Deployment, edited: impl Fn(String) -> String) -> Self {
        let folder = deployment.folder();
        let setup = deployment.setup("exim");
        for name in ["chatwoot_router", "chatwoot_transport", "chatwoot_domains", "chatwoot_inboxes"] {
            let path = setup.join(name);
            let text = fs::read_to_string(&path).unwrap().replace("/etc/exim4", &setup.display().to_string());
            fs::write(&path, if name == "chatwoot_transport" { edited(text) } else { text }).unwrap();
        }
        append(&setup.join("chatwoot_inboxes"), "-help@reply.example.com\n\"o'brien b@reply.example.com\"\n");
        let returned = folder.join("returned");
        fs::write(&returned, "").unwrap();
        mode(&returned, 0o666);
        let port = Port::hold();
        let configuration = folder.join("exim.conf");
        let spool = folder.join("spool");
        fs::create_dir_all(&spool).unwrap();
        fs::write(&configuration, plain(&setup, &spool, &returned, port.number())).unwrap();
        let mut command = exim(&configuration);
        command.args(["-bdf", "-q1h"]);
        let daemon = Guard::start(&mut command);
        let log = spool.join("log/main");
        let address = ("127.0.0.1", port.number());
        eventually("Exim to listen", || TcpStream::connect(address).ok());
        Self { daemon, configuration, log, returned, port }
    }

    fn run(&self, argument: &str) -> String {
        let output = exim(&self.configuration).arg(argument).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "exim {argument}: {output:?}; {}", self.log());
        String::from_utf8(output.stdout).unwrap()
    }
}

fn exim(configuration: &Path) -> Command {
    let mut command = Command::new(unpacked("usr/sbin/exim4"));
    command.arg("-C").arg(configuration);
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A configuration in one file. Exim runs as root: for another user it would take no file but the one it was built for.
fn plain(setup: &Path, spool: &Path, returned: &Path, port: u16) -> String {
    format!(
        "exim_path = {exim}\nexim_user = root\nexim_group = root\nspool_directory = {spool}\nlog_file_path = {spool}/log/%s\n\
         primary_hostname = mx.example.net\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\ntls_advertise_hosts =\n\
         keep_environment =\nnever_users =\nsmtp_accept_max = 200\nsmtp_connect_backlog = 200\nsmtp_accept_queue_per_connection = 100\nqueue_run_max = 1\n\
         domainlist local_domains = @\n\
         domainlist relay_to_domains = lsearch;{setup}/chatwoot_domains\n\
         acl_smtp_rcpt = recipient\nacl_smtp_data = accept\n\
         begin acl\n\
         recipient:\n  require domains = +relay_to_domains\n  require verify = recipient\n  accept\n\
         begin routers\n.include {setup}/chatwoot_router\n\
         returned:\n  driver = accept\n  transport = returned\n\
         begin transports\n.include {setup}/chatwoot_transport\n\
         returned:\n  driver = pipe\n  command = /usr/bin/tee -a {returned}\n  user = {USER}\n  ignore_status\n\
         begin retry\n* * F,2h,15m; G,16h,1h,1.5; F,4d,6h\n",
        exim = unpacked("usr/sbin/exim4").display(),
        spool = spool.display(),
        setup = setup.display(),
        returned = returned.display(),
    )
}

impl Caller for Exim {
    const NAME: &'static str = "Exim";
    const DELIVERED: &'static [&'static str] = &[" => ", "R=chatwoot_reply T=chatwoot"];
    const DEFERRED: &'static [&'static str] = &[" == ", "T=chatwoot defer (0): Child process", "returned 75"];
    const REJECTED: &'static [&'static str] = &[" ** ", "T=chatwoot: Child process", "returned 65"];
    const TOO_LARGE: &'static str = "5.3.4 The message is too large";

    fn start(deployment: &Deployment) -> Self {
        Self::start_edited(deployment, |transport| transport)
    }

    fn submit(&self, mail: &Mail) -> Result<(), String> {
        smtp::submit(self.port.number(), &mail.sender, &[&mail.recipient], &mail.text)
    }

    fn turn(&self) {
        self.run("-qff");
    }

    fn kept(&self) -> Option<usize> {
        let busy = Processes::of(&self.configuration).any(|process| process != self.daemon.id());
        if busy { None } else { self.run("-bpc").trim().parse().ok() }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn returned(&self) -> String {
        fs::read_to_string(&self.returned).unwrap()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        Processes::of(&self.configuration).end();
    }
}

matrix!(Exim);
