//! Nmap's XML (`-oX`): open ports, and weaknesses that the scripts `vulners` and `vuln` name.

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Element;
use crate::wording::{first, host_and_port, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, identifier, severity};
use wardroom_model::{Package, Severity};

/// The format.
#[derive(Debug)]
pub(super) struct Nmap;

impl Format for Nmap {
    fn name(&self) -> &'static str {
        "nmap"
    }

    fn title(&self) -> &'static str {
        "Nmap"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.xml("nmaprun").is_some() { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.xml("nmaprun") else { return };
        report.tool(root.attribute("scanner"), root.attribute("version"));
        let mut groups = Groups::default();
        for host in root.all("host") {
            let name = name_of(host);
            let system = host.below("osmatch").first().map(|o| o.attribute("name").to_owned());
            for port in host.all("ports").flat_map(|p| p.all("port")) {
                let state = port.child("state").map_or("", |s| s.attribute("state"));
                if state == "open" {
                    let found = open_port(port, &name, system.as_deref().unwrap_or_default());
                    groups.put(
                        found.rule.clone(),
                        Reported { found: root.attribute("startstr").to_owned(), ..found },
                    );
                }
                for script in port.all("script") {
                    weaknesses(script, port, &name, &mut groups);
                }
            }
            for script in host.all("hostscript").flat_map(|h| h.all("script")) {
                weaknesses(script, host, &name, &mut groups);
            }
        }
        groups.tell(report);
    }
}

/// The name that was asked for, any other name, the address.
fn name_of(host: &Element) -> String {
    let names = host.child("hostnames").map(|h| h.all("hostname").collect::<Vec<_>>()).unwrap_or_default();
    let asked = names.iter().find(|n| n.attribute("type") == "user").or(names.first());
    let address = host.all("address").find(|a| a.attribute("addrtype") != "mac");
    first([
        asked.map(|n| n.attribute("name").to_owned()).unwrap_or_default(),
        address.map(|a| a.attribute("addr").to_owned()).unwrap_or_default(),
    ])
}

/// Product and version of a service, as far as they were told.
fn product(port: &Element) -> Option<Package> {
    let service = port.child("service")?;
    let name = service.attribute("product").to_owned();
    let version = service.attribute("version").to_owned();
    (!name.is_empty()).then(|| Package { name, version, purl: String::new() })
}

/// Product and version of a name of the platform enumeration: `cpe:/a:apache:http_server:2.4.7`, `cpe:2.3:a:…`.
fn of_cpe(name: &str) -> Option<Package> {
    let rest = name.strip_prefix("cpe:2.3:").or_else(|| name.strip_prefix("cpe:/"))?;
    let mut parts = rest.split(':').skip(2);
    let product = parts.next().filter(|p| !p.is_empty())?.to_owned();
    let version = parts.next().filter(|v| *v != "*" && *v != "-").unwrap_or_default().to_owned();
    Some(Package { name: product, version, purl: String::new() })
}

fn open_port(port: &Element, host: &str, system: &str) -> Reported {
    let (number, protocol) = (port.attribute("portid"), port.attribute("protocol"));
    let service = port.child("service");
    let told = |name: &str| service.map_or("", |s| s.attribute(name)).to_owned();
    let words = [told("name"), told("product"), told("version"), told("extrainfo")];
    let words: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
    let scripts: Vec<String> = port
        .all("script")
        .filter(|s| !s.attribute("output").is_empty())
        .map(|s| labelled(s.attribute("id"), s.attribute("output")))
        .collect();
    Reported {
        rule: format!("{number}/{protocol}"),
        title: format!("Open port: {number}/{protocol}"),
        description: paragraphs([
            format!("Port {number}/{protocol} is open."),
            labelled("Service", &words.join(" ")),
            labelled("Operating system", system),
            scripts.join("\n\n"),
        ]),
        severity: Some(Severity::Info),
        addresses: vec![Address { url: host_and_port(host, number), ..Address::default() }],
        ..Reported::default()
    }
}

