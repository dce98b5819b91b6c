//! Whatever hangs, the process leaves: two seconds after `timeout` or a signal at the latest, and with 0 once the message was taken.

use std::fs::{self, File};
use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::mounts;
use crate::run::{Ended, Ingress, eventually};
use crate::server::{FullQueue, Server};
use crate::setting::{CANNOT_BE_REACHED, INTERRUPTED, MESSAGE, NOBODY, NOT_RECEIVED, NOT_STARTED, Setting};

/// How much later than promised a machine under load may be.
const SLACK: Duration = Duration::from_secs(3);

/// Runs it, and asserts that it is gone two seconds after `timeout`.
#[track_caller]
fn leaves_within(timeout: u64, ingress: Ingress) -> Ended {
    let started = Instant::now();
    let ended = ingress.run();
    let most = Duration::from_secs(timeout + 2) + SLACK;
    assert!(started.elapsed() < most, "{:?} of {most:?}: {ended:?}", started.elapsed());
    ended
}

/// A pipe that is full; whoever writes to it waits until the reader is dropped or emptied.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let takes_more = |writer: &std::io::PipeWriter| {
        poll(&mut [PollFd::new(writer, PollFlags::OUT)], Some(&Timespec::default())).unwrap() > 0
    };
    while takes_more(&writer) {
        writer.write_all(&[b'x'; 4096]).unwrap();
    }
    (reader, writer)
}

/// A socket that nobody reads, full, and a command that puts it at the place of `/dev/log`.
fn deaf_syslog(setting: &Setting) -> Option<(UnixDatagram, String)> {
    let enter = mounts::private()?;
    let folder = setting.path("dev");
    fs::create_dir(&folder).unwrap();
    let socket = UnixDatagram::bind(folder.join("log")).unwrap();
    fs::set_permissions(folder.join("log"), fs::Permissions::from_mode(0o666)).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"<22>older", folder.join("log")).is_ok() {}
    for device in ["null", "zero", "urandom"] {
        fs::write(folder.join(device), "").unwrap();
    }
    let shown = folder.display();
    let mounts = format!(
        "for d in null zero urandom; do mount --bind /dev/$d {shown}/$d; done && mount --rbind {shown} /dev && exec \"$@\""
    );
    Some((socket, format!("set -- {enter} sh -c '{mounts}' sh \"$@\"")))
}

#[test]
fn a_syslog_that_nobody_reads_costs_no_message() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "timeout = \"60s\"");
    let Some((syslog, mount)) = deaf_syslog(&setting) else { return };
    let run = || setting.with(&["--log", "syslog"]).after(&mount, "");
    // Not at its deadline, but as soon as the message is taken.
    leaves_within(0, run()).assert_delivered();
    assert_eq!(server.requests().len(), 1);
    let fails = Setting::new(NOBODY, "");
    leaves_within(0, fails.with(&["--log", "syslog"]).after(&mount, "")).assert_deferred(CANNOT_BE_REACHED);
    // The line is logged as soon as somebody reads there again.
    syslog.set_nonblocking(true).unwrap();
    while syslog.recv(&mut [0; 4096]).is_ok() {}
    run().run().assert_delivered();
    let mut line = vec![0; 4096];
    let length = syslog.recv(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line[..length]).into_owned();
    let (begin, rest) = line.split_once("]: ").unwrap();
    assert!(begin.starts_with("<21>ingress["), "{line}");
    assert!(rest.starts_with("outcome=delivered code=2.0.0 status=204 exit=0 message-id=<1@example.org> "));
}

#[test]
fn several_recipients_are_served_whatever_the_log_does() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "timeout = \"60s\"");
    let (_reader, writer) = full_pipe();
    let more = ["--log", "stderr", "-r", "a@example.com", "-r", "b@example.com", "-r", "c@example.com"];
    let ended = leaves_within(0, setting.with(&more).stderr_to(writer));
    ended.assert_delivered();
    assert_eq!(server.requests().len(), 3);
}

/// The first was taken, the second not: the mail server tries again.
#[test]
fn one_recipient_that_failed_is_the_end_of_all_whatever_the_log_does() {
    let server = Server::acting(|connection| {
        connection.request()?;
        connection.answer(if connection.number == 0 { 204 } else { 503 })
    });
    let setting = Setting::new(&server.url(), "timeout = \"60s\"");
    let (_reader, writer) = full_pipe();
    let more = ["--log", "stderr", "-r", "a@example.com", "-r", "b@example.com"];
    let ended = leaves_within(0, setting.with(&more).stderr_to(writer));
    ended.assert_deferred("4.3.2 Chatwoot takes no messages at present");
}

#[test]
fn a_stderr_that_nobody_reads_costs_no_message() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "timeout = \"60s\"");
    let (_reader, writer) = full_pipe();
    leaves_within(0, setting.with(&["--log", "stderr"]).stderr_to(writer)).assert_delivered();
    let (_reader, writer) = full_pipe();
    let fails = Setting::new(NOBODY, "timeout = \"60s\"");
    let run = fails.with(&["--log", "stderr"]).stderr_to(writer);
    leaves_within(0, run).assert_deferred(CANNOT_BE_REACHED);
}

