//! Tables of any columns: which column is which part of a finding. A mapping can be kept and given again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardroom_model::{Problem, Severity};

use crate::grouping::Groups;
use crate::shape::{Shape, Table};
use crate::wording::{labelled, links, paragraphs};
use crate::{
    Address, ImportError, Imported, LARGEST, Place, Report, Reported, Standing, identifier, package, severity,
};

/// A part of a finding that a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The tool's name for the check.
    Rule,
    /// One line.
    Title,
    /// What is wrong.
    Description,
    /// What it can do; put after the description.
    Impact,
    /// How to mend it.
    Remedy,
    /// A word, or a score.
    Severity,
    /// A word.
    Confidence,
    /// Numbers of weakness classes: `79`, `CWE-79, CWE-80`.
    Cwe,
    /// A CVSS vector.
    Cvss,
    /// A CVSS score.
    Score,
    /// Published names: `CVE-2021-44228`; several with commas, semicolons or spaces.
    Id,
    /// The tool's own name of this very finding.
    ToolId,
    /// A path in the code.
    File,
    /// A line of it.
    Line,
    /// An address, or a host.
    Url,
    /// The HTTP method.
    Method,
    /// The parameter that is weak.
    Parameter,
    /// The library, image or system package.
    Package,
    /// Its version.
    Version,
    /// The version in which it is mended.
    FixedIn,
    /// Where to read more.
    Reference,
    /// When it was found.
    Found,
    /// Words that it is filed under, with commas.
    Tag,
    /// What was decided, in a word: `open`, `fixed`, `false positive`, `accepted`.
    Status,
    /// True where it is wrong.
    FalsePositive,
    /// True where its risk is accepted.
    Accepted,
    /// True where it is gone.
    Fixed,
}

/// The fields, with the names that columns for them have, in small letters without spaces and marks; the likelier
/// stand first.
const NAMES: [(Field, &[&str]); 27] = [
    (Field::Rule, &["rule", "ruleid", "check", "checkid", "vulnidfromtool", "pluginid", "testid"]),
    (Field::Title, &["title", "name", "finding", "vulnerability", "vulnerabilityname", "issue", "summary"]),
    (Field::Description, &["description", "details", "detail", "message", "vulnerabilitydescription"]),
    (Field::Impact, &["impact"]),
    (
        Field::Remedy,
        &["mitigation", "remediation", "remedy", "solution", "recommendation", "fix", "remediationadvice"],
    ),
    (
        Field::Severity,
        &["severity", "risk", "risklevel", "severitylevel", "level", "priority", "criticality"],
    ),
    (Field::Confidence, &["confidence", "certainty"]),
    (Field::Cwe, &["cweid", "cwe", "cwes", "cweids"]),
    (
        Field::Cvss,
        &["cvssv4", "cvssv3", "cvssvector", "cvss4vector", "cvss3vector", "vector", "cvssv3vector"],
    ),
    (
        Field::Score,
        &["cvssv4score", "cvssv3score", "cvssscore", "cvss", "score", "cvss3score", "cvssv3basescore"],
    ),
    (Field::Id, &["vulnerabilityid", "vulnerabilityids", "cve", "cves", "cveid", "cveids", "advisory"]),
    (Field::ToolId, &["uniqueidfromtool", "uniqueid", "findingid", "issueid", "id"]),
    (Field::File, &["filepath", "file", "filename", "path", "sourcefile"]),
    (Field::Line, &["line", "linenumber", "startline"]),
    (Field::Url, &["url", "endpoint", "endpoints", "uri", "host", "hostname", "target", "affectedurl", "ip"]),
    (Field::Method, &["method", "httpmethod"]),
    (Field::Parameter, &["parameter", "param"]),
    (Field::Package, &["componentname", "component", "package", "packagename", "library", "dependency"]),
    (Field::Version, &["componentversion", "packageversion", "installedversion", "version"]),
    (Field::FixedIn, &["fixversion", "fixedversion", "fixedin", "fixedversions"]),
    (Field::Reference, &["references", "reference", "links", "link", "moreinfo"]),
    (Field::Found, &["date", "found", "founddate", "firstseen", "firstfound", "discovered", "created"]),
    (Field::Tag, &["tags", "tag", "category", "labels"]),
    (Field::Status, &["status", "state"]),
    (Field::FalsePositive, &["falsepositive", "falsep", "isfalsepositive"]),
    (Field::Accepted, &["riskaccepted", "acceptedrisk", "suppressed", "duplicate"]),
    (Field::Fixed, &["ismitigated", "mitigated", "isfixed", "resolved"]),
];

/// Which column is which part of a finding, and what its words for severity mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The name of the column of each field, in whatever case.
    pub columns: BTreeMap<Field, String>,
    /// Severities by the report's words, in whatever case, where they are not the usual ones.
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
}

