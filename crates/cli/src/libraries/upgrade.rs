//! `wardroom upgrade`, and the changes of lockfiles for `wardroom scan --fix`.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::json;
use wardroom_deps::lockfile::Inventory;
use wardroom_deps::matching::Matcher;
use wardroom_deps::upgrade::{self, Change, Plan};
use wardroom_deps::version::Step;
use wardroom_model::{Fix, Replacement};
use wardroom_source::Source;

use super::Libraries;
use super::advisories::{Advisories, warning};
use super::registry::Lists;
use crate::args_libraries::{PlanFormat, UpgradeArgs};
use crate::clock::{self, Date};
use crate::failure::{CLEAN, FINDINGS, usage};
use crate::output::Console;

/// The Ruby that an application runs on, as one of its files says; empty where none does.
fn runtime(libraries: &Libraries) -> String {
    let files = libraries.files.iter().flat_map(|(_, inventory)| &inventory.runtimes);
    let exact = |version: &&String| version.starts_with(|c: char| c.is_ascii_digit());
    files
        .filter(|(name, _)| name == "ruby")
        .map(|(_, version)| version)
        .find(exact)
        .cloned()
        .unwrap_or_default()
}

/// What plans are made with.
struct Planner<'a> {
    libraries: &'a Libraries,
    matcher: Matcher<'a>,
    lists: Lists,
    runtime: String,
    beyond: bool,
}

impl Planner<'_> {
    /// The plan of one file, and the changes of texts that carry it out; none where they cannot be written.
    fn plan(&self, file: &Source, inventory: &Inventory) -> anyhow::Result<(Plan, Vec<Replacement>)> {
        let (plan, mut edits) = self.planned(file, inventory).with_context(|| file.path.to_string())?;
        if let Some(failure) = self.lists.failure() {
            anyhow::bail!("the registry could not be asked: {failure}; `--registry none` does without it");
        }
        if !plan.manifest.is_empty() {
            let folder = file.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let names = [format!("{folder}Gemfile"), format!("{folder}gems.rb")];
            let manifest = self.libraries.files.iter().find(|(f, _)| names.iter().any(|n| **n == *f.path));
            let (manifest, _) =
                manifest.context("what the manifest asks for has to change, and there is no Gemfile")?;
            let text = std::str::from_utf8(&manifest.text).with_context(|| manifest.path.to_string())?;
            edits.extend(upgrade::edit_gemfile(&manifest.path, text, &plan.manifest)?);
        }
        Ok((plan, edits))
    }

    fn planned(&self, file: &Source, inventory: &Inventory) -> anyhow::Result<(Plan, Vec<Replacement>)> {
        let Planner { matcher, lists, runtime, .. } = self;
        let path = &file.path;
        let name = path.rsplit('/').next().unwrap_or(path);
        let vulnerable = !matcher.matches(inventory)?.is_empty();
        match (name, std::str::from_utf8(&file.text)) {
            ("Gemfile.lock" | "gems.locked", Ok(text)) if vulnerable => {
                let how = if self.beyond { upgrade::plan_beyond_manifest } else { upgrade::plan };
                let plan = how(inventory, matcher, lists, runtime)?;
                let edits = match plan.resolved {
                    true => upgrade::edit_gemfile_lock(path, text, inventory, &plan, lists)?,
                    false => Vec::new(),
                };
                Ok((plan, edits))
            }
            ("package-lock.json" | "npm-shrinkwrap.json", Ok(text)) if vulnerable && lists.know() => {
                Ok(upgrade::plan_npm_lock(path, text, matcher, lists)?)
            }
            ("Cargo.lock", Ok(text)) if vulnerable && lists.know() => {
                let folder = path.trim_end_matches("Cargo.lock");
                let files = self.libraries.files.iter().map(|(file, _)| file);
                let own = files.filter(|f| f.path.starts_with(folder) && f.path.ends_with("Cargo.toml"));
                let manifests: Vec<&str> = own.filter_map(|f| std::str::from_utf8(&f.text).ok()).collect();
                Ok(upgrade::plan_cargo_lock(path, text, &manifests, matcher, lists)?)
            }
            _ => Ok((upgrade::plan(inventory, matcher, &upgrade::Nothing, runtime)?, Vec::new())),
        }
    }
}

/// Puts the changes of files on the findings that they clear: all of one lockfile are one change.
pub fn mend(
    libraries: &mut Libraries,
    advisories: &Advisories,
    said: &str,
    beyond: bool,
) -> anyhow::Result<()> {
    let Some(index) = &advisories.index else { return Ok(()) };
    let mut fixes: BTreeMap<(String, String, String), Fix> = BTreeMap::new();
    let planner = Planner {
        libraries,
        matcher: Matcher::new(index),
        lists: Lists::of(said)?,
        runtime: runtime(libraries),
        beyond,
    };
    for (file, inventory) in &libraries.files {
        let (plan, replacements) = planner.plan(file, inventory)?;
        if replacements.is_empty() {
            continue;
        }
        for change in &plan.changes {
            for id in &change.clears {
                let title = format!("Update {} {} to {}", change.name, change.from, change.to);
                let fix = Fix { title, replacements: replacements.clone() };
                fixes.insert((file.path.to_string(), change.name.clone(), id.clone()), fix);
            }
        }
    }
    for finding in &mut libraries.findings {
        let (Some(package), Some(advisory)) = (&finding.package, &finding.advisory) else { continue };
        let key = (finding.location.file.to_string(), package.name.clone(), advisory.id.clone());
        finding.fix = fixes.get(&key).cloned();
    }
    Ok(())
}

