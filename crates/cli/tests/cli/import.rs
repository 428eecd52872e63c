//! `wardroom import`: other tools' reports by the real binary.

use std::path::Path;

use crate::support::Project;

/// A report that is given as reference data.
fn given(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reports").join(name);
    root.to_string_lossy().into_owned()
}

#[test]
fn a_report_is_shown_and_taken_into_a_store_once() {
    let project = Project::empty();
    let zap = given("zap/some_2.9.0.xml");
    let shown = project.run(&["import", &zap]);
    assert_eq!((shown.code, shown.out.lines().count()), (0, 8), "{}", shown.err);
    assert!(shown.out.contains("medium    CSP Scanner: Wildcard Directive  (GET https://mainsite.com)"));
    let taken = |report: &str| {
        project.run(&["import", report, "--into", "desk.db", "--repository", "group/app", "--complete"])
    };
    assert!(taken(&zap).err.contains("7 seen, 7 opened"));
    assert!(taken(&zap).err.contains("nothing was written"));
    // Another tool's complete report says nothing of the first one's findings.
    let other = taken(&given("trivy/issue_9333.json"));
    assert!(other.err.contains("13 opened") && !other.err.contains("gone"), "{}", other.err);
    // The first tool's next report does: one finding is left out of it.
    let text = std::fs::read_to_string(&zap).expect("a report");
    let (from, to) =
        (text.find("<alertitem>").expect("an alert"), text.find("</alertitem>").expect("its end"));
    project.write("less.xml", format!("{}{}", &text[..from], &text[to + "</alertitem>".len()..]));
    let less = taken("less.xml");
    assert!(less.err.contains("6 seen") && less.err.contains("1 gone"), "{}", less.err);
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let project = Project::empty();
    project.write("unknown.json", r#"{"a": 1}"#);
    project.write("cut.json", r#"[{"a": "#);
    project.write("table.csv", "Severity,Finding,Where\nhigh,Open port,10.0.0.1\n");
    let refused = |arguments: &[&str]| {
        let run = project.run(&[&["import"], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.err);
        run.err
    };
    assert!(refused(&["unknown.json"]).contains("unknown.json: no known format: JSON with `a`"));
    assert!(refused(&["cut.json"]).contains("cut.json:1: "));
    assert!(refused(&["nowhere.json"]).contains("nowhere.json"));
    assert!(refused(&["unknown.json", "--as", "sarff"]).contains("did you mean `sarif`?"));
    assert!(refused(&["unknown.json", "--into", "x.db"]).contains("--repository"));
    let mapping = project.run(&["import", "table.csv", "--suggest-mapping"]);
    project.write(
        "mapping.json",
        mapping.out.replace("\"columns\": {", "\"columns\": {\"title\": \"Finding\","),
    );
    assert!(mapping.out.contains("Severity"), "{}", mapping.out);
    project.write("broken.json", "{");
    assert!(refused(&["table.csv", "--mapping", "broken.json"]).contains("broken.json:1: "));
}

#[test]
fn every_format_is_listed_by_its_name() {
    let list = Project::empty().run(&["import", "--list"]).out;
    for name in ["sarif", "gitlab", "zap", "burp", "brakeman", "trivy", "tenable"] {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}");
    }
}
