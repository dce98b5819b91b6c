//! Where settings come from, and which win.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::run::Ingress;
use crate::server::{Request, Server};
use crate::setting::{MESSAGE, MISCONFIGURED, NOBODY, PASSWORD, Setting, on_the_wire};

const RELAY: &str = "/rails/action_mailbox/relay/inbound_emails";

/// Path and password of a request.
fn asked(request: &Request) -> (String, String) {
    let mut words = request.head.split(' ');
    let basic = request.head.split("authorization: Basic ").nth(1).unwrap().split("\r\n").next().unwrap();
    let password = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
    (words.nth(1).unwrap().to_owned(), password.strip_prefix("actionmailbox:").unwrap().to_owned())
}

/// Delivers, and asserts the path and the password that the server saw.
#[track_caller]
fn asks(server: &Server, run: Ingress, path: &str, password: &str) {
    run.run().assert_delivered();
    let last = server.requests().pop().unwrap();
    assert_eq!(asked(&last), (path.to_owned(), password.to_owned()));
}

/// A delivery with nothing configured but what follows.
fn bare() -> Ingress {
    Ingress::new().env("INGRESS_LOG", "off").stdin(MESSAGE)
}

#[test]
fn the_file_is_looked_for_in_its_places_in_order() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    for name in ["home/.config", "xdg", "named"] {
        std::fs::create_dir_all(setting.path(name)).unwrap();
    }
    let file =
        |password: &str| format!("url = \"{}\"\npassword = \"{password}\"\nlog = \"off\"\n", server.url());
    setting.write("home/.config/ingress.toml", file("home"), 0o600);
    setting.write("xdg/ingress.toml", file("xdg"), 0o600);
    setting.write("named/by-environment.toml", file("environment"), 0o600);
    setting.write("named/by-option.toml", file("option"), 0o600);
    let home = || Ingress::new().stdin(MESSAGE).env("HOME", setting.path("home"));
    asks(&server, home(), RELAY, "home");
    asks(&server, home().env("XDG_CONFIG_HOME", ""), RELAY, "home");
    asks(&server, home().env("XDG_CONFIG_HOME", "xdg").folder(&setting.shown("")), RELAY, "home");
    let xdg = || home().env("XDG_CONFIG_HOME", setting.path("xdg"));
    asks(&server, xdg(), RELAY, "xdg");
    asks(&server, xdg().env("INGRESS_CONFIG", ""), RELAY, "xdg");
    let named = || xdg().env("INGRESS_CONFIG", setting.path("named/by-environment.toml"));
    asks(&server, named(), RELAY, "environment");
    asks(&server, named().args(["-c", &setting.shown("named/by-option.toml")]), RELAY, "option");
    asks(
        &server,
        named().args([format!("--config={}", setting.shown("named/by-option.toml"))]),
        RELAY,
        "option",
    );
}

#[test]
fn a_file_that_is_named_must_be_there_though_others_are() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    std::fs::create_dir_all(setting.path(".config")).unwrap();
    std::fs::copy(setting.path("ingress.toml"), setting.path(".config/ingress.toml")).unwrap();
    let home = || bare().env("HOME", setting.path(""));
    home().args(["-c", &setting.shown("missing.toml")]).run().assert_deferred(MISCONFIGURED);
    home().env("INGRESS_CONFIG", setting.path("missing.toml")).run().assert_deferred(MISCONFIGURED);
    assert_eq!(server.connections(), 0);
}

#[test]
fn options_go_over_the_environment_over_the_file_over_chatwoot_s_env() {
    let server = Server::answering(204);
    let setting = Setting::new(NOBODY, "");
    let (url, base) = (server.url(), |name: &str| format!("{}/{name}", server.url()));
    setting.write("option", "by-option", 0o600);
    setting.write("environment", "by-environment", 0o600);
    let env = format!("FRONTEND_URL={url}/chatwoot\nRAILS_INBOUND_EMAIL_PASSWORD=by-chatwoot\n");
    setting.write("env", env, 0o600);
    let with_env = format!("chatwoot_env = \"{}\"\nlog = \"off\"\n", setting.shown("env"));
    setting.write("env.toml", &with_env, 0o644);
    setting.write("file.toml", format!("{with_env}url = \"{url}/file\"\npassword = \"by-file\"\n"), 0o600);
    let path = |name: &str| format!("/{name}{RELAY}");
    let by = |file: &str| Ingress::new().args(["-c", &setting.shown(file)]).stdin(MESSAGE);
    asks(&server, by("env.toml"), &path("chatwoot"), "by-chatwoot");
    asks(&server, by("file.toml"), &path("file"), "by-file");
    let rails = || by("file.toml").env("URL", base("rails"));
    asks(&server, rails(), &path("rails"), "by-file");
    let environment = || {
        rails()
            .env("INGRESS_URL", base("environment"))
            .env("INGRESS_PASSWORD_FILE", setting.path("environment"))
    };
    asks(&server, environment(), &path("environment"), "by-environment");
    let option = environment().args(["--url", &base("option"), "--password-file", &setting.shown("option")]);
    asks(&server, option, &path("option"), "by-option");
}

