//! One HTML page that needs nothing else: no request, no script, light and dark, wide and narrow.
//!
//! Filters are checkboxes and CSS. Every string of the report goes through [`html`] on its way to
//! the page, and the page's own policy forbids scripts should one ever get past it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use wardroom_model::{Endpoint, Finding, Report, Rule, Step};

use crate::escape::{code, html, html_message, line, shorten};
use crate::html_style::STYLE;
use crate::snippet::marked;
use crate::summary::{
    CONFIDENCES, Counts, Guards, SEVERITIES, advisory_url, count, cwe_url, dots, duration, elsewhere,
    endpoints_open_first, feeds, libraries, milliseconds, number, published, shape, utc,
};

/// Endpoints that are listed at once; the rest unfolds.
const ENDPOINTS: usize = 3;
/// Longer messages come from generated code, and nobody reads on.
const MESSAGE: usize = 800;

/// Writes the page.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::of(report);
    let numbered: Vec<(usize, &Finding)> =
        report.findings.iter().enumerate().map(|(i, f)| (i + 1, f)).collect();
    let (active, suppressed): (Vec<_>, Vec<_>) =
        numbered.into_iter().partition(|(_, f)| f.suppression.is_none());
    let title = match counts.active {
        0 => "No findings".to_owned(),
        n => count(n, "finding", "findings"),
    };
    write!(
        out,
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Wardroom {}">
<title>{title} in {} · Wardroom</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
"##,
        html(&line(&report.version)),
        html(&line(&report.root)),
    )?;
    masthead(report, &counts, &title, out)?;
    writeln!(out, r#"<div class="layout">"#)?;
    sidebar(report, &counts, &active, out)?;
    writeln!(out, r#"<main id="findings">"#)?;
    if active.is_empty() {
        writeln!(out, r#"<p class="calm">Nothing was found at the confidence asked for.</p>"#)?;
    }
    for (number, finding) in &active {
        article(*number, finding, report, out)?;
    }
    if !suppressed.is_empty() {
        let n = count(suppressed.len(), "suppressed finding", "suppressed findings");
        writeln!(out, r#"<section id="suppressed"><details class="fold"><summary><h2>{n}</h2></summary>"#)?;
        for (number, finding) in &suppressed {
            article(*number, finding, report, out)?;
        }
        writeln!(out, "</details></section>")?;
    }
    problems(report, out)?;
    rules(report, out)?;
    writeln!(out, "</main>\n</div>")?;
    footer(report, out)?;
    writeln!(out, "</body>\n</html>")
}

fn masthead(report: &Report, counts: &Counts, title: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<header class="masthead">"#)?;
    writeln!(out, r#"<p class="brand">Wardroom scan of <strong>{}</strong></p>"#, html(&line(&report.root)))?;
    writeln!(out, "<h1>{title}</h1>")?;
    if counts.active > 0 {
        writeln!(
            out,
            r#"<div class="scroll"><table class="counts"><caption class="hidden">Findings by severity and confidence</caption>"#
        )?;
        write!(out, r#"<thead><tr><td></td>"#)?;
        // A column of noughts would claim that what was not asked for is not there.
        let shown: Vec<_> = CONFIDENCES
            .into_iter()
            .filter(|&c| SEVERITIES.into_iter().any(|s| counts.cell(s, c) > 0))
            .collect();
        for &confidence in &shown {
            write!(
                out,
                r#"<th scope="col"><span aria-hidden="true">{}</span> {confidence} confidence</th>"#,
                dots(confidence)
            )?;
        }
        writeln!(out, "</tr></thead>\n<tbody>")?;
        for severity in SEVERITIES.into_iter().filter(|&s| counts.severity(s) > 0) {
            write!(
                out,
                r#"<tr><th scope="row" class="level {severity}"><span aria-hidden="true">{}</span> {severity}</th>"#,
                shape(severity)
            )?;
            for &confidence in &shown {
                match counts.cell(severity, confidence) {
                    0 => write!(out, r#"<td class="none">0</td>"#)?,
                    n => write!(out, "<td>{}</td>", number(n as u64))?,
                }
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</tbody></table></div>")?;
    }
    let stats = &report.stats;
    let mut facts = vec![
        count(stats.ruby_files as usize, "Ruby file", "Ruby files"),
        count(stats.templates as usize, "template", "templates"),
        count(stats.lines as usize, "line", "lines"),
        count(stats.endpoints as usize, "endpoint", "endpoints"),
    ];
    facts.extend(libraries(report));
    facts.extend(feeds(report).map(|feeds| format!("advisories: {}", html(&feeds))));
    if stats.skipped_files > 0 {
        facts.push(format!(
            "{} of tests and vendored code skipped",
            count(stats.skipped_files as usize, "file", "files")
        ));
    }
    if !report.problems.is_empty() {
        let n = count(report.problems.len(), "problem", "problems");
        facts.push(format!(r##"<a href="#problems">{n} while reading</a>"##));
    }
    if counts.suppressed_total() > 0 {
        let n = number(counts.suppressed_total() as u64);
        facts.push(format!(r##"<a href="#suppressed">{n} suppressed</a>"##));
    }
    writeln!(out, r#"<ul class="facts"><li>{}</li></ul>"#, facts.join("</li><li>"))?;
    writeln!(out, "</header>")
}

fn sidebar(
    report: &Report,
    counts: &Counts,
    active: &[(usize, &Finding)],
    out: &mut dyn Write,
) -> io::Result<()> {
    if active.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<nav aria-label="Filter and index">"#)?;
    writeln!(out, "<fieldset><legend>Severity</legend>")?;
    for severity in SEVERITIES.into_iter().filter(|&s| counts.severity(s) > 0) {
        writeln!(
            out,
            r#"<label><input type="checkbox" id="show-{severity}" checked> <span class="level {severity}"><span aria-hidden="true">{}</span> {severity}</span> <span class="n">{}</span></label>"#,
            shape(severity),
            number(counts.severity(severity) as u64)
        )?;
    }
    writeln!(out, "</fieldset>\n<fieldset><legend>Confidence</legend>")?;
    for confidence in CONFIDENCES {
        let n: usize = SEVERITIES.into_iter().map(|s| counts.cell(s, confidence)).sum();
        if n > 0 {
            writeln!(
                out,
                r#"<label><input type="checkbox" id="show-sure-{confidence}" checked> <span><span aria-hidden="true" class="dots">{}</span> {confidence}</span> <span class="n">{}</span></label>"#,
                dots(confidence),
                number(n as u64)
            )?;
        }
    }
    writeln!(out, "</fieldset>")?;
    let mut by_rule: BTreeMap<&str, Vec<(usize, &Finding)>> = BTreeMap::new();
    let mut by_file: BTreeMap<&str, Vec<(usize, &Finding)>> = BTreeMap::new();
    for &(number, finding) in active {
        by_rule.entry(&finding.rule).or_default().push((number, finding));
        by_file.entry(&finding.location.file).or_default().push((number, finding));
    }
    writeln!(
        out,
        r#"<details class="index"><summary><h2>Rules</h2> <span class="n">{}</span></summary><ul>"#,
        number(by_rule.len() as u64)
    )?;
    for (rule, findings) in &by_rule {
        let title = report.rule(rule).map_or(*rule, |r| r.title);
        index_entry(
            &html(&line(rule)),
            &html(&line(title)),
            findings,
            |f| format!("{}:{}", f.location.file, f.location.start.line),
            out,
        )?;
    }
    writeln!(out, "</ul></details>")?;
    writeln!(
        out,
        r#"<details class="index"><summary><h2>Files</h2> <span class="n">{}</span></summary><ul>"#,
        number(by_file.len() as u64)
    )?;
    for (file, findings) in &by_file {
        let name = html(&line(file)).replace('/', "/<wbr>");
        index_entry(&name, "", findings, |f| format!("{} {}", f.location.start.line, f.rule), out)?;
    }
    writeln!(out, "</ul></details>\n</nav>")
}

/// `name` and `title` are HTML already.
fn index_entry(
    name: &str,
    title: &str,
    findings: &[(usize, &Finding)],
    label: impl Fn(&Finding) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = if title.is_empty() { String::new() } else { format!(r#" title="{title}""#) };
    write!(
        out,
        r#"<li><details><summary><span class="name"{title}>{name}</span> <span class="n">{}</span></summary><ul>"#,
        findings.len()
    )?;
    for (number, finding) in findings {
        write!(
            out,
            r##"<li class="{0} sure-{1}"><a href="#f{number}"><span class="level {0}"><span aria-hidden="true">{2}</span><span class="hidden">{0}</span></span> {3}</a></li>"##,
            finding.severity,
            finding.confidence,
            shape(finding.severity),
            html(&line(&label(finding))).replace('/', "/<wbr>"),
        )?;
    }
    writeln!(out, "</ul></details></li>")
}

fn article(number: usize, finding: &Finding, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (severity, confidence) = (finding.severity, finding.confidence);
    let rule = html(&line(&finding.rule));
    writeln!(out, r#"<article id="f{number}" class="finding {severity} sure-{confidence}">"#)?;
    let rule = if report.rule(&finding.rule).is_some() {
        format!(r##"<a class="rule" href="#rule-{rule}">{rule}</a>"##)
    } else {
        format!(r#"<span class="rule">{rule}</span>"#)
    };
    writeln!(
        out,
        r#"<p class="tags"><span class="level {severity}"><span aria-hidden="true">{}</span> {severity}</span> {rule} <span class="confidence"><span aria-hidden="true" class="dots">{}</span> {confidence} confidence</span> <a class="cwe" href="{}" rel="noreferrer">{}</a></p>"#,
        shape(severity),
        dots(confidence),
        cwe_url(finding.cwe),
        finding.cwe,
    )?;
    writeln!(out, "<h3>{}</h3>", html_message(&shorten(&finding.message, MESSAGE)))?;
    let place = &finding.location;
    writeln!(
        out,
        r##"<p class="place"><a href="#f{number}">{}<span class="at">:{}:{}</span></a></p>"##,
        html(&line(&place.file)).replace('/', "/<wbr>"),
        place.start.line,
        place.start.column
    )?;
    if let Some(suppression) = &finding.suppression {
        let reason = html_message(&shorten(&suppression.reason, MESSAGE));
        let reason = if reason.is_empty() { "no reason given".to_owned() } else { reason };
        writeln!(
            out,
            r#"<p class="suppressed">Suppressed ({}): {reason}</p>"#,
            html(&line(&suppression.kind))
        )?;
    }
    source(finding, out)?;
    path(&finding.path, out)?;
    let texts = [&finding.reason, &finding.remedy].into_iter().any(|t| !t.trim().is_empty());
    let (published, elsewhere) = (published(finding), elsewhere(finding));
    if !texts
        && finding.endpoints.is_empty()
        && finding.fix.is_none()
        && published.is_none()
        && elsewhere.is_none()
    {
        return writeln!(out, "</article>");
    }
    writeln!(out, "<dl>")?;
    if let Some(places) = elsewhere {
        writeln!(out, "<dt>Also in</dt><dd>{}</dd>", html(&places))?;
    }
    if let Some(names) = published {
        let names = html(&names);
        match advisory_url(finding) {
            Some(url) => writeln!(
                out,
                r#"<dt>Known as</dt><dd><a href="{}" rel="noreferrer">{names}</a></dd>"#,
                html(url)
            )?,
            None => writeln!(out, "<dt>Known as</dt><dd>{names}</dd>")?,
        }
    }
    if !finding.reason.trim().is_empty() {
        writeln!(out, "<dt>Why</dt><dd>{}</dd>", html_message(&shorten(&finding.reason, MESSAGE)))?;
    }
    endpoints(finding, out)?;
    if !finding.remedy.trim().is_empty() {
        writeln!(
            out,
            r#"<dt>Fix</dt><dd class="fix">{}</dd>"#,
            html_message(&shorten(&finding.remedy, MESSAGE))
        )?;
    }
    if let Some(fix) = &finding.fix {
        writeln!(
            out,
            "<dt>Change</dt><dd>{}. <code>--fix</code> shows it.</dd>",
            html_message(fix.title.trim_end_matches('.'))
        )?;
    }
    writeln!(out, "</dl>\n</article>")
}

fn source(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    if finding.location.snippet.trim().is_empty() {
        return Ok(());
    }
    let (source, span) = marked(&finding.location);
    write!(out, r#"<pre class="source" tabindex="0" aria-label="Source"><code>"#)?;
    // What all lines are indented by only pushes the code out of view.
    let space = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let indent = source.lines().filter(|l| !l.trim().is_empty()).map(space).min().unwrap_or(0);
    let mut next = 0;
    for (index, text) in source.split('\n').enumerate() {
        let end = next + text.len();
        let begin = next + indent.min(space(text));
        let text = &source[begin..end];
        next = end + 1;
        // An indented line of a marked stretch is marked from its first word on.
        let blank = text.len() - text.trim_start().len();
        let from = span.start.clamp(begin, end).max(if span.start < begin { begin + blank } else { begin });
        let to = span.end.clamp(begin, end).max(from);
        let class = if span.start <= end && span.end >= begin { "l hit" } else { "l" };
        write!(out, r#"<span class="{class}" data-n="{}">"#, finding.location.start.line as usize + index)?;
        let part = |range: std::ops::Range<usize>| html(&source[range]);
        write!(out, "{}", part(begin..from))?;
        if from < to {
            write!(out, "<mark>{}</mark>", part(from..to))?;
        }
        write!(out, "{}\n</span>", part(to..end))?;
    }
    writeln!(out, "</code></pre>")
}

fn path(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let n = count(steps.len(), "step", "steps");
    writeln!(out, r#"<details class="path"><summary>Path, {n}</summary><ol>"#)?;
    for step in steps {
        let place = &step.location;
        let snippet = code(&place.snippet);
        let first = shorten(snippet.lines().next().unwrap_or_default().trim(), 400);
        write!(
            out,
            r#"<li><p>{}</p><p class="place">{}<span class="at">:{}:{}</span></p>"#,
            html_message(&shorten(&step.note, MESSAGE)),
            html(&line(&place.file)).replace('/', "/<wbr>"),
            place.start.line,
            place.start.column,
        )?;
        if !first.is_empty() {
            write!(
                out,
                r#"<pre tabindex="0" aria-label="Source"><code>{}</code></pre>"#,
                html(&line(&first))
            )?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ol></details>")
}

fn endpoints(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let endpoints = endpoints_open_first(finding);
    if endpoints.is_empty() {
        return Ok(());
    }
    let list = |endpoints: &[&Endpoint], out: &mut dyn Write| -> io::Result<()> {
        writeln!(out, r#"<ul class="endpoints">"#)?;
        for endpoint in endpoints {
            let guards = Guards::of(endpoint);
            let words: Vec<String> = guards.words.iter().map(|w| html(&line(w))).collect();
            let (first, others) = words.split_first().map_or(("", words.as_slice()), |(f, o)| (f, o));
            let others: String = others.iter().map(|w| format!(" · {w}")).collect();
            let open = if guards.authenticated { "guarded" } else { "open" };
            writeln!(
                out,
                r#"<li><span class="verb">{}</span> <code>{}</code> <span class="handler"><span aria-hidden="true">→</span> {}</span><span class="guards"><span class="{open}">{first}</span>{others}</span></li>"#,
                endpoint.verb.as_str(),
                html(&line(&endpoint.path)).replace('/', "/<wbr>"),
                html(&line(&endpoint.handler)).replace('/', "/<wbr>"),
            )?;
        }
        writeln!(out, "</ul>")
    };
    writeln!(out, "<dt>Reached from</dt><dd>")?;
    list(&endpoints[..endpoints.len().min(ENDPOINTS)], out)?;
    if endpoints.len() > ENDPOINTS {
        let n = count(endpoints.len() - ENDPOINTS, "other endpoint", "other endpoints");
        writeln!(out, "<details><summary>and {n}</summary>")?;
        list(&endpoints[ENDPOINTS..], out)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</dd>")
}

fn problems(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    let n = count(report.problems.len(), "problem while reading", "problems while reading");
    writeln!(out, r#"<section id="problems"><h2>{n}</h2><ul class="problems">"#)?;
    for problem in &report.problems {
        let place = problem.line.map_or(String::new(), |n| format!(":{n}"));
        let part = if problem.unread { "not read" } else { "read in part" };
        writeln!(
            out,
            r#"<li><span class="place">{}{place}</span> <span class="part">{part}</span><br>{}</li>"#,
            html(&line(&problem.file)).replace('/', "/<wbr>"),
            html_message(&shorten(&problem.message, MESSAGE)),
        )?;
    }
    writeln!(out, "</ul></section>")
}

/// The pages of the rules that have findings here.
fn rules(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let found = |rule: &&&Rule| report.findings.iter().any(|f| f.rule == rule.id);
    let mut rules = report.rules.iter().filter(found).peekable();
    if rules.peek().is_none() {
        return Ok(());
    }
    writeln!(out, r#"<section id="rules"><h2>About the rules</h2>"#)?;
    for rule in rules {
        let id = html(rule.id);
        writeln!(
            out,
            r#"<details class="page" open id="rule-{id}"><summary><code>{id}</code> {}</summary><div>"#,
            html_message(rule.title)
        )?;
        writeln!(out, "{}</div></details>", document(rule.doc))?;
    }
    writeln!(out, "</section>")
}

/// A rule's page as HTML. Raw HTML in it is shown as text, headings go below the page's own, and
/// links lead to the web or nowhere.
fn document(markdown: &str) -> String {
    let level = |level: HeadingLevel| match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    };
    // The page's title stands above it already.
    let markdown = markdown.trim_start();
    let markdown = match markdown.strip_prefix("# ") {
        Some(after) => after.split_once('\n').map_or("", |(_, body)| body),
        None => markdown,
    };
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Heading { level: l, .. }) => {
            Event::Start(Tag::Heading { level: level(l), id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(l)) => Event::End(TagEnd::Heading(level(l))),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let web = dest_url.starts_with("https://") || dest_url.starts_with("http://");
            let dest_url = if web { dest_url } else { "#rules".into() };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // An image would be a request.
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        event => event,
    });
    let mut page = String::new();
    pulldown_cmark::html::push_html(&mut page, events);
    page
}

fn footer(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut facts = vec![format!("Wardroom {}", html(&line(&report.version)))];
    if let Some(started) = report.started {
        let time = utc(started);
        facts.push(format!(r#"<time datetime="{time}Z">{} UTC</time>"#, time.replace('T', " ")));
    }
    if !report.stats.phases.is_empty() {
        facts.push(duration(milliseconds(report)));
    }
    writeln!(out, "<footer><p>{}</p></footer>", facts.join(" · "))
}
