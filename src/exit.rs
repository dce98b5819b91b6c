//! The exit statuses of the operator's commands: those of sysexits(3). A delivery's own stand in the outcome table.

/// What was looked for is not there; sysexits(3) has no status for it, grep(1) has this one.
pub(crate) const NOT_FOUND: u8 = 1;
/// Wrong command line (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;
/// The message is no message, or was refused (`EX_DATAERR`).
pub(crate) const MESSAGE: u8 = 65;
/// The endpoint, or the way to it (`EX_UNAVAILABLE`).
pub(crate) const ENDPOINT: u8 = 69;
/// A file that cannot be made (`EX_CANTCREAT`).
pub(crate) const CANNOT_CREATE: u8 = 73;
/// Output that cannot be written (`EX_IOERR`).
pub(crate) const IO_ERROR: u8 = 74;
/// Try again (`EX_TEMPFAIL`).
pub(crate) const TEMPORARY: u8 = 75;
/// Configuration (`EX_CONFIG`).
pub(crate) const CONFIGURATION: u8 = 78;