impl Mapping {
    /// The columns of a table, and the mapping that their names suggest.
    ///
    /// # Errors
    ///
    /// The report is too large, cannot be read, or is no table.
    pub fn of_report(file: &str, bytes: &[u8]) -> Result<(Vec<String>, Mapping), ImportError> {
        let (table, _) = table(file, bytes)?;
        Ok((table.columns().map(str::to_owned).collect(), Mapping::suggested(&table)))
    }

    /// The mapping that the names of columns suggest.
    pub(crate) fn suggested(table: &Table) -> Mapping {
        let named: Vec<(String, &str)> = table.columns().map(|c| (bare(c), c)).collect();
        let column =
            |names: &[&str]| names.iter().find_map(|name| named.iter().find(|(bare, _)| bare == name));
        let columns = NAMES
            .iter()
            .filter_map(|(field, names)| column(names).map(|(_, column)| (*field, (*column).to_owned())))
            .collect();
        Mapping { columns, severities: BTreeMap::new() }
    }

    /// Whether it can make findings that a person can use.
    pub(crate) fn is_enough(&self) -> bool {
        let has = |field: Field| self.columns.contains_key(&field);
        has(Field::Title) && (has(Field::Severity) || has(Field::Score)) && self.columns.len() >= 3
    }

    /// The finding of a row, from 0.
    pub(crate) fn reported(&self, table: &Table, row: usize) -> Reported {
        let cell = |field: Field| self.columns.get(&field).map_or("", |column| table.cell(row, column));
        let truth = |field: Field| matches!(cell(field).to_ascii_lowercase().as_str(), "true" | "yes" | "1");
        let parts = |field: Field| cell(field).split([',', ';', '\n']).map(|p| p.trim().to_owned());
        let vector = severity::vector(cell(Field::Cvss));
        let score = cell(Field::Score).parse().ok().filter(|s| (0.0..=10.0).contains(s));
        let (file, url) = (cell(Field::File), cell(Field::Url));
        let line = cell(Field::Line).parse().ok();
        let ids = cell(Field::Id);
        let known = identifier::published(ids);
        let classes = cell(Field::Cwe);
        let mut cwes = identifier::cwes(classes);
        if cwes.is_empty() {
            cwes = classes.split([',', ';', ' ']).filter_map(identifier::cwe).collect();
        }
        Reported {
            rule: cell(Field::Rule).to_owned(),
            title: cell(Field::Title).to_owned(),
            description: paragraphs([
                cell(Field::Description).to_owned(),
                labelled("Impact", cell(Field::Impact)),
            ]),
            remedy: cell(Field::Remedy).to_owned(),
            severity: self.severity(cell(Field::Severity)),
            confidence: severity::confidence_of_word(cell(Field::Confidence)),
            cwes,
            cvss: vector,
            score,
            ids: if known.is_empty() { parts(Field::Id).collect() } else { known },
            tool_id: cell(Field::ToolId).to_owned(),
            place: (!file.is_empty()).then(|| Place::new(file, line)),
            addresses: url
                .split(['\n', ' ', ','])
                .filter(|u| !u.trim().is_empty())
                .map(|url| Address {
                    url: url.trim().to_owned(),
                    method: cell(Field::Method).to_owned(),
                    parameter: cell(Field::Parameter).to_owned(),
                    ..Address::default()
                })
                .collect(),
            package: package::package("", cell(Field::Package), cell(Field::Version)),
            fixed_in: parts(Field::FixedIn).collect(),
            references: links(cell(Field::Reference)),
            standing: match () {
                () if truth(Field::FalsePositive) => Standing::FalsePositive,
                () if truth(Field::Fixed) => Standing::Fixed,
                () if truth(Field::Accepted) => Standing::Accepted,
                () => standing(cell(Field::Status)),
            },
            found: cell(Field::Found).to_owned(),
            tags: parts(Field::Tag).collect(),
            ..Reported::default()
        }
    }

    /// The mapping's own words first, then those that everybody uses, then a score.
    fn severity(&self, word: &str) -> Option<Severity> {
        let own = self.severities.iter().find(|(theirs, _)| theirs.trim().eq_ignore_ascii_case(word.trim()));
        own.map(|(_, severity)| *severity)
            .or_else(|| severity::of_word(word))
            .or_else(|| word.trim().parse().ok().filter(|s| (0.0..=10.0).contains(s)).map(severity::of_score))
    }
}

