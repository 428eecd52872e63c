//! `wardroom demo`.

use crate::args::DemoArgs;

/// Runs it; the exit code.
pub fn run(_options: &DemoArgs) -> anyhow::Result<u8> {
    anyhow::bail!("not there yet")
}
