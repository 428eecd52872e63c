//! Matches as findings: what is wrong, how it comes in, what mends it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_model::{Advisory, Confidence, Finding, Fingerprint, Location, Package as Library, Rule};
use wardroom_source::LineIndex;

use super::rules::{vulnerable_library, vulnerable_runtime};
use super::{Matcher, Paths, Weakness};
use crate::index::{Entry, IndexError};
use crate::lockfile::Inventory;
use crate::{Ecosystem, Origin, Package, purl};

/// Above this likelihood, EPSS is worth a word: 0 to 1. Four in a hundred of all CVEs are above it.
const LIKELY: f32 = 0.1;

/// The findings of one file: one for each version of a package and each weakness, in the file's order.
/// `bytes` are the file's, for the places.
pub fn findings(
    file: &Arc<str>,
    bytes: &[u8],
    inventory: &Inventory,
    matcher: &Matcher<'_>,
) -> Result<Vec<Finding>, IndexError> {
    let matches = matcher.matches(inventory)?;
    if matches.is_empty() {
        return Ok(Vec::new());
    }
    let (lines, paths) = (LineIndex::new(bytes), Paths::new(inventory));
    let mut found: Vec<Finding> = Vec::new();
    // One version built for several platforms is one finding with several places.
    let mut seen: FxHashMap<(&str, &str, String), usize> = FxHashMap::default();
    for matched in matches {
        let package = &inventory.packages[matched.package];
        let place = lines.location(file, bytes, package.span.0, package.span.1);
        let key = (package.name.as_str(), package.version.as_str(), matched.weakness.id.clone());
        if let Some(first) = seen.get(&key) {
            if found[*first].location != place {
                found[*first].places.push(place);
            }
            continue;
        }
        seen.insert(key, found.len());
        let mut reasons = vec![way_in(package, &paths)];
        reasons.extend(doubts(package, matched.disputed));
        let library =
            Subject { ecosystem: package.ecosystem, name: &package.name, version: &package.version };
        let confidence = if reasons.len() > 1 { Confidence::Medium } else { Confidence::High };
        let rule =
            if package.ecosystem == Ecosystem::Runtime { vulnerable_runtime() } else { vulnerable_library() };
        let mended = matcher.mended(&matched.weakness, package.ecosystem, &package.version);
        found.push(finding(rule, &library, &matched.weakness, mended, place, confidence, reasons));
    }
    Ok(found)
}

/// The findings about the interpreters that a file asks for by an exact version. `bytes` are the file's.
pub fn runtime_findings(
    file: &Arc<str>,
    bytes: &[u8],
    inventory: &Inventory,
    matcher: &Matcher<'_>,
) -> Result<Vec<Finding>, IndexError> {
    let lines = LineIndex::new(bytes);
    let mut found = Vec::new();
    let other_engine = inventory
        .runtimes
        .iter()
        .any(|(name, _)| matches!(name.as_str(), "jruby" | "truffleruby" | "mruby" | "rbx"));
    for (name, version) in &inventory.runtimes {
        // Beside another engine, Ruby's version only says which Ruby that engine is like.
        if name == "ruby" && other_engine {
            continue;
        }
        // `2.7.1p83` is `2.7.1.83` where advisories count patch levels.
        let counted = match version.split_once('p') {
            Some((front, level))
                if front.ends_with(|c: char| c.is_ascii_digit())
                    && level.bytes().all(|b| b.is_ascii_digit()) =>
            {
                format!("{front}.{level}")
            }
            _ => version.clone(),
        };
        for (weakness, disputed) in matcher.of(Ecosystem::Runtime, name, &counted)?.iter() {
            let text = format!("{name} {version}");
            let at = find(bytes, text.as_bytes()).or_else(|| find(bytes, version.as_bytes())).unwrap_or(0);
            let place = lines.location(file, bytes, at as u32, (at + text.len()).min(bytes.len()) as u32);
            let subject = Subject { ecosystem: Ecosystem::Runtime, name, version };
            let mut reasons = vec!["the project asks for this version".to_owned()];
            if *disputed {
                reasons.push(DISPUTED.to_owned());
            }
            let confidence = if *disputed { Confidence::Medium } else { Confidence::High };
            let mended = matcher.mended(weakness, Ecosystem::Runtime, &counted);
            found.push(finding(vulnerable_runtime(), &subject, weakness, mended, place, confidence, reasons));
        }
    }
    Ok(found)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    (!wanted.is_empty()).then(|| bytes.windows(wanted.len()).position(|window| window == wanted))?
}

const DISPUTED: &str = "one feed says that this version has it, another one that it does not";

/// What a finding is about.
struct Subject<'p> {
    ecosystem: Ecosystem,
    name: &'p str,
    version: &'p str,
}

