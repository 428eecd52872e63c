//! Orders and ranges as the real tools see them. The lines of `tests/versions/*.tsv` are versions that were
//! made up at random, with what Ruby 3.1 (RubyGems 3.3), npm's own `semver` and Maven 3.8 said about them. Of Maven's
//! lines, the two on which 3.8 differs from this reading, which follows 3.9, are left out.

use wardroom_deps::Ecosystem;
use wardroom_deps::version::{compare, satisfies};

fn check(ecosystem: Ecosystem, text: &str, range: impl Fn(&[&str]) -> String) {
    let mut wrong = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let order = compare(ecosystem, fields[0], fields[1]).map(|order| order as i8);
        if order != Some(fields[2].parse().expect("an order is -1, 0 or 1")) {
            wrong.push(format!("{line}: {order:?}"));
        }
        if let Some(expected) = fields.get(4) {
            let expected = match *expected {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            };
            let taken = satisfies(ecosystem, &range(&fields), fields[0]);
            if taken != expected {
                wrong.push(format!("{line}: {taken:?}"));
            }
        }
    }
    assert!(text.lines().count() >= 400);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn gems_as_ruby() {
    check(Ecosystem::RubyGems, include_str!("versions/gem.tsv"), |fields| {
        format!("{} {}", fields[3], fields[1])
    });
}

#[test]
fn packages_as_npm() {
    check(Ecosystem::Npm, include_str!("versions/npm.tsv"), |fields| fields[3].to_owned());
}

#[test]
fn artifacts_as_maven() {
    check(Ecosystem::Maven, include_str!("versions/maven.tsv"), |_| String::new());
}
