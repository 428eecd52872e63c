use wardroom_model::{Confidence, Severity};

use super::*;
use crate::advisory::{Advisory, Reading, read_osv, read_rubysec};
use crate::index::Builder;
use crate::lockfile::bundler;

fn rubysec(files: &[(&str, &str)]) -> Vec<Advisory> {
    let mut reading = Reading::default();
    for (name, text) in files {
        read_rubysec(&(*name).into(), text.as_bytes(), &mut reading);
    }
    assert_eq!(reading.problems, []);
    reading.advisories
}

fn osv(texts: &[&str]) -> Vec<Advisory> {
    let mut reading = Reading::default();
    for text in texts {
        read_osv(&"x.json".into(), text.as_bytes(), &mut reading);
    }
    assert_eq!(reading.problems, []);
    reading.advisories
}

fn index(feeds: Vec<(&str, Vec<Advisory>)>) -> Index {
    let mut builder = Builder::default();
    for (name, advisories) in feeds {
        builder.feed(name, "2026-01-01", "", advisories);
    }
    Index::open(builder.build()).unwrap()
}

const LOCK: &str = "\
GIT
  remote: https://x.example/forked.git
  revision: abc
  specs:
    forked (1.0)

GEM
  remote: https://rubygems.org/
  specs:
    leaf (1.0)
    leaf (1.0-x86_64-linux)
    middle (1.0)
      leaf (>= 0)
    top (1.0)
      middle (~> 1.0)

DEPENDENCIES
  forked!
  top

RUBY VERSION
   ruby 2.7.1p83
";

const LEAF: (&str, &str) = (
    "gems/leaf/CVE-2024-1.yml",
    "gem: leaf\ncve: 2024-1\nghsa: a\ntitle: Leaf falls.\nurl: https://x.example\npatched_versions:\n  - '~> 1.0.5'\n  - '>= 1.2'\n",
);

fn found(index: &Index) -> Vec<wardroom_model::Finding> {
    let file = "Gemfile.lock".into();
    findings(&file, LOCK.as_bytes(), &bundler::read(&file, LOCK.as_bytes()), &Matcher::new(index)).unwrap()
}

#[test]
fn a_finding_says_what_how_and_what_mends_it() {
    let all = found(&index(vec![("rubysec", rubysec(&[LEAF]))]));
    let [finding] = &all[..] else { panic!("{all:?}") };
    assert_eq!(finding.message, "`leaf` 1.0 has CVE-2024-1: Leaf falls; 1.0.5 mends it.");
    assert_eq!(finding.reason, "it comes through `top` → `middle`; nobody has scored it");
    assert_eq!(finding.remedy, "Update `leaf` to 1.0.5 or later: `bundle update --conservative leaf`.");
    assert_eq!(
        (finding.rule.as_str(), finding.severity, finding.confidence),
        ("vulnerable-library", Severity::High, Confidence::High)
    );
    assert_eq!((finding.location.start.line, finding.location.start.column), (10, 5));
    let places: Vec<_> = finding.places.iter().map(|p| p.start.line).collect();
    assert_eq!(places, [11]);
    let (package, advisory) = (finding.package.as_ref().unwrap(), finding.advisory.as_ref().unwrap());
    assert_eq!((package.version.as_str(), package.purl.as_str()), ("1.0", "pkg:gem/leaf@1.0"));
    assert_eq!((advisory.id.as_str(), &advisory.aliases[..]), ("CVE-2024-1", &["GHSA-a".to_owned()][..]));
}

#[test]
fn the_fingerprint_outlives_an_update_that_does_not_help() {
    let index = index(vec![("rubysec", rubysec(&[LEAF]))]);
    let newer = LOCK.replace("leaf (1.0)", "leaf (1.0.1)");
    let file = "Gemfile.lock".into();
    let matcher = Matcher::new(&index);
    let after = findings(&file, newer.as_bytes(), &bundler::read(&file, newer.as_bytes()), &matcher).unwrap();
    assert_eq!(after[0].package.as_ref().unwrap().version, "1.0.1");
    assert_eq!(after[0].fingerprint, found(&index)[0].fingerprint);
}

