//! Flawfinder's CSV, 2. It writes SARIF as well.

use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::wording::{first, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct Flawfinder;

impl Format for Flawfinder {
    fn name(&self) -> &'static str {
        "flawfinder"
    }

    fn title(&self) -> &'static str {
        "Flawfinder"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = shape
            .table()
            .is_some_and(|t| t.has(&["File", "Line", "DefaultLevel", "Level", "Warning", "CWEs"]));
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(table) = shape.table() else { return };
        for row in 0..table.len() {
            let cell = |column: &str| table.cell(row, column).to_owned();
            report.tool("", table.cell(row, "ToolVersion"));
            let warning = cell("Warning");
            report.found(Reported {
                rule: first([cell("RuleId"), cell("Name")]),
                title: first([format!("{}/{}: {warning}", cell("Category"), cell("Name")), warning.clone()]),
                description: paragraphs([warning, cell("Note")]),
                remedy: cell("Suggestion"),
                severity: of_level(table.cell(row, "Level")),
                cwes: identifier::cwes(table.cell(row, "CWEs")),
                tool_id: cell("Fingerprint"),
                place: Some(Place {
                    column: table.cell(row, "Column").parse().ok(),
                    snippet: cell("Context"),
                    ..Place::new(cell("File"), table.cell(row, "Line").parse().ok())
                }),
                references: vec![cell("HelpUri")],
                tags: vec![cell("Category")],
                ..Reported::default()
            });
        }
    }
}

/// From 0, very little risk, to 5.
fn of_level(level: &str) -> Option<Severity> {
    Some(match level.trim().parse::<u8>().ok()? {
        5.. => Severity::Critical,
        4 => Severity::High,
        3 => Severity::Medium,
        1 | 2 => Severity::Low,
        0 => Severity::Info,
    })
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn the_table_is_read() {
        let text = "File,Line,Column,DefaultLevel,Level,Category,Name,Warning,Suggestion,Note,CWEs,Context,Fingerprint\n\
            a.c,4,2,4,4,buffer,strcpy,Does not check,Use strlcpy,,CWE-120,strcpy(a);,abc\n";
        let read = read("a.csv", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("flawfinder", 1));
        assert_eq!(read.findings[0].title, "buffer/strcpy: Does not check");
    }
}
