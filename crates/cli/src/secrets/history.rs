//! `wardroom secrets --history`: every version of every file, once.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_model::{Confidence, Finding, Problem};
use wardroom_secrets::{Hit, Scanner};
use wardroom_source::{Commit, History, Standing, Version, VersionId};

use super::Looked;
use crate::clock::Date;
use crate::failure::usage;

/// Up to so many secrets are looked for one by one in the next version; more of them in one pass.
const FEW: usize = 4;
/// As much of a line tells it from others, in bytes.
const LINE: usize = 4096;
/// What is read beside a changed stretch, in bytes: names, hosts and users stand there.
const BESIDE: usize = 512;

/// A secret, and the version that holds it.
type Found = (VersionId, Arc<Hit>);
/// A secret and a path.
type Place<'h> = (&'h [u8], Arc<str>);

/// A secret in a version, with the line by which it is known again in the next one.
#[derive(Clone)]
struct Kept {
    hit: Arc<Hit>,
    line: Arc<[u8]>,
    /// How many lines below the secret's first one it stands: the first of a key block is the same in all.
    below: u32,
}

/// When a secret came, and whether it is gone.
pub struct Times(HashMap<Vec<u8>, Standing>);

/// Looks through the history of the repository that holds a folder.
/// Less sure ones than `least` are not followed.
pub fn look(path: &Path, scanner: &Scanner, least: Confidence) -> anyhow::Result<(Looked, Times)> {
    let history = History::open(path).map_err(|e| usage(e.to_string()))?;
    let found: Mutex<(Looked, Vec<Found>)> = Mutex::default();
    history.each_version::<Kept>(&|number, version, before| {
        let (kept, problems) = one(scanner, version, before, least);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0.texts += 1;
        found.0.bytes += version.text.len() as u64;
        found.0.problems.extend(problems);
        found.1.extend(kept.iter().map(|k| (number, Arc::clone(&k.hit))));
        kept
    });
    let (mut looked, hits) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if history.left_out() > 0 {
        looked.problems.push(Problem {
            file: path.display().to_string().into(),
            line: None,
            message: format!(
                "{} objects of the repository are broken or too large and were left out",
                history.left_out()
            ),
            unread: true,
        });
    }
    looked.commits = Some(history.commits() as u64);
    let numbers: Vec<VersionId> = {
        let mut numbers: Vec<VersionId> = hits.iter().map(|(n, _)| *n).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let standing: HashMap<VersionId, Standing> =
        numbers.iter().copied().zip(history.standing(&numbers)).collect();
    let allowed = |n: &VersionId| scanner.allow().commit(&standing[n].first.1.id);
    let hits: Vec<_> = hits.into_iter().filter(|(n, _)| !allowed(n)).collect();
    let mut times: HashMap<Vec<u8>, Standing> = HashMap::new();
    // One place for each secret and path: the newest.
    let mut places: HashMap<Place<'_>, (u32, &Arc<Hit>)> = HashMap::new();
    for (number, hit) in &hits {
        let at = &standing[number];
        times
            .entry(hit.secret.expose().to_vec())
            .and_modify(|t| {
                if at.first.0 < t.first.0 {
                    t.first = at.first.clone();
                }
                if at.last.0 > t.last.0 {
                    t.last = at.last.clone();
                }
                t.in_head |= at.in_head;
            })
            .or_insert_with(|| at.clone());
        // A hit that came over from another version was found at the path of that one.
        let file: Arc<str> = history.path(*number).into();
        let file = if hit.location.file.contains('!') { Arc::clone(&hit.location.file) } else { file };
        let slot = places.entry((hit.secret.expose(), file)).or_insert((at.last.0, hit));
        if at.last.0 >= slot.0 {
            *slot = (at.last.0, hit);
        }
    }
    looked.hits = places
        .into_iter()
        .map(|((_, file), (_, hit))| {
            let mut hit = Hit::clone(hit);
            hit.location.file = file;
            hit
        })
        .collect();
    Ok((looked, Times(times)))
}

impl Times {
    /// Tells it in the findings' reasons.
    pub fn tell(&self, findings: &mut [Finding], salt: &[u8]) {
        let by_name: HashMap<_, &Standing> =
            self.0.iter().map(|(secret, at)| (wardroom_secrets::fingerprint(secret, salt), at)).collect();
        for finding in findings {
            let Some(at) = by_name.get(&finding.fingerprint) else { continue };
            let since = format!("first in {}", named(&at.first.1));
            let until = match at.in_head {
                true => "still in HEAD".to_owned(),
                false => format!("last in {}, gone from HEAD", named(&at.last.1)),
            };
            let rest =
                if finding.reason.is_empty() { String::new() } else { format!("; {}", finding.reason) };
            finding.reason = format!("{since}; {until}{rest}");
        }
    }
}

/// `1a2b3c4d5e of 2019-03-02 by Ann <ann@example.net>`
pub fn named(commit: &Commit) -> String {
    let id = &commit.id[..commit.id.len().min(10)];
    format!("{id} of {} by {}", Date::of(commit.time), commit.author)
}

/// The secrets of one version: those of the version before that are still there, and those in what is new.
fn one(
    scanner: &Scanner,
    version: &Version<'_>,
    before: &[Kept],
    least: Confidence,
) -> (Vec<Kept>, Vec<Problem>) {
    let text = version.text;
    let mut kept = still_there(text, version.path, before);
    let mut problems = Vec::new();
    let binary = memchr::memchr(0, &text[..text.len().min(8192)]).is_some();
    let windows =
        if binary { std::iter::once(0..text.len()).collect() } else { windows(text, version.changed) };
    let (mut counted, mut line) = (0usize, 0u32);
    for window in windows {
        line += memchr::memchr_iter(b'\n', &text[counted..window.start]).count() as u32;
        counted = window.start;
        let scanned = scanner.scan(version.path, &text[window.clone()]);
        problems.extend(scanned.problems);
        for mut hit in scanned.hits.into_iter().filter(|h| h.confidence >= least) {
            let several = hit.location.end.line > hit.location.start.line;
            let second = line_of(&text[window.clone()], hit.location.start.line + 1);
            let below = u32::from(several && !second.trim_ascii().is_empty());
            let whole = line_of(&text[window.clone()], hit.location.start.line + below);
            hit.location.start.line += line;
            hit.location.end.line += line;
            let known = kept
                .iter()
                .any(|k| k.hit.secret == hit.secret && k.hit.location.start.line == hit.location.start.line);
            if !known {
                kept.push(Kept { hit: Arc::new(hit), line: whole.into(), below });
            }
        }
    }
    (kept, problems)
}

/// Those whose line is in the text.
fn still_there(text: &[u8], path: &str, before: &[Kept]) -> Vec<Kept> {
    let moved = |old: &Kept, line: u32| {
        let mut hit = Hit::clone(&old.hit);
        let length = hit.location.end.line - hit.location.start.line;
        hit.location.start.line = line.saturating_sub(old.below).max(1);
        hit.location.end.line = hit.location.start.line + length;
        hit.location.file = path.into();
        Kept { hit: Arc::new(hit), line: Arc::clone(&old.line), below: old.below }
    };
    if before.len() <= FEW {
        let found = before.iter().filter_map(|old| {
            let at = memchr::memmem::find(text, &old.line)?;
            Some(moved(old, memchr::memchr_iter(b'\n', &text[..at]).count() as u32 + 1))
        });
        return found.collect();
    }
    let mut wanted: HashMap<&[u8], Vec<&Kept>> = HashMap::new();
    for old in before {
        wanted.entry(&old.line).or_default().push(old);
    }
    let mut kept = Vec::new();
    for (number, line) in text.split(|b| *b == b'\n').enumerate() {
        if let Some(here) = wanted.remove(&line[..line.len().min(LINE)]) {
            kept.extend(here.into_iter().map(|old| moved(old, number as u32 + 1)));
        }
    }
    kept
}

/// The changed stretches with what stands beside them, as whole lines, none touching another.
fn windows(text: &[u8], changed: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for stretch in changed {
        // A long line is taken whole with its first change; the others need no look for its ends.
        if out.last().is_some_and(|last| stretch.end + BESIDE <= last.end || last.end == text.len()) {
            continue;
        }
        let start = stretch.start.saturating_sub(BESIDE);
        let start =
            memchr::memrchr(b'\n', &text[..start]).map_or(if start < 4096 { 0 } else { start }, |n| n + 1);
        let end = text.len().min(stretch.end + BESIDE);
        let end = memchr::memchr(b'\n', &text[end..]).map_or(text.len(), |n| end + n + 1);
        match out.last_mut() {
            Some(last) if start <= last.end + BESIDE => last.end = last.end.max(end),
            _ => out.push(start..end),
        }
    }
    out
}

/// At most this much of a line tells it from others.
fn line_of(text: &[u8], number: u32) -> &[u8] {
    let start = match number {
        0 | 1 => 0,
        n => memchr::memchr_iter(b'\n', text).nth(n as usize - 2).map_or(text.len(), |n| n + 1),
    };
    let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |n| start + n);
    &text[start..end.min(start + LINE)]
}
