use std::collections::HashMap;

use super::*;
use crate::advisory::{Reading, read_osv};
use crate::index::{Builder, Index};
use crate::upgrade::read_cargo_index;

#[derive(Default)]
struct Published(HashMap<&'static str, Arc<[Release]>>);

impl Registry for Published {
    fn releases(&self, _: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        self.0.get(name).cloned()
    }
}

fn published(packages: &[(&'static str, &[(&str, &str)])]) -> Published {
    let mut all = Published::default();
    for (name, versions) in packages {
        let lines: Vec<String> = versions
            .iter()
            .map(|(version, needs)| {
                let needs: Vec<String> = needs
                    .split_whitespace()
                    .map(|need| need.split_once('@').unwrap())
                    .map(|(name, range)| format!(r#"{{"name":"{name}","req":"{range}"}}"#))
                    .collect();
                format!(
                    r#"{{"vers":"{version}","deps":[{}],"cksum":"sum-{name}-{version}"}}"#,
                    needs.join(",")
                )
            })
            .collect();
        all.0.insert(name, read_cargo_index(lines.join("\n").as_bytes()).unwrap().into());
    }
    all
}

fn index(advisories: &[(&str, &str, &str)]) -> Index {
    let mut reading = Reading::default();
    for (id, package, fixed) in advisories {
        let text = format!(
            r#"{{"id": "{id}", "affected": [{{"package": {{"ecosystem": "crates.io", "name": "{package}"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        );
        read_osv(&"x.json".into(), text.as_bytes(), &mut reading);
    }
    let mut builder = Builder::default();
    builder.feed("f", "", "", reading.advisories);
    Index::open(builder.build()).unwrap()
}

const LOCK: &str = r#"version = 3

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "leaf 1.0.0",
 "middle",
]

[[package]]
name = "leaf"
version = "0.5.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "sum-leaf-0.5.0"

[[package]]
name = "leaf"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "sum-leaf-1.0.0"

[[package]]
name = "middle"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "sum-middle-1.0.0"
dependencies = [
 "leaf 0.5.0",
]
"#;

const MANIFEST: &str =
    "[package]\nname = \"app\"\n\n[dependencies]\nleaf = \"1\"\nmiddle = { version = \"1.0\" }\n";

fn run(index: &Index, registry: &Published, manifest: &str) -> (Plan, String) {
    let (plan, edits) =
        plan_cargo_lock(&"Cargo.lock".into(), LOCK, &[manifest], &Matcher::new(index), registry).unwrap();
    let mut text = LOCK.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.start as usize..edit.end as usize, &edit.text);
    }
    (plan, text)
}

#[test]
fn the_nearest_version_that_all_take() {
    let index = index(&[("CVE-1", "leaf", "1.0.2"), ("CVE-2", "middle", "1.1.0")]);
    let registry = published(&[
        ("leaf", &[("0.5.0", ""), ("1.0.0", ""), ("1.0.2", "more@1"), ("1.0.3", ""), ("2.0.0", "")]),
        ("middle", &[("1.0.0", "leaf@^0.5"), ("1.1.0", "leaf@>=0.5.0")]),
    ]);
    let (plan, text) = run(&index, &registry, MANIFEST);
    let changes: Vec<_> =
        plan.changes.iter().map(|c| (c.name.as_str(), c.from.as_str(), c.to.as_str())).collect();
    assert_eq!(changes, [("leaf", "1.0.0", "1.0.3"), ("middle", "1.0.0", "1.1.0")]);
    let expected = LOCK
        .replace("leaf 1.0.0", "leaf 1.0.3")
        .replace("name = \"leaf\"\nversion = \"1.0.0\"", "name = \"leaf\"\nversion = \"1.0.3\"")
        .replace("sum-leaf-1.0.0", "sum-leaf-1.0.3")
        .replace("name = \"middle\"\nversion = \"1.0.0\"", "name = \"middle\"\nversion = \"1.1.0\"")
        .replace("sum-middle-1.0.0", "sum-middle-1.1.0");
    assert_eq!(text, expected);
    let blocked: Vec<_> =
        plan.blocked.iter().map(|b| format!("{} {}: {}", b.name, b.version, b.reason)).collect();
    assert_eq!(blocked, ["leaf 0.5.0: 1.0.2 would mend it, but `middle` 1.0.0 asks for `leaf` (^0.5)."]);
}

#[test]
fn what_is_not_known_is_no_reason_to_write() {
    let index = index(&[("CVE-1", "leaf", "1.0.2")]);
    let leaf: &[(&str, &str)] = &[("1.0.0", ""), ("1.0.3", "")];
    for (registry, manifest, reason) in [
        (
            published(&[("leaf", leaf)]),
            "[dependencies]\nleaf = \"=1.0.0\"",
            "`app` 0.1.0 asks for `leaf` (=1.0.0)",
        ),
        (
            published(&[("leaf", leaf)]),
            "[dependencies]\nleaf = { path = \"x\" }",
            "it is not known what `app` asks for",
        ),
        (published(&[("leaf", &leaf[1..])]), MANIFEST, "nothing is known about what 1.0.0 asks for"),
        (published(&[]), MANIFEST, "Nothing is known about its releases"),
    ] {
        let (plan, text) = run(&index, &registry, manifest);
        assert_eq!(text, LOCK);
        assert!(
            plan.blocked.iter().any(|blocked| blocked.reason.contains(reason)),
            "{reason}: {:?}",
            plan.blocked
        );
    }
}

#[test]
fn broken_files_are_refused() {
    let index = index(&[]);
    let matcher = Matcher::new(&index);
    let file = "Cargo.lock".into();
    assert!(plan_cargo_lock(&file, "[[package", &[], &matcher, &Published::default()).is_err());
    assert!(plan_cargo_lock(&file, LOCK, &["[[x"], &matcher, &Published::default()).is_err());
    let (plan, edits) = plan_cargo_lock(&file, "", &[], &matcher, &Published::default()).unwrap();
    assert!(plan.changes.is_empty() && edits.is_empty());
}
