//! `cargo xtask docs`: pages that the program itself says, so that they cannot be out of date. The
//! writing and comparing is a test of the command (`crates/cli/tests/docs.rs`) and one of the program's
//! schemas (`crates/program/tests/schemas.rs`), so that the tests alone already catch a page that was
//! forgotten.

use std::path::Path;

use crate::run;

/// Writes the pages, or compares them.
pub fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    for (package, test) in [("wardroom-cli", "docs"), ("wardroom-program", "schemas")] {
        let words = ["cargo", "test", "--package", package, "--test", test, "--locked"];
        if check {
            run::run(root, &words)?;
        } else {
            run::run_with(root, &words, &[("WARDROOM_WRITE_DOCS", "1")])?;
        }
    }
    Ok(())
}
