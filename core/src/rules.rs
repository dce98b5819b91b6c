//! What settings say about messages alone: how they are repaired, in which form they go, and what is known of the Chatwoot they go to.

use crate::repair::EnabledRepairs;
use crate::route::Chatwoot;
use crate::service::Service;

/// What decides the form in which a message is sent, and where it ends up.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The ingress that Chatwoot is set to.
    pub service: Service,
    /// Which repairs are on.
    pub repairs: EnabledRepairs,
    /// What is known of the Chatwoot at the other end.
    pub chatwoot: Chatwoot,
}
