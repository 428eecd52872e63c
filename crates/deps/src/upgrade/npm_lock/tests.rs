use std::collections::HashMap;

use super::*;
use crate::advisory::{Reading, read_osv};
use crate::index::{Builder, Index};
use crate::upgrade::read_packument;

#[derive(Default)]
struct Published(HashMap<&'static str, Arc<[Release]>>);

impl Registry for Published {
    fn releases(&self, _: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        self.0.get(name).cloned()
    }
}

/// `more` are a release's other fields, each with a comma before it.
fn published(packages: &[(&'static str, &[(&str, &str)])]) -> Published {
    let mut all = Published::default();
    for (name, versions) in packages {
        let versions: Vec<String> = versions
            .iter()
            .map(|(version, more)| {
                format!(
                    r#""{version}": {{"dist": {{"integrity": "sha512-{version}==", "tarball": "https://registry.npmjs.org/{name}/-/{name}-{version}.tgz"}}{more}}}"#
                )
            })
            .collect();
        let text = format!(r#"{{"versions": {{{}}}}}"#, versions.join(","));
        all.0.insert(name, read_packument(text.as_bytes()).unwrap().into());
    }
    all
}

fn index(advisories: &[(&str, &str, &str)]) -> Index {
    let mut reading = Reading::default();
    for (id, package, fixed) in advisories {
        let text = format!(
            r#"{{"id": "{id}", "affected": [{{"package": {{"ecosystem": "npm", "name": "{package}"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        );
        read_osv(&"x.json".into(), text.as_bytes(), &mut reading);
    }
    assert_eq!(reading.problems, []);
    let mut builder = Builder::default();
    builder.feed("f", "", "", reading.advisories);
    Index::open(builder.build()).unwrap()
}

const LOCK: &str = r#"{
  "name": "p",
  "lockfileVersion": 2,
  "packages": {
    "": {
      "dependencies": {
        "left": "^1.0.0",
        "pinned": "1.0.0"
      }
    },
    "node_modules/deep": {
      "version": "1.0.0",
      "resolved": "https://registry.npmjs.org/deep/-/deep-1.0.0.tgz",
      "integrity": "sha512-deep=="
    },
    "node_modules/left": {
      "version": "1.0.0",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.0.tgz",
      "integrity": "sha512-old==",
      "dev": true,
      "dependencies": {
        "deep": "^1.0.0"
      }
    },
    "node_modules/pinned": {
      "version": "1.0.0",
      "integrity": "sha512-pinned==",
      "dependencies": {
        "deep": "*"
      }
    }
  },
  "dependencies": {
    "deep": {
      "version": "1.0.0",
      "resolved": "https://registry.npmjs.org/deep/-/deep-1.0.0.tgz",
      "integrity": "sha512-deep=="
    },
    "left": {
      "version": "1.0.0",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.0.tgz",
      "integrity": "sha512-old==",
      "requires": {
        "deep": "^1.0.0"
      }
    }
  }
}
"#;

fn run(index: &Index, registry: &Published) -> (Plan, String) {
    let (plan, edits) =
        plan_npm_lock(&"package-lock.json".into(), LOCK, &Matcher::new(index), registry).unwrap();
    let mut text = LOCK.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.start as usize..edit.end as usize, &edit.text);
    }
    (plan, text)
}

#[test]
fn the_nearest_version_that_fits_in_and_every_other_byte_as_it_was() {
    let index = index(&[("CVE-1", "left", "1.0.2")]);
    let needs_newer = r#", "dependencies": {"deep": "^1.5.0"}"#;
    let fits = r#", "license": "MIT", "dependencies": {"deep": ">=1"}, "engines": {"node": ">=12"}"#;
    let registry = published(&[(
        "left",
        &[
            ("1.0.0", ""),
            ("1.0.1", fits),
            ("1.0.2-rc.1", fits),
            ("1.0.2", needs_newer),
            ("1.0.3", fits),
            ("2.0.0", fits),
        ],
    )]);
    let (plan, text) = run(&index, &registry);
    assert_eq!(plan.blocked, []);
    assert_eq!(
        (plan.changes[0].to.as_str(), &plan.changes[0].clears[..]),
        ("1.0.3", &["CVE-1".to_owned()][..])
    );
    let expected = LOCK
        .replacen(
            r#"      "version": "1.0.0",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.0.tgz",
      "integrity": "sha512-old==",
      "dev": true,
      "dependencies": {
        "deep": "^1.0.0"
      }
"#,
            r#"      "version": "1.0.3",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.3.tgz",
      "integrity": "sha512-1.0.3==",
      "dev": true,
      "license": "MIT",
      "dependencies": {
        "deep": ">=1"
      },
      "engines": {
        "node": ">=12"
      }
"#,
            1,
        )
        .replacen(
            r#"      "version": "1.0.0",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.0.tgz",
      "integrity": "sha512-old==",
      "requires": {
        "deep": "^1.0.0"
      }
"#,
            r#"      "version": "1.0.3",
      "resolved": "https://mirror.example/npm/left/-/left-1.0.3.tgz",
      "integrity": "sha512-1.0.3==",
      "requires": {
        "deep": ">=1"
      }
"#,
            1,
        );
    assert_eq!(text, expected);
}

#[test]
fn what_is_in_the_way_is_named() {
    let index =
        index(&[("CVE-1", "pinned", "1.0.1"), ("CVE-2", "deep", "2.0.0"), ("CVE-3", "left", "1.0.1")]);
    let registry = published(&[
        ("pinned", &[("1.0.1", r#", "dependencies": {"deep": "*"}"#)]),
        ("deep", &[("2.0.0", "")]),
        ("left", &[("1.0.1", r#", "dependencies": {"new": "1"}"#)]),
    ]);
    let (plan, text) = run(&index, &registry);
    assert_eq!(text, LOCK);
    let reasons: Vec<_> = plan.blocked.iter().map(|blocked| blocked.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "2.0.0 would mend it, but `left` 1.0.0 asks for `deep` (^1.0.0).",
            "1.0.1 would mend it, but it asks for `new` (1), which is not there.",
            "1.0.1 would mend it, but the project asks for `pinned` (1.0.0)."
        ]
    );
    let (plan, _) = run(&index, &Published::default());
    assert!(plan.blocked.iter().all(|blocked| blocked.reason == "Nothing is known about its releases."));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let index = index(&[]);
    let matcher = Matcher::new(&index);
    for text in ["", "{", "{\"lockfileVersion\": 1, \"dependencies\": {}}", "[]", &"[".repeat(100_000)] {
        assert!(
            plan_npm_lock(&"package-lock.json".into(), text, &matcher, &Published::default()).is_err(),
            "{text:.40}"
        );
    }
    for end in 0..LOCK.len() - 2 {
        let cut = plan_npm_lock(&"package-lock.json".into(), &LOCK[..end], &matcher, &Published::default());
        assert!(cut.is_err(), "cut at {end}");
    }
}
