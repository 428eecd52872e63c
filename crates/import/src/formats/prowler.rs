//! Prowler 2 to 5: CSV, JSON, JSON one a line, and JSON-OCSF.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Prowler;

impl Format for Prowler {
    fn name(&self) -> &'static str {
        "prowler"
    }

    fn title(&self) -> &'static str {
        "Prowler"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Table(table) => {
                table.has(&["TITLE_ID", "CHECK_RESULT"]) || table.has(&["CHECK_ID", "STATUS_EXTENDED"])
            }
            Shape::Json(_) | Shape::Lines(_) => shape.values().first().is_some_and(|one| {
                one.has("Control ID") && one.has("Status")
                    || one.has("CheckID") && one.has("StatusExtended")
                    || one.text("metadata.product.name") == "Prowler"
            }),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(table) = shape.table() {
            for row in 0..table.len() {
                let cell = |column: &str| table.cell(row, column).to_owned();
                check(&cell, if table.has(&["TITLE_ID"]) { &SECOND } else { &TABLE }, report);
            }
            return;
        }
        for (at, one) in shape.values().iter().enumerate() {
            if !one.is_object() {
                report.problem(&format!("[{at}]"), "a check is an object");
            } else if one.has("finding_info") {
                report.tool("Prowler", &one.text("metadata.product.version"));
                ocsf(one, report);
            } else {
                check(&|key| one.text(key), if one.has("CheckID") { &THIRD } else { &SECOND_JSON }, report);
            }
        }
    }
}

/// The names under which a version tells the parts of a check.
struct Names {
    id: &'static str,
    title: &'static str,
    status: &'static str,
    severity: &'static str,
    message: &'static str,
    risk: &'static str,
    remedy: &'static [&'static str],
    references: &'static [&'static str],
    resource: &'static [&'static str],
    region: &'static str,
    account: &'static str,
    service: &'static str,
    found: &'static str,
    finding: &'static str,
    muted: &'static str,
}

const SECOND: Names = Names {
    id: "TITLE_ID",
    title: "TITLE_TEXT",
    status: "CHECK_RESULT",
    severity: "CHECK_SEVERITY",
    message: "CHECK_RESULT_EXTENDED",
    risk: "CHECK_RISK",
    remedy: &["CHECK_REMEDIATION"],
    references: &["CHECK_DOC"],
    resource: &["CHECK_RESOURCE_ID", "RESOURCE_ID"],
    region: "REGION",
    account: "ACCOUNT_NUM",
    service: "CHECK_SERVICENAME",
    found: "TIMESTAMP",
    finding: "",
    muted: "",
};

const SECOND_JSON: Names = Names {
    id: "Control ID",
    title: "Control",
    status: "Status",
    severity: "Severity",
    message: "Message",
    risk: "Risk",
    remedy: &["Remediation"],
    references: &["Doc link"],
    resource: &["Resource ID"],
    region: "Region",
    account: "Account Number",
    service: "Service",
    found: "Timestamp",
    finding: "",
    muted: "",
};

const THIRD: Names = Names {
    id: "CheckID",
    title: "CheckTitle",
    status: "Status",
    severity: "Severity",
    message: "StatusExtended",
    risk: "Risk",
    remedy: &["Remediation.Recommendation.Text", "Remediation.Code.CLI"],
    references: &["Remediation.Recommendation.Url", "RelatedUrl"],
    resource: &["ResourceArn", "ResourceId"],
    region: "Region",
    account: "AccountId",
    service: "ServiceName",
    found: "AssessmentStartTime",
    finding: "FindingUniqueId",
    muted: "",
};

const TABLE: Names = Names {
    id: "CHECK_ID",
    title: "CHECK_TITLE",
    status: "STATUS",
    severity: "SEVERITY",
    message: "STATUS_EXTENDED",
    risk: "RISK",
    remedy: &["REMEDIATION_RECOMMENDATION_TEXT", "REMEDIATION_CODE_CLI"],
    references: &["REMEDIATION_RECOMMENDATION_URL", "RELATED_URL"],
    resource: &["RESOURCE_ARN", "RESOURCE_UID", "RESOURCE_ID", "RESOURCE_NAME"],
    region: "REGION",
    account: "ACCOUNT_ID",
    service: "SERVICE_NAME",
    found: "TIMESTAMP",
    finding: "FINDING_UID",
    muted: "MUTED",
};

/// How a check ended; none where all is well. What a person has to look at himself is worth knowing, no more.
fn outcome(status: &str, word: &str) -> Option<Severity> {
    match status.trim().to_ascii_uppercase().as_str() {
        "FAIL" | "FAILED" => severity::of_word(word).or(Some(Severity::Medium)),
        "MANUAL" | "WARNING" => Some(Severity::Info),
        _ => None,
    }
}