/// What the scripts that know weaknesses say: `vulners` gives a list by product, those of the library `vulns` a
/// table each.
fn weaknesses(script: &Element, port: &Element, host: &str, groups: &mut Groups) {
    let address = Address { url: host_and_port(host, port.attribute("portid")), ..Address::default() };
    for (key, table) in script.all("table").map(|t| (t.attribute("key"), t)) {
        let value = |name: &str| {
            let element = table.all("elem").find(|e| e.attribute("key") == name);
            element.map(|e| e.text.trim().to_owned()).unwrap_or_default()
        };
        if script.attribute("id") == "vulners" {
            for entry in table.all("table") {
                let value = |name: &str| {
                    let element = entry.all("elem").find(|e| e.attribute("key") == name);
                    element.map(|e| e.text.trim().to_owned()).unwrap_or_default()
                };
                let id = value("id");
                let score = value("cvss").parse().ok().filter(|s| (0.0..=10.0).contains(s));
                let exploit = value("is_exploit") == "true";
                let finding = Reported {
                    rule: id.clone(),
                    title: id.clone(),
                    description: paragraphs([
                        format!("{id} is known for {key}."),
                        if exploit {
                            "It is an exploit that was published.".to_owned()
                        } else {
                            String::new()
                        },
                    ]),
                    score,
                    ids: identifier::published(&id),
                    package: of_cpe(key).or_else(|| product(port)),
                    references: vec![format!("https://vulners.com/{}/{id}", value("type"))],
                    addresses: vec![address.clone()],
                    ..Reported::default()
                };
                groups.put(format!("vulners {id} {key}"), finding);
            }
            continue;
        }
        let state = value("state");
        if !state.to_ascii_uppercase().contains("VULNERABLE") || state.to_ascii_uppercase().starts_with("NOT")
        {
            continue;
        }
        let texts: Vec<String> =
            table.below("elem").iter().map(|e| e.text.trim().to_owned()).filter(|t| !t.is_empty()).collect();
        let all = format!("{key} {}", texts.join("\n"));
        let risk = table.below("table").into_iter().find(|t| t.attribute("key") == "scores");
        let score = risk
            .and_then(|r| r.children.first())
            .and_then(|e| e.text.split_whitespace().next().and_then(|s| s.parse::<f32>().ok()));
        groups.put(
            format!("{} {key} {host}", script.attribute("id")),
            Reported {
                rule: script.attribute("id").to_owned(),
                title: first([value("title"), script.attribute("id").to_owned()]),
                description: paragraphs([script.attribute("output").trim().to_owned()]),
                severity: score.map(severity::of_score).or(Some(Severity::Medium)),
                score,
                ids: identifier::published(&all),
                package: product(port),
                references: links(&all),
                addresses: vec![address.clone()],
                ..Reported::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn weaknesses_that_scripts_name() {
        let report = br#"<nmaprun scanner="nmap" version="7.94"><host><address addr="192.0.2.1" addrtype="ipv4"/><ports>
            <port protocol="tcp" portid="80"><state state="open"/><service name="http" product="Apache httpd" version="2.4.7"/>
            <script id="vulners" output=""><table key="cpe:/a:apache:http_server:2.4.7">
              <table><elem key="id">CVE-2021-26691</elem><elem key="cvss">9.8</elem><elem key="type">cve</elem><elem key="is_exploit">false</elem></table>
              <table><elem key="id">EDB-ID:42745</elem><elem key="cvss">5.0</elem><elem key="type">exploitdb</elem><elem key="is_exploit">true</elem></table>
            </table></script>
            <script id="http-slowloris-check" output="VULNERABLE: Slowloris"><table key="CVE-2007-6750"><elem key="title">Slowloris</elem><elem key="state">LIKELY VULNERABLE</elem></table></script>
            <script id="http-iis" output=""><table key="CVE-2017-7269"><elem key="state">NOT VULNERABLE</elem></table></script>
            </port></ports></host></nmaprun>"#;
        let imported = read("n.xml", report, None).unwrap();
        let told: Vec<(&str, Option<Severity>)> =
            imported.findings.iter().map(|f| (f.title.as_str(), f.severity)).collect();
        assert_eq!(
            told,
            [
                ("Open port: 80/tcp", Some(Severity::Info)),
                ("CVE-2021-26691", Some(Severity::Critical)),
                ("EDB-ID:42745", Some(Severity::Medium)),
                ("Slowloris", Some(Severity::Medium)),
            ]
        );
        let package = imported.findings[1].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str()), ("http_server", "2.4.7"));
        assert_eq!(imported.findings[3].ids, ["CVE-2007-6750"]);
    }
}
