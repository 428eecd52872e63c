//! `--import-ignores`: an existing `config/brakeman.ignore` carried over into our ignore file, by
//! the class of each warning, its file and its line.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use wardroom_model::{Category, Finding};

use crate::failure::{CLEAN, usage};
use crate::ignores::file::{self, AT_ROOT, Covered};
use crate::output::{self, Console};
use crate::scan::Scanned;

/// A warning's line was right when the file was written: a finding this many lines away may still be
/// the one that was meant.
const DRIFT: u32 = 60;

#[derive(Deserialize)]
struct IgnoreFile {
    ignored_warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Warning {
    #[serde(default)]
    warning_type: String,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    file: String,
    line: Option<u32>,
    note: Option<String>,
}

/// Reads the file, matches, and writes; the exit code.
pub fn run(path: &Path, scanned: &Scanned, quiet: bool) -> anyhow::Result<u8> {
    let wrong = |what: String| usage(format!("--import-ignores {}: {what}", path.display()));
    let text = fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let IgnoreFile { ignored_warnings: warnings } = serde_json::from_slice(&text)
        .map_err(|e| wrong(format!("it is no ignore file with `ignored_warnings` ({e})")))?;
    let target = scanned.root.join(AT_ROOT);
    let old = match fs::read_to_string(&target) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(wrong(format!("{} could not be read: {error}", target.display()))),
    };
    let mut known: HashSet<String> = file::parse(AT_ROOT, &old)
        .map_err(usage)?
        .into_iter()
        .filter_map(|i| if let Covered::Fingerprint(print) = i.what { Some(print) } else { None })
        .collect();
    let mut added = String::new();
    let mut left = Vec::new();
    let (mut matched, mut again) = (0, 0);
    for warning in &warnings {
        match find(warning, &scanned.all) {
            Ok(finding) if known.insert(finding.fingerprint.0.clone()) => {
                matched += 1;
                entry(&mut added, warning, finding, path);
            }
            Ok(_) => again += 1,
            Err(why) => left.push((warning, why)),
        }
    }
    if !added.is_empty() {
        let gap = if old.is_empty() || old.ends_with("\n\n") { "" } else { "\n" };
        output::write_whole(&target, format!("{old}{gap}{added}").as_bytes())?;
    }
    if !quiet {
        Console::stdout(|out| {
            let to = target.display();
            writeln!(out, "{matched} of {} ignored warnings carried over to {to}", warnings.len())?;
            if again > 0 {
                writeln!(out, "{again} more are covered by the same findings' entries")?;
            }
            if !left.is_empty() {
                writeln!(out, "{} without a counterpart:", left.len())?;
            }
            for (warning, why) in &left {
                let line = warning.line.map_or(String::new(), |l| format!(":{l}"));
                let short = warning.fingerprint.get(..12).unwrap_or(&warning.fingerprint);
                writeln!(
                    out,
                    "  {}{line}  {} ({short}): {why}",
                    plain(&warning.file),
                    plain(&warning.warning_type)
                )?;
            }
            Ok(())
        })?;
    }
    Ok(CLEAN)
}

/// The finding that a warning speaks of.
fn find<'f>(warning: &Warning, findings: &'f [Finding]) -> Result<&'f Finding, String> {
    let name = warning.file.trim_start_matches("./");
    if name.starts_with("(engine:") || name.starts_with("(gem:") {
        return Err("its file lies in an engine outside this tree".to_owned());
    }
    let class = class(&warning.warning_type).ok_or_else(|| "no rule here looks for this class".to_owned())?;
    let mut near: Vec<(u32, &Finding)> = findings
        .iter()
        .filter(|f| *f.location.file == *name && class.holds(f))
        .map(|f| {
            let at = warning.line.unwrap_or(f.location.start.line);
            // Any line of the expression is as good as its first.
            let away = f.location.start.line.saturating_sub(at).max(at.saturating_sub(f.location.end.line));
            (away, f)
        })
        .collect();
    near.sort_by_key(|(away, f)| (*away, f.location.start));
    match near.first() {
        None => Err("nothing of this class is found in that file now, so no ignore is needed".to_owned()),
        Some((away, nearest)) if *away <= DRIFT => Ok(nearest),
        // An ignore must not come to cover what nobody has looked at.
        Some((away, _)) => Err(format!("the nearest finding of this class is {away} lines away: look at it")),
    }
}

