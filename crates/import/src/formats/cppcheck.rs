//! Cppcheck's XML, version 2 (and 1, as far as it is alike). Newer versions write SARIF as well.

use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::shape::Element;
use crate::wording::{first, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Cppcheck;

impl Format for Cppcheck {
    fn name(&self) -> &'static str {
        "cppcheck"
    }

    fn title(&self) -> &'static str {
        "Cppcheck"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.xml("results") else { return Likeness::No };
        let ours =
            root.child("cppcheck").is_some() || root.all("error").any(|e| !e.attribute("id").is_empty());
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.xml("results") else { return };
        report.tool("", root.child("cppcheck").map_or("", |c| c.attribute("version")));
        // In version 1 the errors stand at the top.
        let errors = root.child("errors").unwrap_or(root);
        for error in errors.all("error") {
            // What Cppcheck says of itself is no finding.
            match error.attribute("id") {
                "missingInclude" | "missingIncludeSystem" | "toomanyconfigs" | "checkersReport" => {}
                _ => report.found(one(error)),
            }
        }
    }
}

fn severity_of(word: &str) -> Option<Severity> {
    match word {
        "style" | "performance" | "portability" => Some(Severity::Low),
        other => severity::of_word(other),
    }
}

fn one(error: &Element) -> Reported {
    let whole = |location: &Element, key: &str| location.attribute(key).parse::<u64>().ok();
    let place = |location: &Element| Place {
        column: whole(location, "column").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        ..Place::new(location.attribute("file"), whole(location, "line"))
    };
    // The last location is where the path begins; the first is where it goes wrong.
    let mut places = error.all("location").map(place).take(100);
    let first_place = places.next().or_else(|| (!error.attribute("file").is_empty()).then(|| place(error)));
    let message = error.attribute("msg").to_owned();
    Reported {
        rule: error.attribute("id").to_owned(),
        title: first([message.clone(), error.attribute("id").to_owned()]),
        description: paragraphs([message, error.attribute("verbose").replace("\\012", "\n")]),
        severity: severity_of(error.attribute("severity")),
        confidence: (error.attribute("inconclusive") == "true").then_some(Confidence::Low),
        cwes: identifier::cwe(error.attribute("cwe")).into_iter().collect(),
        tool_id: error.attribute("hash").to_owned(),
        place: first_place,
        places: places.collect(),
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn the_second_version_is_read() {
        let text = r#"<?xml version="1.0"?><results version="2"><cppcheck version="2.13"/><errors>
            <error id="nullPointer" severity="error" msg="Null pointer" verbose="Null pointer: p" cwe="476" hash="12">
            <location file="a.c" line="7" column="3"/><location file="a.c" line="2"/></error></errors></results>"#;
        let read = read("a.xml", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.tool_version.as_str(), read.findings.len()), ("cppcheck", "2.13", 1));
        assert_eq!(read.findings[0].places[0].line, Some(2));
        assert_eq!(read.findings[0].cwes, [476]);
    }
}
