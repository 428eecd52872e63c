//! `cargo xtask ready`: all that CI runs, cheapest first.

use std::path::Path;
use std::time::Instant;

use anyhow::bail;

use crate::run::{self, has, say};
use crate::{docs, layers};

/// Runs it all, and says at the end what failed.
pub fn run_all(root: &Path) -> Vec<String> {
    let mut failed = Vec::new();
    let mut step = |name: &str, work: &dyn Fn() -> anyhow::Result<()>| {
        let begun = Instant::now();
        match work() {
            Ok(()) => say(&format!("ok: {name} ({:.0} s)", begun.elapsed().as_secs_f64())),
            Err(error) => {
                say(&format!("FAILED: {name}: {error:#}"));
                failed.push(name.to_owned());
            }
        }
    };
    step("layers", &|| layers::check(root));
    step("format", &|| optional(root, "fmt", "rustup component add rustfmt", &["fmt", "--all", "--check"]));
    step("lints", &|| {
        let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        optional(root, "clippy", "rustup component add clippy", &words)
    });
    step("tests", &|| {
        if has(root, "nextest") {
            run::run(root, &["cargo", "nextest", "run", "--workspace", "--locked"])?;
            return run::run(root, &["cargo", "test", "--workspace", "--locked", "--doc"]);
        }
        run::run(root, &["cargo", "test", "--workspace", "--locked"])
    });
    step("docs", &|| docs::run(root, true));
    step("licences and advisories", &|| {
        optional(root, "deny", "cargo install cargo-deny", &["deny", "--locked", "check"])
    });
    failed
}

/// Runs it.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let failed = run_all(root);
    if !failed.is_empty() {
        bail!("not ready: {}", failed.join(", "));
    }
    say("ready");
    Ok(())
}

/// A step whose tool a toolchain may come without.
fn optional(root: &Path, tool: &str, install: &str, words: &[&str]) -> anyhow::Result<()> {
    if !has(root, tool) {
        say(&format!("skipped: cargo {tool} is not installed (`{install}`)"));
        return Ok(());
    }
    run::run(root, &[&["cargo"], words].concat())
}