/// Runs `wardroom upgrade`; the exit code.
pub fn run(options: &UpgradeArgs) -> anyhow::Result<u8> {
    let today = Date::of(clock::now());
    let advisories = Advisories::open(&options.advisories, today)?;
    let Some(index) = &advisories.index else {
        return Err(usage(warning(&[]).unwrap_or_default()));
    };
    if let Some(warning) = warning(&advisories.feeds) {
        Console::stderr(&format!("wardroom: {warning}"));
    }
    let libraries =
        super::look(super::read(&options.path, None)?, &advisories, &super::policy(&options.path)?, today)?;
    let planner = Planner {
        libraries: &libraries,
        matcher: Matcher::new(index),
        lists: Lists::of(&options.registry)?,
        runtime: runtime(&libraries),
        beyond: options.beyond_manifest,
    };
    let mut plans = Vec::new();
    for (file, inventory) in &libraries.files {
        let (plan, _) = planner.plan(file, inventory)?;
        if !plan.changes.is_empty() || !plan.blocked.is_empty() {
            plans.push((file.path.to_string(), plan));
        }
    }
    let open = plans.iter().any(|(_, p)| !p.changes.is_empty() || !p.blocked.is_empty());
    Console::stdout(|out| {
        match options.format {
            PlanFormat::Json => {
                let all: Vec<_> = plans.iter().map(|(file, plan)| as_json(file, plan)).collect();
                serde_json::to_writer_pretty(&mut *out, &all)?;
                writeln!(out)?;
            }
            PlanFormat::Text if plans.is_empty() => {
                writeln!(out, "No library has a published weakness: there is nothing to change.")?;
            }
            PlanFormat::Text => {
                for (file, plan) in &plans {
                    write!(out, "{}", as_text(file, plan))?;
                }
            }
        }
        Ok(())
    })?;
    Ok(if open { FINDINGS } else { CLEAN })
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Patch => "patch",
        Step::Minor => "minor",
        Step::Major => "major",
    }
}

fn as_json(file: &str, plan: &Plan) -> serde_json::Value {
    let changes = plan.changes.iter().map(|c| {
        json!({"package": c.name, "from": c.from, "to": c.to, "effort": word(c.step), "clears": c.clears})
    });
    let blocked = plan.blocked.iter().map(
        |b| json!({"package": b.name, "version": b.version, "advisories": b.weaknesses, "reason": b.reason}),
    );
    json!({
        "file": file,
        "resolved": plan.resolved,
        "cleared": plan.cleared(),
        "manifest": plan.manifest.iter().map(|m| json!({"package": m.name, "from": m.from, "to": m.to})).collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
        "blocked": blocked.collect::<Vec<_>>(),
    })
}

fn as_text(file: &str, plan: &Plan) -> String {
    let mut text = format!("{file}\n");
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    for (step, changes) in plan.by_effort() {
        let clears: usize = changes.iter().map(|c| c.clears.len()).sum();
        let (many, of) = (number(changes.len(), "change"), number(clears, "advisory"));
        line(format!("  {} steps: {many}, {of} cleared", word(step)));
        for change in changes {
            line(format!("    {}{}", said(change), cleared(&change.clears)));
        }
    }
    if !plan.blocked.is_empty() {
        let left: usize = plan.blocked.iter().map(|b| b.weaknesses.len()).sum();
        line(format!("  not cleared: {}", number(left, "advisory")));
        for blocked in &plan.blocked {
            line(format!(
                "    {} {}: {}{}",
                blocked.name,
                blocked.version,
                blocked.reason,
                cleared(&blocked.weaknesses)
            ));
        }
    }
    for loosened in &plan.manifest {
        line(format!(
            "  the manifest asks for {} {} instead of {}",
            loosened.name, loosened.to, loosened.from
        ));
    }
    if !plan.resolved && !plan.changes.is_empty() {
        line("  No registry was asked: what the new versions ask for themselves is not known.".to_owned());
    }
    text
}

fn number(n: usize, word: &str) -> String {
    match (n, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (n, Some(stem)) => format!("{n} {stem}ies"),
        (n, None) => format!("{n} {word}s"),
    }
}

fn said(change: &Change) -> String {
    match (change.from.as_str(), change.to.as_str()) {
        ("", to) => format!("{} {to} comes in", change.name),
        (from, "") => format!("{} {from} goes", change.name),
        (from, to) => format!("{} {from} → {to}", change.name),
    }
}

fn cleared(ids: &[String]) -> String {
    if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) }
}
