//! pip: `requirements.txt` and the files beside it. A line that leaves one version is a package.

use std::sync::Arc;

use super::python::{normal, origin, pinned, requirement};
use super::reading::{Reading, shown, span};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] =
    &[Format { name: "requirements.txt", ecosystem: Ecosystem::PyPi, locks: true, matches, read }];

fn matches(path: &str) -> bool {
    let name = file_name(path);
    let Some(stem) = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".in")) else { return false };
    let folder = path.rsplit('/').nth(1).unwrap_or("");
    stem == "constraints"
        || stem.starts_with("requirements")
        || stem.ends_with("requirements")
        || matches!(folder, "requirements" | "requirement")
}

/// The group that a file's name tells.
fn group(path: &str) -> &'static str {
    let name = file_name(path);
    let has = |word: &str| name.split(['-', '_', '.']).any(|part| part == word);
    match () {
        () if has("dev") || has("development") => "dev",
        () if has("test") || has("tests") || has("testing") => "test",
        () if has("docs") || has("doc") => "docs",
        () if has("lint") => "lint",
        () => "",
    }
}

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let group = group(file);
        let mut entry = Entry::default();
        let mut compiled = false;
        // pip-compile writes under every package who asked for it.
        let mut via: Vec<(usize, Vec<&str>)> = Vec::new();
        let mut listing = false;
        for (at, line) in reading.lines() {
            if reading.full {
                break;
            }
            let (code, comment) = comment(line);
            if let Some(words) = comment.map(str::trim)
                && code.trim().is_empty()
            {
                let last = reading.found.packages.len().checked_sub(1);
                let parent = match words.strip_prefix("via") {
                    Some(parent) if parent.is_empty() || parent.starts_with(' ') => {
                        listing = true;
                        compiled = true;
                        if let Some(last) = last {
                            via.push((last, Vec::new()));
                        }
                        parent.trim()
                    }
                    _ if listing => words,
                    _ => "",
                };
                if let Some((_, parents)) = via.last_mut()
                    && listing
                    && !parent.is_empty()
                {
                    parents.push(parent);
                }
                continue;
            }
            listing = false;
            if entry.words.is_empty() {
                entry.at = at + (code.len() - code.trim_start().len());
            }
            let more = code.trim_end().strip_suffix('\\');
            entry.words.push_str(more.unwrap_or(code).trim());
            entry.words.push(' ');
            if more.is_none() {
                finish(reading, std::mem::take(&mut entry), group);
                if let Some(parents) = comment.and_then(|c| c.trim().strip_prefix("via "))
                    && let Some(last) = reading.found.packages.len().checked_sub(1)
                {
                    compiled = true;
                    via.push((last, parents.split(',').map(str::trim).collect()));
                }
            }
        }
        finish(reading, entry, group);
        if compiled {
            hand_up(reading, &via);
        }
    })
}

/// A requirement, which may go over several lines.
#[derive(Default)]
struct Entry {
    at: usize,
    words: String,
}

/// Splits a line at its comment, which begins it or stands behind white space.
fn comment(line: &str) -> (&str, Option<&str>) {
    let mut from = 0;
    while let Some(at) = line[from..].find('#').map(|i| i + from) {
        if at == 0 || line[..at].ends_with([' ', '\t']) {
            return (&line[..at], Some(&line[at + 1..]));
        }
        from = at + 1;
    }
    (line, None)
}

fn finish(reading: &mut Reading<'_>, entry: Entry, group: &str) {
    let words = entry.words.trim();
    if words.is_empty() {
        return;
    }
    let at = span(entry.at, entry.at + words.split_whitespace().next().unwrap_or("").len());
    if words.starts_with('-') {
        option(reading, words, at, group);
        return;
    }
    let (asked, options) = words.split_once(" --").unwrap_or((words, ""));
    let checksum = options
        .split("hash=")
        .nth(1)
        .or_else(|| options.split("hash ").nth(1))
        .and_then(|h| h.split_whitespace().next())
        .unwrap_or("");
    if asked.contains("://") && !asked.contains(" @ ") || asked.starts_with(['.', '/']) {
        address(reading, asked, at, group);
        return;
    }
    let Some(ask) = requirement(asked, at) else {
        reading.problem(entry.at, format!("`{}` is no requirement.", shown(asked)));
        return;
    };
    let ask = ask.in_group(group);
    if let Some(version) = pinned(&ask.requirement.range) {
        let mut package = Package::new(Ecosystem::PyPi, ask.requirement.name.clone(), version, at);
        package.checksum = checksum.to_owned();
        package.direct = true;
        package.groups = ask.groups.clone();
        reading.package(package);
    }
    reading.ask(ask);
}

