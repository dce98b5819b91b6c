//! Postfix's pipe(8).

use super::matrix::matrix;
use super::{Caller, Deployment};
use crate::folder::append;
use crate::postfix::{PIPE, Postfix};

/// What a caller does that is a Postfix and nothing else.
macro_rules! by_postfix {
    () => {
        fn submit(&self, mail: &$crate::callers::Mail) -> Result<(), String> {
            $crate::smtp::submit(self.0.port(), &mail.sender, &[&mail.recipient], &mail.text)
        }

        fn turn(&self) {
            self.0.flush();
        }

        fn kept(&self) -> Option<usize> {
            self.0.deferred()
        }

        fn log(&self) -> String {
            self.0.log()
        }

        fn returned(&self) -> String {
            self.0.returned()
        }
    };
}
pub(super) use by_postfix;

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
        append(&setup.join("chatwoot_recipients"), "/@reply\\.example\\.com$/ OK\n");
        append(&setup.join("chatwoot_transport"), "/@reply\\.example\\.com$/ chatwoot:\n");
        append(&setup.join("main.cf"), "allow_min_user = yes\n");
        Self(Postfix::start_with(deployment.folder(), &setup, &PIPE))
    }

    by_postfix!();
}

matrix!(PostfixPipe);
