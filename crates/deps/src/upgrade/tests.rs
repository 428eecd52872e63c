use std::collections::HashMap;
use std::sync::Arc;

use wardroom_model::Replacement;

use super::*;
use crate::advisory::{Reading, read_rubysec};
use crate::index::{Builder, Index};
use crate::lockfile::bundler;

#[derive(Default)]
struct Published(HashMap<String, Arc<[Release]>>);

impl Published {
    fn with(mut self, name: &str, info: &str) -> Self {
        self.0.insert(name.to_owned(), read_compact_index(info.as_bytes()).unwrap().into());
        self
    }
}

impl Registry for Published {
    fn releases(&self, _: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        self.0.get(name).cloned()
    }
}

fn index(advisories: &[(&str, &str, &str)]) -> Index {
    let mut reading = Reading::default();
    for (id, gem, patched) in advisories {
        let text = format!("gem: {gem}\ncvss_v3: 7.5\ntitle: x\npatched_versions:\n  - '{patched}'\n");
        read_rubysec(&format!("{id}.yml").into(), text.as_bytes(), &mut reading);
    }
    assert_eq!(reading.problems, []);
    let mut builder = Builder::default();
    builder.feed("f", "", "", reading.advisories);
    Index::open(builder.build()).unwrap()
}

fn lock(text: &str) -> Inventory {
    let found = bundler::read(&"Gemfile.lock".into(), text.as_bytes());
    assert_eq!(found.problems, []);
    found
}

fn apply(text: &str, replacements: &[Replacement]) -> String {
    let mut out = text.to_owned();
    for replacement in replacements.iter().rev() {
        out.replace_range(replacement.start as usize..replacement.end as usize, &replacement.text);
    }
    out
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|c| format!("{} {} -> {} {:?} [{}]", c.name, c.from, c.to, c.step, c.clears.join(" ")))
        .collect()
}

const LOCK: &str = "\
GEM
  remote: https://rubygems.org/
  specs:
    frame (5.0.1)
      rack (~> 2.0)
      support (= 5.0.1)
    native (1.0.0)
      mini (~> 2.8)
    native (1.0.0-x86_64-linux)
    mini (2.8.0)
    other (1.0)
      rack (>= 0)
    rack (2.0.1)
    support (5.0.1)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  frame (~> 5.0)
  native
  other

CHECKSUMS
  frame (5.0.1) sha256=f501
  rack (2.0.1) sha256=a201
  support (5.0.1) sha256=5501

BUNDLED WITH
   2.4.19
";

fn published() -> Published {
    Published::default()
        .with(
            "frame",
            "5.0.1 rack:~> 2.0,support:= 5.0.1|checksum:f501\n5.0.2 rack:~> 2.0,support:= 5.0.2|checksum:f502\n\
             5.1.0 new:>= 1.1&< 3,rack:~> 2.0,support:= 5.1.0|checksum:f510\n6.0.0 rack:~> 3.0,support:= 6.0.0|checksum:f600\n",
        )
        .with("support", "5.0.1 |checksum:5501\n5.0.2 |checksum:5502\n5.1.0 |checksum:5510\n6.0.0 |checksum:5600\n")
        .with("rack", "2.0.1 |checksum:a201\n2.0.2 |checksum:a202\n2.1.0.rc1 |checksum:a21r\n2.1.0 |checksum:a210\n3.0.0 |checksum:a300\n")
        .with("other", "1.0 rack:>= 0|checksum:aa\n")
        .with("mini", "2.8.0 |checksum:bb\n2.9.0 |checksum:bc\n")
        .with(
            "native",
            "1.0.0 mini:~> 2.8|checksum:c1\n1.0.0-x86_64-linux |checksum:c2\n1.0.1 mini:~> 2.9|checksum:c3\n1.0.1-x86_64-linux |checksum:c4\n",
        )
        .with("new", "1.0 |checksum:dd\n1.1 |checksum:de\n2.0.a |checksum:df\n")
}

#[test]
fn the_nearest_mended_version_and_nothing_else() {
    let index = index(&[("CVE-1", "rack", ">= 2.0.2")]);
    let plan = plan(&lock(LOCK), &Matcher::new(&index), &published(), "").unwrap();
    assert!(plan.resolved);
    assert_eq!(shown(&plan), ["rack 2.0.1 -> 2.0.2 Patch [CVE-1]"]);
    assert_eq!((plan.cleared(), plan.blocked.len()), (1, 0));
}

#[test]
fn what_must_move_along_moves_along_and_the_text_is_bundlers() {
    let index = index(&[("CVE-2", "support", ">= 5.1.0"), ("CVE-3", "native", ">= 1.0.1")]);
    let inventory = lock(LOCK);
    let plan = plan(&inventory, &Matcher::new(&index), &published(), "").unwrap();
    assert_eq!(
        shown(&plan),
        [
            "native 1.0.0 -> 1.0.1 Patch [CVE-3]",
            "new  -> 1.1 Patch []",
            "frame 5.0.1 -> 5.1.0 Minor []",
            "mini 2.8.0 -> 2.9.0 Minor []",
            "support 5.0.1 -> 5.1.0 Minor [CVE-2]"
        ]
    );
    let edits =
        edit_gemfile_lock(&"Gemfile.lock".into(), LOCK, &inventory, &plan.changes, &published()).unwrap();
    let text = apply(LOCK, &edits);
    let expected = LOCK
        .replace("    frame (5.0.1)\n", "    frame (5.1.0)\n      new (>= 1.1, < 3)\n")
        .replace("      support (= 5.0.1)", "      support (= 5.1.0)")
        .replace("    support (5.0.1)", "    support (5.1.0)")
        .replace("native (1.0.0", "native (1.0.1")
        .replace("mini (~> 2.8)", "mini (~> 2.9)")
        .replace("mini (2.8.0)", "mini (2.9.0)")
        .replace("    other (1.0)", "    new (1.1)\n    other (1.0)")
        .replace("  frame (5.0.1) sha256=f501\n", "  frame (5.1.0) sha256=f510\n  new (1.1) sha256=de\n")
        .replace("support (5.0.1) sha256=5501", "support (5.1.0) sha256=5510");
    assert_eq!(text, expected);
    let matcher = Matcher::new(&index);
    assert!(matcher.matches(&lock(&text)).unwrap().is_empty());
}

