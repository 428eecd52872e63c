//! Kiuwan Code Security: CSV.

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, Table, identifier, severity};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Kiuwan;

impl Format for Kiuwan {
    fn name(&self) -> &'static str {
        "kiuwan"
    }

    fn title(&self) -> &'static str {
        "Kiuwan"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        match shape.table().is_some_and(|t| t.has(&["Rule code", "Rule", "Priority", "File"])) {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(table) = shape.table() else { return };
        // One row comes again for each path that leads through the same two lines.
        let mut groups = Groups::default();
        for row in 0..table.len() {
            if table.any(row, &["Rule code", "Rule"]).is_empty() {
                report.problem(&format!("row {}", row + 2), "it names no rule");
            } else {
                let whole: Vec<&str> = table.columns().map(|column| table.cell(row, column)).collect();
                groups.put(whole.join("\n"), of_row(table, row));
            }
        }
        groups.tell(report);
    }
}

fn of_row(table: &Table, row: usize) -> Reported {
    let cell = |column: &str| table.cell(row, column).to_owned();
    let (file, source) = (cell("File"), cell("Source file"));
    let norms = cell("Normative");
    let place = |file: String, line: &str, text: &str| Place {
        snippet: cell(text),
        ..Place::new(file, cell(line).parse().ok())
    };
    let mut cwes: Vec<u32> = identifier::cwe(&cell("CWE")).into_iter().collect();
    cwes.extend(identifier::cwes(&norms));
    Reported {
        rule: cell("Rule code"),
        title: cell("Rule"),
        description: paragraphs([
            cell("Rule"),
            labelled("Kind", &first([cell("Vulnerability type"), cell("Software characteristic")])),
            labelled("Language", &cell("Language")),
            labelled("Framework", &cell("Framework")),
            labelled("Norms", &norms),
            labelled("Effort", &cell("Effort")),
        ]),
        severity: match cell("Priority").to_ascii_lowercase().as_str() {
            "very high" => Some(Severity::Critical),
            "normal" => Some(Severity::Medium),
            "very low" => Some(Severity::Info),
            word => severity::of_word(word),
        },
        cwes,
        place: (!file.is_empty()).then(|| place(file, "Line number", "Line text")),
        places: if source.is_empty() {
            Vec::new()
        } else {
            vec![place(source, "Source line number", "Source line text")]
        },
        standing: match cell("Muted").as_str() {
            "Yes" | "yes" | "true" => Standing::Accepted,
            _ if cell("Status").eq_ignore_ascii_case("false positive") => Standing::FalsePositive,
            _ => Standing::Open,
        },
        tags: vec![cell("Software characteristic"), cell("Vulnerability type")],
        ..Reported::default()
    }
}
