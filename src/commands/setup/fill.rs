//! Filling values into a template, in one pass and line by line.

use super::values::Values;

/// The template with values in place of its placeholders (`@DOMAIN@`).
///
/// A line with a placeholder of an inbox comes once for each inbox, equal results once, and not at all when there is none.
pub(super) fn fill(template: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(template.len());
    for line in template.split_inclusive('\n') {
        if line.contains("@INBOX") {
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

fn fill_line(line: &str, values: &Values, inbox: Option<&(String, String)>) -> String {
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('@') {
        let (before, from_at) = rest.split_at(at);
        filled.push_str(before);
        let placeholder = from_at.get(1..).and_then(|name| name.split_once('@'));
        match placeholder.and_then(|(name, after)| Some((value(name, values, inbox)?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('@');
                rest = from_at.get(1..).unwrap_or_default();
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// What stands for a placeholder; nothing when there is none of this name. With `_REGEXP` it is a regular expression that means the
/// value and nothing else.
fn value(name: &str, values: &Values, inbox: Option<&(String, String)>) -> Option<String> {
    if let Some(plain) = name.strip_suffix("_REGEXP") {
        return value(plain, values, inbox).map(|value| value.replace('.', "\\."));
    }
    match (name, inbox) {
        ("DOMAIN", _) => Some(values.domain.clone()),
        ("USER", _) => Some(values.user.clone()),
        ("BINARY", _) => Some(values.binary.clone()),
        ("CONFIG", _) => Some(values.config.clone()),
        ("INBOX", Some((local, domain))) => Some(format!("{local}@{domain}")),
        ("INBOX_LOCAL", Some((local, _))) => Some(local.clone()),
        ("INBOX_DOMAIN", Some((_, domain))) => Some(domain.clone()),
        _ => None,
    }
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
    fn a_placeholder_is_replaced_and_any_other_at_sign_stays() {
        let values = values("reply.acme.test", &[]);
        for (template, filled) in [
            ("argv=@BINARY@ -c @CONFIG@ -r x", "argv=/opt/ingress/bin/ingress -c /srv/ingress.toml -r x"),
            ("  user=@USER@ argv=x", "  user=mailer argv=x"),
            ("@@DOMAIN@: @USER@", "@reply.acme.test: mailer"),
            ("/^reply\\+.*@@DOMAIN_REGEXP@$/ OK", "/^reply\\+.*@reply\\.acme\\.test$/ OK"),
            ("R$+ < @ @DOMAIN@ > < @ x >", "R$+ < @ reply.acme.test > < @ x >"),
            ("@NOTHING@ @domain@ a@b @", "@NOTHING@ @domain@ a@b @"),
        ] {
            assert_eq!(fill(template, &values), filled);
        }
    }

    #[test]
    fn an_inbox_line_comes_once_for_each_inbox() {
        let values = values("reply.acme.test", &["help@acme.test", "sales.eu@acme.test", "x@other.test"]);
        for (template, filled) in [
            ("@INBOX@ OK\nend\n", "help@acme.test OK\nsales.eu@acme.test OK\nx@other.test OK\nend\n"),
            ("    @INBOX_DOMAIN@\n", "    acme.test\n    other.test\n"),
            (
                "/^@INBOX_LOCAL_REGEXP@(\\+.*)?@@INBOX_DOMAIN_REGEXP@$/ OK\n",
                "/^help(\\+.*)?@acme\\.test$/ OK\n/^sales\\.eu(\\+.*)?@acme\\.test$/ OK\n/^x(\\+.*)?@other\\.test$/ OK\n",
            ),
        ] {
            assert_eq!(fill(template, &values), filled);
        }
    }

    #[test]
    fn without_an_inbox_its_lines_are_left_out() {
        let values = values("reply.acme.test", &[]);
        assert_eq!(fill("a = @DOMAIN@\n    @INBOX_DOMAIN@\nb\n", &values), "a = reply.acme.test\nb\n");
    }
}
