//! `ingress check`: each thing that can be wrong is named with its cause and its remedy, and nothing is created anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::authority::Authority;
use crate::checked::{CHATWOOT, Checked, OPENING, answering};
use crate::run::{Ingress, binary, eventually};
use crate::server::{FullQueue, Server};
use crate::setting::{MESSAGE, NOBODY, PASSWORD, Setting, on_the_wire};

const CONNECTED: &str = "ok    connection      127.0.0.1 port PORT in _ ms\n";

/// Asserts what is said of a server that gives these answers, after the lines that every report begins with.
#[track_caller]
fn says(probe: &str, api: Option<&str>, status: i32, more: &str) {
    let server = answering(probe, api);
    Checked::of(&Setting::new(&server.url(), ""), server.port())
        .assert(status, &format!("{CONNECTED}{more}"));
}

/// As `says` for one finding at the endpoint and its remedy, which is the first thing to do.
#[track_caller]
fn fails(probe: &str, finding: &str, remedy: &str) {
    let more = format!(
        "FAIL  endpoint        {finding}\n                      {remedy}\n\nNot ready. First, {remedy}"
    );
    says(probe, None, 69, &more);
}

#[test]
fn all_is_well() {
    let server = answering("415 Unsupported Media Type", Some(CHATWOOT));
    let setting = Setting::new(&server.url(), "");
    Checked::of(&setting, server.port()).assert(
        0,
        "\
ok    connection      127.0.0.1 port PORT in _ ms
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
ok    chatwoot        version 4.14.2, Redis ok, PostgreSQL ok

Ready: a delivery would work now.",
    );
    let [probe, api] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert!(
        probe.head.starts_with("POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1\r\n"),
        "{}",
        probe.head
    );
    assert!(
        probe.head.contains("\r\ncontent-type: text/plain\r\n") && probe.body.is_empty(),
        "{}",
        probe.head
    );
    assert!(probe.head.contains("\r\nauthorization: Basic "), "{}", probe.head);
    assert!(
        api.head.starts_with("GET /api HTTP/1.1\r\n") && !api.head.contains("authorization"),
        "{}",
        api.head
    );
    assert!(!setting.path("ingress.log").exists(), "a check makes no log file");
}

#[test]
fn any_action_mailbox_will_do() {
    says(
        "415 Unsupported Media Type",
        None,
        0,
        "\
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
note  chatwoot        GET /api answers 404: not Chatwoot, or a proxy keeps it back; any Action Mailbox will do

Ready: a delivery would work now.",
    );
}

/// New Rails applications have a page of their own for 400 (`public/400.html`), which Rails gives to those who do not ask for JSON.
#[test]
fn a_page_for_400_does_not_hide_mailgun_s_yes() {
    let server = Server::acting(|connection| {
        let request = connection.received()?;
        let (kind, body) = match request.head.contains("\r\naccept: application/json\r\n") {
            true => ("application/json", "{\"status\":400,\"error\":\"Bad Request\"}"),
            false => ("text/html", "<h1>The server cannot process the request</h1>"),
        };
        let head =
            format!("HTTP/1.1 400 Bad Request\r\nContent-Type: {kind}\r\nContent-Length: {}", body.len());
        connection.say(format!("{head}\r\nConnection: close\r\n\r\n{body}"))
    });
    let setting = Setting::new(&server.url(), "service = \"mailgun\"\nsigning_key = \"x\"");
    let checked = Checked::of(&setting, server.port());
    assert_eq!(checked.status, Some(0), "{}", checked.text);
    let well = "ok    endpoint        takes the signature, and would take mail (400 to an empty probe)\n";
    assert!(checked.text.contains(well), "{}", checked.text);
}

#[test]
fn a_wrong_password_is_told_from_a_proxy_s() {
    fails(
        "401 Unauthorized\nWWW-Authenticate: Basic realm=\"Action Mailbox\"",
        "401: Chatwoot has another password",
        "on Chatwoot's host: make RAILS_INBOUND_EMAIL_PASSWORD the same as password in DIR/ingress.toml here, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
    );
    fails(
        "401 Unauthorized\nWWW-Authenticate: Basic realm=\"staff \u{202e}\"",
        "401: something before Chatwoot wants a password of its own (Basic realm=\"staff ?\")",
        "on the proxy before Chatwoot: exempt /rails/action_mailbox/ from its login: Chatwoot asks for the password itself",
    );
}