fn finding(
    rule: &'static Rule,
    subject: &Subject<'_>,
    weakness: &Weakness,
    mended: Option<String>,
    location: Location,
    confidence: Confidence,
    mut reasons: Vec<String>,
) -> Finding {
    let Subject { ecosystem, name, version } = *subject;
    let entries = &weakness.entries;
    let first =
        |value: fn(&Entry) -> Option<&str>| entries.iter().filter_map(value).find(|text| !text.is_empty());
    let summary =
        first(|e| Some(&e.advisory.summary)).unwrap_or("a weakness that its feed does not describe");
    let severity = entries.iter().find_map(|entry| entry.advisory.severity);
    if severity.is_none() {
        reasons.push("nobody has scored it".to_owned());
    }
    reasons.extend(heat(entries));
    let end = match &mended {
        Some(version) => format!("{version} mends it."),
        None => "no version is known to mend it.".to_owned(),
    };
    let remedy = match (&mended, ecosystem) {
        (Some(version), Ecosystem::Runtime) => format!("Run on {name} {version} or later."),
        (Some(version), _) => format!("Update `{name}` to {version} or later{}.", command(ecosystem, name)),
        (None, _) => {
            format!("Take another library than `{name}`, or read the advisory for what keeps it harmless.")
        }
    };
    let versionless = purl(ecosystem, name, "");
    Finding {
        rule: rule.id.to_owned(),
        message: format!(
            "`{name}` {version} has {}: {}; {end}",
            weakness.id,
            summary.trim_end_matches(['.', ' '])
        ),
        reason: reasons.join("; "),
        remedy,
        severity: severity.unwrap_or(rule.severity),
        confidence,
        cwe: rule.cwe,
        fingerprint: Fingerprint::new(rule.id, &format!("{}\n{versionless}", location.file), &weakness.id, 0),
        location,
        scope: String::new(),
        path: Vec::new(),
        places: Vec::new(),
        // An interpreter is no library.
        package: (ecosystem != Ecosystem::Runtime).then(|| Library {
            name: name.to_owned(),
            version: version.to_owned(),
            purl: purl(ecosystem, name, version),
        }),
        advisory: Some(Advisory {
            id: weakness.id.clone(),
            aliases: weakness.aliases.clone(),
            url: first(|e| Some(&e.advisory.url)).unwrap_or_default().to_owned(),
        }),
        reach: None,
        endpoints: Vec::new(),
        fix: None,
        suppression: None,
    }
}

/// How a package comes in, in words.
fn way_in(package: &Package, paths: &Paths<'_>) -> String {
    if package.direct {
        return "the project asks for it".to_owned();
    }
    match &paths.to(&package.name)[..] {
        [] => "the lockfile does not say what asks for it".to_owned(),
        [parents @ .., _] => {
            let parents: Vec<String> = parents.iter().map(|parent| format!("`{parent}`")).collect();
            format!("it comes through {}", parents.join(" → "))
        }
    }
}

fn doubts(package: &Package, disputed: bool) -> Vec<String> {
    let mut doubts = Vec::new();
    match &package.origin {
        Origin::Git { .. } => {
            doubts.push("it is taken from a repository, where it may be mended already".to_owned())
        }
        Origin::Path(_) => {
            doubts.push("it is taken from a folder, where it may be mended already".to_owned())
        }
        Origin::Registry(_) | Origin::Url(_) => {}
    }
    if disputed {
        doubts.push(DISPUTED.to_owned());
    }
    doubts
}

/// What lists say about its use by attackers.
fn heat(entries: &[Entry]) -> Vec<String> {
    let mut words = Vec::new();
    if let Some((since, ransomware)) = entries.iter().find_map(|entry| entry.exploited.as_ref()) {
        let who = if *ransomware { "attackers, ransomware among them, are" } else { "attackers are" };
        let since = if since.is_empty() { String::new() } else { format!(" since {since}") };
        words.push(format!("{who} known to use it{since}: mend it first"));
    }
    let likelihood = entries.iter().filter_map(|entry| entry.likelihood).reduce(f32::max);
    if let Some(likelihood) = likelihood.filter(|likelihood| *likelihood >= LIKELY) {
        words.push(format!("EPSS gives it {:.0} % within 30 days", likelihood * 100.0));
    }
    words
}

/// The command that changes this package and as little else as can be.
fn command(ecosystem: Ecosystem, name: &str) -> String {
    // A name that a shell would read otherwise is not put into a command.
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@/:".contains(&b)) || name.starts_with('-') {
        return String::new();
    }
    match ecosystem {
        Ecosystem::RubyGems => format!(": `bundle update --conservative {name}`"),
        Ecosystem::Npm => format!(": `npm update {name}`"),
        Ecosystem::Cargo => format!(": `cargo update {name}`"),
        Ecosystem::Composer => format!(": `composer update {name}`"),
        Ecosystem::Hex => format!(": `mix deps.update {name}`"),
        Ecosystem::Pub => format!(": `dart pub upgrade {name}`"),
        _ => String::new(),
    }
}
