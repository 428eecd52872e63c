//! A finding as another tool reports it.

use serde::Serialize;
use wardroom_model::{Confidence, Package, Severity};

/// A finding as another tool reports it. What the tool does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reported {
    /// The tool's name for the check: `B602`, `10202`, `javascript.express.csurf`.
    pub rule: String,
    /// One line.
    pub title: String,
    /// What is wrong, in Markdown (HTML of a report is made plain text).
    pub description: String,
    /// How to mend it.
    pub remedy: String,
    /// How bad; none where the tool gives neither a word nor a score.
    pub severity: Option<Severity>,
    /// How sure the tool is.
    pub confidence: Option<Confidence>,
    /// Weakness classes by number, the main one first.
    pub cwes: Vec<u32>,
    /// The CVSS vector: v4.0, v3.x or v2, the newest that the tool gives.
    pub cvss: String,
    /// The CVSS base score of the tool; that of the vector where it gives only that.
    pub score: Option<f32>,
    /// Published names: `CVE-2021-44228`, `GHSA-…`, `RUSTSEC-…`, the one that most people know first.
    pub ids: Vec<String>,
    /// The tool's own name of this very finding, the same in its next report.
    pub tool_id: String,
    /// Where in the code.
    pub place: Option<Place>,
    /// Where else in the code, or the path that leads there.
    pub places: Vec<Place>,
    /// Where in a running application.
    pub addresses: Vec<Address>,
    /// The library, image or system package.
    pub package: Option<Package>,
    /// Versions in which it is mended.
    pub fixed_in: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// What was decided about it where the report comes from.
    pub standing: Standing,
    /// When it was found, as the tool writes it.
    pub found: String,
    /// Words that the tool files it under.
    pub tags: Vec<String>,
}

/// A place in the code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The path as the tool gives it, with `/`.
    pub file: String,
    /// From 1.
    pub line: Option<u32>,
    /// From 1.
    pub column: Option<u32>,
    /// The last line, where there are several.
    pub end_line: Option<u32>,
    /// The definition around it.
    pub scope: String,
    /// The code.
    pub snippet: String,
}

impl Place {
    /// A file and, where known, its line; a line of 0 is none.
    pub fn new(file: impl Into<String>, line: Option<u64>) -> Place {
        let line = line.and_then(|l| u32::try_from(l).ok()).filter(|l| *l > 0);
        Place { file: file.into(), line, ..Place::default() }
    }
}

/// A place in a running application, and what was sent there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The URL, or `host:port` where the tool tests no web application.
    pub url: String,
    /// The HTTP method.
    pub method: String,
    /// The parameter that is weak.
    pub parameter: String,
    /// What was sent in it.
    pub attack: String,
    /// What in the answer shows it.
    pub evidence: String,
    /// The request as it was sent.
    pub request: String,
    /// The response as it came.
    pub response: String,
}

/// What was decided about a finding where the report comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing.
    #[default]
    Open,
    /// It is wrong.
    FalsePositive,
    /// The risk is accepted, or the finding suppressed.
    Accepted,
    /// It is gone.
    Fixed,
}

/// Longest text that is kept, in bytes: whole responses of scanned servers come along in some reports.
const LONGEST: usize = 64 * 1024;
/// Longest title, name, path or address, in bytes.
const LONGEST_NAME: usize = 8 * 1024;
/// Most places, addresses, references and so on of one finding.
const MOST: usize = 1000;
/// Most of each when there is no more room.
const FEW: usize = 3;

impl Reported {
    /// Bytes of all of its texts.
    pub(crate) fn size(&self) -> usize {
        let names = [
            &self.rule,
            &self.title,
            &self.description,
            &self.remedy,
            &self.cvss,
            &self.tool_id,
            &self.found,
        ];
        let lists = [&self.ids, &self.fixed_in, &self.references, &self.tags];
        let places =
            self.place.iter().chain(&self.places).map(|p| p.file.len() + p.scope.len() + p.snippet.len());
        let addresses = self.addresses.iter().map(|a| {
            let parts = [&a.url, &a.method, &a.parameter, &a.attack, &a.evidence, &a.request, &a.response];
            parts.iter().map(|t| t.len()).sum::<usize>()
        });
        names.iter().map(|t| t.len()).sum::<usize>()
            + lists.iter().flat_map(|l| l.iter()).map(String::len).sum::<usize>()
            + places.sum::<usize>()
            + addresses.sum::<usize>()
            + self.package.as_ref().map_or(0, |p| p.name.len() + p.version.len() + p.purl.len())
    }