#[test]
fn another_service_than_the_relay_is_told_from_a_wrong_url() {
    fails(
        "404 Not Found",
        "404: there is no /rails/action_mailbox/relay/inbound_emails",
        "on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target); or correct url in DIR/ingress.toml here, if that is not Chatwoot's",
    );
    says(
        "404 Not Found",
        Some(CHATWOOT),
        69,
        "\
FAIL  endpoint        404: Chatwoot is there, but set to another service
                      on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)
ok    chatwoot        version 4.14.2, Redis ok, PostgreSQL ok

Not ready. First, on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
    );
}

#[test]
fn a_server_without_password_is_told_from_one_that_failed() {
    says(
        "500 Internal Server Error",
        Some(CHATWOOT),
        69,
        "\
FAIL  endpoint        500: Chatwoot is up, but has no password for incoming mail
                      on Chatwoot's host: set RAILS_INBOUND_EMAIL_PASSWORD, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)
ok    chatwoot        version 4.14.2, Redis ok, PostgreSQL ok

Not ready. First, on Chatwoot's host: set RAILS_INBOUND_EMAIL_PASSWORD, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
    );
    fails(
        "500 Internal Server Error",
        "500: it has no password for incoming mail, or failed",
        "on Chatwoot's host: set RAILS_INBOUND_EMAIL_PASSWORD, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target); if it is set, look into Chatwoot's log: database, Redis",
    );
}

