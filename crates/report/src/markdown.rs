//! Markdown for a comment on a merge request: a table of all, then the worst at length.
//!
//! Forges refuse comments beyond a size (GitHub: 65,536 characters), so sections stop before it
//! and the comment says how many findings stand only in the table.

use std::fmt::Write as _;
use std::io::{self, Write};

use wardroom_model::{Finding, Report};

use crate::escape::{code, line, markdown, markdown_code, markdown_fence, shorten};
use crate::summary::{
    Counts, Guards, count, cwe_url, dots, elsewhere, endpoints_open_first, feeds, libraries, number,
    published, shape,
};

/// Rows and sections together stay below this many bytes.
const SIZE: usize = 60_000;
/// The table takes at most this much of it.
const TABLE: usize = 30_000;
/// Problems that are listed; the rest is counted.
const PROBLEMS: usize = 20;

/// Writes the comment.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::of(report);
    let mut page = String::new();
    if counts.active == 0 {
        page.push_str("## Wardroom: no findings\n");
    } else {
        let _ = writeln!(page, "## Wardroom: {}\n", count(counts.active, "finding", "findings"));
        let files = count(counts.files, "file", "files");
        let _ = writeln!(page, "{} in {files}.\n", counts.by_severity());
    }
    let findings: Vec<&Finding> = report.active().collect();
    if !findings.is_empty() {
        table(&findings, &mut page);
    }
    let mut left = findings.len();
    for finding in &findings {
        let section = section(report, finding);
        if page.len() + section.len() > SIZE {
            break;
        }
        page.push_str(&section);
        left -= 1;
    }
    if left > 0 {
        let _ = writeln!(
            page,
            "\n{} not described here, for the length of this comment.",
            count(left, "finding is", "findings are")
        );
    }
    problems(report, &mut page);
    let stats = &report.stats;
    let _ = write!(
        page,
        "\n<sub>Read {}, {}, {}; {}",
        count(stats.ruby_files as usize, "Ruby file", "Ruby files"),
        count(stats.templates as usize, "template", "templates"),
        count(stats.lines as usize, "line", "lines"),
        count(stats.endpoints as usize, "endpoint", "endpoints"),
    );
    for more in [libraries(report), feeds(report).map(|f| format!("advisories: {f}"))].into_iter().flatten() {
        let _ = write!(page, "; {}", markdown(&more));
    }
    if counts.suppressed_total() > 0 {
        let _ = write!(page, "; {} suppressed", number(counts.suppressed_total() as u64));
    }
    let _ = writeln!(page, ". Wardroom {}</sub>", markdown(&report.version));
    out.write_all(page.as_bytes())
}

fn table(findings: &[&Finding], page: &mut String) {
    page.push_str("| Severity | Confidence | Rule | Where | What |\n|:--|:--|:--|:--|:--|\n");
    for (index, finding) in findings.iter().enumerate() {
        let (severity, confidence) = (finding.severity, finding.confidence);
        let place = format!("{}:{}", finding.location.file, finding.location.start.line);
        let row = format!(
            "| {} {severity} | {} {confidence} | {} | {} | {} |\n",
            shape(severity),
            dots(confidence),
            markdown_code(&finding.rule),
            markdown_code(&place),
            markdown(&shorten(&finding.message, 300)),
        );
        if page.len() + row.len() > TABLE {
            let left = findings.len() - index;
            let _ = writeln!(
                page,
                "\n{} not in this table, for the length of this comment.",
                count(left, "finding is", "findings are")
            );
            return;
        }
        page.push_str(&row);
    }
}

fn section(report: &Report, finding: &Finding) -> String {
    let mut out = String::new();
    let place = format!("{}:{}", finding.location.file, finding.location.start.line);
    let title = report.rule(&finding.rule).map_or(finding.rule.as_str(), |rule| rule.title);
    // Inside <summary> a forge reads HTML, so what stands there is escaped for HTML.
    let _ = writeln!(
        out,
        "\n<details>\n<summary>{} {}: {} in <code>{}</code></summary>\n",
        shape(finding.severity),
        finding.severity,
        crate::escape::html(&line(title)),
        crate::escape::html(&line(&place)),
    );
    let _ = writeln!(out, "{}\n", markdown(&shorten(&finding.message, 1500)));
    if !finding.location.snippet.trim().is_empty() {
        let source = shorten(&finding.location.snippet, 1200);
        let _ = writeln!(out, "{}", markdown_fence(&source, language(&finding.location.file)));
    }
    if !finding.path.is_empty() {
        out.push_str("**Path**\n\n");
        for (index, step) in finding.path.iter().enumerate() {
            let place =
                format!("{}:{}:{}", step.location.file, step.location.start.line, step.location.start.column);
            let _ = write!(
                out,
                "{}. {} ({})",
                index + 1,
                markdown(&shorten(&step.note, 400)),
                markdown_code(&place)
            );
            let source = code(&step.location.snippet);
            let source = markdown_code(&shorten(source.lines().next().unwrap_or_default(), 200));
            let _ = if source.is_empty() { writeln!(out) } else { writeln!(out, "  \n   {source}") };
        }
        out.push('\n');
    }
    let endpoints = endpoints_open_first(finding);
    if !endpoints.is_empty() {
        out.push_str("**Reached from**\n\n");
        for endpoint in endpoints.iter().take(3) {
            let guards: Vec<String> = Guards::of(endpoint).words.iter().map(|w| markdown(w)).collect();
            let name = markdown_code(&endpoint.to_string());
            let _ = writeln!(out, "- {name}: {}", guards.join("; "));
        }
        if endpoints.len() > 3 {
            let _ = writeln!(out, "- and {}", count(endpoints.len() - 3, "other", "others"));
        }
        out.push('\n');
    }
    for (label, text) in [("Also in", elsewhere(finding)), ("Known as", published(finding))] {
        if let Some(text) = text {
            let _ = writeln!(out, "**{label}:** {}\n", markdown(&text));
        }
    }
    for (label, text) in [("Why", &finding.reason), ("Fix", &finding.remedy)] {
        if !text.trim().is_empty() {
            let _ = writeln!(out, "**{label}:** {}\n", markdown(&shorten(text, 1500)));
        }
    }
    let _ = writeln!(
        out,
        "{} [{}]({}), {} confidence\n\n</details>",
        markdown_code(&finding.rule),
        finding.cwe,
        cwe_url(finding.cwe),
        finding.confidence
    );
    out
}

fn problems(report: &Report, page: &mut String) {
    if report.problems.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "\n**{}**\n",
        count(report.problems.len(), "problem while reading", "problems while reading")
    );
    for problem in report.problems.iter().take(PROBLEMS) {
        let place = problem.line.map_or(problem.file.to_string(), |n| format!("{}:{n}", problem.file));
        let part = if problem.unread { "not read" } else { "read in part" };
        let _ = writeln!(
            page,
            "- {} ({part}): {}",
            markdown_code(&place),
            markdown(&shorten(&problem.message, 300))
        );
    }
    if report.problems.len() > PROBLEMS {
        let _ = writeln!(page, "- and {}", count(report.problems.len() - PROBLEMS, "other", "others"));
    }
}

/// What a forge colours the code as.
fn language(file: &str) -> &'static str {
    match file.rsplit('.').next().unwrap_or_default() {
        "erb" => "erb",
        "haml" => "haml",
        "slim" => "slim",
        "yml" | "yaml" => "yaml",
        _ => "ruby",
    }
}