fn entry(out: &mut String, warning: &Warning, finding: &Finding, path: &Path) {
    let note = warning.note.as_deref().unwrap_or_default().trim();
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let reason = if note.is_empty() {
        format!("carried over from {name}, which gave no reason")
    } else {
        note.to_owned()
    };
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let _ = write!(
        out,
        "[[ignore]]\nfingerprint = {}\nrule = {}\nfile = {}\nline = {}\nreason = {}\n\n",
        quoted(&finding.fingerprint.0),
        quoted(&finding.rule),
        quoted(&finding.location.file),
        finding.location.start.line,
        quoted(&reason),
    );
}

/// Weakness classes, by their numbers or as a whole family of rules.
struct Class {
    cwes: &'static [u16],
    family: Option<Category>,
}

impl Class {
    fn holds(&self, finding: &Finding) -> bool {
        self.cwes.contains(&finding.cwe.0)
            || self.family.is_some_and(|family| {
                crate::rules::all().iter().any(|r| r.id == finding.rule && r.category == family)
            })
    }
}

/// What a warning type's name means.
fn class(warning_type: &str) -> Option<Class> {
    let of = |cwes: &'static [u16]| Some(Class { cwes, family: None });
    match warning_type.to_ascii_lowercase().replace(['-', '_'], " ").as_str() {
        "sql injection" => of(&[89, 564, 943]),
        "cross site scripting" | "content tag" | "cross site scripting (json)" => {
            Some(Class { cwes: &[79, 80, 83, 87, 116], family: Some(Category::CrossSiteScripting) })
        }
        "cross site request forgery" => of(&[352]),
        "redirect" => of(&[601]),
        "file access" | "path traversal" => of(&[22, 23, 36, 59, 73, 78, 98, 434, 918]),
        "command injection" => of(&[77, 78, 88]),
        "mass assignment" | "attribute restriction" | "nested attributes" => of(&[915]),
        "dangerous send" => of(&[94, 470, 749, 913]),
        "remote code execution" | "unsafe deserialization" | "unsafe reflection" => {
            of(&[94, 95, 470, 502, 913])
        }
        "dangerous eval" => of(&[94, 95, 913]),
        "template injection" => of(&[94, 1336]),
        "dynamic render path" => of(&[22, 73, 94, 98, 470]),
        "session setting" => of(&[315, 321, 384, 539, 565, 614, 798, 1004, 1275]),
        "session manipulation" => of(&[384, 472, 501, 639]),
        "ssl verification bypass" => of(&[295, 296, 297]),
        "weak hash" | "weak cryptography" => of(&[326, 327, 328, 338, 780, 916]),
        "unscoped find" => of(&[285, 639, 862, 863]),
        "denial of service" => of(&[400, 409, 730, 770, 789, 1333]),
        "format validation" => of(&[20, 185, 625, 777, 1289]),
        "unmaintained dependency" => of(&[1104, 1395]),
        "authentication" | "basic authentication" => of(&[208, 259, 287, 306, 522, 798]),
        "default routes" => of(&[425, 749, 650]),
        "information disclosure" => of(&[200, 201, 209, 215, 532, 598]),
        "http verb confusion" => of(&[352, 436, 650]),
        "response splitting" | "header injection" => of(&[93, 113]),
        "reverse tabnabbing" => of(&[1022]),
        "missing encryption" => of(&[311, 312, 319]),
        "file upload" => of(&[434]),
        _ => None,
    }
}

/// Text from a file, fit for a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(300).collect()
}
