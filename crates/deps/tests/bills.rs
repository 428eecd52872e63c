//! Bills of material: written, read again, and read where they are broken.

use std::sync::Arc;

use wardroom_deps::lockfile::{Inventory, format_of};
use wardroom_deps::sbom::{Bill, Form, Head, matches, read, write};
use wardroom_deps::{Ecosystem, Origin};

fn inventory(path: &str, text: &str) -> Inventory {
    let file: Arc<str> = path.into();
    let found = (format_of(path).expect("a format").read)(&file, text.as_bytes());
    assert_eq!(found.problems, []);
    found
}

fn bill() -> Bill {
    let npm = inventory(
        "package-lock.json",
        r#"{"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"@a/b": "1"}, "devDependencies": {"t": "1"}},
            "node_modules/@a/b": {"version": "1.0.0", "license": "MIT", "dependencies": {"c": "2"},
                "integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
            "node_modules/c": {"version": "2.0.0", "license": "see the file",
                "resolved": "git+ssh://git@x.test/c.git#0123456789abcdef0123456789abcdef01234567"},
            "node_modules/t": {"version": "3.0.0", "dev": true}}}"#,
    );
    let images = inventory("Dockerfile", "FROM ghcr.io/o/base:1@sha256:aa\nFROM ruby\n");
    let pom = inventory(
        "pom.xml",
        "<project><dependencies><dependency><groupId>g.h</groupId><artifactId>a</artifactId><version>1</version></dependency></dependencies></project>",
    );
    let go = inventory("go.mod", "module x\n\nrequire x.test/a/b v1.2.3\n");
    Bill::new([("package-lock.json", &npm), ("Dockerfile", &images), ("pom.xml", &pom), ("go.mod", &go)])
}

fn head() -> Head {
    Head {
        name: "shop & co".to_owned(),
        version: "1.0".to_owned(),
        tool_version: "0.1.0".to_owned(),
        created: 1_790_000_000,
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".to_owned(),
    }
}

