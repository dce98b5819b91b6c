//! An alias that Postfix's local(8) delivers to.

use std::fs;

use crate::support::folder::append;
use crate::support::matrix::matrix;
use crate::support::postfix::{ALIAS, Postfix, Way, by_postfix};
use crate::support::{Caller, Deployment};

pub(super) struct PostfixLocal(Postfix);

impl Caller for PostfixLocal {
    const NAME: &'static str = "Postfix local(8)";
    const DELIVERED: &'static [&'static str] =
        &["relay=local", "dsn=2.0.0, status=sent (delivered to command: "];
    const DEFERRED: &'static [&'static str] = &["relay=local", "status=deferred"];
    const REJECTED: &'static [&'static str] = &["relay=local", "dsn=5.3.4", "status=bounced"];
    const TOO_LARGE: &'static str = "5.3.4";

    const WRITES_X_ORIGINAL_TO: bool = true;

    /// Local(8) writes `_` for what a shell would take for something else (`command_expansion_filter`).
    fn told(recipient: &str) -> Option<String> {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "!@%-_=+:,./".contains(c);
        let bare = recipient.replace('"', "");
        Some(bare.chars().map(|c| if harmless(c) { c } else { '_' }).collect())
    }

    fn start(deployment: &Deployment) -> Self {
        let setup = deployment.setup("postfix-alias");
        // Addresses that the administrator's tables and Postfix's own caution keep out.
        append(&setup.join("chatwoot_virtual"), "/@reply\\.example\\.com$/ chatwoot@localhost\n");
        fs::write(setup.join("main.cf"), "allow_min_user = yes\n").unwrap();
        Self(Postfix::start_with(deployment.folder(), &setup, &Way { main: Some("main.cf"), ..ALIAS }))
    }

    by_postfix!();
}

matrix!(PostfixLocal);
