//! Every repair, judged by Ruby's mail gem: what was lost arrives, what was healthy stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Ingress;
use crate::support::action_mailbox::ActionMailbox;
use crate::support::corpus::{Sample, samples};
use crate::support::folder::{Folder, PASSWORD};
use crate::support::oracle::{INBOXES, OWN_SENDER, Verdict, judge};

/// A folder whose configuration knows Chatwoot's inboxes and its own address.
fn knowing_chatwoot(url: &str) -> Folder {
    let folder = Folder::new();
    folder.configure(url, PASSWORD);
    std::fs::write(folder.join("chatwoot.env"), format!("MAILER_SENDER_EMAIL=Example Desk <{OWN_SENDER}>\n"))
        .unwrap();
    crate::support::folder::mode(&folder.join("chatwoot.env"), 0o600);
    let path = folder.join("ingress.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let inboxes: Vec<String> = INBOXES.iter().map(|inbox| format!("\"{inbox}\"")).collect();
    let more =
        format!("inboxes = [{}]\nchatwoot_env = \"{}\"\n", inboxes.join(", "), folder.shown("chatwoot.env"));
    std::fs::write(path, text + &more).unwrap();
    folder
}

/// Runs `ingress explain` with more words on a sample.
fn explain(folder: &Folder, sample: &Sample, message: Vec<u8>, word: &str) -> Vec<u8> {
    let configuration = folder.shown("ingress.toml");
    let envelope = sample.envelope();
    let envelope: Vec<&str> = envelope.iter().map(String::as_str).collect();
    let run = Ingress::new(["explain", "-c", &configuration, word]).args(&envelope).stdin(message);
    run.output(&format!("{} {word}", sample.file))
}

/// The route that `explain --json` foretells, in the words of the oracle: with repairs, and without.
fn foretold(folder: &Folder, sample: &Sample) -> (String, String) {
    let explanation: serde_json::Value =
        serde_json::from_slice(&explain(folder, sample, sample.bytes(), "--json")).unwrap();
    let copy = &explanation["copies"][0];
    let words = |route: &serde_json::Value| {
        let (kind, text) = (route["kind"].as_str().unwrap(), route["text"].as_str().unwrap());
        match kind {
            "reply" => format!("reply {}", text.rsplit(' ').next().unwrap()),
            "inbox" => text.to_owned(),
            other => other.to_owned(),
        }
    };
    (words(&copy["route"]), words(&copy["route_without_repairs"]))
}

/// As `explain --raw` would send it, from LF and from CRLF.
fn sent(folder: &Folder, sample: &Sample) -> Vec<u8> {
    let from_lf = explain(folder, sample, sample.bytes(), "--raw");
    assert_eq!(explain(folder, sample, sample.crlf(), "--raw"), from_lf, "{}", sample.file);
    from_lf
}

/// The samples, with the judge's verdict on them as they came and as they are sent.
fn judged(folder: &Folder) -> Vec<(Sample, Verdict, Verdict)> {
    let samples = samples();
    let came: Vec<Vec<u8>> = samples.iter().map(Sample::crlf).collect();
    let sent: Vec<Vec<u8>> = samples.iter().map(|sample| sent(folder, sample)).collect();
    let (before, after) = (judge(&came), judge(&sent));
    samples
        .into_iter()
        .zip(before)
        .zip(after)
        .map(|((sample, before), after)| (sample, before, after))
        .collect()
}

#[test]
fn the_table_of_verdicts_holds_and_nothing_that_can_be_saved_is_lost() {
    let folder = knowing_chatwoot("http://127.0.0.1:1");
    println!("{:<34} {:<10} {:<44} sent", "message", "ids", "as it came");
    for (sample, before, after) in judged(&folder) {
        println!("{:<34} {:<10} {:<44} {}", sample.file, sample.ids.join(","), before.route, after.route);
        assert_eq!(before.route, sample.before, "{} as it came: {before:?}", sample.file);
        assert_eq!(after.route, sample.after, "{} as it is sent: {after:?}", sample.file);
        let is_own = sample.ids.iter().any(|id| id == "D9");
        assert_eq!(
            after.route.starts_with("reply ") || after.route.starts_with("inbox "),
            !is_own,
            "{}",
            sample.file
        );
        assert!(after.to.is_some() && after.cc.is_some() || after.cc.is_none(), "{}", sample.file);
        assert!(
            after.from.is_some() && after.message_id_stable && after.replaced == 0,
            "{}: {after:?}",
            sample.file
        );
        assert!(after.text.is_some() || !after.attachments.is_empty(), "{} is blank: {after:?}", sample.file);
        // A website conversation takes no such file as it is: it lies in a .zip, and a signature is no file at all (F8).
        let is_packed = |name: &str| {
            let in_a_zip = || after.attachments.iter().any(|(packed, _)| *packed == format!("{name}.zip"));
            sample.ids.iter().any(|id| id == "F8") && (name.ends_with(".p7s") || in_a_zip())
        };
        let kept = before
            .attachments
            .iter()
            .all(|attachment| after.attachments.contains(attachment) || is_packed(&attachment.0));
        assert!(kept, "{}: attachments {before:?} {after:?}", sample.file);
    }
}

