//! What the tests share: the program under test, servers that answer as told, files and certificates.

pub(crate) mod authority;
pub(crate) mod checked;
pub(crate) mod mounts;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod setting;
