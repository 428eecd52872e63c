//! SSLyze: JSON of 2 to 6, XML of 1.x.

use serde_json::Value;

use super::{Format, Likeness};
use crate::shape::{Element, Json as _};
use crate::wording::{first, host_and_port};
use crate::{Address, Report, Reported, Shape};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Sslyze;

impl Format for Sslyze {
    fn name(&self) -> &'static str {
        "sslyze"
    }

    fn title(&self) -> &'static str {
        "SSLyze"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.xml("document").is_some_and(|r| !r.attribute("SSLyzeVersion").is_empty()) {
            return Likeness::Sure;
        }
        let Some(json) = shape.json() else { return Likeness::No };
        let results = json.has("server_scan_results") || json.has("accepted_targets");
        match results && (json.has("sslyze_version") || json.has("sslyze_url")) {
            true => Likeness::Sure,
            false if results => Likeness::Maybe,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(root) = shape.xml("document") {
            report.tool("SSLyze", root.attribute("SSLyzeVersion"));
            for target in root.below("target") {
                let host = first([target.attribute("host").to_owned(), target.attribute("ip").to_owned()]);
                let address = host_and_port(&host, target.attribute("port"));
                of_element(target).into_iter().for_each(|found| report.found(at(&address, found)));
            }
        }
        let Some(json) = shape.json() else { return };
        report.tool("SSLyze", &json.text("sslyze_version"));
        for target in json.list("server_scan_results").iter().chain(json.list("accepted_targets")) {
            let location = ["server_info.server_location", "server_location", "server_info"]
                .iter()
                .find_map(|path| target.at(path).filter(|l| l.has("hostname")))
                .unwrap_or(&Value::Null);
            let host = first([location.text("hostname"), location.text("ip_address")]);
            let address = host_and_port(&host, &location.text("port"));
            let results = ["scan_commands_results", "scan_result", "commands_results"]
                .iter()
                .find_map(|path| target.at(path).filter(|r| r.is_object()));
            match results {
                Some(results) => {
                    of_value(results).into_iter().for_each(|found| report.found(at(&address, found)));
                }
                None => report.problem(&address, "there are no results for this server"),
            }
        }
    }
}

fn at(address: &str, found: Reported) -> Reported {
    Reported { addresses: vec![Address { url: address.to_owned(), ..Address::default() }], ..found }
}

/// The protocols, by the names that JSON and XML give them, and whether they are too old.
const PROTOCOLS: [(&str, &str, &str, Option<Severity>); 6] = [
    ("ssl_2_0", "sslv2", "SSL 2.0", Some(Severity::High)),
    ("ssl_3_0", "sslv3", "SSL 3.0", Some(Severity::High)),
    ("tls_1_0", "tlsv1", "TLS 1.0", Some(Severity::Medium)),
    ("tls_1_1", "tlsv1_1", "TLS 1.1", Some(Severity::Medium)),
    ("tls_1_2", "tlsv1_2", "TLS 1.2", None),
    ("tls_1_3", "tlsv1_3", "TLS 1.3", None),
];

/// Whether a cipher suite is broken or keeps nothing secret.
fn broken(suite: &str) -> bool {
    ["NULL", "EXPORT", "_anon_", "_ANON_", "RC4", "RC2", "_DES_", "_3DES_", "_DES40_", "IDEA", "_MD5"]
        .iter()
        .any(|part| suite.contains(part))
}

/// One finding for a protocol that is too old, or for the broken suites of one that is not.
fn protocol(name: &str, old: Option<Severity>, suites: &[String]) -> Option<Reported> {
    if suites.is_empty() {
        return None;
    }
    let list = |suites: &[&String]| suites.iter().map(|s| format!("- {s}")).collect::<Vec<_>>().join("\n");
    if let Some(severity) = old {
        return Some(Reported {
            rule: "old-protocol".to_owned(),
            title: format!("{name} is offered"),
            description: format!(
                "The server still speaks {name}, which has known weaknesses. It accepts:\n\n{}",
                list(&suites.iter().collect::<Vec<_>>())
            ),
            remedy: "Offer TLS 1.2 and 1.3 only.".to_owned(),
            severity: Some(severity),
            cwes: vec![327],
            ..Reported::default()
        });
    }
    let weak: Vec<&String> = suites.iter().filter(|s| broken(s)).collect();
    (!weak.is_empty()).then(|| Reported {
        rule: "weak-ciphers".to_owned(),
        title: format!("Weak ciphers are accepted over {name}"),
        description: format!("The server agrees to these over {name}:\n\n{}", list(&weak)),
        remedy: "Take them out of the server's list of ciphers.".to_owned(),
        severity: Some(Severity::Medium),
        cwes: vec![327],
        ..Reported::default()
    })
}

