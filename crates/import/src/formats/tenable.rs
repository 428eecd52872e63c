//! Tenable: Nessus in XML (`.nessus`, version 2) and CSV, Nessus WAS, Tenable.io and Tenable.sc in CSV.

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Element;
use crate::wording::{first, host_and_port, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, Table, identifier, severity};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Tenable;

impl Format for Tenable {
    fn name(&self) -> &'static str {
        "tenable"
    }

    fn title(&self) -> &'static str {
        "Tenable Nessus"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let xml = shape.xml("NessusClientData_v2").is_some();
        let table = shape.table().is_some_and(|t| {
            t.has(&["Plugin ID", "Name", "Host", "Synopsis"])
                || t.has(&["Plugin", "Plugin Name", "IP Address"])
                || t.has(&["definition.id", "definition.name", "severity"])
        });
        if xml || table { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        if let Some(root) = shape.xml("NessusClientData_v2") {
            for host in root.below("ReportHost") {
                for item in host.all("ReportItem") {
                    let finding = of_item(host, item);
                    let key = format!("{} {} {:?}", finding.rule, finding.title, finding.severity);
                    groups.put(key, finding);
                }
            }
        }
        if let Some(table) = shape.table() {
            for row in 0..table.len() {
                let finding = of_row(table, row);
                if finding.title.is_empty() && finding.rule.is_empty() {
                    continue;
                }
                // One check gives a row for each of its CVEs. Where the host has its own column it is part of what was
                // found; Tenable.sc lists assets under a finding.
                let key = [
                    &finding.rule,
                    &finding.title,
                    &format!("{:?}", finding.severity),
                    table.any(row, &["Host", "asset.name"]),
                    table.any(row, &["Port", "port"]),
                    table.any(row, &["Synopsis"]),
                ]
                .join("\n");
                groups.put(key, finding);
            }
        }
        groups.tell(report);
    }
}

/// A number from 0 to 4, or a word.
fn level(text: &str) -> Option<Severity> {
    match text.trim() {
        "0" => Some(Severity::Info),
        "1" => Some(Severity::Low),
        "2" => Some(Severity::Medium),
        "3" => Some(Severity::High),
        "4" => Some(Severity::Critical),
        word => severity::of_word(word),
    }
}

fn score(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|s| (0.0..=10.0).contains(s))
}

fn of_row(table: &Table, row: usize) -> Reported {
    let any = |columns: &[&str]| table.any(row, columns).to_owned();
    let host = any(&["Host", "FQDN", "DNS Name", "IP Address", "asset.name", "asset.display_fqdn"]);
    let output = any(&["Plugin Output", "output"]);
    // What Tenable.sc puts before the output.
    let output = output.strip_prefix("Plugin Output:").unwrap_or(&output).trim().to_owned();
    let newest = any(&["CVSS v4.0 Vector", "CVSS V4 Vector"]);
    let cross = any(&["XREF", "Cross References", "definition.references"]);
    let solution = any(&["Solution", "Steps to Remediate", "definition.solution"]);
    // Nessus WAS names no port; the output says where.
    let protocol = any(&["Protocol", "protocol"]);
    let page = links(&output).into_iter().next().filter(|_| protocol.starts_with("http"));
    Reported {
        rule: any(&["Plugin ID", "Plugin", "definition.id"]),
        title: any(&["Name", "Plugin Name", "definition.name"]),
        description: paragraphs([
            any(&["Synopsis", "definition.synopsis"]),
            any(&["Description", "definition.description"]),
            labelled("Output", &output),
        ]),
        remedy: if solution.eq_ignore_ascii_case("n/a") { String::new() } else { solution },
        severity: level(table.any(row, &["Risk", "Severity", "Risk Factor"])),
        cwes: identifier::cwes(&cross),
        cvss: severity::vector(&first([
            newest,
            any(&["CVSS V3 Vector", "CVSS3 Vector", "CVSS v3.0 Vector", "definition.cvss3.base_vector"]),
            any(&["CVSS V2 Vector", "CVSS Vector", "CVSS v2.0 Vector"]),
        ])),
        score: [
            "CVSS v4.0 Base Score",
            "CVSS V3 Base Score",
            "CVSS3 Base Score",
            "CVSS v3.0 Base Score",
            "CVSSv3",
            "definition.cvss3.base_score",
            "CVSS V2 Base Score",
            "CVSS Base Score",
            "CVSS v2.0 Base Score",
            "CVSS",
        ]
        .iter()
        .find_map(|column| score(table.cell(row, column))),
        ids: identifier::published(table.any(row, &["CVE", "definition.cve"])),
        addresses: vec![Address {
            url: page.unwrap_or_else(|| host_and_port(&host, table.any(row, &["Port", "port"]))),
            evidence: output,
            ..Address::default()
        }],
        references: links(table.any(row, &["See Also", "definition.see_also"])),
        standing: match table.any(row, &["Vulnerability State", "state"]).to_ascii_lowercase().as_str() {
            "fixed" => Standing::Fixed,
            _ if !table.cell(row, "Accept Risk Comment").is_empty() => Standing::Accepted,
            _ => Standing::Open,
        },
        found: any(&["First Discovered", "First Found", "Host Start", "first_observed"]),
        tags: vec![any(&["Family", "Plugin Family", "definition.family"])],
        ..Reported::default()
    }
}

