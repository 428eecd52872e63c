use proptest::prelude::*;

use super::*;

fn rubysec(name: &str, text: &str) -> Reading {
    let mut reading = Reading::default();
    read_rubysec(&name.into(), text.as_bytes(), &mut reading);
    reading
}

fn osv(text: &str) -> Reading {
    let mut reading = Reading::default();
    read_osv(&"x.json".into(), text.as_bytes(), &mut reading);
    reading
}

fn has(advisory: &Advisory, version: &str) -> bool {
    let parsed = Version::parse(advisory.ecosystem, version).unwrap();
    advisory.affected.has(advisory.ecosystem, version, &parsed)
}

#[test]
fn a_file_of_ruby_advisory_db() {
    let reading = rubysec(
        "gems/tool/CVE-2024-1.yml",
        "gem: tool\ncve: 2024-1\nghsa: aaaa-bbbb-cccc\nosvdb: 77\nurl: https://x.example/1\ntitle: |\n  Tool\n  breaks\n\
         date: 2024-01-31\ncvss_v3: 9.1\ndescription: Calls of Tool::Parser#read are bad.\n\
         unaffected_versions:\n  - '< 1.2'\npatched_versions:\n  - '~> 2.0.9, >= 2.0.9.1'\n  - '>= 2.2.3.1'\n",
    );
    assert_eq!(reading.problems, []);
    let advisory = &reading.advisories[0];
    assert_eq!(advisory.id, "CVE-2024-1");
    assert_eq!(advisory.aliases, ["GHSA-aaaa-bbbb-cccc", "OSVDB-77"]);
    assert_eq!((advisory.severity, advisory.score), (Some(Severity::Critical), Some(9.1)));
    assert_eq!(advisory.summary, "Tool breaks");
    assert_eq!(advisory.functions, ["Tool::Parser#read"]);
    assert_eq!(reading.newest, "2024-01-31");
    assert_eq!(advisory.affected.patched(Ecosystem::RubyGems), ["2.0.9.1", "2.2.3.1"]);
    for (version, affected) in [
        ("1.1", false),
        ("1.2", true),
        ("2.0.9", true),
        ("2.0.9.1", false),
        ("2.1", true),
        ("2.2.3.1", false),
        ("3", false),
    ] {
        assert_eq!(has(advisory, version), affected, "{version}");
    }
}

#[test]
fn the_whole_of_ruby_advisory_db() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/ruby-advisory-db");
    let (mut reading, mut files) = (Reading::default(), 0);
    for kind in ["gems", "rubies"] {
        for folder in std::fs::read_dir(format!("{root}/{kind}")).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files += usize::from(read_file(
                    &path.to_str().unwrap().into(),
                    &std::fs::read(&path).unwrap(),
                    &mut reading,
                ));
            }
        }
    }
    assert_eq!(reading.problems, []);
    assert_eq!(reading.advisories.len(), files);
    assert!(files > 1300, "{files}");
    for advisory in &reading.advisories {
        let Affected::Unless { patched, unaffected } = &advisory.affected else { panic!() };
        for range in patched.iter().chain(unaffected) {
            assert!(
                crate::version::satisfies(Ecosystem::RubyGems, range, "1").is_some(),
                "{} {range}",
                advisory.id
            );
        }
    }
}

#[test]
fn a_file_of_osv() {
    let reading = osv(r#"{
        "id": "GHSA-1", "aliases": ["CVE-2024-2"], "summary": "x", "modified": "2024-05-06T00:00:00Z",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [
          {"package": {"ecosystem": "npm", "name": "a"}, "ranges": [{"type": "SEMVER", "events": [
            {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"introduced": "0"}, {"last_affected": "2.1.0"}]}]},
          {"package": {"ecosystem": "PyPI", "name": "Py_Tool"}, "versions": ["1.0"],
           "ranges": [{"type": "GIT", "repo": "https://x", "events": [{"introduced": "0"}]}]},
          {"package": {"ecosystem": "Debian:11", "name": "c"}, "versions": ["1"]},
          {"package": {"ecosystem": "Maven", "name": "g:a"}}
        ],
        "references": [{"type": "WEB", "url": "https://w.example"}, {"type": "ADVISORY", "url": "https://a.example"}],
        "database_specific": {"cwe_ids": ["CWE-79", "CWE-20"], "severity": "LOW"}}"#);
    assert_eq!(reading.problems, []);
    let [npm, python, maven] = &reading.advisories[..] else { panic!("{reading:?}") };
    for (version, affected) in [
        ("0.0.1", true),
        ("1.1.9", true),
        ("1.2.0", false),
        ("2.0.0", true),
        ("2.1.0", true),
        ("2.1.1", false),
    ] {
        assert_eq!(has(npm, version), affected, "{version}");
    }
    assert_eq!((npm.score, npm.severity), (Some(9.8), Some(Severity::Critical)));
    assert_eq!((npm.url.as_str(), &npm.cwes[..]), ("https://a.example", &[20, 79][..]));
    assert_eq!(python.package, "py-tool");
    assert!(has(python, "1.0") && !has(python, "1.1"));
    assert!(has(maven, "17"));
    assert_eq!(reading.newest, "2024-05-06");
}

