//! Qualys VMDR: reports of assets (XML and CSV), detections of the API (XML), scans (XML), and scans of web
//! applications (XML).

use std::collections::HashMap;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::markup::plain;
use crate::shape::Element;
use crate::wording::{first, host_and_port, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, Table, identifier, severity};
use wardroom_model::{Confidence, Severity};

/// The format.
#[derive(Debug)]
pub(super) struct Qualys;

const ROOTS: [&str; 5] =
    ["ASSET_DATA_REPORT", "HOST_LIST_VM_DETECTION_OUTPUT", "SCAN", "WAS_SCAN_REPORT", "WAS_WEBAPP_REPORT"];

impl Format for Qualys {
    fn name(&self) -> &'static str {
        "qualys"
    }

    fn title(&self) -> &'static str {
        "Qualys"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) if root.name == "SCAN" => {
                root.child("HEADER").is_some() || root.below("VULN").iter().any(|v| v.has_number())
            }
            Shape::Xml(root) => ROOTS.contains(&root.name.as_str()),
            Shape::Table(table) => rows(table).is_some(),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Xml(root) if root.name.starts_with("WAS_") => web(root, report),
            Shape::Xml(root) if root.name == "SCAN" => scan(root, report),
            Shape::Xml(root) => assets(root, report),
            Shape::Table(table) => {
                let later = table.beginning_at(&COLUMNS);
                let table = later.as_ref().unwrap_or(table);
                let mut groups = Groups::default();
                for row in 0..table.len() {
                    let finding = of_row(table, row);
                    if !finding.rule.is_empty() {
                        groups.put(finding.rule.clone(), finding);
                    }
                }
                groups.tell(report);
            }
            _ => {}
        }
    }
}

impl Element {
    /// Whether a check is named by its number, as scans of Qualys do.
    fn has_number(&self) -> bool {
        self.attribute("number").bytes().all(|b| b.is_ascii_digit()) && !self.attribute("number").is_empty()
    }
}

const COLUMNS: [&str; 3] = ["IP", "QID", "Title"];

/// Whether the table is one, at its head or after lines about itself.
fn rows(table: &Table) -> Option<()> {
    (table.has(&COLUMNS) || table.beginning_at(&COLUMNS).is_some()).then_some(())
}

/// Qualys' five levels.
fn level(text: &str) -> Option<Severity> {
    Some(match text.trim() {
        "5" => Severity::Critical,
        "4" => Severity::High,
        "3" => Severity::Medium,
        "2" => Severity::Low,
        "1" => Severity::Info,
        word => return severity::of_word(word),
    })
}

/// What kind of answer a check gives: `Vuln` is sure, `Practice` and `Potential` are guesses, `Ig` is information that was
/// gathered, whose level says how much a person would want to know it and not how bad it is.
fn kind(word: &str, level: Option<Severity>) -> (Option<Severity>, Option<Confidence>) {
    match word.trim().to_ascii_lowercase().as_str() {
        "ig" | "info" | "information gathered" => (Some(Severity::Info), None),
        "vuln" | "confirmed" | "vulnerability" => (level, Some(Confidence::High)),
        "practice" | "potential" | "potential vulnerability" => (level, Some(Confidence::Low)),
        _ => (level, None),
    }
}

fn standing(status: &str) -> Standing {
    match status.trim().to_ascii_lowercase().as_str() {
        "fixed" => Standing::Fixed,
        "ignored" | "disabled" => Standing::Accepted,
        _ => Standing::Open,
    }
}

/// `8.1 (AV:N/AC:H/…)`: a score and its vector.
fn score_and_vector(text: &str) -> (Option<f32>, String) {
    let (score, rest) = text.trim().split_once('(').unwrap_or((text, ""));
    let score = score.trim().parse().ok().filter(|s| (0.0..=10.0).contains(s));
    (score, rest.trim_end_matches(')').trim().to_owned())
}

/// The vector of a base and a temporal score.
fn vector(base: &str, temporal: &str) -> String {
    let (_, base) = score_and_vector(base);
    let (_, temporal) = score_and_vector(temporal);
    let whole = if temporal.is_empty() || base.is_empty() { base } else { format!("{base}/{temporal}") };
    severity::vector(&whole)
}

