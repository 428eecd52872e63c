//! Fortify: results of the analyser (FVDL, alone or in an FPR with its audit), and the developer's report (XML).

use std::collections::HashMap;

use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::markup::plain;
use crate::shape::Element;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Fortify;

impl Format for Fortify {
    fn name(&self) -> &'static str {
        "fortify"
    }

    fn title(&self) -> &'static str {
        "Fortify"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => {
                root.name == "FVDL"
                    || root.name == "ReportDefinition" && root.child("ReportSection").is_some()
            }
            Shape::Archive(_) => member(shape, "audit.fvdl").is_some(),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Xml(root) if root.name == "FVDL" => analysed(root, None, report),
            Shape::Xml(root) => developers(root, report),
            Shape::Archive(_) => {
                if let Some(root) = member(shape, "audit.fvdl") {
                    analysed(root, member(shape, "audit.xml"), report);
                }
            }
            _ => {}
        }
    }
}

/// The root of a file of an archive.
fn member<'a>(shape: &'a Shape, wanted: &str) -> Option<&'a Element> {
    let Shape::Archive(members) = shape else { return None };
    members.iter().find_map(|(name, shape)| match shape {
        Shape::Xml(root) if name.rsplit(['/', '\\']).next() == Some(wanted) => Some(root),
        _ => None,
    })
}

/// What was decided about a result in an FPR.
#[derive(Default)]
struct Audit {
    standing: Standing,
    comments: Vec<String>,
}

fn audits(root: Option<&Element>) -> HashMap<String, Audit> {
    let issues = root.map(|r| r.below("Issue")).unwrap_or_default();
    issues
        .into_iter()
        .map(|issue| {
            // The tag of the analysis; what is no issue is a false positive whether or not it is suppressed.
            let values: Vec<&str> =
                issue.all("Tag").filter_map(|t| t.child("Value")).map(|v| v.text.trim()).collect();
            let standing = match () {
                () if values.iter().any(|v| v.eq_ignore_ascii_case("not an issue")) => {
                    Standing::FalsePositive
                }
                () if issue.attribute("suppressed") == "true" => Standing::Accepted,
                () => Standing::Open,
            };
            let comments = issue.below("Comment");
            let comments = comments
                .iter()
                .map(|c| format!("- {} ({})", c.text_at("Content"), c.text_at("Username")))
                .collect();
            (issue.attribute("instanceId").to_owned(), Audit { standing, comments })
        })
        .collect()
}

/// What a rule says of all of its results: its groups by name.
fn groups(rule: &Element) -> HashMap<&str, &str> {
    let groups = rule.child("MetaInfo").into_iter().flat_map(|m| m.all("Group"));
    groups.map(|g| (g.attribute("name"), g.text.trim())).collect()
}

/// Fortify's priority order: impact and likelihood, each high from 2.5 on, where the likelihood is accuracy, confidence
/// and probability together. Without these it is the severity of the rule.
fn priority(groups: &HashMap<&str, &str>, confidence: f32, severity: f32) -> Severity {
    let number = |name: &str| groups.get(name).and_then(|n| n.parse::<f32>().ok());
    let (Some(impact), Some(probability), Some(accuracy)) =
        (number("Impact"), number("Probability"), number("Accuracy"))
    else {
        return match severity {
            s if s >= 5.0 => Severity::Critical,
            s if s >= 4.0 => Severity::High,
            s if s >= 3.0 => Severity::Medium,
            s if s >= 1.0 => Severity::Low,
            _ => Severity::Info,
        };
    };
    let likelihood = accuracy * confidence * probability / 25.0;
    match (impact >= 2.5, likelihood >= 2.5) {
        (true, true) => Severity::Critical,
        (true, false) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Low,
    }
}

