//! CSV, RFC 4180: one row a finding, suppressed ones marked, nothing that a spreadsheet would run.

use std::io::{self, Write};

use wardroom_model::Report;

use crate::escape::csv_cell;
use crate::summary::{Guards, endpoints_open_first};

const HEADER: &str = "fingerprint,rule,category,severity,confidence,cwe,file,line,column,end_line,end_column,message,reason,remedy,path,endpoints,open_endpoints,suppressed,suppression_reason";

/// Writes the table.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for finding in &report.findings {
        let (start, end) = (finding.location.start, finding.location.end);
        let steps: Vec<String> = finding
            .path
            .iter()
            .map(|s| format!("{}:{} {}", s.location.file, s.location.start.line, s.note))
            .collect();
        let endpoints: Vec<String> = endpoints_open_first(finding)
            .iter()
            .map(|e| {
                format!("{} {} {} ({})", e.verb.as_str(), e.path, e.handler, Guards::of(e).words.join("; "))
            })
            .collect();
        let open = finding.endpoints.iter().filter(|e| !Guards::of(e).authenticated).count();
        let suppression = finding.suppression.as_ref();
        let row = [
            finding.fingerprint.to_string(),
            finding.rule.clone(),
            report.rule(&finding.rule).map_or(String::new(), |r| r.category.title().to_owned()),
            finding.severity.to_string(),
            finding.confidence.to_string(),
            finding.cwe.to_string(),
            finding.location.file.to_string(),
            start.line.to_string(),
            start.column.to_string(),
            end.line.to_string(),
            end.column.to_string(),
            finding.message.clone(),
            finding.reason.clone(),
            finding.remedy.clone(),
            steps.join(" → "),
            endpoints.join(" | "),
            open.to_string(),
            suppression.map_or(String::new(), |s| s.kind.clone()),
            suppression.map_or(String::new(), |s| s.reason.clone()),
        ];
        let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}
