//! OpenVAS and Greenbone: reports in XML (GMP) and CSV.

use super::{Format, Likeness};
use crate::shape::Element;
use crate::wording::{first, host_and_port, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, Table, identifier, severity};
use wardroom_model::Confidence;

/// The format.
#[derive(Debug)]
pub(super) struct OpenVas;

impl Format for OpenVas {
    fn name(&self) -> &'static str {
        "openvas"
    }

    fn title(&self) -> &'static str {
        "OpenVAS"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.table().is_some_and(|t| t.has(&["IP", "NVT Name"]) || t.has(&["NVT OID", "Severity"])) {
            return Likeness::Sure;
        }
        let Shape::Xml(root) = shape else { return Likeness::No };
        let report = match root.name.as_str() {
            "get_reports_response" => return Likeness::Sure,
            "get_results_response" => return Likeness::Sure,
            "report" => root,
            _ => return Likeness::No,
        };
        let greenbone = !report.attribute("format_id").is_empty()
            || !report.attribute("extension").is_empty()
            || report.child("gmp").is_some()
            || report.below("nvt").iter().any(|n| !n.attribute("oid").is_empty());
        if greenbone { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Shape::Xml(root) = shape {
            report.tool("OpenVAS", "");
            for results in root.below("results") {
                for result in results.all("result") {
                    report.found(of_result(result));
                }
            }
            if root.name == "get_results_response" {
                root.all("result").for_each(|result| report.found(of_result(result)));
            }
        }
        let Some(table) = shape.table() else { return };
        for row in 0..table.len() {
            report.found(of_row(table, row));
        }
    }
}

/// The quality of detection, in per cent: at 70 and more the manual of the tool calls it sure enough to show.
fn confidence(quality: &str) -> Option<Confidence> {
    Some(match quality.trim().parse::<u32>().ok()? {
        95.. => Confidence::High,
        70..95 => Confidence::Medium,
        _ => Confidence::Low,
    })
}

fn score(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|s| (0.0..=10.0).contains(s))
}

fn of_row(table: &Table, row: usize) -> Reported {
    let cell = |column: &str| table.cell(row, column).to_owned();
    let oid = cell("NVT OID");
    let result = cell("Specific Result");
    let score = score(table.cell(row, "CVSS"));
    Reported {
        title: cell("NVT Name"),
        description: paragraphs([
            cell("Summary"),
            result.clone(),
            cell("Vulnerability Insight"),
            labelled("Impact", &cell("Impact")),
            labelled("Affected", &cell("Affected Software/OS")),
            labelled("Detected by", &cell("Vulnerability Detection Method")),
        ]),
        remedy: cell("Solution"),
        severity: severity::of_word(&cell("Severity")),
        confidence: confidence(&cell("QoD")),
        score,
        ids: identifier::published(&format!("{} {oid}", cell("CVEs"))),
        rule: oid,
        tool_id: cell("Result ID"),
        addresses: vec![Address {
            url: host_and_port(table.any(row, &["Hostname", "IP"]), &cell("Port")),
            evidence: result,
            ..Address::default()
        }],
        references: links(&cell("Other References")),
        standing: standing(&cell("Severity")),
        found: cell("Timestamp"),
        tags: vec![cell("Solution Type")],
        ..Reported::default()
    }
}

fn standing(threat: &str) -> Standing {
    if threat.eq_ignore_ascii_case("false positive") { Standing::FalsePositive } else { Standing::Open }
}