#[test]
fn several_feeds_are_one_finding() {
    let ghsa = r#"{"id": "GHSA-a", "summary": "other words", "affected": [{"package": {"ecosystem": "RubyGems", "name": "leaf"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.5"}]}]}],
        "database_specific": {"severity": "CRITICAL"}}"#;
    let all = found(&index(vec![("rubysec", rubysec(&[LEAF])), ("osv", osv(&[ghsa]))]));
    let [finding] = &all[..] else { panic!("{all:?}") };
    // The second feed says that 0.5 mended it, so it knows nothing of 1.0.
    assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::Medium));
    assert!(finding.reason.contains("another one that it does not"), "{}", finding.reason);
}

#[test]
fn two_cves_that_share_a_name_stay_two() {
    let shared = |id: &str, alias: &str| {
        format!(
            r#"{{"id": "{id}", "aliases": [{alias}], "affected": [{{"package": {{"ecosystem": "RubyGems", "name": "leaf"}}}}]}}"#
        )
    };
    let texts = [
        shared("GHSA-1", r#""CVE-1", "CVE-2""#),
        shared("X-1", r#""CVE-1", "GHSA-1""#),
        shared("X-2", r#""CVE-2""#),
        shared("X-3", r#""Y-3""#),
        shared("Y-3", ""),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let index = index(vec![("osv", osv(&texts))]);
    let answer = Matcher::new(&index).of(Ecosystem::RubyGems, "leaf", "1").unwrap();
    let ids: Vec<_> =
        answer.iter().map(|(w, _)| (w.id.as_str(), w.aliases.join(" "), w.entries.len())).collect();
    assert_eq!(
        ids,
        [
            ("CVE-1", "GHSA-1 X-1".to_owned(), 2),
            ("CVE-2", "GHSA-1 X-2".to_owned(), 2),
            ("X-3", "Y-3".to_owned(), 2)
        ]
    );
}

#[test]
fn a_fork_may_be_mended_already() {
    let advisory = ("CVE-2024-2.yml", "gem: forked\ncve: 2024-2\ncvss_v3: 5\ntitle: x\n");
    let all = found(&index(vec![("rubysec", rubysec(&[advisory]))]));
    assert_eq!(all[0].confidence, Confidence::Medium);
    assert_eq!(
        all[0].reason,
        "the project asks for it; it is taken from a repository, where it may be mended already"
    );
    assert_eq!(all[0].message, "`forked` 1.0 has CVE-2024-2: x; no version is known to mend it.");
}

#[test]
fn interpreters_are_asked_about_apart() {
    let advisory = (
        "CVE-2020-1.yml",
        "engine: ruby\ncve: 2020-1\ntitle: x\npatched_versions:\n  - '~> 2.7.1.84'\n  - '>= 2.7.2'\n",
    );
    let index = index(vec![("rubysec", rubysec(&[advisory]))]);
    assert!(found(&index).is_empty());
    let file = "Gemfile.lock".into();
    let matcher = Matcher::new(&index);
    let about = |text: &str| {
        runtime_findings(&file, text.as_bytes(), &bundler::read(&file, text.as_bytes()), &matcher).unwrap()
    };
    let all = about(LOCK);
    assert_eq!(all[0].message, "`ruby` 2.7.1p83 has CVE-2020-1: x; 2.7.1.84 mends it.");
    assert_eq!(all[0].location.start.line, 22);
    assert!(about(&LOCK.replace("p83", "p84")).is_empty());
    assert!(about(&LOCK.replace("p83", "p83 (jruby 9.2)")).is_empty());
}

#[test]
fn a_version_that_nobody_understands_matches_nothing_and_breaks_nothing() {
    let index = index(vec![("rubysec", rubysec(&[LEAF]))]);
    let matcher = Matcher::new(&index);
    for version in ["", "junk", "1..2", "é"] {
        let expected = usize::from(version.is_empty());
        assert_eq!(matcher.of(Ecosystem::RubyGems, "leaf", version).unwrap().len(), expected, "{version}");
    }
}
