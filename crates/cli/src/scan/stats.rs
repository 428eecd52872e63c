//! `--stats`: what a scan cost and what it found by rule, on standard error.

use std::collections::BTreeMap;
use std::fs;

use wardroom_model::Report;

use crate::output::Console;

/// Tells it.
pub fn tell(report: &Report, cached: bool) {
    let mut lines = vec!["statistics".to_owned()];
    for (phase, milliseconds) in &report.stats.phases {
        lines.push(format!("  {phase:<16}{milliseconds:>9.1} ms"));
    }
    if let Some((cpu, peak)) = cost() {
        lines.push(format!("  {:<16}{cpu:>9.2} s", "processor"));
        lines.push(format!("  {:<16}{:>9.1} MiB", "memory at most", peak as f64 / 1024.0));
    }
    let source = if cached { "kept from an earlier run over the same bytes" } else { "computed" };
    lines.push(format!("  {:<16}{source}", "result"));
    let mut by_rule: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for finding in &report.findings {
        let column = if finding.suppression.is_some() { 3 } else { 2 - finding.confidence as usize };
        by_rule.entry(&finding.rule).or_default()[column] += 1;
    }
    if !by_rule.is_empty() {
        let width = by_rule.keys().map(|r| r.len()).max().unwrap_or(0).max(4);
        lines.push(format!(
            "  {:<width$}{:>8}{:>8}{:>8}{:>12}",
            "rule", "high", "medium", "low", "suppressed"
        ));
        for (rule, [high, medium, low, suppressed]) in by_rule {
            lines.push(format!("  {rule:<width$}{high:>8}{medium:>8}{low:>8}{suppressed:>12}"));
        }
    }
    Console::stderr(&lines.join("\n"));
}

/// Seconds of processor time and the most memory, in KiB, that this process has taken; known on Linux.
fn cost() -> Option<(f64, u64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may hold anything; the numbers come behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak =
        status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()?;
    // A tick is a hundredth of a second on every Linux that Rust knows.
    Some((ticks as f64 / 100.0, peak))
}