#[test]
fn every_id_has_two_messages() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for id in samples().iter().flat_map(|sample| sample.ids.clone()) {
        *counts.entry(id).or_default() += 1;
    }
    let ids = "D1 D2 D3 D4 D5 D6 D7 D8 D9 D12 D14 D15 D16 F1 F2 F3 F4 F5 F6 F7 P1 M11 M1 C1 C2 C3 C4 C7 C8 C9 C10 C11 C12 C15 \
         F5b F8 F12 loops";
    for id in ids.split(' ') {
        assert!(counts.get(id).is_some_and(|count| *count >= 2), "{id}");
    }
}

#[test]
fn content_that_was_lost_is_shown() {
    let folder = knowing_chatwoot("http://127.0.0.1:1");
    let verdicts: BTreeMap<String, (Verdict, Verdict)> =
        judged(&folder).into_iter().map(|(sample, before, after)| (sample.file, (before, after))).collect();
    let of = |name: &str| &verdicts[&format!("{name}.eml")];
    for name in ["c1-cron", "c1-php-mail", "c1-latin1"] {
        assert!(of(name).0.text.is_none() && of(name).1.text.is_some(), "{name}");
    }
    for (name, text) in [
        ("c1-php-mail", "Jürgen"),
        ("c1-latin1", "Grüße aus München"),
        ("c2-utf8", "Grüße aus München"),
        ("c2-latin1-quoted-printable", "Grüße aus München"),
        ("c7-latin1-as-utf8", "Grüße aus München"),
        ("c7-utf8-as-ascii", "Grüße – München"),
        ("c7-unknown-label", "Grüße"),
        ("f7-nul-in-text", "beforeafter"),
    ] {
        assert!(
            of(name).1.text.as_deref().is_some_and(|shown| shown.contains(text)),
            "{name}: {:?}",
            of(name).1
        );
        assert!(
            name.starts_with("c1") || name.starts_with("f7") || of(name).0.replaced > 0,
            "{name} was fine: {:?}",
            of(name).0
        );
    }
    for (name, file) in [
        ("c3-scanner-pdf", "scan0001.pdf"),
        ("c3-fax-image", "attachment.tif"),
        ("c4-forward-as-attachment", "message.eml"),
        // It answers a conversation that may be a website's.
        ("c4-named-forward", "Your invoice.eml.zip"),
    ] {
        let (before, after) = of(name);
        assert!(!before.attachments.iter().any(|(name, _)| name == file), "{name}: {before:?}");
        assert!(after.attachments.iter().any(|(name, _)| name == file), "{name}: {after:?}");
    }
    for name in ["loop-newsletter", "loop-exchange-oof", "loop-null-sender"] {
        assert!(!of(name).0.automatic && of(name).1.automatic, "{name}");
    }
    // People write to lists.
    assert!(!of("loop-mailing-list").1.automatic);
    assert!(!of("m11-empty-message-id").0.message_id_stable);
}

#[test]
fn healthy_messages_are_sent_as_they_are() {
    let folder = knowing_chatwoot("http://127.0.0.1:1");
    let healthy: Vec<Sample> = samples().into_iter().filter(Sample::is_healthy).collect();
    assert!(healthy.len() >= 15);
    for sample in healthy {
        assert_eq!(
            String::from_utf8_lossy(&sent(&folder, &sample)),
            String::from_utf8_lossy(&sample.crlf()),
            "{}",
            sample.file
        );
    }
}

/// The judge stops at the inbox. There Chatwoot looks for the conversation that In-Reply-To or References name.
fn followed(sample: &Sample, route: String) -> String {
    let message = String::from_utf8_lossy(&sample.bytes()).into_owned();
    let conversation = message.split_once("conversation/").and_then(|(_, rest)| rest.get(..36));
    match conversation {
        Some(uuid) if route.starts_with("inbox ") => format!("reply {uuid}"),
        _ => route,
    }
}

#[test]
fn explain_foretells_what_the_judge_finds() {
    let folder = knowing_chatwoot("http://127.0.0.1:1");
    for (sample, before, after) in judged(&folder) {
        let found = (followed(&sample, after.route), followed(&sample, before.route));
        assert_eq!(foretold(&folder, &sample), found, "{}", sample.file);
    }
}

#[test]
fn the_real_action_mailbox_takes_every_message_and_routes_it_as_foretold() {
    let home = Folder::new();
    let server = ActionMailbox::start(home.path());
    let folder = knowing_chatwoot(&server.url());
    let configuration = folder.shown("ingress.toml");
    let mut expected: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for sample in samples() {
        let envelope = sample.envelope();
        let envelope: Vec<&str> = envelope.iter().map(String::as_str).collect();
        let ended = Ingress::new(["-c", &configuration]).args(&envelope).stdin(sample.bytes()).run();
        assert_eq!(
            (ended.status, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(0), "", ""),
            "{}",
            sample.file
        );
        assert!(seen.insert(sent(&folder, &sample)), "{} is the same as another", sample.file);
        expected.push(if sample.ids.iter().any(|id| id == "D9") {
            "inbox support@example.com".to_owned()
        } else {
            sample.after
        });
    }
    let routed = server.routed(expected.len());
    let routes: Vec<String> = {
        let mut routed = routed;
        routed.sort_by_key(|routed| routed.id);
        routed.into_iter().map(|routed| routed.route).collect()
    };
    assert_eq!(routes, expected);
}
