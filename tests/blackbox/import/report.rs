//! What an import says: a line for each failure, a table at the end, JSON for programs.

use serde_json::{Value, json};

use super::import;
use super::store::{self, mbox_of, message, write};
use crate::run::Ended;
use crate::server::Server;
use crate::setting::{NOBODY, Setting};

/// Refuses message 2 as too large and takes the others.
fn refusing_two() -> Server {
    Server::serving(|connection, request| match store::number(&request.body) {
        2 => connection.refuse(413, ""),
        _ => connection.take(),
    })
}

/// Standard output without what differs from run to run.
fn timeless(text: &str) -> String {
    let blank = |line: &str| match ["seconds ", "per second "].iter().find(|label| line.starts_with(**label))
    {
        Some(label) => format!("{label}_\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(blank).collect()
}

#[test]
fn a_table_says_what_became_of_the_messages_and_a_line_why() {
    let server = refusing_two();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 1..=4);
    let broken = write(&setting, "broken.eml", "no header\n");
    let ended = import(&setting, ["--jobs=1", &path, &broken]).run();
    let said = Ended { stdout: timeless(&ended.stdout), ..ended };
    said.assert(
        65,
        "delivered            3\n\
         rejected             1  can never be delivered as they are\n\
         deferred             0\n\
         unreadable           1  could not be read, or are no messages\n\
         seconds _\n\
         per second _\n\
         To have 1 of the rejected delivered: raise client_max_body_size in the proxy before Chatwoot (nginx's default is 1 MiB).\n\
         The lines above say why; --failed DIR keeps what fails in a folder.\n",
        &format!(
            "{broken}: unreadable: is neither an mbox nor a message\n\
             {path}, byte 289: rejected 5.3.4: the endpoint answered 413\n"
        ),
    );
}

#[test]
fn a_run_that_was_stopped_says_what_to_do_first() {
    let server = Server::serving(|connection, _| connection.refuse(404, ""));
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 1..=4);
    let ended = import(&setting, ["--jobs=1", &path]).run();
    let said = Ended { stdout: timeless(&ended.stdout), ..ended };
    let remedy = setting.log().split_once("remedy=\"").unwrap().1.split('"').next().unwrap().to_owned();
    said.assert(
        75,
        &format!(
            "delivered            0\n\
             rejected             0\n\
             deferred             1  to be tried again\n\
             unreadable           0\n\
             left                 3  the run ended before their turn\n\
             seconds _\n\
             per second _\n\
             First: {remedy}.\n\
             Run the same command again, within 30 days: Action Mailbox stores the same bytes once.\n"
        ),
        &format!("{path}, byte 44: deferred 4.3.5: the endpoint answered 404\n"),
    );
}

#[test]
fn what_an_earlier_run_delivered_is_known() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 1..=4);
    let run = || import(&setting, ["--journal", &setting.shown("journal"), &path]).run();
    run();
    let ended = run();
    let said = Ended { stdout: timeless(&ended.stdout), ..ended };
    said.assert(
        0,
        "delivered            0\n\
         known                4  accepted before, says the journal\n\
         rejected             0\n\
         deferred             0\n\
         unreadable           0\n\
         seconds _\n\
         per second _\n",
        "",
    );
}

#[test]
fn json_is_one_object_for_each_message() {
    let server = refusing_two();
    let setting = Setting::new(&server.url(), "inboxes = [\"support@example.com\"]");
    let path = write(&setting, "mail/mbox", store::mbox([message(1), message(2)]));
    let broken = write(&setting, "mail/broken.eml", "no header\n");
    let ended =
        import(&setting, ["--json", "--jobs=1", "-r", "support@example.com", &setting.shown("mail")]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    let mut objects: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for object in &mut objects {
        if let Some(milliseconds) = object.get_mut("ms") {
            assert!(milliseconds.is_u64());
            *milliseconds = json!("_");
        }
    }
    let unreadable =
        json!({"source": broken, "outcome": "unreadable", "cause": "is neither an mbox nor a message"});
    let delivered = json!({
        "source": format!("{path}, byte 44"), "message_id": "<1@example.org>", "recipients": ["support@example.com"],
        "outcome": "delivered", "code": null, "status": 204, "cause": null, "remedy": null,
        "route": "inbox support@example.com", "shown": true, "repairs": [], "tries": 1, "ms": "_",
    });
    let remedy = setting.log().split_once("remedy=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let rejected = json!({
        "source": format!("{path}, byte 289"), "message_id": "<2@example.org>", "recipients": ["support@example.com"],
        "outcome": "rejected", "code": "5.3.4", "status": 413, "cause": "the endpoint answered 413", "remedy": remedy,
        "route": "inbox support@example.com", "shown": true, "repairs": [], "tries": 1, "ms": "_",
    });
    assert_eq!(objects, [unreadable, delivered, rejected]);
}

