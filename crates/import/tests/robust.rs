//! Bad input: every published report cut, flipped and twisted, and documents that were made to do harm. Nothing
//! panics, everything ends soon, and what could not be read is told.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use wardroom_import::{Imported, Shape, formats, read};

/// The published reports by name.
fn reports() -> Vec<(String, Vec<u8>)> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reports");
    let expected: serde_json::Map<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(data.join("expected.json")).unwrap()).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let names = expected.keys().filter(|name| name.starts_with(&only));
    names.map(|name| (name.clone(), std::fs::read(data.join(name)).unwrap())).collect()
}

/// The format that a whole report is read as; none for those that nobody can know.
fn format_of(name: &str, bytes: &[u8]) -> Option<&'static str> {
    let format = read(name, bytes, None).ok()?.format;
    (format != wardroom_import::NOTHING).then_some(format)
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn of(name: &str) -> Dice {
        Dice(
            name.bytes()
                .fold(0x9E37_79B9_7F4A_7C15, |n, b| (n ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
                | 1,
        )
    }

    /// From 0 to `sides - 1`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % sides.max(1)
    }
}

/// Reads what may be anything, and answers how many findings and problems there are; an error is a problem.
fn counted(name: &str, bytes: &[u8], wanted: Option<&str>) -> (usize, usize) {
    let begun = Instant::now();
    let counts = match read(name, bytes, wanted) {
        Ok(imported) => (imported.findings.len(), imported.problems.len()),
        Err(error) => {
            assert!(
                error.to_string().contains(name),
                "{name}: an error that does not name the file: {error}"
            );
            (0, 1)
        }
    };
    assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
    counts
}

#[test]
fn reports_that_end_in_the_middle_are_read_as_far_as_they_go() {
    let mut short = 0;
    for (name, bytes) in reports() {
        let Some(format) = format_of(&name, &bytes) else { continue };
        let whole = counted(&name, &bytes, None).0;
        let shape = Shape::of(&name, &bytes, &mut Vec::new()).unwrap();
        // Where a line is the unit, nobody can tell that the next one is missing.
        let tells = matches!(shape, Shape::Json(_) | Shape::Xml(_) | Shape::Archive(_));
        let end = bytes.trim_ascii_end().len();
        for part in 1..=40 {
            let at = end * part / 41;
            counted(&name, &bytes[..at], None);
            let (found, problems) = counted(&name, &bytes[..at], Some(format));
            assert!(found <= whole + 1, "{name} cut at {at}: {found} findings of {whole}");
            assert!(!tells || problems > 0 || at == 0, "{name} cut at {at}: nothing is told");
            short += usize::from(found > 0 && found < whole);
        }
    }
    assert!(short > 0 || std::env::var("ONLY").is_ok(), "no report that was cut gave a part of its findings");
}

#[test]
fn flipped_bytes_are_survived() {
    for (name, bytes) in reports() {
        let format = format_of(&name, &bytes);
        let mut dice = Dice::of(&name);
        for round in 0..20 {
            let mut bad = bytes.clone();
            for _ in 0..=dice.roll(8) {
                if bad.is_empty() {
                    break;
                }
                let at = dice.roll(bad.len());
                bad[at] = if round % 2 == 0 {
                    bad[at] ^ (1 << dice.roll(8))
                } else {
                    u8::try_from(dice.roll(256)).unwrap()
                };
            }
            counted(&name, &bad, None);
            counted(&name, &bad, format);
        }
    }
}

/// How many values a value holds, itself among them.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(size).sum::<usize>(),
        Value::Object(object) => object.values().map(size).sum(),
        _ => 0,
    }
}

/// Puts something else in the place of the value at that number, counted from the root.
fn replace(value: &mut Value, at: &mut usize, by: &Value) -> bool {
    if *at == 0 {
        *value = by.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().any(|v| replace(v, at, by)),
        Value::Object(object) => object.values_mut().any(|v| replace(v, at, by)),
        _ => false,
    }
}

