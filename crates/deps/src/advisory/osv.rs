//! OSV's form: one JSON file an advisory, or a zip of such.

use std::io::Read;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use wardroom_model::Severity;

use super::{Advisory, Affected, End, LONGEST, Range, Reading, functions, one_line};
use crate::Ecosystem;
use crate::version::Version;

/// Most files that one zip may hold.
const MOST_FILES: usize = 2_000_000;
/// Most bytes that one zip may unpack to.
const MOST_BYTES: u64 = 8 << 30;
/// Most packages that one advisory may name.
const MOST_PACKAGES: usize = 5_000;

#[derive(Deserialize)]
struct File {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    modified: String,
    #[serde(default)]
    published: String,
    withdrawn: Option<String>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    affected: Vec<Package>,
    #[serde(default)]
    references: Vec<Reference>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Score {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

#[derive(Deserialize)]
struct Package {
    package: Option<Name>,
    #[serde(default)]
    ranges: Vec<Events>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    severity: Vec<Score>,
    ecosystem_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Name {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Events {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Introduced(String),
    Fixed(String),
    LastAffected(String),
    Limit(String),
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type", default)]
    kind: String,
    url: String,
}

/// Reads one file: one advisory for each package that it names.
pub fn read_osv(file: &Arc<str>, bytes: &[u8], reading: &mut Reading) {
    if reading.too_long(file, bytes.len()) {
        return;
    }
    let parsed: File = match serde_json::from_slice(bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = u32::try_from(error.line()).ok().filter(|line| *line > 0);
            reading.problem(file, line, format!("The advisory is not understood: {error}."));
            return;
        }
    };
    let withdrawn = parsed.withdrawn.as_deref().map(day);
    let newest = day(&parsed.modified).max(reading.newest.clone());
    let word = parsed.database_specific.as_ref().and_then(|d| d.get("severity")).and_then(Value::as_str);
    let mut cwes: Vec<u16> = strings(parsed.database_specific.as_ref(), "cwe_ids")
        .iter()
        .filter_map(|c| c.strip_prefix("CWE-")?.parse().ok())
        .collect();
    cwes.sort_unstable();
    cwes.dedup();
    let url = url_of(&parsed);
    let summary = one_line(if parsed.summary.is_empty() { &parsed.details } else { &parsed.summary });
    let in_text = functions::named_in(&parsed.details);
    let mut known = false;
    for affected in parsed.affected.iter().take(MOST_PACKAGES) {
        let Some(name) = &affected.package else { continue };
        let Some(ecosystem) = ecosystem_of(&name.ecosystem) else { continue };
        known = true;
        let scores = if affected.severity.is_empty() { &parsed.severity } else { &affected.severity };
        let (score, vector) =
            score_of(scores).map_or((None, String::new()), |(score, vector)| (Some(score), vector));
        let mut named = functions_of(affected.ecosystem_specific.as_ref());
        if named.is_empty() && ecosystem == Ecosystem::RubyGems {
            named.clone_from(&in_text);
        }
        reading.add(Advisory {
            id: parsed.id.clone(),
            aliases: parsed.aliases.iter().chain(&parsed.upstream).cloned().collect(),
            ecosystem,
            package: crate::package::normalised(ecosystem, &name.name),
            affected: affected_of(ecosystem, affected),
            severity: score.map(|s| Severity::of_score(f64::from(s))).or_else(|| severity_named(word?)),
            score,
            vector,
            summary: summary.clone(),
            url: url.clone(),
            cwes: cwes.clone(),
            published: day(&parsed.published),
            withdrawn: withdrawn.clone(),
            functions: named,
        });
    }
    reading.newest = newest;
    if !known {
        reading.foreign += 1;
    }
}

/// Reads all files of a zip, as OSV publishes one for each ecosystem.
pub fn read_osv_zip(file: &Arc<str>, bytes: &[u8], reading: &mut Reading) {
    let archive = match rawzip::ZipArchive::from_slice(bytes) {
        Ok(archive) => archive,
        Err(error) => {
            reading.problem(file, None, format!("The zip cannot be opened: {error}."));
            return;
        }
    };
    let (mut buffer, mut total) = (Vec::new(), 0u64);
    for (index, entry) in archive.entries().enumerate() {
        let entry = match entry {
            Ok(entry) if index < MOST_FILES => entry,
            Ok(_) => {
                reading.problem(
                    file,
                    None,
                    format!("The zip holds more than {MOST_FILES} files; the rest is not read."),
                );
                return;
            }
            Err(error) => {
                reading.problem(
                    file,
                    None,
                    format!("The zip's list of files breaks off after {index}: {error}."),
                );
                return;
            }
        };
        let path = entry.file_path();
        let path = String::from_utf8_lossy(path.as_bytes());
        if !path.ends_with(".json") {
            continue;
        }
        let name: Arc<str> = format!("{file}/{path}").into();
        buffer.clear();
        let unpacked =
            archive.get_entry(entry.wayfinder()).map_err(std::io::Error::other).and_then(|stored| {
                // What an entry says of its size is not trusted.
                let most = LONGEST as u64 + 1;
                match entry.compression_method() {
                    rawzip::CompressionMethod::STORE => stored.data().take(most).read_to_end(&mut buffer),
                    rawzip::CompressionMethod::DEFLATE => flate2::bufread::DeflateDecoder::new(stored.data())
                        .take(most)
                        .read_to_end(&mut buffer),
                    other => Err(std::io::Error::other(format!("it is packed by method {other}"))),
                }
            });
        total += buffer.len() as u64;
        if let Err(error) = unpacked {
            reading.problem(&name, None, format!("The file cannot be unpacked: {error}."));
        } else if total > MOST_BYTES {
            reading.problem(
                file,
                None,
                format!("The zip unpacks to more than {} GiB; the rest is not read.", MOST_BYTES >> 30),
            );
            return;
        } else {
            read_osv(&name, &buffer, reading);
        }
    }
}

fn day(time: &str) -> String {
    time.get(..10).unwrap_or_default().to_owned()
}

fn strings(value: Option<&Value>, key: &str) -> Vec<String> {
    let list = value.and_then(|v| v.get(key)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// `Maven:https://…` names a repository behind the ecosystem.
fn ecosystem_of(name: &str) -> Option<Ecosystem> {
    let name = name.split(':').next().unwrap_or_default();
    Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.osv() == Some(name))
}

fn severity_named(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "moderate" | "medium" => Severity::Medium,
        "low" => Severity::Low,
        _ => return None,
    })
}

/// The score of version 3 where there is one, as most people quote it; else of 4, else of 2.
fn score_of(scores: &[Score]) -> Option<(f32, String)> {
    ["CVSS_V3", "CVSS_V4", "CVSS_V2"].into_iter().find_map(|kind| {
        scores.iter().filter(|score| score.kind == kind).find_map(|score| {
            let value = score.score.parse::<cvss::Cvss>().ok()?.score();
            Some((value as f32, score.score.clone()))
        })
    })
}

fn url_of(file: &File) -> String {
    let advisory = file.references.iter().find(|reference| reference.kind == "ADVISORY");
    let any = advisory.or(file.references.first()).map(|reference| reference.url.clone());
    any.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .unwrap_or_else(|| format!("https://osv.dev/vulnerability/{}", file.id))
}

/// Go's feed names packages with their symbols, RustSec's names functions by path.
fn functions_of(specific: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    for import in specific.and_then(|s| s.get("imports")).and_then(Value::as_array).into_iter().flatten() {
        let path = import.get("path").and_then(Value::as_str).unwrap_or_default();
        found.extend(strings(Some(import), "symbols").into_iter().map(|symbol| format!("{path}.{symbol}")));
    }
    let affects = specific.and_then(|s| s.get("affects")).and_then(|a| a.get("functions"));
    match affects {
        Some(Value::Array(list)) => found.extend(list.iter().filter_map(|f| f.as_str().map(str::to_owned))),
        Some(Value::Object(map)) => found.extend(map.keys().cloned()),
        _ => {}
    }
    found.extend(strings(specific, "affected_functions"));
    found
}

fn affected_of(ecosystem: Ecosystem, package: &Package) -> Affected {
    let mut ranges = Vec::new();
    for events in package.ranges.iter().filter(|events| events.kind != "GIT") {
        push_ranges(ecosystem, &events.events, &mut ranges);
    }
    // A package without a range and without versions has it in all of them.
    if ranges.is_empty() && package.versions.is_empty() && package.ranges.is_empty() {
        ranges.push(Range { introduced: "0".to_owned(), end: End::Open });
    }
    Affected::Within { ranges, versions: package.versions.clone() }
}

/// Events are a set, in no order: they are sorted by their versions, and each beginning takes the next end.
fn push_ranges(ecosystem: Ecosystem, events: &[Event], out: &mut Vec<Range>) {
    let mut sorted: Vec<(&Event, Option<Version>)> = events
        .iter()
        .filter(|event| !matches!(event, Event::Limit(_)))
        .map(|event| {
            let (Event::Introduced(text)
            | Event::Fixed(text)
            | Event::LastAffected(text)
            | Event::Limit(text)) = event;
            let first = matches!(event, Event::Introduced(text) if text == "0");
            (event, if first { None } else { Version::parse(ecosystem, text) })
        })
        .collect();
    // At one version an end stands before a beginning; the last affected one is an end after it.
    let rank = |event: &Event| match event {
        Event::Fixed(_) => 0,
        Event::Introduced(_) => 1,
        Event::LastAffected(_) | Event::Limit(_) => 2,
    };
    let readable = sorted
        .iter()
        .all(|(event, version)| version.is_some() || matches!(event, Event::Introduced(text) if text == "0"));
    if readable {
        sorted.sort_by(|(a, left), (b, right)| match (left, right) {
            (None, None) => rank(a).cmp(&rank(b)),
            (None, _) => std::cmp::Ordering::Less,
            (_, None) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => {
                left.order(right).unwrap_or(std::cmp::Ordering::Equal).then(rank(a).cmp(&rank(b)))
            }
        });
    }
    let mut begun: Option<&str> = None;
    for (event, _) in sorted {
        match event {
            Event::Introduced(text) => _ = begun.get_or_insert(text),
            Event::Fixed(text) => {
                if let Some(introduced) = begun.take() {
                    out.push(Range { introduced: introduced.to_owned(), end: End::Fixed(text.clone()) });
                }
            }
            Event::LastAffected(text) => {
                if let Some(introduced) = begun.take() {
                    out.push(Range { introduced: introduced.to_owned(), end: End::Last(text.clone()) });
                }
            }
            Event::Limit(_) => {}
        }
    }
    if let Some(introduced) = begun {
        out.push(Range { introduced: introduced.to_owned(), end: End::Open });
    }
}
