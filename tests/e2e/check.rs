//! `ingress check` against a real Action Mailbox and a real nginx, as root and as the mail server's user. It stores nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, NOGROUP, PASSWORD, SIGNING_KEY, USER, mode};
use crate::support::nginx::Nginx;
use crate::support::{Ended, Ingress, Port};

const WELL: &str = "ok    endpoint        takes the password, and would take mail (415 to an empty probe)\n";
const READY: &str = "\nReady: a delivery would work now.\n";

/// Checks with the program and the configuration in the folder.
fn check(folder: &Folder, more: &[&str]) -> Ended {
    let output = Command::new(folder.join("ingress"))
        .args(["check", "-c", &folder.shown("ingress.toml")])
        .args(more)
        .env_clear()
        .output()
        .unwrap();
    let shown = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), stdout: shown(output.stdout), stderr: shown(output.stderr) }
}

/// Asserts that the check fails with this finding, remedy, and exit status, and shows no password.
#[track_caller]
fn assert_fails(ended: &Ended, status: i32, finding: &str, remedy: &str) {
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(status), ""), "{shown}");
    assert!(ended.stdout.contains(&format!("FAIL  {finding}\n                      {remedy}")), "{shown}");
    assert!(ended.stdout.contains(&format!("\nNot ready. First, {remedy}")), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[track_caller]
fn assert_ready(ended: &Ended) {
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.contains(WELL) && ended.stdout.ends_with(READY), "{}", ended.stdout);
    assert!(!ended.stdout.contains(PASSWORD), "{}", ended.stdout);
}

#[test]
fn a_right_and_a_wrong_password_are_told_apart_and_nothing_is_stored() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    assert_ready(&check(&folder, &[]));
    assert_ready(&check(&folder, &["--as", USER]));
    let json: serde_json::Value =
        serde_json::from_str(&check(&folder, &["--as", USER, "--json"]).stdout).unwrap();
    assert_eq!((&json["ready"], &json["exit"], &json["next"]), (&true.into(), &0.into(), &().into()));
    assert_eq!(json["findings"][0]["what"], format!("{USER}, group nogroup"));
    folder.configure(&server.url(), "another");
    assert_fails(
        &check(&folder, &[]),
        69,
        "endpoint        401: Chatwoot has another password",
        &format!(
            "on Chatwoot's host: make RAILS_INBOUND_EMAIL_PASSWORD the same as password in {} here, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
            folder.shown("ingress.toml")
        ),
    );
    assert_eq!((server.records(), server.posts()), (0, 4));
    assert_eq!(fs::read(folder.join("ingress.log")).unwrap(), b"");
}

/// On Chatwoot's host the configuration is one line.
#[test]
fn a_message_that_is_there_stays_the_only_one() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    let env = folder.join(".env");
    let text = format!(
        "FRONTEND_URL={}\nRAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD=\"{PASSWORD}\"\n\
         MAILER_INBOUND_EMAIL_DOMAIN=reply.example.com\nACTIVE_STORAGE_SERVICE=local\n",
        server.url()
    );
    fs::write(&env, text).unwrap();
    mode(&env, 0o600);
    fs::write(folder.join("ingress.toml"), format!("chatwoot_env = \"{}\"\n", env.display())).unwrap();
    let configuration = folder.shown("ingress.toml");
    let ingress = |words: [&str; 1]| Ingress::new(words).args(&["-c", &configuration, "--log", "stderr"]);
    let message: &[u8] = include_bytes!("../../examples/messages/reply.eml");
    let delivered = ingress(["-v"]).stdin(message).run();
    assert_eq!((delivered.status, delivered.stdout.as_str()), (Some(0), ""), "{}", delivered.stderr);
    assert_eq!(server.routed(1).len(), 1);
    let ended = ingress(["check"]).run();
    assert_eq!(ended.status, Some(0), "{}", ended.stdout);
    assert!(ended.stdout.contains(WELL), "{}", ended.stdout);
    assert!(ended.stdout.contains("ACTIVE_STORAGE_SERVICE is local: "), "{}", ended.stdout);
    assert!(
        ended.stdout.ends_with("\nReady: a delivery would work now; mind the warning.\n"),
        "{}",
        ended.stdout
    );
    assert_eq!((server.records(), server.posts()), (1, 2));
}

#[test]
fn another_service_than_the_relay_is_named() {
    let folder = Folder::new();
    let server = ActionMailbox::start_as(folder.path(), "sendgrid");
    folder.configure(&server.url(), PASSWORD);
    assert_fails(
        &check(&folder, &[]),
        69,
        "endpoint        404: there is no /rails/action_mailbox/relay/inbound_emails",
        "on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target); or correct url in ",
    );
    assert_eq!(server.records(), 0);
}

