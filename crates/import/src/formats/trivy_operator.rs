//! The reports that Trivy Operator keeps in a cluster, as `kubectl get … -o json` writes them: one, a list, or a
//! collection by kind.

use serde_json::Value;

use super::trivy::vector;
use super::{Format, Likeness};
use crate::package::{package_at, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, headline, labelled, paragraphs, titled};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct TrivyOperator;

impl Format for TrivyOperator {
    fn name(&self) -> &'static str {
        "trivy-operator"
    }

    fn title(&self) -> &'static str {
        "Trivy Operator"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |v: &Value| v.text("apiVersion").starts_with("aquasecurity.github.io/") && v.has("kind");
        let known = shape.values().iter().take(20).any(|v| {
            let keyed =
                v.as_object().is_some_and(|o| o.keys().any(|k| k.ends_with(".aquasecurity.github.io")));
            ours(v) || keyed || v.list("items").iter().take(20).any(ours)
        });
        if known { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for value in shape.values() {
            let keyed = value.as_object().into_iter().flatten();
            let keyed =
                keyed.filter(|(key, _)| key.ends_with(".aquasecurity.github.io")).map(|(_, list)| list);
            let lists = value.at("items").into_iter().chain(keyed).filter_map(Value::as_array).flatten();
            for one in lists.chain([value]) {
                read_one(one, report);
            }
        }
    }
}

/// One report. What is no finding (a bill of materials) has none of these lists.
fn read_one(value: &Value, report: &mut Report<'_>) {
    let resource = resource(value);
    let body = value.at("report").unwrap_or(&Value::Null);
    if body.has("scanner") {
        report.tool(&body.text("scanner.name"), &body.text("scanner.version"));
    }
    let image = [body.text("registry.server"), body.text("artifact.repository")].join("/");
    let image = match body.text("artifact.tag") {
        tag if tag.is_empty() => image,
        tag => format!("{image}:{tag}"),
    };
    let note = paragraphs([labelled("Resource", &resource), labelled("Image", image.trim_matches('/'))]);
    let mut add = |found: Reported| {
        report
            .found(Reported { description: paragraphs([found.description.clone(), note.clone()]), ..found });
    };
    for weak in body.list("vulnerabilities") {
        add(vulnerability(weak, &body.text("os.family")));
    }
    for secret in body.list("secrets") {
        add(self::secret(secret));
    }
    for check in body.list("checks").iter().filter(failed) {
        add(self::check(check, "", &resource));
    }
    for control in value.list("status.detailReport.results") {
        for check in control.list("checks").iter().filter(failed) {
            let found = self::check(check, &control.text("severity"), &resource);
            let named = format!("{} {}", control.text("id"), control.text("name"));
            add(Reported {
                description: paragraphs([
                    found.description,
                    labelled("Control", named.trim()),
                    control.text("description"),
                ]),
                ..found
            });
        }
    }
}

fn failed(check: &&Value) -> bool {
    check.is_object() && !matches!(check.at("success"), Some(Value::Bool(true)))
}

/// `ReplicaSet nginx in default, container nginx`
fn resource(value: &Value) -> String {
    let labels = value.at("metadata.labels").and_then(Value::as_object);
    let label = |key: &str| {
        let found = labels.and_then(|l| l.get(&format!("trivy-operator.{key}"))).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let name = [label("resource.kind"), label("resource.name")].join(" ");
    let space = first([label("resource.namespace"), value.text("metadata.namespace")]);
    let container = label("container.name");
    let mut text = first([name.trim().to_owned(), value.text("metadata.name")]);
    if !space.is_empty() {
        text = format!("{text} in {space}");
    }
    if container.is_empty() { text } else { format!("{text}, container {container}") }
}

fn vulnerability(weak: &Value, family: &str) -> Reported {
    let (id, name) = (weak.text("vulnerabilityID"), weak.text("resource"));
    let title = weak.text("title");
    let fixed: Vec<String> =
        weak.text("fixedVersion").split(',').map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect();
    let (cvss, _) = vector(&serde_json::json!({"CVSS": weak.at("cvss").cloned().unwrap_or_default()}));
    // Packages of the system belong to no class of a language.
    let ecosystem =
        if weak.text("class") == "lang-pkgs" { weak.text("packageType") } else { family.to_owned() };
    let target = first([weak.text("packagePath"), weak.text("target")]);
    let mut references = vec![weak.text("primaryLink")];
    references.extend(weak.texts("links"));
    let description = weak.text("description");
    Reported {
        title: titled(&name, &first([title.clone(), headline(&description), id.clone()])),
        description: paragraphs([title, description]),
        remedy: upgrade(&name, &fixed),
        severity: severity::of_word(&weak.text("severity")),
        cwes: weak.texts("cweIDs").iter().filter_map(|t| identifier::cwe(t)).collect(),
        cvss,
        score: weak.number("score").filter(|s| *s > 0.0),
        ids: vec![id.clone()],
        rule: id,
        place: (!target.is_empty()).then(|| Place::new(target, None)),
        package: package_at(&weak.text("packagePURL"), &ecosystem, &name, &weak.text("installedVersion")),
        fixed_in: fixed,
        references,
        found: weak.text("publishedDate"),
        ..Reported::default()
    }
}

fn secret(value: &Value) -> Reported {
    let target = value.text("target");
    Reported {
        title: format!("{} in {target}", value.text("title")),
        description: labelled("Kind", &value.text("category")),
        remedy: "Revoke the secret, make a new one and keep it out of the image.".to_owned(),
        rule: value.text("ruleID"),
        severity: severity::of_word(&value.text("severity")),
        cwes: vec![798],
        // The operator has put stars in the place of the secret.
        place: Some(Place { snippet: value.text("match"), ..Place::new(target, None) }),
        ..Reported::default()
    }
}

fn check(value: &Value, otherwise: &str, resource: &str) -> Reported {
    let id = value.text("checkID");
    let target = value.text("target");
    Reported {
        title: first([value.text("title"), id.clone()]),
        description: paragraphs([value.texts("messages").join("\n"), value.text("description")]),
        remedy: value.text("remediation"),
        severity: severity::of_word(&first([value.text("severity"), otherwise.to_owned()])),
        ids: vec![published(&id)],
        rule: id,
        place: (!target.is_empty()).then(|| Place { scope: resource.to_owned(), ..Place::new(target, None) }),
        tags: vec![value.text("category")],
        ..Reported::default()
    }
}

/// The operator shortens the names of Aqua's database: `KSV014` is `AVD-KSV-0014`.
fn published(id: &str) -> String {
    let letters = id.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = id.get(letters..).unwrap_or_default().trim_start_matches('-');
    match letters {
        1.. if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("AVD-{}-{digits:0>4}", &id[..letters])
        }
        _ => id.to_owned(),
    }
}
