//! SpotBugs' XML, 3 and 4, with or without Find Security Bugs, and FindBugs' before them.

use std::collections::HashMap;

use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::markup::plain;
use crate::reported::bound;
use crate::shape::{Element, LONGEST_TEXT};
use crate::wording::{first, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct Spotbugs;

impl Format for Spotbugs {
    fn name(&self) -> &'static str {
        "spotbugs"
    }

    fn title(&self) -> &'static str {
        "SpotBugs"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.xml("BugCollection").is_some() { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.xml("BugCollection") else { return };
        report.tool("", root.attribute("version"));
        let patterns: HashMap<&str, Pattern> =
            root.all("BugPattern").map(|p| (p.attribute("type"), Pattern::of(p))).collect();
        // The same words about the same kind of bug are one finding: without messages that is all of the kind.
        let mut groups = Groups::default();
        for bug in root.all("BugInstance") {
            let found = one(bug, patterns.get(bug.attribute("type")));
            let key = [
                bug.attribute("type"),
                bug.attribute("priority"),
                bug.attribute("instanceHash"),
                &bug.text_at("LongMessage"),
            ]
            .join("\n");
            groups.put(key, found);
        }
        groups.tell(report);
        let errors =
            root.at("Errors").map(|e| e.all("Error").chain(e.all("MissingClass")).count()).unwrap_or(0);
        if errors > 0 {
            report.problem("Errors", &format!("SpotBugs could not analyse {errors} classes"));
        }
    }
}

/// What the report says of a kind of bug.
#[derive(Clone, Debug, Default)]
struct Pattern {
    short: String,
    details: String,
    cwes: Vec<u32>,
}

impl Pattern {
    fn of(pattern: &Element) -> Pattern {
        let mut details = plain(&pattern.text_at("Details"));
        bound(&mut details, LONGEST_TEXT);
        let cwes = identifier::cwes(&details);
        Pattern { short: pattern.text_at("ShortDescription"), details, cwes }
    }
}

fn one(bug: &Element, pattern: Option<&Pattern>) -> Reported {
    let kind = bug.attribute("type").to_owned();
    let Pattern { short: about, details, cwes: classes } = pattern.cloned().unwrap_or_default();
    let (short, long) = (bug.text_at("ShortMessage"), bug.text_at("LongMessage"));
    let mut cwes: Vec<u32> = identifier::cwe(bug.attribute("cweid")).into_iter().collect();
    cwes.extend(classes);
    let mut lines = bug.all("SourceLine").take(100).map(place);
    let method = bug.child("Method").or_else(|| bug.child("Class"));
    let scope = method.map(|m| [m.attribute("classname"), m.attribute("name")].join("#")).unwrap_or_default();
    let main = lines.next().map(|place| Place { scope: scope.trim_end_matches('#').to_owned(), ..place });
    // A bug of a whole class or method has no line of its own.
    let around =
        bug.child("Method").into_iter().chain(bug.child("Class")).filter_map(|e| e.child("SourceLine"));
    let places: Vec<Place> = match main {
        Some(_) => lines.collect(),
        None => around.map(place).take(1).collect(),
    };
    Reported {
        title: first([short, about, kind.clone()]),
        description: paragraphs([long, details.clone()]),
        remedy: details.split_once("Solution:").map(|(_, after)| after.trim().to_owned()).unwrap_or_default(),
        rule: kind,
        severity: match bug.attribute("priority") {
            "1" => Some(Severity::High),
            "2" => Some(Severity::Medium),
            "3" => Some(Severity::Low),
            "4" | "5" => Some(Severity::Info),
            _ => None,
        },
        // From 1, scariest, to 20; what SpotBugs calls priority is how sure it is as well.
        confidence: match bug.attribute("priority") {
            "1" => Some(Confidence::High),
            "2" => Some(Confidence::Medium),
            "3" | "4" => Some(Confidence::Low),
            _ => None,
        },
        cwes,
        tool_id: bug.attribute("instanceHash").to_owned(),
        place: main,
        places,
        tags: vec![bug.attribute("category").to_owned()],
        ..Reported::default()
    }
}

fn place(line: &Element) -> Place {
    let file = first([line.attribute("sourcepath").to_owned(), line.attribute("sourcefile").to_owned()]);
    Place {
        end_line: line.attribute("end").parse().ok(),
        ..Place::new(file, line.attribute("start").parse().ok())
    }
}
