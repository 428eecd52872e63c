//! `cargo xtask bench`: what a scan of whole applications costs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{self, say};

/// One scan.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Seconds of processor time, user and system.
    cpu: f64,
    /// Seconds on the wall.
    wall: f64,
    /// Most memory, in MiB.
    peak: f64,
    /// Lines read.
    lines: f64,
}

/// Scans each folder `runs` times cold and as often warm, and prints the medians as a table.
pub fn run(root: &Path, runs: usize, paths: &[&str]) -> anyhow::Result<()> {
    run::run(root, &["cargo", "build", "--release", "--package", "wardroom-cli", "--locked"])?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), Into::into);
    let program = target.join("release/wardroom");
    let cache = target.join("bench-cache");
    let mut table = vec![
        "| Application | Lines | CPU s | CPU s per 100,000 lines | Wall s | Memory MiB | Warm CPU s |"
            .to_owned(),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    for path in paths {
        let path = Path::new(path);
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        let cold = median(runs, || scan(&program, path, &cache, &["--no-cache"]))?;
        scan(&program, path, &cache, &[])?;
        let warm = median(runs, || scan(&program, path, &cache, &[]))?;
        table.push(format!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} | {:.3} |",
            cold.lines,
            cold.cpu,
            cold.cpu / cold.lines.max(1.0) * 100_000.0,
            cold.wall,
            cold.peak,
            warm.cpu
        ));
        say(table.last().map_or("", String::as_str));
    }
    say(&format!("\n{}", table.join("\n")));
    Ok(())
}

fn median(runs: usize, scan: impl Fn() -> anyhow::Result<Cost>) -> anyhow::Result<Cost> {
    let mut all = (0..runs).map(|_| scan()).collect::<anyhow::Result<Vec<Cost>>>()?;
    all.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    Ok(all.get(all.len() / 2).copied().unwrap_or_default())
}

/// Bash's own `time` knows a child's processor time to the millisecond; the command tells its memory.
fn scan(program: &Path, path: &Path, cache: &Path, more: &[&str]) -> anyhow::Result<Cost> {
    let output = Command::new("bash")
        .args([
            "-c",
            "TIMEFORMAT='bench %U %S %R'; time \"$0\" scan --format json --stats --fail-on never \"$@\"",
        ])
        .arg(program)
        .args(more)
        .arg(path)
        .env("XDG_CACHE_HOME", cache)
        .env("LC_ALL", "C")
        .output()
        .context("bash could not be started")?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the scan of {} failed: {told}", path.display());
    }
    read(&told, &String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("no numbers from the scan of {}: {told}", path.display()))
}

fn read(told: &str, report: &str) -> Option<Cost> {
    let mut times = told.lines().find_map(|l| l.strip_prefix("bench "))?.split(' ').map(str::parse::<f64>);
    let mut time = || times.next()?.ok();
    let (user, system, wall) = (time()?, time()?, time()?);
    let peak = told.lines().find_map(|l| l.trim().strip_prefix("memory at most"))?;
    // Of the whole report one number is wanted; it stands in its last lines.
    let lines = report.lines().rev().find_map(|l| l.trim().strip_prefix("\"lines\": "))?;
    Some(Cost {
        cpu: user + system,
        wall,
        peak: peak.trim().trim_end_matches(" MiB").parse().ok()?,
        lines: lines.trim_end_matches(',').parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found() {
        let told = "statistics\n  read   1.0 ms\n  memory at most       61.5 MiB\nbench 0.250 0.050 0.200\n";
        let cost = read(told, "{\n  \"stats\": {\n    \"lines\": 1200,\n    \"x\": 1\n  }\n}\n").unwrap();
        assert_eq!((cost.lines, cost.peak, cost.wall), (1200.0, 61.5, 0.2));
        assert!((cost.cpu - 0.3).abs() < 1e-9);
        assert!(read("bench 1 2\n", "").is_none());
    }
}