#[test]
fn two_passwords_on_one_level_are_one_too_many() {
    let setting = Setting::new(NOBODY, "password_file = \"/nonexistent\"");
    setting.run().assert_deferred(MISCONFIGURED);
    assert!(setting.failure_logged().contains(":4: password and password_file are both set: keep one\""));
    let setting = Setting::new(NOBODY, "");
    let both = [("INGRESS_PASSWORD", "x"), ("INGRESS_PASSWORD_FILE", "/nonexistent")];
    setting.ingress().envs(&both).run().assert_deferred(MISCONFIGURED);
    assert!(setting.failure_logged().contains("INGRESS_PASSWORD and INGRESS_PASSWORD_FILE are both set"));
}

/// A drop-in where `bin/rails action_mailbox:ingress:postfix URL=... INGRESS_PASSWORD=...` stood.
#[test]
fn the_rails_task_s_variables_are_enough() {
    let server = Server::answering(204);
    for url in [format!("{}{RELAY}", server.url()), server.url(), format!("{}/", server.url())] {
        asks(&server, bare().env("URL", url).env("INGRESS_PASSWORD", "x"), RELAY, "x");
    }
    let beside_others =
        [("RAILS_ENV", "production"), ("HOME", ""), ("INGRESS_URL", ""), ("INGRESS_CONFIG", "")];
    let run = bare().env("URL", server.url()).env("INGRESS_PASSWORD", "x").envs(&beside_others);
    asks(&server, run, RELAY, "x");
}

#[test]
fn the_path_is_added_when_it_is_missing() {
    let server = Server::answering(204);
    for (given, path) in [
        ("", RELAY.to_owned()),
        ("/", RELAY.to_owned()),
        ("/rails/action_mailbox", RELAY.to_owned()),
        (RELAY, RELAY.to_owned()),
        (&format!("{RELAY}/"), RELAY.to_owned()),
        ("/desk", format!("/desk{RELAY}")),
        (&format!("/desk{RELAY}"), format!("/desk{RELAY}")),
    ] {
        let setting = Setting::new(&format!("{}{given}", server.url()), "");
        asks(&server, setting.ingress(), &path, PASSWORD);
        assert!(!setting.log().contains("notice="), "{}", setting.log());
    }
}

#[test]
fn an_old_document_s_path_is_the_relay_s_with_a_notice_in_the_log() {
    let server = Server::answering(204);
    for old in ["postfix", "exim", "qmail"] {
        let setting =
            Setting::new(&format!("{}/rails/action_mailbox/{old}/inbound_emails", server.url()), "");
        asks(&server, setting.ingress(), RELAY, PASSWORD);
        let notice = format!(
            " notice=\"url ends in {old}/inbound_emails, which Rails no longer has: relay/inbound_emails is used\""
        );
        let logged = setting.logged();
        assert!(logged.len() == 1 && logged[0].ends_with(&notice), "{logged:?}");
    }
}

#[test]
fn chatwoot_s_own_env_is_the_whole_configuration() {
    let server = Server::answering(204);
    let setting = Setting::new(NOBODY, "");
    let env = format!(
        "# Chatwoot\nSECRET_KEY_BASE=0123\nFRONTEND_URL={}\nexport RAILS_INBOUND_EMAIL_SERVICE=relay # active\n\
         RAILS_INBOUND_EMAIL_PASSWORD='x y'\nSMTP_PASSWORD=other\nMAILER_SENDER_EMAIL=Chat <chat@example.com>\n",
        server.url()
    );
    setting.write("chatwoot.env", env, 0o640);
    let one_line = format!("chatwoot_env = \"{}\"\n", setting.shown("chatwoot.env"));
    setting.write("one-line.toml", one_line, 0o644);
    asks(&server, bare().args(["-c", &setting.shown("one-line.toml")]), RELAY, "x y");
    asks(&server, bare().env("INGRESS_CHATWOOT_ENV", setting.path("chatwoot.env")), RELAY, "x y");
}

#[test]
fn chatwoot_s_env_is_refused_when_it_is_not_there_or_others_can_read_it() {
    let setting = Setting::new(NOBODY, "");
    let run = |path: &str| {
        let log = setting.shown("ingress.log");
        Ingress::new().envs(&[("INGRESS_CHATWOOT_ENV", path), ("INGRESS_LOG", &log)]).stdin(MESSAGE).run()
    };
    let env = setting.shown("env");
    setting.write("env", format!("FRONTEND_URL={NOBODY}\nRAILS_INBOUND_EMAIL_PASSWORD=x\n"), 0o644);
    run(&env).assert_deferred(MISCONFIGURED);
    run("/nonexistent/.env").assert_deferred(MISCONFIGURED);
    run(&setting.fifo("fifo")).assert_deferred(MISCONFIGURED);
    let logged = setting.logged();
    assert!(logged[0].contains("others can read it: chmod o-rwx"), "{logged:?}");
    assert!(logged[1].contains("cannot read /nonexistent/.env: no such file or directory"), "{logged:?}");
    assert!(logged[2].contains("no URL of Chatwoot is set"), "{logged:?}");
}

