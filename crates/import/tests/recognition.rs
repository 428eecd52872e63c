//! Every published report is known as its own format, and no other format is sure of it.

use std::path::PathBuf;

use serde_json::Value;
use wardroom_import::{Likeness, Shape, formats};

/// The folders whose name is not the format's, hyphens aside. Some tools write the format of another.
const NAMED: &[(&str, &[&str])] = &[
    ("anchore_grype", &["grype"]),
    ("aws_prowler", &["prowler"]),
    ("cppcheck", &["sarif", "cppcheck"]),
    ("devskim", &["sarif", "devskim"]),
    ("flawfinder", &["sarif", "flawfinder"]),
    ("gitlab_api_fuzzing", &["gitlab"]),
    ("gitlab_container_scan", &["gitlab"]),
    ("gitlab_dast", &["gitlab"]),
    ("gitlab_dep_scan", &["gitlab"]),
    ("gitlab_sast", &["gitlab"]),
    // Nothing found is told alike by both.
    ("h1", &["hackerone", "generic"]),
    ("jfrogxray", &["jfrog-xray"]),
    ("kubebench", &["kube-bench"]),
    ("mayhem", &["sarif"]),
    ("npm_audit_7_plus", &["npm-audit"]),
    ("ossindex_devaudit", &["ossindex"]),
    ("semgrep_pro", &["semgrep"]),
    // Yarn 2 and 3 print what npm's registry answers to npm 6.
    ("yarn_audit", &["yarn-audit", "npm-audit"]),
];

#[test]
fn one_format_alone_is_sure_of_each_report() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reports");
    let expected: serde_json::Map<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(data.join("expected.json")).unwrap()).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut wrong = Vec::new();
    for name in expected.keys().filter(|name| name.starts_with(&only)) {
        let bytes = std::fs::read(data.join(name)).unwrap();
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let folder = name.split('/').next().unwrap();
        let own =
            NAMED.iter().find(|(n, _)| *n == folder).map_or(vec![folder.replace('_', "-")], |(_, names)| {
                names.iter().map(|n| (*n).to_owned()).collect()
            });
        if !formats().iter().any(|f| own.iter().any(|o| o == f.name())) {
            wrong.push(format!("{name}: there is no format {own:?}"));
            continue;
        }
        let Ok(shape) = Shape::of(name, &bytes, &mut Vec::new()) else {
            wrong.push(format!("{name}: unreadable"));
            continue;
        };
        // An empty list and an empty archive hold nothing by which anybody could know them.
        if shape.is_empty_list() || matches!(&shape, Shape::Archive(members) if members.is_empty()) {
            continue;
        }
        let likeness: Vec<(&str, Likeness)> = formats().iter().map(|f| (f.name(), f.knows(&shape))).collect();
        let most = likeness.iter().map(|(_, l)| *l).max().unwrap_or(Likeness::No);
        let best: Vec<&str> = likeness.iter().filter(|(_, l)| *l == most).map(|(n, _)| *n).collect();
        let right = most > Likeness::No && best.len() == 1 && own.iter().any(|o| o == best[0]);
        if !right {
            wrong.push(format!("{name}: {most:?} of {best:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} reports:\n{}", wrong.len(), wrong.join("\n"));
}
