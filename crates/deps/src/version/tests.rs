use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

#[test]
fn gems_in_rubys_own_order() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/gem-version-pairs.tsv");
    let pairs = std::fs::read_to_string(path).unwrap();
    let mut count = 0;
    for line in pairs.lines() {
        let [a, b, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let order = compare(Ecosystem::RubyGems, a, b).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(order as i8, expected.parse::<i8>().unwrap(), "{line}");
        count += 1;
    }
    assert!(count >= 2000);
}

#[test]
fn python() {
    let eco = Ecosystem::PyPi;
    for (a, b) in [
        ("1.0.dev1", "1.0a1"),
        ("1.0rc1", "1.0"),
        ("1.0", "1.0.post1"),
        ("1.0.post1", "1!0.1"),
        ("1.0", "1.0+local"),
    ] {
        assert_eq!(compare(eco, a, b), Some(Ordering::Less), "{a} {b}");
    }
    assert_eq!(satisfies(eco, "~=1.4.2", "1.4.9"), Some(true));
    assert_eq!(satisfies(eco, "~=1.4.2", "1.5.0"), Some(false));
    assert_eq!(satisfies(eco, ">=1,!=1.5.*", "1.5.1"), Some(false));
    assert_eq!(satisfies(eco, "what", "1"), None);
    assert_eq!(compare(eco, "1.0-unknown.3", "1"), None);
}

#[test]
fn steps() {
    assert_eq!(step("1.2.3", "1.2.4"), Step::Patch);
    assert_eq!(step("v1.2.3", "1.3"), Step::Minor);
    assert_eq!(step("1.2", "2.0"), Step::Major);
    assert_eq!(step("0.2", "0.3"), Step::Major);
    assert_eq!(step("0.2", "0.2.9"), Step::Patch);
}

#[test]
fn endless_text_is_no_version() {
    let long = "1.".repeat(1 << 20);
    for ecosystem in Ecosystem::ALL {
        assert_eq!(compare(ecosystem, &long, "1"), None, "{ecosystem}");
        assert_eq!(satisfies(ecosystem, &long, "1.0.0"), None, "{ecosystem}");
    }
}

/// Texts that look like versions, so that most of them are.
fn like_a_version() -> impl Strategy<Value = String> {
    "(v)?[0-9]{1,3}(\\.[0-9]{1,2}){0,3}([-.]?(alpha|beta|rc|dev|a|sp|x|post|final)([.-]?[0-9]{1,2})?)?(\\+[a-z0-9]{1,3})?"
}

fn every() -> impl Strategy<Value = Ecosystem> {
    prop::sample::select(&Ecosystem::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_or_refused(ecosystem in every(), a in "\\PC{0,24}", b in "[-0-9a-z.~^<>=!|, \\[\\]()*+@é]{0,24}") {
        let _ = compare(ecosystem, &a, &b);
        let _ = satisfies(ecosystem, &b, &a);
        let _ = satisfies(ecosystem, &a, "1.2.3");
        let _ = satisfies(ecosystem, &b, "1.2.3-rc.1");
        let _ = step(&a, &b);
    }

    #[test]
    fn the_order_is_one(ecosystem in every(), a in like_a_version(), b in like_a_version(), c in like_a_version()) {
        let read = |text: &str| Version::parse(ecosystem, text);
        if let (Some(a), Some(b), Some(c)) = (read(&a), read(&b), read(&c)) {
            let order = |x: &Version, y: &Version| x.order(y).unwrap();
            prop_assert_eq!(order(&a, &a), Ordering::Equal);
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            if order(&a, &b) == order(&b, &c) {
                prop_assert_eq!(order(&a, &c), order(&a, &b));
            }
        }
    }

    #[test]
    fn a_range_agrees_with_the_order(a in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}", b in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}") {
        for ecosystem in [Ecosystem::RubyGems, Ecosystem::Npm, Ecosystem::Cargo, Ecosystem::PyPi, Ecosystem::Composer, Ecosystem::Hex, Ecosystem::Pub] {
            let Some(order) = compare(ecosystem, &a, &b) else { continue };
            prop_assert_eq!(satisfies(ecosystem, &format!(">={b}"), &a), Some(order.is_ge()), "{}", ecosystem);
            prop_assert_eq!(satisfies(ecosystem, &format!("<{b}"), &a), Some(order.is_lt()), "{}", ecosystem);
        }
    }
}