fn option(reading: &mut Reading<'_>, words: &str, at: (u32, u32), group: &str) {
    let (name, value) = words.split_once([' ', '=']).unwrap_or((words, ""));
    let value = value.trim();
    match name {
        "-r" | "--requirement" | "-c" | "--constraint" => include(reading, value),
        "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" => reading.source(value, at),
        "-e" | "--editable" => address(reading, value, at, group),
        _ if name.starts_with("-r") => include(reading, &name[2..]),
        _ => {}
    }
}

fn include(reading: &mut Reading<'_>, path: &str) {
    if !path.is_empty() && reading.found.includes.len() < 1_000 {
        reading.found.includes.push(path.to_owned());
    }
}

/// A package by its address alone; the name stands in the fragment.
fn address(reading: &mut Reading<'_>, words: &str, at: (u32, u32), group: &str) {
    let words = words.split(" ;").next().unwrap_or(words).trim();
    let fragment = words.split_once('#').map_or("", |(_, f)| f);
    let name = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    let name = name.map(|n| n.split('[').next().unwrap_or(n));
    let origin = origin(words);
    let name = match (name, &origin) {
        (Some(name), _) => normal(name),
        // The folder's or repository's name is all there is to go by.
        (None, Origin::Git { url, .. }) => {
            normal(url.trim_end_matches(".git").rsplit('/').next().unwrap_or(""))
        }
        _ => return,
    };
    let mut ask = Dependency::new(name, "", at).in_group(group);
    ask.origin = origin;
    let mut package = Package::new(Ecosystem::PyPi, ask.requirement.name.clone(), "", at);
    package.origin = ask.origin.clone();
    package.direct = true;
    package.groups = ask.groups.clone();
    if matches!(ask.origin, Origin::Git { .. }) {
        reading.package(package);
    }
    reading.ask(ask);
}

/// Turns "via" around: a parent requires what it asked for.
fn hand_up(reading: &mut Reading<'_>, via: &[(usize, Vec<&str>)]) {
    let index: rustc_hash::FxHashMap<String, usize> =
        reading.found.packages.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
    for (child, parents) in via {
        let Some(package) = reading.found.packages.get_mut(*child) else { continue };
        package.direct = parents.iter().any(|p| p.starts_with('-') || p.contains(['(', ' ', '/']));
        let requirement = Requirement::new(package.name.clone(), format!("=={}", package.version));
        for parent in parents {
            if let Some(parent) = index.get(&normal(parent))
                && let Some(package) = reading.found.packages.get_mut(*parent)
            {
                package.requires.push(requirement.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let text = "# all\n-r base.txt\n--extra-index-url http://pypi.x.test/simple\nDjango[argon2]==4.2.1 ; python_version >= \"3.8\"\nrequests>=2,<3  # why\nflask==2.0.1 \\\n    --hash=sha256:aaaa \\\n    --hash=sha256:bbbb\n    # via\n    #   -r requirements.in\n    #   other\njinja2==3.0.0\n    # via flask\n-e git+https://x.test/o/tool.git@main#egg=tool\nlib @ https://x.test/lib-1.0.tar.gz\n./local\n???\n";
        let path: Arc<str> = "requirements-dev.txt".into();
        let found = read(&path, text.as_bytes());
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.checksum.as_str(), p.direct))
            .collect();
        assert_eq!(
            told,
            [
                ("django", "4.2.1", "", true),
                ("flask", "2.0.1", "sha256:aaaa", true),
                ("jinja2", "3.0.0", "", false),
                ("tool", "", "", true)
            ]
        );
        assert_eq!(found.packages[1].requires, [Requirement::new("jinja2", "==3.0.0")]);
        assert_eq!(found.packages[0].groups, ["dev"]);
        assert_eq!(found.includes, ["base.txt"]);
        assert_eq!(found.sources.len(), 1);
        assert_eq!(found.asks.len(), 6);
        assert_eq!(found.problems.len(), 1);
        assert_eq!(found.problems[0].line, Some(17));
        let (start, end) = found.packages[0].span;
        assert_eq!(&text[start as usize..end as usize], "Django[argon2]==4.2.1");
    }

    #[test]
    fn paths() {
        for path in [
            "requirements.txt",
            "a/requirements-dev.txt",
            "requirements/base.txt",
            "dev-requirements.txt",
            "requirements.in",
        ] {
            assert!(matches(path), "{path}");
        }
        for path in ["notes.txt", "robots.txt", "a/requirements.md"] {
            assert!(!matches(path), "{path}");
        }
    }
}