#[test]
fn a_stdout_that_nobody_reads_changes_nothing() {
    let (_reader, writer) = full_pipe();
    let setting = Setting::new(NOBODY, "timeout = \"60s\"");
    leaves_within(0, setting.ingress().stdout_to(writer)).assert(75, "", "");
    assert!(setting.failure_logged().contains(" code=4.4.1 "));
    let hanging = Server::hanging();
    let (_reader, writer) = full_pipe();
    let setting = Setting::new(&hanging.url(), "timeout = \"1s\"");
    leaves_within(1, setting.ingress().stdout_to(writer)).assert(75, "", "");
    assert!(setting.failure_logged().contains(" code=4.4.7 "));
}

/// Postfix gives one pipe for both.
#[test]
fn everything_may_hang_at_once() {
    let (reader, writer) = full_pipe();
    let hanging = Server::hanging();
    let setting = Setting::new(&hanging.url(), "timeout = \"1s\"");
    let run = || setting.with(&["--log", "stderr"]).stdin_open(MESSAGE);
    let both =
        |run: Ingress| run.stdout_to(writer.try_clone().unwrap()).stderr_to(writer.try_clone().unwrap());
    leaves_within(1, both(run())).assert(75, "", "");
    let running = both(run()).start();
    let started = Instant::now();
    running.end().assert(75, "", "");
    assert!(started.elapsed() < Duration::from_secs(3) + SLACK);
    drop(reader);
}

#[test]
fn a_signal_ends_it_whatever_hangs() {
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "timeout = \"60s\"");
    let (_reader, writer) = full_pipe();
    let ends = |ingress: Ingress, requests: usize, said: &str| {
        let running = ingress.start();
        eventually("the request", || (server.requests().len() == requests).then_some(()));
        running.signal("TERM");
        let started = Instant::now();
        running.end().assert(75, said, "");
        assert!(started.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", started.elapsed());
    };
    let line = format!("{INTERRUPTED}\n");
    ends(setting.with(&["--log", "stderr"]).stderr_to(writer.try_clone().unwrap()), 1, &line);
    ends(setting.ingress().stdout_to(writer.try_clone().unwrap()), 2, "");
    let Some((_syslog, mount)) = deaf_syslog(&setting) else { return };
    // Gone is the shell, not what it became.
    ends(setting.with(&["--log", "syslog"]).after(&mount, ""), 3, &line);
}

/// As a dead mount does: nothing comes, and opening it does not end.
#[test]
fn a_file_that_hangs_is_named_by_the_phase() {
    let setting = Setting::new("https://localhost:1", "timeout = \"1s\"");
    setting.configure_more(&format!("ca_file = \"{}\"", setting.fifo("ca.pem")));
    leaves_within(1, setting.ingress()).assert_deferred(NOT_STARTED);
    let logged = setting.failure_logged();
    assert!(
        logged.contains(" remedy=\"find out which of the files that the configuration names hangs"),
        "{logged}"
    );
    assert!(!logged.contains("Chatwoot"), "{logged}");
}

#[test]
fn a_resolver_that_is_silent_is_named() {
    let Some(enter) = mounts::private() else { return };
    // The resolver asks port 53, on an address of this machine that nobody else uses.
    let address = format!("127.53.{}.{}", std::process::id() / 250 % 250 + 1, std::process::id() % 250 + 1);
    let Ok(_silent) = UdpSocket::bind((address.as_str(), 53)) else {
        eprintln!("NOT TESTED: this user may not listen on port 53");
        return;
    };
    let setting = Setting::new("http://chat.example.com", "timeout = \"4s\"\nallow_http = true");
    setting.write("resolv.conf", format!("nameserver {address}\noptions timeout:30\n"), 0o644);
    let mount = format!(
        "set -- {enter} sh -c 'mount --bind {} /etc/resolv.conf && exec \"$@\"' sh \"$@\"",
        setting.shown("resolv.conf")
    );
    let unresolved = "4.4.3 Chatwoot's host name cannot be resolved";
    leaves_within(4, setting.ingress().after(&mount, "")).assert_deferred(unresolved);
    let logged = setting.failure_logged();
    assert!(logged.contains(" code=4.4.3 "), "{logged}");
    assert!(logged.contains(" cause=\"the resolver gave no answer"), "{logged}");
    fs::remove_file(setting.path("ingress.log")).unwrap();
    setting.configure_more("connect_timeout = \"1s\"");
    leaves_within(1, setting.ingress().after(&mount, "")).assert_deferred(unresolved);
    let logged = setting.failure_logged();
    let cause = " cause=\"the resolver gave no answer for chat.example.com within connect_timeout\" ";
    assert!(logged.contains(cause), "{logged}");
}