/// A weakness with a name of its own; the scores of those that have a CVE are those of the NVD.
fn known(kind: &str) -> Reported {
    let (title, description, remedy, severity, score, cve, cwe) = match kind {
        "heartbleed" => (
            "Heartbleed",
            "The server answers heartbeats with what its memory holds, private keys among it.",
            "Update OpenSSL, then replace the certificate's key and every secret that the server held.",
            Severity::High,
            Some(7.5),
            "CVE-2014-0160",
            125,
        ),
        "openssl-ccs-injection" => (
            "OpenSSL CCS injection",
            "Somebody between client and server can make them agree on keys that are known to him.",
            "Update OpenSSL.",
            Severity::High,
            Some(7.4),
            "CVE-2014-0224",
            326,
        ),
        "robot" => (
            "ROBOT",
            "The server tells whether the padding of RSA was right, which is enough to decrypt what was recorded.",
            "Switch off cipher suites that encrypt with RSA.",
            Severity::High,
            None,
            "",
            203,
        ),
        "renegotiation" => (
            "Renegotiation is not safe",
            "Clients may renegotiate a connection, or the server renegotiates without RFC 5746.",
            "Switch renegotiation off, or update the TLS library.",
            Severity::Medium,
            None,
            "",
            310,
        ),
        "compression" => (
            "TLS compression is on",
            "The length of compressed records gives away what is in them (CRIME).",
            "Switch TLS compression off.",
            Severity::Medium,
            None,
            "CVE-2012-4929",
            310,
        ),
        "fallback" => (
            "Downgrades are not noticed",
            "The server does not know TLS_FALLBACK_SCSV, so clients can be brought to older protocols.",
            "Update the TLS library, or offer no old protocol.",
            Severity::Medium,
            None,
            "",
            757,
        ),
        "certificate-name" => (
            "The certificate is for another name",
            "The certificate that the server presents does not hold the name that was asked for.",
            "Install a certificate that holds this name.",
            Severity::Medium,
            None,
            "",
            297,
        ),
        _ => (
            "The certificate is not trusted",
            "No complete chain leads from the certificate to a root that clients trust.",
            "Install a certificate of a trusted authority, with its intermediate certificates.",
            Severity::Medium,
            None,
            "",
            295,
        ),
    };
    Reported {
        rule: kind.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        remedy: remedy.to_owned(),
        severity: Some(severity),
        score,
        ids: vec![cve.to_owned()],
        cwes: vec![cwe],
        ..Reported::default()
    }
}

fn of_value(results: &Value) -> Vec<Reported> {
    // From version 5 on what was found stands under `result`.
    let result = |name: &str| {
        let value = results.at(name)?;
        Some(value.at("result").filter(|r| r.is_object()).unwrap_or(value))
    };
    let truth = |name: &str, key: &str| result(name).and_then(|r| r.at(key)).and_then(Value::as_bool);
    let mut found = Vec::new();
    let mut find = |is: bool, kind: &str| {
        if is {
            found.push(known(kind));
        }
    };
    find(truth("heartbleed", "is_vulnerable_to_heartbleed") == Some(true), "heartbleed");
    let ccs = truth("openssl_ccs_injection", "is_vulnerable_to_ccs_injection")
        .or_else(|| truth("openssl_ccs", "is_vulnerable_to_ccs_injection"));
    find(ccs == Some(true), "openssl-ccs-injection");
    let robot = result("robot").map(|r| first([r.text("robot_result"), r.text("robot_result_enum")]));
    find(robot.is_some_and(|r| r.starts_with("VULNERABLE")), "robot");
    let renegotiation = ["session_renegotiation", "reneg"].iter().any(|name| {
        truth(name, "supports_secure_renegotiation") == Some(false)
            || ["accepts_client_renegotiation", "is_vulnerable_to_client_renegotiation_dos"]
                .iter()
                .any(|key| truth(name, key) == Some(true))
    });
    find(renegotiation, "renegotiation");
    let compression = truth("tls_compression", "supports_compression")
        .or_else(|| results.at("compression.compression_name").map(|name| !name.is_null()));
    find(compression == Some(true), "compression");
    let fallback = truth("tls_fallback_scsv", "supports_fallback_scsv")
        .or_else(|| truth("fallback", "supports_fallback_scsv"));
    find(fallback == Some(false), "fallback");
    if let Some(info) = result("certificate_info") {
        let deployments = info.list("certificate_deployments");
        let named = |d: &Value| {
            d.at("leaf_certificate_subject_matches_hostname").and_then(Value::as_bool) != Some(false)
        };
        find(!deployments.iter().all(named), "certificate-name");
        let trusted = |d: &Value| {
            let paths = d.list("path_validation_results");
            let valid = |p: &Value| match p.at("was_validation_successful").and_then(Value::as_bool) {
                Some(valid) => valid,
                None => !p.list("verified_certificate_chain").is_empty(),
            };
            paths.is_empty() || paths.iter().any(valid)
        };
        find(!deployments.iter().all(trusted), "certificate-trust");
    }
    for (key, short, name, old) in PROTOCOLS {
        let accepted = result(&format!("{key}_cipher_suites")).or_else(|| result(short));
        let suites: Vec<String> = accepted
            .into_iter()
            .flat_map(|a| a.list("accepted_cipher_suites").iter().chain(a.list("accepted_cipher_list")))
            .map(|s| first([s.text("cipher_suite.name"), s.text("name"), s.text("openssl_name")]))
            .collect();
        found.extend(protocol(name, old, &suites));
    }
    found
}

