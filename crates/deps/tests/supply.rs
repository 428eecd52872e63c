//! The checks of the supply chain: what each finds, and what it is quiet about.

use std::sync::Arc;

use wardroom_deps::lockfile::format_of;
use wardroom_deps::supply::{File, Internal, Policy, findings, rules};
use wardroom_model::{Finding, Severity};

fn look(files: &[(&str, &str)], policy: &Policy) -> Vec<Finding> {
    let read: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let path: Arc<str> = (*path).into();
            let format = format_of(&path).expect("a format");
            let inventory = (format.read)(&path, text.as_bytes());
            assert_eq!(inventory.problems, []);
            (path, *text, format, inventory)
        })
        .collect();
    let files: Vec<_> = read
        .iter()
        .map(|(path, text, format, inventory)| File { path, text: text.as_bytes(), format, inventory })
        .collect();
    findings(&files, policy)
}

/// `rule file:line places` of each finding.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    told_by(files, &Policy::default())
}

fn told_by(files: &[(&str, &str)], policy: &Policy) -> Vec<String> {
    let line =
        |f: Finding| format!("{} {}:{} {}", f.rule, f.location.file, f.location.start.line, f.places.len());
    look(files, policy).into_iter().map(line).collect()
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn git_sources() {
    let pinned = format!("a @ git+https://x.test/a.git@{COMMIT}\n");
    assert_eq!(told(&[("requirements.txt", &pinned)]), [] as [&str; 0]);
    assert_eq!(
        told(&[("requirements.txt", "-e git+https://x.test/a.git@main#egg=a\n")]),
        ["unpinned-git-source requirements.txt:1 0"]
    );
    let manifest = "[dependencies]\na = { git = \"https://x.test/a\", branch = \"main\" }\n";
    assert_eq!(told(&[("Cargo.toml", manifest)]), ["unpinned-git-source Cargo.toml:2 0"]);
    let lock = format!(
        "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://x.test/a?branch=main#{COMMIT}\"\n"
    );
    assert_eq!(told(&[("Cargo.toml", manifest), ("Cargo.lock", &lock)]), [] as [&str; 0]);
    assert_eq!(told(&[("b/Cargo.toml", manifest), ("Cargo.lock", &lock)]), [] as [&str; 0]);
    // A tag is better than a branch.
    let tag = look(
        &[(
            "mix.exs",
            "defmodule A do\n  defp deps do\n    [{:a, git: \"https://x.test/a\", tag: \"v1.0\"}]\n  end\nend\n",
        )],
        &Policy::default(),
    );
    assert_eq!(tag[0].severity, Severity::Low);
}

#[test]
fn open_connections() {
    let text = "--index-url http://pypi.x.test/simple\na==1.0\n";
    assert_eq!(told(&[("requirements.txt", text)]), ["insecure-source-url requirements.txt:1 0"]);
    assert_eq!(
        told(&[("requirements.txt", "--index-url http://localhost:3141/simple\na==1.0\n")]),
        [] as [&str; 0]
    );
    let lock = "a@1:\n  version \"1.0.0\"\n  resolved \"http://npm.x.test/a/-/a-1.0.0.tgz#aa\"\n\nb@1:\n  version \"1.0.0\"\n  resolved \"http://npm.x.test/b/-/b-1.0.0.tgz#aa\"\n";
    assert_eq!(told(&[("yarn.lock", lock)]), ["insecure-source-url yarn.lock:1 1"]);
    assert_eq!(told(&[("yarn.lock", &lock.replace("http:", "https:"))]), [] as [&str; 0]);
}

#[test]
fn confusion() {
    let entry = |name: &str, host: &str| {
        format!(
            "\"node_modules/{name}\": {{\"version\": \"1.0.0\", \"integrity\": \"sha512-a\", \"resolved\": \"https://{host}/{name}/-/x-1.0.0.tgz\"}}"
        )
    };
    let lock = |second: &str| {
        format!(
            "{{\"packages\": {{\n{},\n{}}}}}",
            entry("@shop/a", "npm.shop.test"),
            entry("@shop/b", second)
        )
    };
    assert_eq!(
        told(&[("package-lock.json", &lock("registry.npmjs.org"))]),
        ["dependency-confusion package-lock.json:3 0"]
    );
    assert_eq!(told(&[("package-lock.json", &lock("npm.shop.test"))]), [] as [&str; 0]);
    let text = "--extra-index-url https://u:secret@pypi.shop.test/simple\na==1.0\n";
    let found = look(&[("requirements.txt", text)], &Policy::default());
    assert_eq!(found[0].rule, "dependency-confusion");
    assert!(!found[0].message.contains("secret"));
    assert_eq!(
        told(&[("requirements.txt", "--extra-index-url https://download.pytorch.org/whl/cpu\n")]),
        [] as [&str; 0]
    );
    let own = |pattern: &str, registry: &str| Internal { pattern: pattern.into(), registry: registry.into() };
    let policy = Policy { internal: vec![own("@shop/*", ""), own("core", "")], ..Policy::default() };
    let asked = "core==1.0\ncorex==1.0\n";
    assert_eq!(
        told_by(&[("requirements.txt", asked)], &policy),
        ["dependency-confusion requirements.txt:1 0"]
    );
    // Not public, and yet not where the organisation's own come from.
    let gems =
        |remote: &str| format!("GEM\n  remote: {remote}\n  specs:\n    core (1.0)\n\nDEPENDENCIES\n  core\n");
    let policy = Policy { internal: vec![own("core", "https://gems.shop.example/own")], ..Policy::default() };
    let confused = |remote: &str| {
        look(&[("Gemfile.lock", &gems(remote))], &policy)
            .iter()
            .filter(|f| f.rule == "dependency-confusion")
            .count()
    };
    assert_eq!(confused("https://user:word@gems.shop.example/own/"), 0);
    assert_eq!(confused("https://gems.shop.example/owner/"), 1);
    assert_eq!(confused("https://gems.other.example/"), 1);
    assert_eq!(confused("https://rubygems.org/"), 1);
}

#[test]
fn typosquats() {
    assert_eq!(
        told(&[("package.json", "{\"dependencies\": {\n\"expresss\": \"1\",\n\"express\": \"4\"}}")]),
        ["typosquat package.json:2 0"]
    );
    assert_eq!(
        told(&[("requirements.txt", "requests==2.0\nreqeusts==2.0\n")]),
        ["typosquat requirements.txt:2 0"]
    );
}

#[test]
fn scripts() {
    let lock = "{\"packages\": {\"node_modules/tracker\": {\"version\": \"1.0.0\", \"integrity\": \"sha512-a\", \"hasInstallScript\": true}, \"node_modules/esbuild\": {\"version\": \"1.0.0\", \"integrity\": \"sha512-a\", \"hasInstallScript\": true}}}";
    assert_eq!(told(&[("package-lock.json", lock)]), ["install-script package-lock.json:1 0"]);
    assert_eq!(told(&[("package-lock.json", &lock.replace("tracker", "fsevents"))]), [] as [&str; 0]);
}

#[test]
fn disagreement() {
    let lock = "{\"packages\": {\"\": {\"dependencies\": {\"a\": \"^1\"}}, \"node_modules/a\": {\"version\": \"1.0.0\", \"integrity\": \"sha512-a\"}}}";
    let told_for = |manifest: &str| told(&[("package.json", manifest), ("package-lock.json", lock)]);
    assert_eq!(told_for("{\"dependencies\": {\"a\": \"^1\"}}"), [] as [&str; 0]);
    assert_eq!(told_for("{\"dependencies\": {\"a\": \"^2\"}}"), ["lockfile-disagrees package.json:1 0"]);
    assert_eq!(
        told_for("{\"dependencies\": {\"a\": \"^1\",\n\"b\": \"1\"}}"),
        ["lockfile-disagrees package.json:2 0"]
    );
    assert_eq!(
        told_for(
            "{\"dependencies\": {\"a\": \"^1\", \"b\": \"file:../b\"}, \"peerDependencies\": {\"c\": \"1\"}}"
        ),
        [] as [&str; 0]
    );
    // A member of the workspace is no package.
    let member = ("packages/ui/package.json", "{\"name\": \"ui\"}");
    let manifest = ("package.json", "{\"dependencies\": {\"a\": \"^1\", \"ui\": \"^1\"}}");
    assert_eq!(told(&[manifest, ("package-lock.json", lock), member]), [] as [&str; 0]);
    assert_eq!(told(&[("x/package.json", manifest.1), ("package-lock.json", lock)]), [] as [&str; 0]);
}

#[test]
fn a_gemfile_and_its_lockfile() {
    let lock = "GEM\n  remote: https://rubygems.org/\n  specs:\n    rails (8.1.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails\n\nBUNDLED WITH\n   2.5.0\n";
    let told_for = |gemfile: &str| told(&[("Gemfile", gemfile), ("Gemfile.lock", lock)]);
    assert_eq!(told_for("gem \"rails\"\n"), [] as [&str; 0]);
    assert_eq!(told_for("gem \"rails\"\ngem \"extra\"\n"), ["lockfile-disagrees Gemfile:2 0"]);
    // What a condition may leave out is not missing.
    assert_eq!(
        told_for(
            "gem \"rails\"\nif ENV[\"X\"]\n  gem \"extra\"\nend\ngem \"more\" if RUBY_VERSION > \"4\"\n"
        ),
        [] as [&str; 0]
    );
}

#[test]
fn checksums() {
    let lock = |sums: [&str; 2]| {
        let one = |name: &str, sum: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n{sum}\n"
            )
        };
        one("a", sums[0]) + &one("b", sums[1])
    };
    let sum = "checksum = \"aa\"";
    assert_eq!(told(&[("Cargo.lock", &lock([sum, sum]))]), [] as [&str; 0]);
    let some = look(&[("Cargo.lock", &lock([sum, ""]))], &Policy::default());
    assert_eq!((some[0].rule.as_str(), some[0].severity), ("lockfile-without-checksums", Severity::Medium));
    let all = look(&[("Cargo.lock", &lock(["", ""]))], &Policy::default());
    assert_eq!((all.len(), all[0].severity), (1, Severity::Low));
    let bundled = "{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\", \"integrity\": \"sha512-a\"}, \"node_modules/a/node_modules/b\": {\"version\": \"1.0.0\", \"inBundle\": true}}}";
    assert_eq!(told(&[("package-lock.json", bundled)]), [] as [&str; 0]);
}

