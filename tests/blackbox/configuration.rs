//! Where settings come from, and which win.

use crate::server::{Manner, Server};
use crate::setting::{MESSAGE, Setting};
use crate::support::Ingress;

/// The path and the password of the only request.
fn request_of(server: &Server) -> String {
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    requests[0].head.lines().next().unwrap().to_owned()
}

const RELAY: &str = "POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1";

#[test]
fn the_file_of_the_home_folder_is_found() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    std::fs::create_dir_all(setting.path(".config")).unwrap();
    std::fs::copy(setting.path("ingress.toml"), setting.path(".config/ingress.toml")).unwrap();
    Ingress::new([]).env("HOME", &setting.shown("")).stdin(MESSAGE).run().assert_delivered();
    Ingress::new([])
        .env("XDG_CONFIG_HOME", &setting.shown(".config"))
        .stdin(MESSAGE)
        .run()
        .assert_delivered();
    Ingress::new([])
        .env("INGRESS_CONFIG", &setting.shown("ingress.toml"))
        .stdin(MESSAGE)
        .run()
        .assert_delivered();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn options_and_environment_go_over_the_file() {
    for words in [&["--url"][..], &[]] {
        let server = Server::start(Manner::Answer(204));
        let setting = Setting::new("http://127.0.0.1:1", "");
        let url = server.url();
        let run = match words {
            [option] => setting.ingress(&[option, &url]).env("INGRESS_URL", "http://127.0.0.1:2"),
            _ => setting.ingress(&[]).env("INGRESS_URL", &url).env("URL", "http://127.0.0.1:2"),
        };
        run.run().assert_delivered();
        assert_eq!(request_of(&server), RELAY);
    }
}

#[test]
fn the_rails_task_s_variables_are_enough() {
    let server = Server::start(Manner::Answer(204));
    let url = format!("{}/rails/action_mailbox/relay/inbound_emails", server.url());
    Ingress::new([]).env("URL", &url).env("INGRESS_PASSWORD", "x").stdin(MESSAGE).run().assert_delivered();
    assert_eq!(request_of(&server), RELAY);
}

#[test]
fn an_old_document_s_path_is_the_relay_s_with_a_notice_in_the_log() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&format!("{}/rails/action_mailbox/postfix/inbound_emails", server.url()), "");
    setting.run().assert_delivered();
    assert_eq!(request_of(&server), RELAY);
    assert!(setting.log().contains("notice=\"url ends in postfix/inbound_emails"), "{}", setting.log());
}

#[test]
fn chatwoot_s_own_env_is_the_whole_configuration() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new("http://127.0.0.1:1", "");
    let env = format!(
        "FRONTEND_URL={}\nRAILS_INBOUND_EMAIL_SERVICE=relay\nRAILS_INBOUND_EMAIL_PASSWORD='x y'\n",
        server.url()
    );
    setting.write("chatwoot.env", &env, 0o600);
    setting.write(
        "one-line.toml",
        &format!("chatwoot_env = \"{}\"\nlog = \"off\"\n", setting.shown("chatwoot.env")),
        0o644,
    );
    Ingress::new(["-c", &setting.shown("one-line.toml")]).stdin(MESSAGE).run().assert_delivered();
    Ingress::new([])
        .env("INGRESS_CHATWOOT_ENV", &setting.shown("chatwoot.env"))
        .stdin(MESSAGE)
        .run()
        .assert_delivered();
    assert_eq!(server.requests().len(), 2);
}
