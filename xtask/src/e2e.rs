//! `cargo xtask e2e`: the browser tests. A real binary, a real store, a real Chromium; they need Node.js,
//! npm and Chromium, which `.ci/run` installs.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::run;

/// Builds the program and runs the tests, or one file of them.
pub fn run(root: &Path, only: Option<&str>) -> anyhow::Result<()> {
    let folder = root.join("e2e");
    for tool in ["node", "npm"] {
        if std::process::Command::new(tool).arg("--version").output().is_err() {
            bail!("{tool} is not installed (Debian: apt-get install nodejs npm chromium)");
        }
    }
    run::run(root, &["cargo", "build", "--package", "wardroom-cli", "--locked"])?;
    if !folder.join("node_modules/playwright-core/package.json").is_file() {
        run::run(&folder, &["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"])?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let program = target.join("debug").join(format!("wardroom{}", std::env::consts::EXE_SUFFIX));
    let tests = only.map_or_else(|| "tests/*.test.mjs".to_owned(), |name| format!("tests/{name}.test.mjs"));
    let words = format!("exec node --test --test-concurrency=1 --test-reporter=spec {tests}");
    run::run_with(&folder, &["sh", "-c", &words], &[("WARDROOM_BIN", &program.to_string_lossy())])
}
