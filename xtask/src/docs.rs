//! `cargo xtask docs`: pages that the program itself says, so that they cannot be out of date. The
//! writing and comparing is a test of the command (`crates/cli/tests/docs.rs`), one of the program's
//! schemas (`crates/program/tests/schemas.rs`), one of the kinds at work (`crates/web/tests/kinds.rs`) and
//! one of the API's description
//! (`crates/web/src/api/tests/described.rs`), so that the tests alone already catch a page that was
//! forgotten.

use std::path::Path;

use crate::run;

/// Writes the pages, or compares them.
pub fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    for (package, tests) in [
        ("wardroom-cli", ["--test", "docs"]),
        ("wardroom-program", ["--test", "schemas"]),
        ("wardroom-web", ["--lib", "in_the_docs"]),
        ("wardroom-web", ["--test", "kinds"]),
    ] {
        let words = [&["cargo", "test", "--locked", "--package", package], &tests[..]].concat();
        if check {
            run::run(root, &words)?;
        } else {
            run::run_with(root, &words, &[("WARDROOM_WRITE_DOCS", "1")])?;
        }
    }
    Ok(())
}
