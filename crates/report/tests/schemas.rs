//! JSON, SARIF and GitLab's report against their schemas, and what the schemas cannot say.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{HOSTILE, empty, hostile, plain, written};
use wardroom_report::Format;

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn document(format: Format, report: &wardroom_model::Report) -> Value {
    serde_json::from_str(&written(format, report)).unwrap()
}

fn validate(schema: &Value, format: Format) {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    for (name, report) in [("plain", plain()), ("hostile", hostile()), ("empty", empty())] {
        let document = document(format, &report);
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|e| format!("{}: {}", e.instance_path(), short(&e.to_string())))
            .collect();
        assert!(errors.is_empty(), "{format} of the {name} report:\n{}", errors.join("\n"));
    }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The official schema as the crate `serde-sarif` ships it in its package.
fn sarif_schema() -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    // Only what this machine builds is sure to have been fetched already.
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|l| l.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform", host, "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let package =
        metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    // A pattern of the schema (of a language tag, which we do not write) has a stray bracket,
    // which a strict reader of patterns refuses.
    let schema: Value = serde_json::from_str(&text.replace("{2}]?$", "{2}\\\\]?$")).unwrap();
    assert!(schema["$id"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    schema
}

#[test]
fn json_validates_against_its_published_schema() {
    let schema = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/scan-1.json")));
    validate(&schema, Format::Json);
    assert_eq!(document(Format::Json, &empty())["schema"], schema["$id"]);
}

#[test]
fn sarif_validates_against_the_official_schema() {
    validate(&sarif_schema(), Format::Sarif);
}

#[test]
fn gitlab_sast_validates_against_what_gitlab_asks() {
    validate(
        &read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/gitlab-sast.json"))),
        Format::GitlabSast,
    );
}

#[test]
fn a_schema_refuses_what_it_should() {
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    let mut log = document(Format::Sarif, &plain());
    log["runs"][0]["results"][0]["level"] = "dreadful".into();
    assert!(!validator.is_valid(&log));
}

#[test]
fn json_holds_everything() {
    let report = plain();
    let scan = document(Format::Json, &report);
    assert_eq!(scan["findings"].as_array().unwrap().len(), 5);
    assert_eq!(scan["summary"]["findings"], 4);
    assert_eq!(scan["summary"]["suppressed"], 1);
    assert_eq!(scan["started"], "2026-09-21T14:13:20Z");
    let sql = &scan["findings"][0];
    assert_eq!(sql["path"].as_array().unwrap().len(), 4);
    for reached in sql["endpoints"].as_array().unwrap() {
        let whole = &scan["endpoints"][reached["index"].as_u64().unwrap() as usize];
        assert_eq!(whole["path"], reached["path"]);
        assert_eq!(whole["method"], reached["method"]);
    }
    assert_eq!(scan["endpoints"].as_array().unwrap().len(), report.endpoints.len());
    assert_eq!(scan["rules"][3]["score"], 9.8);
    // An endpoint that only a finding holds is listed after the model's.
    let scan = document(Format::Json, &hostile());
    assert_eq!(scan["endpoints"][0]["path"], HOSTILE);
    assert_eq!(scan["findings"][0]["message"], HOSTILE);
}

#[test]
fn a_copied_endpoint_is_listed_once() {
    let mut report = plain();
    let copy = (*report.findings[0].endpoints[1]).clone();
    report.findings[0].endpoints[1] = copy.into();
    let scan = document(Format::Json, &report);
    assert_eq!(scan["endpoints"].as_array().unwrap().len(), report.endpoints.len());
    assert_eq!(scan["findings"][0]["endpoints"][1]["index"], 1);
}

#[test]
fn sarif_tells_what_code_scanning_reads() {
    let log = document(Format::Sarif, &plain());
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let sql = &run["results"][0];
    let rule = &rules[sql["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], "sql-injection");
    assert_eq!(rule["name"], "SqlInjection");
    assert_eq!(rule["properties"]["security-severity"], "9.8");
    assert_eq!(rule["properties"]["precision"], "high");
    assert_eq!(rule["properties"]["tags"][1], "external/cwe/cwe-089");
    assert_eq!(sql["level"], "error");
    let place = &sql["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "apps/shop/app/models/user.rb");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(place["region"]["startColumn"], 11);
    assert_eq!(place["region"]["endLine"], 15);
    assert_eq!(sql["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), 4);
    assert_eq!(sql["suppressions"].as_array().unwrap().len(), 0);
    assert_eq!(run["results"][4]["suppressions"][0]["kind"], "inSource");
    assert_eq!(
        run["results"][1]["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]["byteLength"],
        19
    );
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notifications[0]["level"], "warning");
    assert_eq!(notifications[1]["level"], "error");
    assert_eq!(run["invocations"][0]["endTimeUtc"], "2026-09-21T14:13:21Z");
    let prints: HashSet<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["partialFingerprints"]["wardroom/v1"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), 5);
}

#[test]
fn sarif_messages_make_no_links() {
    let log = document(Format::Sarif, &hostile());
    let text = log["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
    assert!(text.contains("\\]\\](x)"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn gitlab_gets_stable_ids_and_no_suppressed_findings() {
    let report = document(Format::GitlabSast, &plain());
    let found = report["vulnerabilities"].as_array().unwrap();
    assert_eq!(found.len(), 4);
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(id.replace('-', ""), plain().findings[0].fingerprint.0);
    assert_eq!(found[0]["location"]["file"], "apps/shop/app/models/user.rb");
    assert_eq!(found[0]["identifiers"][1]["name"], "CWE-89");
    assert_eq!(found[0]["details"]["path"]["rows"].as_array().unwrap().len(), 4);
    assert_eq!(report["scan"]["messages"][2]["value"], "1 finding is suppressed and not listed");
    assert_eq!(report["scan"]["start_time"], "2026-09-21T14:13:20");
}