/// Postfix's `default_process_limit` is one, `ulimit -u` of the mail server's user another.
#[test]
fn no_thread_for_the_resolver_is_no_reason_to_fail() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root becomes a user without other processes");
        return;
    }
    let server = Server::answering(204);
    let setting = Setting::new(
        &format!("http://localhost:{}", server.port()),
        "log = \"off\"".trim_end_matches("log = \"off\""),
    );
    let folder = setting.path("");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    setting.write("ingress.toml", fs::read(setting.path("ingress.toml")).unwrap(), 0o640);
    let limit = "set -- setpriv --reuid 47123 --regid 0 --clear-groups prlimit --nproc=1 \"$@\"";
    let run = setting.with(&["--log", "off"]).after(limit, "");
    run.run().assert_delivered();
    let fails = Setting::new("http://localhost:1", "");
    fs::set_permissions(fails.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fails.write("ingress.toml", fs::read(fails.path("ingress.toml")).unwrap(), 0o640);
    fails.with(&["--log", "off"]).after(limit, "").run().assert_deferred(CANNOT_BE_REACHED);
}

#[test]
fn nobody_who_takes_the_connection_is_waited_for_longer_than_the_deadline() {
    let full = FullQueue::new();
    let setting = Setting::new(&format!("http://{}", full.address), "timeout = \"1s\"");
    leaves_within(1, setting.ingress()).assert_deferred(CANNOT_BE_REACHED);
    let logged = setting.failure_logged();
    assert!(logged.contains(" cause=\"no connection "), "{logged}");
}

/// The time that a process is stopped counts: the mail server waits all the while.
#[test]
fn a_delivery_that_was_stopped_keeps_its_deadline() {
    let setting = Setting::new(NOBODY, "timeout = \"2s\"");
    let started = Instant::now();
    let running = setting.ingress().stdin_open(MESSAGE).start();
    running.wait_until_read();
    running.signal("STOP");
    eventually("the deadline", || (started.elapsed() > Duration::from_secs(3)).then_some(()));
    running.signal("CONT");
    let continued = Instant::now();
    running.end().assert_deferred(NOT_RECEIVED);
    assert!(continued.elapsed() < Duration::from_secs(1) + SLACK, "{:?}", continued.elapsed());
}

/// What Chatwoot said while the process was stopped is heard.
#[test]
fn an_answer_that_came_while_it_was_stopped_counts() {
    let (stopped, go) = std::sync::mpsc::channel::<()>();
    let go = std::sync::Mutex::new(go);
    let (answered, answer) = std::sync::mpsc::channel::<()>();
    let server = Server::acting(move |connection| {
        connection.request()?;
        let _ = go.lock().unwrap().recv();
        connection.answer(204)?;
        let _ = answered.send(());
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
    let setting = Setting::new(&server.url(), "timeout = \"2s\"");
    let started = Instant::now();
    let running = setting.ingress().start();
    eventually("the request", || (!server.requests().is_empty()).then_some(()));
    running.signal("STOP");
    stopped.send(()).unwrap();
    answer.recv().unwrap();
    eventually("the deadline", || (started.elapsed() > Duration::from_secs(3)).then_some(()));
    running.signal("CONT");
    running.end().assert_delivered();
}

/// A caller that hands over a terminal, a socket or a pipe of its own finds it as it was: nobody else's writes begin to fail.
#[test]
fn the_caller_s_streams_stay_blocking() {
    let (reader, writer) = std::io::pipe().unwrap();
    let setting = Setting::new(NOBODY, "");
    let stderr = OwnedFd::from(writer.try_clone().unwrap());
    let run = setting.with(&["--log", "stderr"]).stdout_to(writer.try_clone().unwrap());
    run.stderr_to(Stdio::from(stderr)).run().assert(75, "", "");
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
    drop(File::from(OwnedFd::from(reader)));
}

/// A thread that waits for it in the kernel sees no signal: another one must.
#[cfg(target_os = "linux")]
#[test]
fn a_dead_mount_holds_nothing_up() {
    let Some(enter) = mounts::private().filter(|_| File::open("/dev/fuse").is_ok()) else { return };
    let setting = Setting::new(NOBODY, "timeout = \"1s\"");
    fs::create_dir(setting.path("dead")).unwrap();
    // A file system whose program never answers; whoever opens a file there waits.
    let options = "fd=9,rootmode=40000,user_id=0,group_id=0";
    let mount = format!(
        "set -- {enter} sh -c 'exec 9<>/dev/fuse && mount -i -t fuse -o {options} dead {} && exec \"$@\"' sh \"$@\"",
        setting.shown("dead")
    );
    let dead = setting.shown("dead/file");
    leaves_within(1, setting.with(&["--log", &dead]).after(&mount, "")).assert_deferred(NOT_STARTED);
    let running = setting.with(&["--password-file", &dead]).after(&mount, "").start();
    let name = format!("/proc/{}/wchan", running.id());
    eventually("the dead mount", || fs::read_to_string(&name).unwrap().starts_with("fuse_").then_some(()));
    running.signal("TERM");
    let started = Instant::now();
    running.end().assert_deferred(INTERRUPTED);
    assert!(started.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", started.elapsed());
}
