//! AWS Security Finding Format: what Security Hub and those that write to it tell.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package;
use crate::severity::of_word;
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Asff;

impl Format for Asff {
    fn name(&self) -> &'static str {
        "asff"
    }

    fn title(&self) -> &'static str {
        "AWS Security Hub"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        match findings(shape).first() {
            Some(one) if one.has("ProductArn") || one.has("AwsAccountId") && one.has("GeneratorId") => {
                Likeness::Sure
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, one) in findings(shape).iter().enumerate() {
            if !one.is_object() {
                report.problem(&format!("Findings[{at}]"), "a finding is an object");
            } else if !matches!(one.text("Compliance.Status").as_str(), "PASSED" | "NOT_AVAILABLE") {
                reported(one).into_iter().for_each(|finding| report.found(finding));
            }
        }
    }
}

/// What `get-findings` answers, an event of EventBridge, or the list alone.
fn findings(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(json) if json.has("Findings") => json.list("Findings"),
        Some(json) if json.has("findings") => json.list("findings"),
        Some(json) if json.has("detail.findings") => json.list("detail.findings"),
        _ => shape.values(),
    }
}

/// One finding for each package where packages are named, else one.
fn reported(one: &Value) -> Vec<Reported> {
    let resource = one.at("Resources.0").unwrap_or(&Value::Null);
    let names: Vec<String> = one.list("Resources").iter().map(|r| r.text("Id")).collect();
    let weak = one.list("Vulnerabilities");
    let score =
        weak.iter().flat_map(|v| v.list("Cvss")).filter_map(|c| c.number("BaseScore")).reduce(f32::max);
    let vector =
        weak.iter().flat_map(|v| v.list("Cvss")).map(|c| c.text("BaseVector")).find(|v| !v.is_empty());
    let word = one.text("Severity.Label");
    let normalized = one.number("Severity.Normalized").map(|n| severity::of_score(n / 10.0));
    let text = first([one.text("Title"), one.text("Description")]);
    let mut references = vec![one.text("Remediation.Recommendation.Url"), one.text("SourceUrl")];
    references.extend(weak.iter().flat_map(|v| v.texts("ReferenceUrls")));
    let ids: Vec<String> = weak
        .iter()
        .flat_map(|v| identifier::published(&v.text("Id")))
        .chain(identifier::published(&text))
        .collect();
    let state = first([one.text("Workflow.Status"), one.text("WorkflowState")]);
    let finding = Reported {
        rule: first([one.text("Compliance.SecurityControlId"), one.text("GeneratorId")]),
        title: text,
        description: paragraphs([
            one.text("Description"),
            labelled("Resource", &names.join(", ")),
            labelled("Kind", &resource.text("Type")),
            labelled("Region", &first([resource.text("Region"), one.text("Region")])),
            labelled("Account", &one.text("AwsAccountId")),
            labelled("Confidence", &one.text("Confidence")),
        ]),
        remedy: one.text("Remediation.Recommendation.Text"),
        severity: of_word(&word).or(normalized).or(Some(Severity::Info)),
        cvss: vector.unwrap_or_default(),
        score,
        ids,
        tool_id: one.text("Id"),
        addresses: names
            .into_iter()
            .filter(|n| !n.is_empty())
            .map(|url| Address { url, ..Address::default() })
            .collect(),
        references,
        standing: match (one.text("RecordState").as_str(), state.as_str()) {
            (_, "RESOLVED") | ("ARCHIVED", _) => Standing::Fixed,
            (_, "SUPPRESSED") => Standing::Accepted,
            _ => Standing::Open,
        },
        found: first([one.text("FirstObservedAt"), one.text("CreatedAt")]),
        tags: one.texts("Types"),
        ..Reported::default()
    };
    let packages = weak.iter().flat_map(|v| v.list("VulnerablePackages"));
    let packages: Vec<Reported> = packages
        .map(|p| {
            let fixed = p.text("FixedInVersion");
            let kind = p.text("PackageManager").to_ascii_lowercase();
            Reported {
                package: package::package(&kind, &p.text("Name"), &p.text("Version")),
                fixed_in: if fixed == "NotAvailable" { Vec::new() } else { vec![fixed] },
                ..finding.clone()
            }
        })
        .collect();
    if packages.is_empty() { vec![finding] } else { packages }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn findings_of_security_hub() {
        let report = br#"{"Findings": [
            {"SchemaVersion": "2018-10-08", "Id": "arn:f/1", "ProductArn": "arn:p", "GeneratorId": "S3.1",
             "AwsAccountId": "1", "Title": "Buckets are public", "Severity": {"Label": "CRITICAL"},
             "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.1"}, "Workflow": {"Status": "SUPPRESSED"},
             "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"}], "RecordState": "ACTIVE",
             "Remediation": {"Recommendation": {"Text": "Close it.", "Url": "https://docs.example/s3"}}},
            {"Id": "arn:f/2", "ProductArn": "arn:p", "Compliance": {"Status": "PASSED"}},
            {"Id": "arn:f/3", "ProductArn": "arn:p", "Title": "CVE-2023-0286 - openssl", "Severity": {"Normalized": 70},
             "Vulnerabilities": [{"Id": "CVE-2023-0286", "Cvss": [{"BaseScore": 7.4, "BaseVector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H"}],
             "VulnerablePackages": [{"Name": "openssl", "Version": "3.0.2", "FixedInVersion": "3.0.8"}, {"Name": "libssl", "Version": "3.0.2"}]}]}]}"#;
        let imported = read("hub.json", report, None).unwrap();
        assert_eq!((imported.format, imported.findings.len()), ("asff", 3));
        let [bucket, openssl, libssl] = &imported.findings[..] else { panic!() };
        assert_eq!((bucket.severity, bucket.standing), (Some(Severity::Critical), Standing::Accepted));
        assert_eq!((bucket.rule.as_str(), bucket.addresses[0].url.as_str()), ("S3.1", "arn:aws:s3:::b"));
        assert_eq!((openssl.severity, openssl.score), (Some(Severity::High), Some(7.4)));
        assert_eq!(openssl.fixed_in, ["3.0.8"]);
        assert_eq!(libssl.package.as_ref().unwrap().name, "libssl");
        assert_eq!(libssl.ids, ["CVE-2023-0286"]);
    }
}