    /// Cuts every text, and leaves the first of each list.
    pub(crate) fn shorten(&mut self, longest: usize) {
        for list in [&mut self.ids, &mut self.fixed_in, &mut self.references, &mut self.tags] {
            list.truncate(FEW);
            list.iter_mut().for_each(|text| bound(text, longest));
        }
        self.places.truncate(FEW);
        self.addresses.truncate(FEW);
        let texts = [
            &mut self.rule,
            &mut self.title,
            &mut self.description,
            &mut self.remedy,
            &mut self.cvss,
            &mut self.tool_id,
            &mut self.found,
        ];
        let places = self
            .place
            .iter_mut()
            .chain(&mut self.places)
            .flat_map(|p| [&mut p.file, &mut p.scope, &mut p.snippet]);
        let addresses = self.addresses.iter_mut().flat_map(|a| {
            [
                &mut a.url,
                &mut a.method,
                &mut a.parameter,
                &mut a.attack,
                &mut a.evidence,
                &mut a.request,
                &mut a.response,
            ]
        });
        let package = self.package.iter_mut().flat_map(|p| [&mut p.name, &mut p.version, &mut p.purl]);
        texts.into_iter().chain(places).chain(addresses).chain(package).for_each(|text| bound(text, longest));
    }

    /// What every format would have to do: texts trimmed and bounded, lists without doubles, the score of the vector.
    pub(crate) fn settle(&mut self) {
        for text in [&mut self.rule, &mut self.tool_id, &mut self.cvss, &mut self.found] {
            one_line(text);
        }
        one_line(&mut self.title);
        for text in [&mut self.description, &mut self.remedy] {
            bound(text, LONGEST);
        }
        for place in self.place.iter_mut().chain(&mut self.places) {
            place.file = place.file.trim().replace('\\', "/");
            for text in [&mut place.file, &mut place.scope] {
                bound(text, LONGEST_NAME);
            }
            bound(&mut place.snippet, LONGEST);
        }
        for address in &mut self.addresses {
            for text in [&mut address.url, &mut address.method, &mut address.parameter] {
                bound(text, LONGEST_NAME);
            }
            for text in
                [&mut address.attack, &mut address.evidence, &mut address.request, &mut address.response]
            {
                bound(text, LONGEST);
            }
        }
        if let Some(package) = &mut self.package {
            for text in [&mut package.name, &mut package.version, &mut package.purl] {
                bound(text, LONGEST_NAME);
            }
        }
        for list in [&mut self.ids, &mut self.references, &mut self.fixed_in, &mut self.tags] {
            for text in list.iter_mut() {
                one_line(text);
            }
            let mut seen = std::collections::HashSet::new();
            list.retain(|text| !text.is_empty() && seen.insert(text.clone()));
            list.truncate(MOST);
        }
        self.places.truncate(MOST);
        self.addresses.truncate(MOST);
        // Nearly everybody knows a weakness by its CVE name; the order of the others is the tool's.
        self.ids.sort_by_key(|id| !id.starts_with("CVE-"));
        let mut seen = std::collections::HashSet::new();
        self.cwes.retain(|cwe| *cwe > 0 && seen.insert(*cwe));
        self.cwes.truncate(MOST);
        if self.score.is_none() {
            self.score = crate::severity::score_of(&self.cvss);
        }
        if self.severity.is_none() {
            self.severity = self.score.map(crate::severity::of_score);
        }
        if self.title.is_empty() {
            self.title = [&self.rule, self.ids.first().unwrap_or(&self.tool_id)]
                .into_iter()
                .find(|t| !t.is_empty())
                .cloned()
                .unwrap_or_default();
        }
    }
}

fn one_line(text: &mut String) {
    if text.chars().any(char::is_control) || text.trim().len() != text.len() {
        *text = text
            .split(|c: char| c.is_control())
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned();
    }
    bound(text, LONGEST_NAME);
}

/// Cuts a text that is longer than so many bytes.
pub(crate) fn bound(text: &mut String, longest: usize) {
    if text.len() > longest {
        let mut end = longest;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
}
