//! The callers and their templates, which are part of the program. Filled in with sample values, they are the folders of `examples/`.

/// A program that starts `ingress`, and what configures it.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    /// `README.md` of its folder.
    pub(super) page: &'static str,
    pub(super) files: &'static [File],
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

/// A caller and the files of its folder below `templates/`, or of the folder `in` which several callers find one.
macro_rules! caller {
    ($name:literal: $($file:literal $(in $folder:literal)?),+) => {
        Caller {
            name: $name,
            page: include_str!(concat!("templates/", $name, "/README.md")),
            files: &[$(File { name: $file, text: caller!(@text $name $file $($folder)?) }),+],
        }
    };
    (@text $name:literal $file:literal) => {
        include_str!(concat!("templates/", $name, "/", $file))
    };
    (@text $name:literal $file:literal $folder:literal) => {
        include_str!(concat!("templates/", $folder, "/", $file))
    };
}

/// All of them, the commonest first.
pub(crate) const CALLERS: &[Caller] = &[
    caller!("postfix": "master.cf", "main.cf", "chatwoot_virtual", "chatwoot_transport", "chatwoot_domain", "chatwoot_rcpt"),
    caller!("postfix-alias": "chatwoot_aliases", "chatwoot_virtual", "chatwoot_domain" in "postfix", "chatwoot_rcpt" in "postfix"),
    caller!("exim": "chatwoot_domains", "chatwoot_inboxes", "chatwoot_main", "chatwoot_router", "chatwoot_transport", "chatwoot_rcpt" in "postfix"),
    caller!("opensmtpd": "smtpd.conf", "chatwoot.sh", "chatwoot_rcpt" in "postfix"),
    caller!("sendmail": "chatwoot.m4", "chatwoot.sh", "relay-domains", "chatwoot_rcpt" in "postfix"),
    caller!("qmail": "virtualdomains", "rcpthosts", "dot-qmail-default", "chatwoot_rcpt" in "postfix"),
    caller!("courier": "aliases", "esmtpacceptmailfor", "dot-courier-default", "chatwoot_rcpt" in "postfix"),
    caller!("getmail": "getmailrc", "getmailrc-multidrop", "chatwoot-getmail.service"),
    caller!("fetchmail": "fetchmailrc"),
    caller!("fdm": "fdm.conf"),
    caller!("dovecot-sieve": "91-chatwoot.conf", "chatwoot.sieve", "chatwoot", "chatwoot-again.sieve", "chatwoot-again"),
    caller!("procmail": "procmailrc", "main.cf", "chatwoot_virtual", "chatwoot_domain" in "postfix", "chatwoot_rcpt" in "postfix"),
    caller!("maildrop": "mailfilter", "main.cf", "chatwoot_virtual", "chatwoot_domain" in "postfix", "chatwoot_rcpt" in "postfix"),
    caller!("container": "compose.yaml", "chatwoot.env", "chatwoot_rcpt" in "postfix"),
];

impl Caller {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CALLERS.iter().find(|caller| caller.name == name)
    }

    /// Whether it starts no program as root. Postfix's local(8) runs those of root's aliases as nobody, who cannot read the password.
    pub(super) fn refuses_root(&self) -> bool {
        ["postfix", "postfix-alias", "exim", "getmail", "dovecot-sieve"].contains(&self.name)
    }

    /// The caller's own name, as its people write it: the title of its page.
    pub(crate) fn title(&self) -> &'static str {
        let first = self.page.lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::super::page::filled_in;
    use super::super::values::{Given, Values};
    use super::*;

    const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

    fn names_in(folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_command_line_knows_the_same_callers() {
        let names: Vec<&str> = CALLERS.iter().map(|caller| caller.name).collect();
        assert_eq!(names, crate::cli::CALLERS);
    }

    #[test]
    fn every_folder_of_the_examples_is_a_caller_s_but_that_of_the_messages() {
        let folders = names_in(EXAMPLES).into_iter().filter(|name| !name.contains('.') && name != "messages");
        let callers: BTreeSet<String> = CALLERS.iter().map(|caller| caller.name.to_owned()).collect();
        assert_eq!(callers, folders.collect());
    }

    /// With `UPDATE_EXAMPLES` set, it writes them.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the developer asks for new examples by a variable")]
    fn the_examples_are_the_templates_filled_in_with_the_sample_values() {
        let samples = Values::new(Given::default()).unwrap();
        for caller in CALLERS {
            for (name, text) in filled_in(caller, &samples).files {
                let path = format!("{EXAMPLES}/{}/{name}", caller.name);
                if std::env::var_os("UPDATE_EXAMPLES").is_some() {
                    fs::write(&path, &text).unwrap();
                }
                assert_eq!(fs::read_to_string(&path).unwrap(), text, "{path}: run with UPDATE_EXAMPLES=1");
            }
        }
    }

    #[test]
    fn every_file_of_a_caller_s_folder_is_part_of_the_program_and_stands_on_its_page() {
        for caller in CALLERS {
            let folder = format!("{EXAMPLES}/{}", caller.name);
            let mut files: BTreeSet<String> = caller.files.iter().map(|file| file.name.to_owned()).collect();
            for file in &files {
                let heading = format!("\n### `{file}`: ");
                assert_eq!(caller.page.matches(&heading).count(), 1, "{}: {heading}", caller.name);
            }
            files.insert("README.md".to_owned());
            assert_eq!(files, names_in(&folder));
        }
    }

    #[test]
    fn all_pages_have_the_same_shape() {
        for caller in CALLERS {
            let sections: Vec<&str> =
                caller.page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
            assert_eq!(
                sections,
                [
                    "Files",
                    "Put in force",
                    "Test",
                    "On failure",
                    "Where to look",
                    "What goes wrong without these settings"
                ],
                "{}",
                caller.name
            );
        }
    }
}
