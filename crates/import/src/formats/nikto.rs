//! Nikto 2.1 to 2.5: JSON, XML and CSV.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Json as _;
use crate::wording::{first, host_and_port, joined, labelled, links};
use crate::{Address, Report, Reported, Shape, identifier};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Nikto;

impl Format for Nikto {
    fn name(&self) -> &'static str {
        "nikto"
    }

    fn title(&self) -> &'static str {
        "Nikto"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => matches!(root.name.as_str(), "niktoscan" | "niktoscans"),
            Shape::Json(_) | Shape::Lines(_) => hosts(shape).first().is_some_and(|host| {
                let first = host.list("vulnerabilities").first();
                host.has("host")
                    && host.has("port")
                    && host.has("banner")
                    && first.is_none_or(|v| v.has("msg") && (v.has("id") || v.has("OSVDB")))
            }),
            Shape::Text(text) => begins_like_csv(text),
            Shape::Table(table) => table.columns().next().is_some_and(|c| c.starts_with("Nikto - v")),
            Shape::Archive(_) => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        let mut put = |item: Item| {
            let finding = item.reported();
            let key = format!("{} {} {:?}", finding.rule, finding.title, finding.severity);
            groups.put(key, finding);
        };
        match shape {
            Shape::Xml(root) => {
                let scans: Vec<_> = std::iter::once(root).chain(root.below("niktoscan")).collect();
                let version = scans.iter().map(|s| s.attribute("version")).find(|v| !v.is_empty());
                report.tool("Nikto", version.unwrap_or_default());
                for details in root.below("scandetails") {
                    for item in details.all("item") {
                        let link = first([item.text_at("namelink"), item.text_at("iplink")]);
                        let url = joined(details.attribute("sitename"), &item.text_at("uri"));
                        put(Item {
                            id: item.attribute("id").to_owned(),
                            osvdb: item.attribute("osvdbid").to_owned(),
                            method: item.attribute("method").to_owned(),
                            url: if link.contains("://") { link } else { url },
                            message: item.text_at("description"),
                            references: first([
                                item.text_at("references"),
                                item.attribute("references").to_owned(),
                            ]),
                        });
                    }
                }
            }
            Shape::Json(_) | Shape::Lines(_) => {
                for host in hosts(shape) {
                    let base = base(&host.text("host"), &host.text("port"));
                    for one in host.list("vulnerabilities") {
                        put(Item {
                            id: one.text("id"),
                            osvdb: first([one.text("OSVDB"), one.text("osvdb")]),
                            method: one.text("method"),
                            url: joined(&base, &one.text("url")),
                            message: one.text("msg"),
                            references: one.text("references"),
                        });
                    }
                }
            }
            Shape::Text(text) => {
                let mut reader =
                    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
                for (at, row) in reader.records().enumerate() {
                    let Ok(row) = row else {
                        report.problem(&format!("row {}", at + 1), "it could not be read");
                        continue;
                    };
                    let cell = |n: usize| row.get(n).unwrap_or_default().trim().to_owned();
                    // The version stands in the first row, and newer ones have a header.
                    if let Some(version) = cell(0).strip_prefix("Nikto - v") {
                        report.tool("Nikto", version.split('/').next().unwrap_or_default());
                    }
                    if row.len() < 7 || cell(0).eq_ignore_ascii_case("host") {
                        continue;
                    }
                    put(Item {
                        id: String::new(),
                        osvdb: cell(3).trim_start_matches("OSVDB-").to_owned(),
                        method: cell(4),
                        url: joined(&base(&cell(0), &cell(2)), &cell(5)),
                        message: cell(6),
                        references: cell(3),
                    });
                }
            }
            Shape::Table(_) | Shape::Archive(_) => {}
        }
        groups.tell(report);
    }
}

fn begins_like_csv(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with("\"Nikto - v") || start.starts_with("Nikto - v")
}

/// One host an object; old versions wrote one object, new ones a list.
fn hosts(shape: &Shape) -> &[Value] {
    shape.values()
}

/// The address of a host, by the port that says how it is spoken to.
fn base(host: &str, port: &str) -> String {
    match port {
        "443" => format!("https://{host}"),
        "80" => format!("http://{host}"),
        _ => format!("http://{}", host_and_port(host, port)),
    }
}

/// A line of the report.
struct Item {
    id: String,
    osvdb: String,
    method: String,
    url: String,
    message: String,
    references: String,
}

impl Item {
    fn reported(self) -> Reported {
        // A number of the former open vulnerability database says that somebody published it as a weakness.
        let published = self.osvdb.parse::<u64>().is_ok_and(|n| n > 0);
        let text = self.message.trim().trim_start_matches([':', ' ']).to_owned();
        Reported {
            rule: self.id,
            title: text.clone(),
            description: [text, if published { labelled("OSVDB", &self.osvdb) } else { String::new() }]
                .join("\n\n")
                .trim()
                .to_owned(),
            severity: Some(if published { Severity::Medium } else { Severity::Info }),
            cwes: identifier::cwes(&self.references),
            ids: identifier::published(&format!("{} {}", self.message, self.references)),
            addresses: vec![Address { url: self.url, method: self.method, ..Address::default() }],
            references: links(&self.references),
            ..Reported::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn csv_of_two_versions() {
        let older = b"\"Nikto - v2.1.5/2.1.5\"\n\"a.example\",\"192.0.2.1\",\"443\",\"OSVDB-3092\",\"GET\",\"/admin/\",\"This might be interesting...\"\n";
        let newer = b"\"Nikto - v2.5.0/\"\n\"host\",\"ip\",\"port\",\"ref\",\"method\",\"uri\",\"message\"\n\"a.example\",\"192.0.2.1\",\"443\",\"https://r.example/\",\"GET\",\"/admin/\",\"See CVE-2020-0001\"\n";
        let imported = read("n.csv", older, None).unwrap();
        assert_eq!((imported.tool_version.as_str(), imported.findings.len()), ("2.1.5", 1));
        assert_eq!(imported.findings[0].severity, Some(Severity::Medium));
        assert_eq!(imported.findings[0].addresses[0].url, "https://a.example/admin/");
        let imported = read("n.csv", newer, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((finding.severity, finding.ids[0].as_str()), (Some(Severity::Info), "CVE-2020-0001"));
        assert_eq!(finding.references, ["https://r.example/"]);
    }
}
