//! Which crate may see which: ARCHITECTURE.md says why; this compares it with what cargo resolves.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;

use crate::run::{output, say};

/// Each of our crates below the command, and what it may see of the others.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("source", &["model"]),
    ("ruby", &["model"]),
    ("rails", &["model", "source", "ruby"]),
    ("flow", &["model", "source", "ruby", "rails"]),
    ("sast", &["model", "source", "ruby", "rails", "flow"]),
    ("deps", &["model", "source"]),
    ("secrets", &["model", "source"]),
    ("import", &["model"]),
    ("report", &["model", "source"]),
    ("program", &["model"]),
    ("desk", &["model", "program"]),
    ("store", &["model", "program", "desk"]),
    ("store-sqlite", &["model", "program", "desk", "store"]),
    ("store-postgres", &["model", "program", "desk", "store"]),
    ("service", &["model", "program", "desk", "store"]),
    ("web", &["model", "source", "report", "program", "desk", "store", "service"]),
];

/// What no crate of ours sees: command lines, clients, servers, runtimes and stores; but for those whose
/// work it is.
const NEVER: &[(&str, &[&str])] = &[
    ("clap", &[]),
    ("async-std", &[]),
    ("reqwest", &[]),
    ("ureq", &[]),
    ("openssl-sys", &[]),
    ("datafusion", &[]),
    ("sqlx", &["store-sqlite", "store-postgres"]),
    ("axum", &["web"]),
    ("hyper", &["web"]),
    ("tokio", &["store-sqlite", "store-postgres", "service", "web"]),
];

/// Crates of ours that may depend on any other.
const TOP: &[&str] = &["wardroom-bench", "wardroom-bench-deps", "wardroom-cli", "xtask"];

/// Compares.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for name in members(root)? {
        if TOP.contains(&name.as_str()) {
            continue;
        }
        let Some((layer, may)) = LAYERS.iter().find(|(layer, _)| name == format!("wardroom-{layer}")) else {
            wrong.push(format!("{name} has no place in xtask/src/layers.rs: give it one"));
            continue;
        };
        let tree = output(
            root,
            &[
                "cargo",
                "tree",
                "--package",
                &name,
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--format",
                "{p}",
                "--locked",
            ],
        )?;
        wrong.extend(seen_wrongly(layer, may, &tree));
    }
    if !wrong.is_empty() {
        bail!("\n  {}", wrong.join("\n  "));
    }
    say("the crates see only what they may");
    Ok(())
}

fn members(root: &Path) -> anyhow::Result<Vec<String>> {
    let tree = output(
        root,
        &["cargo", "tree", "--workspace", "--depth", "0", "--prefix", "none", "--format", "{p}", "--locked"],
    )?;
    Ok(names(&tree).into_iter().collect())
}

fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn seen_wrongly(layer: &str, may: &[&str], tree: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in names(tree) {
        let own = name.strip_prefix("wardroom-");
        let barred = NEVER.iter().any(|(what, by)| *what == name && !by.contains(&layer));
        if own.is_some_and(|own| own != layer && !may.contains(&own)) || barred {
            wrong.push(format!("wardroom-{layer} must not see {name}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_looks_up_is_told() {
        let tree = "wardroom-ruby v0.1.0 (/x)\nwardroom-rails v0.1.0 (/y)\nserde v1.0.0\ntokio v1.0.0 (*)\n";
        assert_eq!(
            seen_wrongly("ruby", &["model"], tree),
            ["wardroom-ruby must not see tokio", "wardroom-ruby must not see wardroom-rails"]
        );
        assert_eq!(seen_wrongly("ruby", &["rails"], "wardroom-ruby v0\nwardroom-rails v0\n"), [""; 0]);
    }
}