fn of_row(table: &Table, row: usize) -> Reported {
    let any = |columns: &[&str]| table.any(row, columns);
    let base = any(&["CVSS3 Base", "CVSS3.1 Base", "CVSSv3.1 Base (nvd)", "CVSSv3 Base"]);
    let temporal = any(&["CVSS3 Temporal", "CVSS3.1 Temporal", "CVSSv3.1 Temporal (nvd)"]);
    let older = any(&["CVSS Base", "CVSSv2 Base (nvd)"]);
    let threat = plain(any(&["Threat", "Description"]));
    let solution = any(&["Solution"]);
    let results = any(&["Results", "Result"]);
    let (severity, confidence) = kind(any(&["Type"]), level(any(&["Severity", "Severity Level"])));
    Reported {
        rule: any(&["QID"]).trim_start_matches("QID").trim().to_owned(),
        title: any(&["Title"]).to_owned(),
        description: paragraphs([
            threat.clone(),
            labelled("Impact", &plain(any(&["Impact"]))),
            labelled("Result", results),
        ]),
        remedy: plain(solution),
        severity,
        confidence,
        cvss: first([vector(base, temporal), vector(older, "")]),
        score: [any(&["CVSS3", "CVSS3.1"]), temporal, base, older]
            .iter()
            .find_map(|text| score_and_vector(text).0),
        cwes: identifier::cwes(any(&["CWE"])),
        ids: identifier::published(any(&["CVE ID", "CVE", "CVE-Description"])),
        addresses: vec![Address {
            url: host_and_port(any(&["FQDN", "DNS", "IP"]), any(&["Port"])),
            evidence: results.to_owned(),
            ..Address::default()
        }],
        references: links(&format!("{solution} {threat}")),
        standing: standing(any(&["Vuln Status", "Status"])),
        found: any(&["First Detected", "First Found"]).to_owned(),
        tags: vec![any(&["Category"]).to_owned()],
        ..Reported::default()
    }
}

/// What the glossary says of a check, made plain once: it is told again for every host.
#[derive(Default)]
struct Details {
    title: String,
    threat: String,
    impact: String,
    solution: String,
    severity: String,
    category: String,
    vector: String,
    score: Option<f32>,
    ids: Vec<String>,
    references: Vec<String>,
}

impl Details {
    fn of(check: &Element) -> Details {
        let text = |path: &str| check.text_at(path);
        let cves = check.below("CVE_ID");
        let solution = text("SOLUTION");
        let scores = [text("CVSS3_SCORE/CVSS3_BASE"), text("CVSS_SCORE/CVSS_BASE")];
        Details {
            title: text("TITLE"),
            threat: plain(&text("THREAT")),
            impact: plain(&text("IMPACT")),
            severity: text("SEVERITY"),
            category: text("CATEGORY"),
            vector: vector(&scores[0], &text("CVSS3_SCORE/CVSS3_TEMPORAL")),
            score: scores.iter().find_map(|text| score_and_vector(text).0),
            ids: identifier::published(&cves.iter().map(|c| c.text_at("ID")).collect::<Vec<_>>().join(" ")),
            references: links(&solution),
            solution: plain(&solution),
        }
    }
}

/// Hosts with what was found on them, and what the checks are in a glossary.
fn assets(root: &Element, report: &mut Report<'_>) {
    let glossary: HashMap<String, Details> =
        root.below("VULN_DETAILS").into_iter().map(|v| (v.text_at("QID"), Details::of(v))).collect();
    let nothing = Details::default();
    for host in root.below("HOST") {
        let name = first([
            host.text_at("FQDN"),
            host.text_at("DNS"),
            host.text_at("DNS_DATA/FQDN"),
            host.text_at("IP"),
        ]);
        let system = first([host.text_at("OPERATING_SYSTEM"), host.text_at("OS")]);
        for info in host.below("VULN_INFO").into_iter().chain(host.below("DETECTION")) {
            let id = info.text_at("QID");
            let details = glossary.get(&id).unwrap_or(&nothing);
            let result = first([info.text_at("RESULT"), info.text_at("RESULTS")]);
            let score = [info.text_at("CVSS3_FINAL"), info.text_at("CVSS_FINAL")];
            let number = level(&first([info.text_at("SEVERITY"), details.severity.clone()]));
            let (severity, confidence) = kind(&info.text_at("TYPE"), number);
            report.found(Reported {
                title: first([details.title.clone(), format!("QID {id}")]),
                description: paragraphs([
                    details.threat.clone(),
                    labelled("Impact", &details.impact),
                    labelled("Result", &result),
                    labelled("Operating system", &system),
                ]),
                remedy: details.solution.clone(),
                severity,
                confidence,
                cvss: details.vector.clone(),
                score: score.iter().find_map(|text| score_and_vector(text).0).or(details.score),
                ids: details.ids.clone(),
                addresses: vec![Address {
                    url: host_and_port(&name, &info.text_at("PORT")),
                    evidence: result,
                    ..Address::default()
                }],
                references: details.references.clone(),
                standing: standing(&first([info.text_at("VULN_STATUS"), info.text_at("STATUS")])),
                found: first([info.text_at("FIRST_FOUND"), info.text_at("FIRST_FOUND_DATETIME")]),
                tags: vec![details.category.clone()],
                rule: id,
                ..Reported::default()
            });
        }
    }
}

