//! Postfix's pipe(8).

use crate::support::folder::append;
use crate::support::matrix::matrix;
use crate::support::postfix::{PIPE, Postfix, by_postfix};
use crate::support::{Caller, Deployment};

struct PostfixPipe(Postfix);

impl Caller for PostfixPipe {
    const NAME: &'static str = "Postfix pipe(8)";
    const DELIVERED: &'static [&'static str] = &["dsn=2.0.0, status=sent (delivered via chatwoot service)"];
    const DEFERRED: &'static [&'static str] = &["relay=chatwoot", "status=deferred"];
    const REJECTED: &'static [&'static str] = &["relay=chatwoot", "dsn=5.3.4", "status=bounced"];
    const TOO_LARGE: &'static str = "5.3.4";

    fn start(deployment: &Deployment) -> Self {
        let setup = deployment.setup("postfix");
        // Addresses that the administrator's tables and Postfix's own caution keep out.
        let all = "/^(.*)@reply\\.example\\.com$/ $1@reply.example.com.chatwoot.invalid\n";
        append(&setup.join("chatwoot_virtual"), all);
        append(&setup.join("main.cf"), "allow_min_user = yes\n");
        Self(Postfix::start_with(deployment.folder(), &setup, &PIPE))
    }

    by_postfix!();
}

matrix!(PostfixPipe);
