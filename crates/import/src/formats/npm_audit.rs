//! `npm audit --json` of npm 6 (which `pnpm audit` and `yarn npm audit` of yarn 2 and 3 write as well) and of npm 7
//! and newer.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package::package;
use crate::shape::Json as _;
use crate::wording::{first, paragraphs, titled};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct NpmAudit;

impl Format for NpmAudit {
    fn name(&self) -> &'static str {
        "npm-audit"
    }

    fn title(&self) -> &'static str {
        "npm audit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let counted = root.has("metadata.vulnerabilities");
        let six = root.at("advisories").and_then(Value::as_object).is_some_and(|advisories| {
            (advisories.is_empty() && counted) || advisories.values().take(20).any(|a| a.has("module_name"))
        });
        if six || root.has("auditReportVersion") { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        if let Some(error) = root.at("error") {
            report.problem("error", &first([error.text("summary"), error.text("code")]));
        }
        for (key, advisory) in root.at("advisories").and_then(Value::as_object).into_iter().flatten() {
            if advisory.is_object() {
                report.found(advisory_of(advisory));
            } else {
                report.problem(&format!("advisories.{key}"), "an advisory is an object");
            }
        }
        for (key, weak) in root.at("vulnerabilities").and_then(Value::as_object).into_iter().flatten() {
            if weak.is_object() {
                report.found(dependency(key, weak));
            } else {
                report.problem(&format!("vulnerabilities.{key}"), "a vulnerability is an object");
            }
        }
    }
}

/// The class of weak libraries, which stands where the advisory names none: OWASP's "components with known
/// vulnerabilities".
pub(super) const KNOWN: u32 = 1035;
/// Most paths to one library.
const MOST_PATHS: usize = 200;

/// An advisory as npm 6 and yarn 1 write it, with the paths to the library in `findings`.
pub(super) fn advisory_of(advisory: &Value) -> Reported {
    let findings = advisory.list("findings");
    let version = findings.iter().map(|f| f.text("version")).find(|v| !v.is_empty()).unwrap_or_default();
    let paths = findings.iter().flat_map(|f| f.texts("paths")).take(MOST_PATHS);
    let mut paths = paths.map(|path| steady(&path));
    let place = paths.next().map(|path| Place::new(path, None));
    // A list, one text, or a list written as text.
    let mut cwes: Vec<u32> = advisory.texts("cwe").iter().flat_map(|t| identifier::cwes(t)).collect();
    if cwes.is_empty() {
        cwes.push(KNOWN);
    }
    let url = advisory.text("url");
    let mut ids = advisory.texts("cves");
    ids.push(advisory.text("github_advisory_id"));
    ids.extend(identifier::published(&url));
    let score = advisory.number("cvss.score").filter(|s| *s > 0.0);
    let mut references = vec![url];
    references.extend(crate::wording::links(&advisory.text("references")));
    Reported {
        rule: advisory.text("id"),
        title: titled(&advisory.text("module_name"), &advisory.text("title")),
        description: advisory.text("overview"),
        remedy: advisory.text("recommendation"),
        severity: severity::of_word(&advisory.text("severity")),
        cwes,
        cvss: advisory.text("cvss.vectorString"),
        score,
        ids,
        place,
        places: paths.map(|path| Place::new(path, None)).collect(),
        package: package("npm", &advisory.text("module_name"), &version),
        fixed_in: fixed(&advisory.text("patched_versions")),
        references,
        found: advisory.text("created"),
        ..Reported::default()
    }
}

/// A path with one word for the project itself, where npm puts a hash that is another one each time.
pub(super) fn steady(path: &str) -> String {
    match path.split_once('>') {
        Some((own, rest)) if own.len() == 64 && own.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("censored_by_npm_audit>{rest}")
        }
        _ => path.to_owned(),
    }
}

/// `<0.0.0` says that no version is mended.
fn fixed(patched: &str) -> Vec<String> {
    Some(patched.trim()).filter(|p| !p.is_empty() && *p != "<0.0.0").map(str::to_owned).into_iter().collect()
}

/// A dependency as npm 7 counts them: one finding each, by way of its first advisory, or of the weak libraries that it
/// brings along.
fn dependency(key: &str, weak: &Value) -> Reported {
    let name = first([weak.text("name"), key.to_owned()]);
    let advisories: Vec<&Value> = weak.list("via").iter().filter(|v| v.is_object()).collect();
    let through: Vec<String> = weak.list("via").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let nothing = Value::Null;
    let main = advisories.first().copied().unwrap_or(&nothing);
    let mut cwes: Vec<u32> =
        advisories.iter().flat_map(|a| a.texts("cwe")).filter_map(|t| identifier::cwe(&t)).collect();
    if cwes.is_empty() {
        cwes.push(KNOWN);
    }
    let said = advisories.iter().map(|a| format!("- {} ({})", a.text("title"), a.text("range")));
    let said = said.collect::<Vec<_>>().join("\n");
    let title = match main.text("title") {
        title if title.is_empty() => format!("{name} depends on weak versions of {}", through.join(", ")),
        title => title,
    };
    let urls: Vec<String> = advisories.iter().map(|a| a.text("url")).collect();
    let mut nodes = weak.texts("nodes").into_iter().take(MOST_PATHS).map(|node| Place::new(node, None));
    Reported {
        rule: main.text("source"),
        title,
        description: paragraphs([
            said,
            match through.is_empty() {
                true => String::new(),
                false => format!("It depends on weak versions of {}.", through.join(", ")),
            },
            match weak.text("range") {
                range if range.is_empty() => String::new(),
                range => format!("Weak are the versions {range}."),
            },
        ]),
        remedy: remedy(weak.at("fixAvailable").unwrap_or(&nothing)),
        severity: severity::of_word(&weak.text("severity")),
        cwes,
        cvss: main.text("cvss.vectorString"),
        score: main.number("cvss.score").filter(|s| *s > 0.0),
        ids: identifier::published(&urls.join(" ")),
        place: nodes.next(),
        places: nodes.collect(),
        // npm 7 tells the range that is weak, not the version that is there.
        package: package("npm", &name, ""),
        references: urls,
        ..Reported::default()
    }
}

fn remedy(fix: &Value) -> String {
    match fix {
        Value::Bool(true) => "Run `npm audit fix`.".to_owned(),
        Value::Object(_) => {
            let breaking = match fix.at("isSemVerMajor") {
                Some(Value::Bool(true)) => ", a new major version",
                _ => "",
            };
            format!("Upgrade {} to {}{breaking}.", fix.text("name"), fix.text("version"))
        }
        _ => "There is no mended version yet: remove the package or replace it.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn a_dependency_that_only_brings_weak_ones_along_is_a_finding() {
        let text = r#"{"auditReportVersion": 2, "vulnerabilities": {"a": {"name": "a", "severity": "low", "via": ["b"],
            "nodes": ["node_modules/a"], "fixAvailable": true}}}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!(read.findings[0].title, "a depends on weak versions of b");
        assert_eq!(read.findings[0].remedy, "Run `npm audit fix`.");
    }
}