#[test]
fn values_of_another_type_are_survived() {
    let long = "x".repeat(100_000);
    let odd = [
        Value::Null,
        serde_json::json!(true),
        serde_json::json!(-1),
        serde_json::json!(1e300),
        serde_json::json!(u64::MAX),
        serde_json::json!(""),
        serde_json::json!("\u{0}\u{202e}é%{0}<&"),
        serde_json::json!(long),
        serde_json::json!([]),
        serde_json::json!([null, 1, "a", {"b": []}]),
        serde_json::json!({}),
        serde_json::json!({"": {"text": 5}}),
    ];
    for (name, bytes) in reports() {
        let Some(format) = format_of(&name, &bytes) else { continue };
        let Ok(Shape::Json(root)) = Shape::of(&name, &bytes, &mut Vec::new()) else { continue };
        let (all, mut dice) = (size(&root), Dice::of(&name));
        // Half of them near the root, where the shape of a report is decided.
        for round in 0..72 {
            let mut twisted = root.clone();
            let mut at = dice.roll(if round % 2 == 0 { all } else { all.min(30) });
            assert!(replace(&mut twisted, &mut at, &odd[round % odd.len()]));
            let bytes = serde_json::to_vec(&twisted).unwrap();
            counted(&name, &bytes, Some(format));
            counted(&name, &bytes, None);
        }
    }
}

#[test]
fn every_format_survives_the_reports_of_every_other() {
    for (name, bytes) in reports() {
        for format in formats() {
            counted(&name, &bytes, Some(format.name()));
        }
    }
}

#[test]
fn what_stands_ten_thousand_deep_is_refused() {
    const DEEP: usize = 10_000;
    let lists = [r#"{"vulnerabilities": "#, &"[".repeat(DEEP), &"]".repeat(DEEP), "}"].concat();
    let objects = [r#"{"runs": "#, &r#"{"a":"#.repeat(DEEP), "1", &"}".repeat(DEEP), "}"].concat();
    let half = ["{\"results\": [", &"[{\"a\":".repeat(DEEP)].concat();
    let xml = ["<BugCollection>", &"<a>".repeat(DEEP), &"</a>".repeat(DEEP), "</BugCollection>"].concat();
    for text in [&lists, &objects, &half, &xml] {
        for wanted in [None].into_iter().chain(formats().iter().map(|f| Some(f.name()))) {
            assert!(read("deep", text.as_bytes(), wanted).is_err());
        }
    }
    let html = ["<!DOCTYPE html><p>SonarQube", &"<table><tr><td>".repeat(DEEP)].concat();
    for format in formats() {
        counted("deep", html.as_bytes(), Some(format.name()));
    }
}

#[test]
fn entities_that_a_document_declares_are_never_expanded() {
    let mut laughs =
        String::from("<!DOCTYPE a [<!ENTITY lol \"lollollol\"><!ENTITY file SYSTEM \"file:///etc/passwd\">");
    for level in 1..=9 {
        let below = if level == 1 { "&lol;".to_owned() } else { format!("&lol{};", level - 1) };
        laughs.push_str(&format!("<!ENTITY lol{level} \"{}\">", below.repeat(10)));
    }
    laughs.push_str("]>");
    let mut tried = 0;
    for (name, bytes) in reports() {
        let Some(format) = format_of(&name, &bytes) else { continue };
        let Ok(Shape::Xml(_)) = Shape::of(&name, &bytes, &mut Vec::new()) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        // Before the root, and in every text and attribute that begins with a letter.
        let root = text
            .match_indices('<')
            .map(|(at, _)| at)
            .find(|at| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()))
            .unwrap();
        let body = text[root..].replace("\">", "\">&lol9;&file;").replace("=\"", "=\"&lol9;&file;");
        let bad = format!("{}{laughs}{body}", text[..root].split("<!DOCTYPE").next().unwrap());
        let imported =
            read(&name, bad.as_bytes(), Some(format)).map(|i| format!("{i:?}")).unwrap_or_default();
        assert!(!imported.contains("lollollol"), "{name}: an entity was expanded");
        assert!(!imported.contains("root:"), "{name}: a file was read");
        tried += 1;
    }
    assert!(tried > 20 || std::env::var("ONLY").is_ok(), "{tried} reports are XML");
}

/// The bytes of what was read.
fn weight(imported: &Imported) -> usize {
    serde_json::to_vec(imported).unwrap().len()
}

#[test]
fn a_hundred_million_bytes_of_one_text_are_cut() {
    let long = "wort & ".repeat(100 * 1024 * 1024 / 7);
    let clean = long.replace('&', "u");
    let sarif = |message: &str, name: &str| {
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "{name}"}}}}, "results": [{{"ruleId": "a", "message": {{"text": "{message}"}}}}]}}]}}"#
        )
    };
    let cases = [
        (sarif(&long, "a"), Some("sarif"), true),
        (sarif("a", &long), Some("sarif"), true),
        (
            format!(r#"{{"results": [{{"check_id": "{long}", "path": "{long}", "extra": {{}}}}]}}"#),
            None,
            true,
        ),
        (format!("<BugCollection><BugInstance type=\"{clean}\"/></BugCollection>"), None, true),
        (
            format!(
                "<BugCollection><BugInstance type=\"A\"><LongMessage>{clean}</LongMessage></BugInstance></BugCollection>"
            ),
            None,
            true,
        ),
        (format!("File,Line,DefaultLevel,Level,Warning,CWEs\na.c,1,1,1,\"{clean}\",CWE-1\n"), None, true),
        (format!("Name: a\nVersion: 1\nURL: u\nTitle: {clean}\nSolution: {clean}\n\n"), None, true),
        (format!("{clean},{clean}\n1,2\n"), Some("bundler-audit"), false),
        (
            format!(
                "<!DOCTYPE html>SonarQube<table><tr><td>Rule<td>Severity<td>Component<td>Message</tr><tr><td>a<td>b<td>{clean}<td>{clean}</tr></table>"
            ),
            None,
            true,
        ),
    ];
    for (at, (text, wanted, found)) in cases.iter().enumerate() {
        let begun = Instant::now();
        let imported = read("long", text.as_bytes(), *wanted).unwrap();
        assert_eq!(!imported.findings.is_empty(), *found, "case {at}: {}", imported.findings.len());
        assert!(weight(&imported) < 1024 * 1024, "case {at} weighs {}", weight(&imported));
        assert!(begun.elapsed() < Duration::from_secs(60), "case {at} took {:?}", begun.elapsed());
    }
}

