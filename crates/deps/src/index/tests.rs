use proptest::prelude::*;

use super::*;
use crate::advisory::{Affected, Reading, read_file, read_kev};
use crate::support::{Cycle, End, Product, Table};

fn advisory(id: &str, package: &str, aliases: &[&str]) -> Advisory {
    Advisory {
        id: id.to_owned(),
        aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
        ecosystem: Ecosystem::Npm,
        package: package.to_owned(),
        affected: Affected::Unless { patched: vec![">= 2".to_owned()], unaffected: Vec::new() },
        severity: None,
        score: None,
        vector: String::new(),
        summary: String::new(),
        url: String::new(),
        cwes: vec![79],
        published: String::new(),
        withdrawn: None,
        functions: Vec::new(),
    }
}

fn small() -> Vec<u8> {
    let mut builder = Builder::default();
    builder.feed(
        "one",
        "2026-01-01",
        "a",
        vec![advisory("A-1", "left", &["CVE-2025-48384"]), advisory("A-2", "right", &[])],
    );
    builder.feed("two", "", "", vec![advisory("B-1", "left", &[])]);
    builder.build()
}

fn ids(index: &Index, name: &str) -> Vec<String> {
    index.lookup(Ecosystem::Npm, name).unwrap().iter().map(|e| e.advisory.id.clone()).collect()
}

#[test]
fn what_goes_in_comes_out() {
    let index = Index::open(small()).unwrap();
    assert_eq!(ids(&index, "left"), ["A-1", "B-1"]);
    assert_eq!(ids(&index, "right"), ["A-2"]);
    assert!(ids(&index, "middle").is_empty() && ids(&index, "").is_empty());
    assert!(index.lookup(Ecosystem::Go, "left").unwrap().is_empty());
    assert_eq!(index.packages(), 2);
    let feeds: Vec<_> = index.feeds().iter().map(|f| (f.name.as_str(), f.date.as_str(), f.count)).collect();
    assert_eq!(feeds, [("one", "2026-01-01", 2), ("two", "", 1)]);
    assert_eq!(small(), small());
    let empty = Index::open(Builder::default().build()).unwrap();
    assert!(ids(&empty, "left").is_empty());
}

#[test]
fn a_feed_is_replaced_and_the_others_are_kept() {
    let index = Index::open(small()).unwrap();
    let mut builder = Builder::default();
    builder.keep(&index).unwrap();
    builder.feed("one", "2026-02-02", "b", vec![advisory("A-3", "left", &["CVE-2025-48384"])]);
    let kev = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/kev.json");
    builder.exploited(read_kev(&std::fs::read(kev).unwrap()).unwrap());
    let index = Index::open(builder.build()).unwrap();
    assert_eq!(ids(&index, "left"), ["A-3", "B-1"]);
    assert!(ids(&index, "right").is_empty());
    assert_eq!(index.feeds()[0].revision, "b");
    assert_eq!(index.exploited_date(), "2025-08-25");
    let entries = index.lookup(Ecosystem::Npm, "left").unwrap();
    assert_eq!(entries[0].exploited, Some(("2025-08-25".to_owned(), false)));
    assert_eq!(entries[1].exploited, None);
    let mut builder = Builder::default();
    builder.keep(&index).unwrap();
    let kept = Index::open(builder.build()).unwrap();
    assert_eq!(kept.lookup(Ecosystem::Npm, "left").unwrap(), entries);
    assert_eq!(kept.exploited_date(), "2025-08-25");
}

#[test]
fn release_cycles_go_along_and_only_what_is_looked_for() {
    let product = |title: &str| Product {
        title: title.to_owned(),
        cycles: vec![Cycle {
            name: "9.1".to_owned(),
            codename: String::new(),
            released: None,
            ends: End::Past,
            extended: End::Past,
        }],
    };
    let mut builder = Builder::default();
    builder.keep(&Index::open(small()).unwrap()).unwrap();
    let named = [("node", "Node.js"), ("tarzan", "Tarzan")];
    builder.cycles("2026-11-02", named.map(|(id, title)| (id.to_owned(), product(title))));
    let mut again = Builder::default();
    again.keep(&Index::open(builder.build()).unwrap()).unwrap();
    let index = Index::open(again.build()).unwrap();
    assert_eq!(index.cycles_date(), "2026-11-02");
    assert_eq!(index.cycles().products.keys().collect::<Vec<_>>(), ["nodejs"]);
    let table = Table::built_in().with(index.cycles());
    let node = table.product("nodejs").unwrap();
    assert_eq!(node.cycle("9.1.4").unwrap().ends, End::Past);
    assert_eq!(node.cycle("22.1").unwrap().name, "22");
}

#[test]
fn damage_is_found_wherever_it_is() {
    let bytes = small();
    assert!(matches!(Index::open(Vec::new()), Err(IndexError::Foreign)));
    assert!(matches!(
        Index::open(b"PK\x03\x04 something else that is long enough".to_vec()),
        Err(IndexError::Foreign)
    ));
    let mut other = bytes.clone();
    other[8] = 9;
    assert!(matches!(Index::open(other), Err(IndexError::Version(9))));
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 0x10;
        let found = Index::open(bent).is_err_and(|_| true) || {
            let mut bent = bytes.clone();
            bent[at] ^= 0x10;
            Index::open(bent).unwrap().each(|_, _, _| ()).is_err()
        };
        assert!(found, "byte {at}");
        assert!(Index::open(bytes[..at].to_vec()).is_err(), "cut at {at}");
    }
}

#[test]
fn the_whole_of_ruby_advisory_db_goes_through() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/ruby-advisory-db/gems");
    let mut reading = Reading::default();
    for folder in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            read_file(&path.to_str().unwrap().into(), &std::fs::read(&path).unwrap(), &mut reading);
        }
    }
    let mut builder = Builder::default();
    builder.feed("ruby-advisory-db", &reading.newest, "", reading.advisories.clone());
    let bytes = builder.build();
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    let index = Index::open(bytes).unwrap();
    let mut seen = 0;
    index.each(|_, _, entries| seen += entries.len()).unwrap();
    assert_eq!(seen, reading.advisories.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_package_is_found_again(names in prop::collection::btree_set("[a-zé/@-]{0,12}", 0..60), other in "[a-z]{0,12}") {
        let mut builder = Builder::default();
        builder.feed("f", "", "", names.iter().map(|name| advisory(&format!("X-{name}"), name, &[])).collect());
        let index = Index::open(builder.build()).unwrap();
        for name in &names {
            prop_assert_eq!(ids(&index, name), [format!("X-{name}")]);
        }
        prop_assert_eq!(ids(&index, &other).is_empty(), !names.contains(&other));
    }
}