#[test]
fn what_was_taken_back_and_what_is_foreign_is_counted() {
    let reading = osv(
        r#"{"id": "X", "withdrawn": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "a"}}]}"#,
    );
    assert_eq!((reading.advisories.len(), reading.withdrawn), (0, 1));
    let reading = osv(r#"{"id": "X", "affected": [{"package": {"ecosystem": "Linux", "name": "a"}}]}"#);
    assert_eq!((reading.advisories.len(), reading.foreign), (0, 1));
}

#[test]
fn hostile_files_are_told_with_their_place() {
    let laughs = format!(
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\n{}",
        (0..30).map(|n| format!("c{n}: &c{n} [*b, *b, *b, *b]\n")).collect::<String>()
    );
    let deep = format!("gem: {}", "[".repeat(100_000));
    for (text, line) in
        [("gem: [", Some(1)), ("title: x\n", None), (laughs.as_str(), Some(1)), (deep.as_str(), Some(1))]
    {
        let reading = rubysec("a.yml", text);
        assert_eq!((reading.advisories.len(), reading.problems.len()), (0, 1), "{text:.40}");
        if line.is_some() {
            assert!(reading.problems[0].line.is_some(), "{:?}", reading.problems);
        }
        assert!(reading.problems[0].message.len() < 600, "{}", reading.problems[0].message);
    }
    for text in ["", "[]", "{\"id\": 1}", "{\n\"id\": \"x\",\n\"affected\": {}}", &"[".repeat(1 << 20)] {
        let reading = osv(text);
        assert_eq!((reading.advisories.len(), reading.problems.len()), (0, 1), "{text:.40}");
    }
    let mut reading = Reading::default();
    read_osv(&"big.json".into(), &vec![b' '; LONGEST + 1], &mut reading);
    read_rubysec(&"big.yml".into(), &vec![b' '; LONGEST + 1], &mut reading);
    read_osv_zip(&"bad.zip".into(), b"PK\x03\x04 nothing", &mut reading);
    assert_eq!(reading.problems.len(), 3);
}

#[test]
fn other_files_are_no_part_of_a_feed() {
    let mut reading = Reading::default();
    for name in [".rubocop.yml", "a/.github/workflows/ci.yml", "README.md", "LICENSE"] {
        assert!(!read_file(&name.into(), b"x: 1", &mut reading), "{name}");
    }
    assert!(read_file(&"gems/x/CVE-2024-1.yml".into(), b"gem: x", &mut reading));
    assert_eq!((reading.advisories.len(), reading.problems.len()), (1, 0));
}

#[test]
fn a_zip_of_files() {
    use std::io::Write;
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, text) in [
        (
            "A-1.json",
            r#"{"id": "A-1", "affected": [{"package": {"ecosystem": "npm", "name": "a"}}]}"#.to_owned(),
        ),
        ("README", "no".to_owned()),
        ("B-1.json", "nothing".to_owned()),
        ("C-1.json", " ".repeat(LONGEST + 2)),
    ] {
        let builder = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
        let (mut entry, config) = builder.start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(text.as_bytes()).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    let mut reading = Reading::default();
    read_osv_zip(&"all.zip".into(), &bytes, &mut reading);
    assert_eq!(reading.advisories.len(), 1);
    let files: Vec<_> = reading.problems.iter().map(|p| p.file.to_string()).collect();
    assert_eq!(files, ["all.zip/B-1.json", "all.zip/C-1.json"]);
    // Cut and bent anywhere, it is told or read, never a panic.
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 0xff;
        read_osv_zip(&"bent.zip".into(), &bent, &mut Reading::default());
        read_osv_zip(&"cut.zip".into(), &bytes[..at], &mut Reading::default());
    }
}

#[test]
fn lists_of_exploited_weaknesses() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/kev.json");
    let kev = read_kev(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(kev.date, "2025-08-25");
    assert_eq!(kev.entries.len(), 1404);
    assert_eq!(kev.entries["CVE-2025-48384"].0, "2025-08-25");
    let epss = read_epss(b"#model_version:v2025.03.14,score_date:2025-08-25T12:00:00Z\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\n").unwrap();
    assert_eq!((epss.date.as_str(), epss.entries["CVE-2024-1"]), ("2025-08-25", 0.5));
    assert!(matches!(read_epss(b"cve,epss\nCVE-1,x\n"), Err(ListError::Line(2))));
    assert!(matches!(read_epss(b"CVE-1,7\n"), Err(ListError::Line(1))));
    assert!(read_epss(&[0x1f, 0x8b, 0, 0]).is_err());
    assert!(read_kev(b"{}").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_readers(text in "(gem: a|cve: 1|patched_versions:|  - \"<|> 1\"|\n|\\{|\\}|\"id\":|\"x\"|,|\\[|\\]|: |&a |\\*a ){0,30}") {
        let _ = rubysec("a.yml", &text);
        let _ = osv(&text);
        let _ = read_kev(text.as_bytes());
        let _ = read_epss(text.as_bytes());
    }
}