fn analysed(root: &Element, audit: Option<&Element>, report: &mut Report<'_>) {
    report.tool("Fortify SCA", &root.text_at("EngineData/EngineVersion"));
    let audits = audits(audit);
    let described: HashMap<&str, &Element> =
        root.all("Description").map(|d| (d.attribute("classID"), d)).collect();
    let rules: HashMap<&str, &Element> =
        root.below("Rule").into_iter().map(|r| (r.attribute("id"), r)).collect();
    let snippets: HashMap<&str, &Element> =
        root.all("Snippets").flat_map(|s| s.all("Snippet")).map(|s| (s.attribute("id"), s)).collect();
    let pool: HashMap<&str, &Element> =
        root.all("UnifiedNodePool").flat_map(|p| p.all("Node")).map(|n| (n.attribute("id"), n)).collect();
    let found = root.child("CreatedTS").map(|c| format!("{} {}", c.attribute("date"), c.attribute("time")));
    let mut said: HashMap<String, Said> = HashMap::new();
    for one in root.all("Vulnerabilities").flat_map(|v| v.all("Vulnerability")) {
        let text = |path: &str| one.text_at(path);
        let class = text("ClassInfo/ClassID");
        let id = text("InstanceInfo/InstanceID");
        let groups = rules.get(class.as_str()).map(|r| groups(r)).unwrap_or_default();
        let definitions: HashMap<&str, &str> = one
            .below("Def")
            .into_iter()
            .take(DEFINITIONS)
            .map(|d| (d.attribute("key"), d.attribute("value")))
            .collect();
        let about =
            said.entry(class.clone()).or_insert_with(|| Said::of(described.get(class.as_str()).copied()));
        let confidence: f32 = text("InstanceInfo/Confidence").parse().unwrap_or(5.0);
        let severity = first([text("InstanceInfo/InstanceSeverity"), text("ClassInfo/DefaultSeverity")]);
        let (kind, part) = (text("ClassInfo/Type"), text("ClassInfo/Subtype"));
        let title = if part.is_empty() { kind } else { format!("{kind}: {part}") };
        let mut steps: Vec<Place> = one
            .below("Entry")
            .into_iter()
            .filter_map(|entry| {
                let here = entry.child("Node").or_else(|| {
                    let id = entry.child("NodeRef")?.attribute("id");
                    pool.get(id).copied()
                })?;
                here.child("SourceLocation")
            })
            .map(|at| place(at, &snippets))
            .collect();
        // The analyser marks the node that the result is filed under.
        let nodes = one.below("Node");
        let main = nodes.iter().find(|n| n.attribute("isDefault") == "true");
        let primary = main.and_then(|n| n.child("SourceLocation")).map(|at| place(at, &snippets));
        let mut primary = primary.or_else(|| steps.last().cloned());
        if let (Some(primary), Some(function)) = (primary.as_mut(), one.below("Function").first()) {
            primary.scope = [function.attribute("enclosingClass"), function.attribute("name")]
                .iter()
                .filter(|p| !p.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(".");
        }
        steps.retain(|s| Some(s) != primary.as_ref());
        let audit = audits.get(&id);
        let comments = audit.map(|a| a.comments.join("\n")).unwrap_or_default();
        report.found(Reported {
            rule: class,
            title,
            description: paragraphs([
                fill(&about.short, &definitions),
                fill(&about.long, &definitions),
                labelled("Kingdom", &text("ClassInfo/Kingdom")),
                labelled("Comments", &comments),
            ]),
            remedy: fill(&about.remedy, &definitions),
            severity: Some(priority(&groups, confidence, severity.parse().unwrap_or(0.0))),
            confidence: Some(match confidence {
                c if c >= 4.0 => Confidence::High,
                c if c >= 2.5 => Confidence::Medium,
                _ => Confidence::Low,
            }),
            cwes: groups.get("altcategoryCWE").map(|t| numbers(t)).unwrap_or_default(),
            tool_id: id,
            place: primary,
            places: steps,
            references: about.references.clone(),
            standing: audit.map(|a| a.standing).unwrap_or_default(),
            found: found.clone().unwrap_or_default(),
            tags: vec![text("ClassInfo/Kingdom"), text("ClassInfo/AnalyzerName")],
            ..Reported::default()
        });
    }
}

/// Most holes of a text that are filled.
const DEFINITIONS: usize = 50;
/// Longest text of a class that is taken, in bytes: it is told again for each result of the class.
const LONGEST: usize = 32 * 1024;

/// What is said of all results of a class.
#[derive(Default)]
struct Said {
    short: String,
    long: String,
    remedy: String,
    references: Vec<String>,
}

impl Said {
    fn of(about: Option<&Element>) -> Said {
        let Some(about) = about else { return Said::default() };
        // HTML in a content element, both written as text.
        let text = |path: &str| {
            let text = about.text_at(path);
            let end =
                text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last().unwrap_or(0);
            plain(&plain(&with_holes(if text.len() > LONGEST { &text[..end] } else { &text })))
        };
        let references = about.below("Reference");
        Said {
            short: text("Abstract"),
            long: text("Explanation"),
            remedy: paragraphs([text("Recommendations"), text("Tips/Tip")]),
            references: references.iter().take(50).flat_map(|r| links(&r.text_at("Source"))).collect(),
        }
    }
}

/// `CWE ID 615, CWE ID 259`.
fn numbers(text: &str) -> Vec<u32> {
    identifier::cwes(&text.replace("CWE ID ", "CWE-"))
}

/// What stands around the name of a hole while the rest becomes plain text: no report holds these.
const HOLE: (char, char) = ('\u{1}', '\u{2}');

/// Texts have holes, which each result fills: `<Replace key="PrimaryLocation.file"/>`.
fn with_holes(text: &str) -> String {
    let mut pieces = text.split("<Replace key=\"");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (key, rest) = piece.split_once('"').unwrap_or((piece, ""));
        out.push(HOLE.0);
        out.push_str(key);
        out.push(HOLE.1);
        out.push_str(rest.split_once('>').map_or("", |(_, after)| after));
    }
    out
}

