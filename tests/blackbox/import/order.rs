//! Oldest first, and a conversation in its own order.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::store::{mbox, message, number, with_fields, write};
use super::{assert_imported, import, numbers};
use crate::server::Server;
use crate::setting::Setting;

/// The numbers below `count` in an order that is always the same and is not theirs.
fn shuffled(count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    let mut state: usize = 12345;
    for at in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.swap(at, (state >> 33) % (at + 1));
    }
    assert!(!numbers.is_sorted());
    numbers
}

#[test]
fn the_oldest_goes_first_whichever_place_it_lies_in() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let order = shuffled(60);
    write(&setting, "mail/a.mbox", mbox(order[..20].iter().copied().map(message)));
    write(&setting, "mail/z.mbox", mbox(order[20..40].iter().copied().map(message)));
    for number in &order[40..] {
        write(&setting, &format!("mail/m/{}.eml", 1000 - number), message(*number));
    }
    assert_imported(&import(&setting, ["--jobs", "1", &setting.shown("mail")]).run());
    assert_eq!(numbers(&server), (0..60).collect::<Vec<_>>());
}

/// Without a Date the topmost Received counts, then what the place says.
#[test]
fn a_message_without_a_date_has_a_place_in_the_order_too() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let undated = |number: usize, fields: &str| {
        let text = with_fields(number, fields);
        let (before, after) = text.split_once("Date: ").unwrap();
        format!("{before}{}", after.split_once('\n').unwrap().1)
    };
    let received = |second| format!("Received: from x by y; Thu, 01 Jan 2026 00:00:{second:02} +0000\n");
    write(&setting, "mail/new/1767225603.M1P1.host", message(3));
    write(&setting, "mail/cur/1767225609.M1P1.host:2,", undated(2, &(received(2) + &received(1))));
    write(&setting, "mail/new/1767225601.M1P1.host", undated(1, ""));
    std::fs::File::open(setting.path("mail/new/1767225601.M1P1.host"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_767_225_601))
        .unwrap();
    let separated = undated(4, "");
    write(&setting, "mbox", format!("From a@example.org Thu Jan  1 00:00:04 2026\n{separated}\n"));
    assert_imported(&import(&setting, ["--jobs", "1", &setting.shown("mbox"), &setting.shown("mail")]).run());
    assert_eq!(numbers(&server), [1, 2, 3, 4]);
}

/// Twelve conversations of ten messages, that name each other in different ways.
fn conversations() -> Vec<String> {
    let number = |conversation: usize, place: usize| place * 12 + conversation;
    let mut messages = Vec::new();
    for at in shuffled(120) {
        let (conversation, place) = (at % 12, at / 12);
        let own = |place| format!("<{}@example.org>", number(conversation, place));
        let fields = match (conversation % 3, place) {
            (_, 0) => String::new(),
            (0, place) => format!("In-Reply-To: {}\n", own(place - 1)),
            (1, place) => {
                let before: Vec<String> = (0..place).map(own).collect();
                format!("References: {}\n", before.join("\n "))
            }
            _ => format!("References: {}\nIn-Reply-To: {}\n", own(0), own(0)),
        };
        messages.push(with_fields(number(conversation, place), &fields));
    }
    messages
}

#[test]
fn messages_of_one_conversation_never_overtake_each_other() {
    // Under way for each conversation, and its last place.
    let seen: Mutex<HashMap<usize, (bool, usize)>> = Mutex::default();
    let overtaken: &'static Mutex<Vec<String>> = Box::leak(Box::default());
    let most: &'static Mutex<(usize, usize)> = Box::leak(Box::default());
    let server = Server::serving(move |connection, request| {
        let (conversation, place) = (number(&request.body) % 12, number(&request.body) / 12);
        {
            let mut seen = seen.lock().unwrap();
            if let Some((under_way, last)) = seen.get(&conversation)
                && (*under_way || last + 1 != place)
            {
                overtaken.lock().unwrap().push(format!("{place} after {last} of {conversation}"));
            }
            seen.insert(conversation, (true, place));
            let mut most = most.lock().unwrap();
            most.0 += 1;
            most.1 = most.1.max(most.0);
        }
        // Longer for some, so that what may overtake does.
        std::thread::sleep(Duration::from_millis(1 + (conversation * 7 + place * 3) as u64 % 9));
        {
            most.lock().unwrap().0 -= 1;
            seen.lock().unwrap().insert(conversation, (false, place));
        }
        connection.take()
    });
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, "mbox", mbox(conversations()));
    assert_imported(&import(&setting, ["--jobs", "8", &path]).run());
    assert_eq!(*overtaken.lock().unwrap(), [""; 0]);
    let mut sent = numbers(&server);
    sent.sort_unstable();
    assert_eq!(sent, (0..120).collect::<Vec<_>>());
    assert!(most.lock().unwrap().1 > 4, "{} at once", most.lock().unwrap().1);
}

/// What is addressed to one conversation of Chatwoot belongs together, whatever it refers to.
#[test]
fn replies_to_one_reply_address_keep_their_order() {
    const REPLY: &str = "Delivered-To: reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com\n";
    let server = Server::serving(|connection, request| {
        std::thread::sleep(Duration::from_millis(if number(&request.body) == 0 { 50 } else { 1 }));
        connection.take()
    });
    let setting = Setting::new(&server.url(), "");
    let path = write(&setting, "mbox", mbox((0..12).map(|number| with_fields(number, REPLY))));
    assert_imported(&import(&setting, ["--jobs", "6", &path]).run());
    assert_eq!(numbers(&server), (0..12).collect::<Vec<_>>());
}

#[test]
fn connections_are_kept_and_as_many_as_there_are_jobs() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "");
    let path = super::store::mbox_of(&setting, 0..100);
    assert_imported(&import(&setting, ["--jobs", "1", &path]).run());
    assert_eq!(server.connections(), 1);
    assert_imported(&import(&setting, [&path]).run());
    assert!((2..=1 + 4).contains(&server.connections()), "{}", server.connections());
    assert_eq!(server.requests().len(), 200);
}
