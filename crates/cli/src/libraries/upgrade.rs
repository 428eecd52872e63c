//! `wardroom upgrade`, and the changes of lockfiles for `wardroom scan --fix`.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::json;
use wardroom_deps::lockfile::Inventory;
use wardroom_deps::matching::Matcher;
use wardroom_deps::upgrade::{self, Change, Plan};
use wardroom_deps::version::Step;
use wardroom_model::Fix;

use super::Libraries;
use super::advisories::{Advisories, warning};
use super::registry::Index;
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

/// The plan of one file.
fn plan(
    inventory: &Inventory,
    matcher: &Matcher<'_>,
    registry: &Index,
    runtime: &str,
) -> anyhow::Result<Plan> {
    let plan = upgrade::plan(inventory, matcher, registry, runtime)?;
    if let Some(failure) = registry.failure() {
        anyhow::bail!("the registry could not be asked: {failure}; `--registry none` does without it");
    }
    Ok(plan)
}

/// Puts the changes of lockfiles on the findings that they clear: all of one file are one change.
pub fn mend(libraries: &mut Libraries, advisories: &Advisories, said: &str) -> anyhow::Result<()> {
    let Some(index) = &advisories.index else { return Ok(()) };
    let (matcher, registry, runtime) = (Matcher::new(index), Index::of(said)?, runtime(libraries));
    let mut fixes: BTreeMap<(String, String, String), Fix> = BTreeMap::new();
    for (file, inventory) in &libraries.files {
        let is_lock = file.path.rsplit('/').next().is_some_and(|n| n == "Gemfile.lock" || n == "gems.locked");
        let Some(text) = std::str::from_utf8(&file.text).ok().filter(|_| is_lock) else { continue };
        let plan = plan(inventory, &matcher, &registry, &runtime)?;
        if plan.changes.is_empty() || !plan.resolved {
            continue;
        }
        let replacements = upgrade::edit_gemfile_lock(&file.path, text, inventory, &plan.changes, &registry)
            .with_context(|| file.path.to_string())?;
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
    let libraries = super::look(super::read(&options.path, None)?, &advisories, today)?;
    let (matcher, registry, runtime) =
        (Matcher::new(index), Index::of(&options.registry)?, runtime(&libraries));
    let mut plans = Vec::new();
    for (file, inventory) in &libraries.files {
        let plan = plan(inventory, &matcher, &registry, &runtime)?;
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
        line(format!("  {} steps: {} changes clear {clears} advisories", word(step), changes.len()));
        for change in changes {
            line(format!("    {}{}", said(change), cleared(&change.clears)));
        }
    }
    if !plan.blocked.is_empty() {
        let left: usize = plan.blocked.iter().map(|b| b.weaknesses.len()).sum();
        line(format!("  not cleared: {left} advisories"));
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
    if !plan.resolved && !plan.changes.is_empty() {
        line("  No registry was asked: what the new versions ask for themselves is not known.".to_owned());
    }
    text
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
