//! `wardroom surface`: the ways into an application.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use wardroom_model::{Endpoint, Filter, FilterRole, Location, Verb};
use wardroom_source::Source;

use crate::analysis;
use crate::args::{SurfaceArgs, SurfaceFormat};
use crate::cache::Cache;
use crate::failure::CLEAN;
use crate::input;
use crate::output::Console;
use crate::progress::Progress;
use crate::scan::start_threads;

#[derive(Serialize)]
struct Entry<'a> {
    method: Verb,
    path: &'a str,
    handler: &'a str,
    parameters: &'a [String],
    filters: &'a [Filter],
    authenticated: bool,
    authorized: bool,
    route: Option<&'a Location>,
    action: Option<&'a Location>,
}

/// Lists them; the exit code.
pub fn run(options: &SurfaceArgs) -> anyhow::Result<u8> {
    start_threads(None)?;
    let progress = Progress::start(false);
    progress.phase("read");
    let input = input::read(&options.path, &[])?;
    let cache = if options.no_cache { None } else { Cache::of_user() };
    let kept = cache.and_then(|c| c.load(&input::digest(&input.tree, &input.knowledge, &[])));
    let analysis = kept.unwrap_or_else(|| analysis::endpoints(input.tree, &progress));
    drop(progress);
    let wanted = |e: &&Arc<Endpoint>| {
        (!options.unauthenticated || !e.guarded_by(FilterRole::Authentication))
            && options.controller.as_ref().is_none_or(|name| handler_matches(&e.handler, name))
            && (options.verb.is_empty() || options.verb.contains(&e.verb) || e.verb == Verb::Any)
    };
    let mut endpoints: Vec<&Endpoint> = analysis.endpoints.iter().filter(wanted).map(|e| &**e).collect();
    endpoints.sort_by(|a, b| (&a.path, a.verb, &a.handler).cmp(&(&b.path, b.verb, &b.handler)));
    endpoints.dedup_by(|a, b| a.path == b.path && a.verb == b.verb && a.handler == b.handler);
    Console::stdout(|out| match options.format {
        SurfaceFormat::Table => table(&endpoints, out),
        SurfaceFormat::Json => json(&endpoints, out),
        SurfaceFormat::Csv => csv(&endpoints, out),
    })?;
    if !analysis.rails && analysis.endpoints.is_empty() {
        Console::stderr(&format!("wardroom: no Rails application in {}", options.path.display()));
    }
    for problem in analysis.problems.iter().filter(|p| p.file.contains("config/routes")) {
        Console::stderr(&format!("wardroom: {problem}; endpoints may be missing"));
    }
    std::mem::forget(analysis);
    Ok(CLEAN)
}

/// `admin` is in `admin/users#index` and `admin#show`; `Admin::UsersController` means the same.
fn handler_matches(handler: &str, name: &str) -> bool {
    let simple = |text: &str| {
        let text = text.split('#').next().unwrap_or(text).replace("::", "/");
        text.trim_end_matches("Controller").replace('_', "").to_lowercase()
    };
    simple(handler).contains(&simple(name))
}

fn filters_of(endpoint: &Endpoint, role: FilterRole) -> String {
    let mut words: Vec<String> = endpoint
        .filters
        .iter()
        .filter(|f| f.role == role)
        .map(|f| if f.conditional { format!("{}?", f.name) } else { f.name.clone() })
        .collect();
    let mut seen = std::collections::HashSet::new();
    words.retain(|w| seen.insert(w.clone()));
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

fn table(endpoints: &[&Endpoint], out: &mut dyn Write) -> anyhow::Result<()> {
    let head =
        ["METHOD", "PATH", "HANDLER", "AUTHENTICATION", "AUTHORIZATION", "PARAMETERS"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(endpoints.iter().map(|e| {
        let parameters = if e.parameters.is_empty() { "-".to_owned() } else { e.parameters.join(" ") };
        [
            e.verb.as_str().to_owned(),
            e.path.clone(),
            e.handler.clone(),
            filters_of(e, FilterRole::Authentication),
            filters_of(e, FilterRole::Authorization),
            parameters,
        ]
        .map(|cell| cell.chars().map(|c| if c.is_control() { '?' } else { c }).collect())
    }));
    // One very long path must not push every other row off the screen.
    let caps = [8, 60, 50, 30, 30, 0];
    let widths: Vec<usize> = (0..6)
        .map(|i| rows.iter().map(|r| r[i].chars().count()).filter(|w| *w <= caps[i]).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    let open = endpoints.iter().filter(|e| !e.guarded_by(FilterRole::Authentication)).count();
    let s = if endpoints.len() == 1 { "" } else { "s" };
    writeln!(
        out,
        "\n{} endpoint{s}, {open} without an authentication filter that always runs (`?` marks one under a condition)",
        endpoints.len()
    )?;
    Ok(())
}

fn json(endpoints: &[&Endpoint], out: &mut dyn Write) -> anyhow::Result<()> {
    let entries: Vec<Entry<'_>> = endpoints
        .iter()
        .map(|e| Entry {
            method: e.verb,
            path: &e.path,
            handler: &e.handler,
            parameters: &e.parameters,
            filters: &e.filters,
            authenticated: e.guarded_by(FilterRole::Authentication),
            authorized: e.guarded_by(FilterRole::Authorization),
            route: e.route.as_ref(),
            action: e.action.as_ref(),
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)?;
    Ok(())
}

fn csv(endpoints: &[&Endpoint], out: &mut dyn Write) -> anyhow::Result<()> {
    write!(
        out,
        "method,path,handler,authenticated,authentication,authorization,other_filters,parameters,route\r\n"
    )?;
    for e in endpoints {
        let route = e.route.as_ref().map_or(String::new(), |l| format!("{}:{}", l.file, l.start.line));
        let dash = |text: String| if text == "-" { String::new() } else { text };
        let cells = [
            e.verb.as_str().to_owned(),
            e.path.clone(),
            e.handler.clone(),
            e.guarded_by(FilterRole::Authentication).to_string(),
            dash(filters_of(e, FilterRole::Authentication)),
            dash(filters_of(e, FilterRole::Authorization)),
            dash(filters_of(e, FilterRole::Other)),
            e.parameters.join(" "),
            route,
        ];
        write!(out, "{}\r\n", cells.map(|c| cell(&c)).join(","))?;
    }
    Ok(())
}

/// RFC 4180, and nothing that a spreadsheet would take for a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// `wardroom ir FILE`: the tree of one file.
pub fn tree(file: &Path) -> anyhow::Result<u8> {
    let text = fs::read(file).with_context(|| format!("{} could not be read", file.display()))?;
    let path = file.to_string_lossy().replace('\\', "/");
    let loaded = wardroom_rails::load(vec![Source { path: path.into(), text: text.into() }]);
    Console::stdout(|out| {
        for file in &loaded.files {
            serde_json::to_writer_pretty(&mut *out, &file.parsed)?;
            writeln!(out)?;
        }
        Ok(())
    })?;
    Ok(CLEAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_by_path_or_class() {
        for (name, yes) in [
            ("admin", true),
            ("Admin::UsersController", true),
            ("users", true),
            ("index", false),
            ("admin/users", true),
        ] {
            assert_eq!(handler_matches("admin/users#index", name), yes, "{name}");
        }
    }

    #[test]
    fn cells() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