/// Each message has its object, also when it had no turn; and a remedy only where there is one.
#[test]
fn json_says_what_became_of_the_rest_of_a_run_that_was_stopped() {
    let server = Server::serving(|connection, _| connection.refuse(404, ""));
    let setting = Setting::new(&server.url(), "");
    let reply = store::with_fields(2, "In-Reply-To: <1@example.org>\n");
    let path = write(&setting, "mbox", store::mbox([message(1), reply, message(3), message(4)]));
    let ended = import(&setting, ["--json", "--jobs=1", &path]).run();
    assert_eq!(ended.status, Some(75), "{ended:?}");
    let objects: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<_> = objects.iter().map(|object| (&object["outcome"], &object["cause"])).collect();
    let (deferred, left) = (json!("deferred"), json!("left"));
    let (answered, behind) = (
        json!("the endpoint answered 404"),
        json!("an earlier message of its thread is to be tried again first"),
    );
    let none = Value::Null;
    assert_eq!(outcomes, [(&deferred, &answered), (&deferred, &behind), (&left, &none), (&left, &none)]);
    assert!(objects[0]["remedy"].is_string() && objects[1]["remedy"].is_null(), "{objects:?}");
    assert_eq!(setting.log().matches(" remedy=").count(), 1);
}

#[test]
fn help_names_every_option() {
    let ended = import(&Setting::new(NOBODY, ""), ["--help"]).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    for option in [
        "--jobs",
        "--journal",
        "--failed",
        "--stop-after",
        "--since",
        "--until",
        "--to",
        "--dry-run",
        "--inbox",
        "--json",
        "--quiet",
    ] {
        assert!(ended.stdout.contains(option), "{option}: {}", ended.stdout);
    }
}

/// The endpoint took them, and nobody would have looked for them.
#[test]
fn what_chatwoot_will_not_show_is_counted_and_named() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "inboxes = [\"sales@example.com\"]");
    let path = mbox_of(&setting, 1..=3);
    let ended = import(&setting, ["--inbox=help@example.com", &path]).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let rows = "delivered            3\n\
                lost                 3  of these Chatwoot will not show; the log names them\n\
                rejected             0\n";
    assert!(ended.stdout.starts_with(rows), "{}", ended.stdout);
    assert_eq!(setting.log().matches(" route=\"dropped: ").count(), 3, "{}", setting.log());
    let ended = import(&setting, ["--json", &path]).run();
    assert_eq!(ended.stdout.matches("\"shown\":false").count(), 3, "{}", ended.stdout);
    let ended = import(&setting, ["--inbox=support@example.com", &path]).run();
    assert!(!ended.stdout.contains("lost"), "{}", ended.stdout);
}

#[test]
fn a_line_that_looks_like_a_beginning_is_named() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let text = message(1).replace("hello\n", "he wrote\n\nFrom b@example.org\nas I said\n");
    let path = write(&setting, "mbox", format!("From a@example.org Thu Jan  1 00:00:00 2026\n{text}"));
    let offset = 44 + text.find("From b@").unwrap();
    let complaint = "looks like the beginning of a message, and was left in the text";
    for more in [&[][..], &["--dry-run"]] {
        let ended = import(&setting, [path.as_str()].iter().chain(more)).run();
        assert_eq!(ended.status, Some(0), "{ended:?}");
        assert_eq!(ended.stderr, format!("{path}, byte {offset}: {complaint}\n"));
        let row = "passed over          1  lines that look like the beginning of a message, and were left in a text\n";
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
    }
    let ended = import(&setting, ["--json", &path]).run();
    let first: Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    let named =
        json!({"source": format!("{path}, byte {offset}"), "outcome": "passed over", "cause": complaint});
    assert_eq!(first, named);
}

#[test]
fn a_quiet_run_says_what_fails_and_nothing_else() {
    let server = refusing_two();
    let setting = Setting::new(&server.url(), "");
    let path = mbox_of(&setting, 3..=4);
    import(&setting, ["-q", &path]).run().assert(0, "", "");
    import(&setting, ["-q", "--dry-run", &path]).run().assert(0, "", "");
    let path = mbox_of(&setting, 1..=4);
    let ended = import(&setting, ["--quiet", &path]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    assert_eq!(ended.stderr, format!("{path}, byte 289: rejected 5.3.4: the endpoint answered 413\n"));
    assert!(ended.stdout.starts_with("To have 1 of the rejected delivered: "), "{}", ended.stdout);
}