#[test]
fn every_form_is_read_as_it_was_written() {
    let bill = bill();
    assert_eq!(bill.components.len(), 7);
    for form in Form::ALL {
        let text = write(form, &head(), &bill);
        assert_eq!(text, write(form, &head(), &self::bill()), "the same input makes the same bytes");
        assert!(text.contains("2026-09-21T14:13:20Z"), "{text}");
        assert!(text.contains("3e671687-395b-41f5-a30f-a58921a69b79"));
        let file: Arc<str> = "bom.json".into();
        let found = read(&file, text.as_bytes());
        assert_eq!(found.problems, [], "{form:?}");
        assert_eq!(found.packages.len(), 7, "{form:?}");
        let of = |name: &str| found.packages.iter().position(|p| p.name == name).unwrap();
        let b = &found.packages[of("@a/b")];
        assert_eq!((b.version.as_str(), b.direct), ("1.0.0", true));
        assert_eq!(b.checksum, "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(found.needs[of("@a/b")], [of("c")]);
        assert!(
            matches!(&found.packages[of("c")].origin, Origin::Git { revision, .. } if revision.len() == 40)
        );
        assert!(!found.packages[of("c")].direct && found.packages[of("t")].direct);
        assert_eq!(found.packages[of("g.h:a")].ecosystem, Ecosystem::Maven);
        assert_eq!(found.packages[of("x.test/a/b")].version, "1.2.3");
        assert_eq!(found.packages[of("ghcr.io/o/base")].version, "1");
        assert!(found.licences.contains(&(of("@a/b"), "MIT".to_owned())));
        // What is no identifier is a name in one form, and not told in the other.
        let named = found.licences.contains(&(of("c"), "see the file".to_owned()));
        assert_eq!(named, form != Form::Spdx23);
        let (start, end) = b.span;
        assert!(text[start as usize..end as usize].contains("pkg:npm/%40a/b@1.0.0"));
    }
}

#[test]
fn xml_and_tags_are_read() {
    let xml = r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><component type="application" bom-ref="r"><name>shop</name></component></metadata>
        <components><component type="library" bom-ref="1"><name>a</name><version>1</version><scope>optional</scope><hashes><hash alg="SHA-1">aa</hash></hashes><licenses><license><id>MIT</id></license></licenses><purl>pkg:gem/a@1</purl>
        <components><component type="library" bom-ref="2"><name>b</name><purl>pkg:gem/b@2?platform=java</purl></component></components></component></components>
        <dependencies><dependency ref="r"><dependency ref="1"/></dependency><dependency ref="1"><dependency ref="2"/></dependency></dependencies></bom>"#;
    let found = read(&"bom.xml".into(), xml.as_bytes());
    assert_eq!(found.problems, []);
    let [a, b] = &found.packages[..] else { panic!("{found:?}") };
    assert_eq!((a.name.as_str(), a.direct, a.checksum.as_str(), a.groups.len()), ("a", true, "sha1:aa", 1));
    assert_eq!((b.version.as_str(), b.direct, b.platform.as_str()), ("2", false, "java"));
    assert_eq!(found.needs, [vec![1], vec![]]);
    let tags = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentComment: <text>a\nPackageName: none\n</text>\n\nPackageName: shop\nSPDXID: SPDXRef-root\n\nPackageName: a\nSPDXID: SPDXRef-a\nPackageVersion: 1\nPackageChecksum: SHA256: aabb\nPackageLicenseDeclared: MIT\nExternalRef: PACKAGE-MANAGER purl pkg:gem/a@1\n\nPackageName: b\nSPDXID: SPDXRef-b\nExternalRef: PACKAGE-MANAGER purl pkg:gem/b@2\n\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root\nRelationship: SPDXRef-root DEPENDS_ON SPDXRef-a\nRelationship: SPDXRef-b DEPENDENCY_OF SPDXRef-a\n";
    let found = read(&"a.spdx".into(), tags.as_bytes());
    assert_eq!(found.problems, []);
    let [a, b] = &found.packages[..] else { panic!("{found:?}") };
    assert_eq!((a.checksum.as_str(), a.direct, b.direct), ("sha256:aabb", true, false));
    assert_eq!(
        (found.needs.clone(), found.licences.clone()),
        (vec![vec![1], vec![]], vec![(0, "MIT".to_owned())])
    );
}

#[test]
fn broken_documents_end_in_a_problem() {
    for form in Form::ALL {
        let text = write(form, &head(), &bill());
        for part in 0..16 {
            let end = text.len() * part / 16;
            let found = read(&"bom.json".into(), &text.as_bytes()[..end]);
            assert!(!found.problems.is_empty(), "{part}");
        }
        let mut bytes = text.into_bytes();
        bytes[100] = 0xff;
        assert_eq!(read(&"bom.json".into(), &bytes).problems.len(), 1);
    }
    for (text, word) in [
        ("", "SPDXVersion"),
        ("{}", "no bill of materials"),
        ("{\"bomFormat\": \"CycloneDX\", \"components\": [{\"purl\": \"gem/a\"}]}", "pkg:"),
        ("<a/>", "no bill of materials"),
        ("<bom><!DOCTYPE x></bom>", "XML"),
        ("junk", "SPDXVersion"),
    ] {
        let found = read(&"bom.json".into(), text.as_bytes());
        assert!(found.problems.iter().any(|p| p.message.contains(word)), "{text}: {:?}", found.problems);
    }
    let deep =
        "{\"bomFormat\": \"CycloneDX\", \"components\": [".to_owned() + &"{\"components\": [".repeat(30_000);
    assert!(read(&"bom.json".into(), deep.as_bytes()).problems[0].message.contains("deeply"));
    let cycle = "{\"bomFormat\": \"CycloneDX\", \"components\": [{\"bom-ref\": \"1\", \"purl\": \"pkg:gem/a@1\"}], \"dependencies\": [{\"ref\": \"1\", \"dependsOn\": [\"1\", \"2\"]}]}";
    assert_eq!(read(&"bom.json".into(), cycle.as_bytes()).needs, [vec![0]]);
}

#[test]
fn paths() {
    for path in ["bom.json", "a/shop.cdx.json", "sbom.xml", "x.spdx", "x.spdx.json"] {
        assert!(matches(path), "{path}");
    }
    assert!(!matches("package.json"));
}