#[test]
fn options_stand_before_and_after_their_values_in_each_form() {
    let server = Server::answering(204);
    let setting = Setting::new(NOBODY, "");
    setting.write("password", "x", 0o600);
    let (url, file) = (server.url(), setting.shown("password"));
    asks(&server, bare().args(["--url", &url, "--password-file", &file]), RELAY, "x");
    asks(&server, bare().args([format!("--url={url}"), format!("--password-file={file}")]), RELAY, "x");
    asks(
        &server,
        bare().args(["-v", "-ra@example.com", "-fs@example.org", "--url", &url, "--password-file", &file]),
        RELAY,
        "x",
    );
}

#[test]
fn an_unset_timeout_is_no_hurry_and_a_set_one_has_its_limits() {
    for (more, cause) in [
        ("timeout = \"0s\"", "timeout must be a duration such as \\\"90s\\\" or \\\"2m\\\""),
        ("timeout = \"1h\"", "timeout must be at most \\\"15m\\\": Postfix bounces what takes 1000 seconds"),
        (
            "connect_timeout = \"soon\"",
            "connect_timeout must be a duration such as \\\"90s\\\" or \\\"2m\\\"",
        ),
        ("max_size = \"-1\"", "max_size must be a size such as \\\"64MiB\\\""),
        ("on_too_large = \"drop\"", "on_too_large must be \\\"reject\\\" or \\\"defer\\\""),
        (
            "log_level = \"loud\"",
            "log_level must be \\\"error\\\", \\\"warn\\\", \\\"info\\\" or \\\"debug\\\"",
        ),
        ("proxy = \"socks5://x\"", "proxy must be a URL that begins with https:// or http://"),
    ] {
        let setting = Setting::new(NOBODY, more);
        setting.run().assert_deferred(MISCONFIGURED);
        let cause = format!(" cause=\"{}:4: {cause}\" ", setting.shown("ingress.toml"));
        assert!(setting.failure_logged().contains(&cause), "{}", setting.log());
    }
    let server = Server::answering(204);
    asks(&server, Setting::new(&server.url(), "timeout = \"15m\"").ingress(), RELAY, PASSWORD);
}

#[test]
fn verbose_tells_where_each_setting_comes_from_what_is_sent_and_the_answer() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "timeout = \"1m\"\n[repair]\nmissing-to = false");
    setting.with(&["-v"]).env("INGRESS_SERVICE", "relay").run().assert_delivered();
    let file = setting.shown("ingress.toml");
    let url = server.url();
    let log = setting.shown("ingress.log");
    // Every test names a state_dir of its own.
    let is_of_each_test =
        |line: &String| line.starts_with("DEBUG connect") || line.starts_with("DEBUG setting=state_dir ");
    let told: Vec<String> = setting.logged().into_iter().filter(|line| !is_of_each_test(line)).collect();
    let (last, told) = told.split_last().unwrap();
    assert!(last.starts_with("INFO outcome=delivered "), "{last}");
    assert_eq!(
        told,
        [
            format!("DEBUG config={file}"),
            format!("DEBUG setting=url value={url} origin=\"url in {file}:1\""),
            "DEBUG setting=service value=relay origin=INGRESS_SERVICE".to_owned(),
            format!("DEBUG setting=timeout value=1m origin=\"timeout in {file}:4\""),
            format!("DEBUG setting=log value={log} origin=\"log in {file}:3\""),
            "DEBUG setting=log_level value=debug origin=--verbose".to_owned(),
            format!("DEBUG setting=repair value=\"off: missing-to\" origin=\"repair in {file}:5\""),
            format!("DEBUG setting=password origin=\"password in {file}:2\""),
            "DEBUG defaults=\"connect_timeout 10s, max_size 64MiB, max_attachment 40MiB, on_too_large reject, allow_http false\""
                .to_owned(),
            format!("DEBUG request=\"POST {url}{RELAY}\" size={}", on_the_wire(MESSAGE).len()),
            "DEBUG answer=204 ms=_".to_owned(),
        ]
    );
}

#[test]
fn verbose_tells_no_value_of_settings_that_are_wrong() {
    let setting = Setting::new(PASSWORD, "");
    setting.with(&["-v"]).run().assert_deferred(MISCONFIGURED);
    let log = setting.log();
    assert!(
        log.contains(&format!("setting=url origin=\"url in {}:1\"", setting.shown("ingress.toml"))),
        "{log}"
    );
    assert!(!log.contains(PASSWORD) && !log.contains("value="), "{log}");
}
