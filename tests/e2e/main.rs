//! End-to-end tests with real mail servers and a real Action Mailbox.
