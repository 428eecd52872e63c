//! Go: `go.mod`, which since Go 1.17 names every module of the build in the version that is taken, and
//! `go.sum`, which holds checksums of more than is built.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::reading::{Reading, shown, span};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: "go.mod",
        ecosystem: Ecosystem::Go,
        locks: true,
        matches: |path| file_name(path) == "go.mod",
        read: read_mod,
    },
    Format {
        name: "go.sum",
        ecosystem: Ecosystem::Go,
        locks: true,
        matches: |path| matches!(file_name(path), "go.sum" | "go.work.sum"),
        read: read_sum,
    },
];

fn read_mod(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut block = "";
        let mut replaced: Vec<(&str, &str, &str, &str)> = Vec::new();
        let mut told = false;
        for (at, line) in reading.lines() {
            if reading.full {
                break;
            }
            let (code, comment) = line.split_once("//").unwrap_or((line, ""));
            let code = code.trim();
            if code.is_empty() {
                continue;
            }
            if code == ")" {
                block = "";
                continue;
            }
            let (verb, rest) = match block {
                "" => match code.split_once(char::is_whitespace) {
                    Some((verb, rest)) => (verb, rest.trim()),
                    None => (code.trim_end_matches('('), if code.ends_with('(') { "(" } else { "" }),
                },
                within => (within, code),
            };
            if block.is_empty() && rest == "(" {
                block = verb;
                continue;
            }
            let mut words = rest.split_whitespace().map(|w| w.trim_matches(['"', '`']));
            match verb {
                "require" => {
                    let (Some(name), Some(version)) = (words.next(), words.next()) else {
                        reading.problem(at, "`require` must name a module and a version.");
                        continue;
                    };
                    let start = at + line.find(name).unwrap_or(0);
                    let mut package = Package::new(
                        Ecosystem::Go,
                        name,
                        version.trim_start_matches('v'),
                        span(start, start + name.len()),
                    );
                    package.direct =
                        !comment.split_whitespace().any(|w| w.trim_end_matches(';') == "indirect");
                    if package.direct {
                        reading.ask(Dependency::new(name, version, package.span));
                    }
                    reading.package(package);
                }
                "replace" => {
                    let (left, right) = rest.split_once("=>").unwrap_or((rest, ""));
                    let mut left = left.split_whitespace();
                    let mut right = right.split_whitespace();
                    if let (Some(old), Some(new)) = (left.next(), right.next()) {
                        replaced.push((old, left.next().unwrap_or(""), new, right.next().unwrap_or("")));
                    }
                }
                "go" => reading.runtime("go", words.next().unwrap_or("")),
                "toolchain" => {
                    let version = words.next().unwrap_or("").trim_start_matches("go");
                    // The toolchain is the one that builds; the other only says which language is meant.
                    reading.found.runtimes.retain(|(name, _)| name != "go");
                    reading.runtime("go", version);
                }
                "module" | "exclude" | "retract" | "godebug" | "tool" | "ignore" => {}
                _ if told => {}
                _ => {
                    told = true;
                    reading.problem(at, format!("`{}` is no directive of go.mod.", shown(verb)));
                }
            }
        }
        replace(reading, &replaced);
    })
}

/// What is replaced is not built; what stands for it is.
fn replace(reading: &mut Reading<'_>, replaced: &[(&str, &str, &str, &str)]) {
    let mut rules: FxHashMap<&str, Vec<(&str, &str, &str)>> = FxHashMap::default();
    for (old, version, new, new_version) in replaced {
        rules.entry(old).or_default().push((version.trim_start_matches('v'), new, new_version));
    }
    for package in &mut reading.found.packages {
        let Some(rules) = rules.get(package.name.as_str()) else { continue };
        let Some((_, new, version)) = rules.iter().find(|(v, ..)| v.is_empty() || *v == package.version)
        else {
            continue;
        };
        if version.is_empty() {
            package.origin = Origin::Path((*new).to_owned());
        } else {
            package.name = (*new).to_owned();
            package.version = version.trim_start_matches('v').to_owned();
        }
    }
}

fn read_sum(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut told = false;
        for (at, line) in reading.lines() {
            if reading.full {
                break;
            }
            let mut words = line.split_whitespace();
            let (Some(name), Some(version), Some(hash)) = (words.next(), words.next(), words.next()) else {
                if !line.trim().is_empty() && !told {
                    told = true;
                    reading.problem(at, "A line must hold a module, a version and a checksum.");
                }
                continue;
            };
            if !hash.starts_with("h1:") {
                if !told {
                    told = true;
                    reading.problem(at, "A checksum must begin with `h1:`.");
                }
                continue;
            }
            // Only the module's own manifest was read for such a line: it is not part of the build.
            if version.ends_with("/go.mod") {
                continue;
            }
            let mut package =
                Package::new(Ecosystem::Go, name, version.trim_start_matches('v'), span(at, at + name.len()));
            package.checksum = hash.to_owned();
            reading.package(package);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest() {
        let text = "module x.test/app\n\ngo 1.21\n\ntoolchain go1.22.3\n\nrequire github.com/a/b v1.2.3\n\nrequire (\n\tgithub.com/c/d v0.0.0-20200101000000-0123456789ab // indirect\n\tgithub.com/e/f/v2 v2.0.0+incompatible // why\n\tgithub.com/h/i v1.0.0\n)\n\nreplace github.com/h/i => ../i\n\nreplace (\n\tgithub.com/a/b v1.2.3 => github.com/fork/b v1.2.4\n)\n\nexclude github.com/a/b v1.0.0\n";
        let path: Arc<str> = "go.mod".into();
        let found = read_mod(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> =
            found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.direct)).collect();
        assert_eq!(
            told,
            [
                ("github.com/fork/b", "1.2.4", true),
                ("github.com/c/d", "0.0.0-20200101000000-0123456789ab", false),
                ("github.com/e/f/v2", "2.0.0+incompatible", true),
                ("github.com/h/i", "1.0.0", true)
            ]
        );
        assert_eq!(found.packages[3].origin, Origin::Path("../i".into()));
        assert_eq!(found.runtimes, [("go".to_owned(), "1.22.3".to_owned())]);
        let (start, end) = found.packages[1].span;
        assert_eq!(&text[start as usize..end as usize], "github.com/c/d");
    }

    #[test]
    fn checksums() {
        let text = "github.com/a/b v1.2.3 h1:aaaa=\ngithub.com/a/b v1.2.3/go.mod h1:bbbb=\ngithub.com/c/d v1.0.0/go.mod h1:cccc=\n";
        let path: Arc<str> = "go.sum".into();
        let found = read_sum(&path, text.as_bytes());
        assert_eq!(found.packages.len(), 1);
        assert_eq!(found.packages[0].checksum, "h1:aaaa=");
        assert_eq!(read_sum(&path, b"junk\n").problems.len(), 1);
    }
}