/// The older report of one scan: addresses, categories, checks.
fn scan(root: &Element, report: &mut Report<'_>) {
    for host in root.all("IP") {
        let name = first([host.attribute("name").to_owned(), host.attribute("value").to_owned()]);
        let kinds = [("VULNS", "VULN"), ("PRACTICES", "PRACTICE"), ("INFOS", "INFO")];
        for (group, kind) in kinds {
            for category in host.all(group).flat_map(|g| g.all("CAT")) {
                for one in category.all(kind) {
                    let result = one.text_at("RESULT");
                    let ids = format!(
                        "{} {}",
                        one.attribute("cveid"),
                        one.below("CVE_ID").iter().map(|c| c.text_at("ID")).collect::<Vec<_>>().join(" ")
                    );
                    report.found(Reported {
                        rule: one.attribute("number").to_owned(),
                        title: one.text_at("TITLE"),
                        description: paragraphs([
                            plain(&one.text_at("DIAGNOSIS")),
                            labelled("Impact", &plain(&one.text_at("CONSEQUENCE"))),
                            labelled("Result", &result),
                        ]),
                        remedy: plain(&one.text_at("SOLUTION")),
                        severity: if kind == "INFO" {
                            Some(Severity::Info)
                        } else {
                            level(one.attribute("severity"))
                        },
                        score: score_and_vector(&first([
                            one.text_at("CVSS3_BASE"),
                            one.text_at("CVSS_BASE"),
                        ]))
                        .0,
                        ids: identifier::published(&ids),
                        addresses: vec![Address {
                            url: host_and_port(&name, category.attribute("port")),
                            evidence: result,
                            ..Address::default()
                        }],
                        tags: vec![category.attribute("value").to_owned()],
                        ..Reported::default()
                    });
                }
            }
        }
    }
}