#[test]
fn few_bytes_cannot_become_many() {
    // One long text that every finding repeats.
    let help = "h".repeat(60_000);
    let results = r#"{"ruleId": "r", "message": {"text": "m"}},"#.repeat(6000);
    let text = format!(
        r#"{{"runs": [{{"tool": {{"driver": {{"name": "n", "rules": [{{"id": "r", "help": {{"text": "{help}"}}}}]}}}}, "results": [{}]}}]}}"#,
        results.trim_end_matches(',')
    );
    let imported = read("a.sarif", text.as_bytes(), None).unwrap();
    let texts: usize = imported.findings.iter().map(|f| f.description.len() + f.remedy.len()).sum();
    assert_eq!(imported.findings.len(), 6000);
    assert!(texts < 300 * 1024 * 1024, "{texts} bytes of {}", text.len());
    assert!(imported.problems.iter().any(|p| p.message.contains("texts from finding")));
    drop(imported);
    // A message whose holes ask for more and more.
    let holes = "{0}".repeat(20_000);
    let text = format!(
        r#"{{"runs": [{{"tool": {{"driver": {{"name": "n"}}}}, "results": [{{"message": {{"text": "{holes}", "arguments": ["{help}"]}}}}]}}]}}"#
    );
    assert_eq!(counted("a.sarif", text.as_bytes(), None).0, 1);
    // Values that take more room in memory than in the file.
    assert!(read("a.json", format!("[{}0]", "0,".repeat(21_000_000)).as_bytes(), Some("eslint")).is_err());
    assert!(read("a.xml", format!("<a>{}</a>", "<b/>".repeat(4_100_000)).as_bytes(), Some("zap")).is_err());
    let rows = read(
        "a.csv",
        format!("File,Line,DefaultLevel,Level,Warning,CWEs\n{}", ",\n".repeat(1_100_000)).as_bytes(),
        None,
    )
    .unwrap();
    assert!(rows.findings.len() <= wardroom_import::MOST);
    assert!(rows.problems.iter().any(|p| p.message.contains("left out")));
}

#[test]
fn many_broken_lines_end_soon() {
    let text = format!("{{}}\n{}", "{x\n".repeat(1_000_000));
    let begun = Instant::now();
    let imported = read("a.json", text.as_bytes(), Some("trufflehog")).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    assert!(imported.problems.len() < 2000, "{} problems", imported.problems.len());
}

#[test]
fn archives_that_lie_are_refused_or_told() {
    let mut zip = Vec::new();
    {
        use std::io::Write as _;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(&mut zip));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("../../a.json", options).unwrap();
        writer.write_all(br#"{"hotspots": [{"key": "k"}], "paging": {"pageIndex": 1}}"#).unwrap();
        writer.start_file("zeros", options).unwrap();
        writer.write_all(&vec![b'{'; 4 * 1024 * 1024]).unwrap();
        writer.finish().unwrap();
    }
    let imported = read("a.zip", &zip, None).unwrap();
    assert_eq!((imported.format, imported.findings.len()), ("sonarqube", 1));
    assert!(imported.problems.iter().any(|p| p.message.contains("zeros")));
    for at in 0..zip.len().min(400) {
        let mut bad = zip.clone();
        bad[at] ^= 0xFF;
        counted("a.zip", &bad, Some("sonarqube"));
        counted("a.zip", &zip[..at], Some("sonarqube"));
    }
}
