//! What a delivery is busy with: whoever keeps it busy is to blame when the deadline comes.

/// The stages of a delivery, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Configuration, log, password, authorities.
    #[default]
    Starting,
    /// The message comes in.
    Reading,
    /// It is repaired.
    Preparing,
    /// The host name is looked up.
    Resolving,
    /// TCP and TLS.
    Connecting,
    /// The message goes out.
    Sending,
    /// For the answer.
    Waiting,
}

impl Phase {
    /// In their order.
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::Reading,
        Self::Preparing,
        Self::Resolving,
        Self::Connecting,
        Self::Sending,
        Self::Waiting,
    ];

    /// What had not come to its end.
    pub fn unfinished(self) -> &'static str {
        match self {
            Self::Starting => "the configuration and the files it names were not read within timeout",
            Self::Reading => "the message did not come to its end within timeout",
            Self::Preparing => "the message was not repaired within timeout",
            Self::Resolving => "the resolver gave no answer within timeout",
            Self::Connecting => "no connection within timeout",
            Self::Sending => "the endpoint did not take the whole message within timeout",
            Self::Waiting => "no answer within timeout",
        }
    }
}
