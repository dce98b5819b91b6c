//! Replacing the sample values of a text, in one pass and line by line.

use super::values::{BINARY, CONFIG, DOMAIN, INBOX_DOMAIN, INBOX_LOCAL, USER, Values};

/// The text with the values in place of the samples.
///
/// A line that names the samples' inbox or its domain is an inbox line: it comes once for each inbox, equal results once, and not at all
/// when there is none.
pub(super) fn fill(text: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if names_an_inbox(line) {
            let mut written: Vec<String> = Vec::new();
            for inbox in &values.inboxes {
                let line = fill_line(line, values, Some(inbox));
                if !written.contains(&line) {
                    filled.push_str(&line);
                    written.push(line);
                }
            }
        } else {
            filled.push_str(&fill_line(line, values, None));
        }
    }
    filled
}

/// Whether the inbox's domain stands in the line other than as the end of the reply domain.
fn names_an_inbox(line: &str) -> bool {
    [INBOX_DOMAIN.to_owned(), escaped(INBOX_DOMAIN)].iter().any(|domain| {
        line.match_indices(domain.as_str()).any(|(at, _)| !line.get(..at).unwrap_or_default().ends_with('.'))
    })
}

fn fill_line(line: &str, values: &Values, inbox: Option<&(String, String)>) -> String {
    let regexp = line.contains(&escaped(INBOX_DOMAIN));
    let quoted = |text: &str| if regexp { escaped(text) } else { text.to_owned() };
    let mut replacements = vec![
        (DOMAIN.to_owned(), values.domain.clone()),
        (escaped(DOMAIN), escaped(&values.domain)),
        (BINARY.to_owned(), values.binary.clone()),
        (CONFIG.to_owned(), values.config.clone()),
    ];
    if let Some((local, domain)) = inbox {
        replacements.push((INBOX_DOMAIN.to_owned(), domain.clone()));
        replacements.push((escaped(INBOX_DOMAIN), escaped(domain)));
        replacements.push((INBOX_LOCAL.to_owned(), quoted(local)));
        replacements.push((format!("{USER}-{INBOX_LOCAL}"), format!("{}-{local}", values.user)));
    }
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let found = replacements.iter().find(|(sample, _)| is_word(sample, rest, &filled));
        if let Some((sample, value)) = found {
            filled.push_str(value);
            rest = rest.get(sample.len()..).unwrap_or_default();
        } else if is_word(USER, rest, &filled) && BEFORE_USER.iter().any(|before| filled.ends_with(before)) {
            filled.push_str(&values.user);
            rest = rest.get(USER.len()..).unwrap_or_default();
        } else {
            filled.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    filled
}

/// What stands before the user's name, which is also the program's.
const BEFORE_USER: [&str; 16] = [
    "--as ",
    "user=",
    "U=",
    "= ",
    "= \"",
    "user ",
    "user \"",
    "/bin/sh ",
    "* * * * ",
    "account `",
    "~",
    ":",
    ": ",
    "$/   ",
    "chown ",
    "inline:{",
];

/// Whether `sample` stands at the beginning of `rest`, not as a part of a longer word.
fn is_word(sample: &str, rest: &str, before: &str) -> bool {
    let within = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let Some(after) = rest.strip_prefix(sample) else { return false };
    let begins = sample.starts_with('/') || !before.ends_with(within);
    begins && !after.starts_with(within)
}

/// As a regular expression that means the text and nothing else.
fn escaped(text: &str) -> String {
    text.replace('.', "\\.").replace('+', "\\+")
}

#[cfg(test)]
mod tests {
    use super::super::values::Given;
    use super::*;

    fn values(domain: &str, inboxes: &[&str]) -> Values {
        Values::new(Given {
            domain: Some(domain.to_owned()),
            inboxes: inboxes.iter().copied().map(str::to_owned).collect(),
            user: Some("mailer".to_owned()),
            binary: Some("/opt/ingress/bin/ingress".to_owned()),
            config: Some("/srv/ingress.toml".to_owned()),
        })
        .unwrap()
    }

    #[test]
    fn each_sample_value_is_replaced_where_it_is_a_word() {
        let values = values("reply.acme.test", &[]);
        for (sample, filled) in [
            (
                "argv=/usr/bin/ingress -c /etc/ingress.toml -r x",
                "argv=/opt/ingress/bin/ingress -c /srv/ingress.toml -r x",
            ),
            ("  user=ingress argv=x", "  user=mailer argv=x"),
            ("user = ingress", "user = mailer"),
            ("su -s /bin/sh ingress -c 'fdm -n'", "su -s /bin/sh mailer -c 'fdm -n'"),
            ("*/2 * * * * ingress fdm -q fetch", "*/2 * * * * mailer fdm -q fetch"),
            ("@reply.example.com: ingress", "@reply.acme.test: mailer"),
            ("inline:{ingress=/usr/bin/maildrop}", "inline:{mailer=/usr/bin/maildrop}"),
            ("the account `ingress`, whose", "the account `mailer`, whose"),
            ("ingress check --as ingress", "ingress check --as mailer"),
            ("~ingress/.getmail", "~mailer/.getmail"),
            (
                "user \"ingress\" virtual { \"@\" = \"ingress\" }",
                "user \"mailer\" virtual { \"@\" = \"mailer\" }",
            ),
            ("reply.example.com:ingress", "reply.acme.test:mailer"),
            ("@reply\\.example\\.com$/   ingress", "@reply\\.acme\\.test$/   mailer"),
            ("/^reply\\.example\\.com$/ OK", "/^reply\\.acme\\.test$/ OK"),
            ("the program ingress", "the program ingress"),
            ("xreply.example.com", "xreply.example.com"),
            ("reply.example.com.", "reply.acme.test."),
            ("/usr/bin/ingress-old", "/usr/bin/ingress-old"),
        ] {
            assert_eq!(fill(sample, &values), filled);
        }
    }

    #[test]
    fn an_inbox_line_comes_once_for_each_inbox() {
        let values = values("reply.acme.test", &["help@acme.test", "sales.eu@acme.test", "x@other.test"]);
        for (sample, filled) in [
            (
                "support@example.com OK\nend\n",
                "help@acme.test OK\nsales.eu@acme.test OK\nx@other.test OK\nend\n",
            ),
            ("    example.com\n", "    acme.test\n    other.test\n"),
            (
                "support@example.com: ingress-support=example.com\n",
                "help@acme.test: mailer-help=acme.test\nsales.eu@acme.test: mailer-sales.eu=acme.test\nx@other.test: mailer-x=other.test\n",
            ),
            (
                "/^support(\\+.*)?@example\\.com$/ OK\n",
                "/^help(\\+.*)?@acme\\.test$/ OK\n/^sales\\.eu(\\+.*)?@acme\\.test$/ OK\n/^x(\\+.*)?@other\\.test$/ OK\n",
            ),
        ] {
            assert_eq!(fill(sample, &values), filled);
        }
    }

    #[test]
    fn without_an_inbox_its_lines_are_left_out() {
        let values = values("reply.acme.test", &[]);
        assert_eq!(fill("a = reply.example.com\n    example.com\nb\n", &values), "a = reply.acme.test\nb\n");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let values = values("example.com", &["support@reply.example.com"]);
        assert_eq!(
            fill("reply.example.com support@example.com\n", &values),
            "example.com support@reply.example.com\n"
        );
    }

    #[test]
    fn the_samples_themselves_change_nothing() {
        let text =
            "user=ingress reply.example.com /usr/bin/ingress -c /etc/ingress.toml\nsupport@example.com\n";
        assert_eq!(fill(text, &Values::new(Given::default()).unwrap()), text);
    }
}
