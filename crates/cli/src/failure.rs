//! What makes a run end early, and with which exit code.

use std::io;
use std::process::ExitCode;

use crate::output::Console;

/// Nothing that counts was found.
pub const CLEAN: u8 = 0;
/// Findings that count.
pub const FINDINGS: u8 = 1;
/// Wrong use: an option, or a file that the user wrote, does not make sense.
pub const USAGE: u8 = 2;
/// The run was not possible: something could not be read, written or started.
pub const RUN: u8 = 3;

/// The user asked for something that makes no sense; every other error is [`RUN`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A wrong use, as an error.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// Tells errors.
pub struct Failure;

impl Failure {
    /// Tells an error on standard error, and says the exit code. A reader that went away is no error.
    pub fn told(error: &anyhow::Error) -> ExitCode {
        if error.chain().any(is_broken_pipe) {
            return ExitCode::from(CLEAN);
        }
        Console::stderr(&format!("wardroom: {error:#}"));
        ExitCode::from(if error.downcast_ref::<Usage>().is_some() { USAGE } else { RUN })
    }
}

/// Whether the reader of the output has gone away.
pub fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = if let Some(wardroom_report::Error::Io(io)) = error.downcast_ref() {
        Some(io.kind())
    } else if let Some(json) = error.downcast_ref::<serde_json::Error>() {
        json.io_error_kind()
    } else {
        error.downcast_ref::<io::Error>().map(io::Error::kind)
    };
    kind == Some(io::ErrorKind::BrokenPipe)
}
