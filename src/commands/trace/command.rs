//! The command itself.

use std::process::ExitCode;

use super::api::Api;
use super::report::{TraceJson, text};
use super::search::search;
use super::wanted::Wanted;
use crate::cli::{Options, TraceArgs};
use crate::commands::error::CommandError;
use crate::exit;
use crate::output::{print, status_after};
use crate::settings::ApiSettings;
use chatwoot_mail::environment::Environment;

/// Looks for the message; the status is 0 found, 1 not found, 65 no message, 69 the API or the way to it, 78 configuration.
pub(crate) fn run(arguments: &TraceArgs, options: &Options, environment: &Environment) -> ExitCode {
    match traced(arguments, options, environment) {
        Ok((output, status)) => ExitCode::from(status_after(&print(&output), status)),
        Err(error) => error.report(),
    }
}

fn traced(
    arguments: &TraceArgs,
    options: &Options,
    environment: &Environment,
) -> Result<(Vec<u8>, u8), CommandError> {
    let settings = ApiSettings::load(&options.settings, environment)?;
    let wanted = Wanted::read(&arguments.what, options, environment)?;
    let outcome = search(&Api::new(&settings, environment)?, &wanted)?;
    let status = if outcome.hits.is_empty() { exit::NOT_FOUND } else { 0 };
    if !arguments.json {
        return Ok((text(&wanted, &outcome).into_bytes(), status));
    }
    let mut json = serde_json::to_vec_pretty(&TraceJson::of(&wanted, &outcome))
        .map_err(|error| CommandError::new(exit::TEMPORARY, format!("cannot write JSON: {error}")))?;
    json.push(b'\n');
    Ok((json, status))
}