#[test]
fn a_plan_that_cannot_clear_all_clears_the_rest_and_says_why() {
    let index = index(&[
        ("CVE-4", "rack", ">= 3"),
        ("CVE-5", "rack", ">= 2.0.2"),
        ("CVE-6", "mini", "> 9"),
        ("CVE-7", "support", ">= 5.0.2"),
    ]);
    let plan = plan(&lock(LOCK), &Matcher::new(&index), &published(), "").unwrap();
    assert_eq!(
        shown(&plan),
        [
            "frame 5.0.1 -> 5.0.2 Patch []",
            "rack 2.0.1 -> 2.0.2 Patch [CVE-5]",
            "support 5.0.1 -> 5.0.2 Patch [CVE-7]"
        ]
    );
    let blocked: Vec<_> =
        plan.blocked.iter().map(|b| format!("{} {} {}", b.name, b.weaknesses.join(" "), b.reason)).collect();
    assert_eq!(
        blocked,
        [
            "mini CVE-6 No version is known to mend it.",
            "rack CVE-4 3.0.0 would mend it, but the manifest asks for `frame` (~> 5.0)."
        ]
    );
}

#[test]
fn the_runtime_counts() {
    let index = index(&[("CVE-1", "rack", ">= 2.0.2")]);
    let published = published().with("rack", "2.0.1 |\n2.0.2 |ruby:>= 3.3\n2.0.3 |ruby:>= 2.7\n");
    let plan = plan(&lock(LOCK), &Matcher::new(&index), &published, "3.1.2").unwrap();
    assert_eq!(shown(&plan), ["rack 2.0.1 -> 2.0.3 Patch [CVE-1]"]);
}

#[test]
fn without_a_registry_what_is_known_is_said() {
    let index =
        index(&[("CVE-1", "rack", ">= 2.0.2"), ("CVE-2", "support", ">= 5.1.0"), ("CVE-6", "mini", "> 9")]);
    let inventory = lock(LOCK);
    let plan = plan(&inventory, &Matcher::new(&index), &Nothing, "").unwrap();
    assert!(!plan.resolved);
    assert_eq!(shown(&plan), ["rack 2.0.1 -> 2.0.2 Patch [CVE-1]"]);
    let blocked: Vec<_> = plan.blocked.iter().map(|b| b.reason.as_str()).collect();
    assert_eq!(
        blocked,
        [
            "No version is known to mend it.",
            "5.1.0 would mend it, but `frame` 5.0.1 asks for `support` (= 5.0.1)."
        ]
    );
    let edit = edit_gemfile_lock(&"Gemfile.lock".into(), LOCK, &inventory, &plan.changes, &Nothing);
    assert_eq!(edit, Err(EditError::Unknown { name: "rack".into(), version: "2.0.2".into() }));
}

#[test]
fn what_nobody_asks_for_any_more_goes() {
    let index = index(&[("CVE-3", "native", ">= 1.0.1")]);
    let published = published().with("native", "1.0.0 mini:~> 2.8|\n1.0.1 |checksum:c3\n");
    let inventory = lock(LOCK);
    let plan = plan(&inventory, &Matcher::new(&index), &published, "").unwrap();
    assert_eq!(shown(&plan), ["mini 2.8.0 ->  Patch []", "native 1.0.0 -> 1.0.1 Patch [CVE-3]"]);
    let text = apply(
        LOCK,
        &edit_gemfile_lock(&"Gemfile.lock".into(), LOCK, &inventory, &plan.changes, &published).unwrap(),
    );
    assert!(text.contains("    native (1.0.1)\n    other (1.0)\n"), "{text}");
}

#[test]
fn a_large_hopeless_lockfile_ends() {
    // Every package asks for its neighbour in the same version, and the last one is mended nowhere near.
    let mut text = String::from("GEM\n  remote: x\n  specs:\n");
    let mut published = Published::default();
    for n in 0..300 {
        text += &format!("    g{n:03} (1.0)\n      g{:03} (>= 1.0)\n", (n + 1) % 300);
        let info: String = (0..20).map(|v| format!("1.{v} g{:03}:= 1.{v}|\n", (n + 1) % 300)).collect();
        published = published.with(&format!("g{n:03}"), &info);
    }
    text += "\nDEPENDENCIES\n  g000 (< 1.19)\n";
    let index = index(&[("CVE-1", "g150", ">= 1.19"), ("CVE-2", "g151", ">= 1.1")]);
    let start = std::time::Instant::now();
    let plan = plan(&lock(&text), &Matcher::new(&index), &published, "").unwrap();
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert_eq!(plan.blocked.len(), 1);
    assert_eq!(plan.cleared(), 1);
}
