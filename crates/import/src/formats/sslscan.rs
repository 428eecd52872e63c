//! sslscan 1.11 and 2: XML.

use super::{Format, Likeness};
use crate::shape::Element;
use crate::wording::host_and_port;
use crate::{Address, Report, Reported, Shape};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct SslScan;

impl Format for SslScan {
    fn name(&self) -> &'static str {
        "sslscan"
    }

    fn title(&self) -> &'static str {
        "sslscan"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.xml("document") else { return Likeness::No };
        match root.attribute("title").starts_with("SSLScan") || root.child("ssltest").is_some() {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.xml("document") else { return };
        report.tool("sslscan", root.attribute("version"));
        for test in root.all("ssltest") {
            let host = if test.attribute("sniname").is_empty() {
                test.attribute("host")
            } else {
                test.attribute("sniname")
            };
            let address = host_and_port(host, test.attribute("port"));
            for finding in weaknesses(test) {
                report.found(Reported {
                    addresses: vec![Address { url: address.clone(), ..Address::default() }],
                    ..finding
                });
            }
        }
    }
}

/// The tool gives no severities; those of CVE-2014-0160 and of weak ciphers are those of the NVD.
fn weaknesses(test: &Element) -> Vec<Reported> {
    let mut found = Vec::new();
    for one in test.all("heartbleed").filter(|h| h.attribute("vulnerable") == "1") {
        let version = one.attribute("sslversion");
        found.push(Reported {
            rule: "heartbleed".to_owned(),
            title: format!("Heartbleed over {version}"),
            description: format!(
                "The server answers heartbeats over {version} with what its memory holds, private keys among it."
            ),
            remedy: "Update OpenSSL, then replace the certificate's key and every secret that the server held."
                .to_owned(),
            severity: Some(Severity::High),
            score: Some(7.5),
            cwes: vec![125],
            ids: vec!["CVE-2014-0160".to_owned()],
            ..Reported::default()
        });
    }
    let accepted = test.all("cipher").filter(|c| matches!(c.attribute("status"), "accepted" | "preferred"));
    for cipher in accepted {
        let strength = cipher.attribute("strength");
        let severity = match strength {
            "strong" | "acceptable" | "" => continue,
            "null" | "anonymous" => Severity::High,
            _ => Severity::Medium,
        };
        let (name, version) = (cipher.attribute("cipher"), cipher.attribute("sslversion"));
        found.push(Reported {
            rule: format!("cipher-{strength}"),
            title: format!("The {strength} cipher {name} is accepted over {version}"),
            description: format!(
                "The server agrees to {name} ({} bits) over {version}.",
                cipher.attribute("bits")
            ),
            remedy: format!("Take {name} out of the server's list of ciphers."),
            severity: Some(severity),
            cwes: vec![327],
            ..Reported::default()
        });
    }
    for protocol in test.all("protocol").filter(|p| p.attribute("enabled") == "1") {
        let (kind, version) = (protocol.attribute("type"), protocol.attribute("version"));
        let severity = match (kind, version) {
            ("ssl", _) => Severity::High,
            ("tls", "1.0" | "1.1") => Severity::Medium,
            _ => continue,
        };
        let name = format!("{}v{version}", kind.to_ascii_uppercase());
        found.push(Reported {
            rule: "old-protocol".to_owned(),
            title: format!("{name} is offered"),
            description: format!("The server still speaks {name}, which has known weaknesses."),
            remedy: "Offer TLS 1.2 and 1.3 only.".to_owned(),
            severity: Some(severity),
            cwes: vec![327],
            ..Reported::default()
        });
    }
    let expired = test.below("expired").into_iter().find(|e| e.text.trim() == "true");
    if expired.is_some() {
        let until =
            test.below("not-valid-after").first().map(|e| e.text.trim().to_owned()).unwrap_or_default();
        found.push(Reported {
            rule: "certificate-expired".to_owned(),
            title: "The certificate has expired".to_owned(),
            description: format!("The certificate was valid until {until}."),
            remedy: "Renew the certificate, and have it renewed by itself.".to_owned(),
            severity: Some(Severity::Medium),
            cwes: vec![298],
            ..Reported::default()
        });
    }
    if test.child("compression").is_some_and(|c| c.attribute("supported") == "1") {
        found.push(Reported {
            rule: "compression".to_owned(),
            title: "TLS compression is on".to_owned(),
            description: "The length of compressed records gives away what is in them (CRIME).".to_owned(),
            remedy: "Switch TLS compression off.".to_owned(),
            severity: Some(Severity::Medium),
            ids: vec!["CVE-2012-4929".to_owned()],
            cwes: vec![310],
            ..Reported::default()
        });
    }
    found
}
