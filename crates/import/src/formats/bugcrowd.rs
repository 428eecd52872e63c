//! Bugcrowd: the CSV export of submissions.

use super::{Format, Likeness};
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, Table, identifier};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Bugcrowd;

impl Format for Bugcrowd {
    fn name(&self) -> &'static str {
        "bugcrowd"
    }

    fn title(&self) -> &'static str {
        "Bugcrowd"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let columns = ["reference_number", "title", "priority", "bug_url"];
        let known = shape.table().is_some_and(|t| {
            t.has(&columns) || t.has(&["vrt_lineage", "priority"]) || t.has(&["vrt_id", "priority"])
        });
        if known { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(table) = shape.table() else { return };
        for row in 0..table.len() {
            let finding = of_row(table, row);
            if finding.title.is_empty() && finding.tool_id.is_empty() {
                report.problem(&format!("row {}", row + 2), "it has neither a title nor a number");
            } else {
                report.found(finding);
            }
        }
    }
}

fn of_row(table: &Table, row: usize) -> Reported {
    let cell = |column: &str| table.cell(row, column).to_owned();
    let (state, substate) = (cell("state").to_ascii_lowercase(), cell("substate").to_ascii_lowercase());
    let references = cell("vulnerability_references");
    let description = cell("description");
    let target = cell("target_name");
    let request = cell("http_request");
    let method = request.split_whitespace().next().unwrap_or_default();
    let url = first([cell("bug_url"), if target.contains('.') { target.clone() } else { String::new() }]);
    let duplicate = cell("duplicate").eq_ignore_ascii_case("true");
    Reported {
        rule: table.any(row, &["vrt_lineage", "vrt_id"]).to_owned(),
        title: first([cell("title"), cell("caption")]),
        description: paragraphs([
            description.clone(),
            cell("extra_info"),
            labelled("Target", &target),
            labelled("Reported by", &cell("username")),
        ]),
        remedy: cell("remediation_advice"),
        // P1 to P5.
        severity: match cell("priority").trim_start_matches(['P', 'p']) {
            "1" => Some(Severity::Critical),
            "2" => Some(Severity::High),
            "3" => Some(Severity::Medium),
            "4" => Some(Severity::Low),
            _ => Some(Severity::Info),
        },
        cwes: identifier::cwes(&references),
        ids: identifier::published(&format!("{} {description}", cell("title"))),
        tool_id: cell("reference_number"),
        addresses: if url.is_empty() && request.is_empty() {
            Vec::new()
        } else {
            vec![Address { url, method: method.to_owned(), request, ..Address::default() }]
        },
        // Written as Markdown: what stands in the round brackets of a link is its address.
        references: links(&references.replace("](", " ")),
        standing: match substate.as_str() {
            "resolved" | "fixed" => Standing::Fixed,
            "wont_fix" | "wont-fix" | "won't fix" | "informational" => Standing::Accepted,
            "not_applicable" | "not-applicable" | "not_reproducible" | "not-reproducible"
            | "out_of_scope" | "out-of-scope" | "rejected" => Standing::FalsePositive,
            _ if duplicate => Standing::Accepted,
            _ if state == "resolved" => Standing::Fixed,
            _ => Standing::Open,
        },
        found: cell("submitted_at"),
        tags: vec![cell("target_category"), if duplicate { "duplicate".to_owned() } else { String::new() }],
        ..Reported::default()
    }
}
