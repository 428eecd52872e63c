//! `cargo xtask ready`: all that CI runs, cheapest first.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;

use crate::run::{self, has, say};
use crate::{docs, e2e, layers};

/// How cargo-deny comes in where it is not there yet; `.ci/run` installs the same release.
const INSTALL_DENY: &str = "cargo install --locked cargo-deny@0.20.2";

/// Runs it all, and says at the end what failed and what could not be looked at.
pub fn run_all(root: &Path) -> (Vec<String>, Vec<String>) {
    let mut failed = Vec::new();
    let unchecked = RefCell::new(Vec::new());
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
    step("format", &|| with(root, "fmt", "rustup component add rustfmt", &["fmt", "--all", "--check"]));
    step("lints", &|| {
        let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        with(root, "clippy", "rustup component add clippy", &words)
    });
    step("tests", &|| {
        if has(root, "nextest") {
            run::run(root, &["cargo", "nextest", "run", "--workspace", "--locked"])?;
            return run::run(root, &["cargo", "test", "--workspace", "--locked", "--doc"]);
        }
        run::run(root, &["cargo", "test", "--workspace", "--locked"])
    });
    step("browser tests", &|| e2e::run(root, None));
    step("docs", &|| docs::run(root, true));
    step("cargo-deny", &|| {
        if has(root, "deny") {
            return Ok(());
        }
        // Once for the machine, some minutes: a fresh one has the toolchain only.
        run::run(root, &INSTALL_DENY.split(' ').collect::<Vec<_>>())
    });
    step("licences, bans and sources", &|| {
        with(root, "deny", INSTALL_DENY, &["deny", "--locked", "check", "bans", "licenses", "sources"])
    });
    step("advisories", &|| advisories(root, &mut unchecked.borrow_mut()));
    (failed, unchecked.into_inner())
}

/// Runs it.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let (failed, unchecked) = run_all(root);
    for what in &unchecked {
        say(&format!("NOT CHECKED: {what}"));
    }
    if !failed.is_empty() {
        bail!("not ready: {}", failed.join(", "));
    }
    say(if unchecked.is_empty() { "ready" } else { "ready, but for what was not checked" });
    Ok(())
}

/// Published weaknesses of what the program is built from. The list of them comes over the network:
/// where it does not, an earlier copy serves, and where there is none, that is told.
fn advisories(root: &Path, unchecked: &mut Vec<String>) -> anyhow::Result<()> {
    if !has(root, "deny") {
        bail!("cargo deny is not installed (`{INSTALL_DENY}`)");
    }
    if run::run(root, &["cargo", "deny", "--locked", "fetch", "db"]).is_ok() {
        return run::run(root, &["cargo", "deny", "--locked", "check", "advisories"]);
    }
    if !has_copy() {
        unchecked.push("advisories: the database could not be fetched, and no copy of it is here".to_owned());
        return Ok(());
    }
    unchecked.push("the newest advisories: the database could not be fetched; a copy was used".to_owned());
    run::run(root, &["cargo", "deny", "--locked", "--offline", "check", "advisories"])
}

/// Whether cargo-deny has fetched its database before.
fn has_copy() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
        Some(Path::new(&home).join(".cargo"))
    });
    // What an interrupted fetch leaves behind is no copy: a whole one has its crates.
    home.and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok())
        .is_some_and(|databases| databases.flatten().any(|d| d.path().join("crates").is_dir()))
}

/// A step whose tool a toolchain may come without: it fails then, since what is skipped looks like a
/// success.
fn with(root: &Path, tool: &str, install: &str, words: &[&str]) -> anyhow::Result<()> {
    if !has(root, tool) {
        bail!("cargo {tool} is not installed (`{install}`)");
    }
    run::run(root, &[&["cargo"], words].concat())
}