fn of_item(host: &Element, item: &Element) -> Reported {
    let properties = host.child("HostProperties");
    let tag = |name: &str| {
        let found = properties.and_then(|p| p.all("tag").find(|t| t.attribute("name") == name));
        found.map(|t| t.text.trim().to_owned()).unwrap_or_default()
    };
    let name = first([tag("host-fqdn"), host.attribute("name").to_owned(), tag("host-ip")]);
    let output = item.text_at("plugin_output");
    let texts = |name: &str| item.all(name).map(|e| e.text.trim().to_owned()).collect::<Vec<_>>();
    let solution = item.text_at("solution");
    Reported {
        rule: item.attribute("pluginID").to_owned(),
        title: item.attribute("pluginName").to_owned(),
        description: paragraphs([
            item.text_at("synopsis"),
            item.text_at("description"),
            labelled("Output", &output),
        ]),
        remedy: if solution.eq_ignore_ascii_case("n/a") { String::new() } else { solution },
        severity: level(item.attribute("severity"))
            .or_else(|| severity::of_word(&item.text_at("risk_factor"))),
        cwes: item
            .all("cwe")
            .filter_map(|e| identifier::cwe(&e.text))
            .chain(identifier::cwes(&texts("xref").join(" ")))
            .collect(),
        cvss: severity::vector(&first([
            item.text_at("cvss4_vector"),
            item.text_at("cvss3_vector"),
            item.text_at("cvss_vector"),
        ])),
        score: ["cvss4_base_score", "cvss3_base_score", "cvss_base_score"]
            .iter()
            .find_map(|path| score(&item.text_at(path))),
        ids: identifier::published(&texts("cve").join(" ")),
        addresses: vec![Address {
            url: host_and_port(&name, item.attribute("port")),
            evidence: output,
            ..Address::default()
        }],
        references: links(&texts("see_also").join("\n")),
        found: tag("HOST_START"),
        tags: vec![item.attribute("pluginFamily").to_owned()],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn nessus_in_xml() {
        let report = br#"<NessusClientData_v2><Report name="r">
            <ReportHost name="192.0.2.1"><HostProperties><tag name="host-fqdn">a.example</tag><tag name="HOST_START">then</tag></HostProperties>
              <ReportItem port="443" protocol="tcp" severity="3" pluginID="42873" pluginName="SWEET32" pluginFamily="General">
                <synopsis>s</synopsis><description>d</description><solution>n/a</solution><plugin_output>o1</plugin_output><risk_factor>High</risk_factor>
                <cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector><cvss3_base_score>7.5</cvss3_base_score>
                <cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:P/I:N/A:N</cvss_vector><cve>CVE-2016-2183</cve><xref>CWE:327</xref><see_also>https://sweet32.info</see_also>
              </ReportItem></ReportHost>
            <ReportHost name="192.0.2.2"><ReportItem port="0" severity="3" pluginID="42873" pluginName="SWEET32"/></ReportHost>
            </Report></NessusClientData_v2>"#;
        let imported = read("r.nessus", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        let urls: Vec<&str> = finding.addresses.iter().map(|a| a.url.as_str()).collect();
        assert_eq!(urls, ["a.example:443", "192.0.2.2"]);
        assert_eq!((finding.severity, finding.score), (Some(Severity::High), Some(7.5)));
        assert_eq!(
            (finding.cwes.as_slice(), finding.ids[0].as_str(), finding.remedy.as_str()),
            ([327].as_slice(), "CVE-2016-2183", "")
        );
        assert!(finding.cvss.starts_with("CVSS:3.0/"));
    }
}