#[test]
fn pipelines_and_images() {
    let workflow = format!(
        "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: o/r@{COMMIT}\n      - uses: o/s@v1\n      - uses: o/s@v1\n      - uses: o/t@main\n"
    );
    let path = ".github/workflows/ci.yml";
    assert_eq!(
        told(&[(path, &workflow)]),
        [
            "unpinned-ci-include .github/workflows/ci.yml:6 1",
            "unpinned-ci-include .github/workflows/ci.yml:8 0"
        ]
    );
    let docker = "FROM ruby:3.4@sha256:aa AS base\nFROM base\nFROM node:20\nFROM redis\n";
    let found = look(&[("Dockerfile", docker)], &Policy::default());
    let levels: Vec<_> = found.iter().map(|f| (f.location.start.line, f.severity)).collect();
    assert_eq!(levels, [(3, Severity::Info), (4, Severity::Low)]);
}

#[test]
fn licences() {
    let lock = "{\"packages\": [{\"name\": \"a/b\", \"version\": \"1\", \"license\": [\"AGPL-3.0-only\"]}, {\"name\": \"a/c\", \"version\": \"1\", \"license\": [\"AGPL-3.0-only\", \"MIT\"]}]}";
    assert_eq!(told(&[("composer.lock", lock)]), [] as [&str; 0]);
    let policy = Policy { denied_licences: vec!["agpl-3.0-only".to_owned()], ..Policy::default() };
    let found = look(&[("composer.lock", lock)], &policy);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].package.as_ref().expect("a package").purl, "pkg:composer/a/b@1");
    // Who allows some denies the rest.
    let policy = Policy { allowed_licences: vec!["MIT".to_owned()], ..Policy::default() };
    assert_eq!(look(&[("composer.lock", lock)], &policy).len(), 1);
}

#[test]
fn every_rule_has_its_page() {
    let rules = rules();
    assert!(rules.is_sorted_by_key(|r| r.id));
    for rule in rules {
        for part in ["## Why it is bad", "## Example", "## Use instead", "## References"] {
            assert!(rule.doc.contains(part), "{}: {part}", rule.id);
        }
        assert!(rule.doc.contains(&format!("{}:", rule.cwe)), "{}", rule.id);
    }
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let finding = |text: &str| look(&[("requirements.txt", text)], &Policy::default()).remove(0).fingerprint;
    let first = finding("reqeusts==2.0\n");
    assert_eq!(first, finding("# more\n\nflask==2.0\nreqeusts==2.1\n"));
    assert_ne!(first, finding("requestss==2.0\n"));
}