/// Scans of web applications: what was found where, and a glossary.
fn web(root: &Element, report: &mut Report<'_>) {
    let glossary: HashMap<String, &Element> = root
        .below("QID")
        .into_iter()
        .filter(|q| q.child("TITLE").is_some())
        .map(|q| (q.text_at("QID"), q))
        .collect();
    let nothing = Element::default();
    for kind in ["VULNERABILITY", "INFORMATION_GATHERED", "SENSITIVE_CONTENT"] {
        for one in root.below(kind) {
            let id = one.text_at("QID");
            let details = glossary.get(&id).copied().unwrap_or(&nothing);
            let payload = one.below("PAYLOAD").into_iter().next().unwrap_or(&nothing);
            report.found(Reported {
                title: first([details.text_at("TITLE"), one.text_at("TITLE"), format!("QID {id}")]),
                description: paragraphs([
                    plain(&details.text_at("DESCRIPTION")),
                    labelled("Impact", &plain(&details.text_at("IMPACT"))),
                ]),
                remedy: plain(&details.text_at("SOLUTION")),
                severity: level(&first([details.text_at("SEVERITY"), one.text_at("SEVERITY")])),
                cwes: identifier::cwes(&details.text_at("CWE")),
                score: score_and_vector(&first([
                    details.text_at("CVSS_V3/BASE"),
                    details.text_at("CVSS_BASE"),
                ]))
                .0,
                tool_id: first([one.text_at("UNIQUE_ID"), one.text_at("ID")]),
                addresses: vec![Address {
                    url: one.text_at("URL"),
                    method: payload.text_at("REQUEST/METHOD"),
                    parameter: one.text_at("PARAM"),
                    attack: payload.text_at("PAYLOAD"),
                    evidence: String::new(),
                    request: payload.text_at("REQUEST/URL"),
                    response: payload.text_at("RESPONSE/CONTENTS"),
                }],
                standing: standing(&one.text_at("STATUS")),
                found: one.text_at("FIRST_TIME_DETECTED"),
                rule: id,
                ..Reported::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn assets_with_a_glossary() {
        let report = br#"<ASSET_DATA_REPORT><HOST_LIST><HOST><IP>192.0.2.1</IP><DNS>a.example</DNS><OPERATING_SYSTEM>Linux</OPERATING_SYSTEM>
            <VULN_INFO_LIST><VULN_INFO><QID id="qid_38170">38170</QID><TYPE>Vuln</TYPE><PORT>443</PORT><RESULT>cert</RESULT><FIRST_FOUND>then</FIRST_FOUND>
            <VULN_STATUS>Fixed</VULN_STATUS></VULN_INFO></VULN_INFO_LIST></HOST></HOST_LIST>
            <GLOSSARY><VULN_DETAILS_LIST><VULN_DETAILS id="qid_38170"><QID id="qid_38170">38170</QID><TITLE>SSL name</TITLE><SEVERITY>2</SEVERITY>
            <THREAT>t<P>u</THREAT><IMPACT>i</IMPACT><SOLUTION>See https://s.example/</SOLUTION><CVE_ID_LIST><CVE_ID><ID>CVE-2020-0001</ID></CVE_ID></CVE_ID_LIST>
            </VULN_DETAILS></VULN_DETAILS_LIST></GLOSSARY></ASSET_DATA_REPORT>"#;
        // HTML in CDATA in real reports; a lone `<P>` would end the document early.
        let report = String::from_utf8_lossy(report).replace("t<P>u", "<![CDATA[t<P>u]]>");
        let imported = read("q.xml", report.as_bytes(), None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("38170", "SSL name"));
        assert_eq!((finding.severity, finding.standing), (Some(Severity::Low), Standing::Fixed));
        assert_eq!(
            (finding.addresses[0].url.as_str(), finding.ids[0].as_str()),
            ("a.example:443", "CVE-2020-0001")
        );
        assert!(finding.description.starts_with("t\n\nu"));
        let gathered = report.replace("<TYPE>Vuln</TYPE>", "<TYPE>Ig</TYPE>");
        let finding = &read("q.xml", gathered.as_bytes(), None).unwrap().findings[0];
        assert_eq!(finding.severity, Some(Severity::Info));
    }

    #[test]
    fn scans_detections_and_web_applications() {
        let scan = br#"<SCAN value="s"><HEADER/><IP value="192.0.2.1" name="a.example"><VULNS><CAT value="Web" port="80">
            <VULN number="86000" severity="4" cveid="CVE-2020-0002"><TITLE>Old server</TITLE><DIAGNOSIS>d</DIAGNOSIS></VULN></CAT></VULNS>
            <INFOS><CAT value="Info"><INFO number="6" severity="5"><TITLE>Name</TITLE></INFO></CAT></INFOS></IP></SCAN>"#;
        let imported = read("q.xml", scan, None).unwrap();
        let told: Vec<_> = imported.findings.iter().map(|f| (f.rule.as_str(), f.severity)).collect();
        assert_eq!(told, [("86000", Some(Severity::High)), ("6", Some(Severity::Info))]);
        let detections = br#"<HOST_LIST_VM_DETECTION_OUTPUT><RESPONSE><HOST_LIST><HOST><IP>192.0.2.1</IP><DETECTION_LIST><DETECTION>
            <QID>105971</QID><SEVERITY>5</SEVERITY><STATUS>Active</STATUS><RESULTS>r</RESULTS></DETECTION></DETECTION_LIST></HOST></HOST_LIST></RESPONSE></HOST_LIST_VM_DETECTION_OUTPUT>"#;
        let finding = &read("q.xml", detections, None).unwrap().findings[0];
        assert_eq!((finding.title.as_str(), finding.severity), ("QID 105971", Some(Severity::Critical)));
        let web = br#"<WAS_SCAN_REPORT><RESULTS><VULNERABILITY_LIST><VULNERABILITY><UNIQUE_ID>u</UNIQUE_ID><QID>150001</QID><URL>https://a.example/?q=1</URL>
            <PARAM>q</PARAM></VULNERABILITY></VULNERABILITY_LIST></RESULTS><GLOSSARY><QID_LIST><QID><QID>150001</QID><TITLE>XSS</TITLE><SEVERITY>5</SEVERITY>
            <CWE>CWE-79</CWE></QID></QID_LIST></GLOSSARY></WAS_SCAN_REPORT>"#;
        let finding = &read("q.xml", web, None).unwrap().findings[0];
        assert_eq!((finding.title.as_str(), finding.cwes.as_slice()), ("XSS", [79].as_slice()));
        assert_eq!(finding.addresses[0].parameter, "q");
    }

    #[test]
    fn a_table_after_lines_about_itself() {
        let report = b"Report,Company,When,By,Pages\nAll,Ours,today,me,1\n\nIP,DNS,QID,Title,Severity\n192.0.2.1,a.example,105971,Old,5\n";
        let imported = read("q.csv", report, None).unwrap();
        assert_eq!((imported.format, imported.findings.len()), ("qualys", 1));
        assert_eq!(imported.findings[0].addresses[0].url, "a.example");
    }
}
