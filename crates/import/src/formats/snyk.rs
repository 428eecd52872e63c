//! `snyk test --json` and `snyk container test --json` of one or several projects, and `snyk iac test --json`. Snyk
//! Code writes SARIF.

use serde_json::Value;

use super::npm_audit::KNOWN;
use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::package::{package, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs, titled};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Snyk;

impl Format for Snyk {
    fn name(&self) -> &'static str {
        "snyk"
    }

    fn title(&self) -> &'static str {
        "Snyk"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |project: &Value| {
            let tested = project.at("vulnerabilities").is_some_and(Value::is_array)
                && (project.has("packageManager")
                    || project.has("dependencyCount")
                    || project.has("projectName"))
                && project.at("ok").is_some_and(Value::is_boolean);
            tested || project.at("infrastructureAsCodeIssues").is_some_and(Value::is_array)
        };
        if shape.values().iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, project) in shape.values().iter().enumerate() {
            if !project.is_object() {
                report.problem(&format!("[{at}]"), "a project is an object");
                continue;
            }
            let failed = project.text("error");
            if !failed.is_empty() {
                report.problem(&project.text("path"), &failed);
            }
            // A weak library is told once for each way that leads to it.
            let mut groups = Groups::default();
            let decided = [("vulnerabilities", Standing::Open), ("filtered.ignore", Standing::Accepted)];
            for (key, standing) in decided {
                for weak in project.list(key).iter().filter(|v| v.is_object()) {
                    let found = Reported { standing, ..one(weak, project) };
                    let version = weak.text("version");
                    let key = format!("{key}\n{}\n{}\n{version}", found.rule, weak.text("packageName"));
                    groups.put(key, found);
                }
            }
            groups.tell(report);
            let file =
                first([project.text("targetFile"), project.text("targetFilePath"), project.text("path")]);
            for issue in project.list("infrastructureAsCodeIssues") {
                report.found(infrastructure(issue, &file));
            }
        }
    }
}

fn one(weak: &Value, project: &Value) -> Reported {
    let name = first([weak.text("packageName"), weak.text("moduleName"), weak.text("name")]);
    let version = weak.text("version");
    let id = weak.text("id");
    let mut ids = weak.texts("identifiers.CVE");
    ids.extend(weak.texts("identifiers.GHSA"));
    let mut cwes: Vec<u32> =
        weak.texts("identifiers.CWE").iter().filter_map(|t| identifier::cwe(t)).collect();
    if cwes.is_empty() && weak.text("type") != "license" {
        cwes.push(KNOWN);
    }
    let fixed = weak.texts("fixedIn");
    // The first is the project itself, which nobody can upgrade.
    let path: Vec<String> = weak.texts("upgradePath").into_iter().filter(|step| step != "false").collect();
    let way = match path.first() {
        Some(step) if weak.text("isUpgradable") == "true" => format!("Upgrade to {step}."),
        _ => String::new(),
    };
    let from: Vec<String> = weak.texts("from").iter().map(|step| without_version(step).to_owned()).collect();
    let vectors = [weak.text("CVSSv4"), weak.text("CVSSv3"), weak.text("CVSSv3.1")];
    let mut references = vec![format!("https://security.snyk.io/vuln/{id}")];
    references.extend(weak.list("references").iter().map(|r| r.text("url")));
    let ecosystem =
        first([weak.text("packageManager"), project.text("packageManager"), weak.text("language")]);
    Reported {
        title: titled(&name, &weak.text("title")),
        description: paragraphs([
            weak.text("description"),
            labelled("Exploit", &weak.text("exploit")),
            labelled("Project", &project.text("projectName")),
        ]),
        remedy: paragraphs([way, upgrade(&name, &fixed)]),
        rule: id,
        severity: severity::of_word(&first([weak.text("severityWithCritical"), weak.text("severity")])),
        cwes,
        cvss: first(vectors),
        score: weak.number("cvssScore"),
        ids,
        place: (!from.is_empty()).then(|| Place::new(from.join(" > "), None)),
        package: package(&ecosystem, &name, &version),
        fixed_in: fixed,
        references,
        found: weak.text("publicationTime"),
        tags: vec![weak.text("type"), project.text("displayTargetFile")],
        ..Reported::default()
    }
}

/// `@angular/localize@11.0.4` without its version.
fn without_version(step: &str) -> &str {
    step.rfind('@').filter(|at| *at > 0).map_or(step, |at| &step[..at])
}

fn infrastructure(issue: &Value, file: &str) -> Reported {
    let said = issue.at("iacDescription").unwrap_or(&Value::Null);
    let path = issue.texts("path").join(".");
    Reported {
        rule: first([issue.text("publicId"), issue.text("id")]),
        title: issue.text("title"),
        description: paragraphs([
            said.text("issue"),
            said.text("impact"),
            issue.text("msg"),
            labelled("Setting", &path),
        ]),
        remedy: first([said.text("resolve"), issue.text("resolve")]),
        severity: severity::of_word(&issue.text("severity")),
        place: Some(Place { scope: path, ..Place::new(file, issue.whole("lineNumber")) }),
        references: [vec![issue.text("documentation")], issue.texts("references")].concat(),
        standing: if issue.text("isIgnored") == "true" { Standing::Accepted } else { Standing::Open },
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn infrastructure_and_several_ways_to_one_library() {
        let text = r#"[{"ok": false, "dependencyCount": 2, "packageManager": "npm", "vulnerabilities": [
              {"id": "S-1", "title": "t", "severity": "high", "packageName": "a", "version": "1", "from": ["p@1", "a@1"]},
              {"id": "S-1", "title": "t", "severity": "high", "packageName": "a", "version": "1", "from": ["p@1", "b@2", "a@1"]}]},
            {"targetFile": "main.tf", "infrastructureAsCodeIssues": [{"id": "SNYK-CC-1", "title": "Open", "severity": "low",
              "lineNumber": 4, "path": ["resource", "a"], "isIgnored": true, "iacDescription": {"issue": "i", "resolve": "r"}}]}]"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("snyk", 2));
        assert_eq!(read.findings[0].places[0].file, "p > b > a");
        assert_eq!(read.findings[1].remedy, "r");
    }
}
