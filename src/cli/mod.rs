//! The command line.

mod arguments;
mod invocation;
mod values;

#[cfg(test)]
pub(crate) use arguments::CALLERS;
pub(crate) use arguments::{
    CheckArgs, Command, ExplainArgs, ImportArgs, Options, SettingsOptions, SetupArgs, TraceArgs, TryArgs,
};
pub(crate) use invocation::{Invocation, definition, read};
pub(crate) use values::{AddressPattern, RehearsedAnswer};