/// What a word for a state says.
fn standing(word: &str) -> Standing {
    match bare(word).as_str() {
        "falsepositive" | "notaffected" | "invalid" | "notapplicable" => Standing::FalsePositive,
        "accepted" | "riskaccepted" | "acceptedrisk" | "wontfix" | "ignored" | "suppressed" | "duplicate" => {
            Standing::Accepted
        }
        "fixed" | "resolved" | "mitigated" | "closed" | "remediated" | "done" => Standing::Fixed,
        _ => Standing::Open,
    }
}

/// Small letters and digits alone.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn table(file: &str, bytes: &[u8]) -> Result<(Table, Vec<Problem>), ImportError> {
    if bytes.len() > LARGEST {
        return Err(ImportError::TooLarge { file: file.to_owned(), size: bytes.len() });
    }
    let mut problems = Vec::new();
    match Shape::of(file, bytes, &mut problems)? {
        Shape::Table(table) => Ok((table, problems)),
        other => Err(ImportError::NoTable { file: file.to_owned(), what: other.describe() }),
    }
}

/// Reads a table by a mapping: one finding a row; rows with neither title nor description are problems.
///
/// # Errors
///
/// The report is too large, cannot be read, is no table, or has no column that the mapping names.
pub fn read_table(file: &str, bytes: &[u8], mapping: &Mapping) -> Result<Imported, ImportError> {
    let (table, problems) = table(file, bytes)?;
    for column in mapping.columns.values() {
        if !table.has(&[column]) {
            return Err(ImportError::NoSuchColumn {
                file: file.to_owned(),
                wanted: column.clone(),
                columns: table.columns().collect::<Vec<_>>().join(", "),
            });
        }
    }
    let mut imported = Imported {
        format: "table",
        tool: String::new(),
        tool_version: String::new(),
        findings: Vec::new(),
        problems,
    };
    let mut report = Report::new(file, &mut imported);
    let mut groups = Groups::default();
    for row in 0..table.len() {
        let finding = mapping.reported(&table, row);
        if finding.title.is_empty() && finding.description.is_empty() {
            // Counted with the header, as programs for tables do.
            report.problem(&format!("row {}", row + 2), "it has neither a title nor a description");
            continue;
        }
        groups.put(row.to_string(), finding);
    }
    groups.tell(&mut report);
    report.end();
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &[u8] =
        b"Ref;Weakness;How bad;Where;Done\n1;Open redirect;P1;https://a.example/r;yes\n2;;;;\n";

    #[test]
    fn any_table_can_be_read_by_a_mapping_that_is_kept() {
        let mapping = Mapping {
            columns: BTreeMap::from([
                (Field::ToolId, "Ref".to_owned()),
                (Field::Title, "weakness".to_owned()),
                (Field::Severity, "How bad".to_owned()),
                (Field::Url, "Where".to_owned()),
                (Field::Fixed, "Done".to_owned()),
            ]),
            severities: BTreeMap::from([("p1".to_owned(), Severity::Critical)]),
        };
        let kept: Mapping = toml::from_str(&toml::to_string(&mapping).unwrap()).unwrap();
        assert_eq!(kept, mapping);
        let imported = read_table("r.csv", REPORT, &kept).unwrap();
        assert_eq!(imported.findings.len(), 1);
        let finding = &imported.findings[0];
        assert_eq!((finding.severity, finding.standing), (Some(Severity::Critical), Standing::Fixed));
        assert_eq!(finding.addresses[0].url, "https://a.example/r");
        assert_eq!(imported.problems[0].message, "row 3: it has neither a title nor a description");
    }

    #[test]
    fn names_of_columns_suggest_a_mapping() {
        let report =
            b"Vulnerability Name,Risk Level,CVE ID,Affected URL,Fix\na,High,CVE-2021-44228,x.example,b\n";
        let (columns, mapping) = Mapping::of_report("r.csv", report).unwrap();
        assert_eq!(columns.len(), 5);
        let of = |field: Field| mapping.columns.get(&field).map(String::as_str);
        assert_eq!(of(Field::Title), Some("Vulnerability Name"));
        assert_eq!(of(Field::Severity), Some("Risk Level"));
        assert_eq!(of(Field::Id), Some("CVE ID"));
        assert_eq!(of(Field::Url), Some("Affected URL"));
        assert_eq!(of(Field::Remedy), Some("Fix"));
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let mapping = Mapping {
            columns: BTreeMap::from([(Field::Title, "Nmae".to_owned())]),
            severities: BTreeMap::new(),
        };
        let error = read_table("r.csv", REPORT, &mapping).unwrap_err().to_string();
        assert_eq!(error, "r.csv: there is no column `Nmae`; it has Ref, Weakness, How bad, Where, Done");
        let error = read_table("r.json", b"{}", &mapping).unwrap_err().to_string();
        assert_eq!(error, "r.json: a mapping needs a table, and this is JSON with ");
    }
}