#[test]
fn a_server_without_password_is_named() {
    let folder = Folder::new();
    let server = ActionMailbox::start_with(folder.path(), "relay", &[("PASSWORD", "")]);
    folder.configure(&server.url(), PASSWORD);
    assert_fails(
        &check(&folder, &[]),
        69,
        "endpoint        500: it has no password for incoming mail, or failed",
        "on Chatwoot's host: set RAILS_INBOUND_EMAIL_PASSWORD, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
    );
    assert_eq!(server.records(), 0);
}

/// Each service is asked in its own way, and none stores anything.
#[test]
fn every_service_is_ready_with_its_secret_and_not_with_another() {
    for (service, secret, well, wrong) in [
        (
            "sendgrid",
            "password",
            "takes the password, and would take mail (422 ",
            "401: Chatwoot has another password",
        ),
        (
            "postmark",
            "password",
            "takes the password, and would take mail (422 ",
            "401: Chatwoot has another password",
        ),
        (
            "mailgun",
            "signing_key",
            "takes the signature, and would take mail (400 ",
            "401: Chatwoot has another key, or ",
        ),
        (
            "mandrill",
            "signing_key",
            "takes the signature, and would take mail (200 ",
            "401: Chatwoot has another key, or ",
        ),
    ] {
        let folder = Folder::new();
        let server = ActionMailbox::start_as(folder.path(), service);
        let configure = |value: &str| {
            let config = folder.join("ingress.toml");
            let text = format!(
                "url = \"{}\"\nservice = \"{service}\"\n{secret} = \"{value}\"\nlog = \"off\"\n",
                server.url()
            );
            fs::write(&config, text).unwrap();
            mode(&config, 0o600);
        };
        configure(if secret == "password" { PASSWORD } else { SIGNING_KEY });
        let ended = check(&folder, &[]);
        assert_eq!(ended.status, Some(0), "{}", ended.stdout);
        assert!(
            ended.stdout.contains(&format!("ok    endpoint        {well}")),
            "{service}: {}",
            ended.stdout
        );
        let source = format!("({secret} in {})", folder.shown("ingress.toml"));
        assert!(
            ended.stdout.contains(&format!("ok    {secret:<15} ")) && ended.stdout.contains(&source),
            "{}",
            ended.stdout
        );
        configure("another");
        let ended = check(&folder, &[]);
        assert_eq!(ended.status, Some(69), "{}", ended.stdout);
        assert!(
            ended.stdout.contains(&format!("FAIL  endpoint        {wrong}")),
            "{service}: {}",
            ended.stdout
        );
        assert_eq!((server.records(), server.posts()), (0, 2), "{service}");
    }
}

#[test]
fn https_that_is_forced_is_named() {
    let folder = Folder::new();
    let server = ActionMailbox::start_with(folder.path(), "relay", &[("FORCE_SSL", "true")]);
    folder.configure(&server.url(), PASSWORD);
    let config = folder.shown("ingress.toml");
    let remedy = format!("here: change url in {config} to the https URL that people use, not this port\n");
    let finding = "endpoint        308: https is forced, and redirects are not followed";
    assert_fails(&check(&folder, &[]), 69, finding, &remedy);
    assert_eq!(server.records(), 0);
}

#[test]
fn rails_that_is_down_behind_nginx_is_named() {
    let folder = Folder::new();
    let nobody = Port::hold();
    let nginx = Nginx::start(folder.path(), &format!("http://127.0.0.1:{}", nobody.number()), "1m");
    folder.configure(&nginx.url(), PASSWORD);
    assert_fails(
        &check(&folder, &[]),
        69,
        "endpoint        502: the proxy is up, but Chatwoot's web server is down",
        "on Chatwoot's host: start Chatwoot's web server (Rails, puma), or correct the address to which the proxy passes requests\n",
    );
}