fn check(text: &dyn Fn(&str) -> String, names: &Names, report: &mut Report<'_>) {
    let Some(severity) = outcome(&text(names.status), &text(names.severity)) else { return };
    let any = |keys: &[&str]| keys.iter().map(|k| text(k)).find(|t| !t.is_empty()).unwrap_or_default();
    let (message, risk) = (text(names.message), text(names.risk));
    let resource = any(names.resource);
    let muted = text(names.muted).eq_ignore_ascii_case("true");
    let region = text(names.region);
    let title = text(names.title);
    // Version 2 puts the name of the check before its title: `[check11] Avoid …`.
    let named = title.strip_prefix('[').and_then(|t| t.split_once(']'));
    let rule = named.map_or_else(|| text(names.id), |(name, _)| name.to_owned());
    report.found(Reported {
        title: named.map_or(title.as_str(), |(_, rest)| rest.trim()).to_owned(),
        description: paragraphs([
            message,
            labelled("Risk", &risk),
            labelled("Resource", &resource),
            labelled("Region", &region),
            labelled("Account", &text(names.account)),
        ]),
        remedy: any(names.remedy),
        severity: Some(severity),
        // The class of what the tool looks for: it gives none.
        cwes: vec![1032],
        ids: identifier::published(&risk),
        tool_id: text(names.finding),
        addresses: if resource.is_empty() {
            Vec::new()
        } else {
            vec![Address { url: resource, ..Address::default() }]
        },
        references: names.references.iter().flat_map(|key| links(&text(key))).collect(),
        standing: if muted { Standing::Accepted } else { Standing::Open },
        found: text(names.found),
        tags: vec![text(names.service), region],
        rule,
        ..Reported::default()
    });
}

/// A detection finding of OCSF, as versions 4 and 5 write it.
fn ocsf(one: &Value, report: &mut Report<'_>) {
    let status = first([one.text("status_code"), one.text("unmapped.status_code")]);
    let Some(severity) = outcome(&status, &one.text("severity")) else { return };
    let resource = one.at("resources.0").unwrap_or(&Value::Null);
    let name = first([resource.text("uid"), resource.text("name")]);
    let region = first([resource.text("region"), one.text("cloud.region")]);
    let muted = one.text("status").eq_ignore_ascii_case("suppressed");
    report.found(Reported {
        rule: first([one.text("metadata.event_code"), one.text("finding_info.title")]),
        title: one.text("finding_info.title"),
        description: paragraphs([
            first([one.text("status_detail"), one.text("message")]),
            one.text("finding_info.desc"),
            labelled("Risk", &one.text("risk_details")),
            labelled("Resource", &name),
            labelled("Region", &region),
            labelled("Account", &one.text("cloud.account.uid")),
        ]),
        remedy: one.text("remediation.desc"),
        severity: Some(severity),
        cwes: vec![1032],
        tool_id: one.text("finding_info.uid"),
        addresses: if name.is_empty() {
            Vec::new()
        } else {
            vec![Address { url: name, ..Address::default() }]
        },
        references: one.texts("remediation.references").iter().flat_map(|r| links(r)).collect(),
        standing: if muted { Standing::Accepted } else { Standing::Open },
        found: first([one.text("finding_info.created_time_dt"), one.text("time_dt"), one.text("event_time")]),
        tags: vec![resource.text("group.name"), region],
        ..Reported::default()
    });
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn versions_three_to_five() {
        let third = br#"[{"CheckID": "iam_root_mfa", "CheckTitle": "Root has MFA", "Status": "FAIL", "Severity": "critical",
            "StatusExtended": "MFA is not enabled.", "ResourceArn": "arn:aws:iam::1:root", "FindingUniqueId": "p-1",
            "Remediation": {"Recommendation": {"Text": "Enable it.", "Url": "https://docs.example/mfa"}}},
            {"CheckID": "a", "StatusExtended": "fine", "Status": "PASS", "Severity": "high"}]"#;
        let ocsf = br#"[{"metadata": {"event_code": "iam_root_mfa", "product": {"name": "Prowler", "version": "5.0.0"}},
            "severity": "Critical", "status": "Suppressed", "status_code": "FAIL", "status_detail": "MFA is not enabled.",
            "finding_info": {"title": "Root has MFA", "uid": "p-1"}, "resources": [{"uid": "arn:aws:iam::1:root"}],
            "remediation": {"desc": "Enable it.", "references": ["https://docs.example/mfa"]}}]"#;
        let table = b"FINDING_UID;CHECK_ID;CHECK_TITLE;STATUS;STATUS_EXTENDED;SEVERITY;RESOURCE_UID;MUTED;REMEDIATION_RECOMMENDATION_TEXT;REMEDIATION_RECOMMENDATION_URL\np-1;iam_root_mfa;Root has MFA;FAIL;MFA is not enabled.;critical;arn:aws:iam::1:root;False;Enable it.;https://docs.example/mfa\n";
        for report in [third.as_slice(), ocsf, table] {
            let imported = read("r", report, None).unwrap();
            assert_eq!((imported.format, imported.findings.len()), ("prowler", 1));
            let finding = &imported.findings[0];
            assert_eq!(finding.rule, "iam_root_mfa");
            assert_eq!(finding.severity, Some(Severity::Critical));
            assert_eq!((finding.tool_id.as_str(), finding.remedy.as_str()), ("p-1", "Enable it."));
            assert_eq!(finding.addresses[0].url, "arn:aws:iam::1:root");
            assert_eq!(finding.references, ["https://docs.example/mfa"]);
            let suppressed = report == ocsf;
            assert_eq!(finding.standing == Standing::Accepted, suppressed);
        }
    }
}
