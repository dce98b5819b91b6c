//! What settings say about messages alone: how they are repaired, in which form they go, and what is known of the Chatwoot they go to.

use crate::repair::EnabledRepairs;
use crate::route::Chatwoot;
use crate::service::Service;

/// What decides the form in which a message is sent, and where it ends up.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The ingress that Chatwoot is set to.
    pub service: Service,
    /// Which repairs are on.
    pub repairs: EnabledRepairs,
    /// What is known of the Chatwoot at the other end.
    pub chatwoot: Chatwoot,
    /// The largest file, decoded, in bytes, that an answer to a website conversation may hold (`MAXIMUM_FILE_UPLOAD_SIZE` of Chatwoot).
    pub max_attachment: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            service: Service::default(),
            repairs: EnabledRepairs::default(),
            chatwoot: Chatwoot::default(),
            max_attachment: 40 * 1024 * 1024,
        }
    }
}
