//! What a password looks like that was probably not meant so: told when Chatwoot refuses it, without showing any of it.

use chatwoot_mail::request::Secret;

/// What is odd about it; as a rule the other side has it without. Ends a sentence that begins with `the password`.
pub(crate) fn oddity(secret: &Secret) -> Option<&'static str> {
    let text = secret.reveal();
    if text.starts_with('\u{feff}') {
        return Some("begins with a byte order mark (an editor's UTF-8 with BOM)");
    }
    if text.trim() != text {
        return Some("has a blank before or after it");
    }
    let is_quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        return Some("stands in quotes, which belong to it here");
    }
    let name = text.split_once('=').map(|(name, _)| name.strip_prefix("export ").unwrap_or(name));
    let is_variable = |name: &str| {
        name.len() > 2
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if name.is_some_and(|name| is_variable(name) && name.contains('_')) {
        return Some("begins with NAME=, as in an .env file: the value alone belongs there");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<&'static str> {
        oddity(&Secret::from_line(text).unwrap())
    }

    #[test]
    fn what_editors_and_env_files_add_is_noticed() {
        assert!(of("\u{feff}swordfish").unwrap().contains("byte order mark"));
        for blank in [" swordfish", "swordfish ", "swordfish\u{a0}"] {
            assert!(of(blank).unwrap().contains("blank"), "{blank:?}");
        }
        assert!(of("\"swordfish\"").unwrap().contains("quotes") && of("'swordfish'").is_some());
        for named in ["RAILS_INBOUND_EMAIL_PASSWORD=swordfish", "export INGRESS_PASSWORD='swordfish'"] {
            assert!(of(named).unwrap().contains("NAME="), "{named}");
        }
    }

    #[test]
    fn a_password_may_look_like_a_password() {
        for good in
            ["swordfish", "a b", "it's", "\"", "c3dvcmRmaXNo==", "ABC=", "A=B", "x=y", "sword\"fish\""]
        {
            assert_eq!(of(good), None, "{good}");
        }
    }

    #[test]
    fn nothing_of_it_is_shown() {
        for odd in ["\u{feff}hush", " hush", "'hush'", "HUSH_HUSH=hush"] {
            assert!(!of(odd).unwrap().to_lowercase().contains("hush"));
        }
    }
}