fn of_result(result: &Element) -> Reported {
    let nothing = Element::default();
    let nvt = result.child("nvt").unwrap_or(&nothing);
    let tags = nvt.text_at("tags");
    // `cvss_base_vector=…|summary=…|solution=…`
    let tag = |name: &str| {
        let parts = tags.split('|').filter_map(|part| part.split_once('='));
        parts.clone().find(|(n, _)| *n == name).map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
    };
    let references = nvt.below("ref");
    let of_kind = |kind: &str| {
        let of = references.iter().filter(|r| r.attribute("type").eq_ignore_ascii_case(kind));
        of.map(|r| r.attribute("id").to_owned()).collect::<Vec<_>>()
    };
    let host = result.child("host").map(|h| h.text.trim().to_owned()).unwrap_or_default();
    let port = result.text_at("port");
    let number = port.split('/').next().filter(|p| p.bytes().all(|b| b.is_ascii_digit()));
    let threat = first([result.text_at("threat"), result.text_at("original_threat")]);
    let newer = nvt.below("severity").first().map(|s| s.text_at("value")).unwrap_or_default();
    let score = score(&first([result.text_at("severity"), nvt.text_at("cvss_base")]));
    let detail = result.text_at("description");
    let ids = format!("{} {}", of_kind("cve").join(" "), nvt.text_at("cve"));
    Reported {
        rule: nvt.attribute("oid").to_owned(),
        title: first([result.text_at("name"), nvt.text_at("name")]),
        description: paragraphs([
            tag("summary"),
            detail.clone(),
            tag("insight"),
            labelled("Impact", &tag("impact")),
            labelled("Affected", &tag("affected")),
            labelled("Port", &port),
        ]),
        remedy: first([nvt.text_at("solution"), tag("solution")]),
        severity: severity::of_word(&threat),
        confidence: confidence(&result.text_at("qod/value")),
        cvss: severity::vector(&first([newer, tag("cvss_base_vector")])),
        score,
        ids: identifier::published(&ids),
        tool_id: result.attribute("id").to_owned(),
        addresses: vec![Address {
            url: host_and_port(&first([result.text_at("host/hostname"), host]), number.unwrap_or_default()),
            evidence: detail,
            ..Address::default()
        }],
        references: of_kind("url"),
        standing: standing(&threat),
        found: first([result.text_at("creation_time"), result.text_at("modification_time")]),
        tags: vec![nvt.text_at("family")],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::{Confidence, Severity};

    #[test]
    fn xml() {
        let report = br#"<report id="1" format_id="f" extension="xml" content_type="text/xml"><report id="1"><results start="1" max="10">
            <result id="r1"><name>Weak DH</name><host>192.0.2.1<asset asset_id="x"/><hostname>a.example</hostname></host><port>443/tcp</port>
              <nvt oid="1.3.6.1.4.1.25623.1.0.1"><name>Weak DH</name><family>SSL</family><cvss_base>4.0</cvss_base>
                <tags>cvss_base_vector=AV:N/AC:H/Au:N/C:P/I:P/A:N|summary=It is weak.|insight=Why.|solution=Old.</tags>
                <solution type="Mitigation">Use more bits.</solution>
                <refs><ref type="cve" id="CVE-2015-4000"/><ref type="url" id="https://weakdh.org/"/></refs></nvt>
              <threat>Medium</threat><severity>4.0</severity><qod><value>80</value></qod><description>1024 bits</description></result>
            <result id="r2"><name>x</name><host>192.0.2.1</host><port>general/tcp</port><nvt oid="2"/><threat>False Positive</threat></result>
            </results></report></report>"#;
        let imported = read("o.xml", report, None).unwrap();
        let [weak, wrong] = &imported.findings[..] else { panic!() };
        assert_eq!(imported.format, "openvas");
        assert_eq!((weak.severity, weak.confidence), (Some(Severity::Medium), Some(Confidence::Medium)));
        assert_eq!(
            (weak.addresses[0].url.as_str(), weak.remedy.as_str()),
            ("a.example:443", "Use more bits.")
        );
        assert_eq!(
            (weak.ids[0].as_str(), weak.references[0].as_str()),
            ("CVE-2015-4000", "https://weakdh.org/")
        );
        assert_eq!((wrong.standing, wrong.addresses[0].url.as_str()), (Standing::FalsePositive, "192.0.2.1"));
    }
}
