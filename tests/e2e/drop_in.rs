//! In the place of Rails' own tasks: two variables of the environment, and nothing else.

use crate::support::Ingress;
use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, PASSWORD};

#[test]
fn the_two_variables_of_rails_tasks_are_enough() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    let url = format!("{}/rails/action_mailbox/relay/inbound_emails", server.url());
    let message = "From: a@example.org\nTo: support@example.com\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n\
                   Content-Type: text/plain\n\nhello\n";
    let run = |password: &str| {
        Ingress::new([]).env("URL", &url).env("INGRESS_PASSWORD", password).stdin(message).run()
    };
    run("wrong").assert_failed(75, "4.7.0 Chatwoot refused the mail gateway");
    run(PASSWORD).assert_delivered();
    let routed = server.routed(1);
    assert_eq!(server.stored(routed[0].id), message.replace('\n', "\r\n").as_bytes());
}
