//! The project's own lockfiles, read by this crate and by plain parsers: both see the same.

use std::collections::BTreeSet;
use std::path::Path;

use wardroom_deps::lockfile::{Inventory, format_of, settle};

fn read(path: &str) -> (String, Inventory) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(path)).expect("a file of the project");
    let found = (format_of(path).expect("a format").read)(&path.into(), text.as_bytes());
    assert_eq!(found.problems, []);
    (text, found)
}

#[test]
fn cargo() {
    let (text, mut found) = read("Cargo.lock");
    let plain: toml::Table = text.parse().unwrap();
    let packages = plain["package"].as_array().unwrap();
    let word = |p: &toml::Value, key: &str| p.get(key).and_then(|v| v.as_str()).unwrap_or("").to_owned();
    let (fetched, own): (Vec<_>, Vec<_>) = packages.iter().partition(|p| p.get("source").is_some());
    let expected: BTreeSet<_> = fetched
        .iter()
        .map(|p| (word(p, "name"), word(p, "version"), format!("sha256:{}", word(p, "checksum"))))
        .collect();
    let seen: BTreeSet<_> =
        found.packages.iter().map(|p| (p.name.clone(), p.version.clone(), p.checksum.clone())).collect();
    assert_eq!(seen, expected);
    let asked: BTreeSet<_> = own
        .iter()
        .flat_map(|p| p.get("dependencies").and_then(|d| d.as_array()).into_iter().flatten())
        .map(|d| d.as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    for package in &found.packages {
        assert!(!package.direct || asked.contains(&package.name), "{}", package.name);
        let (start, end) = package.span;
        assert_eq!(&text[start as usize..end as usize], format!("\"{}\"", package.name));
    }
    let direct: BTreeSet<_> = found.packages.iter().filter(|p| p.direct).map(|p| p.name.clone()).collect();
    let names: BTreeSet<_> = found.packages.iter().map(|p| p.name.clone()).collect();
    assert_eq!(direct, asked.intersection(&names).cloned().collect());
    // One member's manifest alone does not tell what the others need only for tests.
    let (_, manifest) = read("crates/deps/Cargo.toml");
    settle(&mut found, &[&manifest]);
    assert!(found.packages.iter().all(|p| p.groups.is_empty()));
}

#[test]
fn npm() {
    let (text, found) = read("e2e/package-lock.json");
    let plain: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entries = plain["packages"].as_object().unwrap();
    let expected: BTreeSet<_> = entries
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, p)| (path.rsplit("node_modules/").next().unwrap(), p["version"].as_str().unwrap()))
        .collect();
    let seen: BTreeSet<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
    assert_eq!(seen, expected);
    assert!(found.packages.iter().all(|p| p.checksum.starts_with("sha512-")));
    let (_, manifest) = read("e2e/package.json");
    let asks = |i: &Inventory| i.asks.iter().map(|a| a.requirement.clone()).collect::<BTreeSet<_>>();
    assert_eq!(asks(&manifest), asks(&found));
}