/// The text with its holes filled; what nobody defines leaves nothing.
fn fill(text: &str, definitions: &HashMap<&str, &str>) -> String {
    let mut pieces = text.split(HOLE.0);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (key, rest) = piece.split_once(HOLE.1).unwrap_or(("", piece));
        out.push_str(definitions.get(key).copied().unwrap_or_default());
        out.push_str(rest);
    }
    out
}

fn place(at: &Element, snippets: &HashMap<&str, &Element>) -> Place {
    let snippet = snippets.get(at.attribute("snippet")).map(|s| s.text_at("Text"));
    let small = |name: &str| at.attribute(name).parse::<u32>().ok().filter(|n| *n > 0);
    Place {
        column: small("colStart"),
        end_line: small("lineEnd"),
        snippet: snippet.unwrap_or_default(),
        ..Place::new(at.attribute("path"), at.attribute("line").parse().ok())
    }
}

/// The report for developers: issues in groups, with what is said of all of a group before them.
fn developers(root: &Element, report: &mut Report<'_>) {
    let texts = root.below("Text");
    let engine = texts.iter().find_map(|t| t.text.split("SCA Engine version:").nth(1));
    let version = engine.and_then(|e| e.split_whitespace().next()).unwrap_or_default();
    report.tool("Fortify SCA", version);
    for group in root.below("GroupingSection") {
        let meta = |name: &str| {
            let infos = group.child("MajorAttributeSummary").map(|m| m.all("MetaInfo").collect::<Vec<_>>());
            let info = infos.unwrap_or_default().into_iter().find(|i| i.text_at("Name") == name);
            info.map(|i| i.text_at("Value")).unwrap_or_default()
        };
        for issue in group.all("Issue") {
            let at = |name: &str| {
                issue.child(name).map(|p| Place {
                    snippet: p
                        .child("Snippet")
                        .map(|s| s.text.trim_matches('\n').to_owned())
                        .unwrap_or_default(),
                    scope: Some(p.text_at("TargetFunction")).filter(|f| f != "null()").unwrap_or_default(),
                    ..Place::new(
                        first([p.text_at("FilePath"), p.text_at("FileName")]),
                        p.text_at("LineStart").parse().ok(),
                    )
                })
            };
            let references = meta("References");
            let tags = issue.all("Tag").map(|t| labelled(&t.text_at("Name"), &t.text_at("Value")));
            let tags: Vec<String> = tags.collect();
            let decided = issue.all("Tag").any(|t| t.text_at("Value").eq_ignore_ascii_case("not an issue"));
            let comments: Vec<String> = issue.below("Comment").iter().map(|c| c.text_at("Comment")).collect();
            report.found(Reported {
                rule: issue.attribute("ruleID").to_owned(),
                title: issue.text_at("Category"),
                description: paragraphs([
                    issue.text_at("Abstract"),
                    meta("Explanation"),
                    tags.join("\n\n"),
                    labelled("Comments", &comments.join("\n")),
                ]),
                remedy: paragraphs([meta("Recommendations"), meta("Tips")]),
                severity: severity::of_word(&first([issue.text_at("Friority"), issue.text_at("Folder")])),
                cwes: issue
                    .all("ExternalCategory")
                    .filter(|c| c.attribute("type") == "CWE")
                    .flat_map(|c| numbers(&c.text))
                    .collect(),
                tool_id: issue.attribute("iid").to_owned(),
                place: at("Primary"),
                places: at("Source").into_iter().collect(),
                references: links(&references),
                standing: if decided { Standing::FalsePositive } else { Standing::Open },
                tags: vec![issue.text_at("Kingdom")],
                ..Reported::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn texts_of_a_class_are_filled_for_each_result() {
        let report = br#"<FVDL><Vulnerabilities><Vulnerability><ClassInfo><ClassID>C</ClassID><Type>SQL Injection</Type><DefaultSeverity>4.0</DefaultSeverity></ClassInfo>
            <InstanceInfo><InstanceID>I</InstanceID><InstanceSeverity>4.0</InstanceSeverity><Confidence>5.0</Confidence></InstanceInfo>
            <AnalysisInfo><Unified><ReplacementDefinitions><Def key="PrimaryLocation.file" value="a.rb"/></ReplacementDefinitions>
            <Trace><Primary><Entry><NodeRef id="1"/></Entry><Entry><Node isDefault="true"><SourceLocation path="src/a.rb" line="9"/></Node></Entry></Primary></Trace>
            </Unified></AnalysisInfo></Vulnerability></Vulnerabilities>
            <UnifiedNodePool><Node id="1"><SourceLocation path="src/b.rb" line="2"/></Node></UnifiedNodePool>
            <Description classID="C"><Abstract>&lt;Content&gt;In &lt;Replace key="PrimaryLocation.file"/&gt;, &lt;b&gt;input&lt;/b&gt; &lt;Replace key="x" link="y"/&gt;is used.&lt;/Content&gt;</Abstract></Description>
            <EngineData><RuleInfo><Rule id="C"><MetaInfo><Group name="Impact">5.0</Group><Group name="Accuracy">4.0</Group><Group name="Probability">4.0</Group>
            <Group name="altcategoryCWE">CWE ID 89, CWE ID 564</Group></MetaInfo></Rule></RuleInfo></EngineData></FVDL>"#;
        let finding = &read("audit.fvdl", report, None).unwrap().findings[0];
        assert!(finding.description.starts_with("In a.rb, input is used."), "{}", finding.description);
        assert_eq!(
            (finding.severity, finding.cwes.as_slice()),
            (Some(Severity::Critical), [89, 564].as_slice())
        );
        assert_eq!(finding.place.as_ref().unwrap().line, Some(9));
        assert_eq!(finding.places[0].file, "src/b.rb");
    }
}