/// The header alone asks: nothing is stored, and the limit is named with the directive that raises it.
#[test]
fn nginx_s_limit_is_found_when_it_is_below_max_size() {
    for (limit, found) in [
        ("1m", Some("takes 1 MiB, and max_size is 64 MiB: larger messages bounce")),
        ("20m", Some("takes 20 MiB, and max_size is 64 MiB: larger messages bounce")),
        ("64m", None),
        ("0", None),
    ] {
        let folder = Folder::new();
        let server = ActionMailbox::start(folder.path());
        let nginx = Nginx::start(folder.path(), &server.url(), limit);
        folder.configure(&nginx.url(), PASSWORD);
        let ended = check(&folder, &[]);
        assert_eq!(ended.status, Some(0), "{limit}: {}", ended.stdout);
        let warning = found.map(|what| {
            format!(
                "warn  max_size        the server before Chatwoot {what}\n                      \
                 on the proxy before Chatwoot: raise its limit: client_max_body_size 64m (nginx), LimitRequestBody 67108864 (Apache)\n"
            )
        });
        match warning {
            Some(warning) => assert!(ended.stdout.contains(&warning), "{limit}: {}", ended.stdout),
            None => assert!(!ended.stdout.contains("  max_size  "), "{limit}: {}", ended.stdout),
        }
        assert_eq!(server.records(), 0);
    }
}

/// Nothing of root's is this user's: each file that is not is named, with the command that lets it in.
#[test]
fn what_the_mail_server_s_user_may_not_read_is_named() {
    let folder = Folder::new();
    folder.configure("http://127.0.0.1:1", PASSWORD);
    let (config, log) = (folder.shown("ingress.toml"), folder.shown("ingress.log"));
    let user = format!("ok    user            {USER}, group nogroup\n");

    mode(Path::new(&config), 0o600);
    let ended = check(&folder, &["--as", USER]);
    assert!(ended.stdout.starts_with(&user), "{}", ended.stdout);
    let finding = format!("configuration   {config} may not be read (mode 0600, root:nogroup)");
    let remedy = format!("here: chgrp nogroup {config} && chmod g+r {config}\n");
    assert_fails(&ended, 78, &finding, &remedy);
    assert_eq!(check(&folder, &[]).status, Some(69), "root may read it");

    mode(Path::new(&config), 0o640);
    fs::create_dir(folder.join("private")).unwrap();
    mode(&folder.join("private"), 0o700);
    let secret = folder.shown("private/password");
    fs::write(&secret, PASSWORD).unwrap();
    mode(Path::new(&secret), 0o640);
    let text = format!("url = \"http://127.0.0.1:1\"\npassword_file = \"{secret}\"\nlog = \"{log}\"\n");
    fs::write(&config, text).unwrap();
    let private = folder.shown("private");
    let finding = format!(
        "password        {secret} cannot be reached: {private} may not be entered (mode 0700, root:root)"
    );
    assert_fails(
        &check(&folder, &["--as", USER]),
        78,
        &finding,
        &format!("here: chmod o+x {private}, or move the file elsewhere\n"),
    );

    mode(Path::new(&private), 0o711);
    let finding = format!("password        {secret} may not be read (mode 0640, root:root)");
    let remedy = format!("here: chgrp nogroup {secret} && chmod g+r {secret}\n");
    assert_fails(&check(&folder, &["--as", USER]), 78, &finding, &remedy);

    std::os::unix::fs::chown(&secret, None, Some(NOGROUP)).unwrap();
    fs::remove_file(&log).unwrap();
    let ended = check(&folder, &["--as", &format!("{USER}:nogroup")]);
    assert_eq!(ended.status, Some(69), "{}", ended.stdout);
    let password =
        format!("ok    password        {secret}, mode 0640, root:nogroup (password_file in {config})\n");
    assert!(ended.stdout.contains(&password), "{}", ended.stdout);
    let warning = format!("warn  log             {log} is not there and cannot be made (log in {config})\n");
    assert!(ended.stdout.contains(&warning), "{}", ended.stdout);
}

#[test]
fn a_program_that_the_user_may_not_run_is_named() {
    let folder = Folder::new();
    folder.configure("http://127.0.0.1:1", PASSWORD);
    mode(&folder.join("ingress"), 0o700);
    assert_fails(
        &check(&folder, &["--as", USER]),
        78,
        "program         nobody cannot start this program: permission denied",
        "here: install ingress where every user may run it, such as /usr/bin/ingress, mode 0755\n",
    );
}

/// A mail server gives no environment: what only root's shell says does not count.
#[test]
fn the_user_gets_no_environment() {
    let folder = Folder::new();
    let found = |more: &[&str]| {
        let mut command = Command::new(folder.join("ingress"));
        command.args(["check", "--log", "stderr"]).args(more);
        command.env_clear().env("INGRESS_URL", "http://127.0.0.1:1").env("INGRESS_PASSWORD", PASSWORD);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let (with, without) = (found(&[]), found(&["--as", USER]));
    assert!(with.contains("/rails/action_mailbox/relay/inbound_emails (INGRESS_URL)\n"), "{with}");
    assert!(without.contains("FAIL  url             no URL of Chatwoot is set\n"), "{without}");
}