#[test]
fn redis_that_is_down_loses_mail() {
    says(
        "415 Unsupported Media Type",
        Some(r#"{"version":"4.14.2","queue_services":"failing","data_services":"ok"}"#),
        69,
        "\
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
FAIL  chatwoot        version 4.14.2, Redis failing, PostgreSQL ok
                      on Chatwoot's host: start Redis, or correct REDIS_URL and POSTGRES_HOST in its environment: without them mail is refused or lost

Not ready. First, on Chatwoot's host: start Redis, or correct REDIS_URL and POSTGRES_HOST in its environment: without them mail is refused or lost",
    );
}

#[test]
fn a_server_that_fails_without_its_database_is_told_from_one_without_password() {
    let remedy = "on Chatwoot's host: start PostgreSQL, or correct REDIS_URL and POSTGRES_HOST in its environment: without them mail is refused or lost";
    says(
        "500 Internal Server Error",
        Some(r#"{"version":"4.14.2","queue_services":"ok","data_services":"failing"}"#),
        69,
        &format!(
            "\
FAIL  endpoint        500: Chatwoot fails without PostgreSQL
                      {remedy}
FAIL  chatwoot        version 4.14.2, Redis ok, PostgreSQL failing
                      {remedy}

Not ready. First, {remedy}"
        ),
    );
}

#[test]
fn redirects_name_the_url_to_use_or_the_login_in_the_way() {
    fails(
        "301 Moved\nLocation: https://127.0.0.1/rails/action_mailbox/relay/inbound_emails",
        "301: https is forced, and redirects are not followed",
        "here: change url in DIR/ingress.toml to https://127.0.0.1",
    );
    fails(
        "302 Found\nLocation: /app/login?secret=1",
        "302: a redirect to a login page at http://127.0.0.1:PORT",
        "on the proxy before Chatwoot: exempt /rails/action_mailbox/ from the login: Chatwoot asks for the password itself",
    );
    fails(
        "308 Permanent\nLocation: https://www.example.com:8443/x?token=1",
        "308: a redirect to https://www.example.com:8443",
        "here: change url in DIR/ingress.toml to that, if it is Chatwoot's; redirects are not followed",
    );
    fails("303 See Other", "303: a redirect to nowhere", "here: correct url in DIR/ingress.toml");
}

#[test]
fn what_is_not_chatwoot_is_not_taken_for_it() {
    fails(
        "200 OK\nContent-Type: text/html; charset=utf-8\n\n<form>log in</form>",
        "200: a page for people: a login page or another program answers there",
        "here: correct url in DIR/ingress.toml: a login page, a parked page or another program answers there; with a login before Chatwoot, exempt /rails/action_mailbox/ from it",
    );
    for status in ["200", "204"] {
        fails(
            status,
            &format!("{status}: what answers there is not Chatwoot: mail sent to it would be lost"),
            "here: correct url in DIR/ingress.toml: a login page, a parked page or another program answers there; with a login before Chatwoot, exempt /rails/action_mailbox/ from it",
        );
    }
}

#[test]
fn proxies_and_firewalls_are_named() {
    fails(
        "502 Bad Gateway",
        "502: the proxy is up, but Chatwoot's web server is down",
        "on Chatwoot's host: start Chatwoot's web server (Rails, puma), or correct the address to which the proxy passes requests",
    );
    fails(
        "504 Gateway Time-out",
        "504: the proxy is up, but Chatwoot does not answer it in time",
        "on Chatwoot's host: find out why Chatwoot's web server hangs: the proxy waits for it in vain",
    );
    fails(
        "413 Too Large",
        "413: even an empty message is too large",
        "on the proxy before Chatwoot: raise client_max_body_size in the proxy before Chatwoot (nginx's default is 1 MiB)",
    );
    fails(
        "407 Proxy",
        "407: the proxy wants a password",
        "here: the proxy wants a password: put it into the URL of proxy, or go without a proxy",
    );
}

#[test]
fn a_port_that_refuses_is_named() {
    let remedy = "on Chatwoot's host: start its web server on port PORT, or correct host and port here (url in DIR/ingress.toml)";
    let checked = Checked::of(&Setting::new(NOBODY, ""), 1);
    checked.assert(
        69,
        &format!(
            "FAIL  connection      127.0.0.1 port PORT: connection refused\n                      {remedy}\n\nNot ready. First, {remedy}"
        ),
    );
}

/// RFC 6761, section 6.4: names below `invalid` never resolve. Why not is the resolver's to say.
#[test]
fn a_name_that_does_not_resolve_is_named() {
    let checked = Checked::of(&Setting::new("http://chat.name.invalid", "allow_http = true"), 1);
    assert_eq!(checked.status, Some(69));
    let (before, after) =
        checked.text.split_once("FAIL  name            chat.name.invalid cannot be resolved: ").unwrap();
    let warning = "warn  url             the password and all mail travel in clear (allow_http)\n";
    assert!(before.contains(warning), "{before}");
    let remedy = "here: correct the host name (url in DIR/ingress.toml), or this machine's resolver: getent hosts chat.name.invalid";
    let (_why, after) = after.split_once('\n').unwrap();
    assert_eq!(after, format!("                      {remedy}\n\nNot ready. First, {remedy}"));
}

#[test]
fn a_name_is_told_with_its_addresses() {
    let server = answering("415 Unsupported Media Type", Some(CHATWOOT));
    let setting = Setting::new(&format!("http://localhost:{}", server.port()), "");
    let checked = Checked::of(&setting, server.port());
    assert_eq!(checked.status, Some(0), "{}", checked.text);
    let name =
        checked.text.lines().find(|line| line.starts_with("ok    name            localhost is ")).unwrap();
    assert!(name.contains("127.0.0.1") && name.ends_with(", in _ ms"), "{name}");
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let remedy = "on Chatwoot's host: find out why Chatwoot is slow, or raise timeout in ingress.toml";
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "timeout = \"1s\"");
    let started = Instant::now();
    let checked = Checked::of(&setting, server.port());
    assert!(started.elapsed() < Duration::from_secs(20));
    let set =
        "ok    timeout         1s (timeout in DIR/ingress.toml)\nok    defaults        connect_timeout 10s,";
    let opening = OPENING.replace("ok    defaults        timeout 2m, connect_timeout 10s,", set);
    checked.assert_whole(
        69,
        &format!(
            "{opening}{CONNECTED}FAIL  endpoint        no answer within 1s\n                      {remedy}\n\nNot ready. First, {remedy}"
        ),
    );
}

#[test]
fn an_answer_whose_body_never_comes_is_an_answer() {
    let server = Server::acting(|connection| {
        connection.request()?;
        connection.say("HTTP/1.1 415 No\r\nContent-Length: 100\r\n\r\n")?;
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
    let setting = Setting::new(&server.url(), "connect_timeout = \"1s\"");
    let checked = Checked::of(&setting, server.port());
    assert_eq!(checked.status, Some(0), "{}", checked.text);
    let end = "\
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
note  chatwoot        GET /api does not answer: not Chatwoot, or a proxy keeps it back; any Action Mailbox will do

Ready: a delivery would work now.";
    assert!(checked.text.ends_with(end), "{}", checked.text);
}

#[test]
fn a_connection_that_is_not_taken_is_given_up() {
    let full = FullQueue::new();
    let setting = Setting::new(&format!("http://{}", full.address), "connect_timeout = \"1s\"");
    let checked = Checked::of(&setting, full.address.port());
    assert_eq!(checked.status, Some(69));
    let remedy =
        "here: open the way to port PORT: route, firewalls, or another host (url in DIR/ingress.toml)";
    let end = format!(
        "FAIL  connection      127.0.0.1 port PORT: no answer in time\n                      {remedy}\n\nNot ready. First, {remedy}"
    );
    assert!(checked.text.ends_with(&end), "{}", checked.text);
}

#[test]
fn what_does_not_speak_http_is_named() {
    let server = Server::saying("SSH-2.0-OpenSSH_9.2\r\n");
    let checked = Checked::of(&Setting::new(&server.url(), ""), server.port());
    assert_eq!(checked.status, Some(69));
    assert!(
        checked.text.contains("FAIL  endpoint        the answer of 127.0.0.1:PORT is not HTTP: "),
        "{}",
        checked.text
    );
    let end =
        "Not ready. First, here: check scheme and port in url: what answers there speaks another protocol";
    assert!(checked.text.ends_with(end), "{}", checked.text);
}

#[test]
fn a_proxy_is_what_is_connected_to() {
    let proxy = answering("415 Unsupported Media Type", Some(CHATWOOT));
    let setting = Setting::new("http://chat.name.invalid", "allow_http = true");
    setting.configure_more(&format!("proxy = \"{}\"", proxy.url().replace("http://", "http://mail:sesame@")));
    let checked = Checked::of(&setting, proxy.port());
    assert_eq!(checked.status, Some(0), "{}", checked.text);
    assert!(
        checked.text.contains("ok    proxy           http://127.0.0.1:PORT (proxy in DIR/ingress.toml)\n"),
        "{}",
        checked.text
    );
    assert!(checked.text.contains(CONNECTED) && !checked.text.contains("sesame"), "{}", checked.text);
    let refusing =
        Setting::new("http://chat.name.invalid", &format!("allow_http = true\nproxy = \"{NOBODY}\""));
    let checked = Checked::of(&refusing, 1);
    assert_eq!(checked.status, Some(69));
    let remedy =
        "here: start the proxy on port PORT, or correct its host and port (proxy in DIR/ingress.toml)";
    assert!(checked.text.ends_with(&format!("Not ready. First, {remedy}")), "{}", checked.text);
}

#[test]
fn a_proxy_that_leads_nowhere_is_named() {
    for answer in ["403 Forbidden", "502 Bad Gateway"] {
        let proxy = answering(answer, None);
        let setting = Setting::new("https://chat.name.invalid", &format!("proxy = \"{}\"", proxy.url()));
        setting.trust(&Authority::new());
        let checked = Checked::of(&setting, proxy.port());
        assert_eq!(checked.status, Some(69), "{}", checked.text);
        let remedy = "here: look into the proxy's log whether it may and can connect to chat.name.invalid port 443 (proxy in DIR/ingress.toml)";
        assert!(checked.text.ends_with(&format!("Not ready. First, {remedy}")), "{}", checked.text);
    }
}

#[test]
fn a_broken_configuration_is_named_before_the_network_is_touched() {
    for (more, subject, what, remedy) in [
        (
            "pasword = \"x\"",
            "configuration",
            "DIR/ingress.toml:4: unknown key pasword: did you mean password?",
            "correct line 4 of DIR/ingress.toml",
        ),
        (
            "timeout = \"soon\"",
            "timeout",
            "DIR/ingress.toml:4: timeout must be a duration such as \"90s\" or \"2m\"",
            "correct line 4 of DIR/ingress.toml",
        ),
        (
            "password_file = \"/x\"",
            "password",
            "DIR/ingress.toml:4: password and password_file are both set",
            "keep one",
        ),
        (
            "[repair]\nmising-to = false",
            "repair",
            "DIR/ingress.toml:5: unknown repair mising-to in [repair]: did you mean missing-to?",
            "correct line 5 of DIR/ingress.toml",
        ),
        (
            "ca_file = \"/nonexistent/ca.pem\"",
            "ca_file",
            "/nonexistent/ca.pem is not there",
            "create /nonexistent/ca.pem, or name the right file",
        ),
    ] {
        let server = Server::answering(415);
        let checked = Checked::of(&Setting::new(&server.url(), more), server.port());
        assert_eq!(checked.status, Some(78), "{}", checked.text);
        let finding = format!("FAIL  {subject:<15} {what}\n                      here: {remedy}\n");
        assert!(checked.text.contains(&finding), "{finding}\n{}", checked.text);
        assert!(checked.text.ends_with(&format!("\n\nNot ready. First, here: {remedy}")), "{}", checked.text);
        assert_eq!(server.connections(), 0);
    }
}

#[test]
fn authorities_without_a_certificate_are_the_configuration_s_fault() {
    let server = Server::hanging();
    let setting = Setting::new(&server.url().replace("http:", "https:"), "");
    setting.write("ca.pem", "none", 0o644);
    setting.configure_more(&format!("ca_file = \"{}\"", setting.shown("ca.pem")));
    let checked = Checked::of(&setting, server.port());
    assert_eq!(checked.status, Some(78), "{}", checked.text);
    let end = "\
FAIL  ca_file         cannot read certificates from DIR/ca.pem: there is none in it
                      here: name a file with certificates, PEM, in ca_file

Not ready. First, here: name a file with certificates, PEM, in ca_file";
    assert!(checked.text.ends_with(end), "{}", checked.text);
}

#[test]
fn a_log_that_does_not_exist_is_not_called_well_too() {
    let setting = Setting::new(NOBODY, "");
    let ingress = Ingress::new().args(["-c", &setting.shown("ingress.toml"), "--log", "sislog"]);
    let checked = Checked::run(&setting, 1, ingress);
    let log: Vec<&str> = checked.text.lines().filter(|line| line.get(6..10) == Some("log ")).collect();
    assert_eq!(log, ["FAIL  log             --log must be \"syslog\", \"stderr\", \"off\" or a path"]);
}

/// Not the file, when an option, a variable or Chatwoot's own file goes before it.
#[test]
fn the_remedy_names_the_place_where_the_fault_is() {
    let setting = Setting::new(NOBODY, "");
    setting.write("empty", "", 0o600);
    setting.write(".env", "RAILS_INBOUND_EMAIL_SERVICE=Relay\n", 0o600);
    let (empty, env) = (setting.shown("empty"), setting.shown(".env"));
    for (option, variable, place) in [
        (["--url", "nonsense"], None, "--url"),
        (["--log", "sislog"], None, "--log"),
        (["--password-file", &empty], None, "that in DIR/empty"),
        (["--log", "off"], Some(("INGRESS_URL", "nonsense")), "INGRESS_URL"),
        (["--log", "off"], Some(("INGRESS_SERVICE", "nonsense")), "INGRESS_SERVICE"),
        (["--log", "off"], Some(("INGRESS_PASSWORD", "a\nb")), "INGRESS_PASSWORD"),
        (
            ["--log", "off"],
            Some(("INGRESS_CHATWOOT_ENV", env.as_str())),
            "RAILS_INBOUND_EMAIL_SERVICE in DIR/.env",
        ),
    ] {
        let mut ingress = Ingress::new().args(["-c", &setting.shown("ingress.toml")]).args(option);
        if let Some((name, value)) = variable {
            ingress = ingress.env(name, value);
        }
        let checked = Checked::run(&setting, 1, ingress);
        assert_eq!(checked.status, Some(78), "{}", checked.text);
        assert!(
            checked.text.ends_with(&format!("\n\nNot ready. First, here: correct {place}")),
            "{}",
            checked.text
        );
    }
}

/// What nobody writes to must not be waited for: a check ends.
#[test]
fn a_fifo_or_a_folder_in_the_place_of_a_file_is_named() {
    let setting = Setting::new("https://127.0.0.1:1", "");
    let (fifo, folder) = (setting.fifo("fifo"), setting.shown(""));
    let folder = folder.trim_end_matches('/');
    let is_folder = format!("{folder} is a folder");
    let is_fifo = format!("{fifo} is a FIFO, which a delivery would wait for");
    for (line, subject, what) in [
        (format!("password_file = \"{fifo}\""), "password", format!("{fifo}: the password is empty")),
        (format!("password_file = \"{folder}\""), "password", is_folder.clone()),
        (format!("chatwoot_env = \"{folder}\""), "chatwoot_env", is_folder.clone()),
        (format!("password = \"x\"\nca_file = \"{folder}\""), "ca_file", is_folder),
        (format!("password = \"x\"\nca_file = \"{fifo}\""), "ca_file", is_fifo),
    ] {
        setting.write(
            "ingress.toml",
            format!("url = \"https://127.0.0.1:1\"\nlog = \"off\"\n{line}\n"),
            0o600,
        );
        let ended = Ingress::new().args(["check", "-c", &setting.shown("ingress.toml")]).run();
        assert_eq!(ended.status, Some(78), "{}", ended.stdout);
        assert!(ended.stdout.contains(&format!("FAIL  {subject:<15} {what}\n")), "{}", ended.stdout);
    }
}

#[test]
fn a_password_file_is_named_with_its_place() {
    let setting = Setting::new(NOBODY, "");
    let ingress = || Ingress::new().env("INGRESS_URL", NOBODY).env("INGRESS_LOG", "off");
    let missing = Checked::run(&setting, 1, ingress().env("INGRESS_PASSWORD_FILE", setting.path("password")));
    assert_eq!(missing.status, Some(78));
    assert!(missing.text.contains("FAIL  password        DIR/password is not there\n"), "{}", missing.text);
    setting.write("password", PASSWORD, 0o604);
    let open = Checked::run(&setting, 1, ingress().args(["--password-file", &setting.shown("password")]));
    assert_eq!(open.status, Some(78));
    let finding = "FAIL  password        DIR/password holds a password and others can read it\n                      here: chmod o-rwx DIR/password\n";
    assert!(open.text.contains(finding), "{}", open.text);
    setting.write("password", PASSWORD, 0o600);
    let good = Checked::run(&setting, 1, ingress().args(["--password-file", &setting.shown("password")]));
    assert!(
        good.text.contains("ok    password        DIR/password, mode 0600, OWNER (--password-file)\n"),
        "{}",
        good.text
    );
    let url = "ok    url             http://127.0.0.1:PORT/rails/action_mailbox/relay/inbound_emails (INGRESS_URL)\n";
    assert!(good.text.contains(url), "{}", good.text);
}

#[test]
fn a_log_that_cannot_be_written_is_a_warning() {
    let server = answering("415 Unsupported Media Type", Some(CHATWOOT));
    let setting = Setting::new(&server.url(), "");
    let with_log = |log: &str| {
        let server = answering("415 Unsupported Media Type", Some(CHATWOOT));
        let url = server.url();
        let words = ["-c", &setting.shown("ingress.toml"), "--url", &url, "--log", log];
        Checked::run(&setting, server.port(), Ingress::without_environment().args(words))
    };
    for (log, what, remedy) in [
        ("off", "off (--log): nothing tells why a delivery failed", "set log = \"syslog\", or a file"),
        (
            &*setting.shown("none/x.log"),
            "DIR/none/x.log cannot be made: there is no folder DIR/none (--log)",
            "install -d -m 0770 -g ",
        ),
    ] {
        let checked = with_log(log);
        assert_eq!(checked.status, Some(0), "{}", checked.text);
        let finding = format!("warn  log             {what}\n                      here: {remedy}");
        assert!(checked.text.contains(&finding), "{}", checked.text);
        assert!(
            checked.text.contains("\n\nReady: a delivery would work now; mind the warning"),
            "{}",
            checked.text
        );
    }
    setting.write("there.log", "", 0o600);
    let checked = with_log(&setting.shown("there.log"));
    assert!(
        checked.text.contains("ok    log             DIR/there.log, mode 0600, OWNER (--log)\n"),
        "{}",
        checked.text
    );
    assert_eq!(fs::read(setting.path("there.log")).unwrap(), b"");
}

#[test]
fn json_says_the_same() {
    let server = answering("502 Bad Gateway", None);
    let setting = Setting::new(&server.url(), "");
    let ended = Ingress::new().args(["check", "--json", "-c", &setting.shown("ingress.toml")]).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(69), ""));
    let whole: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let action = "start Chatwoot's web server (Rails, puma), or correct the address to which the proxy passes requests";
    assert_eq!(whole["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&whole["ready"], &whole["exit"]), (&false.into(), &69.into()));
    assert_eq!(whole["next"], format!("on Chatwoot's host: {action}"));
    let findings = whole["findings"].as_array().unwrap();
    let endpoint = serde_json::json!({
        "mark": "fault",
        "subject": "endpoint",
        "what": "502: the proxy is up, but Chatwoot's web server is down",
        "remedy": { "machine": "chatwoot", "action": action },
    });
    assert_eq!(findings.last(), Some(&endpoint));
    let subjects: Vec<&str> = findings.iter().map(|finding| finding["subject"].as_str().unwrap()).collect();
    assert_eq!(
        subjects,
        [
            "user",
            "configuration",
            "url",
            "service",
            "password",
            "defaults",
            "log",
            "state_dir",
            "connection",
            "endpoint"
        ]
    );
    assert!(findings[1]["remedy"].is_null() && findings[1]["mark"] == "ok");
}

/// On Chatwoot's host that one line is the whole configuration, of a delivery and of a check.
#[test]
fn chatwoot_s_env_alone_is_enough() {
    let server = Server::acting(|connection| {
        connection.request()?;
        connection.answer(if connection.number == 0 { 204 } else { 415 })
    });
    let setting = Setting::new(NOBODY, "");
    let url = server.url();
    let good = format!(
        "FRONTEND_URL={url}\nRAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD={PASSWORD}\n\
         MAILER_INBOUND_EMAIL_DOMAIN=reply.example.com\nACTIVE_STORAGE_SERVICE=amazon\nSMTP_ADDRESS=smtp.example.com\n\
         MAILER_SENDER_EMAIL=Chat <noreply@example.com>\n"
    );
    setting.write(".env", &good, 0o600);
    let ingress = || Ingress::new().env("INGRESS_CHATWOOT_ENV", setting.path(".env")).args(["--log", "off"]);
    ingress().stdin(MESSAGE).run().assert_delivered();
    assert_eq!(server.request().body, on_the_wire(MESSAGE));
    Checked::run(&setting, server.port(), ingress()).assert_whole(
        0,
        "\
ok    configuration   no file, and none is needed when options and environment say enough
ok    url             http://127.0.0.1:PORT/rails/action_mailbox/relay/inbound_emails (FRONTEND_URL in DIR/.env)
ok    service         relay (RAILS_INBOUND_EMAIL_SERVICE in DIR/.env)
ok    password        DIR/.env, mode 0600, OWNER (RAILS_INBOUND_EMAIL_PASSWORD in DIR/.env)
ok    chatwoot_env    DIR/.env, mode 0600, OWNER (INGRESS_CHATWOOT_ENV)
ok    defaults        timeout 2m, connect_timeout 10s, max_size 64MiB, max_attachment 40MiB, on_too_large reject, allow_http false, log_level info
warn  log             off (--log): nothing tells why a delivery failed
                      here: set log = \"syslog\", or a file
ok    connection      127.0.0.1 port PORT in _ ms
ok    endpoint        takes the password, and would take mail (415 to an empty probe)
note  chatwoot        GET /api answers 415: not Chatwoot, or a proxy keeps it back; any Action Mailbox will do
ok    chatwoot_env    DIR/.env: nothing in it is in the way of mail
note  chatwoot_env    DIR/.env: MAILER_SENDER_EMAIL is noreply@example.com: Chatwoot drops mail that comes from that address

Ready: a delivery would work now; mind the warning.",
    );
}

#[test]
fn what_goes_wrong_in_chatwoot_s_env_is_named() {
    let server = answering("404 Not Found", None);
    let setting = Setting::new(NOBODY, "");
    let bad = format!(
        "FRONTEND_URL={}\nRAILS_INBOUND_EMAIL_SERVICE=\nRAILS_INBOUND_EMAIL_PASSWORD={PASSWORD}\nACTIVE_STORAGE_SERVICE=local\n\
         SMTP_ADDRESS=localhost\nSMTP_AUTHENTICATION=login\nSMTP_USERNAME=\nSMTP_PASSWORD={PASSWORD}\n",
        server.url()
    );
    setting.write(".env", bad, 0o600);
    let ingress = Ingress::new().env("INGRESS_CHATWOOT_ENV", setting.path(".env")).args(["--log", "stderr"]);
    let checked = Checked::run(&setting, server.port(), ingress);
    assert_eq!(checked.status, Some(69));
    let (_, end) = checked.text.split_once("here, if that is not Chatwoot's\n").unwrap();
    assert_eq!(
        end,
        "\
FAIL  chatwoot_env    DIR/.env: RAILS_INBOUND_EMAIL_SERVICE is empty, and mail is sent as to relay
                      on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)
warn  chatwoot_env    DIR/.env: MAILER_INBOUND_EMAIL_DOMAIN is not set: customers have no address to reply to
                      on Chatwoot's host: set it to the domain of the reply addresses, whose mail comes to this host
warn  chatwoot_env    DIR/.env: ACTIVE_STORAGE_SERVICE is local: a worker on another host or in another container cannot read the mail that the web process stored
                      on Chatwoot's host: let web and worker share the volume /app/storage, or use cloud storage
warn  chatwoot_env    DIR/.env: SMTP_ADDRESS is this host's mail server (localhost), and Chatwoot would log in to it
                      on Chatwoot's host: if it takes mail without a login, delete the lines SMTP_AUTHENTICATION, SMTP_USERNAME, SMTP_PASSWORD

Not ready. First, on Chatwoot's host: set RAILS_INBOUND_EMAIL_SERVICE=relay, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target); or correct FRONTEND_URL in DIR/.env here, if that is not Chatwoot's"
    );
}

/// `dotenv` ends such a value at the `#`, so that Chatwoot has another password than stands there.
#[test]
fn a_password_in_chatwoot_s_env_that_wants_quotes_is_named_when_it_is_refused() {
    let wrong = "401 Unauthorized\nWWW-Authenticate: Basic realm=\"Action Mailbox\"";
    for (answer, value, is_named) in [
        (wrong, format!("{PASSWORD}#1"), true),
        (wrong, format!("'{PASSWORD}#1'"), false),
        ("415 Unsupported Media Type", format!("{PASSWORD}#1"), false),
    ] {
        let server = answering(answer, None);
        let setting = Setting::new(NOBODY, "");
        let env = format!("FRONTEND_URL={}\nRAILS_INBOUND_EMAIL_PASSWORD={value}\n", server.url());
        setting.write(".env", env, 0o600);
        let ingress = Ingress::new().env("INGRESS_CHATWOOT_ENV", setting.path(".env")).args(["--log", "off"]);
        let checked = Checked::run(&setting, server.port(), ingress);
        let warning = "\
warn  chatwoot_env    DIR/.env: RAILS_INBOUND_EMAIL_PASSWORD holds #, $ or \\ without single quotes: Chatwoot may read something else
                      on Chatwoot's host: put the value into single quotes, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)\n";
        assert_eq!(checked.text.contains(warning), is_named, "{}", checked.text);
    }
}

/// Another user can be taken on by root alone.
#[test]
fn an_unknown_user_and_a_check_as_another_without_root_are_usage() {
    let ended = Ingress::new().args(["check", "--as", "no-such-user"]).run();
    let complaint = if rustix::process::geteuid().is_root() {
        "ingress: --as no-such-user: there is no user no-such-user\n"
    } else {
        "ingress: --as needs root: sudo ingress check --as USER\n"
    };
    ended.assert(64, "", complaint);
    assert_eq!(Ingress::new().args(["check", "--as"]).run().status, Some(64));
}

/// What root has open is not for the mail server's user, and there is no way back to root.
#[cfg(target_os = "linux")]
#[test]
fn a_check_as_another_user_takes_nothing_of_root_s_along() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: another user can be taken on by root alone");
        return;
    }
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "");
    let mode = |name: &str, mode| {
        fs::set_permissions(setting.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    fs::copy(binary(), setting.path("ingress")).unwrap();
    mode("ingress", 0o755);
    setting.write("password", PASSWORD, 0o644);
    let configuration = fs::read_to_string(setting.path("ingress.toml")).unwrap();
    setting.write("ingress.toml", configuration, 0o640);
    let nobody = "nobody:root";
    let words = format!(
        "set -- {} -c {} check --as {nobody}",
        setting.shown("ingress"),
        setting.shown("ingress.toml")
    );
    let run = Ingress::new().after(&words, "7</dev/null 8</etc/hostname");
    let running = run.start();
    eventually("the probe", || (!server.requests().is_empty()).then_some(()));
    let of = |id: &str| fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let parent = format!("PPid:\t{}\n", running.id());
    let ids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let child = ids.into_iter().find(|id| of(id).contains(&parent)).expect("a child");
    assert!(of(&child).contains("NoNewPrivs:\t1\n"), "{}", of(&child));
    for number in [7, 8] {
        let file = fs::read_link(format!("/proc/{child}/fd/{number}")).unwrap_or_default();
        assert!(file != Path::new("/etc/hostname") && file != Path::new("/dev/null"), "{number}: {file:?}");
    }
}