fn of_element(target: &Element) -> Vec<Reported> {
    let says = |path: &str, attribute: &str| {
        target.at(path).map_or("", |e| e.attribute(attribute)).to_ascii_lowercase()
    };
    let mut found = Vec::new();
    let mut find = |is: bool, kind: &str| {
        if is {
            found.push(known(kind));
        }
    };
    find(says("heartbleed/openSslHeartbleed", "isVulnerable") == "true", "heartbleed");
    find(says("openssl_ccs/openSslCcsInjection", "isVulnerable") == "true", "openssl-ccs-injection");
    find(says("robot/robotAttack", "resultEnum").starts_with("vulnerable"), "robot");
    let insecure = says("reneg/sessionRenegotiation", "isSecure") == "false";
    find(insecure || says("reneg/sessionRenegotiation", "canBeClientInitiated") == "true", "renegotiation");
    find(says("compression/compressionMethod", "isSupported") == "true", "compression");
    find(says("fallback/tlsFallbackScsv", "isSupported") == "false", "fallback");
    let validation = target.at("certinfo/certificateValidation");
    let mismatch =
        says("certinfo/certificateValidation/hostnameValidation", "certificateMatchesServerHostname")
            == "false";
    find(mismatch, "certificate-name");
    let mut paths = validation.map(|v| v.all("pathValidation").collect::<Vec<_>>()).unwrap_or_default();
    let stores = paths.len();
    paths.retain(|p| p.attribute("validationResult").eq_ignore_ascii_case("ok"));
    find(stores > 0 && paths.is_empty(), "certificate-trust");
    for (_, short, name, old) in PROTOCOLS {
        let suites: Vec<String> = target
            .at(short)
            .into_iter()
            .flat_map(|p| p.all("acceptedCipherSuites"))
            .flat_map(|a| a.all("cipherSuite"))
            .map(|c| c.attribute("name").to_owned())
            .collect();
        found.extend(protocol(name, old, &suites));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn version_five_puts_results_one_deeper() {
        let report = br#"{"sslyze_version": "5.2.0", "server_scan_results": [{"scan_status": "COMPLETED",
            "server_location": {"hostname": "a.example", "ip_address": "192.0.2.1", "port": 8443}, "scan_result": {
            "ssl_3_0_cipher_suites": {"status": "COMPLETED", "result": {"accepted_cipher_suites": []}},
            "tls_1_0_cipher_suites": {"result": {"accepted_cipher_suites": [{"cipher_suite": {"name": "TLS_RSA_WITH_AES_128_CBC_SHA"}}]}},
            "tls_1_2_cipher_suites": {"result": {"accepted_cipher_suites": [{"cipher_suite": {"name": "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}},
                {"cipher_suite": {"name": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}}]}},
            "robot": {"result": {"robot_result": "VULNERABLE_STRONG_ORACLE"}},
            "tls_compression": {"result": {"supports_compression": false}},
            "certificate_info": {"result": {"certificate_deployments": [{"leaf_certificate_subject_matches_hostname": false,
                "path_validation_results": [{"was_validation_successful": false}, {"was_validation_successful": true}]}]}}}},
            {"server_location": {"hostname": "b.example", "port": 443}, "scan_status": "ERROR_NO_CONNECTIVITY", "scan_result": null}]}"#;
        let imported = read("s.json", report, None).unwrap();
        let rules: Vec<&str> = imported.findings.iter().map(|f| f.rule.as_str()).collect();
        assert_eq!(rules, ["robot", "certificate-name", "old-protocol", "weak-ciphers"]);
        assert!(imported.findings.iter().all(|f| f.addresses[0].url == "a.example:8443"));
        assert!(imported.findings[3].description.ends_with("\n\n- TLS_RSA_WITH_3DES_EDE_CBC_SHA"));
        assert_eq!(imported.problems[0].message, "b.example:443: there are no results for this server");
    }
}
