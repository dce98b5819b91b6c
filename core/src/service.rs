//! Which of Action Mailbox's five ingresses Chatwoot is set to, and what is another for each.

/// Which of Action Mailbox's ingresses Chatwoot is set to (`RAILS_INBOUND_EMAIL_SERVICE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// The raw message; what a Chatwoot that no service delivers to is set to.
    #[default]
    Relay,
    /// As SendGrid's Inbound Parse does.
    Sendgrid,
    /// As Mailgun's routes do.
    Mailgun,
    /// As Mailchimp Transactional does.
    Mandrill,
    /// As Postmark's inbound webhook does.
    Postmark,
}

/// What a service wants as proof of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Basic auth.
    Password,
    /// An HMAC under a key that both sides know.
    Signature,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 5] = [Self::Relay, Self::Sendgrid, Self::Mailgun, Self::Mandrill, Self::Postmark];

    /// The one that settings call so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Whose endpoint has this path.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| path.ends_with(service.path()))
    }

    /// As Chatwoot's `RAILS_INBOUND_EMAIL_SERVICE` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Sendgrid => "sendgrid",
            Self::Mailgun => "mailgun",
            Self::Mandrill => "mandrill",
            Self::Postmark => "postmark",
        }
    }

    /// What it asks for.
    pub fn proof(self) -> Proof {
        match self {
            Self::Relay | Self::Sendgrid | Self::Postmark => Proof::Password,
            Self::Mailgun | Self::Mandrill => Proof::Signature,
        }
    }

    /// Whether it takes the message as text: everything but ASCII is refused by Rails, or cannot be said in JSON.
    pub fn wants_ascii(self) -> bool {
        self != Self::Relay
    }

    /// Whether it has a field for the envelope recipient, which Action Mailbox makes an `X-Original-To`.
    pub fn names_recipient(self) -> bool {
        matches!(self, Self::Sendgrid | Self::Mailgun)
    }

    /// Chatwoot's variable for its copy of the secret.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Relay | Self::Sendgrid | Self::Postmark => "RAILS_INBOUND_EMAIL_PASSWORD",
            Self::Mailgun => "MAILGUN_INGRESS_SIGNING_KEY",
            Self::Mandrill => "MANDRILL_INGRESS_API_KEY",
        }
    }

    /// The path below the base URL.
    pub fn path(self) -> &'static str {
        match self {
            Self::Relay => "/rails/action_mailbox/relay/inbound_emails",
            Self::Sendgrid => "/rails/action_mailbox/sendgrid/inbound_emails",
            Self::Mailgun => "/rails/action_mailbox/mailgun/inbound_emails/mime",
            Self::Mandrill => "/rails/action_mailbox/mandrill/inbound_emails",
            Self::Postmark => "/rails/action_mailbox/postmark/inbound_emails",
        }
    }

    /// The one status that proves that the message is stored.
    pub fn success(self) -> u16 {
        match self {
            Self::Relay | Self::Sendgrid | Self::Mailgun | Self::Postmark => 204,
            Self::Mandrill => 200,
        }
    }
}
