//! `ingress setup`: what is printed, what is written, and what is refused.

use std::fs;
use std::path::Path;

use crate::run::Ingress;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

fn callers() -> Vec<String> {
    let list = Ingress::new().args(["setup"]).run();
    assert_eq!((list.status, list.stderr.as_str()), (Some(0), ""));
    let rows = list.stdout.lines().filter(|line| line.starts_with("  "));
    rows.map(|row| row.split_whitespace().next().unwrap().to_owned()).collect()
}

fn example(caller: &str, name: &str) -> String {
    fs::read_to_string(format!("{EXAMPLES}/{caller}/{name}")).unwrap()
}

#[test]
fn without_values_each_caller_s_files_are_those_of_the_examples() {
    for caller in callers() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new/folder");
        let run = Ingress::new().args(["setup", &caller, "--write", target.to_str().unwrap()]).run();
        assert_eq!(
            (run.status, run.stderr.as_str()),
            (Some(0), "ingress: sample values stand in it: give --domain and --inbox\n")
        );
        let mut written: Vec<String> = names(&target);
        assert_eq!(run.stdout.lines().count(), written.len());
        for name in &written {
            assert!(run.stdout.contains(&format!("{}\n", target.join(name).display())), "{}", run.stdout);
            assert_eq!(fs::read_to_string(target.join(name)).unwrap(), example(&caller, name));
        }
        let mut examples = names(Path::new(&format!("{EXAMPLES}/{caller}")));
        written.sort();
        examples.sort();
        assert_eq!(written, examples);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_is_printed_is_the_page_with_the_files_in_it() {
    for caller in callers() {
        let printed = Ingress::new().args(["setup", &caller]).run().stdout;
        let mut expected = String::new();
        for line in example(&caller, "README.md").split_inclusive('\n') {
            expected.push_str(line);
            if let Some(rest) = line.strip_prefix("### `") {
                let name = rest.split('`').next().unwrap();
                expected.push_str(&format!("\n```\n{}```\n", example(&caller, name)));
            }
        }
        assert_eq!(printed, expected);
    }
}

#[test]
fn no_sample_value_is_left_when_all_values_are_given() {
    for caller in callers() {
        let run = Ingress::new()
            .args(["setup", &caller, "--domain", "reply.acme.test", "--inbox", "help@acme.test"])
            .args(["--inbox", "sales.eu@acme.test", "--user", "mailer", "--binary", "/opt/bin/deliver"])
            .args(["-c", "/srv/chatwoot.toml"])
            .run();
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{caller}");
        for sample in ["support", "example.com", "example\\.com", "/usr/bin/ingress", "/etc/ingress.toml"] {
            assert!(!run.stdout.contains(sample), "{caller}: {sample} in {}", run.stdout);
        }
        assert!(run.stdout.contains("/opt/bin/deliver") || caller == "container", "{caller}");
    }
}

/// A file of a caller, for a reply domain in which people have their mail, too.
fn of_a_shared_domain(caller: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let values = ["--domain", "acme.test", "--inbox", "help@acme.test", "--write"];
    let run =
        Ingress::new().args(["setup", caller]).args(values).args([folder.path().to_str().unwrap()]).run();
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{caller}");
    fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn only_chatwoot_s_own_addresses_are_taken_out_of_a_domain_that_people_share() {
    for caller in ["postfix", "postfix-alias", "procmail", "maildrop"] {
        let table = of_a_shared_domain(caller, "chatwoot_virtual");
        let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
        let known = |row: &&str| row.contains("reply\\+[0-9a-f]{8}(") || row.contains("help(\\+.*)?");
        assert!(rows.len() == 2 && rows.iter().all(known), "{table}");
    }
    for script in ["chatwoot.sieve", "chatwoot-again.sieve"] {
        let text = of_a_shared_domain("dovecot-sieve", script);
        assert!(text.contains("\"reply+*@acme.test\"") && !text.contains(":domain"), "{text}");
    }
}

/// `$*` there would also take support@example.com.au, and m4 would take a word of an address for one of its own.
#[test]
fn sendmail_s_rules_take_no_longer_domain_and_m4_expands_none_of_their_words() {
    let text = of_a_shared_domain("sendmail", "chatwoot.m4");
    let (_, quoted) = text.split_once("LOCAL_RULE_0\n`").unwrap();
    let rules = quoted.strip_suffix("'\n").unwrap();
    assert_eq!(rules.lines().count(), 6, "{text}");
    for rule in rules.lines() {
        let (left, _) = rule.split_once('\t').unwrap();
        assert!(left.ends_with("< @ acme.test >") || left.ends_with("< @ acme.test . >"), "{rule}");
        assert!(!rule.contains(['`', '\'']), "{rule}");
    }
}

/// OpenSMTPD does not start with a table that is empty.
#[test]
fn opensmtpd_names_no_table_that_a_domain_without_inboxes_would_leave_empty() {
    let run =
        Ingress::new().args(["setup", "opensmtpd", "--domain", "reply.acme.test", "--user", "filter"]).run();
    assert!(!run.stdout.contains("\ntable ") && !run.stdout.contains("rcpt-to <"), "{}", run.stdout);
    assert_eq!(run.stdout.matches("\nmatch ").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("user \"filter\" virtual { \"@\" = \"filter\" }"), "{}", run.stdout);
}

/// Postfix's pipe(8) ends with a fatal error, getmail starts nothing, Exim and Dovecot refuse; local(8) would run as nobody.
#[test]
fn root_is_refused_where_the_caller_refuses_it() {
    for caller in ["postfix", "postfix-alias", "exim", "getmail", "dovecot-sieve"] {
        let run = Ingress::new().args(["setup", caller, "--domain", "a.test", "--user", "root"]).run();
        let complaint =
            format!("ingress: --user root: {caller} starts no program as root: give an account of its own\n");
        assert_eq!((run.status, run.stdout.as_str(), run.stderr), (Some(64), "", complaint));
    }
    let run = Ingress::new().args(["setup", "procmail", "--domain", "a.test", "--user", "root"]).run();
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("main.cf");
    fs::write(&there, "mine\n").unwrap();
    let run = Ingress::new()
        .args(["setup", "postfix", "--domain", "a.test", "--write"])
        .args([folder.path().to_str().unwrap()])
        .run();
    let complaint = format!("ingress: {}: is there already, nothing was written\n", there.display());
    assert_eq!((run.status, run.stdout.as_str(), run.stderr), (Some(73), "", complaint));
    assert_eq!(names(folder.path()), ["main.cf"]);
    assert_eq!(fs::read_to_string(&there).unwrap(), "mine\n");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let run = Ingress::new().args(["setup", "postfix", "--domain", "a.test", "--write", "/dev/null/x"]).run();
    let complaint = "ingress: /dev/null/x: not a directory\n";
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (Some(73), "", complaint));
}

#[test]
fn values_that_could_mean_more_than_themselves_are_refused() {
    for (option, value, wanted) in [
        (
            "--domain",
            "a b",
            "a domain is made of the letters a to z, digits, hyphens and dots; write others as xn--...",
        ),
        (
            "--inbox",
            "$(id)@a.test",
            "give local@domain; in the local part letters, digits and . _ = - can be written into every file",
        ),
        (
            "--inbox",
            "help+sales@a.test",
            "give it without +tag: Chatwoot takes that off an address before it looks for the inbox",
        ),
        (
            "--user",
            "Root!",
            "a user name is made of small letters, digits, hyphens and underscores, and begins with no digit",
        ),
        ("--binary", "ingress", "give an absolute path of letters, digits and . _ + -"),
        ("--config", "my ingress.toml", "give an absolute path of letters, digits and . _ + -"),
    ] {
        let run = Ingress::new().args(["setup", "postfix", option, value]).run();
        let complaint = format!("ingress: {option} {value}: {wanted}\n");
        assert_eq!((run.status, run.stdout.as_str(), run.stderr), (Some(64), "", complaint));
    }
}

#[test]
fn values_without_a_caller_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (option, value) in [("--write", folder.path().to_str().unwrap()), ("--domain", "reply.acme.test")] {
        let run = Ingress::new().args(["setup", option, value]).run();
        assert_eq!((run.status, run.stdout.as_str()), (Some(64), ""));
        assert!(run.stderr.contains("arguments were not provided:\n  <CALLER>\n"), "{}", run.stderr);
    }
}

#[test]
fn an_unknown_caller_is_an_error_with_a_suggestion() {
    let run = Ingress::new().args(["setup", "postfx"]).run();
    assert_eq!((run.status, run.stdout.as_str()), (Some(64), ""));
    assert!(run.stderr.contains("'postfx'") && run.stderr.contains("'postfix'"), "{}", run.stderr);
}
