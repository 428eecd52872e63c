//! GitHub Actions workflow commands: each finding becomes an annotation on its lines.

use std::io::{self, Write};

use wardroom_model::{Report, Severity};

use crate::escape::{line, workflow_data, workflow_property};
use crate::summary::{Counts, Guards, count, endpoints_open_first, repository_path};

/// Writes one command a finding and one a problem, then one plain line for the log.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in report.active() {
        let level = match finding.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Info => "notice",
        };
        let (start, end) = (finding.location.start, finding.location.end);
        let file = repository_path(&report.root, &finding.location.file);
        let mut place = format!("file={},line={}", workflow_property(&line(&file)), start.line);
        // GitHub refuses columns on an annotation of several lines.
        if start.line == end.line {
            // Its last column belongs to the stretch; ours stands just past it.
            let last = end.column.saturating_sub(1).max(start.column);
            place.push_str(&format!(",endLine={},col={},endColumn={last}", end.line, start.column));
        } else {
            place.push_str(&format!(",endLine={}", end.line));
        }
        let title = format!("{}: {} ({} confidence)", finding.rule, finding.severity, finding.confidence);
        let mut message = line(&finding.message).into_owned();
        let mut add = |label: &str, text: &str| {
            if !text.is_empty() {
                message.push_str(&format!("\n{label}: {}", line(text)));
            }
        };
        add("Why", &finding.reason);
        let endpoints = endpoints_open_first(finding);
        if let Some(first) = endpoints.first() {
            let more = endpoints.len() - 1;
            let more =
                if more > 0 { format!(", and {}", count(more, "other", "others")) } else { String::new() };
            add("Reached from", &format!("{first} ({}){more}", Guards::of(first).words.join("; ")));
        }
        add("Fix", &finding.remedy);
        let (title, message) = (workflow_property(&line(&title)), workflow_data(&message));
        writeln!(out, "::{level} {place},title={title}::{message}")?;
    }
    for problem in &report.problems {
        let file = workflow_property(&line(&repository_path(&report.root, &problem.file)));
        let place = problem.line.map_or(String::new(), |line| format!(",line={line}"));
        let title = if problem.unread { "file not read" } else { "file read in part" };
        let message = workflow_data(&line(&problem.message));
        writeln!(out, "::warning file={file}{place},title=Wardroom%3A {title}::{message}")?;
    }
    let counts = Counts::of(report);
    let levels = counts.by_severity();
    let levels = if levels.is_empty() { levels } else { format!(" ({levels})") };
    writeln!(out, "Wardroom: {}{levels}", count(counts.active, "finding", "findings"))
}
