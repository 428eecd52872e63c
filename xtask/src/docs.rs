//! `cargo xtask docs`: pages that the program itself says, so that they cannot be out of date. The
//! writing and comparing is a test of the command (`crates/cli/tests/docs.rs`), one of the program's
//! schemas (`crates/program/tests/schemas.rs`), one of the kinds at work (`crates/web/tests/kinds.rs`) and
//! one of the API's description (`crates/web/src/api/tests/described.rs`): the tests alone already catch a
//! page that was forgotten.

use std::path::Path;

use crate::run;

/// Writes the pages, or compares them.
pub fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    // Of the whole workspace, so that what the tests have built is used and not built again.
    for tests in [&["--test", "docs", "--test", "schemas", "--test", "kinds"][..], &["--lib", "in_the_docs"]]
    {
        let words = [&["cargo", "test", "--locked", "--workspace"], tests].concat();
        if check {
            run::run(root, &words)?;
        } else {
            run::run_with(root, &words, &[("WARDROOM_WRITE_DOCS", "1")])?;
        }
    }
    Ok(())
}
