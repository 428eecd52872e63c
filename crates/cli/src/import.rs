//! `wardroom import`: other tools' reports, shown or sent to a desk.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use wardroom_import::{Imported, Mapping, Reported, formats, read, read_table};
use wardroom_model::Severity;

use crate::args_import::{ImportArgs, ImportFormat};
use crate::failure::usage;
use crate::output::Console;
use crate::scan::send;

/// Reads the reports.
pub fn run(options: &ImportArgs) -> anyhow::Result<u8> {
    if options.list {
        let mut out = String::new();
        for format in formats() {
            let _ = writeln!(out, "{:20} {}", format.name(), format.title());
        }
        print(&out)?;
        return Ok(0);
    }
    let mapping = options.mapping.as_deref().map(mapping).transpose()?;
    let (mut partial, mut all) = (false, Vec::new());
    for file in &options.files {
        let name = file.to_string_lossy();
        let bytes = bytes(file)?;
        if options.suggest_mapping {
            let (_, mapping) = Mapping::of_report(&name, &bytes).map_err(|e| usage(e.to_string()))?;
            print(&format!("{}\n", serde_json::to_string_pretty(&mapping)?))?;
            continue;
        }
        let imported = match &mapping {
            Some(mapping) => read_table(&name, &bytes, mapping),
            None => read(&name, &bytes, options.wanted.as_deref()),
        };
        let imported = imported.map_err(|e| usage(e.to_string()))?;
        for problem in &imported.problems {
            Console::stderr(&format!("wardroom: {problem}"));
        }
        partial |= !imported.problems.is_empty();
        if options.format == ImportFormat::Text && options.send.is_none() && options.into.is_none() {
            print(&text(&name, &imported))?;
        }
        if let Some(outcome) =
            delivered(options, &imported).with_context(|| format!("{name} was not taken"))?
        {
            Console::stderr(&format!("wardroom: {name}: {outcome}"));
        }
        all.push((name.into_owned(), imported));
    }
    if options.format == ImportFormat::Json && !options.suggest_mapping {
        let reports: Vec<_> =
            all.iter().map(|(file, report)| json!({"file": file, "report": report})).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&reports)?))?;
    }
    Ok(if partial { crate::failure::RUN } else { 0 })
}

fn print(text: &str) -> anyhow::Result<()> {
    Console::stdout(|out| Ok(out.write_all(text.as_bytes())?))
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than is taken tells that there is more.
    let most = wardroom_import::LARGEST as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes).context("standard input could not be read")?;
    } else {
        let opened = fs::File::open(file).map_err(|e| usage(format!("{}: {e}", file.display())))?;
        opened.take(most).read_to_end(&mut bytes).map_err(|e| usage(format!("{}: {e}", file.display())))?;
    }
    Ok(bytes)
}

fn mapping(file: &Path) -> anyhow::Result<Mapping> {
    let text = fs::read_to_string(file).map_err(|e| usage(format!("{}: {e}", file.display())))?;
    serde_json::from_str(&text).map_err(|e| usage(format!("{}:{}: {e}", file.display(), e.line())))
}

fn delivered(options: &ImportArgs, imported: &Imported) -> anyhow::Result<Option<String>> {
    let body = json!({
        "repository": options.repository.as_deref().unwrap_or_default(),
        "branch": options.branch,
        "default_branch": options.branch,
        "commit": options.commit,
        "complete": options.complete && imported.problems.is_empty(),
        "report": imported.delivered(),
    });
    send::delivered(options.send.as_deref(), options.into.as_deref(), body)
}

fn text(name: &str, imported: &Imported) -> String {
    let Imported { tool, tool_version, findings, .. } = imported;
    let tool = format!("{tool} {tool_version}");
    let mut out = format!(
        "{name}: {}, {} {}\n",
        tool.trim(),
        findings.len(),
        if findings.len() == 1 { "finding" } else { "findings" }
    );
    for found in findings {
        let severity = found.severity.map_or("unknown", Severity::as_str);
        let _ = writeln!(out, "  {severity:8}  {}{}", shown(&found.title), place(found));
    }
    out
}

/// Where it is, in a few words.
fn place(found: &Reported) -> String {
    let package = found.package.as_ref().map(|p| format!("{} {}", p.name, p.version));
    let place = found.place.as_ref().filter(|p| !p.file.is_empty()).map(|p| match p.line {
        Some(line) => format!("{}:{line}", p.file),
        None => p.file.clone(),
    });
    let address = found.addresses.first().map(|a| format!("{} {}", a.method, a.url).trim().to_owned());
    let words: Vec<String> = [package, place, address].into_iter().flatten().map(|w| shown(&w)).collect();
    if words.is_empty() { String::new() } else { format!("  ({})", words.join(", ")) }
}

/// What a report says is hostile: no control characters reach the terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(160).collect::<String>().trim().to_owned()
}
